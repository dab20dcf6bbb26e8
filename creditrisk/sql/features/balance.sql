-- balance: one row per applicant and day on which the end-of-day balance of all accounts together changed
-- A balance is the opening of the newest file that starts no later, plus everything booked since; accounts without a stated
-- or running balance are left out.
with day as (
    select
        coverage.applicant_id,
        transaction.account_id,
        transaction.booked_on,
        sum(transaction.amount) as moved
    from coverage
    join account using (applicant_id)
    join transaction using (account_id)
    where transaction.booked_on < coverage.as_of
    group by all
),

running as (
    select
        *,
        sum(moved) over (partition by account_id order by booked_on) as total,
        sum(moved) over (partition by account_id order by booked_on) - moved as total_before
    from day
),

anchor as (
    select
        statement_account.account_id,
        statement_account.first_on,
        statement_account.opening
    from statement_account
    where statement_account.opening is not null
    qualify row_number() over (partition by account_id, first_on order by statement_id) = 1
),

based as (
    select
        anchor.account_id,
        anchor.first_on,
        anchor.opening - running.total_before as base
    from anchor
    join running on running.account_id = anchor.account_id and running.booked_on = anchor.first_on
),

known as (
    select
        running.applicant_id,
        running.account_id,
        running.booked_on,
        based.base + running.total as balance
    from running
    asof join based on based.account_id = running.account_id and running.booked_on >= based.first_on
),

change as (
    select
        applicant_id,
        booked_on,
        balance - lag(balance, 1, 0) over (partition by account_id order by booked_on) as delta
    from known
),

changed as (
    select applicant_id, booked_on, sum(delta) as delta from change group by all
)

select
    applicant_id,
    booked_on as from_on,
    sum(delta) over (partition by applicant_id order by booked_on) as balance
from changed
