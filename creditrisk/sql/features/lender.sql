-- lender: one row per applicant who borrows: how many lenders are paid, and how many of all lenders were first seen of late
with lender as (
    select
        who,
        merchant,
        min(case when is_debt then age end) as paid_age,
        max(age) as first_age
    from booked
    join purpose on purpose.number = booked.event
    where is_debt or is_loan_in
    group by all
)

select
    who,
    count(case when paid_age <= 90 then 1 end) as active_90d,
    count(case when paid_age <= 365 then 1 end) as active_365d,
    count(case when first_age <= 90 then 1 end) as new_90d
from lender
group by who
