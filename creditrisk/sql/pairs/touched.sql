-- touched: one row per account of the applicants looked at, and how many movements it has
-- A purse, all that one of them has in one currency, bears the number of its first account.
with whose as (
    from account where applicant_id in (select unnest($applicants::varchar[]))
)

select
    whose.account_id,
    whose.applicant_id,
    whose.number,
    whose.currency,
    min(whose.account_id) over purse as purse,
    count(*) over purse > 1 as has_sibling,
    coalesce(counted.n, 0) as n
from whose
left join (
    select account_id, sum(n_new)::bigint as n from statement_account semi join whose using (account_id) group by account_id
) as counted using (account_id)
window purse as (partition by whose.applicant_id, whose.currency)
