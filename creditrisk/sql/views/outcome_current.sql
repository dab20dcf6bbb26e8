-- outcome_current: one row per applicant with an outcome: the one recorded last; of contradictory ones of one day, bad
create or replace view outcome_current as
select * from outcome
qualify row_number() over (partition by applicant_id order by recorded_at desc, observed_on desc nulls last, observed_bad desc) = 1;
