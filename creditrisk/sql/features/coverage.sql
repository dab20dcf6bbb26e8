-- coverage: one row per applicant of the cohort with transactions before as_of: what the statements let us see
-- An export is taken as complete to as_of where its last row is at most 15 days older; beyond that the rest is unobserved.
with seen as (
    select
        cohort.applicant_id,
        cohort.as_of,
        min(statement_account.first_on) as first_on,
        max(statement_account.last_on) as last_on
    from cohort
    join account using (applicant_id)
    join statement_account using (account_id)
    where statement_account.first_on < cohort.as_of
    group by all
),

bounds as (
    select
        applicant_id,
        as_of,
        first_on,
        case when as_of - last_on <= 15 then as_of else last_on + 1 end as seen_to
    from seen
)

select
    applicant_id,
    as_of,
    first_on,
    seen_to,
    greatest(0, seen_to - greatest(first_on, as_of - 30)) as observed_30d,
    greatest(0, seen_to - greatest(first_on, as_of - 90)) as observed_90d,
    greatest(0, seen_to - greatest(first_on, as_of - 180)) as observed_180d,
    greatest(0, seen_to - greatest(first_on, as_of - 365)) as observed_365d
from bounds
