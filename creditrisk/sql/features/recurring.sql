-- recurring: one row per applicant: how income, home, bills and instalments recur; only streams of three payments and more
-- A share in millionths is added up as a whole number, so that the order of streams cannot move the last bit of a mean.
select
    stream.who,
    count(*) filter (where is_income and state = 'mature' and last_age <= 180) as n_income,
    sum(met_180d) filter (where code = 'INC_SALARY') as pay_met_180d,
    sum(expected_180d) filter (where code = 'INC_SALARY') as pay_expected_180d,
    sum(met) filter (where code = 'INC_SALARY') as pay_met_365d,
    sum(expected) filter (where code = 'INC_SALARY') as pay_expected_365d,
    min((last_age - unseen)::double / median_gap) filter (where code = 'INC_SALARY') as since_pay,
    sum(met_180d) filter (where is_home) as home_met_180d,
    sum(expected_180d) filter (where is_home) as home_expected_180d,
    sum(met) filter (where is_home) as home_met_365d,
    sum(expected) filter (where is_home) as home_expected_365d,
    sum((met_180d * 1000000 // nullif(expected_180d, 0))::bigint) filter (where is_bill and expected_180d > 0) as bills_180d,
    count(*) filter (where is_bill and expected_180d > 0) as n_bills_180d,
    sum((met * 1000000 // nullif(expected, 0))::bigint) filter (where is_bill) as bills_365d,
    count(*) filter (where is_bill) as n_bills_365d,
    coalesce(sum(missed_180d) filter (where is_instalment), 0) as missed_180d
from stream
join purpose on purpose.number = stream.kind
where n >= 3
group by stream.who
