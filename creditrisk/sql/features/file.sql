-- file: one row per file and account in it that begins before as_of
select
    cohort.who,
    cohort.as_of,
    account.account_id,
    account.number,
    account.currency,
    statement_account.first_on,
    statement_account.last_on,
    statement_account.opening,
    statement_account.reconciliation
from cohort
join account using (applicant_id)
join statement_account using (account_id)
where statement_account.first_on < cohort.as_of
