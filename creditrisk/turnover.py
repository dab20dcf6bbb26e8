"""What moved: movements of the last 365 days added up by account, way of the money and category, in each window and month.

Categories are their numbers. `event` is what a movement counts as having happened (NOTHING where it was undone); `counted_as` is what its
amount counts towards: money that came back counts against what it was spent on. Money is whole ten-thousandths, its sums exact.
"""

from dataclasses import dataclass

import numpy as np

from creditrisk.coverage import Coverage
from creditrisk.groups import Column, Groups, Integers, Numbers

MONTHS = 13  # of 30 days; the five days beyond the twelfth are one of their own
NOTHING = 255
AVERAGE_MONTH = 30.44


@dataclass(frozen=True)
class Booked:
    """Movements of the last 365 days, a row each, in order of account and day: the account's place, age, amount, categories, and what
    the words say."""

    account: Integers
    age: Integers
    amount: Integers
    kind: Integers
    event: Integers
    counted_as: Integers
    merchant: Integers
    is_direct_debit: Column
    names_savings: Column

    @property
    def is_debit(self) -> Column:
        found: Column = self.amount < 0
        return found


@dataclass(frozen=True)
class Turnover:
    """A row per account, way of the money and category, as event and as counted; of every row sums by month, the newest first."""

    account: Integers
    who: Integers
    is_debit: Column
    event: Integers
    counted_as: Integers
    amounts: Numbers
    numbers: Numbers
    savings: Numbers
    direct: Numbers
    last_age: Integers

    def amount(self, window: int) -> Numbers:
        return self._within(self.amounts, window)

    def n(self, window: int) -> Numbers:
        return self._within(self.numbers, window)

    def to_savings(self, window: int) -> Numbers:
        """What went to where the words name savings."""
        return self._within(self.savings, window)

    def n_direct(self, window: int) -> Numbers:
        """How many direct debits."""
        return self._within(self.direct, window)

    def _within(self, by_month: Numbers, window: int) -> Numbers:
        found: Numbers = by_month[:, window // 30 - 1 if window < 365 else MONTHS - 1]
        return found


def turnover(booked: Booked, coverage: Coverage) -> Turnover:
    """Add movements up."""
    sort = (booked.is_debit.astype(np.int64) << 16) | (booked.event.astype(np.int64) << 8) | booked.counted_as
    used = np.flatnonzero(np.bincount(sort, minlength=1 << 17))
    place = np.zeros(1 << 17, np.int64)
    place[used] = np.arange(len(used))
    cell = booked.account * len(used) + place[sort]
    n_cells = len(coverage.account_id) * len(used)
    kept = np.flatnonzero(np.bincount(cell, minlength=n_cells))
    place = np.zeros(n_cells, np.int64)
    place[kept] = np.arange(len(kept))
    row = place[cell]
    month = row * MONTHS + (booked.age - 1) // 30

    def by_month(rows: Column | slice = slice(None), value: Column | None = None) -> Numbers:
        """Sums up to the end of each month, the newest first."""
        found = np.bincount(month[rows], None if value is None else value[rows], len(kept) * MONTHS)
        return np.cumsum(found.astype(np.float64).reshape(-1, MONTHS), axis=1)

    last_age = np.zeros(len(kept), np.int64)
    last_age[row] = booked.age  # of rows that meet, numpy keeps the last: the newest
    account, sort = kept // max(1, len(used)), used[kept % max(1, len(used))]
    return Turnover(
        account=account,
        who=coverage.owner[account],
        is_debit=sort >> 16 == 1,
        event=(sort >> 8) & 0xFF,
        counted_as=sort & 0xFF,
        amounts=by_month(value=booked.amount),
        numbers=by_month(),
        savings=by_month(booked.names_savings, booked.amount),
        direct=by_month(booked.is_direct_debit),
        last_age=last_age,
    )


def monthly(moved: Turnover, rows: Column, n: int) -> Integers:
    """What some rows add up to in each of twelve months: a row per applicant, a column per month, the newest first."""
    its = np.diff(moved.amounts[rows], axis=1, prepend=0)[:, :12]
    cell = moved.who[rows][:, None] * 12 + np.arange(12)
    return np.bincount(cell.ravel(), its.ravel(), n * 12).reshape(n, 12).astype(np.int64)


def active_days(booked: Booked, rows: Column, coverage: Coverage) -> Integers:
    """On how many days of the last 90 some movements were booked, by applicant."""
    rows = rows & (booked.age <= 90)
    days = np.unique(coverage.owner[booked.account[rows]] * 91 + booked.age[rows])
    return np.bincount(days // 91, minlength=coverage.n)


def rhythm(income: Integers, net: Integers, coverage: Coverage) -> dict[str, Column]:
    """Say of each applicant how income and cash flow (by month, as `monthly` gives them) ran over the months that were seen whole."""
    seen = coverage.months
    out: dict[str, Column] = {}
    for window, months in ((90, 3), (180, 6), (365, 12)):
        out[f"income_monthly_median_{window}d"] = _median(income[:, :months], seen[:, :months]) * AVERAGE_MONTH / 30
    for window, months in ((180, 6), (365, 12)):
        is_seen, earned = seen[:, :months], income[:, :months]
        out[f"without_{window}d"] = (is_seen & (earned <= 0)).sum(axis=1)
        out[f"negative_{window}d"] = (is_seen & (net[:, :months] < 0)).sum(axis=1)
        out[f"income_cv_{window}d"] = _spread(earned, is_seen)
    nobody = ~seen.any(axis=1)
    return {name: np.where(nobody, np.nan, values) for name, values in out.items()}


def _median(value: Integers, is_seen: Column) -> Numbers:
    ranked = np.sort(np.where(is_seen, value / 10_000, np.inf), axis=1)
    n = is_seen.sum(axis=1)[:, None]
    low, high = (np.take_along_axis(ranked, np.maximum(0, place), axis=1)[:, 0] for place in ((n - 1) // 2, np.minimum(n // 2, n - 1)))
    found: Numbers = np.where(n[:, 0] > 0, low * 0.5 + high * 0.5, np.nan)
    return found


def _spread(value: Integers, is_seen: Column) -> Numbers:
    """The standard deviation over the mean, of three months and more in which something came in."""
    n = is_seen.sum(axis=1)
    total = np.where(is_seen, value, 0).sum(axis=1)
    every = Groups(np.arange(len(n)) * value.shape[1], value.size)
    off = every.spread(value.ravel(), is_seen.ravel().astype(np.int64))
    found: Numbers = np.where((n >= 3) & (total > 0), np.sqrt(off / (n * (n - 1))) / (total / n), np.nan)
    return found
