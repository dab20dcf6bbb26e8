-- guard: one row per applicant: whether any file read for them did not add up, or their amounts cannot: they are in several currencies
select
    coverage.applicant_id,
    bool_or(statement_account.reconciliation = 'mismatch')
    or count(distinct account.currency) filter (where account.currency <> '') > 1 as is_unreconciled
from coverage
join account using (applicant_id)
join statement_account using (account_id)
where statement_account.first_on < coverage.as_of
group by coverage.applicant_id
