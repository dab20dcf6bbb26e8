-- fee: one row per credit that gives back a fee, and fee of that amount charged at most 30 days before
-- Both sides are made first, and few of both have one amount: only of these it is asked what they say.
with charge as (
    select description_id, cleaned, party from said where direction = 'out' and category like 'FEE\_%' escape '\'
),

waiver as (
    select description_id
    from said
    where description_id in (from sought)
        and (
            (names_fee or party = '' or party in (select party from charge)) and gives_back
            or cleaned in (select cleaned from charge)
        )
),

charged as materialized (
    select transaction.transaction_id, transaction.account_id, transaction.booked_on, transaction.amount, transaction.description_id
    from transaction
    left join own using (transaction_id)
    where transaction.amount < 0
        and transaction.account_id in (select account_id from here)
        and coalesce(own.is_fee, transaction.description_id in (select description_id from charge))
),

came as materialized (
    select
        transaction.transaction_id,
        transaction.account_id,
        transaction.booked_on,
        transaction.amount,
        transaction.description_id,
        coalesce(own.is_refund, false) as is_refund
    from transaction
    left join own using (transaction_id)
    where transaction.amount > 0
        and transaction.account_id in (select account_id from here)
        and coalesce(own.is_refund, transaction.description_id in (from waiver))
),

matched as materialized (
    select
        came.transaction_id as in_id,
        charged.transaction_id as out_id,
        came.booked_on - charged.booked_on as days,
        came.description_id as in_words,
        charged.description_id as out_words,
        came.is_refund
    from came
    join charged
        on charged.account_id = came.account_id
        and charged.amount = -came.amount
        and charged.booked_on between came.booked_on - 30 and came.booked_on
)

select
    matched.in_id,
    matched.out_id,
    2 as place,
    'reversed fee' as kind,
    'the bank gave back the amount of a fee it had charged ' || matched.days || ' days before' as evidence
from matched
join said as back on back.description_id = matched.in_words
join said on said.description_id = matched.out_words
where (back.gives_back or matched.is_refund) and (back.names_fee or back.party in ('', said.party))
    or back.cleaned = said.cleaned and said.cleaned <> ''
