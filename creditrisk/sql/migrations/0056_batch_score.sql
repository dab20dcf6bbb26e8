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
