-- judgement: one row each time a description is judged anew, as the model has learned; the first judgement stands in `description`
create table judgement (
    description_id integer not null,
    category varchar not null,
    confidence double not null,
    source varchar not null,
    judged_at timestamp not null,
    judged_by varchar not null
);
