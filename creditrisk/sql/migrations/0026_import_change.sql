-- import_change: one row per thing an import changed, set aside or noticed about one column (or one file), and why
create table import_change (
    snapshot_id integer not null,
    place integer not null, -- of the change in its import, from 1
    column_name varchar, -- null: of a whole file
    kind varchar not null,
    what varchar not null, -- the rule in words
    n integer not null, -- cells, or rows of a file
    primary key (snapshot_id, place)
);
