"""Columns known by what they hold, where no heading names them: days, money, a balance that follows from it, words.

Nobody may break this: what is assumed comes back as a sentence, and where it can be told in several ways, with all of them.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import combinations, permutations

from creditrisk import cells
from creditrisk.banks import Profile
from creditrisk.layouts.content import at, explained, figure, is_amount, is_date, is_something, wordy
from creditrisk.lexicon import side

Columns = dict[str, tuple[int, ...]]
Ways = tuple[dict[str, int], ...]
Known = tuple[Columns, tuple[str, ...], Ways]  # by role, what was assumed in sentences, the ways money could be told


def unknown_heading(rows: Sequence[tuple[int, Sequence[str]]]) -> int | None:
    """Return the place of a row of nothing but words right above the first row with a date and an amount; None where there is none."""
    data = next((place for place, (_, row) in enumerate(rows) if any(map(is_date, row)) and any(map(is_amount, row))), 0)
    row = [cell for cell in rows[data - 1][1] if cell] if data else []
    wide = len(rows[data][1]) if rows else 0
    words = [cell for cell in row if re.search(r"[^\W\d]{2}", cell) and not is_date(cell) and not is_amount(cell)]
    return data - 1 if len(words) >= max(3, len(row) - 1) and len(row) * 5 >= wide * 3 else None


def is_proven(columns: Mapping[str, tuple[int, ...]], body: Sequence[Sequence[str]]) -> bool:
    """Say whether a running balance follows from the columns taken for money."""
    if "balance" not in columns:
        return False
    money = [columns[role][0] for role in ("amount", "debit", "credit") if role in columns]
    share, steps = explained(body, money, columns["balance"][0])
    return steps > 1 and share > 0.8


def shown(columns: Mapping[str, tuple[int, ...]], names: Sequence[str]) -> str:
    """Say which headings nobody knows were taken for money, and for which."""
    says = {"amount": "amount", "debit": "money out", "credit": "money in"}
    return ", ".join(f"{names[columns[role][0]]!r} is taken as the {word}" for role, word in says.items() if role in columns)


def by_content(body: Sequence[Sequence[str]], declared: Profile | None) -> Known:
    """Give each role its column where no heading says so; what had to be assumed comes back as sentences, and as the ways there are."""
    given = declared.columns if declared else {}
    told = {role: tuple(place - 1 for place in places if isinstance(place, int)) for role, places in given.items()}
    if told.get("date") and (told.get("text") or told.get("code")):
        return told, (), ()
    rows = [row for row in body if any(map(is_date, row)) and any(map(is_amount, row))]
    if len(rows) > 2 and not any(is_date(at(rows[0], place)) for place in map(_first_day, rows[1:])):
        rows = rows[1:]  # what the account is, in the shape of a row
    width = max((len(row) for row in rows), default=0)
    filled = {place: [value for row in rows if (value := at(row, place))] for place in range(width)}
    dates = [place for place, values in filled.items() if len(values) == len(rows) and values and all(map(is_date, values))]
    money = [place for place, values in filled.items() if place not in dates and values and all(map(is_amount, values))]
    money = [place for place in money if any(re.search(r"[.,](\d{2}|\d{4,})(\D|$)", value) for value in filled[place])] or money[:1]
    if not dates or not money:
        return {}, (), ()
    known = ({}, (), ()) if {"amount", "debit", "credit"} & set(told) else _money(rows, money, filled)
    if known is None:
        return {}, (), ()
    found, guesses, ways = known
    columns = {"date": (dates[0],), **found, **told}
    for place, values in filled.items():
        if place in dates or place in money or len(values) < len(rows):
            continue
        if "currency" not in columns and set(values) <= cells.CURRENCIES:
            columns["currency"] = (place,)
        elif "amount" in columns and "sign" not in columns and _is_sign(rows, place, columns["amount"][0]):
            columns["sign"] = (place,)
    taken = {place for places in columns.values() for place in places} | set(dates)
    columns["text"] = tuple(place for place in wordy(rows, width) if place not in taken)
    return columns | told, guesses, ways


def _money(rows: Sequence[Sequence[str]], money: Sequence[int], filled: Mapping[int, Sequence[str]]) -> Known | None:
    """Tell what the columns of money are: money out and money in, or the amount and its balance; None where most rows fill none."""
    full = [place for place in money if len(filled[place]) >= 0.8 * len(rows)]
    if pair := _exclusive(rows, money):
        counts = [sum(map(is_something, filled[place])) for place in pair]
        out, into = pair if counts[0] >= counts[1] else pair[::-1]
        rest = [place for place in full if place not in pair and explained(rows, pair, place)[0] > 0.5]
        columns: Columns = {"debit": (out,), "credit": (into,)}
        columns |= {"balance": (rest[0],)} if rest else {}
        how = "" if counts[0] == counts[1] else ", the fuller one,"
        guess = f"There is no heading: column {out + 1}{how} is taken as money out and column {into + 1} as money in."
        return columns, (guess,), ({"debit": out, "credit": into}, {"debit": into, "credit": out})
    if len(full) > 1:
        one, two, ways = _amount_and_balance(rows, full)
        guess = f"There is no heading: column {one + 1} is taken as the amount, column {two + 1} as the balance."
        return {"amount": (one,), "balance": (two,)}, (guess,), ways
    return ({"amount": (full[0],)}, (), ()) if full else None


def _first_day(row: Sequence[str]) -> int:
    return next(place for place, cell in enumerate(row) if is_date(cell))


def _exclusive(rows: Sequence[Sequence[str]], money: Sequence[int]) -> tuple[int, int] | None:
    """Return the first two money columns of which every row fills one and never both, with blanks or zeros in the other."""
    for one, two in combinations(money, 2):
        sides = [(is_something(at(row, one)), is_something(at(row, two))) for row in rows]
        if (True, False) in sides and (False, True) in sides and (True, True) not in sides:
            return one, two
    return None


def _amount_and_balance(rows: Sequence[Sequence[str]], full: Sequence[int]) -> tuple[int, int, Ways]:
    """Tell the amount from the balance by what the balance follows from, else by what alone is signed, else give the ways there are."""
    pairs = list(permutations(full[:5], 2))
    signed = [place for place in full if any((figure(at(row, place)) or 0) < 0 for row in rows)]
    shares = {pair: (explained(rows, pair[:1], pair[1])[0], pair[0] in signed) for pair in pairs}
    one, two = max(pairs, key=lambda pair: shares[pair])
    if shares[one, two][0] > 0.5:
        return one, two, ()
    if len(signed) == 1 and len(rows) > 1:
        return signed[0], next(place for place in full if place != signed[0]), ()
    return full[0], full[1], tuple({"amount": one, "balance": two} for one, two in permutations(full[:3], 2))


def _is_sign(rows: Sequence[Sequence[str]], place: int, amount: int) -> bool:
    """Say whether a column says which way the money went, where the amounts do not say so themselves or say the opposite throughout."""
    sides = [side(at(row, place)) for row in rows]
    values = [figure(at(row, amount)) or 0 for row in rows]
    if set(sides) - {None} != {"+", "-"} or sum(map(bool, sides)) < 0.8 * len(sides):
        return False
    against = [side and value * (1 if side == "+" else -1) <= 0 for side, value in zip(sides, values, strict=True)]
    return all(value >= 0 for value in values) or all(against)
