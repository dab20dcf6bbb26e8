-- described: one row per description nobody has seen yet (`unseen`), with what its words say of how the money moves
-- Read once, when it is stored: to read it again for every figure costs more than all else that is fetched for an applicant.
select
    text,
    code,
    direction,
    cleaned,
    category,
    confidence,
    source,
    direction = 'out' and regexp_matches(
        strip_accents(upper(text || ' ' || code)),
        '\b(DIRECT ?DEBIT|DIRECTDEBIT|DDEBIT|DD|LASTSCHRIFT|SDD|RDDT|PRELEVEMENT|ADEUDO|INCASSO|ACH)\b'
    ) as is_direct_debit,
    regexp_matches(
        strip_accents(upper(text)),
        '\b(SAVINGS?|SAVER|POT|ISA|SPAREN|SPARKONTO|SPARBUCH|TAGESGELD|EPARGNE|LIVRET|AHORROS?|SPAARREKENING|RISPARMIO)\b'
    ) as names_savings
from unseen
