-- audit: one row per write, chained: hash covers the row and the hash before it
create table audit (
    seq bigint primary key,
    happened_at timestamp not null,
    user_name varchar not null,
    action varchar not null,
    subject varchar not null,
    detail json not null,
    hash varchar not null
);
