-- came: one row per movement of money in that may give something back: what it says, and what somebody said of it
with sought as (
    select description_id
    from said
    where direction = 'in'
        and (
            is_returned
            or gives_back
            or category = 'UNKNOWN' and party in (select party from said where direction = 'out' and list_contains($spent::varchar[], category))
            or names_fee and cleaned in (select cleaned from said where direction = 'out' and category like 'FEE\_%' escape '\')
        )
)

select
    transaction.transaction_id,
    transaction.account_id,
    transaction.booked_on,
    transaction.amount,
    transaction.description_id,
    own.category = 'REFUND' as is_refund, -- as somebody said: null where nobody did
    own.category = 'RETURNED_ITEM' as is_bounced
from transaction
left join correction_current as own using (transaction_id)
where transaction.amount > 0
    and transaction.account_id in (select account_id from touched)
    and (transaction.description_id in (from sought) or own.category in ('REFUND', 'RETURNED_ITEM'))
