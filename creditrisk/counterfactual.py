"""What if, as a document: a score as it is and as it would be, what each figure moved, and what would reach the next band.

The same for the API and the command line. Nothing is kept, so nothing in it has a prediction's number.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from creditrisk import attribution, certainty, scoring, whatif
from creditrisk.scoring import Model, Prediction
from creditrisk.store import Store, to_json

Ready = tuple[Model, certainty.Lines | None]  # a model in memory, and what says how sure it is


@dataclass(frozen=True)
class Wish:
    """Figures that would be others, by name, and whether guidance is wanted."""

    changes: Mapping[str, Any]
    guidance: bool = False


def ready(store: Store, model_id: str) -> Ready:
    """Load the model of a prediction; raises SchemaMismatch where the features have been declared anew since."""
    return scoring.model(store, model_id), certainty.known(store, model_id)


def answer(store: Store, prediction: Prediction, wish: Wish, using: Ready, *, user: str) -> dict[str, Any]:
    """Return the document, JSON-ready: prediction_id, applicant_id, now (under today's scale and policy), then, moved, guidance if asked.

    `moved` holds feature, title, before, now, points, the largest first. Raises what `whatif.changed` raises.
    """
    model, found = using
    now, then = (whatif.score(store, prediction, changes, using=model, user=user) for changes in ({}, wish.changes))
    document = {
        "prediction_id": prediction.prediction_id,
        "applicant_id": prediction.applicant_id,
        "now": _said(now, found),
        "then": _said(then, found),
        "moved": attribution.between(store, now, then, model.pipeline).moved.to_dict("records"),
    }
    if wish.guidance:
        helps = whatif.guidance(store, prediction, model.pipeline)
        ways = [
            {
                "changes": [{"feature": name, "from": before, "to": after} for name, before, after in way.steps],
                "pd": way.pd,
                "score": way.score,
            }
            for way in helps.ways
        ]
        document["guidance"] = {"next_band": helps.band and helps.band.name, "ways": ways, "why_not": helps.why_not or None}
    return json.loads(to_json(document))  # type: ignore[no-any-return]


def _said(made: Prediction, found: certainty.Lines | None) -> dict[str, Any]:
    said = made.to_json(found) | {"because": made.because, "inputs": made.inputs}
    return {name: value for name, value in said.items() if name not in ("prediction_id", "applicant_id")}
