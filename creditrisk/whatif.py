"""What if a figure were another: the same model asked again, and the smallest change that would reach the next band.

Nothing is kept. Derived figures follow their parts, contradictions are refused. Guidance names only figures declared actionable, moves
them only in the direction that helps and within what other applicants show, and promises nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil, floor, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from creditrisk import formula, scorecard, scoring
from creditrisk.errors import InvalidInput, NothingYet
from creditrisk.estimators import inverse_logit
from creditrisk.pipeline import Pipeline
from creditrisk.schema import Feature, Schema, is_missing
from creditrisk.scoring import Model, Prediction
from creditrisk.settings import Score
from creditrisk.store import Store, quoted

Numbers = NDArray[np.float64]
SINGLE, PAIRED = 60, 14  # places tried at most of one figure, and of each of two
WAYS = 4  # shown
USUAL = (0.05, 0.95)  # what nine in ten applicants lie within


@dataclass(frozen=True)
class Extent:
    """What applicants show of a figure: the 5 and 95 % quantiles, and the mean distance from the median (1 where nobody differs)."""

    low: float
    high: float
    spread: float


@dataclass(frozen=True)
class Way:
    """One change that reaches the target: (feature, from, to) of one figure or two, how large it is, and the score it leads to.

    `effort` is the sum of the changes, each in mean distances of applicants from their median: smaller is nearer.
    """

    steps: tuple[tuple[str, float, float], ...]
    effort: float
    pd: float
    score: float


@dataclass(frozen=True)
class Guidance:
    """What would reach the next band, smallest change first; where nothing is said, `why_not` says why in a sentence."""

    band: scorecard.Band | None
    ways: tuple[Way, ...] = ()
    why_not: str = ""


@dataclass(frozen=True)
class Question:
    """Whose figures should reach which score, by which model, and what other applicants show."""

    pipeline: Pipeline
    schema: Schema
    inputs: Mapping[str, Any]
    target: float
    scale: Score
    extents: Mapping[str, Extent]

    def free(self) -> dict[str, Feature]:
        """Return the features that may be moved: actionable, read by the model, known of this applicant."""
        read = set(self.pipeline.names) & set(self.extents)
        return {f.name: f for f in self.schema if f.actionable and f.name in read and not is_missing(self.inputs.get(f.name))}

    def places(self, feature: Feature, most: int) -> Numbers:
        """Return the values a figure may be moved to, nearest first: round steps towards less risk, `most` at most.

        They end where the declaration, nine in ten applicants, or the applicant's other figures end: never less than a scored
        part of it, never more than its whole.
        """
        value, extent = float(self.inputs[feature.name]), self.extents[feature.name]
        within = [self._known(part.name) for part in self.schema.predictors if feature.name in part.at_most]
        scored = {part.name for part in self.schema.predictors}
        wholes = [self._known(whole) for whole in feature.at_most if whole in scored]
        low = np.nanmax([extent.low, *within, -np.inf if feature.low is None else feature.low])
        high = np.nanmin([extent.high, *wholes, np.inf if feature.high is None else feature.high])
        span = value - low if feature.risk > 0 else high - value
        if not span > 0:
            return np.zeros(0)
        step = _step(feature, span, most)
        if feature.risk > 0:
            steps = np.arange(ceil(value / step - 1e-9) - 1, ceil(low / step - 1e-9) - 1, -1)
        else:
            steps = np.arange(floor(value / step + 1e-9) + 1, floor(high / step + 1e-9) + 1)
        return np.asarray(steps * step, dtype=np.float64).round(10)

    def frame(self, n: int) -> dict[str, Any]:
        """Return the applicant `n` times over: the figures the model reads and those they are computed of, by column."""
        read = self.pipeline.names
        wanted = {name for feature in self.schema if feature.name in read for name in (feature.name, *parts(feature))}
        given = {feature: self.inputs[feature.name] for feature in self.schema if feature.name in wanted}
        return {f.name: np.full(n, _number(value)) if f.is_numeric else [value] * n for f, value in given.items()}

    def _known(self, name: str) -> float:
        return _number(self.inputs.get(name))


def extents(store: Store) -> dict[str, Extent]:
    """Return what the newest applicants show of every actionable figure; raises NothingYet without features."""
    names = [feature.name for feature in store.schema if feature.actionable]
    if not names:
        return {}
    parts = [f"quantile_cont({quoted(name)}, [{USUAL[0]}, {USUAL[1]}]), mad({quoted(name)}), stddev_pop({quoted(name)})" for name in names]
    found = store.rows(
        f"""select {", ".join(parts)} from applicant
        where snapshot_id = (select max(snapshot_id) from snapshot where days_before = 0 and is_whole)"""
    )[0]
    if found[0] is None:
        raise NothingYet("There are no features yet, so nothing says what is usual: compute features first.")
    made = {}
    for place, name in enumerate(names):
        ends, near, far = found[3 * place : 3 * place + 3]
        if ends is not None and ends[0] is not None:
            made[name] = Extent(float(ends[0]), float(ends[1]), float(near or far or 1.0))
    return made


def changed(schema: Schema, inputs: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures with some of them changed and the derived ones computed again.

    Raises InvalidInput for a figure that is computed of others, for a value outside its bounds, and for a contradiction that was not
    there before.
    """
    values = {**inputs, **changes}
    for name, value in changes.items():
        feature = schema[name]
        if feature.formula:
            raise InvalidInput(f"{feature.title} is computed of other figures ({feature.formula}): change those.")
        if wrong := feature.problem(value):
            raise InvalidInput(f"{feature.title} {wrong}.")
    columns = {feature.name: [_number(values.get(feature.name))] for feature in schema if feature.is_numeric}
    for feature in schema:
        if feature.formula and set(formula.parts(feature.formula)) & set(changes):
            made = float(formula.value(feature.formula, columns)[0])
            values[feature.name] = None if made != made else made  # noqa: PLR0124  (NaN: it has no value)
    before = set(contradictions(schema, inputs))
    if new := [sentence for sentence in contradictions(schema, values) if sentence not in before]:
        raise InvalidInput(new[0])
    return values


