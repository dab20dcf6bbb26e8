-- cohort: one row per applicant with an account: who is looked at ($ids, else everybody) and as of when
-- $as_of where given, else the day of the newest application, else the day after the last transaction; $days_before that.
-- With $of_snapshot: that snapshot's applicants only, and of each the day it has there, whatever has arrived since.
select
    held.applicant_id,
    coalesce(kept.as_of, $as_of::date, applied.applied_on, held.day_after) - $days_before::integer as as_of
from (
    select account.applicant_id, max(statement_account.last_on) + 1 as day_after
    from account
    join statement_account using (account_id)
    where $ids is null or list_contains($ids::varchar[], account.applicant_id)
    group by account.applicant_id
) as held
left join (
    select applicant_id, max(applied_on) as applied_on from application group by applicant_id
) as applied using (applicant_id)
left join (
    select applicant_id, as_of from applicant where snapshot_id = $of_snapshot::integer
) as kept using (applicant_id)
where $of_snapshot::integer is null or kept.applicant_id is not null
