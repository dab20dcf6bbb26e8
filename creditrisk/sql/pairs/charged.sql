-- charged: one row per fee that went out of those accounts, as the description or somebody says
with fee as (
    select description_id from said where direction = 'out' and category like 'FEE\_%' escape '\'
),

own as (
    select transaction_id, category like 'FEE\_%' escape '\' as is_fee from correction_current
)

select transaction.transaction_id, transaction.account_id, transaction.booked_on, transaction.amount, description_id
from transaction
left join own using (transaction_id)
where transaction.amount < 0
    and transaction.account_id in (select account_id from touched)
    and coalesce(own.is_fee, transaction.description_id in (from fee))
