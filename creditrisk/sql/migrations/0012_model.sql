-- model: one row per fitted candidate; digest is the SHA-256 of models/<model_id>/pipeline.joblib
create sequence model_seq;
create table model (
    model_id varchar primary key,
    algorithm varchar not null,
    label_set_id varchar not null,
    label_source varchar not null,
    is_proxy boolean not null,
    snapshot_id integer not null,
    schema_fingerprint varchar not null,
    digest varchar not null,
    metrics json not null,
    config json not null,
    seconds double not null,
    job_id varchar,
    created_at timestamp not null,
    created_by varchar not null
);
