-- level: one row per applicant and run of days with one balance: from the day of from_age down to, and without, that of to_age
select
    who,
    from_age,
    lead(from_age, 1, 0) over applicant as to_age,
    balance,
    coalesce(lag(balance) over applicant >= 0, true) as was_positive
from balance
window applicant as (partition by who order by from_on)
