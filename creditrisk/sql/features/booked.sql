-- booked: one row per transaction of the last 365 days before as_of; age 1 is the day before as_of
select
    coverage.applicant_id,
    (coverage.as_of - transaction.booked_on)::integer as age,
    transaction.amount,
    description.category,
    description.category in ('TRF_OWN_IN', 'TRF_OWN_OUT') as is_own_transfer,
    category.class = 'income' and description.category <> 'INC_TAX_REFUND' as is_income,
    transaction.amount > 0
        and (category.class = 'income' or description.category in ('CASH_DEPOSIT', 'TRF_P2P_IN', 'UNKNOWN')) as is_lived_on
from coverage
join account using (applicant_id)
join transaction using (account_id)
join description using (description_id)
join category on category.code = description.category
where transaction.booked_on < coverage.as_of
    and transaction.booked_on >= coverage.as_of - 365
