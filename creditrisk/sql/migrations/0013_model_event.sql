-- model_event: one row per change of a model's standing, with the person and the reason
create sequence model_event_seq;
create table model_event (
    seq integer primary key default nextval('model_event_seq'),
    model_id varchar not null,
    status varchar not null check (status in ('candidate', 'challenger', 'champion', 'retired')),
    happened_at timestamp not null,
    by_user varchar not null,
    reason varchar not null
);
