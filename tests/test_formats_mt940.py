"""MT940 and MT942: what banks really send, and what is no longer a statement."""

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from creditrisk import ingest
from creditrisk.formats import mt940
from creditrisk.settings import Settings

SETTINGS = Settings()
PLAIN = """:20:JANUARY
:25:DE02120300000000202051
:28C:1/1
:60F:C240101EUR100,00
:61:2401020102CR50,00NTRFNONREF
:86:Wages of January
:61:2401030103DR20,5NMSCNONREF
:86:Corner shop
:62F:C240104EUR129,50
-
"""


def read(text: str | bytes, encoding: str = "utf-8") -> ingest.Reading:
    """Read a statement given as text."""
    return ingest.read("a.sta", text.encode(encoding) if isinstance(text, str) else text, settings=SETTINGS)


def one(movement: str, *more: str, opening: str = "0,") -> dict[str, object]:
    """Return the only row of a statement with one movement."""
    body = "\n".join([f":61:{movement}", *more])
    reading = read(f":20:X\n:25:1\n:28C:1\n:60F:C240101EUR{opening}\n{body}\n:62F:C240131EUR1,\n-\n")
    assert reading.status != "rejected", reading.problems
    (row,) = reading.rows.to_pylist()
    return row


def said(reading: ingest.Reading) -> str:
    """Return all that is said of a file."""
    return " ".join(problem.message for problem in reading.problems)


def test_a_plain_statement_is_read_whole() -> None:
    reading = read(PLAIN)
    assert (reading.format, reading.status, reading.problems) == ("mt940", "accepted", [])
    assert (reading.opening, reading.closing, reading.reconciliation) == (Decimal(100), Decimal("129.5"), "ok")
    first, second = reading.rows.to_pylist()
    assert (first["account"], first["currency"], first["booked_on"]) == ("DE02120300000000202051", "EUR", date(2024, 1, 2))
    assert (first["text"], first["code"], first["line"]) == ("Wages of January", "SWIFT NTRF", 5)
    assert second["amount"] == Decimal("-20.5")


@pytest.mark.parametrize(
    "changed",
    [
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        "\ufeff\n\n" + PLAIN,
        "\x01\n" + PLAIN.replace("\n-\n", "\n-\x03\n"),
        "BANKNL2A\n940\nBANKNL2A\n" + PLAIN,
        PLAIN.removesuffix("-\n").rstrip(),
        "{1:F01BANKDEFFAXXX0000000000}{2:I940BANKDEFFXXXXN}{4:\n" + PLAIN.replace("\n-\n", "\n-}{5:}\n"),
        "{1:F01BANKDEFFAXXX0000000000}{2:I940BANKDEFFXXXXN}{4:" + PLAIN.replace("\n-\n", "-}{5:}"),
        PLAIN.replace(",", "."),
        PLAIN.replace(":62F:C240104EUR129,50", ":62F:C240104EUR0000000000000129,50\n:64:C240104EUR1,00\n:86:closing words"),
    ],
)
def test_dress_does_not_matter(changed: str) -> None:
    reading = read(changed)
    assert (reading.status, reading.n_transactions, reading.sum_amount) == ("accepted", 2, Decimal("29.5")), reading.problems
    assert reading.rows["text"].to_pylist() == ["Wages of January", "Corner shop"]


def test_utf_16_and_code_pages_are_read() -> None:
    assert read(PLAIN, "utf-16").sum_amount == Decimal("29.5")
    words = "Überweisung für Bäckerei Müller an der Löwengrube, Größe und Preis wie üblich"
    assert read(PLAIN.replace("Corner shop", words), "cp1252").rows["text"][1].as_py() == words


@pytest.mark.parametrize(
    ("mark", "amount"),
    [("C", 1), ("D", -1), ("RC", -1), ("RD", 1), ("CR", 1), ("DR", -1), ("RCR", -1), ("RDR", 1), ("DD", -1), ("CF", 1), ("CN", 1)],
)
def test_a_reversed_credit_leaves_and_a_reversed_debit_comes_back(mark: str, amount: int) -> None:
    row = one(f"2401020102{mark}1,00NTRFNONREF")
    assert row["amount"] == amount
    assert str(row["code"]) == ("SWIFT NTRF RVSL" if mark.startswith("R") else "SWIFT NTRF")


