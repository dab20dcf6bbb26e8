"""Amounts and dates: what is printed is read back exactly, and what is no amount or no day is nothing."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as run
from hypothesis import strategies as st
from pandas import DataFrame

from creditrisk import cells

MONEY = st.decimals(min_value=Decimal("-1e12"), max_value=Decimal("1e12"), places=2)
DAYS = st.dates(min_value=date(1970, 1, 1), max_value=date(2068, 12, 31))


def printed(value: Decimal, group: str, mark: str, sign: str) -> str:
    """Write an amount the way some bank does."""
    digits = f"{abs(value):,.2f}".replace(",", "\0").replace(".", mark).replace("\0", group)
    if value >= 0:
        return f"{digits}CR" if sign == "side" else digits
    return {"before": f"-{digits}", "after": f"{digits}-", "brackets": f"({digits})", "side": f"{digits}DR", "unicode": f"−{digits}"}[sign]


@run(deadline=None)
@given(
    MONEY,
    st.sampled_from([("", "."), (",", "."), ("'", "."), (" ", "."), ("", ","), (".", ","), (" ", ","), ("\u00a0", ","), ("\u202f", ",")]),
    st.sampled_from(["before", "after", "brackets", "side", "unicode"]),
    st.sampled_from(["{}", "€{}", "{} EUR", "£ {}", " {} "]),
)
def test_every_way_of_writing_an_amount_reads_back(value: Decimal, marks: tuple[str, str], sign: str, glued: str) -> None:
    glued = "EUR {}" if sign == "side" and glued == "{} EUR" else glued  # CR and DR come last
    text = glued.format(printed(value, *marks, sign))
    read = cells.amount(text, marks[1])
    assert read is not None
    assert read[0] == value
    column = cells.amounts(pa.array([text]), marks[1], 10**12)
    assert int(column.units[0]) == value * 10_000
    assert column.state[0] == cells.READ


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "Infinity",
        "-inf",
        "1E400",
        "1e5",
        "12..34",
        "1,2,3",
        "--5",
        "+-5",
        "(5",
        "5)",
        "0x10",
        "ten",
        "€",
        "-",
        "1 2",
        "5-5",
        "1.23456",
    ],
)
def test_what_is_no_amount_is_not_read(text: str) -> None:
    assert cells.amount(text, ".") is None
    assert cells.amounts(pa.array([text]), ".", 10**12).state[0] == cells.BAD


def test_an_amount_beyond_the_limit_is_not_read() -> None:
    found = cells.amounts(pa.array(["1000.00", "1000.01", "99999999999999999999", ""]), ".", 1000)
    assert found.state.tolist() == [cells.READ, cells.BAD, cells.BAD, cells.BLANK]


@run(deadline=None)
@given(st.lists(MONEY, min_size=1, max_size=30))
def test_units_sum_and_become_money_exactly(values: list[Decimal]) -> None:
    units = np.array([int(value * 10_000) for value in values])
    assert cells.total(units) == sum(values)
    assert cells.to_money(units).to_pylist() == values
    assert cells.from_money(cells.to_money(units)).tolist() == units.tolist()


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["1.234,56", "2,00"], ","),
        (["1,234.56", "200"], "."),
        (["1.234.567", "5"], ","),
        (["12", "7"], ""),
        (["1.234", "5.678"], None),
        (["0.123", "1.234"], "."),
        (["1234.567"], "."),
        (["1 234,5"], ","),
    ],
)
def test_the_decimal_mark_is_found_from_all_rows(texts: list[str], mark: str | None) -> None:
    assert cells.decimal_mark(pa.array(texts)) == mark


@run(deadline=None)
@given(
    DAYS,
    st.sampled_from(["%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d", "%Y%m%d", "%y%m%d", "%d.%m.%y", "%d %b %Y", "%d-%b-%y", "%b %d, %Y"]),
    st.sampled_from(["", " 23:59", "T00:00:00Z", " 12:34:56 +0200"]),
)
def test_a_day_reads_back_as_printed_whatever_the_clock_says(day: date, form: str, clock: str) -> None:
    assert cells.date_reader(form)(day.strftime(form) + clock) == day


@run(deadline=None)
@given(st.lists(DAYS, min_size=25, max_size=60, unique=True), st.sampled_from(["%d/%m/%Y", "%m/%d/%Y"]))
def test_day_and_month_are_told_apart_by_any_day_after_the_twelfth(found: list[date], form: str) -> None:
    first = date(2024, 1, 1)
    everything = [*found, *(first + timedelta(days=step) for step in range(31))]
    assert cells.date_formats(pa.array([day.strftime(form) for day in everything])) == [form]


@pytest.mark.parametrize("text", ["31.02.2024", "29.02.2023", "00.01.2024", "12.13.2024", "1.1", "2024", "Pending", "12.34"])
def test_what_is_no_day_of_the_calendar_is_not_read(text: str) -> None:
    assert cells.date_reader("%d.%m.%Y")(text) is None


def test_a_text_that_a_spreadsheet_would_calculate_is_written_as_a_text() -> None:
    evil = ["=HYPERLINK(1)", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", " =1", "＝1"]
    plain = ["-12.50", "+49 30 1", "A=B", "", None]
    frame = DataFrame({"words": [*evil, *plain], "amount": [-1.5] * 12, "day": [date(2024, 1, 5)] * 12})
    written = cells.harmless(frame)
    assert written["words"].to_list()[:7] == [f"'{text}" for text in evil]
    assert written["words"].to_list()[7:10] == plain[:3]
    assert written[["amount", "day"]].equals(frame[["amount", "day"]])
    assert frame["words"][0] == evil[0], "what is kept is not changed"
    assert cells.harmless(frame[["amount"]]) is not None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("15 окт. 2024", "2024-10-15"),
        ("3 févr. 2024", "2024-02-03"),
        ("1 października 2024", "2024-10-01"),
        ("12 de março de 2024", "2024-03-12"),
        ("01-Şub-2024", "2024-02-01"),
        ("2024年3月5日", "2024-03-05"),
        ("2012:03:01", "2012-03-01"),
        ("20091224120000[0:GMT]", "2009-12-24"),
        ("28.06.2013 00:00:30:989", "2013-06-28"),
        ("2024-03-01 22:15:00 PDT", "2024-03-01"),
    ],
)
def test_a_day_is_read_in_many_languages_and_with_any_clock(text: str, day: str) -> None:
    forms = cells.date_formats(pa.array([text]))
    assert {str(cells.date_reader(form)(text)) for form in forms} == {day}


def test_a_day_of_the_week_is_one_and_other_words_are_not() -> None:
    read = {text: bool(cells.date_shapes(text)) for text in ("Mon, 15 Jan 2024", "lundi 15 janvier 2024", "Mo. 15 Jan 2024")}
    assert all(read.values()), read
    assert [text for text in ("to 14 January 2024", "period 15 December 2023", "until 3 May 2024") if cells.date_shapes(text)] == []


def test_whole_amounts_beside_grouped_ones_tell_the_thousands_mark() -> None:
    assert cells.decimal_mark(pa.array(["1,500", "500", "12,000"])) == "."
    assert cells.decimal_mark(pa.array(["1,500", "0,500", "12,000"])) == ","
    assert cells.decimal_mark(pa.array(["1,500", "2,500"])) is None
