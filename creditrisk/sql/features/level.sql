-- level: one row per applicant, window (its length in days) and run of days in it with one balance
-- Days are numbered from the start of the window: the run lasts from first_day up to and without end_day.
with run as (
    select
        who,
        from_age,
        lead(from_age, 1, 0) over (partition by who order by from_on) as to_age,
        balance,
        coalesce(lag(balance) over (partition by who order by from_on) >= 0, true) as was_positive
    from balance
)

select
    who,
    period.days,
    greatest(0, period.days - from_age)::bigint as first_day,
    (period.days - to_age)::bigint as end_day,
    balance,
    balance < 0 and (was_positive or from_age >= period.days) as goes_negative
from run
join (select unnest([30, 60, 90, 180, 365])::bigint as days) as period on run.to_age < period.days
