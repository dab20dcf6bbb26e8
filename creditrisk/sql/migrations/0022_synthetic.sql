-- synthetic: one row per applicant that was ever invented, for ever; their figures, while kept, stand in `invented`
create table synthetic (
    applicant_id varchar primary key,
    snapshot_id integer not null, -- the real applicants they were modelled on
    seed integer not null,
    made_at timestamp not null,
    made_by varchar not null
);
