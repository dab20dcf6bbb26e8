-- snapshot: one row per run that turned transactions into the ML-ready table `applicant`
create sequence snapshot_seq;
create table snapshot (
    snapshot_id integer primary key default nextval('snapshot_seq'),
    as_of date, -- null: each applicant on the day of applying
    days_before integer not null default 0, -- so many days before that: the observation window of labels with two windows
    schema_fingerprint varchar not null,
    n_applicants integer not null,
    is_whole boolean not null, -- everybody, or chosen applicants only
    created_at timestamp not null,
    created_by varchar not null
);
