"""Amounts: what is printed is read back exactly, and what is no amount is nothing."""

from datetime import date
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


def test_whole_amounts_beside_grouped_ones_tell_the_thousands_mark() -> None:
    assert cells.decimal_mark(pa.array(["1,500", "500", "12,000"])) == "."
    assert cells.decimal_mark(pa.array(["1,500", "0,500", "12,000"])) == ","
    assert cells.decimal_mark(pa.array(["1,500", "2,500"])) is None
