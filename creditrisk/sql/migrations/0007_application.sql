-- application: one row per applicant and day of applying
create table application (
    applicant_id varchar not null,
    applied_on date not null,
    name varchar,
    amount decimal(18, 4),
    term_months integer,
    purpose varchar,
    recorded_at timestamp not null,
    recorded_by varchar not null,
    primary key (applicant_id, applied_on)
);
