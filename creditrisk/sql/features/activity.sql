-- activity: one row per applicant: how long and how lately the account moved, on how many days, and the longest run of quiet ones
with active as (
    select distinct who, age from day
),

gaps as (
    select who, age, lag(age, 1, age + 1) over (partition by who order by age desc) as age_before from active
)

select
    who,
    least(730, max(age)) as history_days,
    min(age) as last_age,
    count(*) filter (where age <= 90) as active_90d,
    count(*) filter (where age <= 365) as active_365d,
    greatest(max(least(age_before, 91) - age - 1) filter (where age <= 90), min(age) - 1) as longest_gap_90d
from gaps
group by who
