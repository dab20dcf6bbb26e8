-- bounced: one row per movement of money in of which the bank or somebody says that it is an item that was returned
select came.transaction_id, came.account_id, came.booked_on, came.amount, said.party
from came
join said using (description_id)
where coalesce(came.is_bounced, true) and (said.is_returned or came.is_bounced)
