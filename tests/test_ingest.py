"""Statement files: exact, whole or not at all, refused in sentences, stored once."""

import csv
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import settings as run
from hypothesis import strategies as st

from creditrisk import grid, ingest
from creditrisk import store as stores
from creditrisk.errors import NotAllowed, UnknownThing
from creditrisk.formats import delimited
from creditrisk.settings import Settings
from creditrisk.store import Store

SETTINGS = Settings()
GOOD = """Date,Description,Amount,Balance
2024-01-05,SALARY ACME LTD,2500.00,3000.00
2024-01-06,RENT 14 ELM ROAD,-900.00,2100.00
2024-01-16,FRESHFIELD GROCERS,-45.10,2054.90
"""


def read(text: str | bytes, name: str = "a.csv", profile: str | None = None, settings: Settings = SETTINGS) -> ingest.Reading:
    """Read a file given as text."""
    return ingest.read(name, text.encode() if isinstance(text, str) else text, profile=profile, settings=settings)


def amounts(reading: ingest.Reading) -> list[Decimal]:
    """Return the amounts as read."""
    return [Decimal(value) for value in reading.rows["amount"].to_pylist()]


def declared(tmp_path: Path, text: str) -> Settings:
    """Return settings of a workspace that has one bank profile called `mine`."""
    (tmp_path / "banks").mkdir()
    (tmp_path / "banks" / "mine.toml").write_text(text, encoding="utf-8")
    return Settings(data=tmp_path)


def test_a_plain_file_is_read_whole() -> None:
    reading = read(GOOD)
    assert reading.status == "accepted", reading.problems
    assert (reading.n_transactions, reading.sum_amount) == (3, Decimal("1554.90"))
    assert (reading.opening, reading.closing, reading.reconciliation) == (Decimal(500), Decimal("2054.90"), "ok")
    assert reading.rows["booked_on"].to_pylist()[0] == date(2024, 1, 5)
    assert reading.rows["line"].to_pylist() == [2, 3, 4]


def test_a_column_of_cents_is_read_as_cents_unless_it_has_decimals() -> None:
    text = "Date,Description,Amount (cents)\n2024-01-05,RENT,{}\n2024-01-16,SALARY,{}\n"
    assert amounts(read(text.format("-1050", "10000"))) == [Decimal("-10.50"), Decimal("100.00")]
    assert amounts(read(text.format("-10.50", "100.00"))) == [Decimal("-10.50"), Decimal("100.00")]


# ---- refusals: one clear sentence each --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "line", "value", "said"),
    [
        (b"", None, None, "the file is empty"),
        (b"\xef\xbb\xbf\r\n \n", None, None, "the file is empty"),
        (b"%PDF-1.4 \n%%EOF", None, None, "the PDF is damaged or cut off"),
        (b"PK\x03\x04\x14\x00", None, None, "Excel workbook"),
        (b"Date,Description,Amount\n", None, None, "a heading and no row"),
        (b"Date,Description,Amount\n\n,,\n", 3, None, "no value of column 'Date' is a date"),
        (GOOD.replace("-900.00", "-9x0.00").encode(), 3, "-9x0.00", "'-9x0.00' in column 'Amount' is not an amount"),
        (GOOD.replace("-900.00", "NaN").encode(), 3, "NaN", "'NaN' in column 'Amount'"),
        (GOOD.replace("-900.00", "1E400").encode(), 3, "1E400", "'1E400' in column 'Amount'"),
        (GOOD.replace("-900.00", "").encode(), 3, "", "the amount '' in column 'Amount' is empty"),
        (GOOD.replace("-900.00", "-9000000000000.00").encode(), 3, "-9000000000000.00", "is beyond ± 1,000,000,000,000"),
        (GOOD.replace("2100.00", "21oo.00").encode(), 3, "21oo.00", "the balance '21oo.00' in column 'Balance'"),
        (GOOD.replace("2024-01-06", "2024-02-31").encode(), 3, "2024-02-31", "'2024-02-31' in column 'Date' is not a date of the calendar"),
        (GOOD.replace("2024-01-06", "").encode(), 3, "", "without a date"),
        (GOOD.replace("2024-01-06,RENT", "2024-02-31,TOTAL FUEL").encode(), 3, "2024-02-31", "is not a date of the calendar"),
        (GOOD.replace("2024-01-06,RENT", ",TOTAL FUEL").encode(), 3, "", "without a date"),
        (b"Date,Details,Amount\n16/01/2024,TOTAL FUEL,\n17/01/2024,Pay,5.00\n", 2, "", "is empty"),
        (GOOD.replace("2024-01-06", "someday").encode(), 3, "someday", "'someday' in column 'Date'"),
        (GOOD[:-18].encode(), 4, None, "cut off"),
        (GOOD[:-1].replace("2054.90", "20").encode(), 4, "20", "cut off"),
        (GOOD.replace("FRESHFIELD", '"FRESHFIELD').encode(), 4, None, "never closes"),
        (GOOD.replace("-900.00", "5,-900.00").encode(), 3, None, "5 cells where the heading has 4"),
        (GOOD.replace("ELM", "ELM\x00").encode(), None, None, "NUL"),
    ],
)
def test_a_bad_file_is_refused_by_file_line_and_value(content: bytes, line: int | None, value: str | None, said: str) -> None:
    reading = ingest.read("up/to/bank.csv", content, settings=SETTINGS)
    assert reading.status == "rejected"
    assert reading.n_transactions == 0
    problem = reading.problems[0]
    assert (problem.line, problem.value) == (line, value)
    assert said in problem.message
    assert problem.message.startswith("bank.csv" if line is None else f"bank.csv, line {line}:")


def test_every_bad_row_is_listed_and_nothing_is_stored(store: Store) -> None:
    reading = read(GOOD.replace("-900.00", "x1").replace("-45.10", "x2"))
    assert [problem.line for problem in reading.problems] == [3, 4]
    (saved,) = ingest.save(store, [reading], user="ana")
    assert (saved.n_new, saved.n_duplicate, saved.statement_id) == (0, 0, None)
    assert store.value("select count(*) from statement") == 0
    assert store.value("select count(*) from audit") == 0


