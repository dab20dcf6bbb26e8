-- arrears: one row each time somebody records how many days past due an applicant's loan was; the newest counts
create table arrears (
    applicant_id varchar not null,
    days_past_due integer not null,
    observed_on date,
    recorded_at timestamp not null,
    recorded_by varchar not null
);
