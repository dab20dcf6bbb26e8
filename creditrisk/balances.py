"""Balances day by day: from what an opening states and what moved since, by account, then of all accounts of an applicant together.

A balance is the opening of the newest file that starts no later, plus everything booked since; accounts without a stated or running
balance are left out. Of files that start together and disagree, the one that reaches furthest is believed. Money is whole
ten-thousandths, ages are days before `as_of`.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from creditrisk.coverage import Coverage
from creditrisk.groups import Column, Groups, Integers, Numbers, groups, order, packed

FAR = 365


@dataclass(frozen=True)
class Days:
    """A row per account and day with movements, in that order: the account's place, the day, what moved."""

    account: Integers
    day: Integers
    moved: Integers


def days(account: Integers, day: Integers, amount: Integers) -> Days:
    """Add up movements, which are in order of account and day."""
    its = groups(account, day)
    return Days(its.first(account), its.first(day), its.sum(amount))


def known(found: Days, coverage: Coverage) -> tuple[Column, Integers]:
    """Return for which of the days the account's end-of-day balance is known, and that balance."""
    files = coverage.files
    stated = np.flatnonzero(files["has_opening"])
    account, first_on = coverage.account[stated], files["first_on"][stated]
    rows = stated[np.lexsort((files["opening"][stated], -files["last_on"][stated], first_on, account))]
    anchors = groups(coverage.account[rows], files["first_on"][rows])
    rows = rows[anchors.at]
    if not len(rows) or not len(found.day):
        return np.zeros(len(found.day), bool), np.zeros(len(found.day), np.int64)
    place = packed(np.append(coverage.account[rows], found.account), np.append(files["first_on"][rows], found.day))
    anchor, day = place[: len(rows)], place[len(rows) :]
    its = np.searchsorted(anchor, day, side="right") - 1  # the newest that starts no later, if it is of this account
    is_its = (its >= 0) & (coverage.account[rows][its] == found.account)
    total = groups(found.account).running(found.moved)
    start = np.minimum(np.searchsorted(day, anchor), len(day) - 1)
    has_start = day[start] == anchor  # where nothing moved on an anchor's first day it holds nothing
    base = files["opening"][rows] - (total[start] - found.moved[start])
    return is_its & has_start[its], base[its] + total


@dataclass(frozen=True)
class Levels:
    """A row per applicant and run of days with one balance of all accounts together, in order of time.

    From the day of `from_age` down to, and without, that of `to_age`.
    """

    who: Integers
    from_age: Integers
    balance: Integers

    @cached_property
    def its(self) -> Groups:
        return groups(self.who)

    @cached_property
    def to_age(self) -> Integers:
        return self.its.lead(self.from_age, 0)

    @cached_property
    def was_positive(self) -> Column:
        """Whether the run before was not below zero; the first has none before it."""
        return self.its.lag(self.balance >= 0, True)


def levels(found: Days, coverage: Coverage) -> Levels:
    """Follow the balance of all accounts of an applicant together."""
    is_known, balance = known(found, coverage)
    account, day, balance = found.account[is_known], found.day[is_known], balance[is_known]
    change = balance - groups(account).lag(balance, 0)
    who = coverage.owner[account]
    rows = order(who, day)
    who, day, change = who[rows], day[rows], change[rows]
    its = groups(who, day)
    who, day = its.first(who), its.first(day)
    return Levels(who, coverage.as_of[who] - day, groups(who).running(its.sum(change)))


def latest(found: Days, coverage: Coverage) -> tuple[Integers, Integers]:
    """Return each account with a known balance, and the one it was last known to have."""
    is_known, balance = known(found, coverage)
    its = groups(found.account[is_known])
    return its.first(found.account[is_known]), its.last(balance[is_known])