def test_limits_are_said(tmp_path: Path) -> None:
    wide = ",".join(["Date", "Description", "Amount", *(f"c{number}" for number in range(500))])
    assert "503 columns" in read(f"{wide}\n2024-01-05,x,1.00{',' * 500}\n").problems[0].message
    assert "longer than 10000 characters" in read(GOOD.replace("RENT", "R" * 20_000)).problems[0].message


def test_an_unknown_profile_is_a_bad_request() -> None:
    with pytest.raises(UnknownThing, match="berka"):
        read(GOOD, profile="nobody")


# ---- dialects ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Datum;Text;Betrag\n05.01.2024;Miete;-1.234,56\n16.01.2024;Lohn;+2.000,00\n", ["-1234.56", "2000"]),
        ("Date,Details,Debit,Credit\n16/01/2024,Rent,900.00,\n17/01/2024,Pay,0.00,2500.00\n", ["-900", "2500"]),
        ("Date,Details,Debit,Credit\n16/01/2024,Rent,-900.00,\n17/01/2024,Pay,,2500.00\n", ["-900", "2500"]),
        ("Date,Details,Amount,Debit,Credit\n16/01/2024,Rent,-9.00,9.00,\n17/01/2024,Pay,25.00,,25.00\n", ["-9", "25"]),
        ("Datum,Naam,Bedrag,Af Bij\n16-01-2024,Huur,900.00,Af\n17-01-2024,Loon,25.00,Bij\n", ["-900", "25"]),
        ("Date,Details,Amount\n16/01/2024,Rent,900.00-\n17/01/2024,Pay,25.00\n", ["-900", "25"]),
        ("Date,Details,Amount\n16/01/2024,Rent,900.00 DR\n17/01/2024,Pay,25.00 CR\n", ["-900", "25"]),
        ("Date,Details,Amount\n16/01/2024,Rent,(900.00)\n17/01/2024,Pay,$25.00\n", ["-900", "25"]),
        ("Date,Details,Amount\n16/01/2024,Rent,£9.00\n17/01/2024,Thank you,£25.00 CR\n", ["-9", "25"]),
        ('Date,Details,Amount\n16/01/2024,"Rent, May","-1,900.00"\n17/01/2024,"Say ""hi""",25.00\n', ["-1900", "25"]),
        ('Date,Details,Amount\n16/01/2024,"Rent\nof May",-9.00\n17/01/2024,Pay,25.00\n', ["-9", "25"]),
        ("Date|Details|Amount\r\n16/01/2024|Rent|-9.00\r\n\r\n17/01/2024|Pay|25.00\r\n", ["-9", "25"]),
        ("Bank of X\nFrom,1 Jan\n\nDate,Details,Amount\n16/01/2024,Rent,-9.00\n\nTotal,,-9.00\nEnd of list,,\n", ["-9"]),
        ("20240116,Rent of May,-9.00\n20240117,Pay for May,25.00\n", ["-9", "25"]),
        ("Date,Details,Amount\n16 Jan 2024,Rent,-9.00\n17 Jan 2024,Pay,25.00\n", ["-9", "25"]),
    ],
)
def test_dialects_are_inferred(text: str, expected: list[str]) -> None:
    reading = read(text)
    assert reading.status == "accepted", reading.problems
    assert amounts(reading) == [Decimal(value) for value in expected]


def test_a_description_may_go_on_below() -> None:
    reading = read(
        "Date,Value,Description,Out,In\n16/01/2024,,DEBIT PURCHASE,9.00,\n,,CORNER SHOP,,\n,,SINGAPORE,,\n17/01/2024,,PAY,,5.00\n"
    )
    assert reading.rows["text"].to_pylist() == ["DEBIT PURCHASE CORNER SHOP SINGAPORE", "PAY"]


def test_opening_and_closing_are_taken_from_beside_the_rows() -> None:
    reading = read("Opening balance,100.00\nClosing balance,120.00\nDate,Details,Amount\n16/01/2024,Rent,-5.00\n17/01/2024,Pay,25.00\n")
    assert (reading.opening, reading.closing, reading.reconciliation) == (100, 120, "ok")
    wrong = read("Opening balance,100.00\nClosing balance,121.00\nDate,Details,Amount\n16/01/2024,Rent,-5.00\n17/01/2024,Pay,25.00\n")
    assert (wrong.status, wrong.reconciliation) == ("warned", "mismatch")


def test_a_balance_column_that_never_changes_is_said_and_no_balance_is_reckoned_from_it(store: Store) -> None:
    rows = "".join(f"{day:02}/03/2024,Shop {day},-{day}.00,100.00\n" for day in range(14, 20))
    reading = read(f"Date,Details,Amount,Balance\n{rows}")
    assert (reading.status, reading.reconciliation, reading.opening, reading.closing) == ("warned", "not stated", None, None)
    (problem,) = reading.problems
    assert "every balance printed is 100.00 though money moves, so it is no running balance" in problem.message
    ingest.save(store, [reading], user="ann")
    assert store.rows("select opening, closing, reconciliation from statement_account") == [(None, None, "not stated")]
    assert store.value("select distinct balance from transaction") == 100, "kept as printed"


def test_pending_rows_are_set_aside_and_said() -> None:
    reading = read("Date,Details,Amount\nPending,Shop,-3.00\n16/01/2024,Rent,-9.00\n")
    assert (reading.status, reading.n_transactions) == ("warned", 1)
    assert "1 rows that are not booked" in reading.problems[0].message


def test_rows_a_status_column_takes_back_are_set_aside() -> None:
    reading = read(
        "Started Date,Completed Date,Description,Amount,State,Balance\n2024-01-05,2024-01-06,Shop,-5.00,COMPLETED,95.00\n"
        "2024-01-07,,Cafe,-3.00,PENDING,\n2024-01-08,2024-01-09,Shop,-9.00,REVERTED,\n2024-01-09,2024-01-10,Pay,5.00,COMPLETED,100.00\n"
    )
    assert (reading.n_transactions, reading.sum_amount, reading.reconciliation) == (2, 0, "ok")
    assert reading.dialect["set_aside"] == {"not booked": 2}


