"""CAMT.052, .053 and .054: entries of every version, opened where their details add up, and XML nobody should parse."""

import csv
import tracemalloc
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from creditrisk import ingest
from creditrisk.formats import camt
from creditrisk.formats.camt.reader import PIECE
from creditrisk.settings import Settings

SETTINGS = Settings()


def balance(kind: str, amount: str, side: str = "CRDT", day: str = "2024-01-01", currency: str = "EUR") -> str:
    """Return a balance."""
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
        f"<Dt><Dt>{day}</Dt></Dt></Bal>\n"
    )


def entry(amount: str = "20.00", side: str = "DBIT", more: str = "", status: str = "BOOK", day: str = "<Dt>2024-01-05</Dt>") -> str:
    """Return an entry in euros."""
    return (
        f'<Ntry>\n<Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts>{status}</Sts>\n'
        f"<BookgDt>{day}</BookgDt><ValDt><Dt>2024-01-09</Dt></ValDt>{more}</Ntry>\n"
    )


def details(*parts: str) -> str:
    """Return the details of an entry."""
    return f"<NtryDtls>{''.join(f'<TxDtls>{part}</TxDtls>' for part in parts)}</NtryDtls>"


def statement(body: str, account: str = "<IBAN>DE02120300000000202051</IBAN>", currency: str = "EUR") -> str:
    """Return one statement."""
    return f"<Stmt><Id>1</Id>\n<Acct><Id>{account}</Id><Ccy>{currency}</Ccy></Acct>\n{body}</Stmt>\n"


def message(body: str, kind: str = "camt.053.001.02", name: str = "BkToCstmrStmt") -> str:
    """Return a whole file."""
    start = f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{kind}">'
    return f"{start}<{name}>{body}</{name}></Document>"


PLAIN = message(
    statement(
        balance("OPBD", "100.00")
        + balance("CLBD", "130.50", day="2024-01-31")
        + entry("50.50", "CRDT", details("<RltdPties><Dbtr><Nm>Mill Ltd</Nm></Dbtr></RltdPties><RmtInf><Ustrd>Wages</Ustrd></RmtInf>"))
        + entry()
    )
)


def read(text: str | bytes) -> ingest.Reading:
    """Read a message given as text."""
    return ingest.read("a.xml", text.encode() if isinstance(text, str) else text, settings=SETTINGS)


def row(more: str = "", **given: str) -> dict[str, object]:
    """Return the only row of a statement with one entry."""
    reading = read(message(statement(entry(more=more, **given))))
    assert reading.status != "rejected", reading.problems
    (only,) = reading.rows.to_pylist()
    return only


def said(reading: ingest.Reading) -> str:
    """Return all that is said of a file."""
    return " ".join(problem.message for problem in reading.problems)


def test_a_plain_statement_is_read_whole() -> None:
    reading = read(PLAIN)
    assert (reading.format, reading.status, reading.problems) == ("camt.053", "accepted", [])
    assert (reading.opening, reading.closing, reading.reconciliation) == (100, Decimal("130.5"), "ok")
    first, second = reading.rows.to_pylist()
    assert (first["account"], first["currency"], first["booked_on"]) == ("DE02120300000000202051", "EUR", date(2024, 1, 5))
    assert (first["amount"], first["text"], first["line"]) == (Decimal("50.5"), "Mill Ltd Wages", 1)
    assert (second["amount"], second["line"]) == (-20, 2)


@pytest.mark.parametrize(
    "changed",
    [
        "\ufeff" + PLAIN,
        "\n \n" + PLAIN,
        PLAIN.replace("\n", ""),
        PLAIN.replace(' xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"', ""),
        PLAIN.replace("001.02", "001.13"),
        PLAIN.replace("<Sts>BOOK</Sts>", "<Sts><Cd>BOOK</Cd></Sts>"),
        PLAIN.replace("<Sts>BOOK</Sts>", ""),
        PLAIN.replace("<Dbtr><Nm>Mill Ltd</Nm></Dbtr>", "<Dbtr><Pty><Nm>Mill Ltd</Nm></Pty></Dbtr>"),
        PLAIN.replace("<", "<n:").replace("<n:/", "</n:").replace("<n:?", "<?").replace("xmlns=", "xmlns:n="),
        PLAIN.replace("<Document", "<e:Envelope xmlns:e='x'><Document").replace("</Document>", "</Document></e:Envelope>"),
        PLAIN.replace("<Ntry>", "<!-- a note --><Ntry>", 1),
        PLAIN.replace("Wages", "<![CDATA[Wages]]>"),
        PLAIN.replace("50.50", "50.50000"),
    ],
)
def test_dress_does_not_matter(changed: str) -> None:
    reading = read(changed)
    assert (reading.status, reading.n_transactions, reading.sum_amount) == ("accepted", 2, Decimal("30.5")), reading.problems
    assert reading.rows["text"][0].as_py() == "Mill Ltd Wages"


