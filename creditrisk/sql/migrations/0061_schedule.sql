-- schedule: one row per training that somebody put off until a time (UTC): what was asked for, by whom, with which roles
create sequence schedule_seq;
create table schedule (
    schedule_id varchar primary key,
    due_at timestamp not null,
    params json not null,
    roles varchar[] not null,
    created_at timestamp not null,
    created_by varchar not null
);
