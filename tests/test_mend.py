"""Lines a strict reader would cut wrongly: rewritten where there is one way to understand them, left alone where there are two."""

import re

import pytest

from creditrisk.mend import mended


def key(row: list[str]) -> tuple[str, str] | None:
    """Read day and money of a row "day, words, money"."""
    return (row[0], row[2]) if len(row) == 3 and row[0].isdigit() and re.fullmatch(r"-?[\d,]+\.\d\d", row[2]) else None


def once(line: str, delimiter: str = ",") -> str:
    """Return one line below a heading as it is mended."""
    text, _ = mended(f"day,words,money\n{line}\n", delimiter, first=2, width=3, key=key)
    return text.splitlines()[1]


@pytest.mark.parametrize(
    ("line", "mended_as"),
    [
        ('1,"A "B" C",5.00', '1,"A ""B"" C",5.00'),
        ('1,"A \\"B\\"",5.00', '1,"A ""B""",5.00'),
        ("1,Pub,-1,200.00", '1,Pub,"-1,200.00"'),
        ("1,Pub,Leeds,5.00", '1,"Pub,Leeds",5.00'),
        ('1,"Pub"\t,5.00', "1,Pub,5.00"),
    ],
)
def test_what_can_be_meant_in_one_way_only_is_rewritten(line: str, mended_as: str) -> None:
    assert once(line) == mended_as


@pytest.mark.parametrize("line", ["1,Room 5,12,-30.00,x", "1,Pub,5.00", '1,"never closed,5.00', "1,5.00,6.00,7.00", "x,Pub,Leeds,5.00"])
def test_what_is_in_order_or_could_be_meant_in_two_ways_stays_as_it_is(line: str) -> None:
    assert once(line) == line


def test_a_cell_that_spans_lines_is_left_to_the_strict_reader() -> None:
    text = 'day,words,money\n1,"one\n"two" three\nfour",5.00\n'
    assert mended(text, ",", first=2, width=3, key=key) == (text, [])
