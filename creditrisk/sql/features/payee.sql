-- payee: one row per applicant, merchant, category and way of the money that tends to recur ($every: of all money): how often, and when
select
    who,
    merchant,
    event as kind,
    amount < 0 as is_debit,
    count(*) as n,
    max(age) as first_age,
    min(age) as last_age,
    min(abs(amount)) as lowest,
    max(abs(amount)) as highest
from booked
join purpose on purpose.number = booked.event
where purpose.is_standing or $every::boolean
group by all
