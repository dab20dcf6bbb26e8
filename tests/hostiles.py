"""Sound statements of every format, and what malice or bad luck makes of them: cut off, blown up, nested, lied about."""

import json
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from tests.papers import assembled, pdf, sheet_xml, table, workbook, xls

CSV = "Date,Description,Amount,Balance\n2024-01-13,CORNER SHOP,-12.50,87.50\n2024-01-14,ACME WAGES,2000.00,2087.50\n"

OFX1 = (
    "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:USASCII\nCHARSET:1252\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR"
    "<BANKACCTFROM><ACCTID>4711</BANKACCTFROM><BANKTRANLIST>\n"
    "<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20240113<TRNAMT>-12.50<FITID>1<NAME>CORNER SHOP</STMTTRN>\n"
    "<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20240114<TRNAMT>2000.00<FITID>2<NAME>ACME WAGES</STMTTRN>\n"
    "</BANKTRANLIST><LEDGERBAL><BALAMT>2087.50<DTASOF>20240131</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n"
)

OFX2 = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<?OFX OFXHEADER="200" VERSION="202" SECURITY="NONE"?>\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS>'
    "<CURDEF>EUR</CURDEF><BANKACCTFROM><ACCTID>4711</ACCTID></BANKACCTFROM><BANKTRANLIST>\n"
    "<STMTTRN><TRNTYPE>DEBIT</TRNTYPE><DTPOSTED>20240113</DTPOSTED><TRNAMT>-12.50</TRNAMT><NAME>CORNER SHOP</NAME></STMTTRN>\n"
    "<STMTTRN><TRNTYPE>CREDIT</TRNTYPE><DTPOSTED>20240114</DTPOSTED><TRNAMT>2000.00</TRNAMT><NAME>ACME WAGES</NAME></STMTTRN>\n"
    "</BANKTRANLIST><LEDGERBAL><BALAMT>2087.50</BALAMT><DTASOF>20240131</DTASOF></LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n"
)

QIF = "!Type:Bank\nD01/13/2024\nT-12.50\nPCORNER SHOP\n^\nD01/14/2024\nT2000.00\nPACME WAGES\n^\n"

MT940 = (
    ":20:JANUARY\n:25:DE02120300000000202051\n:28C:1/1\n:60F:C240112EUR100,00\n:61:2401130113DR12,50NMSCNONREF\n:86:CORNER SHOP\n"
    ":61:2401140114CR2000,00NTRFNONREF\n:86:ACME WAGES\n:62F:C240114EUR2087,50\n-\n"
)

MT942 = (
    "{1:F01BANKDEFFAXXX0000000000}{2:I942BANKDEFFXXXXN}{4:\n:20:JANUARY\n:25:DE02120300000000202051\n:28C:1/1\n:34F:EUR0,\n"
    ":13D:2401142000+0100\n:61:2401130113DR12,50NMSCNONREF\n:86:CORNER SHOP\n:61:2401140114CR2000,00NTRFNONREF\n:86:ACME WAGES\n"
    ":90D:1EUR12,50\n:90C:1EUR2000,00\n-}\n"
)


def camt(message: str = "BkToCstmrStmt", part: str = "Stmt", version: str = "053.001.08") -> str:
    """Write a message with two entries between two balances."""

    def balance(kind: str, amount: str) -> str:
        return (
            f'<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
            "<Dt><Dt>2024-01-14</Dt></Dt></Bal>\n"
        )

    def entry(amount: str, side: str, day: str, words: str) -> str:
        return (
            f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>{day}</Dt></BookgDt>'
            f"<AddtlNtryInf>{words}</AddtlNtryInf></Ntry>\n"
        )

    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.{version}"><{message}><GrpHdr/>'
        f"<{part}><Acct><Id><IBAN>DE02120300000000202051</IBAN></Id><Ccy>EUR</Ccy></Acct>"
        f"{balance('OPBD', '100.00')}{balance('CLBD', '2087.50')}"
        f"{entry('12.50', 'DBIT', '2024-01-13', 'CORNER SHOP')}{entry('2000.00', 'CRDT', '2024-01-14', 'ACME WAGES')}"
        f"</{part}></{message}></Document>\n"
    )


