-- tally: one row per account, 30-day month (0 is the newest; the five days beyond month 11 are month 12), way the money went, and category
-- as event and as counted; amounts are whole ten-thousandths; bit d of `days` is set where such a movement was booked on the month's day d
select
    who,
    account_id,
    ((age - 1) // 30)::utinyint as month,
    amount < 0 as is_debit,
    event,
    counted_as,
    (sum(amount) * 10000)::bigint as amount,
    (coalesce(sum(amount) filter (where names_savings), 0) * 10000)::bigint as savings_amount,
    count(*) as n,
    count(*) filter (where is_direct_debit) as n_direct,
    min(age) as last_age,
    bit_or(1::uinteger << ((age - 1) % 30)::uinteger) as days
from booked
group by all
