"""Rows that are no transactions: headings, footers, balances, totals, what is not booked, words that go on.

Each is set aside and counted, or refuses the file; a transaction that broke is never taken for one of them.
"""

import re
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from creditrisk import cells, dates, lexicon
from creditrisk.cells import BAD, BLANK, READ, Marks, Units
from creditrisk.formats.delimited import kept, money, phrases
from creditrisk.formats.delimited.sheet import SHOWN, Sheet
from creditrisk.statement import Problem


def set_aside(
    sheet: Sheet, is_row: NDArray[Any], day_state: Marks, money_state: Marks, unbooked: NDArray[Any]
) -> tuple[dict[str, int], dict[int, str]]:
    """Judge every row that is no transaction: set aside and counted, text of the row above, or a problem."""
    aside = {"not booked": 0, "balance": 0, "total": 0, "other": 0}
    joined: dict[int, str] = {}
    first, last = (int(is_row.argmax()), sheet.n - 1 - int(is_row[::-1].argmax())) if is_row.any() else (0, sheet.n)
    above = -2  # the last row whose words went to a transaction above it, and that transaction
    target = summary = -1
    for row in map(int, np.flatnonzero(~is_row)):
        words = " ".join(sheet.words(row))
        label = lexicon.folded(" ".join(column[row].as_py() for column in sheet.grid.columns.values()))
        day = sheet.column("date")[row].as_py().strip()
        money = sheet.money_text(row)
        if unbooked[row] or phrases.PENDING.search(lexicon.folded(day)):
            aside["not booked"] += 1
        elif sheet.named[row] or _is_balance(sheet, row, label, day, (day_state[row], money_state[row]), inside=first < row < last):
            aside["balance"] += 1
            summary = row
            _note_balance(sheet, label, row)
        elif sheet.like_total[row] and _sums_up(sheet, row, is_row):
            aside["total"] += 1
        elif row - 1 == summary and row > last and not re.search(r"[^\W\d_]", words) and not dates.shapes(day):
            aside["balance"] += 1  # the figures below "Opening balance, Total debits, Closing balance"
        elif day_state[row] == BLANK and money_state[row] == BLANK:
            target = target if row - 1 == above else row - 1
            if words and target >= 0 and is_row[target] and _only_text(sheet, row):
                joined[target] = f"{joined.get(target, '')} {words}".strip()
                above = row
            aside["other"] += 1
        elif day_state[row] == BAD and not _broken(sheet, day, money, money_state[row], first < row < last):
            aside["other"] += 1
        elif len(sheet.problems) < SHOWN:
            _complain(sheet, row, day, money, (day_state[row], money_state[row]))
    return aside, joined


def _is_balance(sheet: Sheet, row: int, label: str, day: str, state: tuple[int, int], *, inside: bool) -> bool:
    """Say whether a row states a balance or a total; one that could be a payment ("TOTAL FUEL") which lost a cell does not count."""
    if state[0] == READ:
        stated = sheet.has("balance") and sheet.column("balance")[row].as_py().strip()
        return state[1] == BLANK and bool(phrases.BALANCE.search(label) or (stated and phrases.TOTAL.search(label)))
    return bool(phrases.BALANCE.search(label) or (not inside and phrases.TOTAL.search(label))) and not dates.shapes(day)


def named_balances(sheet: Sheet) -> NDArray[Any]:
    """Say which rows have no words but "Opening balance", "Turnover" or the like: no payment, even with a day and an amount."""
    # Which figures a text has does not matter here, and without them few texts are left.
    coded = cells.each(kept.joined(sheet, "text", " "), lambda texts: pc.replace_substring_regex(texts, r"\d+", "0"))
    bare = [re.sub(r"[\d ]+$", "", lexicon.folded(text)) for text in coded.dictionary.to_pylist()]
    found = np.array([phrases.STATED.fullmatch(text) is not None for text in bare], bool)
    sheet.like_total = np.array([phrases.TOTALLED.fullmatch(text) is not None for text in bare], bool)[cells.places(coded)]
    named = np.array(found[cells.places(coded)], bool)
    for row, cells_ in sheet.bare.items():
        named[row] |= any(phrases.STATED.fullmatch(lexicon.folded(cell)) for cell in cells_)
    return named


