-- leg: one row per movement of a pair: its partner, and what it is shown as where that is not what its description says
-- Where nobody knows what was bought, what comes back is still a refund, and never money to live on.
create or replace view leg as
select
    pair.out_id as transaction_id,
    pair.in_id as partner_id,
    pair.kind,
    pair.evidence,
    pair.known_on,
    case when pair.kind = 'own transfer' then 'TRF_OWN_OUT' end as category
from pair
union all
select
    pair.in_id as transaction_id,
    pair.out_id as partner_id,
    pair.kind,
    pair.evidence,
    pair.known_on,
    case when pair.kind = 'own transfer' then 'TRF_OWN_IN' when pair.kind = 'returned item' then 'RETURNED_ITEM' else 'REFUND' end as category
from pair;
