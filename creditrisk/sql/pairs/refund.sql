-- refund: one row per credit from a merchant and purchase there of at least that amount, at most 90 days before
select
    came.transaction_id as in_id,
    bought.transaction_id as out_id,
    4 as place,
    'refund' as kind,
    case when bought.amount = -came.amount then 'the whole amount' else 'part of the amount' end
    || ' came back from the same merchant (' || back.party || ') after ' || (came.booked_on - bought.booked_on) || ' days' as evidence
from came
join touched using (account_id)
join said as back on back.description_id = came.description_id
join shop using (party)
join bought
    on bought.shop_id = shop.shop_id
    and bought.purse = touched.purse
    and bought.booked_on between came.booked_on - 90 and came.booked_on
    and bought.amount <= -came.amount
where coalesce(came.is_refund, true)
    and (back.gives_back or came.is_refund or back.category = 'UNKNOWN' and bought.is_spent)
