-- daily: one row per day: the end-of-day balance of the accounts looked at together, null where one of them is not seen that day
-- An account counts from the first day its balance is known; n_accounts is how many do.
with begun as (
    select applicant_id, min(from_on) as from_on from balance group by applicant_id
),

day as (
    select applicant_id, unnest(range(from_on::timestamp, $as_of::timestamp, interval 1 day))::date as day from begun
),

known as (
    select
        day.day,
        balance.balance,
        day.day < coverage.seen_to
        and not exists (
            select 1 from hole where hole.applicant_id = day.applicant_id and day.day >= hole.from_on and day.day < hole.to_on
        ) as is_seen
    from day
    asof join balance on balance.applicant_id = day.applicant_id and day.day >= balance.from_on
    join coverage on coverage.applicant_id = day.applicant_id
)

select day, if(bool_and(is_seen), sum(balance), null)::double as balance, count(*) as n_accounts
from known
group by day
