-- buffer: one row per applicant with known balances: what the daily balance was like over the last 90 days
with run as (
    select
        *,
        end_day - first_day as days,
        (first_day + end_day - 1) * (end_day - first_day) // 2 as sum_day, -- the days' numbers added up
        sum(end_day - first_day) over (partition by applicant_id order by balance, first_day) as days_to_here,
        sum(end_day - first_day) over (partition by applicant_id) as days_in_all,
        balance < 0 and coalesce(lag(balance) over (partition by applicant_id order by first_day) >= 0, true) as goes_negative
    from level
),

sums as (
    select
        applicant_id,
        sum(days) as n,
        min(first_day) as first_day,
        sum(balance * days) as sum_balance,
        sum(balance * greatest(0, end_day - greatest(first_day, 60))) as sum_balance_30d,
        sum(greatest(0, end_day - greatest(first_day, 60))) as n_30d,
        sum(sum_day) as sum_day,
        sum(balance * sum_day) as sum_day_balance,
        min(balance) as lowest,
        min(balance) filter (where days_to_here >= 0.1 * days_in_all) as p10,
        arg_max(balance, first_day) as last_balance,
        coalesce(sum(days) filter (where balance < 0), 0) as days_negative,
        count(*) filter (where goes_negative) as episodes
    from run
    group by applicant_id
)

-- The slope is that of least squares over days first_day … 89; the sum of squares of those numbers has a closed form.
select
    applicant_id,
    n,
    sum_balance::double / n as mean_90d,
    sum_balance_30d::double / n_30d as mean_30d,
    lowest::double as lowest,
    p10::double as p10,
    last_balance::double as last_balance,
    days_negative,
    episodes,
    (n * sum_day_balance - sum_day * sum_balance)::double
    / (n * (89 * 90 * 179 // 6 - (first_day - 1) * first_day * (2 * first_day - 1) // 6) - sum_day * sum_day)::double as slope_a_day
from sums
