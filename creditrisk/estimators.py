"""What is fitted on a matrix: the estimators, each a raw output per row and the same output split over the matrix' columns.

Nobody may break two things. A row gives the same bits alone and among others. And an estimator's parts plus its base
are its raw output, on its own scale: log-odds, or a mean probability for the forest. Missing values are NaN and allowed anywhere.
"""

import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from creditrisk import trees, woe

Numbers = NDArray[np.float64]
EXACT = 1e-4  # most that contributions looked up may differ from those computed
MANY = 5_000  # rows from which two threads share the work
CHECKED = 100  # rows on which that is seen


@dataclass(frozen=True)
class Column:
    """One column of the matrix a feature becomes: itself, or one of its choices; `sign` as the feature's risk, which a fit must keep
    where it `is_binding`."""

    feature: str
    choice: str | None
    sign: int
    in_index: bool
    is_binding: bool = True

    @property
    def bound(self) -> int:
        """The sign a fit must keep; 0 where it is free."""
        return self.sign if self.is_binding else 0


class Estimator(Protocol):
    """What is fitted: a raw output per row, and the same output split over the matrix' columns."""

    def raw(self, matrix: Numbers) -> Numbers: ...
    def parts(self, matrix: Numbers) -> tuple[Numbers, float]: ...


def logit(prob_default: float) -> float:
    """Return the log-odds of a probability.

    >>> logit(0.5)
    0.0
    """
    return float(np.log(prob_default) - np.log1p(-prob_default))


def inverse_logit(margin: Numbers) -> Numbers:
    """Return the probability of log-odds, without overflow.

    >>> inverse_logit(np.array([-1000.0, 0.0, 1000.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    small = np.exp(-np.abs(margin))
    return np.where(margin >= 0, 1.0, small) / (1.0 + small)


# ── the kinds ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Linear:
    """Weights on winsorised, centred, scaled columns; logistic regression, the risk index and the constant are this."""

    low: Numbers
    high: Numbers
    centre: Numbers
    scale: Numbers
    weights: Numbers
    constant: float = 0.0

    def z(self, matrix: Numbers) -> Numbers:
        """Return the columns as they are weighted; missing is the centre."""
        values: Numbers = np.clip(matrix, self.low, self.high)
        missing = np.isnan(values)
        values -= self.centre
        values /= self.scale
        values[missing] = 0.0
        return values

    def raw(self, matrix: Numbers) -> Numbers:
        """Return the weighted sum, added column by column: a matrix product rounds differently for one row and for many."""
        total = np.full(len(matrix), self.constant)
        for term in self.parts(matrix)[0].T:
            total += term
        return total

    def parts(self, matrix: Numbers) -> tuple[Numbers, float]:
        """Return each column's term of the sum, and the constant."""
        terms = self.z(matrix)
        terms *= self.weights
        return terms, self.constant


class Trees:
    """What estimators of trees share: contributions looked up in tables, where those were found to be the library's own.

    The tables are not part of the artefact: they are rebuilt in a tenth of a second at most, and take more room than the trees.
    """

    # Why contributions come from the library, slowly; None where the tables give the same. This is said of models made before tables.
    fallback: str | None = "This model was fitted before contributions were looked up in tables."

    def grown(self) -> trees.Trees:
        """Return the trees as arrays; raises ValueError where they are of a kind the tables do not know."""
        raise NotImplementedError

    def slowly(self, matrix: Numbers) -> tuple[Numbers, float]:
        """Return the parts as a library computes them, for at least one row."""
        raise NotImplementedError

    def seen(self, matrix: Numbers) -> Any:
        """Return what the trees see of a matrix."""
        return matrix

    @cached_property
    def tables(self) -> Any:
        """The trees with their tables, a `treeshap.Explainer`."""
        from creditrisk import treeshap

        return treeshap.explainer(self.grown())

    def parts(self, matrix: Numbers) -> tuple[Numbers, float]:
        """Return exact path-dependent SHAP values (Lundberg 2018) of the raw output."""
        if self.fallback is None:
            added, base = self.tables.split(self.seen(matrix))
            return added, base
        added, base = self.slowly(matrix if len(matrix) else np.full((1, matrix.shape[1]), np.nan))
        return added[: len(matrix)], base

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("tables", "explainer")}


@dataclass(frozen=True)
class Boosted(Trees):
    """An XGBoost booster; the raw output is its margin. Missing values go where the trees learned to send them."""

    booster: Any
    fallback: str | None = Trees.fallback

    def raw(self, matrix: Numbers) -> Numbers:
        """Return the margin."""
        if not len(matrix):
            return np.zeros(0)
        return np.asarray(self._threaded(len(matrix)).inplace_predict(matrix, predict_type="margin"), dtype=np.float64)

    def grown(self) -> trees.Trees:
        """Return the trees as arrays."""
        return trees.of_xgboost(self.booster)

    def slowly(self, matrix: Numbers) -> tuple[Numbers, float]:
        """Return what XGBoost itself computes, in single precision."""
        from xgboost import DMatrix

        added = self._threaded(len(matrix)).predict(DMatrix(matrix, nthread=1), pred_contribs=True).astype(np.float64)
        return added[:, :-1], float(added[0, -1])

    def _threaded(self, n: int) -> Any:
        if n < MANY:
            return self.booster
        many = self.booster.copy()
        many.set_param({"nthread": 0})
        return many


