-- inspection_current: one row per verdict inspected: the inspection made last
create or replace view inspection_current as
select * from inspection
qualify row_number() over (partition by review_id order by inspection_id desc) = 1;
