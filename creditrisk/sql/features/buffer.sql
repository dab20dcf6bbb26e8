-- buffer: one row per applicant with known balances: what the daily balance was like in each window; n_90d is the days it was known
with run as (
    select
        *,
        end_day - first_day as n,
        (first_day + end_day - 1) * (end_day - first_day) // 2 as sum_day -- the days' numbers added up
    from level
),

ranked as (
    select
        who,
        days,
        balance,
        sum(n) over (partition by who, days order by balance, first_day) as days_to_here,
        sum(n) over (partition by who, days) as days_in_all
    from run
    where days <= 90
),

lean as (
    select who, days, min(balance) filter (where days_to_here >= 0.1 * days_in_all) as p10
    from ranked
    group by who, days
),

sums as (
    select
        run.who,
        run.days,
        sum(n) as n,
        min(first_day) as first_day,
        sum(balance * n) as total,
        sum(sum_day) as sum_day,
        sum(balance * sum_day) as sum_day_balance,
        sum(abs(balance) * n) as total_size,
        sum(round(balance * 100)::hugeint * n) as cents,
        sum(round(balance * 100)::hugeint * round(balance * 100)::hugeint * n) filter (where run.days = 90) as squares, -- exact, as is the sum
        min(balance) as lowest,
        arg_max(balance, first_day) as last_balance,
        sum(n) filter (where balance < 0) as n_negative,
        max(end_day) filter (where balance < 0) as negative_to,
        count(*) filter (where goes_negative) as episodes,
        sum(n) filter (where balance * flow_days < weekly) as n_below
    from run
    left join (
        select coverage.who, flow.basic_90d * 7 as weekly, coverage.days_90d as flow_days from coverage join flow using (who)
    ) as needs on needs.who = run.who and run.days = 90
    group by run.who, run.days
),

-- The slope is that of least squares over days first_day … days - 1; the sum of squares of those numbers has a closed form.
found as (
    select
        sums.*,
        lean.p10::double as p10,
        total::double / n as mean,
        (n * sum_day_balance - sum_day * total)::double
        / nullif(n * ((days - 1) * days * (2 * days - 1) // 6 - (first_day - 1) * first_day * (2 * first_day - 1) // 6) - sum_day * sum_day, 0)::double as slope_a_day,
        case when n > 1 and total_size > 0 then sqrt((n * squares - cents * cents)::double / (n * (n - 1))) / (100 * total_size::double / n) end as cv
    from sums
    left join lean using (who, days)
)

select
    who,
    max(n) filter (where days = 30) as n_30d,
    max(n) filter (where days = 60) as n_60d,
    max(n) filter (where days = 90) as n_90d,
    max(n) filter (where days = 180) as n_180d,
    max(n) filter (where days = 365) as n_365d,
    max(mean) filter (where days = 30) as mean_30d,
    max(mean) filter (where days = 90) as mean_90d,
    max(mean) filter (where days = 180) as mean_180d,
    max(mean) filter (where days = 365) as mean_365d,
    max(lowest::double) filter (where days = 30) as lowest_30d,
    max(lowest::double) filter (where days = 90) as lowest_90d,
    max(p10) filter (where days = 30) as p10_30d,
    max(p10) filter (where days = 60) as p10_60d,
    max(p10) filter (where days = 90) as p10_90d,
    max(slope_a_day) filter (where days = 90) as slope_a_day_90d,
    max(slope_a_day) filter (where days = 180) as slope_a_day_180d,
    max(cv) filter (where days = 90) as cv_90d,
    max(coalesce(n_negative, 0)) filter (where days = 30) as n_negative_30d,
    max(coalesce(n_negative, 0)) filter (where days = 90) as n_negative_90d,
    max(coalesce(n_negative, 0)) filter (where days = 180) as n_negative_180d,
    max(coalesce(n_negative, 0)) filter (where days = 365) as n_negative_365d,
    max(episodes) filter (where days = 90) as episodes_90d,
    max(episodes) filter (where days = 365) as episodes_365d,
    max(coalesce(n_below, 0)) filter (where days = 90) as n_below_90d,
    max(365 - negative_to + 1) filter (where days = 365) as negative_age_365d,
    max(last_balance::double) filter (where days = 30) as last_balance
from found
group by who
