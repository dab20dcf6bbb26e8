"""Whether a delimited file is whole: no row with a delimiter inside a value, and none that is cut off at the end."""

import re
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from creditrisk.formats.delimited.sheet import SHOWN, Sheet
from creditrisk.statement import Problem


def check(sheet: Sheet, where: NDArray[Any], ends_open: bool) -> None:
    """Refuse a last row that is cut off, and rows in which a delimiter stands inside a value."""
    is_row = np.zeros(sheet.n, bool)
    is_row[where] = True
    for row in sheet.grid.spills[:SHOWN] if sheet.layout.has_header else ():
        if is_row[row]:
            line, widths = int(sheet.grid.lines[row]), (int(sheet.grid.widths[row]), len(sheet.layout.names))
            what = "the row has {} cells where the heading has {}: is there a {!r} inside a value?".format(*widths, sheet.layout.delimiter)
            sheet.problems.append(Problem(line, None, None, f"{sheet.file}, line {line}: {what}"))
    last = sheet.n - 1
    other = is_row.copy()
    other[[last, *sheet.grid.spills]] = False
    least = int(sheet.grid.widths.min(where=other, initial=np.iinfo(np.int32).max)) if other.any() else len(sheet.layout.names)
    looks_cut = is_row[last] or (ends_open and _money_or_day_begun(sheet, last) and not sheet.named[last])
    if len(where) and sheet.grid.widths[last] < least and looks_cut:
        line = int(sheet.grid.lines[last])
        what = f"the last row has {sheet.grid.widths[last]} cells where the others have {least} or more: the file is cut off."
        sheet.problems = [problem for problem in sheet.problems if problem.line != line]  # all of them for this one reason
        sheet.problems.append(Problem(line, None, None, f"{sheet.file}, line {line}: {what}"))

    elif is_row[last] and ends_open and (shorter := _shorter_than_others(sheet, where)):
        line = int(sheet.grid.lines[last])
        what = f"the last row ends in {shorter!r}, with fewer decimals than the rows above and no line end: the file is cut off."
        sheet.problems.append(Problem(line, None, shorter, f"{sheet.file}, line {line}: {what}"))


def _shorter_than_others(sheet: Sheet, where: NDArray[Any]) -> str | None:
    """Return the last cell of the file where it is an amount with fewer decimals than all those above it."""
    ends = {places[0]: role for role, places in sheet.layout.columns.items() if role in ("amount", "debit", "credit", "balance")}
    place = int(sheet.grid.widths[-1]) - 1
    if place not in ends or len(where) < 3:
        return None
    mark = sheet.decimals[ends[place]]
    texts = [text.strip() for text in sheet.grid.columns[place].take(pa.array(where[-100:])).to_pylist() if text.strip()]
    decimals = [len(text.rpartition(mark)[2]) if mark in text else 0 for text in texts]
    return texts[-1] if len(set(decimals[:-1])) == 1 and decimals[-1] < decimals[0] else None


def _money_or_day_begun(sheet: Sheet, row: int) -> bool:
    return bool(re.match(r"\s*\d", sheet.column("date")[row].as_py()))
