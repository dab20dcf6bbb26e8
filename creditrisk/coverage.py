"""What the statements let us see of each applicant: which accounts are held, which days nobody saw.

An export is taken as complete to `as_of` where its last row is at most 15 days older; beyond that the rest is unobserved. So are the
holes between files; files a month apart or less are taken to follow one another. Days are whole numbers, ages days before `as_of`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from creditrisk.groups import Column, Integers, Numbers, groups, order

WINDOWS = (30, 60, 90, 180, 365)
LATE = 15  # days after the last row on which an export still counts as complete
APART = 31  # days from one file to the next that still follows it
NEVER = -(2**31)


@dataclass(frozen=True)
class Coverage:
    """The files of some applicants, in order of `who` (0, 1, 2, …) and account.

    `files` has a column each of who, as_of, account_id, number, currency, first_on, last_on, has_opening, opening (ten-thousandths),
    is_mismatch: those of `sql/features/file.sql`.
    """

    files: Mapping[str, Column]

    @cached_property
    def n(self) -> int:
        """How many applicants there are."""
        return int(self.files["who"][-1]) + 1 if len(self.files["who"]) else 0

    @cached_property
    def as_of(self) -> Integers:
        return groups(self.files["who"]).first(self.files["as_of"])

    # --- accounts held: a place each, in order of their ids ---

    @cached_property
    def _held(self) -> tuple[Integers, Integers]:
        return np.unique(self.files["account_id"], return_index=True)

    @property
    def account_id(self) -> Integers:
        return self._held[0]

    @cached_property
    def owner(self) -> Integers:
        return self.files["who"][self._held[1]]

    @cached_property
    def number(self) -> Column:
        """Account numbers."""
        return self.files["number"][self._held[1]]

    @cached_property
    def account(self) -> Integers:
        """The place of each file's account."""
        return np.searchsorted(self.account_id, self.files["account_id"])

    # --- days seen ---

    @cached_property
    def first_age(self) -> Integers:
        """The age of the first day that any file has."""
        return self.as_of - groups(self.files["who"]).min(self.files["first_on"])

    @cached_property
    def unseen(self) -> Integers:
        """How many days at the end nobody saw."""
        quiet = self.as_of - groups(self.files["who"]).max(self.files["last_on"])
        return np.where(quiet <= LATE, 0, quiet - 1)

    @cached_property
    def is_unreconciled(self) -> Column:
        """Where the balances of a file do not follow, or accounts are in several currencies."""
        who, currency = self.files["who"], self.files["currency"]
        found = np.zeros(self.n, bool)
        found[who[self.files["is_mismatch"]]] = True
        said = currency != ""
        its = groups(who[said])
        kept = currency[said]
        found[who[said][its.at]] |= its.any(kept != np.repeat(its.first(kept), its.size))
        return found

    @cached_property
    def hole(self) -> tuple[Integers, Integers, Integers]:
        """Stretches of more than a month between two files: who, from the day of which age down to, and without, that of which."""
        rows = order(self.files["who"], self.files["first_on"])
        who, first_on, last_on = (self.files[name][rows] for name in ("who", "first_on", "last_on"))
        # The latest day so far: an applicant's days lie above those of all before, so that one running maximum serves all.
        reached = np.maximum.accumulate(who.astype(np.int64) * 2**32 + last_on) - who.astype(np.int64) * 2**32
        before = groups(who).lag(reached, NEVER)
        is_hole = (first_on - before > APART) & (before > NEVER)
        its = who[is_hole]
        return its, self.as_of[its] - before[is_hole] - 1, self.as_of[its] - first_on[is_hole]

    def observed(self, window: int) -> Integers:
        """How many of the last days were observed."""
        who, from_age, to_age = self.hole
        missed = np.bincount(who, np.maximum(0, np.minimum(window, from_age) - to_age), self.n).astype(np.int64)
        return np.maximum(0, np.minimum(window, self.first_age) - self.unseen) - missed

    def days(self, window: int) -> Numbers:
        """The same, and nothing where under 60 %: whatever is divided by it, or asks for it, is then nothing too."""
        observed = self.observed(window)
        return np.where(observed * 10 >= window * 6, observed, np.nan)

    @cached_property
    def months(self) -> Column:
        """Which 30-day months (0 is the newest, of twelve) were seen whole: a row per applicant, a column per month."""
        month = np.arange(12)
        seen = (month < (self.first_age // 30)[:, None]) & (month >= ((self.unseen + 29) // 30)[:, None])
        who, from_age, to_age = self.hole
        touched = (month >= (to_age // 30)[:, None]) & (month <= ((from_age - 1) // 30)[:, None])
        np.logical_and.at(seen, who, ~touched)
        return seen
