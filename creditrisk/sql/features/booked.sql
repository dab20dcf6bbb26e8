-- booked: one row per transaction of the last 365 days before as_of; age 1 is the day before as_of
-- `counted_as` is the category its amount counts towards: money that came back counts against what it was spent on.
-- A pair is known once both of its movements are booked; before that each is what it seemed to be.
select
    coverage.applicant_id,
    (coverage.as_of - transaction.booked_on)::integer as age,
    transaction.amount,
    coalesce(own.category, leg.category, description.category) as category,
    coalesce(own.category, leg.counted_as, description.category) as counted_as,
    coalesce(own.category, leg.counted_as, description.category) in ('TRF_OWN_IN', 'TRF_OWN_OUT') as is_own_transfer,
    category.class = 'income' and category.code <> 'INC_TAX_REFUND' as is_income,
    transaction.amount > 0 and (category.class = 'income' or category.code in ('CASH_DEPOSIT', 'TRF_P2P_IN', 'UNKNOWN')) as is_lived_on
from coverage
join account using (applicant_id)
join transaction using (account_id)
join description_current as description using (description_id)
left join correction_current as own using (transaction_id)
left join leg on leg.transaction_id = transaction.transaction_id and leg.known_on < coverage.as_of
join category on category.code = coalesce(own.category, leg.counted_as, description.category)
where transaction.booked_on < coverage.as_of
    and transaction.booked_on >= coverage.as_of - 365
