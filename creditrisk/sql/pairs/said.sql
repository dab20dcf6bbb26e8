-- said: one row per description on those accounts: what its words and codes say, and whom they name beside words of every bank
-- The words are those of cleaned descriptions: upper case, no accents, no numbers of cards or references.
with used as (
    select distinct description_id from transaction where account_id in (select account_id from touched)
)

select
    description_id,
    text,
    code,
    direction,
    cleaned,
    category,
    direction = 'in' and (
        category = 'RETURNED_ITEM'
        or regexp_matches(code, '\bRVSL\b') and not regexp_matches(cleaned, '\b(CARD|POS|VISA|MASTERCARD|MAESTRO|KARTE[A-Z]*)\b')
    ) as is_returned,
    direction = 'in' and (category = 'REFUND' or regexp_matches(code, '\bRVSL\b') or regexp_matches(
        cleaned,
        '\b(REFUND|REVERSAL|REVERSED|RVSL|WAIVED|WAIVER|CHARGEBACK|RETOURE|STORNO|REMBOURSEMENT|EXTOURNE|REEMBOLSO|DEVOLUCION'
        || '|TERUGBETALING|ZWROT|VRATKA|RIMBORSO|[A-Z]*(ERSTATTUNG|GUTSCHRIFT))'
    )) as gives_back,
    regexp_matches(
        cleaned,
        '\b(FEES?|CHARGES?|INTEREST|[A-Z]*(GEBUHR|GEBUEHR|ENTGELT|ZINS)[A-Z]*|FRAIS|AGIOS|COMISION|COMMISSIONI?|KOSTEN|OPLATA|PROWIZJA|POPLATEK)\b'
    ) as names_fee,
    category in ('TRF_OWN_IN', 'TRF_OWN_OUT') or regexp_matches(
        cleaned,
        '\b(OWN|INTERNAL|BETWEEN ACCOUNTS|MY (CHECKING|SAVINGS?|CURRENT|ACCOUNT)|UMBUCHUNG|EIGENUBERTRAG|EIGENUEBERTRAG|INTERNE|TRASPASO|WLASNY|POT)\b'
    ) as says_own,
    category in ('TRF_OWN_IN', 'TRF_OWN_OUT') or not regexp_matches(cleaned, '\b(ANOTHER|OTHER|EXTERNAL|FOREIGN) BANK') and regexp_matches(
        cleaned,
        '\b(TRANSFER|TRANSFERS|XFER|TFR|TRF|TRFR|UBERTRAG|UEBERTRAG|UMBUCHUNG|EIGENUBERTRAG|EIGENUEBERTRAG|GIROCONTO|VIREMENT|OVERBOEKING'
        || '|OVERFORING|OVERFORSEL|TILISIIRTO|PRZELEW|PREVOD|TRASPASO|TRANSFERENCIA|BONIFICO|SAVINGS?|POT)\b'
    ) or regexp_matches(code, 'XFER|QIF TRANSFER|ACCOUNT_TRANSFER|PMNT-[IR]CDT-BOOK') as says_transfer,
    trim(regexp_replace(regexp_replace(
        cleaned,
        '\b(REFUNDS?|REVERSALS?|REVERSED|RVSL|CHARGEBACK|RETOURE|STORNO|REMBOURSEMENT|EXTOURNE|REEMBOLSO|DEVOLUCION|TERUGBETALING|ZWROT|VRATKA'
        || '|RIMBORSO|ERSTATTUNG|RUCKERSTATTUNG|RUECKERSTATTUNG|GUTSCHRIFT|CREDIT|DEBIT|CARD|PURCHASE|PAYMENT|PAYMENTS|POS|DIRECT|DD|STANDING|ORDER'
        || '|RETURNED?|UNPAID|BOUNCED|DISHONOURED|ITEM|RUCKLASTSCHRIFT|RUECKLASTSCHRIFT|RUCKGABE|LASTSCHRIFT|BASISLASTSCHRIFT|SEPA|REJET|REJETE'
        || '|PRELEVEMENT|IMPAYE|RECIBO|DEVUELTO|INCASSO|STORNERING|NSF|FROM|TO|OF|FOR|DE|VON|AN|VAN|NAAR|NA|VERS|TRANSFERS?|XFER|TFR|TRF|TRFR'
        || '|UBERTRAG|UEBERTRAG|UMBUCHUNG|EIGENUBERTRAG|EIGENUEBERTRAG|GIROCONTO|VIREMENT|OVERBOEKING|OVERFORING|OVERFORSEL|TILISIIRTO|PRZELEW'
        || '|PREVOD|TRASPASO|TRANSFERENCIA|BONIFICO|MY|OWN|INTERNAL|INTERNE|WLASNY|BETWEEN|ACCOUNTS?|ACCT|KONTO|GIROKONTO|COMPTE|CUENTA|REKENING'
        || '|SAVINGS?|CHECKING|CURRENT|TAGESGELD|TAGESGELDKONTO|SPARKONTO|SPAREN|LIVRET|EPARGNE|AHORRO|SPAARREKENING|POT|ONLINE|MOBILE|INTERNET'
        || '|BANKING|BANK|INCOMING|OUTGOING|FASTER|INSTANT|REF|REFERENCE)\b',
        ' ',
        'g'
    ), '\s+', ' ', 'g')) as party
from description_current
where description_id in (select description_id from used)