def totals(sheet: Sheet, units: Units, where: NDArray[Any]) -> tuple[NDArray[Any], list[Problem]]:
    """Say which of the rows are totals: named so and, to the cent, the sum of those above them or of their block, whatever its sign.

    A row named so that is no such sum stays a payment (to a filling station of that name, perhaps), and is doubted.
    """
    is_total = np.zeros(len(where), bool)
    strange: list[Problem] = []
    printed = sheet.column("balance") if sheet.has("balance") else None
    sums, counts = np.zeros((2, 3), np.int64), np.zeros((2, 3), np.int64)  # of all above and of the block: whole, out, in
    summed = 0
    for place in map(int, np.flatnonzero(sheet.like_total[where])):
        row = int(where[place])
        if printed is not None and printed[row].as_py().strip():
            continue
        part, summed = units[where[summed:place]], place
        kinds = part, part[part < 0], part[part > 0]
        sums += [kind.sum() for kind in kinds]
        counts += [len(kind) for kind in kinds]
        if units[row] and (np.abs(sums[counts > 1]) == abs(units[row])).any():
            is_total[place], summed = True, place + 1
            sums[1], counts[1] = 0, 0
        elif len(strange) < SHOWN:
            line, text = int(sheet.grid.lines[row]), " ".join(sheet.words(row)[1:])
            what = f"the row is named {text!r} and is not the sum of the rows above, so it is kept as a payment."
            strange.append(Problem(line, None, text, f"{sheet.file}, line {line}: {what}"))
    return is_total, strange


def _sums_up(sheet: Sheet, row: int, is_row: NDArray[Any]) -> bool:
    """Say whether a row states money out and money in at once, each the sum of its column above."""
    if not (sheet.has("debit") and sheet.has("credit")):
        return False
    columns = [money.amounts(sheet, role).units for role in ("debit", "credit")]
    return all(units[row] and abs(int(units[:row][is_row[:row]].sum())) == abs(int(units[row])) for units in columns)


def _broken(sheet: Sheet, day: str, money: str, money_state: int, inside: bool) -> bool:
    """Say whether a row without a date looks like a transaction that broke, rather than a heading or a footer."""
    shapes = dates.shapes(day)
    if money_state == READ or sheet.form in shapes or (inside and shapes):
        return True
    return inside and bool(re.search(r"\d", day) and re.search(r"\d", money))


def _complain(sheet: Sheet, row: int, day: str, money: str, state: tuple[int, int]) -> None:
    day_state, money_state = state
    if day_state == BAD:
        far = dates.reader(sheet.form)(day)
        what = "lies outside the years 1950 to 2100" if far else "is not a date of the calendar"
        sheet.problem(row, "date", day, f"{day!r} in column {sheet.name('date')!r} {what}.")
    elif day_state == BLANK:
        sheet.problem(row, "date", "", f"there is an amount ({money!r}) without a date in column {sheet.name('date')!r}.")
    else:
        role, value = _money_cell(sheet, row)
        what = "is empty" if money_state == BLANK else "is not an amount"
        read = cells.amount(value, sheet.decimals[role])
        if read is not None and abs(read[0]) > sheet.limit:
            what = f"is beyond ± {sheet.limit:,}"
        elif sheet.sign_rule.startswith("debit") and money_state == BAD and read is not None:
            what = "stands beside an amount in the other column, so the row says both money out and money in"
        sheet.problem(row, role, value, f"the amount {value!r} in column {sheet.name(role)!r} {what}.")


def _money_cell(sheet: Sheet, row: int) -> tuple[str, str]:
    """Return the role and text of the money cell that is to blame: the first that is not read, else the first filled."""
    roles = [role for role in ("amount", "debit", "credit") if sheet.has(role) and (role == "amount" or sheet.sign_rule != "signed")]
    texts = {role: sheet.column(role)[row].as_py().strip() for role in roles}
    for role, text in texts.items():
        if text and cells.amount(text, sheet.decimals[role]) is None:
            return role, text
    return next(((role, text) for role, text in texts.items() if text), (roles[0], ""))


def _only_text(sheet: Sheet, row: int) -> bool:
    text = set(sheet.layout.columns.get("text", ()))
    return not any(column[row].as_py().strip() for place, column in sheet.grid.columns.items() if place not in text)


def _note_balance(sheet: Sheet, words: str, row: int) -> None:
    cell = sheet.column("balance")[row].as_py() if sheet.has("balance") else ""
    read = (
        cells.amount(cell, sheet.decimals["balance"])
        if cell.strip()
        else cells.amount(sheet.money_text(row), next(iter(sheet.decimals.values())))
    )
    if read is None:
        return
    value = read[0]
    if sheet.has("sign") and not cell.strip() and read[1] == 0 and lexicon.side(sheet.column("sign")[row].as_py()) == "-":
        value = -value
    if phrases.OPENING.search(words):
        sheet.stated_opening = value
    elif phrases.CLOSING.search(words):
        sheet.stated_closing = value


def from_preamble(sheet: Sheet) -> None:
    """Take opening and closing balances from the lines above the heading."""
    decimal = next(iter(sheet.decimals.values()))
    for row in sheet.layout.preamble:
        amount = next((read for cell in row[1:] if (read := cells.amount(cell, decimal)) is not None), None)
        if amount is not None and phrases.OPENING.search(lexicon.folded(row[0])):
            sheet.stated_opening = amount[0]
        elif amount is not None and phrases.CLOSING.search(lexicon.folded(row[0])):
            sheet.stated_closing = amount[0]
