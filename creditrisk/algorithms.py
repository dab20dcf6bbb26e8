"""What is learned from a lesson: each algorithm's fit, the settings that suit the size of the data, and what of them may be set.

Nobody may break two things. The same lesson gives the same bits. And a column that is bound keeps its sign, whatever the data say.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from creditrisk import woe
from creditrisk.errors import InvalidInput, NotInstalled
from creditrisk.estimators import Boosted, Column, Estimator, Forest, Light, Linear, Numbers, Scorecard, inverse_logit, logit
from creditrisk.index import index_of

Setting = float | int | str
Range = tuple[float, float, Literal["log", "linear", "int"]]  # lowest, highest, and how the way between them is measured
RIDGE = 10.0  # a prior on standardised weights of about N(0, 0.3²): worth two points of AUC with 100 bads, nothing with 3,000
DEEP_ROWS = 10_000  # fewer rows do not tell how columns act together from chance
MOST_ROUNDS, PATIENCE = 600, 30  # trees at most, and how many of them may pass without a gain on unseen rows
NO_SPREAD = 1e-9  # evidence that varies less is the same for everybody
SIDES = {-1: (None, 0.0), 0: (None, None), 1: (0.0, None)}


@dataclass(frozen=True)
class Lesson:
    """What an estimator learns from: the matrix, 0 or 1 per row, weights that add up to the rows they are worth, what the columns are, and
    what of the algorithm's own settings was asked for (see `chosen`)."""

    matrix: Numbers
    bad: Numbers
    weight: Numbers
    columns: tuple[Column, ...]
    seed: int
    parameters: Mapping[str, Setting] = field(default_factory=dict)

    def take(self, rows: NDArray[np.bool_]) -> "Lesson":
        """Return the lesson of some rows."""
        return replace(self, matrix=self.matrix[rows], bad=self.bad[rows], weight=self.weight[rows])

    def split_off(self) -> tuple["Lesson", "Lesson"]:
        """Return nine tenths of the rows to learn from, and a tenth to see on it how many trees are enough."""
        aside = np.random.default_rng(self.seed).random(len(self.bad)) < 0.1
        return self.take(~aside), self.take(aside)


def _fit_constant(lesson: Lesson) -> Linear:
    nothing = np.zeros(len(lesson.columns))
    return Linear(nothing, nothing, nothing, nothing + 1, nothing)


def _fit_index(lesson: Lesson) -> Linear:
    return index_of(lesson.matrix, lesson.columns)


def _fit_logistic(lesson: Lesson) -> Linear:
    """Fit ridge logistic regression whose weights keep the schema's signs, so that no reason points the wrong way."""
    low, high, centre, spread = np.array([standard(values) for values in lesson.matrix.T]).T
    unit = Linear(low, high, centre, np.where(spread > 0, spread, 1.0), np.zeros(len(spread)))
    z = np.ascontiguousarray(unit.z(lesson.matrix))
    weights, constant = _ridge(z, lesson, [SIDES[column.bound] for column in lesson.columns])
    return replace(unit, weights=weights, constant=constant)


def _ridge(z: Numbers, lesson: Lesson, sides: Sequence[tuple[float | None, float | None]]) -> tuple[Numbers, float]:
    """Return weights of standardised columns, each held to its side, and the constant of ridge logistic regression."""
    from scipy.optimize import minimize

    ridge, side = float(lesson.parameters.get("ridge", RIDGE)), 2 * lesson.bad - 1

    def loss(line: Numbers) -> tuple[float, Numbers]:
        weights, agreement = line[:-1], side * (z @ line[:-1] + line[-1])
        errors = -lesson.weight * side * inverse_logit(-agreement)
        value = lesson.weight @ np.logaddexp(0, -agreement) + ridge / 2 * (weights @ weights)
        return float(value), np.append(errors @ z + ridge * weights, errors.sum())

    start = np.append(np.zeros(z.shape[1]), logit(float(np.average(lesson.bad, weights=lesson.weight))))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[*sides, (None, None)], options={"maxiter": 500}).x
    return found[:-1], float(found[-1])


