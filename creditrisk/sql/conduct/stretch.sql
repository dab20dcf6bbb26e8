-- stretch: one row per account and file that covers it (kind file), and per account and days that no file covers (kind gap); days inclusive
select
    account.account_id,
    account.number as account,
    'file' as kind,
    statement_account.first_on as from_on,
    least(statement_account.last_on, $as_of::date - 1) as to_on,
    statement.statement_id,
    statement.file_name,
    statement_account.n_transactions,
    statement_account.reconciliation
from statement_account
join account using (account_id)
join statement using (statement_id)
where statement_account.first_on < $as_of::date
union all by name
select account_id, account, 'gap' as kind, from_on, to_on from gap
