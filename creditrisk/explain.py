"""Why a prediction is what it is: contributions against a baseline, and the few principal reasons in plain words.

Contributions plus base are the margin, whatever the baseline. A reason is a scored feature's, points towards risk,
carries the applicant's value and a reference value, and never shows a column's name.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, isna

from creditrisk.design import Table
from creditrisk.errors import InvalidInput
from creditrisk.estimators import Numbers, Scorecard
from creditrisk.pipeline import Pipeline, Reference
from creditrisk.schema import Feature, Schema, is_missing
from creditrisk.scorecard import offset, points
from creditrisk.settings import Score

MOST_REASONS = 4
LEAST = 0.01  # log-odds: less than a point of score, and what rounding leaves of nothing, is no reason
CACHED = 2_048  # rows ranked at once, so that what they are ranked in stays in the processor's cache
AS_DECLARED = Score()
STEP = ["feature", "title", "value", "reference", "contribution", "points"]
Speaker = Callable[[Mapping[str, Any], str, float], dict[str, Any] | None]
Teller = Callable[[Mapping[str, Any], Sequence[str], Sequence[float]], list[dict[str, Any]]]


@dataclass(frozen=True)
class Explanation:
    """Margins (log-odds) of a table's rows, and each feature's contribution (rows × `names`) against one reference group."""

    margin: Numbers
    base: float
    names: list[str]
    contributions: Numbers
    baseline: str
    reference: Reference

    def records(self) -> list[dict[str, float]]:
        """Return one dictionary of contributions per row."""
        return [dict(zip(self.names, row, strict=True)) for row in self.contributions.tolist()]


@dataclass(frozen=True)
class Top:
    """The strongest concepts of each row, strongest first: rows × at most `top`; amounts beyond the last are 0."""

    concepts: NDArray[np.object_]
    features: NDArray[np.object_]
    amounts: Numbers


def explain(pipeline: Pipeline, table: Table, schema: Schema, baseline: str = "cut-off") -> Explanation:
    """Return margins and contributions of each row against the mean of a reference group.

    Raises SchemaMismatch for a model of another schema, InvalidInput for an unknown baseline.
    """
    pipeline.expect(schema)
    if baseline not in pipeline.references:
        raise InvalidInput(f"There is no baseline {baseline!r}; there are {', '.join(sorted(pipeline.references))}.")
    reference = pipeline.references[baseline]
    margin, contributions, base = pipeline.split(table)
    names = pipeline.names
    shift = np.array([reference.contribution[name] for name in names])
    contributions -= shift
    return Explanation(margin, base + float(shift.sum()), names, contributions, baseline, reference)


def top_concepts(contributions: Numbers, names: Sequence[str], schema: Schema, top: int = MOST_REASONS, *, towards: int = 1) -> Top:
    """Return each row's strongest concepts towards risk (`towards` = 1) or away from it (-1), with the feature that drives each.

    `contributions` has a column for each of `names`. Features of one concept are summed first; only sums in the asked direction
    count; ties keep declared order.
    """
    return _top(contributions, [schema[name] for name in names], top, towards, None)


def principal(frame: DataFrame, explanation: Explanation, schema: Schema, top: int = MOST_REASONS) -> Top:
    """Return which features are each row's principal reasons, and how much of one each is: those that `all_reasons` puts into words.

    A place without a reason has None for a feature and 0 for an amount.
    """
    features = [schema[name] for name in explanation.names]
    worse = np.stack([_all_lie(feature, frame[feature.name], explanation.reference.value.get(feature.name)) for feature in features])
    best = _top(explanation.contributions, features, top, 1, worse)
    too_little = best.amounts < LEAST
    for part, nothing in ((best.concepts, None), (best.features, None), (best.amounts, 0.0)):
        part[too_little] = nothing
    return best


def teller(schema: Schema, reference: Mapping[str, Any], *, scale: Score = AS_DECLARED) -> Teller:
    """Return the function that puts reasons into words that `principal` found in a row: its values, their features and amounts."""
    speak = _speaker(schema, reference, scale, 1)

    def tell(values: Mapping[str, Any], names: Sequence[str], amounts: Sequence[float]) -> list[dict[str, Any]]:
        return [spoken for name, amount in zip(names, amounts, strict=True) if (spoken := speak(values, name, amount))]

    return tell


def _top(contributions: Numbers, features: Sequence[Feature], top: int, towards: int, counts: NDArray[np.bool_] | None) -> Top:
    """Return each row's strongest concepts; with `counts` (features × rows) only those whose driver counts in that row."""
    members: dict[str, list[int]] = {concept_of(feature): [] for feature in features}
    for number, feature in enumerate(features):
        if feature.role == "predictor":
            members[concept_of(feature)].append(number)
    amounts = contributions.T
    n, top = amounts.shape[1], min(top, len(members))
    order, driver, found = np.empty((n, top), np.intp), np.empty((n, top), np.intp), np.empty((n, top))
    for at in range(0, n, CACHED):
        part = slice(at, at + CACHED)
        here = amounts[:, part] if towards > 0 else -amounts[:, part]
        sums, drivers = _summed(here, list(members.values()))
        if counts is not None:
            sums[~np.take_along_axis(counts[:, part], drivers, axis=0)] = -np.inf
        order[part], found[part] = _strongest(np.ascontiguousarray(sums.T), top)
        driver[part] = np.take_along_axis(drivers, order[part].T, axis=0).T
    told = np.array([feature.name if feature.role == "predictor" else None for feature in features], dtype=np.object_)
    return Top(np.array(list(members), dtype=np.object_)[order], told[driver], np.maximum(found, 0.0))


