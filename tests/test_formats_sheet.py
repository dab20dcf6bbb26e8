"""Excel workbooks: rows of text as any delimited file, read in a child that may die without anybody noticing."""

import resource
import threading
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from creditrisk import ingest
from creditrisk.errors import UnreadableFile
from creditrisk.formats import guard
from creditrisk.settings import Settings
from tests.papers import sheet_xml, workbook, xls

HEAD = ["Date", "Description", "Amount", "Balance"]
ROWS: list[list[str | float]] = [
    ["Account statement"],
    ["IBAN", "DE89370400440532013000"],
    [],
    [*HEAD],
    ["day:45293", "CORNER 'SHOP' & Co", -12.5, 87.5],
    ["day:45294", "=CONCAT(1)|7", 10, 97.5],
    ["day:45295.75", "=HYPERLINK(1)", -0.1, 97.4],
]
GOOD = sheet_xml(ROWS)


def read(content: bytes, name: str = "a.xlsx") -> ingest.Reading:
    """Read a workbook given as bytes."""
    return ingest.read(name, content, settings=Settings())


def refusal(content: bytes) -> str:
    """Return the one sentence a workbook is refused with."""
    reading = read(content)
    assert (reading.status, reading.n_transactions, len(reading.problems)) == ("rejected", 0, 1), reading
    return reading.problems[0].message


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv", "noname"])
def test_a_workbook_is_read_by_its_content(name: str) -> None:
    reading = read(workbook({"März": GOOD}), name)
    assert (reading.status, reading.format, reading.reconciliation) == ("accepted", "xlsx", "ok"), reading.problems
    assert reading.accounts == ["DE89370400440532013000"]
    assert reading.rows["booked_on"].to_pylist() == [date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4)]
    assert reading.rows["amount"].to_pylist() == [Decimal("-12.5"), Decimal(10), Decimal("-0.1")]
    assert reading.rows["text"].to_pylist() == ["CORNER 'SHOP' & Co", "7", "=HYPERLINK(1)"]  # a formula is its value, a text its words
    assert reading.rows["line"].to_pylist() == [5, 6, 7]  # the rows of the sheet


def test_a_workbook_of_the_old_kind_is_read() -> None:
    reading = read(xls(ROWS), "a.xls")
    assert (reading.status, reading.format, reading.n_transactions) == ("accepted", "xls", 3), reading.problems
    assert reading.sum_amount == Decimal("-2.6")


def test_text_cells_keep_the_bank_s_own_notation() -> None:
    rows = [["Buchungstag", "Verwendungszweck", "Betrag"], ["31.01.2024", "Miete", "-1.234,50"], ["01.02.2024", "Lohn", "2.000,00"]]
    assert read(workbook({"a": sheet_xml(rows)})).sum_amount == Decimal("765.50")


def test_what_binary_arithmetic_leaves_behind_is_no_money() -> None:
    rows = [[*HEAD], ["day:45293", "a", 0.1 + 0.2, 1234.567], ["day:45294", "b", 1e-7, 5], ["day:45295", "c", 1234.5, 2]]
    reading = read(workbook({"a": sheet_xml(rows)}))
    assert [str(problem.value) for problem in reading.problems] == ["0.0000001"]
    rows.pop(2)
    assert read(workbook({"a": sheet_xml(rows)})).rows["amount"].to_pylist() == [Decimal("0.3"), Decimal("1234.5")]


def test_several_sheets_are_put_together_and_said() -> None:
    later = sheet_xml([[*HEAD], ["day:45393", "X", -1, 96.4]])
    reading = read(workbook({"Jan": GOOD, "Note": sheet_xml([["hello"]]), "May": later}))
    assert (reading.status, reading.n_transactions) == ("warned", 4)
    assert any("2 sheets hold transactions ('Jan', 'May')" in problem.message for problem in reading.problems)
    assert reading.dialect["sheets_set_aside"] == {"Note": "no row of it reads as a transaction"}


def test_a_sheet_that_repeats_another_is_not_counted_twice() -> None:
    reading = read(workbook({"All": GOOD, "Jan": GOOD, "Old": GOOD}, hidden=["Old"]))
    assert (reading.status, reading.n_transactions) == ("warned", 3)
    assert [problem.message for problem in reading.problems] == [
        "a.xlsx: the sheet 'Jan' was set aside: all its transactions stand in the sheet 'All'.",
        "a.xlsx: the sheet 'Old' was set aside: it is hidden.",
    ]


