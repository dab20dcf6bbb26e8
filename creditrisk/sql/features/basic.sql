-- basic: one row per applicant: what a household cannot leave unpaid and a score may read, in the last 90 days, in ten-thousandths
select who, -sum(amount_90d) as basic_90d
from turnover
join purpose on purpose.number = turnover.counted_as
where purpose.is_basic
group by who
