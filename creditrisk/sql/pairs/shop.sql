-- shop: one row per party that money came back from
with back as (
    from sought
    union
    select description_id from transaction join own using (transaction_id) where is_refund
)

select party, row_number() over (order by party)::integer as shop_id
from (select distinct party from said join back using (description_id) where direction = 'in' and length(party) >= 3)
