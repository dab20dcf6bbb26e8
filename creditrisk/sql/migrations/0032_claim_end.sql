-- claim_end: one row per claim that was judged, skipped or given back; one that merely expired has none
create table claim_end (
    claim_id integer primary key,
    how varchar not null check (how in ('judged', 'skipped')),
    review_id varchar,
    ended_at timestamp not null
);
