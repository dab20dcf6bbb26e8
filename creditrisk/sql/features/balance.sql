-- balance: one row per applicant and day on which the end-of-day balance of all accounts together changed
with single as (
    select who from held group by who having count(*) = 1
),

change as (
    select
        who,
        booked_on,
        age,
        balance - lag(balance, 1, 0) over (partition by account_id order by booked_on) as delta
    from known
    where who not in (select who from single)
),

changed as (
    select who, booked_on, age, sum(delta) as delta from change group by all
)

select who, booked_on as from_on, age as from_age, balance
from known
where who in (select who from single)
union all
select
    who,
    booked_on as from_on,
    age as from_age,
    sum(delta) over (partition by who order by booked_on) as balance
from changed
