-- booked: one row per transaction of the last 365 days before as_of; age 1 is the day before as_of
-- Categories are their numbers in `purpose`. `kind` is what it is shown as; `event` is the same where it counts as something that
-- happened; `counted_as` is what its amount counts towards: money that came back counts against what it was spent on.
-- A pair is known once both of its movements are booked; before that each is what it seemed to be.
with moved as (
    select
        held.who,
        transaction.account_id,
        transaction.transaction_id,
        (held.as_of - transaction.booked_on)::smallint as age,
        transaction.amount,
        described.*,
        restated.own,
        coalesce(restated.known_on < held.as_of and restated.own is null, false) as is_paired,
        restated.shown,
        restated.netted,
        restated.is_undone
    from transaction
    join held using (account_id)
    join described using (description_id)
    left join restated using (transaction_id)
    where transaction.booked_on < held.as_of
        and transaction.booked_on >= held.as_of - 365
)

select
    who,
    account_id,
    transaction_id,
    age,
    amount,
    merchant,
    is_direct_debit,
    names_savings,
    case when is_paired then coalesce(shown, kind) else coalesce(own, kind) end as kind,
    case when not (is_paired and is_undone) then case when is_paired then coalesce(shown, kind) else coalesce(own, kind) end end as event,
    case when is_paired then coalesce(netted, kind) else coalesce(own, kind) end as counted_as
from moved
