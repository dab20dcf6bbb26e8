-- job_current: one row per job with the last thing it reported
create or replace view job_current as
with latest as (
    select * from job_event
    qualify row_number() over (partition by job_id order by seq desc) = 1
)
select job.*, latest.state, latest.progress, latest.message, latest.happened_at as reported_at
from job
join latest using (job_id);
