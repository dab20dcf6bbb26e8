"""Columns named by the heading above them, each claim held against the cells below it.

Nobody may break this: no column has two roles, and a heading that claims what its cells are not is not believed.
"""

import re
from collections.abc import Mapping, Sequence

from creditrisk import cells
from creditrisk.banks import Profile
from creditrisk.layouts.content import at, figure, is_amount, is_date, wordy
from creditrisk.lexicon import claims, folded, side


def header(rows: list[tuple[int, list[str]]], declared: Profile | None) -> int | None:
    """Return the place of the heading among `rows`: the first that names a date and an amount (or all declared columns)."""
    wanted = {name for names in (declared.columns.values() if declared else ()) for name in names if isinstance(name, str)}
    for place, (_, row) in enumerate(rows[:60]):
        if wanted:
            if wanted <= set(row):
                return place
            continue
        if len(row) < 2 or any(is_date(cell) for cell in row):
            continue
        scores = [claims(cell) for cell in row]
        named = {role for score in scores for role in score}
        if named & {"date", "value_date"} and named & {"amount", "debit", "credit"} and sum(map(bool, scores)) >= 2:
            return place
    return None


def roles(names: Sequence[str], body: Sequence[Sequence[str]], declared: Profile | None) -> dict[str, tuple[int, ...]]:
    """Give each role its column: the best heading first, checked against what stands below it."""
    columns: dict[str, tuple[int, ...]] = {}
    for role, wanted in (declared.columns if declared else {}).items():
        columns[role] = tuple(names.index(name) if isinstance(name, str) else name - 1 for name in wanted)
    taken = {place for places in columns.values() for place in places}
    scored = [(score, -place, role) for place, name in enumerate(names) for role, score in claims(name).items()]
    for score, place, role in sorted(scored, reverse=True):
        if role == "text" or role in columns or -place in taken or not _suits(role, -place, score, body, declared):
            continue
        columns[role] = (-place,)
        taken.add(-place)
    if {"amount", "debit", "credit"} <= set(columns) and not declared:
        scores = {role: claims(names[columns[role][0]])[role] for role in ("amount", "debit", "credit")}
        if scores["amount"] <= 500 < min(scores["debit"], scores["credit"]):
            del columns["amount"]
    if "date" not in columns and "value_date" in columns:
        columns["date"] = columns.pop("value_date")
    if "amount" in columns and not {"sign", "debit", "credit"} & set(columns) and not declared:
        sign = _unnamed_sign(columns["amount"][0], [place for place in range(len(names)) if place not in taken], body)
        columns["sign"] = sign
        taken.update(sign)
    if "text" not in columns and not (declared and "code" in declared.columns):
        named = [place for place, name in enumerate(names) if place not in taken and "text" in claims(name)]
        filled = [place for place in named if any(at(row, place) for row in body)]
        columns["text"] = tuple(filled or named) or tuple(place for place in wordy(body, len(names)) if place not in taken)
    return {role: places for role, places in columns.items() if places}


def moved(names: Sequence[str], body: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Move the heading of a money column that spans the currency's column before it: 'Change', '' above 'EUR', '5,00'."""
    moved = list(names)
    for place, name in enumerate(names[:-1]):
        if names[place + 1] or not {"amount", "debit", "credit", "balance"} & set(claims(name)):
            continue
        pairs = [(at(row, place), at(row, place + 1)) for row in body[:100] if at(row, place + 1)]
        if pairs and all(code in cells.CURRENCIES and is_amount(value) for code, value in pairs):
            moved[place : place + 2] = [f"{name} (currency)", name]
    return tuple(moved)


def _unnamed_sign(amount: int, places: Sequence[int], body: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """Return the column that says of each unsigned amount whether it came in or went out, under whatever heading."""
    rows = [row for row in body[:100] if any(map(is_date, row)) and is_amount(at(row, amount))]
    if any((figure(at(row, amount)) or 0) < 0 for row in rows):
        return ()
    sides = {place: {side(at(row, place)) for row in rows} for place in places}
    return tuple(place for place, found in sides.items() if found == {"+", "-"})[:1]


def rivals(
    names: Sequence[str], columns: Mapping[str, tuple[int, ...]], body: Sequence[Sequence[str]], declared: Profile | None
) -> tuple[tuple[dict[str, int], ...], bool]:
    """Return the columns that could be the amount as well as the one taken, that one first, and whether their headings are as good."""
    if "amount" not in columns or (declared and "amount" in declared.columns):
        return (), False
    taken = {place for places in columns.values() for place in places}
    here = columns["amount"][0]
    if claims(names[here]).get("amount", 0) > claims("amount")["amount"]:
        return (), False  # the heading says that it is the account's own, or what was left of the gross
    rows = [row for row in body[:100] if any(map(is_date, row)) and is_amount(at(row, here))]
    found, score = [here], claims(names[here])["amount"]
    for place, name in enumerate(names):
        other = claims(name).get("amount", 0)
        if place in taken or not other or (other <= 500) != (score <= 500):
            continue
        pairs = [(at(row, here), at(row, place)) for row in rows]
        filled = sum(bool(re.search("[1-9]", cell)) for _, cell in pairs)
        if filled * 2 <= len(pairs) or not all(is_amount(cell) for _, cell in pairs):
            continue  # a fee or a tax that is mostly nothing is not the amount
        if any(re.sub(r"\D", "", one) != re.sub(r"\D", "", cell) for one, cell in pairs):
            found.append(place)
    same = len({folded(names[place]) for place in found}) == 1
    return (tuple({"amount": place} for place in found), score <= 500 or same) if len(found) > 1 else ((), False)


def _suits(role: str, place: int, score: int, body: Sequence[Sequence[str]], declared: Profile | None) -> bool:
    """Check a heading's claim against the cells below it."""
    values = [value for row in body[:100] if (value := at(row, place))]
    if role in ("date", "value_date"):
        return not values or any(map(is_date, values)) or role == "date"
    if role in ("amount", "debit", "credit", "balance", "fee"):
        if score <= 500:  # the heading only contains the word
            return sum(map(is_amount, values)) * 2 > len(values)
        return any(re.search(r"\d", value) for value in values) or not values
    if role == "currency":
        rows = [row for row in body if len(row) > place and any(map(is_date, row))]
        codes = [cells.currency(at(row, place)) for row in rows]
        if score <= 500:
            return bool(codes) and all(code in cells.CURRENCIES for code in codes)
        # A heading that says "currency" holds: a code nobody knows, or none, must not make one account of two currencies.
        return any(codes) and all(re.fullmatch(r"[A-Z]{3,5}|\$|", code) for code in codes)
    if role == "sign":
        return bool(values) and (all(map(side, values)) or bool(declared and declared.sign))
    if role == "status" and score <= 500:
        return False
    if role == "code":
        return bool(values) and all(re.fullmatch(r"\d{4}", value) for value in values)
    if role == "account":
        rows = [row for row in body if len(row) > 1 and any(map(is_date, row))]
        filled = [at(row, place) for row in rows]
        many = len(set(filled)) > 1
        return bool(filled) and all(filled) and any(map(str.isdigit, "".join(filled))) and (not many or score >= 988)
    return True
