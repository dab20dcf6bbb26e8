-- session: one row per sign-in through the provider; its id is the SHA-256 of what the provider said
create table session (
    session_id varchar primary key,
    person varchar not null,
    begun_at timestamp not null,
    expires_at timestamp not null
);
