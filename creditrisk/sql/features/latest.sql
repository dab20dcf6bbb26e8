-- latest: one row per account with a known balance: the one it was last known to have, in ten-thousandths
select who, account_id, (arg_max(balance, booked_on) * 10000)::bigint as balance
from known
group by who, account_id