def test_balances_that_look_like_payments_are_balances() -> None:
    reading = read(
        "Account No,Date,Details,Amount,Currency,D/K\nLT1,2014-10-01,Opening balance,100.00,LTL,K\nLT1,2014-10-01,SHOP,15.00,LTL,D\n"
        "LT1,2014-10-06,WAGES,900.00,LTL,K\nLT1,2014-10-06,Turnover,15.00,LTL,D\nLT1,2014-10-06,Turnover,900.00,LTL,K\n"
        "LT1,2014-10-06,Closing balance,985.00,LTL,K\n"
    )
    assert (reading.status, reading.n_transactions, reading.sum_amount) == ("accepted", 2, 885), reading.problems
    assert (reading.opening, reading.closing, reading.reconciliation) == (100, 985, "ok")
    assert reading.dialect["set_aside"] == {"balance": 4}


def test_a_few_rows_without_a_direction_are_set_aside_by_line_and_many_refuse_the_file() -> None:
    rows = [f"{day:02}.10.2017;SHOP NUMBER {day};{day},00;{'O' if day % 5 else 'I'}\n" for day in range(1, 31)]
    few = read("".join(rows) + "31.10.2017;SHOP NUMBER 31;9,00;EUR\n")
    assert (few.status, few.n_transactions, few.dialect["set_aside"]) == ("warned", 30, {"direction unknown": 1})
    assert (few.problems[0].line, few.problems[0].value) == (31, "EUR")
    many = read("".join(rows) + "31.10.2017;SHOP NUMBER 31;9,00;EUR\n" * 5)
    assert (many.status, many.problems[0].line) == ("rejected", 31)


def test_a_currency_of_some_other_amount_is_not_that_of_the_account() -> None:
    reading = read("Date,Payee,Amount (EUR),Original Amount,Original Currency\n2024-01-15,Shop,-5.00,-4.00,GBP\n2024-01-16,Pay,9.00,,\n")
    assert reading.currency == "EUR"


def test_unsigned_amounts_are_doubted_unless_a_balance_agrees() -> None:
    text = "Date,Details,Amount{}\n16/01/2024,Shop,9.00{}\n17/01/2024,Cafe,5.00{}\n"
    doubted = read(text.format("", "", ""))
    assert doubted.status == "warned"
    assert 'positive = "out"' in doubted.problems[0].message
    assert read(text.format(",Balance", ",109.00", ",114.00")).status == "accepted"


# ---- what the file leaves open ----------------------------------------------------------------------------------------


def test_ambiguous_dates_are_refused_and_a_profile_decides(tmp_path: Path) -> None:
    text = "Date,Details,Amount\n03/04/2024,Rent,-9.00\n05/06/2024,Pay,25.00\n06/07/2024,Shop,-2.00\n"
    refused = read(text)
    assert refused.status == "rejected"
    assert 'date_format = "%d/%m/%Y" or date_format = "%m/%d/%Y"' in refused.problems[0].message
    settings = declared(tmp_path, 'date_format = "%m/%d/%Y"\n')
    assert read(text, profile="mine", settings=settings).rows["booked_on"].to_pylist()[0] == date(2024, 3, 4)


def test_the_order_of_rows_decides_between_day_and_month() -> None:
    text = "Date,Details,Amount\n03/04/2024,Rent,-9.00\n04/02/2024,Pay,25.00\n05/06/2024,Shop,-2.00\n"
    assert [day.month for day in read(text).rows["booked_on"].to_pylist()] == [3, 4, 5]


def test_dates_that_read_alike_both_ways_are_not_ambiguous() -> None:
    assert read("Date,Details,Amount\n04/04/2024,Rent,-9.00\n05/05/2024,Pay,25.00\n").status == "accepted"


def test_ambiguous_thousands_are_refused_and_a_profile_decides(tmp_path: Path) -> None:
    text = "Date;Details;Amount\n16/01/2024;Rent;-1.234\n17/01/2024;Pay;2.500\n"
    refused = read(text)
    assert refused.status == "rejected"
    assert 'decimal = "."' in refused.problems[0].message
    settings = declared(tmp_path, 'decimal = ","\n')
    assert amounts(read(text, profile="mine", settings=settings)) == [-1234, 2500]


def test_a_profile_says_the_whole_layout(tmp_path: Path) -> None:
    settings = declared(
        tmp_path,
        'header = false\ndelimiter = ";"\ndate_format = "%d%m%y"\ndecimal = ","\ncurrency = "EUR"\n'
        '[columns]\ndate = 1\namount = 2\nsign = 3\ncode = 4\naccount = 5\n[sign]\nX = "-"\nY = "+"\n[descriptions]\nK1 = "card payment"\n',
    )
    reading = read("160124;9,00;X;K1;A1\n170124;25,00;Y;K2;A2\n", profile="mine", settings=settings)
    assert reading.status == "accepted", reading.problems
    assert reading.accounts == ["A1", "A2"]
    assert reading.rows.select(["text", "code", "currency"]).to_pylist()[0] == {"text": "card payment", "code": "K1", "currency": "EUR"}
    assert amounts(reading) == [-9, 25]
    unknown = read("160124;9,00;Z;K1;A1\n", profile="mine", settings=settings)
    assert "does not say whether money came in or went out" in unknown.problems[0].message


# ---- properties -------------------------------------------------------------------------------------------------------

ROWS = st.lists(
    st.tuples(
        st.integers(0, 400),
        st.decimals(min_value=-100_000, max_value=100_000, places=2).filter(bool),
        st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=20).map(
            lambda text: f"shop {text}"
        ),
    ),
    min_size=1,
    max_size=25,
)


