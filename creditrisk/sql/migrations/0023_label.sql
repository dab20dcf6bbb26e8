-- label: one row per label set, snapshot of predictors and applicant (each cohort is a snapshot); bad is null in the grey zone
create table label_of_cohort (
    label_set_id varchar not null,
    snapshot_id integer not null, -- what was known of the applicant when the label's window had not begun
    applicant_id varchar not null,
    source varchar not null check (source in ('cluster', 'rfm', 'review', 'observed')),
    segment integer,
    risk_index double,
    bad boolean,
    weight double not null,
    primary key (label_set_id, snapshot_id, applicant_id)
);
insert into label_of_cohort
select label_set_id, label_set.snapshot_id, applicant_id, label_set.source, segment, risk_index, bad, weight
from label
join label_set using (label_set_id);
drop table label;
alter table label_of_cohort rename to label;
