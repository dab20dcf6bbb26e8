-- history: one row per applicant: how long and how lately the account moved
select
    coverage.applicant_id,
    least(730, coverage.as_of - min(transaction.booked_on)) as history_days,
    coverage.as_of - max(transaction.booked_on) as days_since_last_txn
from coverage
join account using (applicant_id)
join transaction using (account_id)
where transaction.booked_on < coverage.as_of
group by coverage.applicant_id, coverage.as_of
