-- payee: one row per applicant, merchant, category and way of the money that tends to recur: how often, between which amounts
-- Three payments and more; with $every, of all money, and two as well.
select
    who,
    merchant,
    event as kind,
    amount < 0 as is_debit,
    count(*) as n,
    min(abs(amount)) as lowest,
    max(abs(amount)) as highest
from booked
join purpose on purpose.number = booked.event
where purpose.is_standing or $every::boolean
group by all
having count(*) >= case when $every::boolean then 2 else 3 end
