-- coverage: one row per applicant of the cohort with transactions before as_of: what the statements let us see
-- An export is taken as complete to as_of where its last row is at most 15 days older; beyond that the rest is unobserved.
-- So are the holes between files; files a month apart or less are taken to follow one another.
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
),

missed as (
    select
        bounds.applicant_id,
        sum(greatest(0, hole.to_on - greatest(hole.from_on, as_of - 90))) as missed_90d,
        sum(greatest(0, hole.to_on - greatest(hole.from_on, as_of - 180))) as missed_180d,
        sum(greatest(0, hole.to_on - greatest(hole.from_on, as_of - 365))) as missed_365d
    from bounds
    join hole using (applicant_id)
    group by bounds.applicant_id
)

select
    bounds.*,
    (greatest(0, seen_to - greatest(first_on, as_of - 90)) - coalesce(missed_90d, 0))::bigint as observed_90d,
    (greatest(0, seen_to - greatest(first_on, as_of - 180)) - coalesce(missed_180d, 0))::bigint as observed_180d,
    (greatest(0, seen_to - greatest(first_on, as_of - 365)) - coalesce(missed_365d, 0))::bigint as observed_365d
from bounds
left join missed using (applicant_id)
