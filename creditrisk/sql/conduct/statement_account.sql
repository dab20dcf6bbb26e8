-- statement_account: one row per file and account looked at, of all files or of one ($statement_id)
select *
from main.statement_account
where account_id in (select unnest($accounts::integer[])) and ($statement_id::integer is null or statement_id = $statement_id::integer)
