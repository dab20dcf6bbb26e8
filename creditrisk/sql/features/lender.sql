-- lender: one row per applicant who borrows: how many lenders are paid, and how many of all lenders were first seen of late
with lender as (
    select
        who,
        merchant,
        min(last_age) filter (where is_debt) as paid_age,
        max(first_age) as first_age
    from payee
    join purpose on purpose.number = payee.kind
    where is_debt or is_loan_in
    group by all
)

select
    who,
    count(*) filter (where paid_age <= 90) as active_90d,
    count(*) filter (where paid_age <= 365) as active_365d,
    count(*) filter (where first_age <= 90) as new_90d
from lender
group by who
