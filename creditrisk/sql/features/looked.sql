-- looked: one row per applicant of a snapshot ($of_snapshot): the day it has there
select applicant_id, as_of - date '1970-01-01' as as_of
from applicant
where snapshot_id = $of_snapshot::integer
