"""Rows in groups: columns of whole numbers are put in order by keys, and each run of equal keys is added up, ranked, followed.

What is added up are whole numbers, so the order of rows within a group cannot move the last bit of anything.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]
Integers = NDArray[np.int64]
Numbers = NDArray[np.float64]
SPARSE = 16  # numbers left out for one that is there


def packed(*keys: Column) -> Integers:
    """Return one whole number per row that compares as the keys do, the first of them first.

    >>> packed(np.array([1, 0, 1]), np.array([-5, 9, 7])).tolist()
    [15, 14, 27]
    """
    if not len(keys[0]):
        return np.zeros(0, np.int64)
    spans = [int(key.max()) - int(key.min()) + 1 for key in keys]
    if np.prod([float(span) for span in spans]) >= 2.0**62:  # too wide for one number: their ranks are not
        keys = tuple(np.unique(key, return_inverse=True)[1] for key in keys)
        spans = [int(key.max()) + 1 for key in keys]
    found = np.zeros(len(keys[0]), np.int64)
    for key, span in zip(keys, spans, strict=True):
        found = found * span + (key - int(key.min()))
    return found


def order(*keys: Column) -> Column | slice:
    """Return what puts rows in the order of the keys: their places, or all as they stand where they are in order already."""
    key = packed(*keys)
    return slice(None) if bool((key[1:] >= key[:-1]).all()) else np.argsort(key)


def places(known: Column, asked: Column) -> Integers:
    """Return where each number asked for stands among known ones, which are in order; they are ids of the database.

    >>> places(np.array([4, 7, 9]), np.array([9, 4, 4])).tolist()
    [2, 0, 0]
    """
    last = int(known.max(initial=0))
    if last > SPARSE * len(known):  # a few of very many: looked for, where a place for every number would cost more
        return np.searchsorted(known, asked)
    place = np.zeros(last + 1, np.int32)
    place[known] = np.arange(len(known))
    return place[asked].astype(np.int64)


@dataclass(frozen=True)
class Groups:
    """Runs of rows with equal keys, in rows that are in order of them; every answer but `lag` has a place per run."""

    at: Integers  # the first row of each run
    rows: int

    def __len__(self) -> int:
        return len(self.at)

    @cached_property
    def end(self) -> Integers:
        return np.append(self.at, self.rows)[1:]

    @cached_property
    def size(self) -> Integers:
        return self.end - self.at

    @cached_property
    def of_row(self) -> Integers:
        """Which run each row is of."""
        return np.repeat(np.arange(len(self.at)), self.size)

    def sum(self, values: Column) -> Column:
        return np.add.reduceat(values, self.at) if len(self.at) else values[:0]

    def min(self, values: Column) -> Column:
        return np.minimum.reduceat(values, self.at) if len(self.at) else values[:0]

    def max(self, values: Column) -> Column:
        return np.maximum.reduceat(values, self.at) if len(self.at) else values[:0]

    def any(self, holds: Column) -> Column:
        found: Column = np.logical_or.reduceat(holds, self.at) if len(self.at) else holds[:0]
        return found

    def count(self, holds: Column) -> Integers:
        found: Integers = self.sum(holds.astype(np.int64))
        return found

    def first(self, values: Column) -> Column:
        return values[self.at]

    def last(self, values: Column) -> Column:
        return values[self.end - 1]

    def running(self, values: Column) -> Column:
        """The sum of the run so far, by row."""
        total = np.cumsum(values)
        before = total[self.at] - values[self.at]
        found: Column = total - np.repeat(before, self.size)
        return found

    def lag(self, values: Column, first: Column | float) -> Column:
        """The value of the row before in the run, by row; `first` (by run, or for all) where there is none."""
        found = np.empty_like(values)
        found[1:] = values[:-1]
        found[self.at] = first
        return found

    def lead(self, values: Column, last: Column | float) -> Column:
        """The value of the row after in the run, by row; `last` where there is none."""
        found = np.empty_like(values)
        found[:-1] = values[1:]
        found[self.end - 1] = last
        return found

    def median(self, values: Column, unit: int = 1) -> Numbers:
        """The middle of each run, in whole units, or half way between the two in the middle.

        >>> groups(np.array([4, 4, 7, 7, 7])).median(np.array([1, 2, 9, 5, 7])).tolist()
        [1.5, 7.0]
        """
        whole = np.issubdtype(values.dtype, np.integer)
        ranked = values[order(self.of_row, values) if whole else np.lexsort((values, self.of_row))] / unit
        low, high = ranked[self.at + (self.size - 1) // 2], ranked[self.at + self.size // 2]
        found: Numbers = low * 0.5 + high * 0.5
        return found

    def spread(self, values: Integers, times: Integers) -> Numbers:
        """n times the sum of squares less the square of the sum, each value counted so many times: exact, then rounded once.

        >>> groups(np.array([4, 4, 4])).spread(np.array([1, 2, 4]), np.array([1, 1, 2])).tolist()
        [27.0]
        """
        high, low = values >> 24, values & 0xFFFFFF  # squares of money overflow 64 bits: summed in parts, put together in whole numbers
        parts = zip((high * high, high * low, low * low), (48, 25, 0), strict=True)
        squared = sum(self.sum(part * times).astype(object) << shift for part, shift in parts)
        summed = self.sum(values * times).astype(object)
        found: Numbers = (self.sum(times) * squared - summed * summed).astype(np.float64)
        return found


def groups(*keys: Column) -> Groups:
    """Return the runs of rows that stand in order of some keys."""
    if not len(keys[0]):
        return Groups(np.zeros(0, np.int64), 0)
    is_new = np.zeros(len(keys[0]), bool)
    is_new[0] = True
    for key in keys:
        is_new[1:] |= key[1:] != key[:-1]
    return Groups(np.flatnonzero(is_new), len(is_new))


def half_up(values: Numbers) -> Numbers:
    """Round numbers of zero and more to whole ones, a half upwards.

    >>> half_up(np.array([0.5, 1.5, 2.4])).tolist()
    [1.0, 2.0, 2.0]
    """
    whole = np.floor(values)
    return whole + (values - whole >= 0.5)
