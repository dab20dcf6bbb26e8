"""QIF: records to their `^`, dates told by all of them, splits in one piece, lists and trades left aside."""

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from creditrisk import ingest
from creditrisk.settings import Settings

GOOD = "!Type:Bank\nD01/05/2024\nT-12.50\nPCORNER SHOP\nMcard 1\nLFood\n^\nD01/16/2024\nT2,000.00\nPACME WAGES\n^\n"


def read(text: str | bytes, profile: str | None = None, settings: Settings | None = None) -> ingest.Reading:
    """Read a file given as text."""
    content = text.encode() if isinstance(text, str) else text
    return ingest.read("a.qif", content, profile=profile, settings=settings or Settings())


def days(reading: ingest.Reading) -> list[date]:
    """Return the days as read."""
    return list(reading.rows["booked_on"].to_pylist())


@pytest.mark.parametrize("text", [GOOD, GOOD.replace("\n", "\r\n"), GOOD.replace("\n", "\r"), "# by hand\n\n" + GOOD, "^\n" + GOOD])
def test_a_plain_file_is_read_whole(text: str) -> None:
    reading = read(text)
    assert (reading.status, reading.format) == ("accepted", "qif"), reading.problems
    assert (reading.n_transactions, reading.sum_amount) == (2, Decimal("1987.50"))
    assert days(reading) == [date(2024, 1, 5), date(2024, 1, 16)]
    assert reading.rows["text"].to_pylist() == ["CORNER SHOP card 1", "ACME WAGES"]
    assert text.splitlines()[reading.rows["line"].to_pylist()[1] - 1] == "D01/16/2024"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("1/ 5'24", "1/16'24", date(2024, 1, 5)),
        ("1/5' 4", "1/16' 4", date(2004, 1, 5)),
        ("05/01/24", "16/01/24", date(2024, 1, 5)),
        ("05.01.2024", "16.01.2024", date(2024, 1, 5)),
        ("2024-01-05", "2024-01-16", date(2024, 1, 5)),
        ("5 Jan 2024", "16 Jan 2024", date(2024, 1, 5)),
        ("1-5-2024", "1-16-2024", date(2024, 1, 5)),
    ],
)
def test_dates_are_told_by_all_of_them(first: str, second: str, expected: date) -> None:
    assert days(read(GOOD.replace("01/05/2024", first).replace("01/16/2024", second)))[0] == expected


def test_dates_nothing_decides_are_refused_and_a_profile_decides(tmp_path: Path) -> None:
    text = GOOD.replace("01/05/2024", "03/04/2024").replace("01/16/2024", "05/06/2024")
    refused = read(text)
    assert (refused.status, refused.problems[0].line, refused.problems[0].value) == ("rejected", 2, "03/04/2024")
    assert '--profile) with date_format = "%d/%m/%Y" or date_format = "%m/%d/%Y"' in refused.problems[0].message
    (tmp_path / "banks").mkdir()
    (tmp_path / "banks" / "mine.toml").write_text('date_format = "%m/%d/%Y"\ncurrency = "USD"\n', encoding="utf-8")
    decided = read(text, "mine", Settings(data=tmp_path))
    assert (days(decided)[0], decided.currency) == (date(2024, 3, 4), "USD")


def test_a_split_is_one_transaction_and_its_parts_must_add_up() -> None:
    text = GOOD.replace("LFood\n", "SFood\nD1/1/1999\nEbread\n$-10.00\nSHousehold\n$-2.50\n")
    assert read(text).status == "accepted"
    assert read(text).sum_amount == Decimal("1987.50")
    broken = read(text.replace("$-2.50", "$-2.00"))
    assert (broken.status, broken.sum_amount) == ("warned", Decimal("1987.50"))
    assert "do not add up" in broken.problems[0].message


def test_several_accounts_are_told_apart_by_name_and_one_needs_none() -> None:
    account = "!Account\nN{}\nTBank\n^\n"
    two = read("!Option:AutoSwitch\n" + account.format("A") + account.format("B") + "!Clear:AutoSwitch\n" + account.format("A") + GOOD
               + account.format("B") + GOOD.replace("!Type:Bank", "!Type:CCard"))  # fmt: skip
    assert (two.accounts, two.n_transactions) == (["A", "B"], 4)
    assert read(account.format("Checking") + GOOD).accounts == [""]


