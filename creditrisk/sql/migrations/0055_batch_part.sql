-- batch_part: one row per stretch of rows of a batch's file that is done; its values and contributions lie in a Parquet file beside the database
create table batch_part (
    batch_id varchar not null,
    first_row integer not null, -- the first row below the heading is 1; it names the part's files
    last_row integer not null,
    share double not null, -- of the file read with it
    n_scored integer not null,
    n_refused integer not null,
    sha256 varchar not null, -- of the values and contributions
    refused_sha256 varchar, -- of the rows set aside, where there are any
    scored_at timestamp not null,
    primary key (batch_id, first_row)
);
