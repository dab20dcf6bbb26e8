-- schedule_event: one row per training that was put off and waits no longer: how that ended, and through whom
create table schedule_event (
    schedule_id varchar primary key,
    happened_at timestamp not null,
    state varchar not null check (state in ('started', 'cancelled', 'failed')),
    message varchar not null,
    ended_by varchar not null
);
