-- token: one row per key to the API ever made; of the key itself only its SHA-256 is kept
create table token (
    token_id varchar primary key,
    person varchar not null,
    purpose varchar not null,
    scopes varchar not null,
    digest varchar not null,
    created_at timestamp not null,
    created_by varchar not null,
    expires_at timestamp not null
);
