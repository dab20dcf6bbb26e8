-- review_current: one row per prediction, reviewer and subject: the verdict given last
create or replace view review_current as
select * from review
qualify row_number() over (partition by prediction_id, reviewed_by, about order by reviewed_at desc) = 1;
