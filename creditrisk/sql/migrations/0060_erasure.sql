-- erasure: one row per applicant whose person was taken out: under which name their decisions stay, and what is gone
create table erasure (
    pseudonym varchar primary key,
    erased_at timestamp not null,
    erased_by varchar not null,
    reason varchar not null,
    n_statements integer not null,
    n_transactions integer not null,
    n_predictions integer not null
);