def plaid() -> dict[str, Any]:
    """Plaid says money out is positive."""
    shared = {"account_id": "a", "iso_currency_code": "EUR", "pending": False}
    paid = {**shared, "transaction_id": "1", "amount": 12.5, "date": "2024-01-13", "name": "CORNER SHOP"}
    return {"transactions": [paid, {**shared, "transaction_id": "2", "amount": -2000.0, "date": "2024-01-14", "name": "ACME WAGES"}]}


def berlin() -> dict[str, Any]:
    """Berlin Group: signed."""

    def one(amount: str, day: str, words: str) -> dict[str, Any]:
        money = {"amount": amount, "currency": "EUR"}
        return {"bookingDate": day, "transactionAmount": money, "remittanceInformationUnstructured": words}

    return {"transactions": {"booked": [one("-12.50", "2024-01-13", "CORNER SHOP"), one("2000.00", "2024-01-14", "ACME WAGES")]}}


def obie() -> dict[str, Any]:
    """UK Open Banking: unsigned with an indicator."""

    def one(amount: str, side: str, day: str, words: str) -> dict[str, Any]:
        money = {"Amount": amount, "Currency": "EUR"}
        said = {"Status": "Booked", "BookingDateTime": f"{day}T00:00:00Z", "TransactionInformation": words, "AccountId": "1"}
        return {**said, "Amount": money, "CreditDebitIndicator": side}

    return {
        "Data": {"Transaction": [one("12.50", "Debit", "2024-01-13", "CORNER SHOP"), one("2000.00", "Credit", "2024-01-14", "ACME WAGES")]}
    }


def truelayer() -> dict[str, Any]:
    """TrueLayer: signed."""

    def one(amount: float, kind: str, day: str, words: str) -> dict[str, Any]:
        said = {"timestamp": f"{day}T00:00:00Z", "description": words, "transaction_type": kind, "transaction_category": kind}
        return {**said, "amount": amount, "currency": "EUR"}

    return {"results": [one(-12.5, "DEBIT", "2024-01-13", "CORNER SHOP"), one(2000.0, "CREDIT", "2024-01-14", "ACME WAGES")]}


PLAIN = [{"date": "2024-01-13", "amount": -12.5, "description": "SHOP"}, {"date": "2024-01-14", "amount": 2000, "description": "WAGES"}]

CELLS: list[list[str | float]] = [
    ["Date", "Description", "Amount", "Balance"],
    ["day:45304", "CORNER SHOP", -12.5, 87.5],
    ["day:45305", "ACME WAGES", 2000, 2087.5],
]
PRINTED = [
    ["Date", "Description", "Amount", "Balance"],
    ["13 Jan 2024", "CORNER SHOP", "-12.50", "87.50"],
    ["14 Jan 2024", "ACME WAGES", "+2,000.00", "2,087.50"],
]
ENDS = (40, 150, -420, -520)
LOCK = f"/ID [<00><00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{'11' * 32}> /U <{'22' * 32}> >>"

SOUND: dict[str, bytes] = {
    "a.csv": CSV.encode(),
    "a.ofx": OFX1.encode(),
    "a.ofx2": OFX2.encode(),
    "a.qif": QIF.encode(),
    "a.mt940": MT940.encode(),
    "a.mt942": MT942.encode(),
    "a.052": camt("BkToCstmrAcctRpt", "Rpt", "052.001.08").encode(),
    "a.053": camt().encode(),
    "a.054": camt("BkToCstmrDbtCdtNtfctn", "Ntfctn", "054.001.08").encode(),
    "plaid.json": json.dumps(plaid()).encode(),
    "berlin.json": json.dumps(berlin()).encode(),
    "obie.json": json.dumps(obie()).encode(),
    "truelayer.json": json.dumps(truelayer()).encode(),
    "plain.json": json.dumps(PLAIN).encode(),
    "a.xlsx": workbook({"Sheet": sheet_xml(CELLS)}),
    "a.xls": xls(CELLS),
    "a.pdf": pdf([table(PRINTED, ENDS)]),
}
TEXTS = [name for name in SOUND if name not in ("a.xlsx", "a.xls", "a.pdf")]