def test_other_encodings_are_read() -> None:
    assert read(PLAIN.replace("UTF-8", "UTF-16").encode("utf-16")).sum_amount == Decimal("30.5")
    latin = read(PLAIN.replace("UTF-8", "ISO-8859-1").replace("Mill", "Mühle").encode("latin-1"))
    assert latin.rows["text"][0].as_py() == "Mühle Ltd Wages"
    western = read(PLAIN.replace("UTF-8", "windows-1252").replace("Mill", "€ Mill").encode("cp1252"))
    assert western.rows["text"][0].as_py() == "€ Mill Ltd Wages"


def test_the_indicator_decides_the_sign_of_a_reversal_too() -> None:
    returned = row(
        "<RvslInd>true</RvslInd><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>IDDT</Cd><SubFmlyCd>UPDD</SubFmlyCd></Fmly></Domn></BkTxCd>",
        side="CRDT",
    )
    assert (returned["amount"], returned["code"]) == (20, "ISO PMNT-IDDT-UPDD RVSL")
    assert row("<RvslInd>false</RvslInd>")["amount"] == -20


def test_codes_and_words() -> None:
    own = row("<BkTxCd><Prtry><Cd>NTRF+166+9310</Cd></Prtry></BkTxCd>")
    assert own["code"] == "SWIFT NTRF GVC 166"
    assert row("<BkTxCd><Prtry><Cd>544</Cd></Prtry></BkTxCd>")["code"] == "BANK 544"
    domain = "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>SALA</SubFmlyCd></Fmly></Domn></BkTxCd>"
    parties = "<RltdPties><Dbtr><Nm>Mill</Nm></Dbtr><Cdtr><Nm>Me</Nm></Cdtr></RltdPties>"
    remittance = "<RmtInf><Ustrd>Pay</Ustrd><Ustrd>May</Ustrd><Strd><CdtrRefInf><Ref>RF18</Ref></CdtrRefInf></Strd></RmtInf>"
    paid = row(domain + details(f"{parties}<Purp><Cd>SALA</Cd></Purp>{remittance}") + "<AddtlNtryInf>Credit</AddtlNtryInf>", side="CRDT")
    assert (paid["code"], paid["text"]) == ("ISO PMNT-RCDT-SALA PURP SALA", "Mill Pay May RF18 Credit")
    assert row(details(parties))["text"] == "Me"
    assert row("<AcctSvcrRef>B-1</AcctSvcrRef>")["text"] == "B-1"


def test_dates_are_those_printed() -> None:
    assert row(day="<DtTm>2024-01-05T23:30:00-05:00</DtTm>")["booked_on"] == date(2024, 1, 5)
    assert row(day="<Dt>2024-01-05+01:00</Dt>")["booked_on"] == date(2024, 1, 5)
    assert row(day="")["booked_on"] == date(2024, 1, 9)


def test_an_entry_without_a_date_takes_its_statement_s_with_a_warning() -> None:
    text = message(statement("<CreDtTm>2024-02-01T08:00:00</CreDtTm>" + entry(day="").replace("<ValDt><Dt>2024-01-09</Dt></ValDt>", "")))
    assert read(text).rows["booked_on"].to_pylist() == [date(2024, 2, 1)]
    assert "1 entries without booking and value date" in said(read(text))
    assert "has a date" in said(read(text.replace("<CreDtTm>2024-02-01T08:00:00</CreDtTm>", "")))


