"""What a cell or a column holds, whatever stands above it. Nothing here is kept: a cell that looks like money may still be refused."""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from operator import eq

from creditrisk import cells, dates


def explained(body: Sequence[Sequence[str]], money: Sequence[int], balance: int) -> tuple[float, int]:
    """Return the share of steps of a balance that the amounts (whichever way they went) explain in the better order, and the steps."""
    found = [(sum(figure(at(row, place)) or 0 for place in money), figure(at(row, balance))) for row in body if any(map(is_date, row))]
    amounts = [abs(amount) for amount, printed in found if printed is not None]
    steps = [abs(one - two) for one, two in pairwise(printed for _, printed in found if printed is not None)]
    fits = [sum(map(eq, steps, amounts[skipped:])) for skipped in (0, 1)]
    return (max(fits) / len(steps) if steps else 0.0), len(steps)


@lru_cache(8192)
def figure(text: str) -> Decimal | None:
    """Return a cell as an amount, whatever its decimal mark; None where it is none."""
    read = cells.amount(text, ".") or cells.amount(text, ",")
    return read[0] if read else None


def is_something(value: str) -> bool:
    """Say whether a cell of money is more than a blank or nothing."""
    return bool(re.search(r"[1-9]", value))


def wordy(body: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return the columns that hold words rather than numbers, dates or short codes."""
    found = []
    for place in range(width):
        values = [value for row in body[:100] if (value := at(row, place))]
        words = [value for value in values if re.search(r"[^\W\d_]{3}", value) and not is_date(value)]
        if values and len(words) * 2 >= len(values) and sum(map(len, words)) >= 4 * len(words):
            found.append(place)
    return found


@lru_cache(8192)
def is_date(text: str) -> bool:
    """Say whether a cell reads as a day in some order of its parts."""
    return 5 < len(text) < 40 and any(dates.reader(form)(text) for form in dates.shapes(text))


@lru_cache(8192)
def is_amount(text: str) -> bool:
    """Say whether a cell reads as an amount with one of the two decimal marks."""
    return 0 < len(text) < 40 and (cells.amount(text, ".") is not None or cells.amount(text, ",") is not None)


def at(row: Sequence[str], place: int) -> str:
    """Return a cell; nothing where the row is shorter."""
    return row[place] if place < len(row) else ""
