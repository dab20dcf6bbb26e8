"""What is fitted on a matrix: the estimators, each a raw output per row and the same output split over the matrix' columns.

Nobody may break two things. A row gives the same bits alone and among others. And an estimator's parts plus its base
are its raw output, on its own scale: log-odds, or a mean probability for the forest. Missing values are NaN and allowed anywhere.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from creditrisk.errors import InvalidInput

Numbers = NDArray[np.float64]
Setting = float | int | str
Range = tuple[float, float, Literal["log", "linear", "int"]]  # lowest, highest, and how the way between them is measured
WINSOR_Z = 3.0
RIDGE = 10.0  # a prior on standardised weights of about N(0, 0.3²): worth two points of AUC with 100 bads, nothing with 3,000
DEEP_ROWS = 10_000  # fewer rows do not tell how columns act together from chance
MOST_ROUNDS, PATIENCE = 600, 30  # trees at most, and how many of them may pass without a gain on unseen rows
SIDES = {-1: (None, 0.0), 0: (None, None), 1: (0.0, None)}


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


@dataclass(frozen=True)
class Lesson:
    """What an estimator learns from: the matrix, 0 or 1 per row, weights of mean 1, what the columns are, and what of the
    algorithm's own settings was asked for (see `chosen`)."""

    matrix: Numbers
    bad: Numbers
    weight: Numbers
    columns: tuple[Column, ...]
    seed: int
    parameters: Mapping[str, Setting] = field(default_factory=dict)

    def take(self, rows: NDArray[np.bool_]) -> "Lesson":
        """Return the lesson of some rows."""
        return replace(self, matrix=self.matrix[rows], bad=self.bad[rows], weight=self.weight[rows])


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

    def z(self, matrix: Numbers, position: int) -> Numbers:
        """Return one column as it is weighted; missing is the centre."""
        values = np.clip(matrix[:, position], self.low[position], self.high[position])
        return np.where(np.isnan(values), 0.0, (values - self.centre[position]) / self.scale[position])

    def raw(self, matrix: Numbers) -> Numbers:
        """Return the weighted sum, added column by column: a matrix product rounds differently for one row and for many."""
        total = np.full(len(matrix), self.constant)
        for position, weight in enumerate(self.weights):
            total += weight * self.z(matrix, position)
        return total

    def parts(self, matrix: Numbers) -> tuple[Numbers, float]:
        """Return each column's term of the sum, and the constant."""
        terms = [weight * self.z(matrix, position) for position, weight in enumerate(self.weights)]
        return np.stack(terms, axis=1), self.constant


@dataclass(frozen=True)
class Boosted:
    """An XGBoost booster; the raw output is its margin. Missing values go where the trees learned to send them."""

    booster: Any

    def raw(self, matrix: Numbers) -> Numbers:
        """Return the margin."""
        if not len(matrix):
            return np.zeros(0)
        return np.asarray(self._threaded(len(matrix)).inplace_predict(matrix, predict_type="margin"), dtype=np.float64)

    def parts(self, matrix: Numbers) -> tuple[Numbers, float]:
        """Return exact path-dependent SHAP values (Lundberg 2018), computed by XGBoost itself in single precision."""
        from xgboost import DMatrix

        rows = matrix if len(matrix) else np.full((1, matrix.shape[1]), np.nan)
        added = np.asarray(self._threaded(len(rows)).predict(DMatrix(rows, nthread=1), pred_contribs=True), dtype=np.float64)
        return added[: len(matrix), :-1], float(added[0, -1])

    def _threaded(self, n: int) -> Any:
        if n < 5_000:
            return self.booster
        many = self.booster.copy()
        many.set_param({"nthread": 0})
        return many


@dataclass(frozen=True)
class Forest:
    """A random forest; the raw output is its mean probability. Missing is `fill`, since its trees must stay monotone."""

    forest: Any
    fill: Numbers

    def raw(self, matrix: Numbers) -> Numbers:
        """Return the mean over the trees, in the trees' order."""
        if not len(matrix):
            return np.zeros(0)
        return np.asarray(self.forest.predict_proba(self.filled(matrix))[:, 1], dtype=np.float64)

    def parts(self, matrix: Numbers) -> tuple[Numbers, float]:
        """Return exact path-dependent SHAP values in probability."""
        base = float(np.asarray(self.explainer.expected_value)[1])
        if not len(matrix):
            return np.zeros(matrix.shape), base
        added = self.explainer.shap_values(self.filled(matrix), check_additivity=False)
        return np.ascontiguousarray(np.asarray(added, dtype=np.float64)[:, :, 1]), base

    def filled(self, matrix: Numbers) -> NDArray[np.float32]:
        """Return what the trees see."""
        # The trees compare single-precision values; the explainer must walk the same way, so both get the same ones.
        return np.ascontiguousarray(np.where(np.isnan(matrix), self.fill, matrix), dtype=np.float32)

    @cached_property
    def explainer(self) -> Any:
        """The walker over the trees: a tenth of a second to build, so built once; not part of the artefact."""
        with warnings.catch_warnings():
            # Importing shap draws its colour maps with a call Matplotlib means to retire; nothing of ours can change that.
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            from shap import TreeExplainer
        return TreeExplainer(self.forest, feature_perturbation="tree_path_dependent")

    def __getstate__(self) -> dict[str, Any]:
        return {"forest": self.forest, "fill": self.fill}


