-- known: one row per account and day on which it moved: its end-of-day balance, where a statement gives one to start from
-- A balance is the opening of the newest file that starts no later, plus everything booked since; accounts without a stated
-- or running balance are left out. Of files that start together and disagree, the one that reaches furthest is believed.
with anchor as (
    select account_id, first_on, opening
    from file
    where opening is not null
    qualify row_number() over (partition by account_id, first_on order by last_on desc, opening) = 1
),

since as (
    select
        day.*,
        last_value(anchor.opening ignore nulls) over account as opening,
        count(anchor.opening) over account as n_anchors
    from day
    join (select distinct account_id from anchor) as stated using (account_id)
    left join anchor on anchor.account_id = day.account_id and anchor.first_on = day.booked_on
    window account as (partition by day.account_id order by day.booked_on)
)

select
    who,
    account_id,
    booked_on,
    age,
    opening + sum(moved) over (partition by account_id, n_anchors order by booked_on) as balance
from since
where n_anchors > 0
