-- job: one row per piece of background work asked for
create sequence job_seq;
create table job (
    job_id varchar primary key,
    kind varchar not null,
    params json not null,
    created_at timestamp not null,
    created_by varchar not null
);
