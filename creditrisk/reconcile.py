"""Do the balances of a statement follow from its amounts: opening + movements = closing, row by row where balances are printed,
and from one file to the next.

A mismatch is a status to report, never a reason to refuse a file: printed balances are themselves often rounded or in another order.
A figure that stands still beside every row while money moves is no running balance, and nothing is reckoned from it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from creditrisk import cells
from creditrisk.cells import Units

State = Literal["ok", "mismatch", "not stated"]
STANDS_STILL = 3  # rows that print one and the same balance while money moves between them; of two, one may be a slip


Key = tuple[str, str]  # account and currency, either may be ""


@dataclass(frozen=True)
class AccountBalance:
    """One account and currency of a file: balances as printed or derived from printed ones, and whether they add up.

    `standing` is the one figure printed as the balance of every row though money moved between them.
    """

    opening: Decimal | None
    closing: Decimal | None
    reconciliation: State
    standing: Decimal | None = None


def reconcile(
    rows: pa.Table, stated: Mapping[str, tuple[Decimal | None, Decimal | None]] = MappingProxyType({})
) -> tuple[dict[Key, AccountBalance], str | None, int]:
    """Check each account and currency of `rows` (those, booked_on, amount, balance, line in file order), oldest or newest first.

    `stated` is (opening, closing) by account, what the file states outside its rows; balances that run win over it. Returns the
    accounts, and where some do not add up which (in words, else None) and the line of the first break (0 where there is no line).
    """
    code, named = cells.together(cells.whole(rows["account"]), cells.whole(rows["currency"]))
    names = list(zip(*(column.to_pylist() for column in named), strict=True))
    amount = cells.from_money(cells.whole(rows["amount"]))
    printed = cells.whole(rows["balance"])
    has_balance = np.asarray(printed.is_valid().to_numpy(zero_copy_only=False))
    balance = cells.from_money(pc.fill_null(printed, Decimal(0))) if has_balance.any() else np.zeros(len(amount), np.int64)
    days, lines = cells.whole(rows["booked_on"]), rows["line"].to_numpy()
    balances: dict[Key, AccountBalance] = {}
    broken: list[tuple[Key, int]] = []
    shared = Counter(account for account, _ in names)
    for name, places in zip(names, _groups(code), strict=True):
        standing = _standing(amount[places], balance[places], has_balance[places]) if has_balance[places].any() else None
        if has_balance[places].any() and standing is None:
            day = days.take(pa.array(places)).to_numpy(zero_copy_only=False)
            found, line = _running(amount[places], balance[places], has_balance[places], day, lines[places])
        elif shared[name[0]] > 1:
            found, line = AccountBalance(None, None, "not stated"), 0  # what is stated is in one of the currencies
        else:
            found, line = _printed(cells.total(amount[places]), *stated.get(name[0], (None, None)))
        balances[name] = replace(found, standing=standing)
        if found.reconciliation == "mismatch":
            broken.append((name, line))
    for account, (opening, closing) in stated.items():
        if account not in shared and None not in (opening, closing) and opening != closing:
            balances[account, ""] = AccountBalance(opening, closing, "mismatch")  # money moved and no row says how
            broken.append(((account, ""), 0))
    if not broken:
        return balances, None, 0
    first = " ".join(filter(None, broken[0][0]))
    which = f" of {len(broken)} of {len(balances)} accounts (the first is {first})" if len(balances) > 1 else ""
    return balances, which, broken[0][1]


def _groups(code: NDArray[np.int32]) -> Iterator[NDArray[Any]]:
    """Yield the places of each number from 0, in order; most files have their accounts one after the other."""
    order = None if (code[1:] >= code[:-1]).all() else np.argsort(code, kind="stable")
    bounds = np.flatnonzero(np.diff(code if order is None else code[order])) + 1
    for first, end in pairwise([0, *bounds.tolist(), len(code)] if len(code) else []):
        yield np.arange(first, end) if order is None else order[first:end]


def overall(balances: dict[Key, AccountBalance]) -> State:
    """Return the state of a file from those of its accounts: one mismatch is a mismatch."""
    states = {found.reconciliation for found in balances.values()}
    return "mismatch" if "mismatch" in states else "ok" if "ok" in states else "not stated"


def _printed(total: Decimal, opening: Decimal | None, closing: Decimal | None) -> tuple[AccountBalance, int]:
    if opening is None or closing is None:
        start = closing - total if closing is not None else opening
        end = opening + total if opening is not None else closing
        return AccountBalance(start, end, "not stated"), 0
    return AccountBalance(opening, closing, "ok" if opening + total == closing else "mismatch"), 0


def _standing(amount: Units, balance: Units, stated: Any) -> Decimal | None:
    """Return the figure that every stated balance is though the movements say otherwise, None where they are not all the same."""
    known = balance[stated]
    still = len(known) >= STANDS_STILL and bool((known == known[0]).all())
    return Decimal(int(known[0])).scaleb(-4) if still and len(_breaks(amount, balance, stated)) >= STANDS_STILL - 1 else None


def _running(amount: Units, balance: Units, stated: Any, days: Any, lines: Any) -> tuple[AccountBalance, int]:
    """Check running balances in the order that fits: as printed, reversed, or by day; of one account."""
    here = np.arange(len(amount))
    newest_first = len(days) > 1 and days[0] > days[-1]
    tried = [here[::-1], here] if newest_first else [here, here[::-1]]
    tried += [order[np.argsort(days[order], kind="stable")] for order in tried]
    breaks = []
    for order in tried:
        breaks.append(_breaks(amount[order], balance[order], stated[order]))
        if not len(breaks[-1]):
            break
    else:
        if stated.all():
            tried.append(_chained(amount, balance, days, tried[2]))
            breaks.append(_breaks(amount[tried[-1]], balance[tried[-1]], stated))
    best = int(np.argmin([len(found) for found in breaks]))
    order = tried[best]
    sums = np.cumsum(amount[order])
    known = np.flatnonzero(stated[order])
    start = int(balance[order][known[0]] - sums[known[0]])
    end = int(balance[order][known[-1]] + sums[-1] - sums[known[-1]])
    money = [Decimal(value).scaleb(-4) for value in (start, end)]
    bad = breaks[best]
    return AccountBalance(money[0], money[1], "mismatch" if len(bad) else "ok"), int(lines[order][bad[0]]) if len(bad) else 0


def _chained(amount: Units, balance: Units, days: Any, order: NDArray[Any]) -> NDArray[Any]:
    """Order the rows of each day so that every balance follows from the one before, as far as they do."""
    before = balance - amount
    chain: list[int] = []
    for group in np.split(order, np.flatnonzero(np.diff(days[order]).astype(np.int64)) + 1):
        waiting: dict[int, list[int]] = {}
        for row in map(int, group):
            waiting.setdefault(int(before[row]), []).append(row)
        ends = set(balance[group].tolist())
        now_ = int(balance[chain[-1]]) if chain else next((start for start in waiting if start not in ends), int(before[group[0]]))
        while waiting:
            rows = waiting.get(now_) or next(iter(waiting.values()))
            row = rows.pop(0)
            if not rows:
                del waiting[int(before[row])]
            chain.append(row)
            now_ = int(balance[row])
    return np.array(chain)


def _breaks(amount: Units, balance: Units, stated: Any) -> NDArray[Any]:
    """Return the places whose printed balance is not the one before plus the movements since."""
    known = np.flatnonzero(stated)
    steps = np.diff(np.cumsum(amount)[known])
    broken: NDArray[Any] = known[1:][np.diff(balance[known]) != steps]
    return broken


def across(
    days: Iterable[tuple[date, Decimal, list[Decimal]]],
    files: list[tuple[date, date, Decimal | None, Decimal | None]],
    restarts: set[date],
) -> list[tuple[date, Decimal, Decimal]]:
    """Return where the balances of an account do not follow from its movements over several files: day, balance stated, balance reckoned.

    `days` are each day, what moved and the balances printed at its end; `files` first and last day, opening and closing. What follows
    a break is held against the balance stated there; on a day of `restarts` the account begins anew, for a gap lies before it.
    """
    openings = {first_on: opening for first_on, _, opening, _ in reversed(files) if opening is not None}  # of one day, the first file's
    closings = {last_on: closing for _, last_on, _, closing in files if closing is not None}
    found = []
    level: Decimal | None = None
    for day, moved, printed in days:
        if any(level is not None and day >= start for start in restarts):
            level, restarts = None, {start for start in restarts if day < start}
        opening = openings.get(day)
        if opening is not None:
            if level is not None and level != opening:
                found.append((day, opening, level))
            level = opening
        if level is None:
            level = min(printed) if len(printed) == 1 else closings.get(day)
            continue
        level += moved
        stated = printed or [closing for closing in (closings.get(day),) if closing is not None]
        if stated and level not in stated:
            here = level
            level = min(stated, key=lambda value: abs(value - here))
            found.append((day, level, here))
    return found
