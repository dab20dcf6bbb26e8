-- decision_current: one row per prediction decided on: the decision made last
create or replace view decision_current as
select * from decision
qualify row_number() over (partition by prediction_id order by decision_id desc) = 1;
