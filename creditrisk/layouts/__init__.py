"""Where things stand in delimited text: its delimiter, its heading, and what each column means, found in the file or declared.

Nothing here reads an amount or a date for keeps: it only says where they stand. What had to be assumed is said.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from creditrisk.banks import Profile
from creditrisk.errors import UnreadableFile
from creditrisk.layouts import headed, headless
from creditrisk.layouts.content import at, is_amount, is_date

DELIMITERS = ";\t|,"
SAMPLE = 150


@dataclass(frozen=True)
class Layout:
    """Where things stand in one file: `first` is the physical line of the first row below the heading (1-based), `columns` are
    places from 0 by role, `names` the heading of every column, `guesses` what was assumed and must be said. `ways` are the money
    columns in each way they can be told where no heading decides, the one taken first; `is_open` says that it is no better than the rest.
    """

    delimiter: str
    first: int
    names: tuple[str, ...]
    columns: dict[str, tuple[int, ...]]
    has_header: bool
    guesses: tuple[str, ...] = ()
    preamble: tuple[tuple[str, ...], ...] = ()
    ways: tuple[dict[str, int], ...] = ()
    is_open: bool = False

    def address(self, place: int) -> str | int:
        """Return how a profile names a column: its heading, or its number from 1 where it has none of its own."""
        name = self.names[place]
        return name if self.has_header and name and self.names.count(name) == 1 else place + 1

    def named(self) -> dict[str, list[str]]:
        """Return the headings by role, as an analyst wants to see them."""
        return {role: [self.names[place] for place in places] for role, places in self.columns.items()}


def find(file: str, text: str, declared: Profile | None = None) -> Layout:
    """Find delimiter, heading and the role of every column, taking from `declared` what it says.

    The delimiter is the one under which most of the first rows read as transactions. Raises UnreadableFile where no row does.
    """
    lines = list(_first_lines(text, SAMPLE + (declared.skip if declared else 0)))
    seen = "".join(lines)
    offered = [declared.delimiter] if declared and declared.delimiter else [mark for mark in DELIMITERS if mark in seen]
    best: tuple[int, int, Layout] | None = None
    for mark in offered:
        found = _layout(_sample(lines, mark), mark, declared)
        if found and (best is None or found[:2] > best[:2]):
            best = found
    if best is None and declared and _needs_heading(declared):
        raise UnreadableFile(file, _missing(declared))
    if best is None:
        raise UnreadableFile(
            file,
            "no row reads as a transaction: a bank statement has a column of dates, one of amounts and one of words for each payment. "
            "Where they have other headings, a bank profile with [columns] date, amount and text says which they are.",
        )
    return best[2]


def sketch(text: str, declared: Profile | None = None) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]] | None:
    """Return the headings ("" where there is none) and first rows of a text whose rows hold dates and amounts; None where too few do."""
    lines = list(_first_lines(text, SAMPLE))
    best: tuple[int, int, list[list[str]]] = (0, 0, [])
    for mark in [declared.delimiter] if declared and declared.delimiter else DELIMITERS:
        every = [row for _, row in _sample(lines, mark)]
        places = [place for place, row in enumerate(every) if any(map(is_date, row)) and any(map(is_amount, row)) and len(row) > 2]
        if len(places) > max(best[0], 1):
            best = len(places), places[0], every
    hits, first, every = best
    if not hits:
        return None
    width = max(len(row) for row in every[first : first + 5])
    above = every[first - 1] if first and len(every[first - 1]) == width and all(map(str.strip, every[first - 1])) else []
    return tuple(above) or ("",) * width, tuple(tuple(row) for row in every[first : first + 5])


def _first_lines(text: str, count: int) -> Iterable[str]:
    reader = io.StringIO(text[: count * 2000], newline="")
    for _, line in zip(range(count), reader, strict=False):
        yield line


def _sample(lines: Sequence[str], mark: str) -> list[tuple[int, list[str]]]:
    """Cut the first lines into cells, leniently: (physical line, cells)."""
    reader = csv.reader(lines, delimiter=mark, skipinitialspace=True)
    rows: list[tuple[int, list[str]]] = []
    before = 0
    try:
        for row in reader:
            rows.append((before + 1, [cell.strip() for cell in row]))
            before = reader.line_num
    except csv.Error:
        pass  # the strict reading that follows names the line
    return rows


def _layout(rows: list[tuple[int, list[str]]], mark: str, declared: Profile | None) -> tuple[int, int, Layout] | None:
    rows = [row for row in rows if row[0] > (declared.skip if declared else 0)]
    header = None if declared and declared.header is False else headed.header(rows, declared)
    if header is None and declared and _needs_heading(declared):
        return None
    body = [cells_ for _, cells_ in rows[(header + 1) if header is not None else 0 :]]
    guesses: tuple[str, ...] = ()
    if header is not None:
        names = headed.moved(rows[header][1], body)
        columns = headed.roles(names, body, declared)
        ways, is_open = headed.rivals(names, columns, body, declared)
        first = rows[header + 1][0] if header + 1 < len(rows) else rows[header][0] + 1
    else:
        width = max((len(row) for row in body), default=0)
        names = tuple(f"column {place + 1}" for place in range(width))
        columns, guesses, ways = headless.by_content(body, declared)
        is_open = any("balance" in way for way in ways)
        first = 1 + (declared.skip if declared else 0)
        above = None if declared else headless.unknown_heading(rows)
        if above is not None:
            # What nobody can name is no amount for looking like one (a price, a share, a goal), unless a balance follows from it.
            if not headless.is_proven(columns, body):
                return None
            header, ways, is_open = above, (), False
            names = tuple(rows[above][1]) + names[len(rows[above][1]) :]
            guesses = (f"The headings are not known; {headless.shown(columns, names)}, for the balance follows from it.",)
            first = rows[above + 1][0]
    dates, money = columns.get("date", ()), [*columns.get("amount", ()), *columns.get("debit", ()), *columns.get("credit", ())]
    if not dates or not money or not (columns.get("text") or columns.get("code")):
        return None
    hits = sum(is_date(at(row, dates[0])) and any(is_amount(at(row, place)) for place in money) for row in body[:100])
    score = hits + (1 if header is not None else 0)
    preamble = tuple(tuple(row) for _, row in rows[: header or 0])
    found = Layout(mark, first, names, columns, header is not None, guesses, preamble, ways, is_open)
    return (score, len(columns), found) if score else None


def _needs_heading(declared: Profile) -> bool:
    return bool(declared.header) or any(isinstance(name, str) for names in declared.columns.values() for name in names)


def _missing(declared: Profile) -> str:
    wanted = [str(name) for names in declared.columns.values() for name in names]
    return f"no heading with the columns {', '.join(wanted)} that the bank profile {declared.name!r} declares."


def said(row: Sequence[str], layout: Layout) -> tuple[str, ...] | None:
    """Return what a row says in the columns of day and money; None where it is no transaction: no day, no amount, or words instead."""
    roles = ("date", "value_date", "amount", "debit", "credit", "balance")
    places = {role: layout.columns[role][0] for role in roles if role in layout.columns}
    cells_ = {role: at(row, place).strip() for role, place in places.items()}
    moneys = [cells_[role] for role in ("amount", "debit", "credit") if role in cells_]
    fit = all(not value or (is_date(value) if role.endswith("date") else is_amount(value)) for role, value in cells_.items())
    return tuple(cells_.values()) if fit and cells_["date"] and any(moneys) else None


def to_dict(found: Layout, **more: Any) -> dict[str, Any]:
    """Return a layout as the dialect an analyst is shown."""
    return {"delimiter": found.delimiter, "header_line": found.first - 1 if found.has_header else None, "columns": found.named(), **more}
