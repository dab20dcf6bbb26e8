-- ended: one row per token or session that somebody ended before its time
create table ended (
    id varchar not null,
    ended_at timestamp not null,
    ended_by varchar not null
);