def _fit_scorecard(lesson: Lesson) -> Scorecard:
    """Fit a scorecard: bins for each feature, searched or as they were handed in, and how much the evidence of each counts.

    More evidence of good never counts as risk, so a weight is never negative and the bins' order is that of the points.
    """
    asked, names = lesson.parameters, list(dict.fromkeys(column.feature for column in lesson.columns))
    given = woe.read(asked["bins"]) if "bins" in asked else {}
    if strange := sorted(given.keys() - set(names)):
        raise InvalidInput(f"There are bins for {strange[0]!r}, which is no feature the model reads.")
    # Finer bins earn their room on many rows (Give Me Some Credit: AUC 0.848 with 6 bins of 5 %, 0.857 with 12 of 1 %).
    most, least = (6, 0.05) if _Size.of(lesson).is_small else (12, 0.01)
    limits: dict[str, Any] = {"most": int(asked.get("max_bins", most)), "least": float(asked.get("min_bin_size", least))}
    bins, positions = [], []
    for name in names:
        here = tuple(place for place, column in enumerate(lesson.columns) if column.feature == name)
        part, sign = lesson.matrix[:, here], lesson.columns[here[0]].bound
        choices = [choice for place in here if (choice := lesson.columns[place].choice) is not None]
        if name in given:
            made = woe.edited(name, choices, given[name])
        else:
            made = woe.found(name, choices, part, lesson.bad, lesson.weight, sign=sign, **limits)
        bins.append(made.weighed(part, lesson.bad, lesson.weight, sign))
        positions.append(here)
    plain = Scorecard(tuple(bins), tuple(positions), np.ones(len(bins)), 0.0)
    evidence = np.stack(
        [worth[made.places(lesson.matrix[:, here])] for made, here, worth in zip(bins, positions, plain.worth, strict=True)]
    )
    spread = evidence.std(axis=1)
    spread[spread < NO_SPREAD] = 1.0  # a constant's spread is a rounding error: divided by it, its evidence drowns all the others
    weights, constant = _ridge((evidence / spread[:, None]).T, lesson, [SIDES[1]] * len(bins))
    return replace(plain, weights=weights / spread, constant=constant)


@dataclass(frozen=True)
class _Size:
    """How much there is to learn from: little, enough for shallow trees, or enough for deep ones."""

    is_small: bool
    is_deep: bool

    @staticmethod
    def of(lesson: Lesson) -> "_Size":
        n, n_bad = len(lesson.bad), lesson.bad.sum()
        deep = n >= DEEP_ROWS and min(n_bad, n - n_bad) >= DEEP_ROWS / 10 and not any(column.bound for column in lesson.columns)
        return _Size(n < 2_000 or n_bad < 200, bool(deep))

    def pick(self, small: float, usual: float, deep: float) -> float:
        return small if self.is_small else deep if self.is_deep else usual

    @property
    def rounds(self) -> int:
        """Trees to fit; where they are deep at most, since how many are enough is seen on rows split off."""
        return int(self.pick(200, 300, MOST_ROUNDS))


def _fit_boosted(lesson: Lesson) -> Boosted:
    """Fit boosted trees: shallow ones, on few rows slower learning, larger leaves and fewer rounds; deeper ones where that is safe.

    Deeper trees earn their cost on many rows whose columns have no sign to keep: there they find how columns act together
    (credit_risk_dataset: AUC 0.935 at depth 3, 0.945 at depth 5), and how many are enough is seen on a tenth of the rows.
    Columns that keep a declared sign gained nothing by it, and exact contributions would take ten times as long.
    """
    from xgboost import DMatrix, train

    size = _Size.of(lesson)
    parameters: dict[str, Any] = {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "max_depth": size.pick(2, 3, 5),
        "learning_rate": size.pick(0.05, 0.08, 0.05),
        "min_child_weight": size.pick(2, 10, 5),
        "subsample": 0.8,
        "colsample_bytree": 0.6,
        "lambda": 5,
        "monotone_constraints": "(" + ",".join(str(column.bound) for column in lesson.columns) + ")",
        "seed": lesson.seed,
        "nthread": size.pick(1, 2, 2),
        "verbosity": 0,
    }
    parameters.update(lesson.parameters)
    rounds = int(parameters.pop("n_estimators", size.rounds))

    def table(part: Lesson) -> DMatrix:
        return DMatrix(part.matrix, label=part.bad, weight=part.weight, nthread=1)

    if size.is_deep:
        learned, unseen = lesson.split_off()
        booster = train(
            parameters,
            table(learned),
            num_boost_round=rounds,
            evals=[(table(unseen), "unseen")],
            early_stopping_rounds=PATIENCE,
            verbose_eval=False,
        )
        booster = booster[: booster.best_iteration + 1]
    else:
        booster = train(parameters, table(lesson), num_boost_round=rounds)
    booster.set_param({"nthread": 1})
    return Boosted(booster)