def test_expected_movements_are_not_booked() -> None:
    reading = read(PLAIN.replace("0103DR20,5", "0103ED20,5"))
    assert (reading.status, reading.n_transactions, reading.sum_amount) == ("warned", 1, 50)


@pytest.mark.parametrize(
    ("dates", "booked_on"),
    [
        ("240102", date(2024, 1, 2)),
        ("240102    ", date(2024, 1, 2)),
        ("2401021231", date(2023, 12, 31)),
        ("2312310102", date(2024, 1, 2)),
        ("2402300301", date(2024, 3, 1)),
        ("2302290301", date(2023, 3, 1)),
        ("9902280301", date(1999, 3, 1)),
    ],
)
def test_the_entry_date_takes_the_year_nearest_to_the_value_date(dates: str, booked_on: date) -> None:
    assert one(f"{dates}C1,00NTRFNONREF")["booked_on"] == booked_on


@pytest.mark.parametrize(
    ("printed", "amount"), [("1,", "1"), ("500", "500"), ("0,5", "0.5"), ("1.234,50", "1234.5"), ("1,234.50", "1234.5"), (",75", "0.75")]
)
def test_amounts(printed: str, amount: str) -> None:
    assert one(f"2401020102C{printed}NTRFNONREF")["amount"] == Decimal(amount)


def test_descriptions_are_put_together() -> None:
    german = ":86:166?00GUTSCHRIFT?100399?20EREF+1?21SVWZ+Miete fuer die Wohnu?22ng am Markt?30DRESDEFF?31DE12?32Karl?33 Kaufmann"
    row = one("2401020102C1,00NTRFNONREF", german)
    assert (row["text"], row["code"]) == ("GUTSCHRIFT Karl Kaufmann EREF+1 SVWZ+Miete fuer die Wohnu ng am Markt", "SWIFT NTRF GVC 166")
    assert one("240102D1,00NMSCNONREF", ":86:one", ":86:two", "", "three")["text"] == "one two three"
    assert one("240102D1,00NTRFNONREF//BANK1", "CORNER SHOP", ":86:card 4711")["text"] == "card 4711 CORNER SHOP"
    assert one("240102D1,00N0601234567      J. Jansen", ":86:rent")["text"] == "rent J. Jansen"
    assert one("240102D1,00NCHK16703074")["text"] == "16703074"
    assert one("240102D1,00S051", ":NS:01Invoice 7", "15Miller", "17Transfer")["text"] == "Transfer Miller Invoice 7"
    assert one("240102D1,00NTRFX", ":86:called at 2024-01-02T13", ":12:11 today")["text"] == "called at 2024-01-02T13 :12:11 today"
    full = "x" * 64 + "y"
    assert one("240102D1,00NTRFX", f":86:{full}", "z end")["text"] == f"{full}z end"


def test_several_statements_and_accounts() -> None:
    second = PLAIN.replace("C240101EUR100,00", "C240104EUR129,50").replace("EUR129,50\n-", "EUR159,00\n-")
    other = PLAIN.replace("DE02120300000000202051", "4711EUR")
    reading = read(PLAIN + second + other)
    assert (reading.status, reading.n_transactions, reading.accounts) == ("accepted", 6, ["DE02120300000000202051", "4711"])
    assert {name: (found.opening, found.closing) for (name, _), found in reading.balances.items()} == {
        "DE02120300000000202051": (100, 159), "4711": (100, Decimal("129.5")),
    }  # fmt: skip
    backwards = read(second.replace("240104EUR1", "240105EUR1") + PLAIN)
    assert (backwards.opening, backwards.closing, backwards.reconciliation) == (100, 159, "ok")


def test_currencies_of_one_account_are_not_added_to_one_balance() -> None:
    reading = read(PLAIN + PLAIN.replace("EUR", "USD"))
    assert (reading.currency, reading.reconciliation, reading.n_transactions) == (None, "not stated", 4)


