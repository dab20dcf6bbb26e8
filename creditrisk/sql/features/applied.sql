-- applied: one row per applicant with an application, of those looked at ($ids, else everybody): the day of the newest
select applicant_id, max(applied_on) - date '1970-01-01' as as_of
from application
where applied_on is not null and ($ids is null or list_contains($ids::varchar[], applicant_id))
group by applicant_id
