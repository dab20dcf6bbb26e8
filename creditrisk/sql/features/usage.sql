-- usage: one row per account: whether it is savings, and whether life is paid from it, as its number and its last year show
-- Savings: the number says so, or nothing but own transfers, interest and what the bank takes for it moves there.
-- Primary: pay or half of all money in arrives there, and three or more kinds of spending leave it, in the last 90 days.
with use as (
    select
        held.who,
        held.account_id,
        held.number,
        coalesce(sum(n_365d), 0) as n,
        coalesce(bool_and(counted.fits_savings), false) as fits_savings,
        count(*) filter (where counted.is_own) as n_own,
        coalesce(sum(n_90d) filter (where counted.code = 'INC_SALARY'), 0) as salaries,
        coalesce(sum(amount_90d) filter (where not is_debit and not counted.is_own and not counted.is_spending), 0) as inflow,
        count(distinct counted.number) filter (where counted.is_consumption and is_debit and n_90d > 0) as kinds_of_spending
    from held
    left join turnover using (account_id)
    left join purpose as counted on counted.number = turnover.counted_as
    group by held.who, held.account_id, held.number
)

select
    who,
    account_id,
    regexp_matches(upper(number), 'SAVING|SPARKONTO|SPARBUCH|TAGESGELD|EPARGNE|LIVRET|MONEY ?MARKET')
    or (fits_savings and n_own > 0 and n >= 3) as is_savings,
    kinds_of_spending >= 3
    and (salaries > 0 or (inflow > 0 and inflow * 2 >= sum(inflow) over (partition by who))) as is_primary
from use
