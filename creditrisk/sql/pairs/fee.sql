-- fee: one row per credit that gives back a fee, and fee of that amount charged at most 30 days before
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
    2 as place,
    'reversed fee' as kind,
    'the bank gave back the amount of a fee it had charged ' || (came.booked_on - went.booked_on) || ' days before' as evidence
from came
join said as back on back.description_id = came.description_id
join (
    select went.*, said.party, said.cleaned
    from went
    join said using (description_id)
    where coalesce(went.corrected, said.category) like 'FEE\_%' escape '\'
) as went
    on went.account_id = came.account_id and went.amount = -came.amount and went.booked_on between came.booked_on - 30 and came.booked_on
where coalesce(came.corrected, 'REFUND') = 'REFUND'
    and (
        (back.gives_back or came.corrected = 'REFUND') and (back.names_fee or back.party in ('', went.party))
        or back.cleaned = went.cleaned and went.cleaned <> ''
    )
