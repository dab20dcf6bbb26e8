"""Lines that no strict CSV reader would cut rightly, rewritten so that it does: only where there is one way to understand them.

A quotation mark inside a quoted cell, a delimiter inside an unquoted one. What could be understood in two ways stays as it is, to be
refused by who reads it. Lines keep their number.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence

Cells = Sequence[str]
Key = tuple[str, ...]


def mended(text: str, delimiter: str, *, first: int, width: int, key: Callable[[Cells], Key | None]) -> tuple[str, list[int]]:
    """Return the text with every line from `first` on cut as it must be meant, and the lines that were rewritten.

    `key` returns what a row says in the columns that matter (day and money), None where it is no transaction so cut; `width` is the
    number of cells of the heading (0 where there is none, and no row is too long).

    >>> def key(row: Cells) -> Key | None:
    ...     return (row[0], row[2]) if re.fullmatch(r"-?[\\d,]+\\.\\d\\d", row[2]) else None
    >>> mended('day,words,money\\n1,"UAB "Rent" Ltd",5.00\\n2,Pub, Leeds,-1,200.00\\n', ",", first=2, width=3, key=key)
    ('day,words,money\\n1,"UAB ""Rent"" Ltd",5.00\\n2,"Pub,Leeds","-1,200.00"\\n', [2, 3])
    """
    lines, changed = re.split(r"\r\n|\r|\n", text), []
    is_open = False
    for place, line in enumerate(lines[first - 1 :], first - 1):
        was_open, is_open = is_open, is_open ^ (line.count('"') % 2 == 1)
        if was_open or is_open or not line.strip():  # part of a cell that spans lines
            continue
        row = _strict(line, delimiter)
        cut = row if row is not None else _lenient(line, delimiter)
        if width and len(cut) > width and any(map(str.strip, cut[width:])):
            cut = _narrowed(cut, width, delimiter, key) or cut
        if cut != row:
            lines[place] = _written(cut, delimiter)
            changed.append(place + 1)
    return ("\n".join(lines), changed) if changed else (text, [])


def _strict(line: str, delimiter: str) -> list[str] | None:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True, skipinitialspace=True), [])
    except csv.Error:
        return None


def _lenient(line: str, delimiter: str) -> list[str]:
    """Cut a line where a quotation mark ends a cell only before a delimiter or the end; blanks after it do not count."""
    mark = re.escape(delimiter)
    cell = re.compile(rf'\s*"(?P<quoted>.*?)"[ \t]*(?={mark}|$)|(?P<plain>[^{mark}]*)')
    cells, start = [], 0
    while found := cell.match(line, start):
        quoted = found["quoted"]
        cells.append(found["plain"] if quoted is None else re.sub(r'""|\\"', '"', quoted))
        start = found.end() + 1
        if found.end() >= len(line):
            break
    return cells


def _narrowed(row: list[str], width: int, delimiter: str, key: Callable[[Cells], Key | None]) -> list[str] | None:
    """Join cells until there are as many as the heading has; None where no or more than one reading of day and money comes out."""
    while len(row) > width and not row[-1].strip():
        row = row[:-1]
    ways = [way for start in ([row] if delimiter != "," else _regrouped(row)) for way in _joined(start, width, delimiter)]
    readings = [(found, way) for way in ways if (found := key(way)) is not None]
    return readings[0][1] if len({found for found, _ in readings}) == 1 else None


def _joined(row: list[str], width: int, delimiter: str) -> Iterator[list[str]]:
    extra = len(row) - width
    if extra == 0:
        yield row
    for place in range(width if extra > 0 else 0):
        if any(re.fullmatch(r"\W*\d[\d.,]*\W*", cell) for cell in row[place : place + extra + 1]):
            continue  # a number of its own is no part of the words beside it
        joined = delimiter.join(filter(str.strip, row[place : place + extra + 1]))
        yield [*row[:place], joined, *row[place + extra + 1 :]]


def _regrouped(row: list[str]) -> Iterator[list[str]]:
    """Yield the row as it is, and with the cells joined that thousands commas have cut: '-1', '200.00'."""
    yield row
    grouped: list[str] = []
    for cell in row:
        if grouped and re.fullmatch(r"\d{3}(\.\d+)?\D{0,3}", cell) and re.fullmatch(r"\D{0,4}\d{1,3}(,\d{3})*", grouped[-1]):
            grouped[-1] += "," + cell
        else:
            grouped.append(cell)
    if len(grouped) < len(row):
        yield grouped


def _written(row: Cells, delimiter: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="").writerow(row)
    return out.getvalue()
