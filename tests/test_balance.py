"""Balanced lessons: classes weigh the same, invented rows lie between neighbours, and gaps and choices stay what they are."""

import numpy as np
import pytest

from creditrisk.algorithms import Lesson
from creditrisk.balance import balanced
from creditrisk.errors import NotEnoughData
from creditrisk.estimators import Column

COLUMNS = (
    Column("income", None, -1, True),
    Column("home", "own", 0, False),
    Column("home", "rent", 0, False),
    Column("empty", None, 0, False),
)


def lesson(n: int = 200, n_bad: int = 20, seed: int = 0) -> Lesson:
    random = np.random.default_rng(seed)
    home = random.integers(0, 4, n)  # own, rent, another one, not known
    one_hot = np.stack([home == 0, home == 1], axis=1).astype(float)
    one_hot[home == 3] = np.nan
    income = 1e4 * random.random(n)
    income[random.random(n) < 0.3] = np.nan
    matrix = np.column_stack([income, one_hot, np.full(n, np.nan)])
    return Lesson(matrix, (np.arange(n) < n_bad).astype(float), np.ones(n), COLUMNS, 7)


def test_none_leaves_everything_as_it_is():
    assert balanced(whole := lesson(), "none") is whole


def test_weights_weigh_both_classes_the_same_and_average_one():
    part = balanced(lesson(), "weights")
    assert part.weight @ part.bad == pytest.approx(part.weight.sum() / 2)
    assert part.weight.mean() == pytest.approx(1)


@pytest.mark.parametrize("n_bad", [2, 3, 20, 180])
def test_smote_adds_rows_of_the_smaller_class_and_changes_none(n_bad):
    before, after = lesson(n_bad=n_bad), balanced(lesson(n_bad=n_bad), "smote")
    assert np.array_equal(after.matrix[:200], before.matrix, equal_nan=True)
    assert after.bad.mean() == 0.5
    assert len(after.bad) == len(after.weight) == len(after.matrix) == 2 * max(n_bad, 200 - n_bad)
    assert after.weight.mean() == pytest.approx(1)


def test_invented_rows_hold_one_choice_or_none_have_gaps_and_lie_within_their_class():
    before, after = lesson(), balanced(lesson(), "smote")
    made = after.matrix[200:]
    known = before.matrix[:20, 0]
    assert np.nanmin(made[:, 0]) >= min(np.nanmin(known), np.nanmedian(before.matrix[:, 0])) - 1e-6
    assert np.nanmax(made[:, 0]) <= max(np.nanmax(known), np.nanmedian(before.matrix[:, 0])) + 1e-6
    assert np.isnan(made[:, 0]).any()
    assert np.isnan(made[:, 3]).all()
    homes = {tuple(row) for row in np.nan_to_num(made[:, 1:3], nan=9).tolist()}
    assert homes <= {(1, 0), (0, 1), (0, 0), (9, 9)}


def test_choices_alone_are_enough_and_the_same_seed_invents_the_same():
    whole = lesson()
    part = Lesson(whole.matrix[:, 1:3], whole.bad, whole.weight, COLUMNS[1:3], 7)
    one, other = balanced(part, "smote"), balanced(part, "smote")
    assert one.bad.mean() == 0.5
    assert np.array_equal(one.matrix, other.matrix, equal_nan=True)


def test_one_row_has_no_neighbours_and_that_is_a_sentence():
    with pytest.raises(NotEnoughData, match="Balance by weights"):
        balanced(lesson(n_bad=1), "smote")
    assert balanced(lesson(4, 2), "smote").bad.tolist() == [1, 1, 0, 0]