@dataclass(frozen=True)
class Light(Trees):
    """A LightGBM booster; the raw output is its margin. Missing values go where the trees learned to send them."""

    booster: Any
    fallback: str | None = Trees.fallback

    def raw(self, matrix: Numbers) -> Numbers:
        """Return the margin."""
        if not len(matrix):
            return np.zeros(0)
        return np.array(self.booster.predict(matrix, raw_score=True, num_threads=_threads(matrix)), dtype=np.float64)

    def grown(self) -> trees.Trees:
        """Return the trees as arrays."""
        return trees.of_lightgbm(self.booster)

    def slowly(self, matrix: Numbers) -> tuple[Numbers, float]:
        """Return what LightGBM itself computes."""
        added = np.asarray(self.booster.predict(matrix, pred_contrib=True, num_threads=_threads(matrix)), dtype=np.float64)
        return added[:, :-1], float(added[0, -1])


def _threads(matrix: Numbers) -> int:
    return 1 if len(matrix) < MANY else 2


@dataclass(frozen=True)
class Forest(Trees):
    """A random forest; the raw output is its mean probability. Missing is `fill`, since its trees must stay monotone."""

    forest: Any
    fill: Numbers
    fallback: str | None = Trees.fallback

    def raw(self, matrix: Numbers) -> Numbers:
        """Return the mean over the trees, in the trees' order.

        To the bit what the forest's own `predict_proba` gives, which spends ten milliseconds on handing one row round its trees.
        """
        seen, total = self.seen(matrix), np.zeros(len(matrix))
        for member in self.forest.estimators_:
            total += member.tree_.predict(seen)[:, 1]
        return total / len(self.forest.estimators_)

    def grown(self) -> trees.Trees:
        """Return the trees as arrays."""
        return trees.of_forest(self.forest)

    def slowly(self, matrix: Numbers) -> tuple[Numbers, float]:
        """Return what shap computes."""
        added = self.explainer.shap_values(self.seen(matrix), check_additivity=False)
        return np.ascontiguousarray(np.asarray(added, dtype=np.float64)[:, :, 1]), float(np.asarray(self.explainer.expected_value)[1])

    def seen(self, matrix: Numbers) -> Any:
        """Return the matrix without gaps, in single precision: the trees compare such values, and every walker must go the same way."""
        return np.ascontiguousarray(np.where(np.isnan(matrix), self.fill, matrix), dtype=np.float32)

    @cached_property
    def explainer(self) -> Any:
        """The walker over the trees: a tenth of a second to build, so built once; not part of the artefact."""
        with warnings.catch_warnings():
            # Importing shap draws its colour maps with a call Matplotlib means to retire; nothing of ours can change that.
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            from shap import TreeExplainer
        return TreeExplainer(self.forest, feature_perturbation="tree_path_dependent")


@dataclass(frozen=True)
class Scorecard:
    """Logistic regression on the evidence of bins: every bin of a feature is worth a fixed amount. `positions` are its columns."""

    bins: tuple[woe.Bins, ...]
    positions: tuple[tuple[int, ...], ...]
    weights: Numbers
    constant: float

    @property
    def worth(self) -> list[Numbers]:
        """What each bin of each feature adds to the log-odds of bad."""
        return [-weight * np.array(bins.woe) for bins, weight in zip(self.bins, self.weights, strict=True)]

    def raw(self, matrix: Numbers) -> Numbers:
        """Return the constant and what the bins add, feature by feature."""
        total = np.full(len(matrix), self.constant)
        for bins, positions, worth in zip(self.bins, self.positions, self.worth, strict=True):
            total += worth[bins.places(matrix[:, positions])]
        return total

    def parts(self, matrix: Numbers) -> tuple[Numbers, float]:
        """Return what the bins add, at the first column of each feature, and the constant."""
        added = np.zeros(matrix.shape)
        for bins, positions, worth in zip(self.bins, self.positions, self.worth, strict=True):
            added[:, positions[0]] = worth[bins.places(matrix[:, positions])]
        return added, self.constant


def checked(estimator: Estimator, matrix: Numbers) -> Estimator:
    """Return the estimator, explaining by tables where these give what its library computes on rows of the matrix, whole and with gaps.

    Where they do not, or cannot be made, `fallback` says why. A forest's library computes no contributions: there the sum is checked.
    """
    if not isinstance(estimator, Boosted | Light | Forest):
        return estimator
    random = np.random.default_rng(0)
    rows = matrix[random.choice(len(matrix), min(len(matrix), CHECKED), replace=False)]
    rows = np.concatenate([rows, np.where(random.random(rows.shape) < 0.3, np.nan, rows), np.full((1, matrix.shape[1]), np.nan)])
    fast = replace(estimator, fallback=None)
    try:
        parts, base = fast.parts(rows)
    except ValueError as error:
        return replace(estimator, fallback=f"The trees cannot be written as tables. {error}")
    if isinstance(estimator, Forest):
        furthest = np.abs(parts.sum(axis=1) + base - estimator.raw(rows)).max()
    else:
        slow, slow_base = estimator.slowly(rows)
        furthest = max(np.abs(parts - slow).max(), abs(base - slow_base))
    if furthest <= EXACT:
        return fast
    return replace(estimator, fallback=f"The tables differ from the library's contributions by {furthest:.2g}, more than {EXACT:g}.")
