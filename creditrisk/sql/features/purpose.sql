-- purpose: one row per category: its number in this run, and what its money is counted with
-- Income leaves out tax refunds, which come once. `is_basic` is what a household cannot leave unpaid and a score may read;
-- `is_essential` adds what is protected. `is_standing` money tends to recur; `varies` says that its amount does not stay the same.
select
    code,
    number::utinyint as number,
    class = 'income' and code <> 'INC_TAX_REFUND' as is_income,
    direction = 'out' as is_spending,
    code in ('TRF_OWN_IN', 'TRF_OWN_OUT') as is_own,
    class = 'income' or code in ('CASH_DEPOSIT', 'TRF_P2P_IN', 'UNKNOWN') as is_lived_on,
    class in ('essential', 'housing', 'committed') as is_essential,
    class in ('essential', 'housing', 'committed') and not protected as is_basic,
    class = 'discretionary' as is_discretionary,
    class in ('essential', 'housing', 'committed', 'discretionary') as is_consumption,
    class = 'debt' as is_debt,
    class = 'loan_in' as is_loan_in,
    code in ('RENT', 'DEBT_MORTGAGE') as is_home,
    code in ('DEBT_MORTGAGE', 'DEBT_AUTO', 'DEBT_STUDENT', 'DEBT_PERSONAL', 'DEBT_BNPL', 'DEBT_RENT_TO_OWN') as is_instalment,
    (class in ('housing', 'committed') and not protected)
    or code in ('SUBSCRIPTION', 'DEBT_MORTGAGE', 'DEBT_AUTO', 'DEBT_STUDENT', 'DEBT_PERSONAL', 'DEBT_CARD') as is_bill,
    class in ('income', 'housing', 'committed', 'debt', 'loan_in') or code = 'SUBSCRIPTION' as is_standing,
    class = 'income' or code in ('UTIL_ENERGY', 'UTIL_WATER', 'UTIL_TELECOM', 'DEBT_CARD') as varies,
    code in ('TRF_OWN_IN', 'TRF_OWN_OUT', 'INC_INVEST', 'FEE_OTHER', 'TAX', 'NOTICE_ZERO') as fits_savings
from category