# ── fitting ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _fit_constant(lesson: Lesson) -> Linear:
    nothing = np.zeros(len(lesson.columns))
    return Linear(nothing, nothing, nothing, nothing + 1, nothing)


def _fit_index(lesson: Lesson) -> Linear:
    return index_of(lesson.matrix, lesson.columns)


def index_of(matrix: Numbers, columns: Sequence[Column]) -> Linear:
    """Return the risk index: equal weights on the index columns, or on all signed ones where the schema names none."""
    signs = np.array([column.sign for column in columns], dtype=np.float64)
    chosen = signs * np.array([column.in_index for column in columns])
    signs = chosen if chosen.any() else signs
    centre, scale = np.array([_robust(values) for values in matrix.T]).T
    return Linear(centre - WINSOR_Z * scale, centre + WINSOR_Z * scale, centre, scale, signs / max(np.abs(signs).sum(), 1.0))


def _fit_logistic(lesson: Lesson) -> Linear:
    """Fit ridge logistic regression whose weights keep the schema's signs, so that no reason points the wrong way."""
    from scipy.optimize import minimize

    low, high, centre, spread = np.array([standard(values) for values in lesson.matrix.T]).T
    unit = Linear(low, high, centre, np.where(spread > 0, spread, 1.0), np.zeros(len(spread)))
    ridge = float(lesson.parameters.get("ridge", RIDGE))
    z = np.stack([unit.z(lesson.matrix, position) for position in range(len(spread))], axis=1)
    side = 2 * lesson.bad - 1

    def loss(line: Numbers) -> tuple[float, Numbers]:
        weights, agreement = line[:-1], side * (z @ line[:-1] + line[-1])
        errors = -lesson.weight * side * inverse_logit(-agreement)
        value = lesson.weight @ np.logaddexp(0, -agreement) + ridge / 2 * (weights @ weights)
        return float(value), np.append(errors @ z + ridge * weights, errors.sum())

    start = np.append(np.zeros(len(spread)), logit(float(np.average(lesson.bad, weights=lesson.weight))))
    bounds = [*(SIDES[column.bound] for column in lesson.columns), (None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500}).x
    return replace(unit, weights=found[:-1], constant=float(found[-1]))


def _fit_boosted(lesson: Lesson) -> Boosted:
    """Fit boosted trees: shallow ones, on few rows slower learning, larger leaves and fewer rounds; deeper ones where that is safe.

    Deeper trees earn their cost on many rows whose columns have no sign to keep: there they find how columns act together
    (credit_risk_dataset: AUC 0.935 at depth 3, 0.945 at depth 5), and how many are enough is seen on a tenth of the rows.
    Columns that keep a declared sign gained nothing by it, and exact contributions would take ten times as long.
    """
    from xgboost import DMatrix, train

    n, n_bad = len(lesson.bad), lesson.bad.sum()
    small = n < 2_000 or n_bad < 200
    deep = n >= DEEP_ROWS and min(n_bad, n - n_bad) >= DEEP_ROWS / 10 and not any(column.bound for column in lesson.columns)
    parameters: dict[str, Any] = {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "max_depth": 2 if small else 5 if deep else 3,
        "learning_rate": 0.05 if small or deep else 0.08,
        "min_child_weight": 2 if small else 5 if deep else 10,
        "subsample": 0.8,
        "colsample_bytree": 0.6,
        "lambda": 5,
        "monotone_constraints": "(" + ",".join(str(column.bound) for column in lesson.columns) + ")",
        "seed": lesson.seed,
        "nthread": 1 if small else 2,
        "verbosity": 0,
    }
    parameters.update(lesson.parameters)
    rounds = int(parameters.pop("n_estimators", 200 if small else MOST_ROUNDS if deep else 300))

    def table(part: Lesson) -> DMatrix:
        return DMatrix(part.matrix, label=part.bad, weight=part.weight, nthread=1)

    if deep:
        aside = np.random.default_rng(lesson.seed).random(n) < 0.1
        unseen = [(table(lesson.take(aside)), "unseen")]
        booster = train(
            parameters,
            table(lesson.take(~aside)),
            num_boost_round=rounds,
            evals=unseen,
            early_stopping_rounds=PATIENCE,
            verbose_eval=False,
        )
        booster = booster[: booster.best_iteration + 1]
    else:
        booster = train(parameters, table(lesson), num_boost_round=rounds)
    booster.set_param({"nthread": 1})
    return Boosted(booster)


