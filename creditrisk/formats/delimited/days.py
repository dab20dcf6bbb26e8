"""The day of every row, in the one format that all rows, their order or the rest of the file leave.

Where two formats are left it is a question, never a guess.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from creditrisk import cells, dates
from creditrisk.cells import BAD, READ, Marks
from creditrisk.errors import UnreadableFile
from creditrisk.formats.delimited import money
from creditrisk.formats.delimited.sheet import Sheet
from creditrisk.statement import date_question


def read(sheet: Sheet) -> tuple[NDArray[np.int32], Marks, str]:
    """Return the day of every row, counted from 1970, what its cell is, and the format of the file's dates."""
    column = cells.each(sheet.column("date"), _days_only)
    form = sheet.declared.date_format if sheet.declared and sheet.declared.date_format else _date_format(sheet, column)
    days, state = dates.days(column.dictionary, form)
    if _near(days[state == READ]).any():  # some samples have all their dates masked as 1111/11/11
        state[(state == READ) & ~_near(days)] = BAD
    where = cells.places(column)
    return days.astype(np.int32)[where], state[where], form


def _date_format(sheet: Sheet, column: pa.DictionaryArray) -> str:
    """Decide the date format from all rows; where day and month could be swapped, from the order of the rows."""
    forms = dates.formats(column)
    if not forms:
        value = next((text for text in column.dictionary.to_pylist() if text), "")
        line = int(sheet.grid.lines[0])
        raise UnreadableFile(sheet.file, f"no value of column {sheet.name('date')!r} is a date (the first is {value!r}).", line=line)
    if len(forms) == 1:
        return forms[0]
    read = {form: _only(*dates.days(column, form)) for form in forms}
    likely = {form: days for form, days in read.items() if _years_fit(days)} or read
    usual = {form: days for form, days in likely.items() if not re.match(r"%y\W", form)} or likely
    if any(_span(days) > 5 * 366 for days in usual.values()) and any(_span(days) <= 2 * 366 for days in likely.values()):
        usual = likely  # 24/03/05, 24/03/28: the year may well stand first
    first = next(iter(usual))
    if all(np.array_equal(usual[first], days) for days in usual.values()):
        return first
    ordered = [form for form, days in usual.items() if _in_order(days)]
    if len(ordered) == 1:
        return ordered[0]
    if (told := _told_elsewhere(sheet, usual)) is not None:
        return told
    sample = next(text for text in column.dictionary.to_pylist() if len({dates.reader(form)(text) for form in usual}) > 1)
    line = sheet.line_of(column, sample)
    raise date_question(sheet.file, list(usual), line=line, column=sheet.name("date"), value=sample, headings=sheet.headings())


def _told_elsewhere(sheet: Sheet, forms: Mapping[str, NDArray[Any]]) -> str | None:
    """Return the one format that other dates of the file, its decimal comma, or the order of its balances leave; None for more."""
    texts = sheet.column("value_date").dictionary.to_pylist() if sheet.has("value_date") else []
    words = [word for row in sheet.layout.preamble for cell in row for word in re.findall(r"[\d./-]{6,}", cell)]
    likely = list(forms)
    for text in [*map(str.strip, texts), *words]:
        fits = [form for form in likely if dates.reader(form)(text)]
        likely = fits if fits and set(dates.shapes(text)) & set(forms) else likely
    if len(likely) > 1 and ("," in money.marks(sheet).values() or _abroad(sheet)):
        likely = [form for form in likely if not form.startswith("%m")] or likely  # no language has both
    if len(likely) > 1 and (newest_first := _newest_first(sheet)) is not None:
        likely = [form for form in likely if (forms[form][0] > forms[form][-1]) == newest_first]
    return likely[0] if len(likely) == 1 else None


def _abroad(sheet: Sheet) -> bool:
    """Say whether amounts carry the sign of a currency in whose countries the day comes first."""
    columns = [sheet.column(role) for role in ("amount", "debit", "credit", "balance") if sheet.has(role)]
    return any(pc.any(pc.match_substring_regex(column.dictionary, r"[£₹₽₺₪₴₦]|R\$|zł|Kč|Ft")).as_py() for column in columns)


def _newest_first(sheet: Sheet) -> bool | None:
    """Say by the running balance whether the rows run backwards; None where no balance says so, or they are not in order of days."""
    if not sheet.has("balance") or not (sheet.has("amount") or sheet.has("debit")):
        return None
    units, state, _ = money.read(sheet)
    balance = money.amounts(sheet, "balance")
    both = (state == READ) & (balance.state == READ)
    found, newest_first = cells.agreement(units[both], balance.units[both])
    return newest_first if found and found == int(both.sum()) - 1 else None


def _days_only(texts: pa.Array) -> pa.Array:
    """Take blanks and the time of day from dates."""
    clock = r"[T ,]+\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp][Mm])?( ?(Z|[A-Z]{3,4}|[+-]\d{2}:?\d{2}))?$"
    return pc.replace_substring_regex(pc.utf8_trim_whitespace(texts), clock, "")


def _only(days: NDArray[Any], state: Marks) -> NDArray[Any]:
    read: NDArray[Any] = days[state == READ]
    return read


def _span(days: NDArray[Any]) -> int:
    return int((days.max() - days.min()).astype(np.int64)) if len(days) else 0


def _years_fit(days: NDArray[Any]) -> bool:
    return bool(len(days)) and bool(_near(days).all())


def _near(days: NDArray[Any]) -> NDArray[Any]:
    """Say which days a bank statement may have; what lies beyond is a slip of the hand (0204, 2204)."""
    return np.asarray((days >= np.datetime64("1950-01-01")) & (days <= np.datetime64("2100-01-01")))


def _in_order(days: NDArray[Any]) -> bool:
    steps = np.diff(days).astype(np.int64)
    return bool((steps >= 0).all() or (steps <= 0).all())
