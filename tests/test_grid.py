"""Cutting text into cells: the fast way is the strict way, whatever is quoted."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import settings as run
from hypothesis import strategies as st

from creditrisk.errors import UnreadableFile
from creditrisk.grid import PIECE, Grid, cut

CELLS = st.text(st.sampled_from('ab1,;"\n é'), max_size=6)


def grid(text: str, delimiter: str = ",", width: int = 3, first: int = 1, piece: int = PIECE) -> Grid:
    """Cut a text of three columns."""
    return cut("a.csv", text.encode(), delimiter, first=first, width=width, places=range(width), piece=piece)


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


LINES = st.lists(
    st.one_of(
        st.lists(st.sampled_from(["a", "-1.5", '"b"', '"c,d"', '""', "é", '"e""f"', "\u00a0"]), min_size=1, max_size=4).map(",".join),
        st.sampled_from(["", "  ", '"g\nh",2,3', 'i"j,2,3', "1,2,3", "1,2,3,", "k,l"]),
        st.text(st.sampled_from('a,"\n'), max_size=5),
    ),
    max_size=12,
)


def strictly(text: str, first: int) -> list[tuple[int, list[str]]] | None:
    """Cut a text as the standard library does when it is strict, from a line on: (line, cells); None where it refuses."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[first - 1 :]
    reader, found, before = csv.reader((line + "\n" for line in lines), strict=True, skipinitialspace=True), [], 0
    try:
        for row in reader:
            if len(row) > 1 or any(map(str.strip, row)):
                found.append((before + first, [cell.strip() for cell in row]))
            before = reader.line_num
    except csv.Error:
        return None
    return found


@run(deadline=None, max_examples=300)
@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans(), st.integers(1, 60), st.integers(1, 3))
def test_a_file_in_pieces_is_what_a_strict_reader_makes_of_the_whole(
    written: list[str], end: str, ended: bool, piece: int, first: int
) -> None:
    text = end.join(written) + end * ended
    expected = strictly(text, first)
    if expected is None:
        with pytest.raises(UnreadableFile):
            grid(text, first=first, piece=piece)
        return
    found = grid(text, first=first, piece=piece)
    assert found.lines.tolist() == [line for line, _ in expected]
    assert found.widths.tolist() == [len(row) for _, row in expected]
    assert [[cell.strip() for cell in row] for row in rows(found)] == [[*row, "", "", ""][:3] for _, row in expected]
    assert found.spills.tolist() == [place for place, (_, row) in enumerate(expected) if any(row[3:])]


@pytest.mark.parametrize("piece", [5, 12, PIECE])
def test_a_line_of_nothing_but_tabs_is_no_row(piece: int) -> None:
    found = grid("a\tb\tc\n\t\t\n \t \t\n\tb\t\n\u00a0\n", "\t", piece=piece)
    assert (found.lines.tolist(), rows(found)) == ([1, 4], [("a", "b", "c"), ("", "b", "")])


def test_a_delimiter_of_any_kind_cuts() -> None:
    assert rows(grid("1§2§3\n4§5§6\n", "§")) == [("1", "2", "3"), ("4", "5", "6")]
