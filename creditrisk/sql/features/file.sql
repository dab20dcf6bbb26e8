-- file: one row per file and account in it that begins before as_of, by applicant; days are counted from 1970, money in ten-thousandths
select
    cohort.applicant_id,
    cohort.as_of - date '1970-01-01' as as_of,
    account.account_id,
    account.number,
    account.currency,
    statement_account.first_on - date '1970-01-01' as first_on,
    statement_account.last_on - date '1970-01-01' as last_on,
    statement_account.opening is not null as has_opening,
    coalesce((statement_account.opening * 10000)::bigint, 0) as opening,
    statement_account.reconciliation = 'mismatch' as is_mismatch,
    statement_account.n_transactions
from cohort
join account using (applicant_id)
join statement_account using (account_id)
where statement_account.first_on < cohort.as_of
order by cohort.applicant_id, account.account_id, statement_account.first_on
