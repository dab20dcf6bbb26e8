-- lesson_online: one row per accepted verdict that the online challenger learned from, with what it foretold before and its weights after
create sequence lesson_online_seq;
create table lesson_online (
    step integer primary key default nextval('lesson_online_seq'),
    applicant_id varchar not null,
    prediction_id varchar not null, -- whose values it read
    model_id varchar not null, -- who scored then
    bad boolean not null,
    pd double not null, -- foretold before the verdict was learned from
    champion_pd double not null, -- what was said live
    snapshot_id integer not null, -- whose medians and spreads make values comparable
    weights json not null, -- by feature, after learning; "" is the constant
    learned_at timestamp not null,
    learned_by varchar not null
);
