-- buffer: one row per applicant with known balances: what the daily balance was like in each window; n_90d is the days it was known
with run as (
    select
        level.who,
        from_age,
        to_age,
        balance,
        greatest(0, least(30, from_age) - to_age) as n_30d,
        greatest(0, least(90, from_age) - to_age) as n_90d,
        greatest(0, least(180, from_age) - to_age) as n_180d,
        greatest(0, least(365, from_age) - to_age) as n_365d,
        (to_age + 1 + least(90, from_age)) * n_90d // 2 as ages_90d, -- the days' ages added up
        (to_age + 1 + least(180, from_age)) * n_180d // 2 as ages_180d,
        case when n_90d > 0 then round(balance * 100)::hugeint end as cents, -- exact, as are the sums of their squares
        balance < 0 as is_negative,
        was_positive,
        n_90d > 0 and round(balance * 10000)::hugeint * days_90d < coalesce(basic_90d, 0) * 7 as is_below
    from level
    left join coverage using (who)
    left join basic using (who)
    where to_age < 365
),

sums as (
    select
        who,
        max(from_age) as first_age,
        sum(balance * n_30d) as total_30d,
        sum(balance * n_90d) as total_90d,
        sum(balance * n_180d) as total_180d,
        sum(balance * n_365d) as total_365d,
        sum(balance * ages_90d) as aged_90d,
        sum(balance * ages_180d) as aged_180d,
        sum(abs(balance) * n_90d) as size_90d,
        sum(cents * n_90d) as cents_90d,
        sum(cents * cents * n_90d) as squares_90d,
        min(case when n_30d > 0 then balance end) as lowest_30d,
        min(case when n_90d > 0 then balance end) as lowest_90d,
        arg_min(balance, to_age) as last_balance,
        sum(case when is_negative then n_30d end) as negative_30d,
        sum(case when is_negative then n_90d end) as negative_90d,
        sum(case when is_negative then n_180d end) as negative_180d,
        sum(case when is_negative then n_365d end) as negative_365d,
        min(case when is_negative then to_age + 1 end) as negative_age,
        count(case when is_negative and n_90d > 0 and (was_positive or from_age >= 90) then 1 end) as episodes_90d,
        count(case when is_negative and (was_positive or from_age >= 365) then 1 end) as episodes_365d,
        coalesce(sum(case when is_below then n_90d end), 0) as below_90d
    from run
    group by who
),

ranked as (
    select
        run.who,
        period.days,
        run.balance,
        sum(least(period.days, run.from_age) - run.to_age) over (
            partition by run.who, period.days order by run.balance, run.to_age
        ) as days_to_here,
        least(period.days, sums.first_age) as days_in_all
    from run
    join (select unnest([30, 60, 90]) as days) as period on run.to_age < period.days
    join sums using (who)
    where run.n_90d > 0
),

lean as (
    select
        who,
        min(case when days = 30 then balance end) as p10_30d,
        min(case when days = 60 then balance end) as p10_60d,
        min(case when days = 90 then balance end) as p10_90d
    from ranked
    where days_to_here * 10 >= days_in_all
    group by who
)

-- The slope is that of least squares; ages run from 1 to as far back as the balance is known, and their squares have a closed form.
select
    sums.who,
    least(30, first_age) as n_30d,
    least(60, first_age) as n_60d,
    least(90, first_age) as n_90d,
    least(180, first_age) as n_180d,
    least(365, first_age) as n_365d,
    total_30d::double / n_30d as mean_30d,
    total_90d::double / n_90d as mean_90d,
    total_180d::double / n_180d as mean_180d,
    total_365d::double / n_365d as mean_365d,
    lowest_30d::double as lowest_30d,
    lowest_90d::double as lowest_90d,
    p10_30d::double as p10_30d,
    p10_60d::double as p10_60d,
    p10_90d::double as p10_90d,
    last_balance::double as last_balance,
    (n_90d * (n_90d + 1) // 2 * total_90d - n_90d * aged_90d)::double
    / nullif(n_90d * (n_90d * (n_90d + 1) * (2 * n_90d + 1) // 6) - (n_90d * (n_90d + 1) // 2) ** 2, 0)::double as slope_a_day_90d,
    (n_180d * (n_180d + 1) // 2 * total_180d - n_180d * aged_180d)::double
    / nullif(n_180d * (n_180d * (n_180d + 1) * (2 * n_180d + 1) // 6) - (n_180d * (n_180d + 1) // 2) ** 2, 0)::double as slope_a_day_180d,
    case
        when n_90d > 1 and size_90d > 0
            then sqrt((n_90d * squares_90d - cents_90d * cents_90d)::double / (n_90d * (n_90d - 1))) / (100 * size_90d::double / n_90d)
    end as cv_90d,
    coalesce(negative_30d, 0) as negative_30d,
    coalesce(negative_90d, 0) as negative_90d,
    coalesce(negative_180d, 0) as negative_180d,
    coalesce(negative_365d, 0) as negative_365d,
    negative_age,
    episodes_90d,
    episodes_365d,
    below_90d
from sums
join lean using (who)
