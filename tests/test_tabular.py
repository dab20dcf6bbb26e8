"""Files become tables in one way: whatever the dialect the same values, and what is no table is a sentence."""

import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pandas import DataFrame
from pyarrow import parquet

from creditrisk import tabular
from creditrisk.errors import UnreadableFile
from creditrisk.rows import check
from creditrisk.schema import Feature, Schema
from creditrisk.settings import Intake
from tests.papers import sheet_xml, workbook

LIMITS = Intake()
SCHEMA = Schema(
    "small",
    (
        Feature("income", "Income", low=0),
        Feature("months", "Months", type="integer"),
        Feature("town", "Town", type="choice", choices=("Łódź", "Köln", "Rome")),
    ),
)
TITLED = DataFrame([["", "", ""], ["id", "x", "y"], ["1", "2", "3"]], columns=["Loans of 2026", " ", "  "])
PLAIN = "applicant_id,income,months,town\n007,1234.5,1,Köln\n08,0.25,2,Rome\n9,12.75,,Köln\n"
COMMAS = PLAIN.replace(",", ";").replace(".", ",")


def of(frame: DataFrame, *, hidden: DataFrame | None = None) -> bytes:
    """A workbook with one sheet, or with a hidden one beside it."""
    sheets = {"table": frame, **({} if hidden is None else {"old": hidden})}
    return workbook({name: sheet_xml([list(part.columns), *part.to_numpy().tolist()]) for name, part in sheets.items()}, hidden=["old"])


def arrow(**columns: object) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.table(columns), out)
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        PLAIN.encode("cp1252"),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace(",", "|").encode(),
        COMMAS.encode(),
        COMMAS.replace("1234,5", "1.234,5").encode("latin-1"),
    ],
    ids=["plain", "bom", "utf-16", "cp1252", "crlf", "cr", "tabs", "bars", "decimal commas", "thousands"],
)
def test_every_dialect_holds_the_same_values(content: bytes) -> None:
    table, problems = check(SCHEMA, tabular.read("rows.csv", content, LIMITS))
    assert problems == []
    assert table["applicant_id"].tolist() == ["007", "08", "9"]
    assert table["income"].tolist() == [1234.5, 0.25, 12.75]
    assert table["town"].tolist() == ["Köln", "Rome", "Köln"]


def test_workbooks_and_parquet_hold_them_too() -> None:
    frame = DataFrame({"applicant_id": ["007", "08"], "income": [1234.5, 0.25], "months": [1, 2], "town": ["Köln", "Rome"]})
    out = io.BytesIO()
    frame.to_parquet(out)
    for name, content in (("rows.xlsx", of(frame)), ("rows.parquet", out.getvalue())):
        table, problems = check(SCHEMA, tabular.read(name, content, LIMITS))
        assert problems == []
        assert table["applicant_id"].tolist() == ["007", "08"]
        assert table["income"].tolist() == [1234.5, 0.25]


def test_what_reading_changed_is_said() -> None:
    encoding, commas = tabular.read("a.csv", COMMAS.encode("cp1252"), LIMITS).attrs["notes"]
    assert encoding.startswith("it is no UTF-8 and was read as cp125")
    assert commas == "decimal commas became points in income."
    book = of(DataFrame({"id": ["a"]}), hidden=DataFrame({"id": ["b"]}))
    assert tabular.read("a.xlsx", book, LIMITS).attrs["notes"] == ["the hidden sheet 'old' was not read."]


def test_a_comma_that_may_part_thousands_is_left_to_a_person() -> None:
    table = tabular.read("a.csv", b"id;income\n1;1,234\n2;5,678\n", LIMITS)
    assert table["income"].tolist() == ["1,234", "5,678"]


def test_parquet_types_become_single_values() -> None:
    zoned = pa.array([datetime(2026, 1, 31, 12, tzinfo=UTC)], pa.timestamp("us", tz="Europe/Berlin"))
    town = pa.array(["Rome"]).dictionary_encode()
    table = tabular.read("a.parquet", arrow(as_of=zoned, income=pa.array([Decimal("12.50")]), town=town), LIMITS)
    checked, problems = check(SCHEMA, table)
    assert (problems, checked["income"].tolist(), checked["town"].tolist()) == ([], [12.5], ["Rome"])
    assert str(checked["as_of"][0]) == "2026-01-31"


def test_the_names_of_a_frames_rows_neither_shift_nor_lose_anything(tmp_path: Path) -> None:
    frame = DataFrame({"applicant_id": ["A1", "A2", "A3"], "income": [1.0, 2.0, 3.0]})
    frame[frame["income"] > 1].to_parquet(tmp_path / "part.parquet")
    frame.set_index("applicant_id").to_parquet(tmp_path / "named.parquet")
    assert tabular.load(tmp_path / "part.parquet", LIMITS).index.tolist() == [0, 1]
    assert tabular.load(tmp_path / "named.parquet", LIMITS).equals(frame)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", "the file is empty"),
        ("bare.csv", b"a,b\n", "there is a heading and no row below it"),
        ("twice.csv", b"a,a\n1,2\n", "the heading 'a' stands twice"),
        ("nameless.csv", b"a,\n1,2\n", "column 2 has no heading"),
        ("odd.csv", b"a,b\n1,2\n1,2,3,4\n", "line 3: the row has 4 cells, the heading 2"),
        ("shifted.csv", b"a,b\n1,2,3\n4,5,6\n", "line 2: the row has 3 cells, the heading 2"),
        ("short.csv", b"a,b,c\n1,2,3\n4,5\n", "line 3: the row has 2 cells, the heading 3"),
        ("open.csv", b'a,b\n1,"2\n3,4\n', "a quotation mark opens here and never closes"),
        ("nul.csv", b"a,b\n1,\x002\n", "NUL"),
        ("paper.csv", b"%PDF-1.7 ...", "this is a PDF document"),
        ("not.parquet", b"PAR0", "it is not a table"),
        ("cut.parquet", arrow(a=[1, 2])[:-20], "it is not a table"),
        ("wide.csv", ",".join(f"c{n}" for n in range(10_000)).encode() + b"\n" + b",".join([b"1"] * 10_000), "10,000 columns"),
        ("nested.parquet", arrow(a=[1], b=[[1, 2]]), "column 'b' holds list"),
        ("dict.parquet", arrow(a=[1], b=[{"x": 1}]), "column 'b' holds struct"),
        ("bytes.parquet", arrow(a=[1], b=[b"\x00\x01"]), "column 'b' holds binary"),
        (
            "title.xlsx",
            of(TITLED),
            "leave one row with the names",
        ),
    ],
)
def test_a_file_that_is_no_table_gets_a_sentence(name: str, content: bytes, said: str) -> None:
    with pytest.raises(UnreadableFile, match=said) as refused:
        tabular.read(name, content, LIMITS)
    assert str(refused.value).startswith(name)


def test_two_sheets_are_refused_by_their_names() -> None:
    with pytest.raises(UnreadableFile, match="here are 'one', 'two'"):
        tabular.read("two.xlsx", workbook(dict.fromkeys(("one", "two"), sheet_xml([["id"], ["1"]]))), LIMITS)


def test_a_file_that_is_not_there_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"gone.csv: it cannot be opened: no such file or directory"):
        tabular.load(tmp_path / "gone.csv", LIMITS)
