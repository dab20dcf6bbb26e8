"""PDF statements: columns from places, signs from headings or balances, years from the statement, and doubt where nothing confirms."""

import random
import zlib
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from creditrisk import ingest
from creditrisk.settings import Settings
from tests.papers import Put, assembled, pdf, table

Lines = list[tuple[float, list[Put]]]
ENDS = (40, 110, -380, -460, -550)
TOP: Lines = [
    (40, [(40, "Bank of Nowhere plc")]),
    (55, [(40, "Account number: 12-34-56 12345678"), (300, "Sums in GBP")]),
    (70, [(40, "Statement period 15 December 2023 to 14 January 2024")]),
]
ROWS = [
    ["Date", "Details", "Paid out", "Paid in", "Balance"],
    ["", "Balance brought forward", "", "", "1,000.00"],
    ["20 Dec", "CORNER SHOP 3217", "25.40", "", "974.60"],
    ["", "LONDON 3.20 IN CASH", "", "", ""],
    ["3 Jan", "ACME LTD WAGES", "", "2,000.00", ""],
    ["", "COFFEE", "3.20", "", "2,971.40"],
    ["14 Jan", "RENT", "1,200.00", "", "1,771.40"],
    ["", "Balance carried forward", "", "", "1,771.40"],
    ["", "Total paid out", "1,228.60", "", ""],
    ["", "Total paid in", "", "2,000.00", ""],
]


def read(content: bytes, profile: str | None = None, settings: Settings | None = None) -> ingest.Reading:
    """Read a PDF given as bytes."""
    return ingest.read("a.pdf", content, profile=profile, settings=settings or Settings())


def said(reading: ingest.Reading) -> str:
    """Return all sentences of a reading."""
    return " ".join(problem.message for problem in reading.problems)


def amounts(reading: ingest.Reading) -> list[str]:
    """Return the amounts as text."""
    return [f"{amount:.2f}" for amount in reading.rows["amount"].to_pylist()]


@pytest.mark.parametrize("turn", [0, 90, 180])
def test_columns_days_without_a_year_and_lines_without_a_day(turn: int) -> None:
    reading = read(pdf([TOP + table(ROWS, ENDS)], turn=turn))
    assert (reading.status, reading.format, reading.reconciliation) == ("accepted", "pdf", "ok"), reading.problems
    assert amounts(reading) == ["-25.40", "2000.00", "-3.20", "-1200.00"]
    assert reading.rows["booked_on"].to_pylist() == [date(2023, 12, 20), date(2024, 1, 3), date(2024, 1, 3), date(2024, 1, 14)]
    assert reading.rows["text"].to_pylist()[0].startswith("CORNER SHOP 3217 LONDON")
    assert (reading.accounts, reading.currency) == (["12345678"], "GBP")
    assert (reading.opening, reading.closing) == (Decimal(1000), Decimal("1771.40"))


def test_pages_go_on_and_what_stands_between_them_is_no_transaction() -> None:
    second = [ROWS[0], ["", "Balance brought forward", "", "", "1,771.40"], ["14 Jan", "BUS", "1.40", "", "1,770.00"]]
    footer: Lines = [(800, [(40, "Page 1 of 2"), (200, "Registered in England 12.34")])]
    reading = read(pdf([TOP + table(ROWS[:8], ENDS) + footer, TOP + table(second, ENDS)]))
    assert (reading.reconciliation, reading.n_transactions, amounts(reading)[-1]) == ("ok", 5, "-1.40"), reading.problems


def test_amounts_without_a_sign_get_it_from_the_balance() -> None:
    rows = [
        ["Datum", "Verwendungszweck", "Betrag", "Saldo"],
        ["01.02.2024", "Alter Kontostand", "", "500,00"],
        ["02.02.2024", "Markt", "20,00", "480,00"],
        ["03.02.2024", "Lohn", "1.500,00", "1.980,00"],
        ["05.02.2024", "Bar", "10,00", ""],
        ["05.02.2024", "Bar", "15,00", "1.955,00"],
    ]
    ends = (40, 110, -400, -500)
    reading = read(pdf([table(rows, ends)]))
    assert (amounts(reading), reading.reconciliation) == (["-20.00", "1500.00", "-10.00", "-15.00"], "ok"), reading.problems
    refused = read(pdf([table([rows[0], *rows[2:]], ends)]))  # without the opening balance the first one could be either
    assert refused.status == "rejected"
    assert "the running balance does not say of every one whether it came in or went out" in said(refused)


