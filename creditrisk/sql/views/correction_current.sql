-- correction_current: one row per movement of which somebody said what it really was, as said last
create or replace view correction_current as
select transaction_id, arg_max(category, correction_id) as category
from correction
where scope = 'movement'
group by transaction_id;