def written(rows: list[tuple[int, Decimal, str]], delimiter: str = ",") -> str:
    """Write rows as a bank's file with a running balance, oldest first."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(["Date", "Description", "Amount", "Balance", "Currency"])
    balance = Decimal(100)
    for days, amount, text in sorted(rows, key=lambda row: row[0]):
        balance += amount
        writer.writerow([date(2023, 1, 1) + timedelta(days=days), text, amount, balance, "EUR"])
    return out.getvalue()


@run(deadline=None)
@given(ROWS, st.sampled_from([",", ";", "\t", "|"]))
def test_what_a_bank_writes_is_read_back_exactly(rows: list[tuple[int, Decimal, str]], delimiter: str) -> None:
    reading = read(written(rows, delimiter))
    assert reading.status == "accepted", reading.problems
    ordered = sorted(rows, key=lambda row: row[0])
    assert amounts(reading) == [amount for _, amount, _ in ordered]
    assert reading.rows["text"].to_pylist() == [" ".join(text.split()) for _, _, text in ordered]
    assert reading.reconciliation == "ok"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Store]:
    """A maker of empty stores, for properties that need one per example."""
    folder = tmp_path_factory.mktemp("fresh")
    return lambda: stores.open_in_memory(Settings(data=folder / "data", models=folder / "models"))


@given(ROWS, st.data())
@run(max_examples=15, deadline=None)
def test_twice_adds_nothing_and_overlapping_exports_give_the_union(
    fresh: Callable[[], Store], rows: list[tuple[int, Decimal, str]], data: st.DataObject
) -> None:
    ordered = sorted(rows, key=lambda row: row[0])
    # Exports are cut between days: a bank does not print half a day.
    day = data.draw(st.sampled_from([row[0] for row in ordered]))
    early, late = [row for row in ordered if row[0] <= day], [row for row in ordered if row[0] >= day]
    store = fresh()
    first, second = (read(written(part), name=name) for part, name in ((early, "1.csv"), (late, "2.csv")))
    together = data.draw(st.booleans())
    saved = ingest.save(store, [first, second], user="ana", applicant_id="x") if together else [
        ingest.save(store, [part], user="ana", applicant_id="x")[0] for part in (first, second)
    ]  # fmt: skip
    assert sum(each.n_new for each in saved) == len(rows)
    assert sum(each.n_duplicate for each in saved) == len(early) + len(late) - len(rows)
    again = ingest.save(store, [read(written(ordered), name="3.csv"), first], user="ana", applicant_id="x")
    assert [each.n_new for each in again] == [0, 0]
    assert store.value("select sum(amount) from transaction") == sum(amount for _, amount, _ in rows)
    store.close()


PIECED = [
    GOOD,
    GOOD.replace("\n", "\r\n"),
    "Bank of X\nFrom,1 Jan\n\nDate,Details,Amount\n16/01/2024,Rent,-9.00\n,for May,\n\n17/01/2024,Pay,25.00\nTotal,,16.00\nEnd of list,,\n",
    'Date,Details,Amount\n16/01/2024,"Rent, May","-1,900.00"\n17/01/2024,"Say ""hi""",25.00\n18/01/2024,"of\ntwo lines",1.00\n',
    "Date;Details;Amount;Currency\n16/01/2024;Café;-9,00;EUR\n17/01/2024;;25,00;EUR;\n18/01/2024;Café;-9,00;EUR\n",
    "Date,Details,Amount\n16/01/2024,Rent,-9.00\n17/01/2024,Pay,n/a\n31/02/2024,Pay,2.00\n18/01/2024,Gas,-3.00\n",
    "Date,Details,Amount\n16/01/2024,Rent,-9.00\n17/01/2024,Pay, of May,2.00\n18/01/2024,Gas,-3.00\n19/01/2024,Wat",
]


@pytest.mark.parametrize("text", PIECED)
@pytest.mark.parametrize("piece", [1, 30, 75])
def test_a_file_read_in_pieces_is_the_file_read_at_once(monkeypatch: pytest.MonkeyPatch, text: str, piece: int) -> None:
    whole = read(text)
    monkeypatch.setattr(delimited, "cut", partial(grid.cut, piece=piece))
    parts = read(text)
    assert parts.rows.to_pylist() == whole.rows.to_pylist()
    assert ingest.to_json(parts) == ingest.to_json(whole)


def test_rows_that_say_nothing_in_any_column_of_words_are_rows() -> None:
    reading = read("Date,Payee,Memo,Amount\n2024-01-13,Shop,till 2,-1.00\n2024-01-14,,,-2.00\n2024-01-15,,Pay,3.00\n2024-01-16,Pay,,4.00\n")
    assert (reading.rows["text"].to_pylist(), reading.status) == (["Shop till 2", "", "Pay", "Pay"], "accepted")


def test_a_file_in_another_encoding_or_with_a_mark_reads_alike() -> None:
    text = "Date,Details,Amount\n16/01/2024,Café,-9.00\n17/01/2024,Łódź žluťoučký,2.00\n"
    plain = read(text).rows.to_pylist()
    assert plain == read(b"\xef\xbb\xbf" + text.encode()).rows.to_pylist() == read(text.encode("utf-16")).rows.to_pylist()


# ---- the store --------------------------------------------------------------------------------------------------------


def test_genuine_twins_of_one_day_survive(store: Store) -> None:
    twins = "Date,Details,Amount\n16/01/2024,Coffee,-3.00\n16/01/2024,Coffee,-3.00\n16/01/2024,coffee,-3.00\n"
    (saved,) = ingest.save(store, [read(twins)], user="ana")
    assert saved.n_new == 3
    (again,) = ingest.save(store, [read(twins + "17/01/2024,Pay,9.00\n", name="b.csv")], user="ana", applicant_id="a")
    assert (again.n_new, again.n_duplicate) == (1, 3)


def test_two_who_bring_the_same_file_at_once_store_it_once(store: Store) -> None:
    reading, start = read(GOOD), Barrier(4)

    def bring(_: int) -> int:
        start.wait()
        return ingest.save(store, [reading], user="ana")[0].n_new

    with ThreadPoolExecutor(4) as people:
        assert sorted(people.map(bring, range(4))) == [0, 0, 0, 3]


def test_currencies_under_one_account_number_keep_their_own_balances(store: Store) -> None:
    text = "Date,Details,Amount,Currency,Balance\n2024-01-16,Pay,100.00,EUR,150.00\n2024-01-17,Pay,7.00,GBP,9.00\n"
    reading = read(text + "2024-01-18,Tea,-30.00,EUR,120.00\n2024-01-19,Tea,-1.00,GBP,8.00\n", name="ann.csv")
    assert (reading.reconciliation, reading.currency, reading.accounts) == ("ok", None, [""])
    ingest.save(store, [reading], user="ana")
    found = store.rows("select currency, opening, closing from statement_account join account using (account_id) order by currency")
    assert found == [("EUR", Decimal(50), Decimal(120)), ("GBP", Decimal(2), Decimal(8))]