def buffer(found: Levels, coverage: Coverage, basic: Integers) -> dict[str, Column]:
    """Say of each applicant (`who`) with known balances what the daily balance was like in each window; n_90d is the days it was known.

    `basic` is what each applicant could not leave unpaid in the last 90 days: below a week of it is below the buffer.
    """
    is_near = found.to_age < FAR
    near = Levels(found.who[is_near], found.from_age[is_near], found.balance[is_near])
    who, from_age, to_age, balance, its = near.who, near.from_age, near.to_age, near.balance, near.its
    out: dict[str, Column] = {"who": its.first(who)}
    first_age = its.max(from_age)
    is_negative = balance < 0
    n = {window: np.maximum(0, np.minimum(window, from_age) - to_age) for window in (30, 90, 180, FAR)}
    for window in (30, 60, 90, 180, FAR):
        out[f"n_{window}d"] = np.minimum(window, first_age)
    total = {window: its.sum(balance * n[window]) for window in n}
    for window, its_days in n.items():
        out[f"mean_{window}d"] = total[window] / 10_000 / out[f"n_{window}d"]
        out[f"negative_{window}d"] = its.sum(np.where(is_negative, its_days, 0))
    for window in (30, 90):
        lowest = its.min(np.where(n[window] > 0, balance, np.iinfo(np.int64).max))
        out[f"lowest_{window}d"] = lowest / 10_000
    for window in (30, 60, 90):
        out[f"p10_{window}d"] = _lean(near, window, first_age)
    out["last_balance"] = its.last(balance) / 10_000
    for window in (90, 180):
        ages = (to_age + 1 + np.minimum(window, from_age)) * n[window] // 2  # the days' ages added up
        out[f"slope_a_day_{window}d"] = _slope(out[f"n_{window}d"], total[window], its.sum(balance * ages))
    size = its.sum(np.abs(balance) * n[90])
    cents = np.sign(balance) * ((np.abs(balance) + 50) // 100)
    times = out["n_90d"]
    is_spread = (times > 1) & (size > 0)
    out["cv_90d"] = np.where(is_spread, np.sqrt(its.spread(cents, n[90]) / (times * (times - 1))) / (100 * (size / 10_000) / times), np.nan)
    out["negative_age"] = np.where(its.any(is_negative), its.min(np.where(is_negative, to_age + 1, FAR)), np.nan)
    for window in (90, FAR):
        out[f"episodes_{window}d"] = its.count(is_negative & (n[window] > 0) & (near.was_positive | (from_age >= window)))
    short = balance * coverage.days(90)[who] < basic[who] * 7
    out["below_90d"] = its.sum(np.where(short, n[90], 0))
    return out


def _slope(n: Integers, total: Integers, aged: Integers) -> Numbers:
    """The slope of least squares; ages run from 1 to as far back as the balance is known, and their squares have a closed form."""
    moved = ((n * (n + 1) // 2).astype(object) * total - n.astype(object) * aged).astype(np.float64) / 10_000
    spread = n * (n * (n + 1) * (2 * n + 1) // 6) - (n * (n + 1) // 2) ** 2
    found: Numbers = moved / np.where(spread == 0, np.nan, spread)
    return found


def _lean(found: Levels, window: int, first_age: Integers) -> Numbers:
    """The balance that a tenth of the days lay at or below."""
    near = np.flatnonzero(found.to_age < window)
    rows = near[order(found.who[near], found.balance[near])]
    its, balance = groups(found.who[rows]), found.balance[rows]
    so_far = its.running(np.minimum(window, found.from_age[rows]) - found.to_age[rows])
    is_tenth = so_far * 10 >= np.repeat(np.minimum(window, first_age), its.size)
    lean: Numbers = its.min(np.where(is_tenth, balance, np.iinfo(np.int64).max)) / 10_000
    return lean


def activity(found: Days, coverage: Coverage) -> dict[str, Column]:
    """Say of each applicant (`who`) with movements how long and how lately the accounts moved, on how many days, and the longest run of
    quiet ones."""
    who = coverage.owner[found.account]
    rows = order(who, found.day)
    who, day = who[rows], found.day[rows]
    active = groups(who, day)
    who = active.first(who)
    age = coverage.as_of[who] - active.first(day)
    its = groups(who)
    first_age, last_age = its.first(age), its.last(age)
    gap = np.where(age <= 90, its.lag(age, 91) - age - 1, 0)
    # before the first active day of the window it was quiet from the window's start, or not seen
    begun = np.minimum(90, np.repeat(first_age, its.size)) - age
    is_first = (age <= 90) & (its.lag(age, 91) > 90)
    quiet = its.max(np.where(is_first, begun, np.where(age <= 90, gap, 0)))
    return {
        "who": its.first(who),
        "history_days": np.minimum(730, first_age),
        "last_age": last_age,
        "active_90d": its.count(age <= 90),
        "active_365d": its.count(age <= 365),
        "longest_gap_90d": np.maximum(quiet, last_age - 1),
    }
