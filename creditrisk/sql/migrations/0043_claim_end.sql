-- claim_end: one row per claim that was judged, skipped for good or given back; one that merely expired has none
create table claim_end_of_three (
    claim_id integer primary key,
    how varchar not null check (how in ('judged', 'skipped', 'released')),
    review_id varchar,
    ended_at timestamp not null
);
insert into claim_end_of_three from claim_end;
drop table claim_end;
alter table claim_end_of_three rename to claim_end;