def test_the_order_of_rows_does_not_move_a_category(store: Store) -> None:
    days = [f"2024-01-{number:02},ZALANDO,{amount}.00" for number, amount in ((5, 20), (6, 900), (7, 30))]
    for name, lines in (("ann", days), ("ben", days[::-1])):
        fresh = stores.open_in_memory(store.settings)
        ingest.save(fresh, [read("\n".join(["Date,Details,Amount", *lines, ""]), name=name)], user="ana")
        assert fresh.rows("select category from description") == [("UNKNOWN",)]
        fresh.close()


def test_whose_account_it_is(store: Store) -> None:
    numbered = "Date,Details,Amount,Account Number\n16/01/2024,Coffee,-3.00,{}\n"
    ingest.save(store, [read(GOOD, name="nora.csv"), read(numbered.format(4711)), read(numbered.format(4712))], user="ana")
    ingest.save(
        store,
        [read(numbered.format(4713), name="x.csv"), read(numbered.format(4714), name="y.csv")],
        user="ana",
        applicant_id={"x.csv": "ann"},
    )
    found = store.rows("select applicant_id, number from account order by account_id")
    assert sorted(found) == [("4711", "4711"), ("4712", "4712"), ("4714", "4714"), ("ann", "4713"), ("nora", "")]


def test_the_same_file_for_another_applicant_is_not_lost_in_silence(store: Store) -> None:
    ingest.save(store, [read(GOOD)], user="ana", applicant_id="ann")
    (saved,) = ingest.save(store, [read(GOOD)], user="ana", applicant_id="ben")
    assert (saved.n_new, saved.n_duplicate) == (0, 3)
    assert saved.reading.status == "warned"
    assert "for ann" in saved.reading.problems[-1].message


def test_what_is_stored_can_be_shown(store: Store) -> None:
    (saved,) = ingest.save(store, [read(GOOD, name="nora.csv")], user="ana")
    assert saved.statement_id is not None
    lines = ingest.lines(store, saved.statement_id)
    assert lines["printed"].tolist() == GOOD.splitlines()[1:]
    assert lines["category"].tolist() == ["INC_SALARY", "RENT", "GROCERIES"]
    row = ingest.statements(store).iloc[0]
    assert (row["file_name"], row["n_new"], row["n_accounts"], row["applicant_id"]) == ("nora.csv", 3, 1, "nora")
    assert store.rows("select opening, closing, n_transactions, n_new, reconciliation from statement_account") == [
        (Decimal(500), Decimal("2054.9"), 3, 3, "ok")
    ]


def test_the_same_file_under_another_name_says_whose_it_is(store: Store) -> None:
    ingest.save(store, [read(GOOD)], user="ana", applicant_id="ann")
    (saved,) = ingest.save(store, [read(GOOD, name="ben.csv")], user="ana")
    assert saved.reading.status == "warned"
    assert saved.reading.problems[-1].message.endswith("for ann; nothing was stored for ben.")


# ---- sums that would be wrong without a word --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "line", "said"),
    [
        ("01.02.2024;Pay;1,00\n15.02.2024;Rent;-3,00\n31.02.2024;Fuel;-2,O0\n", 4, "'31.02.2024' in column 'Date' is not a date"),
        ("01.02.2024;Pay;1,00\n15.02.2024;Rent;-3,00\n31.02.2024;Fuel;\n", 4, "'31.02.2024' in column 'Date' is not a date"),
        ("01.02.2024;Pay;1,00\n15.02.0204;Rent;-3,00\n", 3, "'15.02.0204' in column 'Date' lies outside the years 1950 to 2100"),
    ],
)
def test_a_day_that_cannot_be_refuses_the_file_wherever_it_stands(rows: str, line: int, said: str) -> None:
    reading = read(f"Date;Description;Amount\n{rows}")
    assert reading.status == "rejected"
    assert (reading.problems[0].line, said in reading.problems[0].message) == (line, True)


def test_a_reversal_among_negative_debits_does_not_turn_the_others_round() -> None:
    rows = "2024-01-05,A,-10.00,\n2024-01-06,B,-20.00,\n2024-01-07,REVERSAL,5.00,\n2024-01-08,PAY,,100.00\n"
    assert amounts(read(f"Date,Description,Debit,Credit\n{rows}")) == [Decimal(-10), Decimal(-20), Decimal(5), Decimal(100)]


def test_balances_among_the_amounts_are_no_payments() -> None:
    rows = "2024-01-01,OPENING BALANCE,1000.00\n2024-01-05,A,10.00\n2024-01-06,B,-20.00\n2024-01-31,Closing balance 31/01,990.00\n"
    reading = read(f"Date,Description,Amount\n{rows}")
    assert (reading.sum_amount, reading.opening, reading.closing) == (Decimal(-10), Decimal(1000), Decimal(990))
    assert reading.reconciliation == "ok"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Date,Description,Amount,Currency\n2024-01-05,S,100.00,eur\n2024-01-06,S,-50.00,usd\n", ["EUR", "USD"]),
        ("Date,Description,Amount,Currency\n2024-01-05,S,100.00,EUR\n2024-01-06,S,-50.00,BTC\n", ["EUR", "BTC"]),
        ("Date,Description,Amount,Currency\n2024-01-05,S,100.00,EUR\n2024-01-06,S,-50.00,\n", ["EUR", "EUR"]),
        ("Date,Description,Amount\n2024-01-05,S,€100.00\n2024-01-06,S,-$50.00\n", ["EUR", "$"]),
        ("Date,Description,Amount\n2024-01-05,S,100.00 EUR\n2024-01-06,S,-50.00 USD\n", ["EUR", "USD"]),
        ("Date,Description,Amount\n2024-01-05,S,$100.00\n2024-01-06,S,-$50.00\n", ["", ""]),
    ],
)
def test_currencies_are_not_mixed_in_silence(text: str, found: list[str]) -> None:
    reading = read(text)
    assert reading.rows["currency"].to_pylist() == found
    assert any("several currencies" in problem.message for problem in reading.problems) == (len(set(found)) > 1)


def test_storing_needs_a_name(store: Store) -> None:
    with pytest.raises(NotAllowed):
        ingest.save(store, [read(GOOD)], user=" ")
    assert store.value("select count(*) from statement") == 0


