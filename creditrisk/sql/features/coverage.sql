-- coverage: one row per applicant of the cohort with transactions before as_of: what the statements let us see
-- An export is taken as complete to as_of where its last row is at most 15 days older; beyond that the rest is unobserved.
-- So are the holes between files; files a month apart or less are taken to follow one another. `days_90d` is how many of the
-- last 90 days were observed, and null where that is under 60 %: whatever is divided by it, or asks for it, is then null too.
-- Bit m of `months` is set where 30-day month m (0 is the newest) was seen whole. `unseen` counts the days at the end nobody saw.
with seen as (
    select
        who,
        as_of,
        as_of - min(first_on) as first_age,
        case when as_of - max(last_on) <= 15 then 0 else as_of - max(last_on) - 1 end as unseen,
        bool_or(reconciliation = 'mismatch') or count(distinct currency) filter (where currency <> '') > 1 as is_unreconciled
    from file
    group by who, as_of
),

missed as (
    select
        who,
        sum(greatest(0, least(30, from_age) - to_age)) as missed_30d,
        sum(greatest(0, least(60, from_age) - to_age)) as missed_60d,
        sum(greatest(0, least(90, from_age) - to_age)) as missed_90d,
        sum(greatest(0, least(180, from_age) - to_age)) as missed_180d,
        sum(greatest(0, least(365, from_age) - to_age)) as missed_365d,
        -- the months it touches: those of its newest day (age to_age + 1) to that of its oldest (from_age)
        bit_or((1::bigint << least(13, (from_age - 1) // 30 + 1)) - (1::bigint << least(13, to_age // 30))) as months
    from hole
    group by who
),

observed as (
    select
        seen.*,
        (greatest(0, least(30, first_age) - unseen) - coalesce(missed_30d, 0))::bigint as observed_30d,
        (greatest(0, least(60, first_age) - unseen) - coalesce(missed_60d, 0))::bigint as observed_60d,
        (greatest(0, least(90, first_age) - unseen) - coalesce(missed_90d, 0))::bigint as observed_90d,
        (greatest(0, least(180, first_age) - unseen) - coalesce(missed_180d, 0))::bigint as observed_180d,
        (greatest(0, least(365, first_age) - unseen) - coalesce(missed_365d, 0))::bigint as observed_365d,
        greatest(0, (1::bigint << least(12, first_age // 30)) - (1::bigint << least(12, (unseen + 29) // 30))) as whole_months,
        coalesce(missed.months, 0) as missed_months
    from seen
    left join missed using (who)
)

select
    who,
    as_of,
    first_age,
    unseen,
    is_unreconciled,
    observed_90d,
    observed_180d,
    observed_365d,
    case when observed_30d >= 18 then observed_30d end as days_30d,
    case when observed_60d >= 36 then observed_60d end as days_60d,
    case when observed_90d >= 54 then observed_90d end as days_90d,
    case when observed_180d >= 108 then observed_180d end as days_180d,
    case when observed_365d >= 219 then observed_365d end as days_365d,
    whole_months & ~missed_months as months
from observed
