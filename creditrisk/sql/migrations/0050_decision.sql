-- decision: one row per decision of a person on a prediction; a later one takes its place
create sequence decision_seq;
create table decision (
    decision_id integer primary key default nextval('decision_seq'),
    prediction_id varchar not null,
    action varchar not null check (action in ('accept', 'override', 'refer', 'ask')),
    outcome varchar not null check (outcome in ('approve', 'decline', 'refer', 'ask')),
    component varchar not null check (component in ('model', 'policy', 'person')), -- what decided, and so whose reasons these are
    reasons json not null, -- texts, the weightiest first
    asked json not null, -- what the applicant is asked for
    comment varchar not null,
    decided_at timestamp not null,
    decided_by varchar not null
);
