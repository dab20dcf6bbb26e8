-- movement: one row per transaction, with whose it is and what it is held to be now
-- What somebody said of this very movement stands before its pair, and that before what its description says.
create or replace view movement as
select
    transaction.transaction_id,
    account.applicant_id,
    transaction.account_id,
    account.number as account,
    account.currency,
    transaction.booked_on,
    transaction.amount,
    transaction.balance,
    description_current.text,
    description_current.code,
    description_current.cleaned,
    description_current.direction,
    coalesce(own.category, leg.category, description_current.category) as category,
    case when own.category is null and leg.category is null then description_current.confidence else 1.0 end as confidence,
    case
        when own.category is not null then 'correction'
        when leg.category is not null then 'pair'
        else description_current.source
    end as source,
    leg.kind as pair_kind,
    leg.partner_id,
    leg.evidence as pair_evidence,
    transaction.statement_id,
    transaction.line
from transaction
join account using (account_id)
join description_current using (description_id)
left join correction_current as own using (transaction_id)
left join leg using (transaction_id);
