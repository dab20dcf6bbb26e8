-- known: one row per account and day on which it moved: its end-of-day balance, where a statement gives one to start from
-- A balance is the opening of the newest file that starts no later, plus everything booked since; accounts without a stated
-- or running balance are left out. Of files that start together and disagree, the one that reaches furthest is believed.
with anchor as (
    select account_id, first_on, opening
    from file
    where opening is not null
    qualify row_number() over (partition by account_id, first_on order by last_on desc, opening) = 1
),

running as (
    select
        *,
        sum(moved) over (partition by account_id order by booked_on) as total
    from day
    where account_id in (select account_id from anchor)
),

based as (
    select
        anchor.account_id,
        anchor.first_on as from_on,
        lead(anchor.first_on, 1, 'infinity'::date) over (partition by anchor.account_id order by anchor.first_on) as to_on,
        anchor.opening - (running.total - running.moved) as base
    from anchor
    join running on running.account_id = anchor.account_id and running.booked_on = anchor.first_on
)

select
    running.who,
    running.account_id,
    running.booked_on,
    running.age,
    based.base + running.total as balance
from running
join based on based.account_id = running.account_id and running.booked_on >= based.from_on and running.booked_on < based.to_on
