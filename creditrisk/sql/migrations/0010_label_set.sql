-- label_set: one row per immutable set of labels with the report on their quality
create sequence label_set_seq;
create table label_set (
    label_set_id varchar primary key,
    method varchar not null,
    source varchar not null check (source in ('cluster', 'rfm', 'review', 'observed')),
    snapshot_id integer not null,
    k integer,
    n integer not null,
    share_risky double,
    passed boolean not null,
    circular boolean not null,
    report json not null,
    created_at timestamp not null,
    created_by varchar not null
);
