-- shifted: one row per movement of a snapshot's applicants, its day moved so that everybody's own day falls on $as_of
select moved.applicant_id, (moved.booked_on + ($as_of::date - applicant.as_of)::integer)::date as booked_on, moved.amount
from moved
join applicant using (applicant_id)
where applicant.snapshot_id = $of_snapshot
