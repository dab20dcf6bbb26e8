-- claim: one row per case that a reviewer took in hand; one may be proposed because its label is suspect
create table claim_of_suspects (
    claim_id integer primary key default nextval('claim_seq'),
    prediction_id varchar not null,
    slot varchar not null check (
        slot in ('near cut-off', 'disagreement', 'exposure', 'suspect', 'random', 'second reading', 'chosen')
    ),
    probability double, -- with which this draw took this case among those that waited; null where a person chose it
    is_blind boolean not null, -- the verdict comes before the score is shown
    claimed_at timestamp not null,
    expires_at timestamp not null,
    claimed_by varchar not null
);
insert into claim_of_suspects from claim;
drop table claim;
alter table claim_of_suspects rename to claim;
