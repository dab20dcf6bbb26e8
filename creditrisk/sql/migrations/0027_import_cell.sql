-- import_cell: one row per cell that an import changed or emptied, as it was written
create table import_cell (
    snapshot_id integer not null,
    place integer not null, -- of the change it belongs to
    row_number integer, -- in the first file, from 1; null: put right without a file
    applicant_id varchar not null,
    value varchar not null,
    message varchar not null -- what is wrong with it; empty where it was only written otherwise
);
