-- own: one row per movement of which somebody said what it was: what it then is to its pair
select
    transaction_id,
    category,
    category = 'REFUND' as is_refund,
    category = 'RETURNED_ITEM' as is_bounced,
    category like 'FEE\_%' escape '\' as is_fee
from correction_current
