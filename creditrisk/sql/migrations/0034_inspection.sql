-- inspection: one row per judgement of a second person on a verdict; a later one takes its place
create sequence inspection_seq;
create table inspection (
    inspection_id integer primary key default nextval('inspection_seq'),
    review_id varchar not null,
    status varchar not null check (status in ('accepted', 'rejected', 'quarantined')),
    reason varchar not null,
    inspected_at timestamp not null,
    inspected_by varchar not null
);
