"""A delimited file, from cells to transactions: whole or not at all, every problem with its line, heading and value.

Rows without a date and an amount (headings, footers, notices, pending) are set aside and counted; a row that has one of them
and not the other, or either unreadable, refuses the file.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow.compute as pc

from creditrisk import banks, cells, charset, layouts
from creditrisk.cells import READ
from creditrisk.errors import UnreadableFile
from creditrisk.formats.delimited import aside, days, ends, kept, money, signs
from creditrisk.formats.delimited.sheet import SHOWN, Sheet, flags
from creditrisk.grid import Grid, cut, lines_of
from creditrisk.mend import mended
from creditrisk.reconcile import overall, reconcile
from creditrisk.settings import Intake
from creditrisk.statement import Choice, Found, Problem, Question, Refused, Unclear

FEW = 100  # rows without words that are looked at whole
HEAD = 4_000_000  # bytes in which the heading and the first rows stand
TITLE = "CSV"


def recognises(content: bytes) -> str:
    """Text that is nothing else is delimited text."""
    return "" if charset.recognise(content) else "csv"


def read(file: str, content: bytes, declared: banks.Profile | None, limits: Intake) -> Found:
    """Read delimited text; raises UnreadableFile or Refused where it cannot be read whole."""
    text, encoding = charset.utf8(file, content, declared.encoding if declared else None)
    if b"\x00" in text:
        raise UnreadableFile(file, "this is a binary file (it contains NUL characters), not text.")
    head = text[:HEAD].decode("utf-8-sig", errors="ignore")
    layout = _layout(file, head, declared)

    def read_as(way: layouts.Layout) -> Found:
        if len(way.names) > limits.max_columns:
            raise UnreadableFile(file, f"the heading has {len(way.names)} columns, more than the {limits.max_columns} allowed.")
        grid, rewritten = _cut(file, text, way)
        _check_lengths(file, way, grid, limits.max_field_length)
        sheet = Sheet(file, way, grid, declared, limits.max_amount)
        sheet.bare = _bare(text, way, grid)
        found = _found(sheet, encoding, ends_open=not text.endswith((b"\n", b"\r")))
        return replace(found, notes=[*found.notes, *rewritten])

    found = read_as(layout)
    return _decided(file, found, layout, read_as, head) if layout.ways else found


def _found(sheet: Sheet, encoding: str, *, ends_open: bool) -> Found:
    """Return the transactions, what was inferred, and what must be said. Raises Refused or UnreadableFile."""
    if not sheet.n:
        raise UnreadableFile(sheet.file, "there is a heading and no row below it.")
    day, day_state, sheet.form = days.read(sheet)
    units, money_state, marks = money.read(sheet)
    unbooked = sheet.unbooked()
    sheet.named = aside.named_balances(sheet)
    is_row = (day_state == READ) & (money_state == READ) & ~unbooked & ~sheet.named
    counts, joined = aside.set_aside(sheet, is_row, day_state, money_state, unbooked)
    where = np.flatnonzero(is_row)
    if not len(where) and not sheet.problems:
        raise UnreadableFile(sheet.file, "there is no transaction in the file.")
    ends.check(sheet, where, ends_open)
    units = signs.signed(sheet, units, marks, where)
    if sheet.left_out:
        where = where[~np.isin(sheet.grid.lines[where], np.array([problem.line for problem in sheet.left_out], np.int32))]
        counts["direction unknown"] = len(sheet.left_out)
    is_total, strange = aside.totals(sheet, units, where)
    where, counts["total"] = where[~is_total], counts["total"] + int(is_total.sum())
    balance = signs.balance(sheet, where, units, day)
    if sheet.problems:
        raise Refused(sorted(sheet.problems, key=lambda problem: problem.line or 0))
    aside.from_preamble(sheet)
    rows = kept.table(sheet, where, day, units, balance=balance, more=joined)
    name = sheet.declared.name if sheet.declared else ""
    shown: dict[str, Any] = {"encoding": encoding, "profile": name or None, "date_format": sheet.form}
    shown |= {"decimal": sheet.decimals, "sign": sheet.sign_rule, "set_aside": {kind: count for kind, count in counts.items() if count}}
    notes = [Problem(None, None, None, f"{sheet.file}: {guess}") for guess in sheet.layout.guesses]
    notes += sheet.left_out[:SHOWN] + sheet.said[:SHOWN]
    questions = signs.one_sided(sheet, units if len(where) == sheet.n else units[where], where)
    doubts = [question.problem for question in questions] + strange + money.fees_unsaid(sheet) + sheet.doubted_states(where)
    accounts = pc.unique(rows["account"]).to_pylist()
    stated = {accounts[0]: (sheet.stated_opening, sheet.stated_closing)} if len(accounts) == 1 else {}
    return Found(rows, layouts.to_dict(sheet.layout, **shown), notes, doubts, stated, pending=counts["not booked"], questions=questions)


def _layout(file: str, text: str, declared: banks.Profile | None) -> layouts.Layout:
    """Find out what stands where; raises Unclear where rows hold dates and amounts and nobody can say which column is which."""
    try:
        return layouts.find(file, text, declared)
    except UnreadableFile as error:
        seen = None if declared and declared.columns else layouts.sketch(text, declared)
        if seen is None:
            raise
        headings, sample = seen
        sentence = "which column is the date, the amount and the text cannot be told; a bank profile (--profile) with [columns] decides."
        asks = "Which column is which?"
        named = headings if any(headings) else ()
        raise Unclear(file, Question("columns", asks, Problem(None, None, None, sentence), (), named, sample)) from error


def _decided(file: str, found: Found, layout: layouts.Layout, read_as: Callable[[layouts.Layout], Found], text: str) -> Found:
    """Let the balances say which way the money columns are to be read; where they do not, ask. Raises Unclear where nothing is better."""
    if _adds_up(found):
        return found
    fitting = []
    for way in layout.ways[1:]:
        try:
            other = read_as(replace(layout, columns={**layout.columns, **{role: (place,) for role, place in way.items()}}, guesses=()))
        except (Refused, UnreadableFile):
            continue
        fitting += [other] if _adds_up(other) else []
    if len(fitting) == 1:
        return fitting[0]
    choices = [_choice(layout, way) for way in layout.ways]
    columns = " or ".join(banks.to_toml(choice.declares["columns"]).strip().replace("\n", ", ") for choice in choices)
    what = "which column is the amount" if "amount" in layout.ways[0] else "which column is money out and which money in"
    sentence = f"{what} cannot be told from the file; a bank profile (--profile) with [columns] {columns} decides."
    headings = layout.names if layout.has_header else ()
    seen = layouts.sketch(text)
    asks = f"{what.capitalize()}?"
    question = Question("columns", asks, Problem(None, None, None, sentence), tuple(choices), headings, seen[1] if seen else ())
    if layout.is_open:
        raise Unclear(file, question)
    doubt = Problem(None, None, None, f"{file}: {sentence}")
    doubts = [] if layout.guesses else [doubt]  # the guess is said as it is
    return replace(found, doubts=[*found.doubts, *doubts], questions=[*found.questions, replace(question, problem=doubt)])


def _cut(file: str, text: bytes, layout: layouts.Layout) -> tuple[Grid, list[Problem]]:
    """Cut a text into cells, lines that a strict reader would cut wrongly as they must be meant; what was rewritten is said."""
    places = sorted({place for places in layout.columns.values() for place in places})
    width = len(layout.names) if layout.has_header else 0

    def strictly(text: bytes) -> Grid:
        return cut(file, text, layout.delimiter, first=layout.first, width=len(layout.names), places=places)

    try:
        grid = strictly(text)
        if not len(grid.spills) or not width:
            return grid, []
    except UnreadableFile:
        grid = None
    written = text.decode("utf-8-sig")
    mended_, lines = mended(written, layout.delimiter, first=layout.first, width=width, key=lambda row: layouts.said(row, layout))
    if grid is not None and not lines:
        return grid, []
    grid = strictly(mended_.encode())
    kept = set(grid.lines.tolist())
    shown = [line for line in lines if line in kept]
    what = "a quotation mark or a delimiter stands inside a value; the row was read as it must be meant."
    return grid, [Problem(line, None, None, f"{file}, line {line}: {what}") for line in shown[:SHOWN]]


def _bare(text: bytes, layout: layouts.Layout, grid: Grid) -> dict[int, list[str]]:
    """Return the cells of the few rows that have no word where words are expected: some banks put "Closing balance" elsewhere."""
    words = [grid.columns[place] for place in layout.columns.get("text", ())]
    if not words:
        return {}
    empty = [flags(pc.equal(pc.utf8_trim_whitespace(column.dictionary), "")) for column in words]
    if not all(each.any() for each in empty):
        return {}
    blank = np.logical_and.reduce([each[cells.places(column)] for each, column in zip(empty, words, strict=True)])
    rows = np.flatnonzero(blank)
    if not 0 < len(rows) <= FEW:
        return {}
    lines = lines_of(text, grid.lines[rows].tolist())
    return {int(row): [cell.strip(' "') for cell in lines[int(grid.lines[row])].split(layout.delimiter)] for row in rows}


def _adds_up(found: Found) -> bool:
    return overall(reconcile(found.rows, found.stated)[0]) == "ok"


def _choice(layout: layouts.Layout, way: Mapping[str, int]) -> Choice:
    says = {"amount": "the amount", "balance": "the balance", "debit": "money out", "credit": "money in"}
    label = ", ".join(f"{layout.names[place]} is {says[role]}" for role, place in way.items())
    return Choice({"columns": {role: [layout.address(place)] for role, place in way.items()}}, label[:1].upper() + label[1:])


def _check_lengths(file: str, layout: layouts.Layout, grid: Grid, longest: int) -> None:
    for place, column in grid.columns.items():
        too_long = flags(pc.greater(pc.utf8_length(column.dictionary), longest))
        if too_long.any():
            line = int(grid.lines[np.flatnonzero(too_long[cells.places(column)])[0]])
            raise UnreadableFile(file, f"a cell of column {layout.names[place]!r} is longer than {longest} characters.", line=line)
