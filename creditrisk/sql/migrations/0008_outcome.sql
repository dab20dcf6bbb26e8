-- outcome: one row each time somebody records what really happened to an applicant's loan
create table outcome (
    applicant_id varchar not null,
    observed_bad boolean not null,
    observed_on date,
    recorded_at timestamp not null,
    recorded_by varchar not null
);