def test_json_has_the_declared_keys() -> None:
    said = ingest.to_json(read(GOOD))
    keys = (
        "file format dialect status n_transactions sum_amount opening closing currency accounts reconciliation n_new n_duplicate problems"
    )
    assert list(said) == keys.split()
    assert (said["sum_amount"], said["opening"], said["closing"]) == ("1554.90", "500.00", "2054.90")
    assert ingest.to_json(read("x"))["problems"][0].keys() == {"line", "column", "value", "message"}


# ---- what only a balance, a heading or another column decides ---------------------------------------------------------


def sums(reading: ingest.Reading) -> tuple[int, Decimal]:
    """Return how many transactions were read and what they add up to."""
    return reading.n_transactions, reading.sum_amount


def test_a_fee_in_its_own_column_is_taken_off_where_the_balance_shows_it() -> None:
    rows = "Date,Description,Amount,Fee,Balance\n2024-01-13,Top-up,500.00,0.00,500.00\n2024-01-14,Cash abroad,-40.00,1.50,458.50\n"
    assert sums(read(rows)) == (2, Decimal("458.50"))
    inside = rows.replace("458.50", "460.00")
    assert sums(read(inside)) == (2, Decimal("460.00"))
    unsaid = read("Date,Description,Amount,Fee\n2024-01-13,Top-up,500.00,0.00\n2024-01-14,Cash abroad,-40.00,1.50\n")
    assert unsaid.status == "warned"
    assert "fees stand in column 'Fee'" in unsaid.problems[0].message


def test_amounts_without_a_sign_go_the_way_the_balance_went() -> None:
    reading = read(
        "Date,Description,Amount,Balance\n13/01/2024,Pay,900.00,1000.00\n14/01/2024,Rent,400.00,600.00\n15/01/2024,Gift,50.00,650.00\n"
    )
    assert amounts(reading) == [Decimal(900), Decimal(-400), Decimal(50)]
    assert reading.status == "warned"
    assert "the first amount, '900.00', went" in reading.problems[0].message


def test_a_balance_printed_before_its_payment_is_the_one_it_found() -> None:
    reading = read(
        "14-01-2024,NL01TEST,Pub,EUR,100.00,EUR,-20.00\n15-01-2024,NL01TEST,Pay,EUR,80.00,EUR,900.00\n16-01-2024,NL01TEST,Rent,EUR,980.00,EUR,-400.00\n"
    )
    assert sums(reading) == (3, Decimal("480.00"))
    assert (reading.opening, reading.closing, reading.reconciliation) == (Decimal(100), Decimal(580), "ok")


def test_zeros_in_the_other_column_make_a_pair_of_debit_and_credit_without_a_heading() -> None:
    reading = read("01/13/2024,0,Pay,0,500.00,500.00\n01/14/2024,1,Check,80.00,0,420.00\n01/15/2024,2,Check,20.00,0,400.00\n")
    assert amounts(reading) == [Decimal(500), Decimal(-80), Decimal(-20)]
    assert reading.reconciliation == "ok"


def test_a_decimal_comma_the_value_date_and_the_order_of_balances_decide_the_order_of_day_and_month() -> None:
    comma = read("Date;Description;Amount\n02/01/2024;Pub;-5,50\n02/01/2024;Pay;90,00\n")
    assert comma.rows["booked_on"].to_pylist() == [date(2024, 1, 2)] * 2
    valued = read("Date,Value date,Description,Amount\n02/01/2024,14/01/2024,Pub,-5.50\n02/01/2024,02/01/2024,Pay,90.00\n")
    assert valued.rows["booked_on"].to_pylist() == [date(2024, 1, 2)] * 2
    backwards = read("Date,Description,Amount,Balance\n02/01/2024,Pub,-5.00,95.00\n01/02/2024,Pay,60.00,100.00\n")
    assert backwards.rows["booked_on"].to_pylist() == [date(2024, 2, 1), date(2024, 1, 2)]


def test_a_card_whose_debits_are_positive_is_read_by_its_column_of_debit_and_credit() -> None:
    reading = read("2024/01/17,DEBIT,Telephone,30.00\n2024/01/18,DEBIT,Parking,4.60\n2024/01/19,CREDIT,Payment,-500.00\n")
    assert amounts(reading) == [Decimal(-30), Decimal("-4.60"), Decimal(500)]


def test_where_only_credits_are_marked_the_others_are_debits() -> None:
    reading = read("Date,Details,Amount,Amount sign\n13/01/2024,Shop,165.00,\n14/01/2024,Refund,15.00,CR\n")
    assert amounts(reading) == [Decimal(-165), Decimal(15)]


def test_a_card_on_which_only_payments_have_a_minus_is_doubted_and_a_profile_decides(tmp_path: Path) -> None:
    text = "Date,Description,Amount\n01/23/2024,COFFEE,4.00\n01/24/2024,BOOKS,20.00\n01/25/2024,AUTOPAY PAYMENT - THANK YOU,-24.00\n"
    doubted = read(text)
    assert doubted.status == "warned"
    assert "reads like payments to a card" in doubted.problems[0].message
    assert amounts(read(text, profile="mine", settings=declared(tmp_path, 'positive = "out"\n'))) == [
        Decimal(-4),
        Decimal(-20),
        Decimal(24),
    ]


def test_headings_nobody_knows_are_asked_about_unless_a_balance_follows_from_them() -> None:
    prices = read("Article,Worth,Valid since,Remark\nA1,5.00,2024-01-13,Widget\nA2,7.50,2024-02-14,Gadget\n")
    assert (prices.status, prices.n_transactions) == ("rejected", 0)
    proven = read("Foo,Bar,Baz,Qux\n2024-01-13,Pub one,-5.00,95.00\n2024-01-14,Pay day,60.00,155.00\n2024-01-15,Pub two,-5.00,150.00\n")
    assert sums(proven) == (3, Decimal("50.00"))
    assert "The headings are not known" in proven.problems[0].message


def test_a_stray_quotation_mark_and_an_unquoted_thousands_comma_are_read_as_they_must_be_meant() -> None:
    quoted = read('"Date","Payee","Amount"\n"2024-01-13","UAB "Sala" Vilnius","-5.00"\n"2024-01-14","Pay \\"Ltd\\"","90.00"\n')
    assert sums(quoted) == (2, Decimal("85.00"))
    assert quoted.rows["text"].to_pylist() == ['UAB "Sala" Vilnius', 'Pay "Ltd"']
    assert quoted.status == "warned"
    assert sums(read(GOOD.replace("-900.00", "-1,900.00"))) == (3, Decimal("554.90"))