def test_a_missing_statement_between_two_is_said() -> None:
    reading = read(PLAIN + PLAIN.replace("C240101EUR100,00", "C240201EUR500,00").replace("EUR129,50", "EUR529,50"))
    assert reading.reconciliation == "mismatch"
    assert "opens with 500.00 and the one before it closed with 129.50: one is missing" in said(reading)


def test_balances_that_do_not_add_up_are_a_warning() -> None:
    reading = read(PLAIN.replace("DR20,5", "DR21,5"))
    assert (reading.status, reading.reconciliation) == ("warned", "mismatch")
    assert "line 1: the opening balance of 100.00 and the movements of 28.50 do not make" in said(reading)


def test_an_interim_report_states_no_balances() -> None:
    report = ":20:X\n:25:1\n:28C:1\n:34F:EURD0,\n:13D:2401021815+0100\n:61:2401020102D5,NTRFNONREF\n:86:shop\n:90D:1EUR5,\n"
    reading = read(report)
    assert (reading.format, reading.status, reading.sum_amount, reading.currency) == ("mt942", "warned", -5, "EUR")
    assert "nothing confirms its movements" in said(reading)
    assert "counts 2 movements of 6 where 1 of 5 are listed" in said(read(report.replace("90D:1EUR5", "90D:2EUR6")))
    assert "cut off" in said(read(report.partition(":90D:")[0]))
    assert read("{1:F01X}{2:O942X}{4:\n:20:X\n-}").format == "mt942"


@pytest.mark.parametrize(
    ("old", "new", "line", "value", "why"),
    [
        ("50,00", "NaN", 5, "2401020102CRNaNNTRFNONREF", "cannot be read"),
        ("50,00", "1E400", 5, "2401020102CR1E400NTRFNONREF", "cannot be read"),
        ("50,00", "Infinity", 5, "2401020102CRInfinityNTRFNONREF", "cannot be read"),
        ("50,00", "5O,00", 5, "2401020102CR5O,00NTRFNONREF", "cannot be read"),
        ("50,00", "-50,00", 5, "2401020102CR-50,00NTRFNONREF", "cannot be read"),
        ("50,00", "5,0,0", 5, "5,0,0", "cannot be read"),
        ("50,00", "1.050", 5, "1.050", "cannot be read"),
        ("50,00", "9999999999999,00", 5, "9999999999999.00", "not a sum of money"),
        ("50,00", "0,00001", 5, "0.00001", "at most four decimals"),
        ("2401020102", "2413020102", 5, "2413020102", "not a day of the calendar"),
        ("2401020102", "2402300230", 5, "2402300230", "not a day of the calendar"),
        ("2401020102", "240230", 5, "240230", "not a day of the calendar"),
        ("0102CR50", "010250", 5, None, "cannot be read as date, C or D, and amount"),
        ("EUR100,00", "EURx", 4, "C240101EURx", "balance"),
        ("240104EUR", "240104USD", 9, "USD", "in EUR and in USD"),
        ("Corner", "x" * 10_001, 8, None, "longer than 10000"),
        ("Corner", "x\n" * 10_001, 7 + 1, None, "longer than 10000"),
        (":62F:C240104EUR129,50\n-\n", "", 1, None, "no closing balance"),
        (":62F:C240104EUR129,50\n-\n", ":62F:C240104EUR12", 1, "12", "cut off"),
        (":62F:C240104EUR129,50\n-\n", ":62F:C240104EUR129,50\n:2", 10, ":2", "cut off"),
        ("Corner", "Cor\0ner", None, None, "NUL"),
        (":60F:C240101EUR100,00\n", ":60F:C240101EUR100,00\n:60F:C240101EUR100,00\n", 5, None, "second opening"),
    ],
)
def test_a_line_that_cannot_be_read_refuses_the_file(old: str, new: str, line: int | None, value: str | None, why: str) -> None:
    reading = read(PLAIN.replace(old, new))
    assert (reading.status, reading.n_transactions, reading.format) == ("rejected", 0, "mt940")
    problem = reading.problems[0]
    assert why in problem.message
    assert problem.message.startswith("a.sta")
    assert line is None or problem.line == line
    assert value is None or problem.value == value


