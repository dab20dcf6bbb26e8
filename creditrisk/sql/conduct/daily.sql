-- daily: one row per day: the end-of-day balance of the accounts looked at together, null where one of them is not seen that day
-- An account counts from the first day its balance is known; n_accounts is how many do.
with begun as (
    select account_id, min(booked_on) as from_on from known group by account_id
),

each as (
    select account_id, unnest(range(from_on::timestamp, $as_of::timestamp, interval 1 day))::date as day from begun
),

level as (
    select
        each.day,
        known.balance,
        held.as_of - each.day as age,
        coverage.unseen,
        exists (from hole where hole.who = held.who and held.as_of - each.day <= hole.from_age and held.as_of - each.day > hole.to_age) as is_hole
    from each
    asof join known on known.account_id = each.account_id and each.day >= known.booked_on
    join held on held.account_id = each.account_id
    join coverage on coverage.who = held.who
)

select day, if(bool_and(age > unseen and not is_hole), sum(balance), null)::double as balance, count(*) as n_accounts
from level
group by day
