-- moved: one row per transaction of the accounts asked for ($accounts); days are counted from 1970, money in ten-thousandths
-- The list is a constant of the plan, so that only the row groups that hold these accounts are read.
select
    transaction_id,
    account_id,
    description_id,
    booked_on - date '1970-01-01' as booked_on,
    (amount * 10000)::bigint as amount
from transaction
where list_contains($accounts::integer[], account_id)