def test_every_cut_is_refused_or_has_all_movements() -> None:
    envelope = "{1:F01BANKDEFFAXXX0000000000}{2:I940BANKDEFFXXXXN}{4:\n"
    whole = envelope + PLAIN.replace("\n-\n", "\n-}\n") + envelope + PLAIN.replace("2401", "2402").replace("\n-\n", "\n-}\n")
    first_ends, second_begins = whole.index(":62F:"), whole.index("{1:", 10)
    for cut in range(10, len(whole)):
        reading = read(whole[:cut])
        between = first_ends + len(":62F:C240104EUR129,5") <= cut <= second_begins + 1  # the first message is whole
        assert reading.status == "rejected" or reading.n_transactions == 4 or between, (cut, whole[:cut][-30:])


def test_fragments_and_empty_statements_are_refused_in_words() -> None:
    assert "fragment of a statement" in said(read(":25:51210600/9223382012EUR\n"))
    assert "fragment of a statement" in said(read(":61:1409010902DR1,62NTRF123//456\n:86:171?00X\n"))
    assert "no statement in it" in said(read(":86:091\n-\n"))
    assert "holds no transaction" in said(
        read(":20:1\n:25:1\n:28C:1\n:60F:C180410TRY0000000000000000,00\n:62F:C180410TRY0000000000000000,00\n")
    )
    assert "8 transactions" in said(read(PLAIN.replace("Corner shop", "Corner" + " :61:240102D1,00" * 6)))


@pytest.mark.parametrize("content", [b"", b"Date,Text,Amount\n", b"<OFX>", b"%PDF-1.4", b'{"a": ":20:"}', b"1\n2\n", b"\xff\xfe"])
def test_other_files_are_not_claimed(content: bytes) -> None:
    assert mt940.recognises(content) == ""


def test_hostile_sizes_stay_cheap() -> None:
    reading = read(PLAIN.replace("-\n", "\n" * 200_000 + "-\n"))
    assert reading.status == "accepted"
    assert "cannot be read" in said(read(PLAIN.replace(":61:2401020102CR50,00", ":61:" * 500)))


def test_the_shared_statements(shared: Path) -> None:
    folder = shared / "statements"
    with (folder / "EXPECTED.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["format"] == "mt940"]
    assert len(rows) == 55
    wrong = []
    for row in rows:
        path = folder / row["source"] / row["file"]
        reading = ingest.read(path.name, path.read_bytes(), settings=SETTINGS)
        same = (reading.n_transactions, reading.sum_amount) == (int(row["n_transactions"]), Decimal(row["sum_amount"]))
        if row["role"].startswith("statement") and not same:
            wrong.append(path.name)
        if row["role"] in ("empty", "fragment"):
            assert reading.status != "accepted", path.name
    assert wrong == ["gv_codes.sta"]  # it has no closing balance, so nothing tells it from a file that was cut off


def test_lines_may_end_in_two_at_signs() -> None:
    folded = "@@" + PLAIN.strip().replace("\n", "@@")
    reading = read(folded)
    assert (reading.format, reading.status, reading.sum_amount) == ("mt940", "accepted", read(PLAIN).sum_amount), reading.problems
    assert reading.rows["text"].to_pylist() == ["Wages of January", "Corner shop"]
    assert read(folded.removeprefix("@@") + "@@").rows["amount"].equals(reading.rows["amount"])
    report = "@@:20:X@@:25:1@@:28C:0@@:34F:EUR 9,@@:13:1604202255@@:61:160421D0,02NMSCX@@:86:me@@you.example@@:90D:1EUR,02@@:90C:EUR,00"
    reading = read(report)
    assert (reading.format, reading.n_transactions, reading.sum_amount) == ("mt942", 1, Decimal("-0.02")), said(reading)
    assert "where" not in said(reading), "totals without a whole part or a count agree"
    assert read(PLAIN.replace("Corner shop", "me@@:61:you")).n_transactions == 2, "in a file with lines it is no line end"


def test_no_reference_is_no_type_of_transaction() -> None:
    assert one("2401020102C1,00NONREF")["code"] == ""
    assert one("2401020102C1,00NCOMNONREF")["code"] == "SWIFT NCOM"
