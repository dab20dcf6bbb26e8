"""What the columns mean and which way money went: a heading, a sign, or the running balance says so, never a guess."""

import re
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise, product

from creditrisk import cells, lexicon
from creditrisk.errors import UnreadableFile
from creditrisk.formats.pdf.columns import MONEY_ROLES, Band
from creditrisk.formats.pdf.rows import Entry, Rows
from creditrisk.formats.pdf.words import Line

PRINTED, OWED = "as printed", "a card: what is owed is printed plain"
CARD = re.compile(r"minimum (payment|amount)|credit limit|credit card|kreditkarte|carte de credit|tarjeta de credito|carta di credito")


def name_columns(file: str, bands: list[Band], entries: list[Entry]) -> None:
    """Name the columns no heading names, where the rows leave no choice. Raises UnreadableFile where they do."""
    unknown = [band for band in bands if not band.role]
    if not unknown:
        return
    known = {band.role for band in bands}
    free = [role for role in MONEY_ROLES if role not in known]
    if len(bands) == 1:
        unknown[0].role = "amount"
        return
    fitting = []
    for roles in product(free, repeat=len(unknown)):
        every = [*roles, *known]
        if len(set(roles)) < len(roles) or ("amount" in every and ("debit" in every or "credit" in every)):
            continue
        for band, role in zip(unknown, roles, strict=True):
            band.role = role
        if _chains(bands, entries):
            fitting.append(roles)
    for band, role in zip(unknown, fitting[0] if len(fitting) == 1 else [""] * len(unknown), strict=True):
        band.role = role
    if len(fitting) != 1:
        raise UnreadableFile(
            file,
            f"amounts stand in {len(bands)} columns and neither headings nor running balances say which is money in, money out "
            "or the balance.",
            line=None,
        )


def _chains(bands: list[Band], entries: Sequence[Entry]) -> bool:
    """Say whether the running balances follow from the amounts, under the roles the columns have now."""
    rows = []
    for entry in entries:
        by_role = {bands[place].role: one for place, one in entry.money.items()}
        if "balance" not in by_role or len(by_role) < 2:
            return False
        moved = [(role, one) for role, one in by_role.items() if role != "balance"]
        if len(moved) != 1:
            return False
        rows.append((moved[0][0], moved[0][1].value, by_role["balance"].value))
    for order in (rows, rows[::-1]):
        steps = [(after[0], after[1], after[2] - before[2]) for before, after in pairwise(order)]
        fits = {"debit": lambda value, step: step == -abs(value), "credit": lambda value, step: step == abs(value)}
        if steps and all(fits.get(role, lambda value, step: abs(step) == abs(value))(value, step) for role, value, step in steps):
            return True
    return False


def give_signs(file: str, rows: Rows, bands: list[Band], *, is_card: bool) -> str:
    """Give amounts without a sign the one the running balance shows; say which it is. Raises UnreadableFile where none is shown."""
    places = {band.role: place for place, band in enumerate(bands)}
    if "amount" not in places or {"debit", "credit"} & places.keys():
        return PRINTED
    if "balance" not in places:
        return _as_card(rows, places["amount"]) if is_card else PRINTED
    moves = [entry.money.get(places["amount"]) for entry in rows.entries]
    if any(one is not None and one.mark for one in moves):
        return PRINTED
    after = [entry.money.get(places["balance"]) for entry in rows.entries]
    values = [one.value if one else Decimal(0) for one in moves]
    balances = [one.value if one else None for one in after]
    for order in (1, -1):
        signs = _signed(values[::order], balances[::order], rows.opening)
        if signs is not None:
            for one, sign in zip(moves[::order], signs, strict=True):
                if one is not None:
                    one.value, one.mark = sign * one.value, sign
            return "from the running balance"
    what = "the amounts have no sign, and the running balance does not say of every one whether it came in or went out."
    raise UnreadableFile(file, what)


def is_card(lines: Sequence[Line]) -> bool:
    """Say whether this is a credit card's statement."""
    return any(CARD.search(lexicon.folded(line.whole)) for line in lines)


def _as_card(rows: Rows, place: int) -> str:
    """Turn the sign on a credit card's statement, which prints what is owed: purchases plain, payments with a minus or CR."""
    for entry in rows.entries:
        one = entry.money[place]
        is_in = one.mark > 0 or one.text.strip("()")[:1] in cells.MINUS or one.text[-1:] in cells.MINUS or one.text.startswith("(")
        one.value, one.mark = (abs(one.value), 1) if is_in else (-abs(one.value), -1)
    rows.opening = None if rows.opening is None else -rows.opening
    rows.closing = None if rows.closing is None else -rows.closing
    return OWED


def _signed(values: Sequence[Decimal], balances: Sequence[Decimal | None], opening: Decimal | None) -> list[int] | None:
    """Find the only signs under which every printed balance follows from the one before; None where there are none or several.

    >>> _signed([Decimal(5), Decimal(2), Decimal(1)], [Decimal(15), None, Decimal(14)], Decimal(10))
    [1, -1, 1]
    """
    signs: list[int] = []
    known, open_ = opening, []
    for value, balance in zip(values, balances, strict=True):
        open_.append(value)
        if balance is None:
            continue
        if known is None or len(open_) > 12:
            return None
        fitting = [signed for signed in product((1, -1), repeat=len(open_)) if _dot(signed, open_) == balance - known]
        fitting = [signed for signed in fitting if all(sign == 1 or value for sign, value in zip(signed, open_, strict=True))]
        if len(fitting) != 1:
            return None
        signs += fitting[0]
        known, open_ = balance, []
    return None if open_ else signs


def _dot(signs: Sequence[int], values: Sequence[Decimal]) -> Decimal:
    return sum((sign * value for sign, value in zip(signs, values, strict=True)), Decimal(0))
