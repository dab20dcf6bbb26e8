"""Which applicants a run learns from and which stay untouched to test it: arithmetic over a table of labelled rows.

An applicant is never on both sides, however many rows they have. Every function marks the test rows; what is neither learned
from nor tested (an earlier row of somebody who is tested) it leaves to `left_out`.
"""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from creditrisk.errors import InvalidInput

Marks = NDArray[np.bool_]


def at_random(table: DataFrame, share: float, seed: int) -> Marks:
    """Mark whole applicants: the same share of those ever bad, of the good and of the unlabelled."""
    person, rows = np.unique(table["applicant_id"].to_numpy(str), return_inverse=True)
    kind = np.zeros(len(person), dtype=np.intp)  # 0 unlabelled, 1 good, 2 bad
    np.maximum.at(kind, rows, np.where(table["bad"].eq(True).fillna(False), 2, np.where(table["bad"].notna(), 1, 0)).astype(np.intp))
    random, chosen = np.random.default_rng(seed), np.zeros(len(person), dtype=bool)
    for each in (2, 1, 0):
        places = np.flatnonzero(kind == each)
        chosen[random.permutation(places)[: round(share * len(places))]] = True
    return np.asarray(chosen[rows], dtype=bool)


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
