"""Classes made to weigh the same while something is fitted, by weights or by invented rows.

Only the rows of a fit may be balanced, never those it is calibrated, validated or tested on: the caller hands over no others.
"""

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from creditrisk.algorithms import Lesson, standard
from creditrisk.errors import NotEnoughData
from creditrisk.estimators import Column, Numbers

Balance = Literal["none", "weights", "smote"]
BALANCES: tuple[Balance, ...] = ("none", "weights", "smote")
NEIGHBOURS = 5
UNKNOWN, NEITHER = -2, -1  # codes of a choice that is missing, and of one without a column of its own


def balanced(lesson: Lesson, how: Balance) -> Lesson:
    """Return a lesson both of whose classes weigh the same, or as it is; raises NotEnoughData where SMOTE has no neighbours."""
    if how == "smote":
        return _with_invented(lesson)
    if how == "none":
        return lesson
    n_bad = lesson.weight @ lesson.bad
    weight = lesson.weight / np.where(lesson.bad == 1, n_bad, lesson.weight.sum() - n_bad)
    return replace(lesson, weight=weight * (lesson.weight.sum() / weight.sum()))


def _with_invented(lesson: Lesson) -> Lesson:
    """Add rows of the smaller class between neighbours (SMOTE, Chawla 2002), each with that class' mean weight.

    What is missing counts as a kind of its own, as the choices do (SMOTENC): an invented row has gaps where most neighbours have.
    """
    from imblearn.over_sampling import SMOTEN, SMOTENC

    n, small = len(lesson.bad), float(lesson.bad.mean() < 0.5)
    mine = lesson.bad == small
    if (n_mine := int(mine.sum())) * 2 >= n:
        return lesson
    if n_mine < 2:
        raise NotEnoughData("SMOTE invents between neighbours, and the smaller class has one row to fit on. Balance by weights instead.")
    numeric = np.array([column.choice is None for column in lesson.columns])
    centre, scale = np.array([(middle, spread or 1.0) for _, _, middle, spread in map(standard, lesson.matrix.T)]).T
    z = np.where(np.isnan(lesson.matrix), 0.0, (lesson.matrix - centre) / scale)[:, numeric]
    kinds = np.concatenate([np.isnan(lesson.matrix[:, numeric]), _codes(lesson)], axis=1).astype(np.float64)
    how = {"k_neighbors": min(NEIGHBOURS, n_mine - 1), "random_state": lesson.seed}
    maker = SMOTENC(list(range(z.shape[1], z.shape[1] + kinds.shape[1])), **how) if z.shape[1] else SMOTEN(**how)
    made = np.asarray(maker.fit_resample(np.concatenate([z, kinds], axis=1), lesson.bad)[0], dtype=np.float64)[n:]
    values, is_missing, codes = np.split(made, [z.shape[1], 2 * z.shape[1]], axis=1)
    matrix = np.empty((len(made), len(numeric)))
    matrix[:, numeric] = np.where(is_missing == 1, np.nan, values * scale[numeric] + centre[numeric])
    for place, members in enumerate(_choices(lesson.columns)):
        for number, position in enumerate(members):
            matrix[:, position] = np.where(codes[:, place] == UNKNOWN, np.nan, codes[:, place] == number)
    weight = np.append(lesson.weight, np.full(len(made), lesson.weight[mine].mean()))
    return replace(
        lesson,
        matrix=np.concatenate([lesson.matrix, matrix]),
        bad=np.append(lesson.bad, np.full(len(made), small)),
        weight=weight * (len(weight) / len(lesson.weight) * lesson.weight.sum() / weight.sum()),
    )


def _choices(columns: tuple[Column, ...]) -> list[list[int]]:
    """Return the positions of each choice feature's columns."""
    found: dict[str, list[int]] = {}
    for position, column in enumerate(columns):
        if column.choice is not None:
            found.setdefault(column.feature, []).append(position)
    return list(found.values())


def _codes(lesson: Lesson) -> NDArray[np.intp]:
    """Return each choice feature as one column of codes: the place of its choice, NEITHER or UNKNOWN."""
    codes = np.empty((len(lesson.matrix), len(groups := _choices(lesson.columns))), dtype=np.intp)
    for place, members in enumerate(groups):
        part: Numbers = lesson.matrix[:, members]
        codes[:, place] = np.where(np.isnan(part[:, 0]), UNKNOWN, np.where(part.any(axis=1), part.argmax(axis=1), NEITHER))
    return codes
