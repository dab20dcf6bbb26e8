-- recurring: one row per applicant: how income, home, bills and instalments recur; only streams of three payments and more
-- A share in millionths is added up as a whole number, so that the order of streams cannot move the last bit of a mean.
select
    stream.who,
    count(case when is_income and state = 'mature' and last_age <= 180 then 1 end) as n_income,
    sum(case when code = 'INC_SALARY' then met_180d end) as pay_met_180d,
    sum(case when code = 'INC_SALARY' then expected_180d end) as pay_expected_180d,
    sum(case when code = 'INC_SALARY' then met end) as pay_met_365d,
    sum(case when code = 'INC_SALARY' then expected end) as pay_expected_365d,
    min(case when code = 'INC_SALARY' then (last_age - unseen)::double / median_gap end) as since_pay,
    sum(case when is_home then met_180d end) as home_met_180d,
    sum(case when is_home then expected_180d end) as home_expected_180d,
    sum(case when is_home then met end) as home_met_365d,
    sum(case when is_home then expected end) as home_expected_365d,
    sum(case when is_bill and expected_180d > 0 then (met_180d * 1000000 // nullif(expected_180d, 0))::bigint end) as bills_180d,
    count(case when is_bill and expected_180d > 0 then 1 end) as n_bills_180d,
    sum(case when is_bill then (met * 1000000 // nullif(expected, 0))::bigint end) as bills_365d,
    count(case when is_bill then 1 end) as n_bills_365d,
    coalesce(sum(case when is_instalment then missed_180d end), 0) as missed_180d
from stream
join purpose on purpose.number = stream.kind
where n >= 3
group by stream.who
