-- fee: one row per credit that gives back a fee, and fee of that amount charged at most 30 days before
select
    came.transaction_id as in_id,
    went.transaction_id as out_id,
    2 as place,
    'reversed fee' as kind,
    'the bank gave back the amount of a fee it had charged ' || (came.booked_on - went.booked_on) || ' days before' as evidence
from came
join said as back on back.description_id = came.description_id
join charged as went
    on went.account_id = came.account_id and went.amount = -came.amount and went.booked_on between came.booked_on - 30 and came.booked_on
join said on said.description_id = went.description_id
where coalesce(came.is_refund, true)
    and (
        (back.gives_back or came.is_refund) and (back.names_fee or back.party in ('', said.party))
        or back.cleaned = said.cleaned and said.cleaned <> ''
    )
