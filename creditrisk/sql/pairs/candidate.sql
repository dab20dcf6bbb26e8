-- candidate: one row per two movements that may belong together, those to be believed first coming first
-- Money that came in looks back at what had gone out, never ahead: what is known on a day stays true when later files arrive.
-- The order rests on what the bank wrote and not on the numbers rows were given, so that it is the same whichever file came first.
with ended as materialized (
    select transaction_id, account_id, booked_on, amount, occurrence, description_id
    from transaction
    semi join (select in_id as transaction_id from found union all select out_id from found) as known using (transaction_id)
)

select found.in_id, found.out_id, found.kind, found.evidence, came.booked_on as known_on
from found
join ended as came on came.transaction_id = found.in_id
join ended as went on went.transaction_id = found.out_id
join touched as payee on payee.account_id = came.account_id
join touched as payer on payer.account_id = went.account_id
join said as back on back.description_id = came.description_id
join said on said.description_id = went.description_id
order by
    came.booked_on, payee.applicant_id, payee.number, payee.currency, came.amount, back.text, back.code, came.occurrence,
    found.place, went.amount <> -came.amount, went.booked_on desc, payer.number, went.amount, said.text, said.code, went.occurrence
