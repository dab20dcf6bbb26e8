-- job_event: one row per thing a job reported: its state, how far it is, what it is doing
create sequence job_event_seq;
create table job_event (
    seq bigint primary key default nextval('job_event_seq'),
    job_id varchar not null,
    happened_at timestamp not null,
    state varchar not null check (state in ('queued', 'running', 'done', 'failed', 'stopped', 'interrupted')),
    progress double not null,
    message varchar not null
);
