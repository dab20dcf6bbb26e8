-- account: one row per account looked at ($accounts), each as an applicant of its own, so that coverage and balance come out by account
select account_id, account_id::varchar as applicant_id, number, currency
from main.account
where list_contains($accounts::integer[], account_id)