def test_problems_name_the_row_and_a_sheet_without_statement_is_none() -> None:
    reading = read(workbook({"a": sheet_xml([[*HEAD], ["day:45293", "X", 1, 1], ["day:45294", "Y", "=A1|", 1], ["day:45295", "Z", 2, 3]])}))
    assert (reading.status, reading.problems[0].line) == ("rejected", 3)  # a formula nobody ever calculated has no value
    assert "no row reads as a transaction" in refusal(workbook({"a": sheet_xml([["x", "y"], [1, 2]])}))
    assert "no cell of the workbook is filled" in refusal(workbook({"a": sheet_xml([])}))


FAR = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
PACKED = workbook({"a": GOOD})


def locked() -> bytes:
    """Set the bit that says an entry is encrypted."""
    content = bytearray(PACKED)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(mark)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(mark, at + 4)
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (workbook({"a": GOOD.replace("</sheetData>", FAR + "</sheetData>")}), "row 1,048,576, column 16,384"),
        (workbook({"a": GOOD.replace("</sheetData>", FAR.replace('"', " ' ").replace(" ' ", "'") + "</sheetData>")}), "column 16,384"),
        (workbook({"a": sheet_xml(ROWS[3:6], more=" " * 120_000_000)}), "unpacks to 120 MB, more than the 100 MB allowed"),
        (workbook({"a": sheet_xml(ROWS[3:6], more=" " * 20_000_000)}), "unpacks to more than 200 times its size"),
        (workbook({"a": GOOD}, parts=[("xl/worksheets/SHEET1.xml", GOOD)]), "'xl/worksheets/sheet1.xml' twice"),
        (workbook({"a": GOOD}, parts=[(f"xl/{n}", "") for n in range(1001)]), "1,007 parts, more than the 1,000"),
        (workbook({"a": GOOD.replace("<worksheet", '<!DOCTYPE a [<!ENTITY b "c">]><worksheet')}), "has a DOCTYPE"),
        (workbook({"a": GOOD[: GOOD.index("=HYPERLINK")]}), "sheet1.xml' is cut off"),
        (PACKED[: len(PACKED) // 2], "damaged or cut off"),
        (PACKED.replace(b"xl/workbook.xml", b"xl/wOrKbook.xmx"), "the workbook is damaged"),
        (locked(), "protected with a password"),
        (xls(ROWS).replace("Workbook".encode("utf-16-le"), "Workbxxk".encode("utf-16-le")), "an old Office file without a workbook"),
        (xls(ROWS)[:1500], "it is damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(700) + "EncryptedPackage".encode("utf-16-le"), "protected with a password"),
    ],
    ids=["far", "quoted", "bomb", "ratio", "twin", "parts", "doctype", "open", "cut", "no-book", "locked", "word", "xls-cut", "xls-locked"],
)  # fmt: skip
def test_hostile_workbooks_are_refused_in_words(content: bytes, said: str) -> None:
    assert said in refusal(content)


def test_rows_nobody_fills_do_no_harm() -> None:
    more = '<row r="1048576"><c r="XFD1048576" s="1"/></row>'
    reading = read(workbook({"a": sheet_xml(ROWS[3:], more=more, dimension="A1:XFD1048576")}))
    assert (reading.status, reading.n_transactions) == ("accepted", 3)


def test_a_lie_about_sizes_is_found_out() -> None:
    content = bytearray(workbook({"a": sheet_xml(ROWS[3:6], more=" " * 3_000_000)}))
    entry = content.rindex(b"xl/worksheets/sheet1.xml") - 46  # the directory at the end says how large it unpacks
    content[entry + 24 : entry + 28] = (20_000).to_bytes(4, "little")
    assert "damaged or cut off" in refusal(bytes(content))


def test_this_process_stays_small_and_the_child_does_not_outlive_its_time() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read(workbook({"a": GOOD.replace("</sheetData>", FAR + "</sheetData>")}))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB
    with pytest.raises(UnreadableFile, match=r"takes longer than 0\.001 s"):
        guard.extract("a.xlsx", PACKED, "sheets", max_rows=10, patience=0.001)
    with pytest.raises(UnreadableFile, match="more than the 2 allowed"):
        guard.extract("a.xlsx", PACKED, "sheets", max_rows=2)


def test_many_threads_may_read_at_once() -> None:
    sums: list[Decimal] = []
    threads = [threading.Thread(target=lambda: sums.append(read(PACKED).sum_amount)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sums == [Decimal("-2.6")] * 4


def test_text_that_calls_itself_a_workbook_is_read_as_what_it_is(shared: Path) -> None:
    reading = read((shared / "statements/bank2ynab__bank2ynab/test/test-data/test_swedebank_statement.xls").read_bytes(), "a.xls")
    assert reading.format == "csv"
