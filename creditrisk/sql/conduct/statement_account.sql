-- statement_account: one row per file and account looked at, of all files or of one ($statement_id)
select *
from main.statement_account
where list_contains($accounts::integer[], account_id) and ($statement_id::integer is null or statement_id = $statement_id::integer)
