-- fee: one row per credit that gives back a fee, and fee of that amount charged at most 30 days before
-- Both sides are found in one pass by what they say, and few of both have one amount: only of these it is asked whose words they are.
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

side as materialized (
    select transaction_id, account_id, booked_on, amount, description_id, false as is_refund
    from transaction
    semi join here using (account_id)
    semi join (select description_id from charge union all from waiver) as worded using (description_id)
    anti join own using (transaction_id)
    union all
    select transaction_id, account_id, booked_on, amount, description_id, own.is_refund
    from transaction
    semi join here using (account_id)
    join own using (transaction_id)
    where (amount < 0 and own.is_fee) or (amount > 0 and own.is_refund)
),

matched as materialized (
    select
        came.transaction_id as in_id,
        charged.transaction_id as out_id,
        came.booked_on - charged.booked_on as days,
        came.description_id as in_words,
        charged.description_id as out_words,
        came.is_refund
    from side as came
    join side as charged
        on charged.account_id = came.account_id
        and charged.amount = -came.amount
        and charged.booked_on between came.booked_on - 30 and came.booked_on
    where came.amount > 0
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
