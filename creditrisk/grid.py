"""A text cut into cells: what a strict CSV reader would cut, proven line by line and therefore fast.

No cell is interpreted. A line keeps its physical number, however long or short it is.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from creditrisk.errors import UnreadableFile


@dataclass
class Grid:
    """The rows of a delimited file: `columns` the wanted ones by place, `lines` physical lines, `widths` cells in each row."""

    columns: dict[int, pa.Array]
    lines: NDArray[np.int32]
    widths: NDArray[np.int32]
    spills: NDArray[np.int32]  # rows with something in a cell beyond the heading


def cut(file: str, text: str, delimiter: str, *, first: int, width: int, places: Sequence[int]) -> Grid:
    """Cut the text below the heading into cells; raises UnreadableFile at an unterminated or misplaced quote.

    Lines are cut where the delimiter stands. That is what a strict reader would do for a line without quotes or with whole cells
    quoted and no delimiter in them; other lines go to the strict reader one by one, and to it all together where a cell spans lines.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    every = pc.split_pattern(pa.array([text], pa.large_string()), "\n").values.cast(pa.string()).slice(first - 1)
    filled = np.flatnonzero(~_flags(pc.or_(pc.equal(every, ""), pc.utf8_is_space(every))))
    lines, rows = (filled + first).astype(np.int32), every.take(pa.array(filled))
    quoted = '"' in text
    odd = np.flatnonzero(~_plainly_quoted(rows, delimiter)) if quoted else np.array([], np.int64)
    strict: list[list[str]] = []
    try:
        strict = list(csv.reader(rows.take(pa.array(odd)).to_pylist(), delimiter=delimiter, strict=True, skipinitialspace=True))
    except csv.Error:
        strict = []
    if len(strict) != len(odd):
        return _strictly(file, every.to_pylist(), delimiter, first=first, width=width, places=places)
    pieces = pc.split_pattern(rows, delimiter)
    offsets, values = pieces.offsets.to_numpy(), pieces.values
    widths = np.diff(offsets).astype(np.int32)

    is_odd = np.zeros(len(rows), bool)
    is_odd[odd] = True

    def column(place: int) -> pa.Array:
        found = values.take(pa.array(np.where(place < widths, offsets[:-1] + place, 0), mask=place >= widths))
        found = pc.fill_null(found, "")
        found = pc.utf8_trim(found, '"') if quoted else found
        if len(odd):
            found = pc.replace_with_mask(found, pa.array(is_odd), _column(strict, place))
        return found

    columns = {place: column(place) for place in places}
    natural = widths.max(initial=0)
    widths[odd] = [len(row) for row in strict]
    spilled = np.zeros(len(rows), bool)
    for place in range(width, max(int(natural), int(widths.max(initial=0)))):
        spilled |= _flags(pc.not_equal(pc.utf8_trim_whitespace(column(place)), ""))
    return Grid(columns, lines, widths, np.flatnonzero(spilled).astype(np.int32))


def _plainly_quoted(rows: pa.Array, delimiter: str) -> NDArray[Any]:
    """Say which lines have quotation marks, if any, only around whole cells with no delimiter in them."""
    mark = re.escape(delimiter)
    cell = rf'(?:"[^"{mark}]*"|[^"{mark}]*)'
    return _flags(pc.match_substring_regex(rows, rf"^{cell}(?:{mark}{cell})*$"))


def _strictly(file: str, every: list[str], delimiter: str, *, first: int, width: int, places: Sequence[int]) -> Grid:
    """Cut lines into cells with the strict reader, for files in which a cell spans lines or a quotation mark is out of place."""
    reader = csv.reader((line + "\n" for line in every), delimiter=delimiter, strict=True, skipinitialspace=True)
    lines: list[int] = []
    rows: list[list[str]] = []
    before = 0
    try:
        for row in reader:
            if any(cell.strip() for cell in row) or len(row) > 1:
                rows.append(row)
                lines.append(before + first)
            before = reader.line_num
    except csv.Error as error:
        what = f"the row cannot be cut into cells ({error})"
        if "end of data" in str(error):
            what = "a quotation mark opens here and never closes"
        raise UnreadableFile(file, f"{what}; the file is cut off or damaged.", line=before + first) from error
    columns = {place: _column(rows, place) for place in places}
    spilled = [place for place, row in enumerate(rows) if any(cell.strip() for cell in row[width:])]
    widths = [len(row) for row in rows]
    return Grid(columns, np.array(lines, np.int32), np.array(widths, np.int32), np.array(spilled, np.int32))


def _column(rows: Sequence[Sequence[str]], place: int) -> pa.Array:
    return pa.array([row[place] if place < len(row) else "" for row in rows], pa.string())


def _flags(column: pa.Array) -> NDArray[Any]:
    return np.asarray(column.to_numpy(zero_copy_only=False))
