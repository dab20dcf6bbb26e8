-- turnover: one row per account, way the money went, and category as event and as counted: how much and how often in each window
select
    who,
    account_id,
    is_debit,
    event,
    counted_as,
    sum(case when month < 1 then amount end) as amount_30d,
    sum(case when month < 3 then amount end) as amount_90d,
    sum(case when month < 6 then amount end) as amount_180d,
    sum(amount) as amount_365d,
    sum(case when month < 3 then savings_amount end) as savings_90d,
    sum(savings_amount) as savings_365d,
    sum(case when month < 1 then n end) as n_30d,
    sum(case when month < 2 then n end) as n_60d,
    sum(case when month < 3 then n end) as n_90d,
    sum(case when month < 6 then n end) as n_180d,
    sum(n) as n_365d,
    sum(case when month < 6 then n_direct end) as n_direct_180d,
    min(last_age) as last_age,
    bit_or(case when month = 0 then days end) as days_month_0,
    bit_or(case when month = 1 then days end) as days_month_1,
    bit_or(case when month = 2 then days end) as days_month_2
from tally
group by all
