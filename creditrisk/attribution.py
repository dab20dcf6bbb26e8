"""Why a score is another than last time: the model, the applicant's data, or the scale. The three parts add up exactly.

The old figures are scored with the new model: what that moves is the model's part, what the new figures move after it is the data's, and
what is left is the scale's. The data's part is told figure by figure, by what each adds under the new model.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pandas import DataFrame

from creditrisk import scorecard, scoring
from creditrisk.estimators import inverse_logit
from creditrisk.pipeline import Pipeline
from creditrisk.schema import Schema
from creditrisk.scoring import Prediction
from creditrisk.settings import Score
from creditrisk.store import Store

NOTHING = 1e-9  # log-odds: what rounding leaves of no change
LEAST = 0.5  # points: less rounds to nothing
MOVED = ["feature", "title", "before", "now", "points"]


@dataclass(frozen=True)
class Change:
    """What moved a score between two predictions of one applicant, in points of the score; `model` + `data` + `scale` is the difference.

    `moved` holds the figures whose part changed, largest first: feature, title, before and now in words, points (before the score is held
    within its axis; NaN on the linear scale). `is_split` is false where the features were declared otherwise then: all is the model's.
    """

    before: Prediction
    after: Prediction
    model: float
    data: float
    scale: float
    moved: DataFrame
    is_split: bool


def between(store: Store, before: Prediction, after: Prediction, pipeline: Pipeline) -> Change:
    """Return what moved an applicant's score from `before` to `after`; `pipeline` is the model of `after`."""
    old_scale = Score(**before.scale)
    as_then = float(scorecard.score(after.pd, old_scale))
    if before.schema_fingerprint != after.schema_fingerprint:
        nothing = DataFrame(columns=MOVED)
        return Change(before, after, as_then - before.score, 0.0, after.score - as_then, nothing, is_split=False)
    margin, then = _with(pipeline, before)
    halfway = before.score if before.digest == after.digest else float(scorecard.score(float(inverse_logit(np.array(margin))), old_scale))
    moved = _moved(scoring.declared(store, after), before, after, then, pipeline)
    return Change(before, after, halfway - before.score, as_then - halfway, after.score - as_then, moved, is_split=True)


def _with(pipeline: Pipeline, prediction: Prediction) -> tuple[float, dict[str, float]]:
    """Return the margin of a prediction's inputs under a model, and what each feature adds to it."""
    margin, added, _ = pipeline.split(DataFrame({name: [value] for name, value in prediction.inputs.items()}))
    return float(margin[0]), dict(zip(pipeline.names, added[0].tolist(), strict=True))


def _moved(schema: Schema, before: Prediction, after: Prediction, then: Mapping[str, float], pipeline: Pipeline) -> DataFrame:
    """Return the figures whose part is another than it was `then`, the old figures' parts under the new model."""
    usual, scale = pipeline.references[after.baseline].contribution, Score(**after.scale)
    added = {name: after.contributions[name] + usual[name] - then[name] for name in pipeline.names}
    rows = [
        (name, schema[name].title, *schema[name].contrast(before.inputs[name], after.inputs[name]), scorecard.points(part, scale))
        for name, part in sorted(added.items(), key=lambda item: -abs(item[1]))
        if abs(part) > NOTHING
    ]
    return DataFrame(rows, columns=MOVED)


def steps(change: Change, top: int = 7) -> DataFrame:
    """Return the way from the score before to the score after: feature ("" where it is none), title, value, reference (before), points.

    The points add up to the difference of the two scores exactly: what the axis cuts off is among the other figures.
    """
    rows: list[tuple[str, str, str, str, float]] = []
    if change.before.digest != change.after.digest:
        rows.append(("", f"Another model: {change.after.model_id} for {change.before.model_id}", "", "", change.model))
    told = change.moved.head(top) if change.moved["points"].notna().all() else change.moved.head(0)
    rows += list(zip(*(told[name].tolist() for name in ("feature", "title", "now", "before", "points")), strict=True))
    if len(change.moved) > len(told) or abs(change.data - told["points"].sum()) > NOTHING:
        left = len(change.moved) - len(told)
        name = f"{left} other figure{'s' if left > 1 else ''}" if left else "Held within the axis"
        rows.append(("", name, "", "", change.data - float(told["points"].sum())))
    if change.before.scale != change.after.scale:
        rows.append(("", "Another scale", "", "", change.scale))
    return DataFrame(rows, columns=["feature", "title", "value", "reference", "points"])


def in_words(change: Change) -> str:
    """Say what moved the score, in points: '612 then, 655 now: +43, of which the model +0 and the figures +43.'"""
    then, now = scorecard.shown(change.before.score), scorecard.shown(change.after.score)
    parts = {"the model": change.model, "the applicant's figures": change.data, "the scale": change.scale}
    told = [f"{name} {part:+.0f}" for name, part in parts.items() if abs(part) >= LEAST]
    if not told:
        return f"{then} then, {now} now: nothing moved the score."
    split = "" if change.is_split else " The features were declared otherwise then, so that the model's part holds the figures' too."
    return f"{then} then, {now} now. Of the difference of {change.after.score - change.before.score:+.0f}: {', '.join(told)}.{split}"
