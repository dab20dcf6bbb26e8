-- activity: one row per applicant active in the last 90 days: active days and the longest run of quiet ones
with active as (
    select distinct booked.applicant_id, booked.age, least(90, coverage.as_of - coverage.first_on) as first_age
    from booked
    join coverage using (applicant_id)
    where booked.age <= 90
),

gaps as (
    select
        applicant_id,
        age,
        coalesce(lag(age) over (partition by applicant_id order by age desc), first_age + 1) - age - 1 as quiet_before
    from active
)

select
    applicant_id,
    count(*) as active_days,
    greatest(max(quiet_before), min(age) - 1) as longest_gap
from gaps
group by applicant_id