def _summed(amounts: Numbers, members: Sequence[Sequence[int]]) -> tuple[Numbers, NDArray[np.intp]]:
    """Return what the members of each concept add up to, and the strongest of them (concepts × columns of `amounts`)."""
    shape = len(members), amounts.shape[1]
    sums, drivers = np.zeros(shape), np.zeros(shape, dtype=np.intp)
    for total, driver, own in zip(sums, drivers, members, strict=True):
        for member in own[:1]:
            np.copyto(total, amounts[member])
            driver.fill(member)
        best = total.copy() if own[1:] else total
        for member in own[1:]:
            np.add(total, amounts[member], out=total)
            np.copyto(driver, member, where=amounts[member] > best)
            np.maximum(best, amounts[member], out=best)
    return sums, drivers


def _strongest(sums: Numbers, top: int) -> tuple[NDArray[np.intp], Numbers]:
    """Return the places of the largest numbers of each row, largest first and of equals the first, and the numbers (rows × top).

    Where few are asked for, each is found and struck out, so that `sums` does not outlive it.
    """
    if 3 * top > sums.shape[1]:
        order = np.argsort(-sums, axis=1, kind="stable")[:, :top]
        return order, np.take_along_axis(sums, order, axis=1)
    order, found = np.empty((len(sums), top), dtype=np.intp), np.empty((len(sums), top))
    rows = np.arange(len(sums))
    for rank in range(top):
        best = sums.argmax(axis=1)
        order[:, rank], found[:, rank] = best, sums[rows, best]
        sums[rows, best] = -np.inf
    return order, found


def card(pipeline: Pipeline, scale: Score = AS_DECLARED) -> DataFrame:
    """Return a scorecard's bins: feature, title, bin, count (the weights it was fitted with), share_bad among them, woe, points.

    The points of an applicant's bins add up to the score before it is held within the axis; on the linear scale bins have none.
    Raises InvalidInput for a model that has no bins.
    """
    fitted = pipeline.estimator
    if not isinstance(fitted, Scorecard):
        raise InvalidInput(f"The model is a {pipeline.algorithm.replace('_', ' ')}; only a scorecard has bins with points.")
    base = offset(scale) + points(pipeline.slope * fitted.constant + pipeline.intercept, scale)
    titles = {feature.name: feature.title for feature in pipeline.features}
    rows = []
    for bins, worth in zip(fitted.bins, fitted.worth, strict=True):
        gained = points(pipeline.slope * worth, scale) + base / len(fitted.bins)
        facts = zip(bins.names, bins.count, bins.share_bad, bins.woe, gained.tolist(), strict=True)
        rows += [(bins.feature, titles[bins.feature], *fact) for fact in facts]
    return DataFrame(rows, columns=["feature", "title", "bin", "count", "share_bad", "woe", "points"])


def reasons(
    values: Mapping[str, Any],
    contributions: Mapping[str, float],
    schema: Schema,
    reference: Mapping[str, Any],
    top: int = MOST_REASONS,
    *,
    scale: Score = AS_DECLARED,
) -> list[dict[str, Any]]:
    """Return the principal reasons of one row, at most `top`: code, text, feature, concept, contribution, points.

    Only what raises the risk by about a point or more counts, and only where the value is worse than the reference or not known: a
    reason has to be one to a reader too. `points` is what it takes off the score (None on the linear scale).
    """
    best = top_concepts(*_one(contributions), schema, len(contributions))
    return _said([values], best, _speaker(schema, reference, scale, 1), top)[0]


def strengths(
    values: Mapping[str, Any],
    contributions: Mapping[str, float],
    schema: Schema,
    reference: Mapping[str, Any],
    top: int = MOST_REASONS,
    *,
    scale: Score = AS_DECLARED,
) -> list[dict[str, Any]]:
    """Return what speaks for the applicant, with the same keys as `reasons`; points are gained.

    Only values better than the reference count; what is not known speaks for nobody.
    """
    best = top_concepts(*_one(contributions), schema, len(contributions), towards=-1)
    return _said([values], best, _speaker(schema, reference, scale, -1), top)[0]