def test_columns_without_headings_are_told_by_the_balance_or_refused() -> None:
    reading = read(pdf([TOP + table(ROWS[1:8], ENDS)]))
    assert reading.status == "rejected"
    plain = [[day, text, out, into, balance] for day, text, out, into, balance in ROWS[2:7] if balance and day]
    plain.insert(1, ["3 Jan", "WAGES", "", "2,000.00", "2,974.60"])
    plain.insert(2, ["3 Jan", "COFFEE", "3.20", "", "2,971.40"])
    reading = read(pdf([TOP + table(plain, ENDS)]))
    assert amounts(reading) == ["-25.40", "2000.00", "-3.20", "-1200.00"], reading.problems
    blind = read(pdf([TOP + table([row[:4] for row in plain], ENDS[:4])]))
    assert "neither headings nor running balances say" in said(blind)


def test_signs_as_printed_and_doubt_where_nothing_confirms() -> None:
    rows = [
        ["Date", "Description", "Amount"],
        ["01/15/2024", "SHOP", "-$20.00"],
        ["01/16/2024", "WAGES", "1,500.00"],
        ["01/17/2024", "X", "12.00 CR"],
    ]
    reading = read(pdf([table(rows, (40, 140, -400))]))
    assert (amounts(reading), reading.status) == (["-20.00", "1500.00", "12.00"], "warned")
    assert "neither balances nor totals on the statement confirm" in said(reading)


def test_printed_totals_that_do_not_match_are_said() -> None:
    rows = [row if "Total paid out" not in row[1] else ["", "Total paid out", "1,300.00", "", ""] for row in ROWS]
    reading = read(pdf([TOP + table(rows, ENDS)]))
    assert reading.status == "warned"
    assert "prints 1300.00 as its total of money out, and the transactions read come to 1228.60" in said(reading)
    lost = read(pdf([TOP + table([*ROWS[:6], *ROWS[7:]], ENDS)]))
    assert "goes from 1000.00 to 1771.40" in said(lost)


def test_a_card_prints_what_is_owed() -> None:
    top: Lines = [(40, [(40, "Statement date 02/05/2024   Credit limit 5,000.00")]), (60, [(40, "Previous balance"), (-500, "1,500.00")])]
    rows = [
        ["Trans date", "Post date", "Description", "Amount"],
        ["01/13", "01/14", "STORE 12", "20.00"],
        ["01/20", "01/21", "PAYMENT", "-1,500.00"],
    ]
    reading = read(pdf([[*top, (70, [(40, "New balance"), (-500, "20.00")]), *table(rows, (40, 140, 240, -500))]]))
    assert (amounts(reading), reading.reconciliation) == (["-20.00", "1500.00"], "ok"), reading.problems
    assert reading.rows["booked_on"].to_pylist() == [date(2024, 1, 13), date(2024, 1, 20)]
    assert "credit card's statement" in said(reading)


def test_days_that_can_be_read_two_ways_are_refused_and_a_profile_decides(tmp_path: Path) -> None:
    rows = [["Date", "Description", "Amount"], ["03/04", "A", "-1.00"], ["02/05", "B", "2.00"], ["04/03", "C", "2.00"]]
    content = pdf([[(40, [(40, "1 January 2024 to 31 December 2024")]), *table(rows, (40, 140, -400))]])
    refused = read(content)
    assert "no year and can be read in more than one way" in said(refused)
    (tmp_path / "banks").mkdir()
    (tmp_path / "banks" / "mine.toml").write_text('date_format = "%d/%m"\n', encoding="utf-8")
    decided = read(content, "mine", Settings(data=tmp_path))
    assert decided.rows["booked_on"].to_pylist()[0] == date(2024, 4, 3), decided.problems
    assert "no date on the statement names one" in said(read(pdf([table(rows, (40, 140, -400))])))