def test_a_batch_is_opened_only_where_its_details_add_up() -> None:
    parts = [f'<Amt Ccy="EUR">{amount}</Amt><RmtInf><Ustrd>Part {amount}</Ustrd></RmtInf>' for amount in ("12.00", "8.00")]
    opened = read(message(statement(entry(more=details(*parts)))))
    assert (opened.status, opened.rows["amount"].to_pylist(), opened.rows["text"].to_pylist()) == (
        "accepted", [-12, -8], ["Part 12.00", "Part 8.00"],
    )  # fmt: skip
    older = [f'<AmtDtls><TxAmt><Amt Ccy="EUR">{amount}</Amt></TxAmt></AmtDtls>' for amount in ("12.00", "8.00")]
    assert read(message(statement(entry(more=details(*older))))).n_transactions == 2
    mixed = [parts[0].replace("12.00", "25.00") + "<CdtDbtInd>DBIT</CdtDbtInd>", '<Amt Ccy="EUR">5</Amt><CdtDbtInd>CRDT</CdtDbtInd>']
    assert read(message(statement(entry(more=details(*mixed))))).rows["amount"].to_pylist() == [-25, 5]
    for closed in (parts[:1], [*parts, parts[0]], [part.replace("EUR", "USD") for part in parts], ["<Refs/>", "<Refs/>"]):
        assert read(message(statement(entry(more=details(*closed))))).rows["amount"].to_pylist() == [-20]


def test_what_is_not_booked_is_kept_apart() -> None:
    waiting = "".join(entry(status=status) for status in ("PDNG", "INFO", "FUTR"))
    reading = read(message(statement(waiting + entry("7", "CRDT"))))
    assert (reading.status, reading.n_transactions, reading.sum_amount) == ("warned", 1, 7)
    assert reading.dialect["set_aside"] == {"PDNG": 1, "INFO": 1, "FUTR": 1}
    assert "no transaction that is booked (1 pending)" in said(read(message(statement(entry(status="PDNG")))))


def test_balances_by_account() -> None:
    first = statement(balance("PRCD", "10") + balance("CLBD", "30", "DBIT") + balance("CLAV", "9") + entry("40.00"))
    later = statement(balance("OPBD", "30", "DBIT", "2024-02-01") + balance("CLBD", "50", "DBIT", "2024-02-29") + entry())
    other = statement(balance("OPBD", "1") + balance("CLBD", "2") + entry("1", "CRDT"), "<Othr><Id>4711</Id></Othr>")
    for text in (first + later + other, later + first + other):
        reading = read(message(text))
        assert (reading.status, reading.reconciliation) == ("accepted", "ok"), reading.problems
        found = reading.balances["DE02120300000000202051", "EUR"]
        assert (found.opening, found.closing) == (10, -50)
        assert (reading.balances["4711", "EUR"].opening, reading.balances["4711", "EUR"].closing) == (1, 2)
    wrong = read(PLAIN.replace("130.50", "131.00"))
    assert (wrong.status, wrong.reconciliation) == ("warned", "mismatch")
    assert "do not make the closing balance of 131.00" in said(wrong)


def test_several_currencies_of_one_account_have_no_one_balance() -> None:
    dollars = statement(balance("OPBD", "1", currency="USD") + entry().replace("EUR", "USD"), currency="USD")
    reading = read(message(statement(balance("OPBD", "5") + balance("CLBD", "6") + entry("1", "CRDT")) + dollars))
    assert (reading.currency, reading.reconciliation, reading.n_transactions) == (None, "not stated", 2)
    assert "kept in USD and has entries in EUR" in said(read(message(statement(entry(), currency="USD"))))


def test_what_a_statement_says_of_itself_is_held_against_it() -> None:
    summary = "<TxsSummry><TtlNtries><NbOfNtries>3</NbOfNtries></TtlNtries></TxsSummry>"
    assert "counts 3 entries and 1 are listed" in said(read(message(statement(summary + entry()))))
    pages = "<StmtPgntn><PgNb>1</PgNb><LastPgInd>false</LastPgInd></StmtPgntn>"
    assert "not the last page" in said(read(message(statement(pages + entry()))))


def test_reports_and_notifications() -> None:
    body = statement(entry())
    report = read(message(body.replace("Stmt>", "Rpt>"), "camt.052.001.01", "BkToCstmrAcctRptV01"))
    assert (report.format, report.status, report.n_transactions) == ("camt.052", "accepted", 1)
    notice = read(message(body.replace("Stmt>", "Ntfctn>"), "camt.054.001.08", "BkToCstmrDbtCdtNtfctn"))
    assert (notice.format, notice.status, notice.n_transactions, notice.reconciliation) == ("camt.054", "warned", 1, "not stated")


