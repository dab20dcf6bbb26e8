-- label: one row per label set and applicant; bad is null in the grey zone
create table label (
    label_set_id varchar not null,
    applicant_id varchar not null,
    segment integer,
    risk_index double,
    bad boolean,
    weight double not null,
    primary key (label_set_id, applicant_id)
);
