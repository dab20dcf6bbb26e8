-- movement: one row per transaction, with whose it is and what it was
create or replace view movement as
select
    account.applicant_id,
    transaction.account_id,
    account.number as account,
    account.currency,
    transaction.booked_on,
    transaction.amount,
    transaction.balance,
    description.text,
    description.code,
    description.category,
    description.confidence,
    description.source,
    transaction.statement_id,
    transaction.line
from transaction
join account using (account_id)
join description using (description_id);
