-- seen: one row per movement on a day that the files looked at cover, whichever file brought it first, before $as_of
-- The list is a constant of the plan, so that only the row groups that hold these accounts are read.
with span as (
    select account_id, min(first_on) as from_on, least(max(last_on) + 1, $as_of::date) as to_on
    from statement_account
    where list_contains($accounts::integer[], account_id) and ($statement_id::integer is null or statement_id = $statement_id::integer)
    group by account_id
)

select movement.*, coalesce(movement.statement_id <> $statement_id::integer, false) as is_elsewhere
from movement
join span using (account_id)
where list_contains($accounts::integer[], movement.account_id)
    and movement.booked_on >= span.from_on
    and movement.booked_on < span.to_on
