-- restated: one row per movement that a person, or the movement it belongs to, says is something else than its description does
-- `own` is the person's word; `shown` and `netted` are the pair's, and hold from `known_on`. A fee that was paid back is no event,
-- and neither is a payment that the bank returned: that is `is_undone`.
select
    transaction_id,
    own.number as own,
    shown.number as shown,
    netted.number as netted,
    leg.known_on,
    coalesce(leg.kind = 'reversed fee' or (leg.kind = 'returned item' and leg.category is null), false) as is_undone
from leg
full join correction_current as corrected using (transaction_id)
left join purpose as own on own.code = corrected.category
left join purpose as shown on shown.code = leg.category
left join purpose as netted on netted.code = leg.counted_as
