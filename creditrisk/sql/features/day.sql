-- day: one row per account and day with transactions before as_of
select
    held.who,
    transaction.account_id,
    transaction.booked_on,
    held.as_of - transaction.booked_on as age,
    sum(transaction.amount) as moved
from transaction
join held using (account_id)
where transaction.booked_on < held.as_of
group by held.who, held.as_of, transaction.account_id, transaction.booked_on
