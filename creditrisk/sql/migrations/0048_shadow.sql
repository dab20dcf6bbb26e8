-- shadow: one row per kept prediction and challenger: what that model would have said of the same values, which decided nothing
create table shadow (
    prediction_id varchar not null,
    model_id varchar not null,
    pd double not null,
    primary key (prediction_id, model_id)
);
