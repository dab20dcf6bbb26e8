-- review: one row per verdict of a person on a prediction; a second thought is a new row
create table review (
    review_id varchar primary key,
    prediction_id varchar not null,
    verdict varchar not null check (verdict in ('correct', 'incorrect', 'cannot judge')),
    about varchar not null check (about in ('label', 'band', 'decision', 'reasons', 'data')),
    corrected varchar,
    comment varchar not null,
    seconds double,
    reviewed_at timestamp not null,
    reviewed_by varchar not null
);
