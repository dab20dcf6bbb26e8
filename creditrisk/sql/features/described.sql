-- described: one row per description asked for (`spoken`), in order: its category, and what its words say
-- `held` is what descriptions are held to be now: the view `description_current`, or the table where nobody has said otherwise.
select
    description_id,
    category,
    cleaned,
    case when direction = 'out' then regexp_matches(
        strip_accents(upper(text || ' ' || code)),
        '\b(DIRECT ?DEBIT|DIRECTDEBIT|DDEBIT|DD|LASTSCHRIFT|SDD|RDDT|PRELEVEMENT|ADEUDO|INCASSO|ACH)\b'
    ) else false end as is_direct_debit,
    regexp_matches(
        strip_accents(upper(text)),
        '\b(SAVINGS?|SAVER|POT|ISA|SPAREN|SPARKONTO|SPARBUCH|TAGESGELD|EPARGNE|LIVRET|AHORROS?|SPAARREKENING|RISPARMIO)\b'
    ) as names_savings
from held
join spoken using (description_id)
order by description_id
