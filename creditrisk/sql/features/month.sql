-- month: one row per applicant and fully observed 30-day month of the last 180; month 0 is the newest
with observed as (
    select applicant_id, month
    from coverage
    cross join range(6) as months (month)
    where as_of - seen_to <= 30 * month
        and as_of - first_on >= 30 * (month + 1)
        and not exists (
            select 1 from hole
            where hole.applicant_id = coverage.applicant_id
                and as_of - hole.from_on > 30 * month
                and as_of - hole.to_on < 30 * (month + 1)
        )
),

moved as (
    select
        applicant_id,
        (age - 1) // 30 as month,
        sum(amount) filter (where is_income) as income,
        sum(amount) filter (where not is_own_transfer) as net
    from booked
    where age <= 180
    group by all
)

select
    observed.applicant_id,
    observed.month,
    coalesce(moved.income, 0) as income,
    coalesce(moved.net, 0) as net
from observed
left join moved using (applicant_id, month)
