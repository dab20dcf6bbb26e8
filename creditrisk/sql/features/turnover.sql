-- turnover: one row per account, way the money went, and category as event and as counted: how much and how often in each window
select
    who,
    account_id,
    is_debit,
    event,
    counted_as,
    sum(amount) filter (where month < 1) as amount_30d,
    sum(amount) filter (where month < 3) as amount_90d,
    sum(amount) filter (where month < 6) as amount_180d,
    sum(amount) as amount_365d,
    sum(savings_amount) filter (where month < 3) as savings_90d,
    sum(savings_amount) as savings_365d,
    sum(n) filter (where month < 1) as n_30d,
    sum(n) filter (where month < 2) as n_60d,
    sum(n) filter (where month < 3) as n_90d,
    sum(n) filter (where month < 6) as n_180d,
    sum(n) as n_365d,
    sum(n_direct) filter (where month < 6) as n_direct_180d,
    min(last_age) as last_age,
    bit_or(days) filter (where month = 0) as days_month_0,
    bit_or(days) filter (where month = 1) as days_month_1,
    bit_or(days) filter (where month = 2) as days_month_2
from tally
group by all
