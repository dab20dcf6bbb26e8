-- rhythm: one row per applicant: how income and cash flow ran over the 30-day months that were seen whole
-- Spread comes from exact integer sums, so that the order in which rows are added cannot move the last bit.
with moved as (
    select
        who,
        month,
        sum(case when counted.is_income then amount end) as income,
        sum(case when not counted.is_own then amount end) as net
    from tally
    join purpose as counted on counted.number = tally.counted_as
    where month < 12
    group by all
),

whole as (
    select
        coverage.who,
        months.month,
        coalesce(moved.income, 0) as income,
        coalesce(moved.net, 0) as net
    from coverage
    join (select unnest(range(12))::utinyint as month) as months on (coverage.months >> months.month) & 1 = 1
    left join moved using (who, month)
),

exact as (
    select *, income::hugeint as units from whole
),

sums as (
    select
        who,
        quantile_cont(case when month < 3 then income::double / 10000 end, 0.5) as median_90d,
        quantile_cont(case when month < 6 then income::double / 10000 end, 0.5) as median_180d,
        quantile_cont(income::double / 10000, 0.5) as median_365d,
        count(case when month < 6 then 1 end) as n_180d,
        count(*) as n_365d,
        count(case when income <= 0 and month < 6 then 1 end) as without_180d,
        count(case when income <= 0 then 1 end) as without_365d,
        count(case when net < 0 and month < 6 then 1 end) as negative_180d,
        count(case when net < 0 then 1 end) as negative_365d,
        coalesce(sum(case when month < 6 then units end), 0) as total_180d,
        sum(units) as total_365d,
        coalesce(sum(case when month < 6 then units * units end), 0) as squares_180d,
        sum(units * units) as squares_365d
    from exact
    group by who
)

select
    who,
    median_90d * 30.44 / 30 as income_monthly_median_90d,
    median_180d * 30.44 / 30 as income_monthly_median_180d,
    median_365d * 30.44 / 30 as income_monthly_median_365d,
    without_180d,
    without_365d,
    negative_180d,
    negative_365d,
    case
        when n_180d >= 3 and total_180d > 0
            then sqrt((n_180d * squares_180d - total_180d * total_180d)::double / (n_180d * (n_180d - 1))) / (total_180d::double / n_180d)
    end as income_cv_180d,
    case
        when n_365d >= 3 and total_365d > 0
            then sqrt((n_365d * squares_365d - total_365d * total_365d)::double / (n_365d * (n_365d - 1))) / (total_365d::double / n_365d)
    end as income_cv_365d
from sums