AMOUNT = dict.fromkeys(TEXTS, "12.50") | {
    "a.mt940": "12,50",
    "a.mt942": "12,50",
    "plaid.json": "12.5",
    "truelayer.json": "12.5",
    "plain.json": "12.5",
}
DAY = dict.fromkeys(TEXTS, ("2024-01-13", "2024-02-30")) | {
    "a.ofx": ("20240113", "20240230"),
    "a.ofx2": ("20240113", "20240230"),
    "a.qif": ("01/13/2024", "02/30/2024"),
    "a.mt940": ("2401130113", "2402300230"),
    "a.mt942": ("2401130113", "2402300230"),
}
NOTHING = {
    "a.csv": CSV.split("\n", maxsplit=1)[0] + "\n",
    "a.ofx": OFX1[: OFX1.index("<STMTTRN>")] + OFX1[OFX1.index("</BANKTRANLIST>") :],
    "a.ofx2": OFX2[: OFX2.index("<STMTTRN>")] + OFX2[OFX2.index("</BANKTRANLIST>") :],
    "a.qif": "!Type:Bank\n",
    "a.mt940": MT940[: MT940.index(":61:")] + ":62F:C240114EUR100,00\n-\n",
    "a.mt942": MT942[: MT942.index(":61:")] + ":90D:0EUR0,\n:90C:0EUR0,\n-}\n",
    "a.052": camt("BkToCstmrAcctRpt", "Rpt", "052.001.08").replace("Ntry>", "Nothing>"),
    "a.053": camt().replace("Ntry>", "Nothing>"),
    "a.054": camt("BkToCstmrDbtCdtNtfctn", "Ntfctn", "054.001.08").replace("Ntry>", "Nothing>"),
    "plaid.json": json.dumps({"transactions": [], "total_transactions": 0}),
    "berlin.json": json.dumps({"transactions": {"booked": [], "pending": []}}),
    "obie.json": json.dumps({"Data": {"Transaction": []}}),
    "truelayer.json": json.dumps({"results": [], "status": "Succeeded"}),
    "plain.json": "[]",
}
LAUGHS = (
    '<!DOCTYPE a [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>\n"
)


