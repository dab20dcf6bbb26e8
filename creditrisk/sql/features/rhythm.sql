-- rhythm: one row per applicant: how income and cash flow ran over the observed months
-- Spread comes from exact integer sums, so that the order in which rows are added cannot move the last bit.
with exact as (
    select applicant_id, net, income, (income * 10000)::hugeint as units from month
),

sums as (
    select
        applicant_id,
        count(*) as n,
        quantile_cont(income::double, 0.5) as income_median,
        count(*) filter (where income <= 0) as months_without_income,
        count(*) filter (where net < 0) as months_negative,
        sum(units) as total,
        sum(units * units) as squares
    from exact
    group by applicant_id
)

select
    applicant_id,
    income_median * 30.44 / 30 as income_monthly_median,
    months_without_income,
    months_negative,
    case
        when n >= 3 and total > 0
            then sqrt((n * squares - total * total)::double / (n * (n - 1))) / (total::double / n)
    end as income_cv
from sums
