"""Challengers beside the champion: what they would have said of every prediction that is kept. They decide nothing.

Nobody may break this: a challenger that cannot be asked never keeps the champion from scoring.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from creditrisk import metrics, policy, registry, stability
from creditrisk.errors import CreditRiskError
from creditrisk.settings import Policy
from creditrisk.store import Store

log = logging.getLogger(__name__)
AT_ONCE = 5_000
NAN = float("nan")


def foretold(store: Store, inputs: Sequence[Mapping[str, Any]], schema_fingerprint: str) -> dict[str, NDArray[np.float64]]:
    """Return what each challenger of this schema makes of predictions' values; one whose files are not its own is left out, logged."""
    names = registry.challengers(store, schema_fingerprint)
    if not names:
        return {}
    frame, found = DataFrame(list(inputs)), {}
    for model_id in names:
        try:
            found[model_id] = registry.load(store, model_id).prob_default(frame)
        except CreditRiskError as error:
            log.warning("The challenger %s was not asked: %s", model_id, type(error).__name__)
    return found


def keep(cursor: Any, prediction_ids: Sequence[str], said: Mapping[str, NDArray[np.float64]]) -> None:
    """Keep what challengers said of predictions inside the transaction that keeps these; what is there stays."""
    for name, chances in said.items():
        cursor.register("beside", DataFrame({"prediction_id": list(prediction_ids), "pd": chances}))
        cursor.execute("insert or ignore into shadow by name select prediction_id, $id as model_id, pd from beside", {"id": name})
        cursor.unregister("beside")


def watch(store: Store, model_id: str, *, user: str, reason: str) -> int:
    """Set a candidate beside the champion, and ask it about everybody's newest prediction too; returns of how many there were values.

    Raises what `registry.challenge` raises.
    """
    registry.challenge(store, model_id, user=user, reason=reason)
    fingerprint = registry.get(store, model_id)["schema_fingerprint"]
    names = [
        name
        for (name,) in store.rows(
            """select prediction_id from prediction_current
            where model_id <> $id and schema_fingerprint = $fingerprint order by prediction_id""",
            id=model_id,
            fingerprint=fingerprint,
        )
    ]
    for start in range(0, len(names), AT_ONCE):
        part = names[start : start + AT_ONCE]
        rows = store.rows(
            "select prediction_id, inputs from prediction where list_contains($ids::varchar[], prediction_id) order by prediction_id",
            ids=part,
        )
        said = foretold(store, [json.loads(text) for _, text in rows], fingerprint)
        with store.write(user, "score", f"{len(rows)} predictions beside", n=len(rows), model_id=model_id, channel="shadow") as cursor:
            keep(cursor, [name for name, _ in rows], {model_id: said[model_id]})
    return len(names)


def beside(store: Store, model_id: str) -> DataFrame:
    """Return what a challenger said beside what was said live, newest first: prediction_id, applicant_id, live_id, pd_live, pd, scored_at,
    bad (observed, else null)."""
    return store.read(
        """select prediction_id, prediction.applicant_id, prediction.model_id as live_id, prediction.pd as pd_live, shadow.pd,
            prediction.scored_at, if(outcome.observed_on is null or outcome.observed_on > prediction.as_of, observed_bad, null) as bad
        from shadow
        join prediction using (prediction_id)
        left join outcome_current as outcome on outcome.applicant_id = prediction.applicant_id
        where shadow.model_id = $id
        order by prediction.scored_at desc, prediction_id""",
        id=model_id,
    )


def summary(rows: DataFrame, rules: Policy) -> dict[str, Any]:
    """Sum up what `beside` returned: n, n_swapped (on the other side of the cut-off), share_swapped with low and high, psi, and psi_chance
    below which two samples of one population stay."""
    cutoff = policy.cutoff(rules)
    swapped = int(((rows["pd_live"] >= cutoff) != (rows["pd"] >= cutoff)).sum())
    n = len(rows)
    low, high = metrics.wilson(swapped, n)
    found = {"n": n, "n_swapped": swapped, "share_swapped": swapped / n if n else NAN, "low": low, "high": high, "cutoff": cutoff}
    return found | {"psi": stability.psi(rows["pd_live"], rows["pd"]), "psi_chance": stability.psi_critical(n, n)}
