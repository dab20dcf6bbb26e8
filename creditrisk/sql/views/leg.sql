-- leg: one row per movement of a pair: what it is shown as, and what it counts as where the two cancel out
-- Money that comes back counts against what it was spent on, so that a refunded purchase is no spending and a reversed fee no fee.
-- Where nobody knows what was bought, what comes back is still a refund, and never money to live on.
create or replace view leg as
select
    pair.out_id as transaction_id,
    pair.in_id as partner_id,
    pair.kind,
    pair.evidence,
    pair.known_on,
    case when pair.kind = 'own transfer' then 'TRF_OWN_OUT' end as category,
    case when pair.kind = 'own transfer' then 'TRF_OWN_OUT' end as counted_as
from pair
union all
select
    pair.in_id as transaction_id,
    pair.out_id as partner_id,
    pair.kind,
    pair.evidence,
    pair.known_on,
    case when pair.kind = 'own transfer' then 'TRF_OWN_IN' when pair.kind = 'returned item' then 'RETURNED_ITEM' else 'REFUND' end as category,
    case
        when pair.kind = 'own transfer' then 'TRF_OWN_IN'
        when coalesce(own.category, description_current.category) <> 'UNKNOWN' then coalesce(own.category, description_current.category)
        else 'REFUND'
    end as counted_as
from pair
join transaction on transaction.transaction_id = pair.out_id
join description_current using (description_id)
left join correction_current as own on own.transaction_id = pair.out_id;
