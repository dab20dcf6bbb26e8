-- returned: one row per returned item and movement of the same amount that had gone out at most 10 days before
with bounced as materialized (
    select transaction.transaction_id, transaction.account_id, transaction.booked_on, transaction.amount, said.party
    from transaction
    join here using (account_id)
    join said using (description_id)
    left join own using (transaction_id)
    where transaction.amount > 0 and coalesce(own.is_bounced, said.is_returned)
),

went as materialized (
    select transaction.*
    from transaction
    where transaction.amount < 0 and transaction.account_id in (select account_id from bounced)
)

select
    came.transaction_id as in_id,
    went.transaction_id as out_id,
    1 as place,
    'returned item' as kind,
    'the bank says that an item was returned'
    || case when came.party = '' then '' else ': ' || came.party end
    || ', and that amount had gone out ' || (came.booked_on - went.booked_on) || ' days before' as evidence
from bounced as came
join went on went.account_id = came.account_id and went.amount = -came.amount and went.booked_on between came.booked_on - 10 and came.booked_on
join said on said.description_id = went.description_id
left join own on own.transaction_id = went.transaction_id
where coalesce(own.category, said.category) not in ('CASH_WITHDRAWAL', 'TRF_OWN_OUT')
    and coalesce(own.category, said.category) not like 'FEE\_%' escape '\'
    and (came.party in ('', said.party) or starts_with(said.party, came.party || ' ') or starts_with(came.party, said.party || ' '))
