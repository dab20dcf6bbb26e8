-- repeat: one row per request to score that named a key, so that the same request sent again is answered and not scored again
create table repeat (
    key varchar not null,
    by_user varchar not null,
    asked varchar not null, -- SHA-256 of the body
    predictions json not null, -- their ids, in the order of the answer
    answered_at timestamp not null,
    primary key (key, by_user)
);
