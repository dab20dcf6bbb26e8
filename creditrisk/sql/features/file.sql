-- file: one row per file and account in it, of those looked at ($ids, else everybody), in no order: to plan one costs more than to make it
-- Days are counted from 1970, money in ten-thousandths.
select
    account.applicant_id,
    account.account_id,
    account.number,
    account.currency,
    statement_account.first_on - date '1970-01-01' as first_on,
    statement_account.last_on - date '1970-01-01' as last_on,
    statement_account.opening is not null as has_opening,
    coalesce((statement_account.opening * 10000)::bigint, 0) as opening,
    statement_account.reconciliation = 'mismatch' as is_mismatch,
    statement_account.n_transactions
from account
join statement_account using (account_id)
where $ids is null or list_contains($ids::varchar[], account.applicant_id)