def test_lists_are_left_out_and_trades_set_aside() -> None:
    lists = "!Type:Cat\nNFood\nDBread and so on\n^\n!Type:Class\nNX\n^\n"
    assert read(lists + GOOD).n_transactions == 2
    trades = "!Type:Invst\nD01/17/2024\nNBuy\nYACME\nT100.00\n^\nD01/18/2024\nNCash\nT-3.00\nPFee\n^\n"
    mixed = read(GOOD + trades)
    assert (mixed.status, mixed.n_transactions, mixed.sum_amount) == ("warned", 3, Decimal("1984.50"))
    assert "1 trades" in mixed.problems[0].message
    assert "1 trades in securities" in read(trades.partition("D01/18")[0]).problems[0].message
    assert read(trades.partition("D01/18")[0]).status == "rejected"


def test_what_the_structure_says() -> None:
    text = GOOD.replace("PCORNER SHOP", "POpening Balance").replace("LFood", "L[Mine]").replace("PACME WAGES", "NATM\nPX")
    reading = read(text)
    assert reading.rows["code"].to_pylist() == ["QIF OPENING OUT", "QIF ATM"]
    assert (reading.status, "opening balance" in reading.problems[0].message) == ("warned", True)


def test_a_decimal_comma() -> None:
    assert read(GOOD.replace("-12.50", "-12,50").replace("2,000.00", "2.000,00")).sum_amount == Decimal("1987.50")


@pytest.mark.parametrize(
    ("text", "line", "value", "said"),
    [
        (GOOD[:-2], 8, None, "cut off"),
        (GOOD.replace("^\n", "", 1).replace("D01/16", "!Type:Cash\nD01/16"), 2, None, "no end (^)"),
        (GOOD.replace("-12.50", "12..34"), 2, "12..34", "'12..34' is not an amount"),
        (GOOD.replace("-12.50", "NaN"), 2, "NaN", "is not an amount"),
        (GOOD.replace("-12.50", "1E400"), 2, "1E400", "is not an amount"),
        (GOOD.replace("-12.50", "-9000000000000.00"), 2, "-9000000000000.00", "within ± 1,000,000,000,000"),
        (GOOD.replace("T-12.50\n", ""), 2, "", "has no amount"),
        (GOOD.replace("D01/16/2024\n", ""), 8, None, "has no date"),
        (GOOD + GOOD[11:].replace("01/16", "02/30"), 18, "02/30/2024", "not a date of the calendar"),
        (GOOD.replace("Bank", "Nonsense"), 1, "!Type:Nonsense", "is no section"),
        (GOOD.replace("CORNER", "C" * 20_000), 4, None, "longer than 10000"),
        (GOOD.replace("CORNER", "C\x00"), None, None, "NUL"),
        ("!Account\nNMine\nTBank\n^\n", None, None, "no transaction of a bank"),
        ("!Type:Bank\n", None, None, "no transaction of a bank"),
    ],
)
def test_a_bad_file_is_refused_by_name_line_and_value(text: str, line: int | None, value: str | None, said: str) -> None:
    reading = read(text)
    assert (reading.status, reading.format, reading.n_transactions) == ("rejected", "qif", 0)
    problem = reading.problems[0]
    assert (problem.line, problem.value) == (line, value)
    assert problem.message.startswith("a.qif")
    assert said in problem.message


def test_the_samples(shared: Path) -> None:
    folder = shared / "statements"
    with (folder / "EXPECTED.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["format"] == "qif"]
    for row in rows:
        path = folder / row["source"] / row["file"]
        reading = ingest.read(path.name, path.read_bytes(), settings=Settings())
        assert (reading.n_transactions, reading.sum_amount) == (int(row["n_transactions"]), Decimal(row["sum_amount"])), path.name
        assert (reading.status == "rejected") == (row["role"] == "no-transactions"), path.name


def test_old_programs_end_a_record_with_two_carets() -> None:
    reading = read(GOOD.replace("^\n", "^^\n") + "^^\n")
    assert (reading.status, reading.n_transactions, reading.sum_amount) == ("accepted", 2, Decimal("1987.50")), reading.problems
    assert read("!Type:Cat\nNBonus\nDIncome\nI\n^^\n" + GOOD.replace("^", "^^")).n_transactions == 2
