"""Cutting text into cells: the fast way is the strict way, whatever is quoted."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import settings as run
from hypothesis import strategies as st

from creditrisk.errors import UnreadableFile
from creditrisk.grid import Grid, cut

CELLS = st.text(st.sampled_from('ab1,;"\n é'), max_size=6)


def grid(text: str, delimiter: str = ",", width: int = 3) -> Grid:
    """Cut a text of three columns."""
    return cut("a.csv", text.encode(), delimiter, first=1, width=width, places=range(width))


def rows(found: Grid) -> list[tuple[str, ...]]:
    """Return the cells row by row."""
    return list(zip(*(found.columns[place].to_pylist() for place in sorted(found.columns)), strict=True))


@run(deadline=None)
@given(
    st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8),
    st.sampled_from([",", ";"]),
    st.booleans(),
    st.sampled_from(["\n", "\r\n"]),
)
def test_cells_are_those_of_a_strict_reader(written: list[tuple[str, str, str]], delimiter: str, all_quoted: bool, end: str) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL if all_quoted else csv.QUOTE_MINIMAL).writerows(written)
    found = rows(grid(out.getvalue(), delimiter))
    assert [tuple(map(str.strip, row)) for row in found] == [tuple(map(str.strip, row)) for row in written]


def test_lines_keep_their_numbers_and_their_widths() -> None:
    found = grid('a,b,c\n\n"x\ny",2,3\n  \nd\n1,2,3,4\n1,2,3,\n')
    assert found.lines.tolist() == [1, 3, 6, 7, 8]
    assert found.widths.tolist() == [3, 3, 1, 4, 4]
    assert found.spills.tolist() == [3]
    assert rows(found)[2] == ("d", "", "")


@pytest.mark.parametrize("text", ['a,b,c\n1,"2,3\n4,5,6\n', 'a,b,c\n1,"2"x,3\n'])
def test_a_quotation_mark_out_of_place_names_the_line(text: str) -> None:
    with pytest.raises(UnreadableFile, match=r"a\.csv, line 2:"):
        grid(text)
