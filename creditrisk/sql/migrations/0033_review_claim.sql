-- review_claim: each verdict now names the claim it came from (null: given without one) and says whether the score was hidden
alter table review add column claim_id integer;
alter table review add column is_blind boolean default false;
