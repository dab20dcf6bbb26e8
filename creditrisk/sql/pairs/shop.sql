-- shop: one row per party that money came back from
select party, row_number() over (order by party)::integer as shop_id
from (select distinct party from came join said using (description_id) where length(party) >= 3)
