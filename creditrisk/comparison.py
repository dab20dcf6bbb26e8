"""Two registered models beside each other, on the same applicants: what each was measured at, what differs for sure, who would change
sides at the cut-off, and whose principal reasons change. Reads only.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pandas import DataFrame

from creditrisk import explain, features, gate, metrics, policy, registry, scoring
from creditrisk.errors import InvalidInput, SchemaMismatch
from creditrisk.plan import BASELINES
from creditrisk.scoring import Prediction
from creditrisk.store import Store

SOURCES = ("observed", "review", "combined", "cluster", "rfm")
MEASURES = ("auc", "gini", "ks", "pr_auc", "brier", "log_loss", "ece", "calibration_slope")
DIFFERENCES = (("auc", metrics.auc, 1), ("ks", metrics.ks, 1), ("brier", metrics.brier, -1))  # name, metric, +1 where more is better
REASONED = 1_000  # applicants whose reasons are compared at most
SHOWN = 12  # applicants named whose first reason is another


@dataclass(frozen=True)
class Comparison:
    """One model beside another.

    `figures`: source, measure, one, one_low, one_high, other, other_low, other_high, each on the model's own test rows.
    `differences`: measure, value (one minus other), low, high (95 %), finding ('better', 'worse' or 'within chance'), on the `n` test rows
    with a label that both share. `swaps`: champion (= other), challenger (= one), n, n_verified, n_bad, share_bad (see `gate`).
    `reasons`: title, n_one, n_other: how often each names it as a principal reason to the `n_declined` whom one of them declines;
    `n_same` of those hear the same first one. `changed`: applicant_id, first_one, first_other: first reasons that differ, in words.
    """

    one: str
    other: str
    figures: DataFrame
    differences: DataFrame
    n: int
    n_bad: int
    swaps: DataFrame
    reasons: DataFrame
    n_declined: int
    n_same: int
    changed: DataFrame


def compare(store: Store, one: str, other: str) -> Comparison:
    """Hold one model against another, usually the champion. Raises UnknownThing, TamperedArtefact, InvalidInput for a model and itself,
    and SchemaMismatch where they, or one and the workspace, describe applicants differently."""
    if one == other:
        raise InvalidInput(f"{one} is compared with another model, not with itself.")
    models = registry.get(store, one), registry.get(store, other)
    for model in models:
        if model["schema_fingerprint"] != store.schema.fingerprint:
            raise SchemaMismatch(
                f"{model['model_id']} was made for another schema ({model['schema_fingerprint']}) than this workspace has "
                f"({store.schema.fingerprint}), so the two cannot be asked about the same applicants."
            )
    differences, n, n_bad = _differences(store, *models)
    reasons, n_declined, n_same, changed = _reasons(store, *models)
    swaps = gate.compare(store, *models).swaps
    return Comparison(one, other, _figures(*models), differences, n, n_bad, swaps, reasons, n_declined, n_same, changed)


def of_case(store: Store, prediction: Prediction, most: int = 6) -> DataFrame:
    """Return what each model that can score makes of a prediction's figures, its own first, then the champion, then the newest.

    Columns: model_id, algorithm, status, is_proxy, pd, score, band, recommendation, reason (the first, in words). Today's scale and
    policy hold; nothing is kept. Baselines never score, and a model made for other features cannot.
    """
    known = registry.models(store)
    able = known[(known["schema_fingerprint"] == store.schema.fingerprint) & ~known["algorithm"].isin(BASELINES)]
    order = {"champion": 0, "challenger": 1}
    ranked = sorted(able.to_dict("records"), key=lambda row: (row["model_id"] != prediction.model_id, order.get(row["status"], 2)))
    rows = []
    for row in ranked[:most]:
        using = scoring.model(store, row["model_id"])
        by, baseline = prediction.scored_by, prediction.baseline
        (made,) = scoring.score_values(
            store, [prediction.inputs], user=by, channel="comparison", baseline=baseline, keep=False, using=using
        )
        reason = made.reasons[0]["text"] if made.reasons else ""
        facts = (row["model_id"], row["algorithm"], row["status"], made.is_proxy)
        rows.append((*facts, made.pd, made.score, made.band, made.recommendation, reason))
    columns = ["model_id", "algorithm", "status", "is_proxy", "pd", "score", "band", "recommendation", "reason"]
    return DataFrame(rows, columns=columns)


def _figures(one: Mapping[str, Any], other: Mapping[str, Any]) -> DataFrame:
    rows = []
    for source in SOURCES:
        ours, theirs = one["metrics"].get(source), other["metrics"].get(source)
        if ours and theirs:
            rows += [(source, name, *_interval(ours, name), *_interval(theirs, name)) for name in MEASURES]
    return DataFrame(rows, columns=["source", "measure", *(f"{who}{end}" for who in ("one", "other") for end in ("", "_low", "_high"))])


def _interval(report: Mapping[str, Any], name: str) -> tuple[float, float, float]:
    held = report.get(name)
    parts = (held.get("value"), held.get("low"), held.get("high")) if isinstance(held, Mapping) else ()
    found = parts or (held, report.get(f"{name}_low"), report.get(f"{name}_high"))
    value, low, high = (float("nan") if part is None else float(part) for part in found)
    return value, low, high


def _differences(store: Store, one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[DataFrame, int, int]:
    """Return what differs on the test rows of both, where one label set says what is bad; no rows where they have none in common."""
    columns = ["measure", "value", "low", "high", "finding"]
    if one["label_set_id"] != other["label_set_id"]:
        return DataFrame(columns=columns), 0, 0
    ours, theirs = (registry.table(store, model["model_id"], "test").dropna(subset=["bad"]) for model in (one, other))
    keys = [name for name in ("applicant_id", "as_of") if name in ours.columns and ours[name].notna().all() and theirs[name].notna().all()]
    shared = ours.merge(theirs, on=keys, suffixes=("", "_other"))
    bad = shared["bad"].to_numpy(float)
    if not 0 < bad.sum() < len(bad):
        return DataFrame(columns=columns), len(bad), int(bad.sum())
    rows = []
    for name, metric, better in DIFFERENCES:
        value, low, high = gate.paired(metric, bad, shared["pd"].to_numpy(float), shared["pd_other"].to_numpy(float))
        sure = np.sign(better * value) if low > 0 or high < 0 else 0
        rows.append((name, value, low, high, {1: "better", -1: "worse"}.get(int(sure), "within chance")))
    return DataFrame(rows, columns=columns), len(bad), int(bad.sum())


def _reasons(store: Store, one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[DataFrame, int, int, DataFrame]:
    everyone = features.table(store, one["snapshot_id"] or None)
    rows = everyone if len(everyone) <= REASONED else everyone.sample(REASONED, random_state=0).sort_index()
    cutoff, fitted = policy.cutoff(store.settings.policy), [registry.load(store, model["model_id"]) for model in (one, other)]
    is_declined = np.any([pipeline.prob_default(rows) >= cutoff for pipeline in fitted], axis=0)
    asked = rows[is_declined].reset_index(drop=True)
    values, scale = explain.records(asked, [feature.name for feature in store.schema]), store.settings.score
    explained = [explain.explain(pipeline, asked, store.schema) for pipeline in fitted]
    told = [explain.all_reasons(values, found, store.schema, scale=scale) for found in explained]
    named = [Counter(reason["concept"] for reasons in each for reason in reasons) for each in told]
    firsts = [(ours[0] if ours else None, theirs[0] if theirs else None) for ours, theirs in zip(*told, strict=True)]
    other_first = [(ours or {}).get("concept") != (theirs or {}).get("concept") for ours, theirs in firsts]
    changed = [
        (who, (ours or {}).get("text"), (theirs or {}).get("text"))
        for who, (ours, theirs), differs in zip(asked["applicant_id"], firsts, other_first, strict=True)
        if differs
    ]
    counted = [(store.schema.in_words(concept), named[0][concept], named[1][concept]) for concept in named[0] | named[1]]
    table = DataFrame(counted, columns=["title", "n_one", "n_other"]).sort_values(["n_one", "n_other"], ascending=False, ignore_index=True)
    return (
        table,
        len(asked),
        len(asked) - sum(other_first),
        DataFrame(changed[:SHOWN], columns=["applicant_id", "first_one", "first_other"]),
    )
