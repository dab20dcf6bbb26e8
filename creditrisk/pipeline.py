"""The fitted model: from a raw applicant through an estimator to calibrated log-odds of default, and back to what each feature added.

Nobody may break two things. The same row alone or in a batch, in any row or column order, gives the same bits. And
contributions plus base are the margin, because calibration is affine in what the estimator says: margin = slope * raw + intercept.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pandas import DataFrame

from creditrisk import split
from creditrisk.algorithms import FITS, Lesson, Setting, chosen
from creditrisk.balance import BALANCES, Balance, balanced
from creditrisk.design import Table, columns_of, encode, typical
from creditrisk.errors import InvalidInput, NotEnoughData, SchemaMismatch
from creditrisk.estimators import Column, Estimator, Numbers, checked, inverse_logit, logit
from creditrisk.schema import Feature, Schema
from creditrisk.settings import Policy, Training

Progress = Callable[[float, str], None]
REFERENCE_ROWS = 1_000  # a reference group is explained on at most so many of its rows


@dataclass(frozen=True)
class Fitting:
    """How to fit: the seed of everything random, the folds behind the calibration, the PD that parts yes from no.

    `parameters` override the algorithm's own settings (`algorithms.SPACE` says which there are); none means those that suit the
    size of the data. `balance` makes the classes weigh the same while fitting, by weights or by invented rows (see `balance`).
    """

    seed: int = Training.seed
    folds: int = Training.folds
    cutoff: float = Policy.margin / (Policy.margin + Policy.lgd)
    parameters: Mapping[str, Setting] = field(default_factory=dict)
    balance: Balance = "none"

    def __post_init__(self) -> None:
        if self.balance not in BALANCES:
            raise InvalidInput(f"Classes are balanced by {', '.join(BALANCES[1:])} or not at all (none), not by {self.balance!r}.")


AS_USUAL = Fitting()


@dataclass(frozen=True)
class Reference:
    """A group to compare with: its size, mean contribution per feature (log-odds) and typical value.

    Typical is the median, the mean where the median is 0, and the most frequent of choices.
    """

    n: int
    contribution: dict[str, float]
    value: dict[str, float | str]


@dataclass(frozen=True)
class Pipeline:
    """A fitted model with everything it needs to read a raw applicant. Columns are looked up by name, others ignored."""

    algorithm: str
    fingerprint: str
    features: tuple[Feature, ...]
    columns: tuple[Column, ...]
    estimator: Estimator
    slope: float
    intercept: float
    n: int
    n_bad: int
    config: Fitting
    references: dict[str, Reference] = field(default_factory=dict)
    importance: dict[str, float] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The features it reads, in declared order."""
        return [feature.name for feature in self.features]

    def expect(self, schema: Schema) -> None:
        """Raise SchemaMismatch unless `schema` is the one this was fitted for."""
        if schema.fingerprint != self.fingerprint:
            raise SchemaMismatch(
                f"This model was fitted for another schema (fingerprint {self.fingerprint}); "
                f"the workspace has {schema.name} ({schema.fingerprint}). Train a new model."
            )

    def margin(self, frame: DataFrame) -> Numbers:
        """Return calibrated log-odds of default, one per row."""
        return self._margin(self._encoded(frame))

    def prob_default(self, frame: DataFrame) -> Numbers:
        """Return the calibrated probability of default, one per row."""
        return inverse_logit(self.margin(frame))

    def contributions(self, frame: DataFrame) -> tuple[DataFrame, float]:
        """Return what each feature adds to the margin (log-odds; one column per feature, the frame's index) and the base."""
        added, base = self._contributions(self._encoded(frame))
        return DataFrame(added, columns=self.names, index=frame.index), base

    def split(self, table: Table) -> tuple[Numbers, Numbers, float]:
        """Return margins, contributions (rows × features in declared order) and base, having read the table once."""
        matrix = self._encoded(table)
        return self._margin(matrix), *self._contributions(matrix)

    def _encoded(self, table: Table) -> Numbers:
        return encode(table, self.features, self.columns)

    def _margin(self, matrix: Numbers) -> Numbers:
        return self.slope * self.estimator.raw(matrix) + self.intercept

    def _contributions(self, matrix: Numbers) -> tuple[Numbers, float]:
        parts, base = self.estimator.parts(matrix)
        parts *= self.slope
        added = parts
        if len(self.columns) > len(self.features):  # choices: what their columns add is the feature's
            place = {name: number for number, name in enumerate(self.names)}
            added = np.zeros((len(matrix), len(place)), order="F")
            for position, column in enumerate(self.columns):
                added[:, place[column.feature]] += parts[:, position]
        return added, self.slope * base + self.intercept


