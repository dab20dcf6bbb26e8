-- returned: one row per returned item and movement of the same amount that had gone out at most 10 days before
with went as (
    select
        transaction.transaction_id,
        transaction.account_id,
        transaction.booked_on,
        transaction.amount,
        transaction.description_id,
        own.category as corrected
    from transaction
    left join correction_current as own using (transaction_id)
    where transaction.amount < 0 and transaction.account_id in (select account_id from touched)
)

select
    came.transaction_id as in_id,
    went.transaction_id as out_id,
    1 as place,
    'returned item' as kind,
    'the bank says that an item was returned'
    || case when back.party = '' then '' else ': ' || back.party end
    || ', and that amount had gone out ' || (came.booked_on - went.booked_on) || ' days before' as evidence
from came
join said as back on back.description_id = came.description_id and (back.is_returned or came.corrected = 'RETURNED_ITEM')
join went on went.account_id = came.account_id and went.amount = -came.amount and went.booked_on between came.booked_on - 10 and came.booked_on
join said on said.description_id = went.description_id
where coalesce(came.corrected, 'RETURNED_ITEM') = 'RETURNED_ITEM'
    and coalesce(went.corrected, said.category) not in ('CASH_WITHDRAWAL', 'TRF_OWN_OUT')
    and coalesce(went.corrected, said.category) not like 'FEE\_%' escape '\'
    and (back.party in ('', said.party) or starts_with(said.party, back.party || ' ') or starts_with(back.party, said.party || ' '))
