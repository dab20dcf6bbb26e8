-- prediction: one row per score given, with everything that replays it
create table prediction (
    prediction_id varchar primary key,
    applicant_id varchar not null,
    as_of date,
    snapshot_id integer,
    model_id varchar not null,
    digest varchar not null,
    schema_fingerprint varchar not null,
    label_source varchar not null,
    is_proxy boolean not null,
    inputs json not null,
    margin double not null,
    pd double not null,
    score double not null,
    band varchar not null,
    recommendation varchar not null,
    because varchar not null, -- the rule that gave the recommendation, in words
    base double not null,
    baseline varchar not null,
    contributions json not null,
    reasons json not null,
    scale json not null,
    policy json not null,
    channel varchar not null,
    scored_at timestamp not null,
    scored_by varchar not null
);
