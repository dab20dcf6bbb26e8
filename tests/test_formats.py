"""What holds for every format: known by content, refused by name, counted twice, nothing stored that nobody counted."""

import dataclasses
from datetime import date
from decimal import Decimal

import pytest

from creditrisk import formats, ingest
from creditrisk.errors import UnreadableFile
from creditrisk.formats import ofx, qif
from creditrisk.settings import Intake, Settings
from creditrisk.statement import Found, Movements, merged
from creditrisk.store import Store

QIF = b"!Type:Bank\nD01/16/2024\nT-12.50\nPSHOP\n^\n"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"OFXHEADER:100\n<OFX>", "ofx"),
        (b"\xef\xbb\xbf\r\n<?xml version='1.0'?><?OFX OFXHEADER='200'?><OFX>", "ofx"),
        ("<OFX></OFX>".encode("utf-16"), "ofx"),
        (QIF, "qif"),
        (b"D01/16/2024\nT-1.00\nPX\n^\n", "qif"),
        (b"Date,Description,Amount\n", "csv"),
        ("Date,Amount\n".encode("utf-16"), "csv"),
        (b"<html><body><OFX></body></html>", None),
        (b"\x89PNG\r\n", None),
        (b"a\x00b", None),
    ],
)
def test_a_file_is_known_by_what_is_in_it(content: bytes, name: str | None) -> None:
    found = formats.find(content)
    assert (found and found[1]) == name


def test_no_format_takes_what_is_no_text_and_none_raises() -> None:
    for known in formats.FORMATS:
        for content in (b"", b"\x00", b"\xff\xfe\x00", b"\xff" * 5000, b"<" * 5000, b"!" * 5000):
            assert isinstance(known.recognises(content), str)
    assert formats.FORMATS[-1].TITLE == "CSV"
    assert formats.titles().endswith(" or CSV")


@pytest.mark.parametrize(("content", "name"), [(b"OFXHEADER:100\n", "ofx"), (b"!Type:Bank\nD1\n", "qif"), (b"Date,Text\n", "csv")])
def test_a_refused_file_names_its_format(content: bytes, name: str) -> None:
    reading = ingest.read("folder/../x.bin", content, settings=Settings())
    assert (reading.status, reading.format) == ("rejected", name)
    assert reading.problems[0].message.startswith("x.bin")


def test_what_nobody_reads_is_said() -> None:
    reading = ingest.read("a.csv", b"\x89PNG\r\n\x1a\n", settings=Settings())
    assert (reading.status, reading.format) == ("rejected", "unknown")
    assert "this is a picture, whatever its name says" in reading.problems[0].message


def test_a_reader_that_loses_a_row_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    read = qif.read

    def miscounting(*given: object) -> Found:
        return dataclasses.replace(read(*given), count=2)  # type: ignore[arg-type]

    monkeypatch.setattr(qif, "read", miscounting)
    reading = ingest.read("a.qif", QIF, settings=Settings())
    assert reading.status == "rejected"
    assert "2 transactions and 1 of them could be read" in reading.problems[0].message


def test_too_many_transactions_are_refused() -> None:
    reading = ingest.read("a.qif", QIF + QIF, settings=Settings(intake=Intake(max_rows=1)))
    assert "more than the 1 allowed" in reading.problems[0].message


def test_what_is_read_is_stored_and_shown_by_line(store: Store) -> None:
    (saved,) = ingest.save(store, [ingest.read("nora.qif", QIF, settings=store.settings)], user="ana")
    assert saved.statement_id is not None
    assert ingest.lines(store, saved.statement_id)["printed"].tolist() == ["D01/16/2024"]
    one_line = b"<OFX><STMTRS><CURDEF>EUR<BANKTRANLIST>%b</BANKTRANLIST></STMTRS></OFX>" % (
        b"<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20240105<TRNAMT>-1<NAME>X</STMTTRN>" * 2
    )
    (saved,) = ingest.save(store, [ingest.read("nora.ofx", one_line, settings=store.settings)], user="ana")
    assert saved.n_new == 2, "twins of one day are two"
    lines = ingest.lines(store, saved.statement_id or 0)
    assert (lines["line"].tolist(), lines["printed"].tolist()) == ([1, 2], ["", ""])
    assert store.rows("select format from statement order by statement_id") == [("qif",), ("ofx",)]


def test_money_that_does_not_fit_is_refused() -> None:
    moves = Movements("a.x", max_amount=1000)
    row = {"account": "", "currency": "", "booked_on": date(2024, 1, 5), "text": " a  b ", "code": ""}
    moves.add(**row, amount=Decimal("1.5"), line=1)  # type: ignore[arg-type]
    moves.add(**row, amount=Decimal(0), line=2)  # type: ignore[arg-type]
    assert moves.table().select(["text", "code"]).to_pylist() == [{"text": "a b", "code": ""}, {"text": "a b", "code": "ZERO"}]
    for amount in ("NaN", "Infinity", "1001", "0.00001"):
        with pytest.raises(UnreadableFile, match="line 3"):
            moves.add(**row, amount=Decimal(amount), line=3)  # type: ignore[arg-type]


def test_statements_of_one_account_follow_each_other() -> None:
    stated: dict[str, tuple[Decimal | None, Decimal | None]] = {}
    for opening, closing in ((1, 2), (2, 3), (3, None)):
        merged(stated, "A", Decimal(opening), None if closing is None else Decimal(closing))
    assert stated == {"A": (1, 3)}
    assert ofx.TITLE == "OFX"