@dataclass(frozen=True)
class Validated:
    """A pipeline, and what fits that had not seen them made of the rows it learned from.

    `fold` says in which part each row was held out (-1: in none), `margin` are its calibrated log-odds then (NaN: never held out).
    """

    pipeline: Pipeline
    margin: Numbers
    fold: NDArray[np.intp]


def fit(
    algorithm: str,
    frame: DataFrame,
    bad: ArrayLike,
    weight: ArrayLike | None,
    schema: Schema,
    *,
    config: Fitting = AS_USUAL,
    progress: Progress = lambda _share, _what: None,
) -> Pipeline:
    """Fit, calibrate on rows the fit has not seen, and describe the reference groups.

    `bad` is 0 or 1 per row, `weight` any non-negative number (only their proportions matter). `progress` is told the
    share done and what is being done. Raises NotEnoughData with fewer than two rows of a class, InvalidInput for
    labels, weights or values that are none, SchemaMismatch for a predictor without a column.
    """
    return validate(algorithm, frame, bad, weight, schema, config=config, progress=progress).pipeline


def validate(
    algorithm: str,
    frame: DataFrame,
    bad: ArrayLike,
    weight: ArrayLike | None,
    schema: Schema,
    *,
    config: Fitting = AS_USUAL,
    features: Sequence[str] | None = None,
    fold: NDArray[np.intp] | None = None,
    progress: Progress = lambda _share, _what: None,
) -> Validated:
    """Fit as `fit` does, and return what was foreseen of the rows while they were held out.

    `features` are the predictors to read (None: all). `fold` is the part each row is held out in, -1 for rows that are only
    learned from; None parts the rows at random. With one part only, the fit on the other rows is the model.
    """
    lesson, known = teach(algorithm, frame, bad, weight, schema, config=config, features=features)
    parts = split.folds(lesson.bad, config.folds, lesson.seed) if fold is None else fold
    estimator, raw = _fit_and_hold_out(algorithm, lesson, parts, config.balance, progress)
    seen = parts >= 0
    slope, intercept = _platt(raw[seen], lesson.bad[seen], lesson.weight[seen])
    n_bad = int(lesson.bad.sum())
    pipeline = Pipeline(
        algorithm, schema.fingerprint, known, lesson.columns, checked(estimator, lesson.matrix), slope, intercept, len(frame), n_bad, config
    )
    progress(0.9, "describing the reference groups")
    return Validated(_with_references(pipeline, frame), slope * raw + intercept, parts)


def teach(
    algorithm: str,
    frame: DataFrame,
    bad: ArrayLike,
    weight: ArrayLike | None,
    schema: Schema,
    *,
    config: Fitting = AS_USUAL,
    features: Sequence[str] | None = None,
) -> tuple[Lesson, tuple[Feature, ...]]:
    """Return what an algorithm learns from a frame, and the features it reads; raises as `fit` does."""
    if algorithm not in FITS:
        raise InvalidInput(f"There is no algorithm {algorithm!r}; there are {', '.join(FITS)}.")
    known = tuple(feature for feature in schema.predictors if features is None or feature.name in features)
    labels, weights = _labels(bad, len(frame)), _weights(weight, len(frame))
    columns = columns_of(frame, known)
    matrix = encode(frame, known, columns)
    return Lesson(matrix, labels, weights, columns, config.seed, chosen(algorithm, config.parameters)), known


def held_out(algorithm: str, lesson: Lesson, fold: NDArray[np.intp], balance: Balance, progress: Progress) -> Numbers:
    """Return the raw output for each row of a fit that had not seen its fold; NaN for rows in none (fold -1).

    Balancing touches the rows of a fit only. The log-odds by which it lifts every row (logit of the share trained on less that of
    the true share) are a constant, and the calibration, whose rows were left as they are, takes it off again with its intercept.
    """
    raw, count = np.full(len(fold), np.nan), int(fold.max()) + 1
    for number in range(count):
        progress(number / count, f"fitting {algorithm}, fold {number + 1} of {count}")
        out = fold == number
        raw[out] = FITS[algorithm](balanced(lesson.take(~out), balance)).raw(lesson.matrix[out])
    return raw


