-- correction: one row each time somebody says what movements really were: one of them, a merchant's, or all with certain words
create sequence correction_seq;
create table correction (
    correction_id integer primary key default nextval('correction_seq'),
    scope varchar not null check (scope in ('movement', 'merchant', 'words')),
    transaction_id bigint, -- scope movement: which
    words varchar, -- scope merchant: the whole cleaned description; scope words: words in a row within it
    direction varchar not null check (direction in ('in', 'out')),
    category varchar not null,
    category_before varchar not null,
    reason varchar,
    corrected_at timestamp not null,
    corrected_by varchar not null
);
