-- statement_account: one row per file and account in it; balances as printed, null where not stated
create table statement_account (
    statement_id integer not null,
    account_id integer not null,
    opening decimal(18, 4),
    closing decimal(18, 4),
    first_on date not null,
    last_on date not null,
    n_transactions integer not null,
    n_new integer not null,
    sum_amount decimal(38, 4) not null,
    reconciliation varchar not null,
    primary key (statement_id, account_id)
);
