-- described: one row per description asked for (`spoken`), in order: its category, and what its words say
-- `held` is what descriptions are held to be now: the view `description_current`, or the table where nobody has said otherwise.
select description_id, category, cleaned, is_direct_debit, names_savings
from held
join spoken using (description_id)
order by description_id