def contradictions(schema: Schema, values: Mapping[str, Any]) -> list[str]:
    """Return what cannot be true together of the figures that are scored, a sentence each: a part that is more than its whole."""
    known = {feature.name: feature for feature in schema.predictors if not is_missing(values.get(feature.name))}
    return [
        f"{part.title} ({part.say(values[part.name], 2)}) cannot be more than {known[whole].title} "
        f"({known[whole].say(values[whole], 2)}): change both."
        for part in known.values()
        for whole in part.at_most
        if whole in known and values[part.name] > values[whole] + 1e-9
    ]


def score(store: Store, prediction: Prediction, changes: Mapping[str, Any], *, using: Model, user: str) -> Prediction:
    """Return what the model says of a prediction's figures with some of them changed, under today's scale and policy; nothing is kept."""
    values, baseline = changed(store.schema, prediction.inputs, changes), prediction.baseline
    return scoring.score_values(store, [values], user=user, channel="what-if", baseline=baseline, keep=False, using=using)[0]


def guidance(store: Store, prediction: Prediction, pipeline: Pipeline) -> Guidance:
    """Return what would lift a prediction into the next band by its own model and scale; guidance, never a promise."""
    band = next_band(prediction.score)
    if not prediction.is_sure:
        return Guidance(band, why_not="There is too little history to guide anybody by.")
    if band is None:
        return Guidance(band, why_not="This is the best band.")
    if not any(feature.actionable for feature in store.schema):
        return Guidance(band, why_not="The schema declares no figure that people can influence (actionable): there is nothing to guide by.")
    try:
        asked = question(store, prediction, pipeline, extents(store))
    except NothingYet as missing:
        return Guidance(band, why_not=str(missing))
    if found := ways(asked) if asked else []:
        return Guidance(band, tuple(found))
    said = f"No change of one or two figures that people can influence would reach {band.name} ({band.low:.0f} points)."
    return Guidance(band, why_not=said)


