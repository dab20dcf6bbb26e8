-- batch: one row per file of applicants given to be scored, with what all of its scores share
create sequence batch_seq;
create table batch (
    batch_id varchar primary key,
    file varchar not null,
    sha256 varchar not null,
    n_bytes bigint not null,
    n_rows integer, -- null where only reading the whole file would tell
    model_id varchar not null,
    digest varchar not null,
    schema_fingerprint varchar not null,
    label_source varchar not null,
    is_proxy boolean not null,
    base double not null,
    baseline varchar not null,
    typical json not null, -- the reference group's value of each feature, which reasons are held against
    predictors json not null, -- whose contributions a score lists, in this order
    scale json not null,
    policy json not null,
    channel varchar not null,
    created_at timestamp not null,
    created_by varchar not null
);
-- batch_event: one row per thing that happened to a batch: its state, and a sentence
create sequence batch_event_seq;
create table batch_event (
    seq bigint primary key default nextval('batch_event_seq'),
    batch_id varchar not null,
    happened_at timestamp not null,
    state varchar not null check (state in ('running', 'done', 'failed', 'stopped', 'interrupted')),
    message varchar not null,
    by_user varchar not null
);