def records(table: Table, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the columns of those names, row by row, as dictionaries of plain values, None where there is none."""
    rows: Iterable[Sequence[Any]]
    if isinstance(table, DataFrame):
        rows = table[list(names)].to_numpy(dtype=object).tolist()
    else:
        rows = zip(*(table[name].tolist() for name in names), strict=True)
    return [dict(zip(names, [None if is_missing(value) else value for value in row], strict=True)) for row in rows]


def all_reasons(
    rows: Sequence[Mapping[str, Any]], explanation: Explanation, schema: Schema, top: int = MOST_REASONS, *, scale: Score = AS_DECLARED
) -> list[list[dict[str, Any]]]:
    """Return the reasons of every row of an explained frame (its `records`), in its order; the same as `reasons` row by row."""
    best = top_concepts(explanation.contributions, explanation.names, schema, len(explanation.names))
    return _said(rows, best, _speaker(schema, explanation.reference.value, scale, 1), top)


def steps(
    values: Mapping[str, Any],
    contributions: Mapping[str, float],
    schema: Schema,
    reference: Mapping[str, Any],
    top: int = 9,
    *,
    scale: Score = AS_DECLARED,
) -> DataFrame:
    """Return the steps from a reference to one row, strongest first, the features after the first `top` as one last step.

    Columns: feature ("" for the rest), title, value and reference in words, contribution (log-odds), points (NaN on the
    linear scale).
    """
    ranked = sorted(contributions.items(), key=lambda item: -abs(item[1]))
    made: list[tuple[str, str, str, str, float]] = []
    for name, added in ranked[:top]:
        feature = schema[name]
        made.append((name, feature.title, *feature.contrast(_plain(values[name]), _plain(reference.get(name))), added))
    if ranked[top:]:
        made.append(
            ("", f"{len(ranked[top:])} other figure{'s' if ranked[top + 1 :] else ''}", "", "", sum(added for _, added in ranked[top:]))
        )
    return DataFrame([(*step, points(step[4], scale)) for step in made], columns=STEP)


def _one(contributions: Mapping[str, float]) -> tuple[Numbers, list[str]]:
    return np.array([list(contributions.values())], dtype=np.float64), list(contributions)


def concept_of(feature: Feature) -> str:
    """Return the concept a feature belongs to; one without is its own."""
    return feature.concept or feature.name


def code_of(feature: Feature) -> str:
    """Return the stable reason code: 'R-OVERDRAWN'."""
    return "R-" + concept_of(feature).upper().replace("_", "-")


def wording(feature: Feature, value: Any, reference: Any) -> str:
    """Return a reason in words: the declared sentence where there is one, else plainly both values."""
    if isna(value):
        return f"{feature.title} is not known{': too little history' if feature.window_days else ''}"
    if not feature.reason:
        return plainly(feature, value, reference)
    said, usual = feature.contrast(_plain(value), _plain(reference))
    if said == usual and not feature.is_numeric:
        return feature.reason.replace(" (reference {reference})", "").replace("{value}", said)
    return feature.reason.replace("{value}", said).replace("{reference}", usual)


def plainly(feature: Feature, value: Any, reference: Any) -> str:
    """Return a feature's title with its value and the reference value, judging neither."""
    said, usual = feature.contrast(_plain(value), _plain(reference))
    return f"{feature.title}: {said} (reference {usual})"


def _plain(value: Any) -> Any:
    return None if isna(value) else value


def _lies(feature: Feature, value: Any, reference: Any, towards: int) -> bool:
    """Say whether a value lies on the risky (1) or the safe (-1) side of its reference, as far as the feature claims sides at all."""
    if isna(value):
        return towards > 0
    if not feature.is_numeric or not feature.risk or isna(reference):
        return True
    return bool(towards * feature.risk * (float(value) - float(reference)) > 0)


def _all_lie(feature: Feature, values: Any, reference: Any) -> NDArray[np.bool_]:
    """Say of every value of a column what `_lies` says of one, towards risk."""
    if not feature.is_numeric or not feature.risk or isna(reference):
        return np.ones(len(values), dtype=bool)
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    worse: NDArray[np.bool_] = np.isnan(numbers) | (feature.risk * (numbers - float(reference)) > 0)
    return worse


def _speaker(schema: Schema, reference: Mapping[str, Any], scale: Score, towards: int) -> Speaker:
    """Return the function that makes a reason (towards risk) or a strength of a row, a feature and its concept's strength, or None."""
    declared = {feature.name: feature for feature in schema}
    worth = None if scale.scale == "linear" else points(1.0, scale)
    say = wording if towards > 0 else plainly

    def speak(row: Mapping[str, Any], name: str, amount: float) -> dict[str, Any] | None:
        feature, added = declared[name], towards * amount
        if not _lies(feature, row.get(name), reference.get(name), towards):
            return None
        return {
            "code": code_of(feature),
            "text": say(feature, row.get(name), reference.get(name)),
            "feature": name,
            "concept": concept_of(feature),
            "contribution": added,
            "points": None if worth is None else worth * added,
        }

    return speak


def _said(rows: Sequence[Mapping[str, Any]], best: Top, speak: Speaker, top: int) -> list[list[dict[str, Any]]]:
    found = []
    for row, names, amounts in zip(rows, best.features.tolist(), best.amounts.tolist(), strict=True):
        said: list[dict[str, Any]] = []
        for name, amount in zip(names, amounts, strict=True):
            if amount < LEAST or len(said) == top:
                break
            if spoken := speak(row, name, amount):
                said.append(spoken)
        found.append(said)
    return found