@pytest.mark.parametrize("seed", range(6))
def test_what_was_printed_is_what_is_read(seed: int) -> None:
    """A made-up statement, laid out in columns over pages, comes back row by row."""
    dice = random.Random(seed)
    day, balance, made, rows = date(2023, dice.randint(1, 12), 1), Decimal(dice.randint(0, 10**6)) / 100, [], []
    opening = balance
    for _ in range(dice.randint(5, 60)):
        day += timedelta(dice.randint(0, 3))
        amount = Decimal(dice.randint(-300_000, 200_000) or 1) / 100
        balance += amount
        made.append((day, amount))
        cells = [f"{-amount:,.2f}" if amount < 0 else "", f"{amount:,.2f}" if amount > 0 else "", f"{balance:,.2f}"]
        rows.append([day.strftime("%d %b %Y"), f"PAYEE {dice.randint(1, 99999)}", *cells])
        if dice.random() < 0.3:
            rows.append(["", f"REF {dice.randint(1, 10**9)}", "", "", ""])
    head = ["Date", "Description", "Debit", "Credit", "Balance"]
    first = ["", "Opening balance", "", "", f"{opening:,.2f}"]
    pages = [table([head, *([first] if start == 0 else []), *rows[start : start + 40]], ENDS) for start in range(0, len(rows), 40)]
    reading = read(pdf(pages, size=dice.choice([7, 8, 9])))
    assert list(zip(reading.rows["booked_on"].to_pylist(), reading.rows["amount"].to_pylist(), strict=True)) == made, reading.problems
    assert reading.reconciliation == "ok"


def packed(stream: bytes) -> bytes:
    """Make a page of a compressed stream."""
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>",
    ]
    objects.append("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Resources << /Font << /F1 3 0 R >> >> >>")
    body = zlib.compress(stream, 9)
    head = assembled(objects).split(b"xref")[0]
    last = b"5 0 obj\n<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(body) + body + b"\nendstream\nendobj\n"
    return head + last + b"trailer << /Root 1 0 R /Size 6 >>\n%%EOF"


ONE = [table([["01/13/2024", "STORE", "-5.00"]], (40, 150, -400))]
LOCK = f"/ID [<00><00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{'11' * 32}> /U <{'22' * 32}> >>"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (pdf([[]]), "has no text, only pictures"),
        (pdf([table([["Hello", "you"]], (40, 90))]), "no line of the PDF reads as a transaction"),
        (pdf(ONE, extra=LOCK), "protected with a password"),
        (b"%PDF-1.7\n" + bytes(range(256)) * 40, "damaged or cut off"),
        (pdf(ONE)[:200], "damaged or cut off"),
        (b"%PDF-1.4\n1 0 obj\n" + b"[" * 200_000 + b"\nendobj\ntrailer<</Root 1 0 R>>\n%%EOF", "damaged or cut off"),
        (pdf(ONE).replace(b"/Kids [5 0 R]", b"/Kids [2 0 R]"), "damaged"),
        (pdf(ONE * 401), "401 pages, more than the 400 allowed"),
        (packed(b" " * 200_000_000), "has no text"),
        (packed(b"BT /F1 9 Tf " + b"(aaaaaaaaaa) Tj " * 400_000 + b"ET"), "the process that tried to read it broke off"),
        (pdf([table([["01/13/2024", "A", "5.00"]], (40, 150, -400)), table([["01/14/2024", "B", "9"]], (40, 150, -400))]), "nothing"),
    ],
    ids=["scan", "letter", "locked", "garbage", "cut", "deep", "loop", "pages", "flate", "operators", "odd"],
)
def test_hostile_papers_are_refused_in_words(content: bytes, expected: str) -> None:
    reading = read(content)
    if expected == "nothing":  # not refused, but doubted
        assert reading.status == "warned"
        return
    assert (reading.status, reading.format, reading.n_transactions) == ("rejected", "pdf", 0)
    assert expected in said(reading)


def test_white_rows_are_not_income() -> None:
    seen = table([["Date", "Description", "Amount"], ["01/13/2024", "STORE", "-5.00"], ["01/14/2024", "GIFT", "9,000.00"]], (40, 150, -400))
    assert read(pdf([seen])).n_transactions == 2
    assert read(pdf([seen], white=["Date", "Description", "Amount"])).n_transactions == 2  # a heading may stand white on a bar
    assert "page 1 (01/14/2024) cannot be seen" in said(read(pdf([seen], white=["9,000.00"])))
    assert "as in a scan that was read by a machine" in said(read(pdf([seen], white=["-5.00", "9,000.00"])))


def test_a_balance_that_goes_from_page_to_page_is_no_opening_balance() -> None:
    first = [ROWS[0], ["13 Jan", "WAGES", "", "1,000.00", "1,500.00"], ["", "Balance carried forward", "", "", "1,500.00"]]
    second = [ROWS[0], ["", "Balance brought forward", "", "", "1,500.00"], ["14 Jan", "BUS", "1.40", "", "1,498.60"]]
    reading = read(pdf([TOP + table(first, ENDS), table(second, ENDS)]))
    assert amounts(reading) == ["1000.00", "-1.40"]
    assert "goes from" not in said(reading)
