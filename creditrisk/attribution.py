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
