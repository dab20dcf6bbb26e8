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
-- batch_score: one row per applicant scored in a batch; the prediction's id is batch_id-row
create table batch_score (
    batch_id varchar not null,
    row integer not null, -- of the file
    applicant_id varchar, -- null where the file does not name anybody
    as_of date,
    margin double not null,
    pd double not null,
    score double not null,
    band varchar not null,
    recommendation varchar not null,
    reasons smallint[] not null, -- places in batch.predictors, strongest first; -1 where there are fewer
    worth double[] not null -- how much of a reason each is, log-odds
);
