"""How models stand: beside each other on the leaderboard, and each by its curves, its importances and what its cut-offs would do.

Nobody may break this: a figure is read from what was kept with the model, never measured anew, and says which labels it is against.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from pandas import DataFrame

from creditrisk import cutoffs, explain, metrics, registry, scorecard
from creditrisk import schema as schemas
from creditrisk.errors import NothingYet
from creditrisk.plan import BASELINES
from creditrisk.store import Store
from creditrisk.trial import SOURCES

SCORE_BIN = 20  # points


def leaderboard(store: Store, label_set_id: str | None = None) -> DataFrame:
    """Return one row per model, best first: against observed outcomes where there are any, else against its own label.

    Columns: model_id, algorithm, status, label_set_id, label_source, is_proxy, auc, auc_low, auc_high, gini, ks, brier, n, n_bad (against
    the label set's source), auc_observed, auc_observed_low, auc_observed_high, n_observed, circular, seconds, created_at, created_by.
    """
    models = registry.models(store)
    if label_set_id is not None:
        models = models[models["label_set_id"] == label_set_id]
    rows = [_line({str(name): value for name, value in model.items()}) for model in models.to_dict("records")]
    board = DataFrame(rows, columns=list(_line(NO_MODEL)))
    return board.sort_values(["label_set_id", "auc_observed", "auc"], ascending=False, na_position="last", ignore_index=True)


NO_MODEL: Mapping[str, Any] = {"metrics": {}, "label_source": ""}


def _line(model: Mapping[str, Any]) -> dict[str, Any]:
    own, observed = (model["metrics"].get(source, {}) for source in (model["label_source"], "observed"))
    first = ("model_id", "algorithm", "status", "label_set_id", "label_source", "is_proxy")
    return {
        **{name: model.get(name) for name in first},
        **_area(own, "auc"),
        **{name: _figure(own.get(name)) for name in ("gini", "ks", "brier", "n", "n_bad")},
        **_area(observed, "auc_observed"),
        "n_observed": _figure(observed.get("n")),
        **_folds(model["metrics"].get("cross_validation", {})),
        "circular": bool(model["metrics"].get("circularity", {}).get("flag", False)),
        **{name: model.get(name) for name in ("seconds", "job_id", "created_at", "created_by")},
    }


def _area(report: Mapping[str, Any], name: str) -> dict[str, float]:
    area = report.get("auc", {})
    return {f"{name}{end}": _figure(area.get(key)) for end, key in (("", "value"), ("_low", "low"), ("_high", "high"))}


def _folds(found: Mapping[str, Any]) -> dict[str, float]:
    keys = {"cv_auc": "mean", "cv_auc_low": "low", "cv_auc_high": "high", "cv_sd": "sd", "cv_folds": "k"}
    return {name: _figure(found.get(key)) for name, key in keys.items()}


def _figure(value: Any) -> float:
    if isinstance(value, Mapping):
        value = value.get("value")
    return float("nan") if value is None else float(value)


def meant(store: Store, name: str) -> str:
    """Return the id of the model a person means: its own, `champion`, or `best`, the candidate at the top of the newest label set's board.

    Raises NothingYet where there is none of these.
    """
    if name == "champion":
        if (champion := registry.champion(store)) is None:
            raise NothingYet("There is no champion: name a model, or promote one.")
        return str(champion["model_id"])
    if name != "best":
        return name
    for line in leaderboard(store).to_dict("records"):
        if line["status"] == "candidate" and line["algorithm"] not in BASELINES:
            return str(line["model_id"])
    raise NothingYet("There is no candidate: train models first.")


def curves(store: Store, model_id: str) -> dict[str, DataFrame]:
    """Return what a model's page draws of its labelled test rows, from the files kept with it.

    'roc' and 'calibration' as in `metrics`; 'scores' (low = lower edge of a 20-point bin, bad, n); 'importance' of features and
    'concepts' (title, mean_abs = mean size of the contribution in log-odds, of_which = the features in words), largest first.
    """
    scored = registry.table(store, model_id, "test").dropna(subset=["bad"])
    bad, prob_default = scored["bad"].to_numpy(bool), scored["pd"].to_numpy(float)
    low = np.floor(scorecard.score(prob_default, store.settings.score) / SCORE_BIN) * SCORE_BIN
    parts = registry.table(store, model_id, "contributions").drop(columns=["applicant_id", "base"])
    declared = registry.schema(store, model_id)
    features = [declared[str(name)] for name in parts]
    concepts = [explain.concept_of(feature) for feature in features]
    return {
        "roc": metrics.roc(bad, prob_default),
        "calibration": metrics.calibration_table(bad, prob_default),
        "scores": DataFrame({"low": low, "bad": bad}).value_counts(sort=False).rename("n").reset_index(),
        "importance": _importance(parts, features, [feature.name for feature in features], {each.name: each.title for each in features}),
        "concepts": _importance(parts, features, concepts, {each: declared.in_words(each) for each in concepts}),
    }


def _importance(parts: DataFrame, features: Sequence[schemas.Feature], groups: Sequence[str], said: Mapping[str, str]) -> DataFrame:
    """Return how much each group of features moves the model; what pulls both ways within a row cancels out."""
    sums = parts.T.groupby(list(groups), sort=False).sum().T.abs().mean().sort_values(ascending=False, kind="stable")
    members = [[each.title for each, of in zip(features, groups, strict=True) if of == group] for group in sums.index]
    rows = [(said[str(group)], float(size), ", ".join(titles)) for (group, size), titles in zip(sums.items(), members, strict=True)]
    return DataFrame(rows, columns=["title", "mean_abs", "of_which"])


def consequences(store: Store, model_id: str) -> dict[str, DataFrame]:
    """Return what every cut-off does ('validation', 'test'): the table of `cutoffs.table`, for a slider that moves all figures at once.

    Both have the same cut-offs, row by row: one is chosen on the first and its consequences are read off the second. Raises
    TamperedArtefact for a missing file.
    """
    margin, lgd = store.settings.policy.margin, store.settings.policy.lgd
    held, scored = (registry.table(store, model_id, name).dropna(subset=["bad"]) for name in ("validation", "test"))
    found = cutoffs.table(held["bad"].to_numpy(float), held["pd"], margin=margin, lgd=lgd)
    told = cutoffs.table(scored["bad"].to_numpy(float), scored["pd"], margin=margin, lgd=lgd, at=found["cutoff"])
    return {"validation": found, "test": told}


def cutoffs_of(store: Store, model_id: str, *, recall: float = cutoffs.RECALL, approval: float = cutoffs.APPROVAL) -> list[dict[str, Any]]:
    """Return each rule's cut-off of a model under the policy of today, chosen on validation and told on test (see `cutoffs.told`)."""
    terms = {"margin": store.settings.policy.margin, "lgd": store.settings.policy.lgd}
    known = [registry.table(store, model_id, name).dropna(subset=["bad"]) for name in ("validation", "test")]
    there, here = ((part["bad"].to_numpy(float), part["pd"].to_numpy(float)) for part in known)
    return cutoffs.told(there, here, recall=recall, approval=approval, **terms)


def to_json(model: Mapping[str, Any], command: Literal["train", "models"] = "train") -> dict[str, Any]:
    """Return what the command line prints of a model (a row of `registry.get`) under `train` or `models`."""
    figures = {source: model["metrics"][source] for source in SOURCES if source in model["metrics"]}
    if command == "train":
        return {
            "model_id": model["model_id"],
            "algorithm": model["algorithm"],
            "label_set": model["label_set_id"],
            "label_source": model["label_source"],
            "metrics": figures,
            "cross_validation": model["metrics"].get("cross_validation"),
            "cutoffs": model["metrics"].get("cutoffs"),
            "parameters": model["config"].get("parameters", {}).get(model["algorithm"], {}),
            "config": model["config"],
            "digest": model["digest"],
            "seconds": model["seconds"],
        }
    names = ("model_id", "status", "algorithm", "label_source", "is_proxy", "created_at", "digest")
    return {**{name: model[name] for name in names}, "metrics": figures}
