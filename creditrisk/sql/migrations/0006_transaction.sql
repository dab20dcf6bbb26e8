-- transaction: one row per booked movement; + is money in; occurrence tells identical rows of one day apart
create table transaction (
    account_id integer not null,
    booked_on date not null,
    amount decimal(18, 4) not null,
    description_id integer not null,
    occurrence integer not null,
    balance decimal(18, 4),
    statement_id integer not null,
    line integer not null
);
