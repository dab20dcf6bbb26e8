-- level: one row per applicant and run of days with one balance inside the last 90 days; first_day 0 is the start of the window
with run as (
    select
        balance.applicant_id,
        coverage.as_of,
        balance.from_on,
        lead(balance.from_on, 1, coverage.as_of) over (partition by balance.applicant_id order by balance.from_on) as to_on,
        balance.balance
    from balance
    join coverage using (applicant_id)
)

select
    applicant_id,
    greatest(0, from_on - (as_of - 90))::bigint as first_day,
    (to_on - (as_of - 90))::bigint as end_day,
    balance
from run
where to_on > as_of - 90
