-- statement: one row per file stored; a file is known by the digest of its bytes
create sequence statement_seq;
create table statement (
    statement_id integer primary key default nextval('statement_seq'),
    file_name varchar not null,
    sha256 varchar not null unique,
    format varchar not null,
    dialect json not null,
    status varchar not null,
    n_transactions integer not null,
    n_new integer not null,
    n_duplicate integer not null,
    sum_amount decimal(38, 4) not null,
    currency varchar,
    reconciliation varchar not null,
    problems json not null,
    source blob not null, -- the file as it came, zstd
    stored_at timestamp not null,
    stored_by varchar not null
);