def test_words_that_go_on_in_cells_beyond_the_heading_do_not_move_the_amount() -> None:
    reading = read(
        "Datum;Betrag;Text\n13.01.2024;150,00;Ein Name;noch ein Wort;REF\n14.01.2024;-100,00;Auftrag;Text\n15.01.2024;-1,00;Kurz\n"
    )
    assert sums(reading) == (3, Decimal("49.00"))


def test_a_currency_s_heading_that_spans_two_columns_names_the_amount_beside_it() -> None:
    reading = read(
        'Datum,Omschrijving,Mutatie,,Saldo,\n14-01-2024,Dividend,EUR,"0,19",EUR,"13,88"\n13-01-2024,Kosten,EUR,"-0,03",EUR,"13,69"\n'
    )
    assert sums(reading) == (2, Decimal("0.16"))
    assert reading.currency == "EUR"


def test_a_row_of_no_words_but_a_closing_balance_elsewhere_is_no_payment() -> None:
    rows = "Datum;Empfänger;Verwendungszweck;Kennung;Umsatz;S/H\n13.01.2024;Pub;Bier;;50,00;S\n14.01.2024;Pay;Lohn;;30,00;H\n"
    reading = read(rows + "01.01.2024;;;Anfangssaldo;950,00;H\n14.01.2024;;;Endsaldo;930,00;H\n")
    assert sums(reading) == (2, Decimal("-20.00"))


@pytest.mark.parametrize(
    ("heading", "row", "expected"),
    [
        ("Дата операции;Описание;Приход;Расход", "13.01.24;МАГАЗИН;0;50,00", "-50.00"),
        ("Sąskaitos Nr.;Data;Paaiškinimai;Suma;Valiuta;D/K", "LT01;2024-01-13;Nuoma;50,00;EUR;D", "-50.00"),
        ("Kuupäev;Saaja/Maksja;Selgitus;Summa;Deebet/Kreedit (D/C)", "13.01.2024;Pood;kaart;50,00;D", "-50.00"),
        ("Könyvelés dátuma;Terhelés;Jóváírás;Közlemény", "2024.01.13.;50;;BOLT", "-50.00"),
        ("Datum;Opis;Isplata;Uplata;Stanje", "13.01.2024.;TRGOVINA;50,00;;30,00", "-50.00"),
        ("Dato;Forklaring;Ut fra konto;Inn på konto", "13.01.2024;BUTIKK;50,00;", "-50.00"),
        ("交易时间,交易对方,商品说明,收/支,金额", "2024-01-13 10:00:00,店店店,午餐午餐,支出,50.00", "-50.00"),
        ("Rekeningnummer;Boekdatum;CreditDebet;Bedrag;Omschrijving", "NL01;13-01-2024;D;50,00;Winkel", "-50.00"),
        ("Tarih;Açıklama;İşlem Tutarı;Bakiye", "13.01.2024;MARKET;-50,00;30,00", "-50.00"),
        ("Data;Detalii tranzactie;Debit;Credit", "13 ianuarie 2024;MAGAZIN;50,00;", "-50.00"),
    ],
)
def test_banks_of_many_countries_are_read_by_their_headings(heading: str, row: str, expected: str) -> None:
    assert sums(read(f"{heading}\n{row}\n")) == (1, Decimal(expected))


@pytest.mark.parametrize("status", ["В обработке", "Vorgemerkt", "FAILED", "Pendente", "Anulowana", "Venter", "NON CONTABILIZZATO"])
def test_what_the_bank_says_is_not_booked_is_kept_apart_in_its_language(status: str) -> None:
    reading = read(f"Date,Description,Amount,Status\n2024-01-13,Pub,-5.00,OK\n2024-01-14,Shop,-9.00,{status}\n")
    assert sums(reading) == (1, Decimal("-5.00"))


def test_a_state_nobody_knows_beside_another_is_doubted() -> None:
    rows = "Date,Description,Amount,Status\n2024-01-13,Pub,-5.00,{}\n2024-01-14,Shop,-9.00,{}\n"
    reading = read(rows.format("Completed", "Nondum"))
    assert (reading.status, reading.n_transactions) == ("warned", 2)
    assert "'Nondum' (1 rows)" in reading.problems[0].message
    assert read(rows.format("Completed", "Posted")).status == "accepted"
    assert read(rows.format("Nondum", "Nondum")).status == "accepted"


def test_the_balance_says_which_way_money_out_goes_where_its_signs_differ() -> None:
    text = "Date,Details,Withdrawals,Deposits,Balance\n2025-03-25,PAY,,1000.00,1000.00\n2025-03-28,RENT,-100.00,,900.00\n"
    reading = read(text + "2025-03-29,FEE BACK,5.00,,905.00\n")
    assert sums(reading) == (3, Decimal("905.00"))
    assert reading.reconciliation == "ok"


def test_amounts_with_the_wrong_sign_do_not_add_up_in_the_wrong_order() -> None:
    days = ["2025-03-25", "2025-03-28", "2025-03-29"]
    rows = [f"{day},PAY,{amount},{balance}\n" for day, amount, balance in zip(days, (-500, 100, -5), (1000, 900, 905), strict=True)]
    assert read("Date,Details,Amount,Balance\n" + "".join(rows)).reconciliation == "mismatch"


def test_a_file_s_headings_tell_its_code_page() -> None:
    text = "Könyvelés dátuma;Terhelés;Jóváírás;Közlemény\n2024.01.13.;50;;Előfizetés\n2024.01.14.;;450 000;Munkabér\n"
    reading = read(text.encode("cp1250"))
    assert sums(reading) == (2, Decimal(449950))
    assert reading.dialect["encoding"] == "cp1250"


def test_rows_without_any_words_stay_where_they_are() -> None:
    reading = read("Date,Payee,Memo,Amount\n2024-01-13,,,-5.00\n2024-01-14,Pay,day,90.00\n2024-01-15,,,-1.00\n")
    assert reading.rows["text"].to_pylist() == ["", "Pay day", ""]


def test_three_decimals_of_a_currency_that_has_them_are_decimals() -> None:
    assert sums(read("Date,Details,Amount (KWD)\n13/01/2024,Shop,-50.125\n14/01/2024,Pay,30.125\n")) == (2, Decimal("-20.000"))


