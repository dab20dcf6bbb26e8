-- suspect: one row per model and applicant whose label a fit that had not seen it confidently contradicts
create table suspect (
    model_id varchar not null,
    applicant_id varchar not null,
    bad boolean not null, -- the label that was learned from
    pd double not null, -- what the fit foresaw
    doubt double not null, -- log-odds by which it lies beyond what is usual for the other label
    primary key (model_id, applicant_id)
);
