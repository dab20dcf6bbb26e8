-- label_set: one row per immutable set of labels with the report on their quality; a combined set holds labels of several sources
create table label_set_of_sources (
    label_set_id varchar primary key,
    method varchar not null,
    source varchar not null check (source in ('cluster', 'rfm', 'review', 'observed', 'combined')),
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
insert into label_set_of_sources from label_set;
drop table label_set;
alter table label_set_of_sources rename to label_set;
