-- schedule_current: one row per training that was put off, and how that ended ('waiting' where it has not)
create or replace view schedule_current as
select
    schedule.*, coalesce(schedule_event.state, 'waiting') as state, schedule_event.message,
    schedule_event.happened_at as ended_at, schedule_event.ended_by
from schedule
left join schedule_event using (schedule_id);
