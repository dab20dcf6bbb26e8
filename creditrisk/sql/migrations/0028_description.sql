-- description: one row per distinct text, bank code and direction of money; with what its words say of how the money moves
alter table description add column is_direct_debit boolean default false;
alter table description add column names_savings boolean default false;
update description set
    is_direct_debit = direction = 'out' and regexp_matches(
        strip_accents(upper(text || ' ' || code)),
        '\b(DIRECT ?DEBIT|DIRECTDEBIT|DDEBIT|DD|LASTSCHRIFT|SDD|RDDT|PRELEVEMENT|ADEUDO|INCASSO|ACH)\b'
    ),
    names_savings = regexp_matches(
        strip_accents(upper(text)),
        '\b(SAVINGS?|SAVER|POT|ISA|SPAREN|SPARKONTO|SPARBUCH|TAGESGELD|EPARGNE|LIVRET|AHORROS?|SPAARREKENING|RISPARMIO)\b'
    );
