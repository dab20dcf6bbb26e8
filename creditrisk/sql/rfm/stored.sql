-- stored: one row per stored transaction, own transfers left out: whose, when, how much
select applicant_id, booked_on, amount
from movement
where pair_kind is distinct from 'own transfer'
