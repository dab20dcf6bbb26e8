-- held: one row per account: whose it is
select distinct account_id, number, who, as_of from file