def test_a_balance_above_the_heading_tells_the_decimal_mark_and_a_pound_sign_the_order_of_day_and_month() -> None:
    above = read('"Kontostand";"3.600,00 €"\n\n"Datum";"Text";"Betrag"\n"13.12.24";"Lohn";"1.000"\n"14.12.24";"Miete";"-2.000"\n')
    assert sums(above) == (2, Decimal(-1000))
    pounds = read('Date,Description,Money in,Money out\n02/01/2024,Pub,"",£4.00\n03/01/2024,Pay,£9.00,""\n')
    assert pounds.rows["booked_on"].to_pylist() == [date(2024, 1, 2), date(2024, 1, 3)]


def test_currencies_nobody_knows_are_still_not_mixed() -> None:
    reading = read("Date,Description,Currency,Amount\n2024-01-13,Stake,USDC,-100.00\n2024-01-14,Gain,CRO,100.00\n")
    assert sorted(set(reading.rows["currency"].to_pylist())) == ["CRO", "USDC"]


def export(*rows: tuple[str, ...], header: str = "Account,Date,Details,Amount") -> str:
    """Write rows of account, day, words and amount as a bank's file."""
    return "\n".join([header, *map(",".join, rows)]) + "\n"


def test_accounts_known_and_new_may_come_in_one_file(store: Store) -> None:
    rent, pay, gas = ("A1", "16/01/2024", "Rent", "-9.00"), ("A1", "17/01/2024", "Pay", "25.00"), ("A2", "16/01/2024", "Rent", "-9.00")
    ingest.save(store, [read(export(rent, pay))], user="ana")
    (saved,) = ingest.save(store, [read(export(gas, rent, ("A1", "18/01/2024", "Gas", "-3.00"), gas), "b.csv")], user="ana")
    assert (saved.n_new, saved.n_duplicate) == (3, 1)
    found = store.rows(
        "select number, n_new, n_transactions, sum_amount from statement_account join account using (account_id) order by all"
    )
    assert found == [("A1", 1, 2, Decimal(-12)), ("A1", 2, 2, Decimal(16)), ("A2", 2, 2, Decimal(-18))]
    assert store.rows("select min(transaction_id), max(transaction_id), count(distinct transaction_id) from transaction") == [(1, 5, 5)]


@pytest.mark.parametrize("together", [True, False])
def test_twins_are_counted_over_overlapping_exports(store: Store, together: bool) -> None:
    coffee, tea = ("A1", "16/01/2024", "Coffee", "-3.00"), ("A1", "16/01/2024", "Tea", "-3.00")
    files = [read(export(coffee, tea, coffee), "1.csv"), read(export(coffee, coffee, coffee, tea), "2.csv"), read(export(coffee), "3.csv")]
    saved = ingest.save(store, files, user="ana") if together else [ingest.save(store, [file], user="ana")[0] for file in files]
    assert [(each.n_new, each.n_duplicate) for each in saved] == [(3, 0), (1, 3), (0, 1)]
    found = store.rows(
        "select text, occurrence, count(*) from transaction join description using (description_id) group by all order by all"
    )
    assert found == [("Coffee", 1, 1), ("Coffee", 2, 1), ("Coffee", 3, 1), ("Tea", 1, 1)]


def test_rows_that_differ_in_anything_are_no_twins(store: Store) -> None:
    rows = [("A1", "16/01/2024", "Coffee", "-3.00"), ("A2", "16/01/2024", "Coffee", "-3.00"), ("A1", "17/01/2024", "Coffee", "-3.00")]
    rows += [("A1", "16/01/2024", "Coffee", "3.00"), ("A1", "16/01/2024", "Coffee", "-3.01"), ("A1", "16/01/2024", "Tea", "-3.00")]
    ingest.save(store, [read(export(*rows))], user="ana")
    assert store.rows("select occurrence, count(*) from transaction group by all") == [(1, 6)]


QIF = """!Type:Bank
D2024-01-16
T-9.00
PRENT MAY
^
D2024-01-17
T25.00
PPay
^
D2024-01-18
T-3.00
PGas
^
"""


@pytest.mark.parametrize("together", [True, False])
def test_one_account_brought_in_two_formats_gives_the_union(store: Store, together: bool) -> None:
    rows = [("A1", "15/01/2024", "Fuel", "-7.00"), ("A1", "16/01/2024", "Rent: May", "-9.00"), ("A1", "17/01/2024", "Pay", "25.00")]
    table = read(export(*((day, words, amount) for _, day, words, amount in rows), header="Date,Details,Amount"), "a.csv")
    listed = read(QIF, "a.qif")
    assert listed.format == "qif"
    files = [table, listed]
    if together:
        saved = ingest.save(store, files, user="ana", applicant_id="x")
    else:
        saved = [ingest.save(store, [file], user="ana", applicant_id="x")[0] for file in files]
    assert [(each.n_new, each.n_duplicate) for each in saved] == [(3, 0), (1, 2)], listed.problems
    (again,) = ingest.save(store, [read(QIF + "D2024-01-19\nT1.00\nPTip\n^\n", "b.qif")], user="ana", applicant_id="x")
    assert (again.n_new, again.n_duplicate) == (1, 3)
    assert store.value("select sum(amount) from transaction") == Decimal(7)


def test_a_description_is_kept_with_what_its_words_say_of_how_the_money_moved(store: Store) -> None:
    rows = [
        ("-20.00", "DIRECT DEBIT ENERGY CO"),
        ("20.00", "DIRECT DEBIT BACK"),
        ("-5.00", "An mein Sparkonto"),
        ("-1.00", "DDT SAVINGSTON"),
    ]
    lines = "".join(f"2026-01-{number:02},{text},{amount}\n" for number, (amount, text) in enumerate(rows, start=1))
    ingest.save(store, [read(f"date,description,amount\n{lines}")], user="ann")
    kept = store.rows("select text, is_direct_debit, names_savings from description")
    assert {text: (debit, savings) for text, debit, savings in kept} == {
        "DIRECT DEBIT ENERGY CO": (True, False),
        "DIRECT DEBIT BACK": (False, False),
        "An mein Sparkonto": (False, True),
        "DDT SAVINGSTON": (False, False),
    }
