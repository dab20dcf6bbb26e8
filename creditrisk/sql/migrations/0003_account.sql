-- account: one row per applicant, account number and currency
create sequence account_seq;
create table account (
    account_id integer primary key default nextval('account_seq'),
    applicant_id varchar not null,
    number varchar not null,
    currency varchar not null,
    unique (applicant_id, number, currency)
);