@pytest.mark.parametrize(
    ("old", "new", "line", "value", "why"),
    [
        ("20.00", "12..34", 9, "12..34", "cannot be read"),
        ("20.00", "NaN", 9, "NaN", "cannot be read"),
        ("20.00", "1E400", 9, "1E400", "cannot be read"),
        ("20.00", "INF", 9, "INF", "cannot be read"),
        ("20.00", "12,34", 9, "12,34", "cannot be read"),
        ("20.00", "-20.00", 9, "-20.00", "cannot be read"),
        ("20.00", "20.00001", 9, "20.00001", "cannot be read"),
        ("20.00", "", 9, "", "cannot be read"),
        ("20.00", "9" * 14, 9, "9" * 14, "is more than 1,000,000,000,000"),
        ("<CdtDbtInd>DBIT", "<CdtDbtInd>BOTH", 9, "BOTH", "neither credit (CRDT) nor debit"),
        ("<Sts>BOOK", "<Sts>LOST", 6, "LOST", "neither booked nor pending"),
        ("2024-01-05", "2024-02-30", 6, "2024-02-30", "not a day of the calendar"),
        ("100.00", "1e2", 2, "1e2", "balance '1e2' cannot be read"),
        ("Wages", "x" * 10_001, 8, None, "longer than 10000"),
        ("Wages", "<a>" * 100 + "</a>" * 100, 8, None, "deeper than 50"),
        ("Wages", "&name;", 8, None, "not well-formed"),
        ("Wages", "\x00", 8, None, "not well-formed"),
        ("Wages", "a & b", 8, None, "not well-formed"),
        ("UTF-8", "no-such", None, None, "encoding"),
        ("<Stmt>", "<Stmt><a " + " ".join(f'a{number}=""' for number in range(300)) + "/>", 2, None, "300 attributes"),
    ],
)
def test_what_cannot_be_read_refuses_the_file(old: str, new: str, line: int | None, value: str | None, why: str) -> None:
    reading = read(PLAIN.replace(old, new))
    assert (reading.status, reading.n_transactions, reading.format) == ("rejected", 0, "camt.053")
    problem = reading.problems[0]
    assert why in problem.message
    assert problem.message.startswith("a.xml")
    assert line is None or problem.line == line
    assert value is None or problem.value == value


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE Document [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        "<!doctype Document>",
    ],
)
def test_a_document_type_is_refused_before_anything_is_read(doctype: str) -> None:
    text = PLAIN.replace("<Document", f"{doctype}\n<Document").replace("Wages", "&x;")
    assert "declares a document type" in said(read(text))
    if doctype.startswith("<!DOCTYPE"):
        assert "declares a document type" in said(read(text.replace("UTF-8", "UTF-16").encode("utf-16")))


def test_every_cut_is_refused() -> None:
    for cut in range(60, len(PLAIN) - 1):
        reading = read(PLAIN[:cut])
        assert reading.status == "rejected", cut
    assert "the file is cut off" in said(read(PLAIN[:-30]))


def test_no_statement_is_said_so() -> None:
    assert "holds no statement" in said(read(message("<GrpHdr/>")))
    assert "is no bank statement" in said(read("<Document><x/></Document>"))
    assert "holds no transaction" in said(read(message(statement(balance("OPBD", "1")))))
    assert "could be read" in said(read(message(entry() + statement(entry()))))


@pytest.mark.parametrize("content", [b"", b"a,b\n", b"<html><Document>", b"<OFX>", b"<?xml version='1.0'?><Workbook/>", b"{}", b"\xff\xfe"])
def test_other_files_are_not_claimed(content: bytes) -> None:
    assert camt.recognises(content) == ""


def test_memory_holds_one_entry_at_a_time() -> None:
    batch = details(*["<RmtInf><Ustrd>" + "x" * 5000 + "</Ustrd></RmtInf>"] * 20)
    content = message(statement(entry(more=f"<AddtlNtryInf>n</AddtlNtryInf>{batch}") * 200)).encode()
    tracemalloc.start()
    found = camt.read("a.xml", content, None, SETTINGS.intake)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.rows.num_rows == 200
    assert peak < 5 * PIECE < len(content) / 3


def test_the_shared_statements(shared: Path) -> None:
    folder = shared / "statements"
    with (folder / "EXPECTED.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["file"].endswith(".xml")]
    assert len(rows) == 32
    wrong = []
    for row in rows:
        path = folder / row["source"] / row["file"]
        reading = ingest.read(path.name, path.read_bytes(), settings=SETTINGS)
        if row["role"] == "must-reject":
            assert reading.status == "rejected"
        elif (reading.n_transactions, reading.sum_amount) != (int(row["n_transactions"]), Decimal(row["sum_amount"] or 0)):
            wrong.append(path.name)
    # An amount of '12..34' is refused; a report in which all is pending has nothing that is booked.
    assert wrong == ["camt052.v4.xml", "camt052.v6.Amt-zero.xml", "camt052.v6.xml", "camt053_garbled_amount.xml"]
