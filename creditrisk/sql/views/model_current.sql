-- model_current: one row per model with its present standing
create or replace view model_current as
with latest as (
    select * from model_event
    qualify row_number() over (partition by model_id order by seq desc) = 1
)
select model.*, latest.status, latest.happened_at as status_at, latest.by_user as status_by, latest.reason as status_reason
from model
join latest using (model_id);