# ── fitting ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _fit_and_hold_out(
    algorithm: str, lesson: Lesson, fold: NDArray[np.intp], balance: Balance, progress: Progress
) -> tuple[Estimator, Numbers]:
    """Return the estimator, and the raw output of fits for the rows they had not seen (NaN elsewhere): what a calibration needs."""
    count = int(fold.max()) + 1
    if count == 1:
        out, raw = fold == 0, np.full(len(fold), np.nan)
        progress(0.1, f"fitting {algorithm} on {len(fold) - out.sum():,} applicants")
        estimator = FITS[algorithm](balanced(lesson.take(~out), balance))
        raw[out] = estimator.raw(lesson.matrix[out])
        return estimator, raw
    share = 0.8 / (count + 1)
    raw = held_out(algorithm, lesson, fold, balance, lambda done, what: progress(share * count * done, what))
    progress(share * count, f"fitting {algorithm} on all {len(fold):,} applicants")
    return FITS[algorithm](balanced(lesson, balance)), raw


def _platt(raw: Numbers, bad: Numbers, weight: Numbers) -> tuple[float, float]:
    """Return slope and intercept of log-odds in the raw output (Platt 1999, with his smoothed targets); the slope is positive.

    Where the raw output ranks the wrong way round, the slope ends at almost nothing: the honest answer is the base rate.
    """
    from scipy.optimize import minimize

    n_bad = float(weight @ bad)
    target = np.where(bad == 1, (n_bad + 1) / (n_bad + 2), 1 / (weight.sum() - n_bad + 2))
    start = logit(float(np.average(target, weights=weight)))
    centre, spread = float(np.average(raw, weights=weight)), float(raw.std())
    if spread < 1e-12:
        return 1.0, start - centre
    z = (raw - centre) / spread

    def loss(line: Numbers) -> tuple[float, Numbers]:
        margin = line[0] * z + line[1]
        errors = weight * (inverse_logit(margin) - target)
        return float(weight @ (np.logaddexp(0, margin) - target * margin)), np.array([errors @ z, errors.sum()])

    slope, level = minimize(loss, np.array([1.0, start]), jac=True, method="L-BFGS-B", bounds=[(1e-3, None), (None, None)]).x
    return float(slope / spread), float(level - slope * centre / spread)


def _with_references(pipeline: Pipeline, frame: DataFrame) -> Pipeline:
    """Return the pipeline knowing everyone, and those nearest the cut-off: 20 % of the rows, at least 30."""
    distance = np.abs(pipeline.margin(frame) - logit(min(max(pipeline.config.cutoff, 1e-6), 1 - 1e-6)))
    near = np.argsort(distance, kind="stable")[: max(30, round(0.2 * len(frame)))]
    groups = {"everyone": np.arange(len(frame)), "cut-off": np.sort(near)}
    references, importance = {}, {}
    for name, rows in groups.items():
        contributions, _ = pipeline.contributions(frame.iloc[_sample(rows, pipeline.config.seed)])
        mean = {feature: float(contributions[feature].mean()) for feature in pipeline.names}
        references[name] = Reference(len(rows), mean, typical(frame.iloc[rows], pipeline.features))
        if name == "everyone":
            importance = {feature: float((contributions[feature] - mean[feature]).abs().mean()) for feature in pipeline.names}
    return replace(pipeline, references=references, importance=importance)


def _sample(rows: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
    if len(rows) <= REFERENCE_ROWS:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, REFERENCE_ROWS, replace=False))


# ── reading values ──────────────────────────────────────────────────────────────────────────────────────────────────


def _labels(bad: ArrayLike, n: int) -> Numbers:
    labels = np.asarray(bad, dtype=np.float64)
    if labels.shape != (n,):
        raise InvalidInput(f"There are {labels.size} labels for {n} applicants.")
    if not np.isin(labels, (0, 1)).all():
        raise InvalidInput("A label must be 0 (good) or 1 (bad); leave out applicants whose label is not known.")
    n_bad = int(labels.sum())
    if min(n_bad, n - n_bad) < 2:
        raise NotEnoughData(
            f"Learning needs at least 2 bad and 2 good applicants; there are {n_bad} bad and {n - n_bad} good. "
            "Add applicants or choose another label set."
        )
    return labels


def _weights(weight: ArrayLike | None, n: int) -> Numbers:
    """Return weights that add up to the number of equal rows which would tell as much (Kish 1965): (Σw)² / Σw².

    Rows that hardly count must not make the others count for many: thousands of faint proxies beside forty verified labels are some
    fifty rows, and what holds a fit back (a ridge, a leaf's least weight, Platt's smoothing) has to know that.
    """
    weights: Numbers = np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64)
    if weights.shape != (n,) or not np.isfinite(weights).all() or (weights < 0).any() or not weights.sum():
        raise InvalidInput(f"Weights must be {n} numbers, none negative and not all zero.")
    return weights * float(weights.sum() / (weights @ weights))
