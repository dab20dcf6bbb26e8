-- refund: one row per credit from a merchant and purchase there of at least that amount, at most 90 days before
-- Both sides are made first: joined in another order, every credit would meet all that its owner bought.
with giver as (
    select description_id, shop_id, gives_back, description_id in (from sought) and (gives_back or category = 'UNKNOWN') as is_sought
    from said
    join shop using (party)
    where direction = 'in'
),

came as materialized (
    select transaction.transaction_id, transaction.booked_on, transaction.amount, here.purse, giver.shop_id, giver.gives_back
    from transaction
    join here using (account_id)
    join giver using (description_id)
    anti join own using (transaction_id)
    where transaction.amount > 0 and giver.is_sought
    union all
    select transaction.transaction_id, transaction.booked_on, transaction.amount, here.purse, giver.shop_id, true as gives_back
    from transaction
    join here using (account_id)
    join giver using (description_id)
    join own using (transaction_id)
    where transaction.amount > 0 and own.is_refund
),

bought as materialized (
    select transaction.transaction_id, transaction.booked_on, transaction.amount, here.purse, merchant.shop_id, merchant.is_spent
    from transaction
    join here using (account_id)
    join merchant using (description_id)
    where transaction.amount < 0
        and transaction.transaction_id not in (
            select transaction_id from own where category <> 'UNKNOWN' and not list_contains($spent::varchar[], category)
        )
),

matched as materialized (
    select
        came.transaction_id as in_id,
        bought.transaction_id as out_id,
        came.shop_id,
        bought.amount = -came.amount as is_whole,
        came.booked_on - bought.booked_on as days
    from came
    join bought
        on bought.shop_id = came.shop_id
        and bought.purse = came.purse
        and bought.booked_on between came.booked_on - 90 and came.booked_on
        and bought.amount <= -came.amount
    where came.gives_back or bought.is_spent
)

select
    in_id,
    out_id,
    4 as place,
    'refund' as kind,
    case when is_whole then 'the whole amount' else 'part of the amount' end
    || ' came back from the same merchant (' || shop.party || ') after ' || days || ' days' as evidence
from matched
join shop using (shop_id)