def question(store: Store, prediction: Prediction, pipeline: Pipeline, usual: Mapping[str, Extent]) -> Question | None:
    """Return what it would take a prediction to reach the next band by its own model and scale; None in the best band.

    `usual` are the `extents` of the workspace.
    """
    band = next_band(prediction.score)
    scale = Score(**prediction.scale)
    return band and Question(pipeline, store.schema, prediction.inputs, band.low, scale, usual)


def next_band(points: float) -> scorecard.Band | None:
    """Return the band above the one a score lies in, or None for the best.

    >>> next_band(612.3).name, next_band(800)
    ('Good', None)
    """
    return next((band for band in scorecard.BANDS if band.low > points), None)


def ways(question: Question) -> list[Way]:
    """Return the smallest changes that reach the target, smallest first; none where nothing tried reaches it.

    Every place of every single figure is tried, then of every pair of figures, kept where it reaches the target by less than any single
    one; the search assumes nothing of the model.
    """
    free = question.free()
    one = {name: question.places(feature, SINGLE) for name, feature in free.items()}
    singles = _reached(question, [{name: values} for name, values in one.items() if len(values)])
    two = {name: question.places(feature, PAIRED) for name, feature in free.items()}
    grids = []
    for first, second in combinations([name for name, values in two.items() if len(values)], 2):
        if first in free[second].at_most or second in free[first].at_most:
            continue  # they bound each other: what one may be depends on the other
        both = np.meshgrid(two[first], two[second], indexing="ij")
        grids.append({first: both[0].ravel(), second: both[1].ravel()})
    least = min((way.effort for way in singles), default=np.inf)
    pairs = [way for way in _reached(question, grids) if way.effort < least]
    most = max(1, WAYS - len(singles))
    return sorted(singles[: WAYS - min(most, len(pairs))] + pairs[:most], key=lambda way: way.effort)


def _reached(question: Question, grids: Sequence[Mapping[str, Numbers]]) -> list[Way]:
    """Return for each grid of changes the smallest that reaches the target, where one does; smallest first."""
    if not grids:
        return []
    sizes = [len(next(iter(grid.values()))) for grid in grids]
    frame, effort = question.frame(sum(sizes)), np.zeros(sum(sizes))
    begin = np.concatenate([[0], np.cumsum(sizes)])[:-1].tolist()
    for at, grid in zip(begin, grids, strict=True):
        for name, values in grid.items():
            frame[name][at : at + len(values)] = values
            effort[at : at + len(values)] += np.abs(values - float(question.inputs[name])) / question.extents[name].spread
    _derive(question.schema, frame, {name for grid in grids for name in grid})
    chances = inverse_logit(question.pipeline.margin(DataFrame(frame)))
    points = np.asarray(scorecard.score(chances, question.scale))
    found = []
    for at, size, grid in zip(begin, sizes, grids, strict=True):
        good = np.flatnonzero(points[at : at + size] >= question.target)
        if len(good):
            best = int(good[effort[at : at + size][good].argmin()])
            steps = tuple((name, float(question.inputs[name]), float(values[best])) for name, values in grid.items())
            found.append(Way(steps, float(effort[at + best]), float(chances[at + best]), float(points[at + best])))
    return sorted(found, key=lambda way: way.effort)


def _derive(schema: Schema, frame: dict[str, Any], moved: set[str]) -> None:
    for feature in schema:
        if feature.name in frame and set(parts(feature)) & moved:
            frame[feature.name] = formula.value(feature.formula, frame)


def parts(feature: Feature) -> tuple[str, ...]:
    """Return the features that one is computed of; none where it is not computed."""
    return formula.parts(feature.formula) if feature.formula else ()


def _step(feature: Feature, span: float, most: int) -> float:
    """Return a round step (1, 2 or 5 times a power of ten; whole where the figure is) that parts a span into at most `most`."""
    least = 1.0 if feature.type in ("integer", "flag") else 0.01 if feature.unit == "share" else 10.0 ** floor(log10(span / most))
    wanted = max(span / most, least)
    power = 10.0 ** floor(log10(wanted) + 1e-9)
    return next(times * power for times in (1, 2, 5, 10) if times * power >= wanted * (1 - 1e-9))


def _number(value: Any) -> float:
    return float("nan") if is_missing(value) or isinstance(value, str) else float(value)
