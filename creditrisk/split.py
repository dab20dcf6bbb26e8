"""Which applicants a run learns from and which stay untouched to test it: arithmetic over a table of labelled rows.

An applicant is never on both sides, however many rows they have. Every function marks the test rows; what is neither learned
from nor tested (an earlier row of somebody who is tested) it leaves to `left_out`.
"""

from collections.abc import Collection, Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pandas import DataFrame

from creditrisk.errors import InvalidInput

Marks = NDArray[np.bool_]


def at_random(table: DataFrame, share: float, seed: int) -> Marks:
    """Mark whole applicants by a number that their name and the seed alone decide, so that the same people are kept away next time.

    Neither who else is in the table nor what is known of them moves anybody: a verdict on somebody tested never teaches a later run.
    Only where the bad, or the good, would all be on one side does the one of them nearest to the other side cross over.
    """
    person, rows = np.unique(table["applicant_id"].to_numpy(str), return_inverse=True)
    lot = lots(person, seed)
    chosen = lot < share
    ever = np.zeros(len(person), dtype=np.intp)  # 0 unlabelled, 1 good, 2 bad
    np.maximum.at(ever, rows, np.where(table["bad"].eq(True).fillna(False), 2, np.where(table["bad"].notna(), 1, 0)).astype(np.intp))
    for kind in (1, 2):
        members = np.flatnonzero(ever == kind)
        if len(members) > 1 and chosen[members].all() | ~chosen[members].any():
            nearest = members[np.argmin(np.abs(lot[members] - share))]
            chosen[nearest] = ~chosen[nearest]
    return np.asarray(chosen[rows], dtype=bool)


def held_out(names: Iterable[str], share: float, seed: int) -> Marks:
    """Mark those whom `at_random` keeps away from learning, whatever table they stand in."""
    return np.asarray(lots(names, seed) < share, dtype=bool)


def lots(names: Iterable[str], seed: int) -> NDArray[np.float64]:
    """Return each name's number in [0, 1), even over names (BLAKE2b); another seed shuffles them anew.

    >>> bool((lots(["A1", "A2"], 7) == lots(["A2", "A1"], 7)[::-1]).all())
    True
    """
    key = seed.to_bytes(8, "big")
    drawn = b"".join(blake2b(str(name).encode(), digest_size=8, key=key).digest() for name in names)
    return np.frombuffer(drawn, dtype=">u8").astype(np.float64) / 2.0**64


def by_time(table: DataFrame, share: float) -> Marks:
    """Mark the latest rows; a day is never on both sides. Raises InvalidInput without two different dates."""
    days = table["as_of"].to_numpy("datetime64[D]")
    if np.isnat(days).any() or len(np.unique(days)) < 2:
        raise InvalidInput("A time split needs applicants of different dates; these have one date or none. Take a random split.")
    latest = np.sort(days)[::-1]
    first = latest[max(round(share * len(days)) - 1, 0)]
    if first == days.min():
        first = np.unique(days)[1]
    return np.asarray(days >= first, dtype=bool)


def by_name(table: DataFrame, names: Collection[str], file: str) -> Marks:
    """Mark the applicants a file names; raises InvalidInput, naming some, for those nobody knows, and where nobody would be left."""
    known = table["applicant_id"].to_numpy(str)
    unknown = sorted(set(names) - set(known))
    if unknown:
        some = ", ".join(unknown[:3]) + (" …" if len(unknown) > 3 else "")
        raise InvalidInput(
            f"{file} names {len(unknown):,} of {len(names):,} applicants that the label set does not have ({some}): import them, "
            "and make a label set with them, or take them out of the file."
        )
    marked = np.isin(known, list(names))
    if marked.all():
        raise InvalidInput(f"{file} names every applicant of the label set, so nobody would be left to learn from.")
    return np.asarray(marked, dtype=bool)


def left_out(table: DataFrame, is_test: Marks) -> Marks:
    """Mark the rows that are neither learned from nor tested: those of an applicant who is tested on other rows."""
    tested = table["applicant_id"].isin(table["applicant_id"][is_test]).to_numpy(bool)
    return np.asarray(tested & ~is_test, dtype=bool)


LARGE = 50_000  # rows from which on one held-out tenth calibrates as well as folds, at a sixth of the cost


def folds(bad: NDArray[np.float64], count: int, seed: int, group: ArrayLike | None = None) -> NDArray[np.intp]:
    """Return the fold of each row: `count` of them, or from LARGE rows on a tenth in fold 0 and the rest in none (-1)."""
    if len(bad) < LARGE:
        return parted(bad, count, seed, group)
    return np.where(parted(bad, 10, seed, group) == 0, 0, -1)


def parted(bad: NDArray[np.float64], count: int, seed: int, group: ArrayLike | None = None) -> NDArray[np.intp]:
    """Return a fold number per row, stratified; rows of one `group` share theirs, which is bad where any row of it is.

    Never more folds than the smaller class has groups.
    """
    members = np.arange(len(bad)) if group is None else np.unique(np.asarray(group), return_inverse=True)[1]
    worst = np.zeros(int(members.max()) + 1)
    np.maximum.at(worst, members, bad)
    random = np.random.default_rng(seed)
    most = int(max(2, min(count, worst.sum(), len(worst) - worst.sum())))
    fold = np.empty(len(worst), dtype=np.intp)
    good, bad_ones = (random.permutation(np.flatnonzero(worst == value)) for value in (0, 1))
    fold[np.concatenate([good, bad_ones])] = np.arange(len(worst)) % most
    return np.asarray(fold[members], dtype=np.intp)
