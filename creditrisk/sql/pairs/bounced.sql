-- bounced: one row per movement of money in of which the bank or somebody says that it is an item that was returned
select came.transaction_id, came.account_id, came.booked_on, came.amount, said.party
from came
join said using (description_id)
where coalesce(came.corrected, 'RETURNED_ITEM') = 'RETURNED_ITEM' and (said.is_returned or came.corrected = 'RETURNED_ITEM')
