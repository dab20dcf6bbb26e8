-- outcome_of_snapshot: one row per snapshot and applicant with an outcome that was not known yet on the day their figures describe
create or replace view outcome_of_snapshot as
select applicant.snapshot_id, applicant.applicant_id, observed_bad, observed_on, as_of
from applicant
join outcome_current using (applicant_id)
where observed_on is null or as_of is null or observed_on > as_of;
