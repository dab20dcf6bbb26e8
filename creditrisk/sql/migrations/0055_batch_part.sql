-- batch_part: one row per stretch of rows of a batch's file that is done: the values scored, and the rows set aside, as Parquet
create table batch_part (
    batch_id varchar not null,
    first_row integer not null, -- the first row below the heading is 1
    last_row integer not null,
    share double not null, -- of the file read with it
    n_scored integer not null,
    n_refused integer not null,
    inputs blob not null,
    refused blob, -- row, what is wrong, and every cell as it was given
    scored_at timestamp not null,
    primary key (batch_id, first_row)
);
