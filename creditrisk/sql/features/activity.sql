-- activity: one row per applicant: how long and how lately the account moved, on how many days, and the longest run of quiet ones
with active as (
    select who, age from day group by who, age
),

gaps as (
    select who, age, lag(age, 1, age + 1) over (partition by who order by age desc) as age_before
    from active
    where age <= 90
),

quiet as (
    select who, max(age_before - age - 1) as longest_gap, max(age) as first_age from gaps group by who
),

seen as (
    select
        who,
        max(age) as first_age,
        min(age) as last_age,
        count(*) filter (where age <= 90) as active_90d,
        count(*) filter (where age <= 365) as active_365d
    from active
    group by who
)

select
    who,
    least(730, seen.first_age) as history_days,
    seen.last_age,
    active_90d,
    active_365d,
    -- before the first active day of the window it was quiet from the window's start, or not seen
    greatest(quiet.longest_gap, least(90, seen.first_age) - quiet.first_age, seen.last_age - 1) as longest_gap_90d
from seen
left join quiet using (who)
