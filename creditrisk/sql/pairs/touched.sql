-- touched: one row per account of the applicants looked at; a purse is all that one of them has in one currency
select
    account_id,
    applicant_id,
    number,
    currency,
    dense_rank() over (order by applicant_id, currency)::integer as purse,
    count(*) over (partition by applicant_id, currency) > 1 as has_sibling
from account
where applicant_id in (select unnest($applicants::varchar[]))
