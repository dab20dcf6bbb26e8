-- described: one row per description that the cohort's statements use: its category's number, and whom the words name
-- Descriptions with the same words are of one merchant, whatever way the money went; those without words are told apart by category.
with spoken as (
    select distinct transaction.description_id
    from transaction
    join held using (account_id)
)

select
    description.description_id,
    purpose.number as kind,
    (min(description.description_id) over (
        partition by description.cleaned, case when description.cleaned = '' then description.category end
    ))::integer as merchant,
    regexp_matches(
        strip_accents(upper(description.text || ' ' || description.code)),
        '\b(DIRECT ?DEBIT|DIRECTDEBIT|DDEBIT|DD|LASTSCHRIFT|SDD|RDDT|PRELEVEMENT|ADEUDO|INCASSO|ACH)\b'
    ) as is_direct_debit,
    regexp_matches(
        strip_accents(upper(description.text)),
        '\b(SAVINGS?|SAVER|POT|ISA|SPAREN|SPARKONTO|SPARBUCH|TAGESGELD|EPARGNE|LIVRET|AHORROS?|SPAARREKENING|RISPARMIO)\b'
    ) as names_savings
from spoken
join description_current as description using (description_id)
join purpose on purpose.code = description.category