def corpus() -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of everything that must be refused; the name ends in that of the sound file it was made of."""
    for name, content in SOUND.items():
        yield f"empty {name}", b""
        yield f"blank {name}", b" \r\n" * 1000
        if name not in ("a.csv", "a.qif"):  # these have no end of their own: what is left is a shorter statement
            yield from ((f"cut {part} {name}", content[: len(content) * part // 10]) for part in range(1, 9))
        yield f"cut in a row {name}", content[: len(content) * 95 // 100] if name == "a.qif" else content[: len(content) // 3]
    for name in TEXTS:
        text = SOUND[name].decode()
        yield f"nothing in {name}", NOTHING[name].encode()
        for word in ("NaN", "Infinity", "-Infinity", "1E400", "1e999999999", "12..50", "0x1F"):
            yield f"{word} {name}", text.replace(AMOUNT[name], word, 1).encode()
        yield f"too much {name}", text.replace(AMOUNT[name], AMOUNT[name].replace("12", "12" + "0" * 14), 1).encode()
        yield f"30 February {name}", text.replace(*DAY[name], 1).encode()
        yield f"NUL {name}", text.replace("SHOP", "SH\0OP").encode()
        yield f"no mark {name}", text.encode("utf-16-le")
        yield f"giant {name}", text.replace("SHOP", "SHOP" * 500_000).encode()
    for name in ("a.ofx2", "a.052", "a.053", "a.054"):
        head, _, body = SOUND[name].decode().partition("?>\n")
        yield f"laughs {name}", f"{head}?>\n{LAUGHS}{body.replace('SHOP', '&i;')}".encode()
        yield f"outside {name}", f'{head}?>\n<!DOCTYPE a [<!ENTITY i SYSTEM "file:///etc/passwd">]>{body.replace("SHOP", "&i;")}'.encode()
        yield f"plain DOCTYPE {name}", f"{head}?>\n<!doctype Document>{body}".encode()
    for name in ("a.ofx2", "a.053"):
        place = "<BANKTRANLIST>" if name == "a.ofx2" else "<GrpHdr/>"
        yield f"deep {name}", SOUND[name].decode().replace(place, "<A>" * 100_000 + "</A>" * 100_000 + place).encode()
    yield (
        "attributes a.053",
        SOUND["a.053"].decode().replace("<Ntry>", "<Ntry " + " ".join(f'a{n}="1"' for n in range(10_000)) + ">").encode(),
    )
    yield "cp1252 a.053", SOUND["a.053"].replace(b"SHOP", b"SH\xd6P")
    yield "cp1252 berlin.json", SOUND["berlin.json"].replace(b"SHOP", b"SH\xd6P")
    yield "deep lists.json", b"[" * 100_000 + b"]" * 100_000
    yield "deep objects.json", b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    yield "deep and open.json", b'[{"date":' * 100_000
    yield "twice.json", b'{"transactions":[{"date":"2024-01-13","amount":1,"amount":2}]}'
    head, *rows = CSV.splitlines()
    wide = "," * 10_000
    yield "wide.csv", "".join(f"{line}{wide}{place}\n" for place, line in enumerate([head, *rows])).encode()
    yield "ragged.csv", f"{head}\n{rows[0]},1,2,3,4\n{rows[1]}\n".encode()
    yield "open quote.csv", CSV.replace("CORNER", '"CORNER').encode()
    yield from workbooks()
    yield from papers()


def workbooks() -> Iterator[tuple[str, bytes]]:
    """Yield workbooks that are no statements."""
    sound = sheet_xml(CELLS)
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    yield "far.xlsx", workbook({"a": sound.replace("</sheetData>", far)})
    yield "bomb.xlsx", workbook({"a": sheet_xml(CELLS, more=" " * 60_000_000)})
    yield "wide.xlsx", workbook({"a": sheet_xml(CELLS, more='<row r="9"><c r="NTP9"><v>1</v></c></row>')})
    yield "laughs.xlsx", workbook({"a": sound.replace("?>", f"?>{LAUGHS}", 1)})
    yield "nothing.xlsx", workbook({"a": sheet_xml(CELLS[:1])})
    yield "no cell.xlsx", workbook({"a": sheet_xml([])})
    yield "nothing.xls", xls(CELLS[:1])
    for word in ("NaN", "INF", "1E400", "12..5"):
        yield f"{word}.xlsx", workbook({"a": sound.replace("<v>-12.5</v>", f"<v>{word}</v>")})
    yield "30 February.xlsx", workbook({"a": sheet_xml([CELLS[0], ["30.02.2024", *CELLS[1][1:]], ["14.01.2024", *CELLS[2][1:]]])})
    yield "giant.xlsx", workbook({"a": sheet_xml([CELLS[0], [CELLS[1][0], "A" * 2_000_000, *CELLS[1][2:]], CELLS[2]])})
    locked = bytearray(SOUND["a.xlsx"])
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = locked.find(mark)
        while at >= 0:
            locked[at + offset] |= 1
            at = locked.find(mark, at + 4)
    yield "locked.xlsx", bytes(locked)
    yield "locked by Office.xlsx", SOUND["a.xls"][:512] + bytes(512) + "EncryptedPackage".encode("utf-16-le") + bytes(600)
    other = BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("word/document.xml", "<a/>")
    yield "letter.docx", other.getvalue()


def papers() -> Iterator[tuple[str, bytes]]:
    """Yield PDF files that are no statements."""
    yield "locked.pdf", pdf([table(PRINTED, ENDS)], extra=LOCK)
    yield "nothing.pdf", pdf([table(PRINTED[:1], ENDS)])
    yield "scan.pdf", pdf([[]])
    yield "pages.pdf", pdf([table(PRINTED, ENDS)] * 401)
    yield "deep.pdf", b"%PDF-1.4\n1 0 obj\n" + b"[" * 200_000 + b"\nendobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    yield "loop.pdf", assembled(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R] /Count 1 >>"])
    yield "noise.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 40
    yield "30 February.pdf", pdf([table([PRINTED[0], ["30 Feb 2024", *PRINTED[1][1:]], PRINTED[2]], ENDS)])
