-- balance: one row per applicant and day on which the end-of-day balance of all accounts together changed
with change as (
    select
        who,
        booked_on,
        age,
        balance - lag(balance, 1, 0) over (partition by account_id order by booked_on) as delta
    from known
),

changed as (
    select who, booked_on, age, sum(delta) as delta from change group by all
)

select
    who,
    booked_on as from_on,
    age as from_age,
    sum(delta) over (partition by who order by booked_on) as balance
from changed
