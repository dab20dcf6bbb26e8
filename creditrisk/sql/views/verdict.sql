-- verdict: one row per verdict that stands, with what it is about, who was labelled how, and what an inspector said of it
create or replace view verdict as
select review.*, prediction.applicant_id, prediction.as_of, prediction.snapshot_id, prediction.model_id, prediction.pd, prediction.score,
    prediction.band, prediction.recommendation, prediction.policy, claim.slot, claim.probability,
    inspection.status, inspection.reason as inspection_reason, inspection.inspected_by, inspection.inspected_at
from review_current as review
join prediction using (prediction_id)
left join claim using (claim_id)
left join inspection_current as inspection using (review_id);
