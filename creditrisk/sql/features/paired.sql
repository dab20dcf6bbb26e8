-- paired: one row per movement asked for (`asked`) that belongs to a pair: its partner, what it is shown as, and since when that is known
select
    transaction_id,
    partner_id,
    kind,
    category,
    known_on - date '1970-01-01' as known_on
from leg
join asked using (transaction_id)
