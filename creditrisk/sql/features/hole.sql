-- hole: one row per applicant and stretch of more than 31 days between two files, in which nothing was seen; to_on is the day after it
with file as (
    select
        cohort.applicant_id,
        statement_account.first_on,
        max(statement_account.last_on) over (
            partition by cohort.applicant_id
            order by statement_account.first_on
            rows between unbounded preceding and 1 preceding
        ) as seen_before
    from cohort
    join account using (applicant_id)
    join statement_account using (account_id)
    where statement_account.first_on < cohort.as_of
)

select
    applicant_id,
    seen_before + 1 as from_on,
    first_on as to_on
from file
where first_on - seen_before > 31
