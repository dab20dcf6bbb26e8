-- salt: one row: what digests of rows of facts are mixed with; another whenever somebody is erased, so that no old digest tells whose row it was
create table salt (
    value varchar not null,
    version varchar not null -- of DuckDB, which made the digests
);
insert into salt values (uuid()::varchar, '');