def _fit_light(lesson: Lesson) -> Light:
    """Fit LightGBM's trees, shaped by the size of the data as those of XGBoost are; the same rows give the same bits."""
    try:
        import lightgbm
    except OSError as error:
        raise NotInstalled(f"LightGBM does not start on this machine ({error}). Install OpenMP: apt-get install libgomp1.") from error

    size = _Size.of(lesson)
    parameters: dict[str, Any] = {
        "objective": "binary",
        "max_depth": size.pick(2, 3, 5),
        "num_leaves": size.pick(4, 8, 31),
        "learning_rate": size.pick(0.05, 0.08, 0.05),
        "min_data_in_leaf": size.pick(10, 20, 20),
        "min_sum_hessian_in_leaf": size.pick(2, 10, 5),
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "feature_fraction": 0.6,
        "lambda_l2": 5,
        "monotone_constraints": [column.bound for column in lesson.columns],
        "seed": lesson.seed,
        "deterministic": True,
        "force_row_wise": True,
        "feature_pre_filter": False,
        "num_threads": size.pick(1, 2, 2),
        "verbosity": -1,
    }
    parameters.update(lesson.parameters)
    rounds = int(parameters.pop("n_estimators", size.rounds))

    def table(part: Lesson) -> Any:
        return lightgbm.Dataset(part.matrix, part.bad, weight=part.weight, params=parameters)

    if size.is_deep:
        learned, unseen = lesson.split_off()
        stop = lightgbm.early_stopping(PATIENCE, verbose=False)
        found = lightgbm.train(parameters, table(learned), rounds, valid_sets=[table(unseen)], callbacks=[stop])
    else:
        found = lightgbm.train(parameters, table(lesson), rounds)
    # Read back from its text a booster holds the trees alone, and only those before no more were worth having.
    return Light(lightgbm.Booster(model_str=found.model_to_string(num_iteration=found.best_iteration)))


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
    forest.fit(fitted.seen(lesson.matrix), lesson.bad.astype(int), sample_weight=lesson.weight)
    forest.n_jobs = 1
    return fitted


FITS: Mapping[str, Callable[[Lesson], Estimator]] = {
    "xgboost": _fit_boosted,
    "lightgbm": _fit_light,
    "random_forest": _fit_forest,
    "logistic": _fit_logistic,
    "scorecard": _fit_scorecard,
    "risk_index": _fit_index,
    "constant": _fit_constant,
}
# What is worth tuning of each algorithm: a range, or the choices there are. A scorecard takes `bins` besides, which a person edited.
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
    "lightgbm": {
        "n_estimators": (50, 1_000, "int"),
        "max_depth": (1, 8, "int"),
        "num_leaves": (2, 127, "int"),
        "learning_rate": (0.01, 0.3, "log"),
        "min_data_in_leaf": (5, 500, "int"),
        "bagging_fraction": (0.5, 1, "linear"),
        "feature_fraction": (0.3, 1, "linear"),
        "lambda_l2": (0.1, 100, "log"),
    },
    "random_forest": {
        "n_estimators": (50, 500, "int"),
        "max_depth": (2, 8, "int"),
        "min_samples_leaf": (1, 200, "int"),
        "max_features": ("sqrt", "log2"),
    },
    "logistic": {"ridge": (0.01, 1_000, "log")},
    "scorecard": {"max_bins": (2, 12, "int"), "min_bin_size": (0.01, 0.2, "linear"), "ridge": (0.01, 1_000, "log")},
    "risk_index": {},
    "constant": {},
}


def chosen(algorithm: str, given: Mapping[str, Setting]) -> dict[str, Setting]:
    """Return the settings asked for, whole numbers as such; raises InvalidInput for one that does not exist or lies outside its range."""
    space = SPACE[algorithm]
    known = (*space, *(["bins"] if algorithm == "scorecard" else []))
    for name in given:
        if name not in known:
            raise InvalidInput(f"{algorithm} has no parameter {name!r}; it has {', '.join(known) or 'none'}.")
    return {name: _within(f"{name} of {algorithm}", value, space[name]) if name in space else value for name, value in given.items()}


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


def standard(values: Numbers) -> tuple[float, float, float, float]:
    """Return winsor bounds (1 % and 99 %), median and standard deviation of a column; the last is 0 where nothing varies."""
    known = values[~np.isnan(values)]
    if not len(known):
        return 0.0, 0.0, 0.0, 0.0
    low, centre, high = np.quantile(known, [0.01, 0.5, 0.99])
    return float(low), float(high), float(centre), float(np.clip(known, low, high).std())
