-- prediction_current: one row per applicant scored: the prediction made last
create or replace view prediction_current as
select * from prediction
qualify row_number() over (partition by applicant_id order by scored_at desc, prediction_id) = 1;
