-- flow: one row per applicant: money by purpose and window, exact
-- Ratios are over income. Where that is under a tenth of what the account lives on (stray interest beside cash and transfers
-- paid in), income is not what it shows, and the ratio is over all of that; loans and refunds are never lived on.
with sums as (
    select
        applicant_id,
        coalesce(sum(amount) filter (where is_income and age <= 90), 0) as income_90d,
        coalesce(sum(amount) filter (where is_income and age <= 180), 0) as income_180d,
        coalesce(sum(amount) filter (where is_income), 0) as income_365d,
        coalesce(sum(amount) filter (where is_lived_on and age <= 90), 0) as takings_90d,
        coalesce(sum(amount) filter (where is_lived_on and age <= 180), 0) as takings_180d,
        coalesce(sum(amount) filter (where is_lived_on), 0) as takings_365d,
        coalesce(sum(amount) filter (where category = 'INC_SALARY' and age <= 180), 0) as salary_180d,
        coalesce(-sum(amount) filter (where amount < 0 and not is_own_transfer and age <= 90), 0) as outflow_90d,
        coalesce(sum(amount) filter (where not is_own_transfer and age <= 180), 0) as net_180d,
        coalesce(-sum(amount) filter (where category like 'DEBT\_%' escape '\' and age <= 90), 0) as debt_90d,
        count(*) filter (where category in ('LOAN_IN_PAYDAY', 'DEBT_PAYDAY', 'LOAN_IN_EWA') and age <= 90) as payday_90d,
        count(*) filter (where category in ('FEE_NSF', 'RETURNED_ITEM') and age <= 90) as returned_90d,
        coalesce(-sum(amount) filter (where category in ('FEE_OVERDRAFT', 'FEE_LATE', 'FEE_INTEREST') and age <= 90), 0) as penalties_90d,
        coalesce(-sum(amount) filter (where category = 'GAMBLING' and age <= 90), 0) as gambling_90d,
        coalesce(sum(abs(amount)) filter (where category = 'UNKNOWN' and age <= 90), 0) as unknown_90d,
        coalesce(sum(abs(amount)) filter (where age <= 90), 0) as moved_90d
    from booked
    group by applicant_id
)

select
    *,
    nullif(case when income_90d * 10 >= takings_90d then income_90d else takings_90d end, 0)::double as per_income_90d,
    nullif(case when income_180d * 10 >= takings_180d then income_180d else takings_180d end, 0)::double as per_income_180d,
    case when income_365d * 10 >= takings_365d then nullif(income_365d, 0) end::double as visible_income_365d
from sums