def _fit_forest(lesson: Lesson) -> Forest:
    from sklearn.ensemble import RandomForestClassifier

    n = len(lesson.bad)
    parameters: dict[str, Any] = {
        "n_estimators": 200,
        "max_depth": 8,
        "min_samples_leaf": max(3, min(50, n // 200)),
        "max_features": "sqrt",
    }
    parameters.update(lesson.parameters)
    forest = RandomForestClassifier(
        **parameters,
        monotonic_cst=[column.bound for column in lesson.columns],
        random_state=lesson.seed,
        n_jobs=2 if n >= 2_000 else 1,
    )
    fitted = Forest(forest, np.array([standard(values)[2] for values in lesson.matrix.T]))
    forest.fit(fitted.filled(lesson.matrix), lesson.bad.astype(int), sample_weight=lesson.weight)
    forest.n_jobs = 1
    return fitted


FITS: Mapping[str, Callable[[Lesson], Estimator]] = {
    "xgboost": _fit_boosted,
    "random_forest": _fit_forest,
    "logistic": _fit_logistic,
    "risk_index": _fit_index,
    "constant": _fit_constant,
}

# What may be set of each algorithm, and what of it is worth tuning: a range, or the choices there are.
SPACE: Mapping[str, Mapping[str, Range | tuple[str, ...]]] = {
    "xgboost": {
        "n_estimators": (50, 1_000, "int"),
        "max_depth": (1, 8, "int"),
        "learning_rate": (0.01, 0.3, "log"),
        "min_child_weight": (1, 100, "log"),
        "subsample": (0.5, 1, "linear"),
        "colsample_bytree": (0.3, 1, "linear"),
        "lambda": (0.1, 100, "log"),
    },
    "random_forest": {
        "n_estimators": (50, 500, "int"),
        "max_depth": (2, 8, "int"),
        "min_samples_leaf": (1, 200, "int"),
        "max_features": ("sqrt", "log2"),
    },
    "logistic": {"ridge": (0.01, 1_000, "log")},
    "risk_index": {},
    "constant": {},
}


def chosen(algorithm: str, given: Mapping[str, Setting]) -> dict[str, Setting]:
    """Return the settings asked for, whole numbers as such; raises InvalidInput for one that does not exist or lies outside its range."""
    space = SPACE[algorithm]
    for name in given:
        if name not in space:
            raise InvalidInput(f"{algorithm} has no parameter {name!r}; it has {', '.join(space) or 'none'}.")
    return {name: _within(f"{name} of {algorithm}", value, space[name]) for name, value in given.items()}


def _within(name: str, value: Setting, allowed: Range | tuple[str, ...]) -> Setting:
    if allowed[-1] not in ("log", "linear", "int"):
        if value in allowed:
            return value
        raise InvalidInput(f"{name} is {value!r}; it should be one of {', '.join(map(str, allowed))}.")
    low, high, scale = allowed
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (is_number and low <= value <= high and (scale != "int" or value == int(value))):  # type: ignore[operator]
        raise InvalidInput(f"{name} is {value!r}; it should be a {'whole ' if scale == 'int' else ''}number from {low:g} to {high:g}.")
    return int(value) if scale == "int" else value


# ── scaling ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def standard(values: Numbers) -> tuple[float, float, float, float]:
    """Return winsor bounds (1 % and 99 %), median and standard deviation of a column; the last is 0 where nothing varies."""
    known = values[~np.isnan(values)]
    if not len(known):
        return 0.0, 0.0, 0.0, 0.0
    low, centre, high = np.quantile(known, [0.01, 0.5, 0.99])
    return float(low), float(high), float(centre), float(np.clip(known, low, high).std())


def _robust(values: Numbers) -> tuple[float, float]:
    """Return median and spread: the quartile range as a standard deviation, that itself where half the values are equal, or 1."""
    known = values[~np.isnan(values)]
    if not len(known):
        return 0.0, 1.0
    low, centre, high = np.quantile(known, [0.25, 0.5, 0.75])
    return float(centre), float((high - low) / 1.349 or known.std() or 1.0)
