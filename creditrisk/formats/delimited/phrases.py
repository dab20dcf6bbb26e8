"""What banks write beside their transactions: pending, opening and closing balances, totals, payments to a card.

All of it is held against folded text: lower case, no accents.
"""

import re

PENDING = re.compile(
    r"pending|vorgemerkt|\boffen\b|en attente|a venir|pendient|pendente|in attesa|oczekuj|gereserveerd|in behandeling|reservera|"
    r"unsettled|ausstehend|authori[sz]ed|processing|in progress|on hold|awaiting|scheduled|upcoming|wartend|reserviert|en cours|"
    r"non contabilizzat|da contabilizzare|in lavorazione|in sospeso|en proceso|retenid|em processamento|agendad|openstaand|"
    r"\bventer|vantar|pagaende|odottaa|"
    r"autoryzac|blokad|blokac|w realizacji|nepotvrz|nezauctov|ceka|vantande|afventer|reservert|varaus|broneeri|rezerv|"
    r"в обработке|в ожидании|"
    r"обрабатывается|холд|заблокирован|ожида|bekleyen|beklemede|处理中|uncleared|not cleared|not booked|non comptabilise|provisional"
)
NOT_BOOKED = re.compile(
    rf"{PENDING.pattern}|revert|declined|failed|cancell?ed|rejected|refused|voided|expired|geweigerd|geannuleerd|odrzucon|"
    r"anulowan|abgelehnt|"
    r"storniert|fehlgeschlagen|refuse\b|annule|rechazad|anulad|cancelad|recusad|rifiutat|annullat|zamitnut|zrusen|avvisad|"
    r"отклонен|отменен|"
    r"ошибка|неуспешно|reddedil|iptal|交易关闭"
)
BOOKED = re.compile(
    r"booked|completed?|posted|settled|cleared|reconciled|success|successful|executed|processed|paid|done|final|ok|yes|y|x|c|r|b|"
    r"(umsatz )?gebucht|ausgefuhrt|abgeschlossen|verwerkt|uitgevoerd|geboekt|comptabilisee?|execut(e|ee)|effectuee?|"
    r"contabilizzat[oa]|eseguit[oa]|contabilizad[oa]|ejecutad[oa]|realizad[oa]|efetuad[oa]|concluid[oa]|complet[oa]|liquidad[oa]|"
    r"zaksiegowan[aoey]|zrealizowan[aoey]|rozliczon[aoey]|wykonan[aoey]|zauctovan[aoey]?|proveden[aoey]?|utfort?|bokfort?|bokford|"
    r"gjennomfort|bokfort|udfort|bogfort|kirjattu|suoritettu|teostatud|broneeritud|izpildits|ivykdyta|konyvelt|teljesitett|"
    r"tamamlandi|gerceklesti|исполнен[оа]?|выполнен[оа]?|проведен[оа]?|успешно|交易成功|支付成功|已完成"
)
OPENING = re.compile(
    r"opening (ledger )?balance|initial balance|beginning balance|(balance )?brought forward|balance forward|"
    r"previous balance|start(ing)? balance|"
    r"balance (at )?start( of period)?|balance b f\b|anfangssaldo|alter (kontostand|saldo)|eroffnungssaldo|saldovortrag|"
    r"beginsaldo|vorig saldo|"
    r"solde (initial|precedent|en debut|d ouverture)|ancien solde|saldo (inicial|anterior|iniziale|poczatkow[ey]|precedente|previo)|"
    r"pocatecni zustatek|pociatocny zostatok|pocetno stanje|zacetno stanje|nyito egyenleg|ingaende saldo|inngaende saldo|"
    r"primo saldo|alkusaldo|"
    r"algsaldo|algjaak|sakuma atlikums|likutis pradziai|pradinis likutis|sold initial|acilis bakiyesi|devreden|входящии остаток|"
    r"остаток на начало|вхiднии залишок|期初余额|繰越"
)
CLOSING = re.compile(
    r"closing (ledger )?balance|ledger balance|(balance )?carried forward|new balance|current balance|end(ing)? balance|"
    r"balance (at )?end|"
    r"balance c f\b|endsaldo|schlusssaldo|abschlusssaldo|(neuer )?kontostand|neuer saldo|letzter kontostand|eindsaldo|nieuw saldo|"
    r"solde (final|actuel|en fin|de cloture|crediteur|debiteur)|nouveau solde|saldo (final|actual|finale|koncow[ey]|do dia|"
    r"del dia|disponivel)|"
    r"konecny zustatek|konecny zostatok|zavrsno stanje|koncno stanje|zaro egyenleg|utgaende saldo|loppusaldo|loppsaldo|"
    r"lopsaldo|loppjaak|lopjaak|"
    r"beigu atlikums|likutis pabaigai|galutinis likutis|sold final|kapanis bakiyesi|исходящии остаток|остаток на конец|вихiднии залишок|"
    r"期末余额|s a l d o"
)
TOTAL = re.compile(
    r"\b(sub)?total(s|e|en)?\b|\bsum(m[ae]|a)?\b|gesamt|totaal|celkem|osszesen|итого|合计|balance|saldo|solde|kontostand|likutis|atlikums"
)
BALANCE = re.compile(f"{OPENING.pattern}|{CLOSING.pattern}")
STATED = re.compile(
    rf"({BALANCE.pattern})( (of|vom|per|du|au|del|na|z|on|at|kaive|apgrozijums|period|periode|periodo))*|balance|saldo|solde|"
    r"(total )?(turnover|umsatze|apyvarta|apgrozijums|kaive|obroty|обороты)( (debit|credit|soll|haben))?"
)
TOTALLED = re.compile(
    r"(grand )?(sub ?)?totals?( (general|generale|geral|amount|debits?|credits?|payments?|due))?|(zwischen|gesamt)?summe( gesamt)?|"
    r"gesamtbetrag|sum|summa|som|sub ?tota(a)?l|totaal|totale?|suma( total)?|razem|celkem|soucet|osszesen|yhteensa|toplam|итого|всего"
)
CARD = re.compile(
    r"(auto|e|card |online |internet |mobile |direct debit )?payment\b.*(thank|receiv|credit)|payment received|thank you|auto ?pay|"
    r"pagamento (recebido|efetuado|de fatura)|paiement (recu|de votre)|ihre (zahlung|einzahlung)|zahlung.*dank|su pago|"
    r"pago (recibido|gracias)|"
    r"betaling ontvangen|inbetalning|indbetaling|innbetaling"
)
CARD_HEADING = re.compile(
    r"\bcard\b|card(holder| member)|\bmerchant|purchased by|karte|\bcarte\b|tarjeta|cartao|\bcarta\b|\bkaart|\bkort\b"
)
CENTS = re.compile(r"\b(cents?|pence|minor units?|centimes?|centimos?|centavos?|groszy?|grosze)\b")  # a column of whole hundredths
