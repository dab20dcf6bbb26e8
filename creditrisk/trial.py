"""One candidate after the other, fitted, measured and explained in a prepared folder, without the database.

A folder holds data.parquet, schema.toml and config.json; it gets a folder per model and result.json. Nobody may break three things:
a test row is never learned from, never tuned on and never chooses a cut-off; contributions add up to the margin; the same
folder gives the same files.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, concat

from creditrisk import cutoffs, estimators, metrics, pipeline, quality, registry, split, tuning
from creditrisk import schema as schemas
from creditrisk.errors import CreditRiskError
from creditrisk.plan import Config
from creditrisk.schema import Feature, Schema
from creditrisk.store import to_json as text_of

Progress = Callable[[float, str], None]
SOURCES = ("cluster", "rfm", "review", "observed", "combined")
EFFORT = {
    "random_forest": 6.0,
    "xgboost": 2.0,
    "lightgbm": 2.0,
    "scorecard": 3.0,
    "logistic": 1.0,
}  # roughly, for the progress bar; others 0.2
RELEARNT = 0.97  # an AUC above this against a proxy says that the clusters were found again
SUSPICIOUS = 0.90  # a Gini above 0.8 on real applications usually is a leak
EXACT = 1e-4  # most that contributions plus base may differ from the margin
CHUNK = 2_000
SMALL = 30  # members of a group below which nothing is said of it
LABELS = ("bad", "verified_observed", "verified_review")  # columns of the prepared table that may be null
HOW = {
    "random": "whole applicants at random, stratified by label",
    "time": "the latest applicants",
    "file": "the applicants named in a file of the lender's own",
}


@dataclass(frozen=True)
class Run:
    """A prepared folder, read: what was asked for, what is known of the labels, the schema and the table."""

    config: Config
    facts: Mapping[str, Any]
    schema: Schema
    table: DataFrame

    @property
    def learned(self) -> DataFrame:
        """The labelled rows of the learning part."""
        return self.table[~self.table["is_test"] & self.table["bad"].notna()].reset_index(drop=True)

    @property
    def test(self) -> DataFrame:
        """The untouched rows, unlabelled ones among them: an outcome may still be known of those."""
        return self.table[self.table["is_test"]].reset_index(drop=True)

    @property
    def features(self) -> tuple[Feature, ...]:
        """What is learned from."""
        return self.config.reads(self.schema)

    def folds(self, learned: DataFrame, seed: int) -> NDArray[np.intp]:
        """Return the fold each row is held out in; invented rows in none, for no figure is measured on them."""
        real = ~learned["is_synthetic"].to_numpy(bool)
        bad, who = learned["bad"].to_numpy(float)[real], learned["applicant_id"].to_numpy(str)[real]
        parts = np.full(len(learned), -1, dtype=np.intp)
        asked = self.config.folds
        parts[real] = split.folds(bad, self.facts["folds"], seed, who) if asked is None else split.parted(bad, asked, seed, who)
        return parts


def fit(folder: Path, progress: Progress) -> None:
    """Fit every algorithm of a prepared folder, measure it on the untouched test part, write one model folder each and result.json.

    `progress` is told the share done and what is being done. Raises CreditRiskError where a model cannot be explained exactly.
    """
    run = _read(folder)
    algorithms = run.config.all_algorithms
    efforts = [EFFORT.get(name, 0.2) * (10 if tuning.asked(run.config, name) else 1) for name in algorithms]
    results = []
    for number, name in enumerate(algorithms):
        begin, share = sum(efforts[:number]) / sum(efforts), efforts[number] / sum(efforts)

        def tell(done: float, what: str, begin: float = begin, share: float = share) -> None:
            progress(begin + share * done, what.replace("_", " "))

        results.append(_candidate(name, run, folder / name, tell))
    (folder / "result.json").write_text(text_of(results), encoding="utf-8")
    progress(1.0, "registering the candidates")


def _read(folder: Path) -> Run:
    from pyarrow import parquet

    asked = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    schema = schemas.parse((folder / "schema.toml").read_text(encoding="utf-8"))
    table = parquet.read_table(folder / "data.parquet").to_pandas()
    return Run(Config.from_dict(asked["config"]), asked["facts"], schema, table.astype(dict.fromkeys(LABELS, "boolean")))


def _candidate(name: str, run: Run, folder: Path, tell: Progress) -> dict[str, Any]:
    """Fit one algorithm, write its folder, return what the registry needs to know of it."""
    began, learned, test = time.perf_counter(), run.learned, run.test
    ready, parameters = 0.0, dict(run.config.parameters.get(name, {}))
    found: dict[str, Any] = {}
    if tuning.asked(run.config, name):
        ready = 0.8
        search = _tuned(name, run, learned, lambda done, what: tell(ready * done, what))
        parameters, found["tuning"] = {**parameters, **search.parameters}, search.to_dict()
    fitting = _fitting(run, parameters)
    left = 1 - ready
    validated = pipeline.validate(
        name,
        learned,
        learned["bad"].astype(float),
        learned["weight"],
        run.schema,
        config=fitting,
        features=[feature.name for feature in run.features],
        fold=run.folds(learned, run.config.seed),
        progress=lambda done, what: tell(ready + left * 0.6 * done, what),
    )
    fitted = validated.pipeline
    margin = fitted.margin(test)
    scored = test[["applicant_id", "as_of", "bad"]].assign(pd=estimators.inverse_logit(margin), margin=margin)
    tell(ready + left * 0.6, f"measuring {name} on {len(test):,} test applicants")
    held = _held_out(learned, validated)
    found = {**_measured(test, scored["pd"].to_numpy(float), run), **_validated(held, scored, run), **found}
    found["circularity"] = _circularity(found, run.facts, [feature for feature in run.facts["shared"] if fitted.importance.get(feature)])
    folder.mkdir()
    _save(fitted, folder, run.schema)
    scored.to_parquet(folder / "test.parquet", index=False)
    held.to_parquet(folder / "validation.parquet", index=False)
    explained = _explained(fitted, test, margin, lambda done, what: tell(ready + left * (0.7 + 0.3 * done), what))
    explained.to_parquet(folder / "contributions.parquet", index=False)
    (folder / "metrics.json").write_text(text_of(found), encoding="utf-8")
    return {
        "algorithm": name,
        "parameters": parameters,
        "metrics": found,
        "card": _card(name, run, found, parameters, _groups(scored, run)),
        "seconds": time.perf_counter() - began,
    }


def _fitting(run: Run, parameters: Mapping[str, Any]) -> pipeline.Fitting:
    folds = run.config.folds or run.facts["folds"]
    return pipeline.Fitting(run.config.seed, folds, run.facts["cutoff"], parameters, run.config.balance)


def _tuned(name: str, run: Run, learned: DataFrame, tell: Progress) -> tuning.Found:
    lesson, _ = pipeline.teach(
        name,
        learned,
        learned["bad"].astype(float),
        learned["weight"],
        run.schema,
        config=_fitting(run, {}),
        features=[feature.name for feature in run.features],
    )
    return tuning.search(name, lesson, run.folds(learned, run.config.seed + 1), run.config, tell)


def _held_out(learned: DataFrame, validated: pipeline.Validated) -> DataFrame:
    """Return what was foreseen of learning rows by fits that had not seen them: applicant_id, as_of, bad, pd, margin, fold."""
    seen = validated.fold >= 0
    rows, margin = learned.loc[seen, ["applicant_id", "as_of", "bad"]], validated.margin[seen]
    return rows.assign(pd=estimators.inverse_logit(margin), margin=margin, fold=validated.fold[seen]).reset_index(drop=True)


def _measured(test: DataFrame, prob_default: NDArray[np.float64], run: Run) -> dict[str, Any]:
    """Return the figures by label source: the label set's own, and verified ones where the test part holds both classes."""
    held = {"observed": test["verified_observed"], "review": test["verified_review"], run.facts["source"]: test["bad"]}
    found = {}
    for source in SOURCES:
        if source in held and held[source].dropna().nunique() == 2:
            rows = held[source].notna().to_numpy(bool)
            bad = held[source][rows].to_numpy(bool)
            found[source] = metrics.report(bad, prob_default[rows], bootstraps=run.facts["bootstraps"], seed=run.config.seed)
    return found


def _validated(held: DataFrame, scored: DataFrame, run: Run) -> dict[str, Any]:
    """Return the AUC over the folds, and each rule's cut-off chosen on the rows held out, with its consequences on the test rows."""
    known = scored.dropna(subset=["bad"])
    there, here = ((rows["bad"].to_numpy(float), rows["pd"].to_numpy(float)) for rows in (held, known))
    return {
        "cross_validation": metrics.cross_validated(held["bad"].to_numpy(float), held["margin"], held["fold"]),
        "cutoffs": cutoffs.told(there, here, margin=run.facts["margin"], lgd=run.facts["lgd"]),
    }


def _save(fitted: pipeline.Pipeline, folder: Path, schema: Schema) -> None:
    import joblib

    joblib.dump(fitted, folder / registry.ARTEFACT)
    if isinstance(fitted.estimator, estimators.Boosted):
        fitted.estimator.booster.save_model(folder / "booster.ubj")
    (folder / "schema.toml").write_text(schemas.dump(schema), encoding="utf-8")


def _explained(fitted: pipeline.Pipeline, test: DataFrame, margin: NDArray[np.float64], tell: Progress) -> DataFrame:
    """Return applicant_id, base and what each feature added to the margin of every test row. They add up, or it is an error."""
    parts = []
    for begin in range(0, len(test), CHUNK):
        tell(begin / len(test), f"explaining {fitted.algorithm}, test applicant {begin + 1:,} of {len(test):,}")
        rows = test.iloc[begin : begin + CHUNK]
        contributions, base = fitted.contributions(rows)
        contributions.insert(0, "base", base)
        parts.append(contributions)
    whole = concat(parts)
    gap = float(np.abs(whole.sum(axis=1).to_numpy() - margin).max())
    if not gap <= EXACT:
        raise CreditRiskError(f"The contributions of {fitted.algorithm} miss its margin by {gap:.2g}; at most {EXACT} is allowed.")
    whole.insert(0, "applicant_id", test["applicant_id"])
    return whole


def _circularity(found: Mapping[str, Any], facts: Mapping[str, Any], shared: Sequence[str]) -> dict[str, Any]:
    """Say whether a model re-learns the clusters it was labelled with: it reads their columns, or agrees too well to mean anything."""
    if not facts["is_proxy"]:
        return {"flag": False, "sentence": None, "shared": []}
    area = found.get(facts["source"], {}).get("auc", {}).get("value", float("nan"))
    reasons = [f"{len(shared)} of the columns it uses also made the label"] if shared else []
    if not area <= RELEARNT:
        reasons.append(f"its agreement with the proxy label (AUC {area:.3f}) is above {RELEARNT}")
    sentence = f"This model re-learns the clusters: {' and '.join(reasons)}." if reasons else None
    return {"flag": bool(reasons), "sentence": sentence, "shared": list(shared)}


def _card(name: str, run: Run, found: Mapping[str, Any], parameters: Mapping[str, Any], said_of_groups: list[str]) -> dict[str, Any]:
    """Return the sections of the model's card, each a list of sentences."""
    table, learned, facts = run.table, run.learned, run.facts
    n_invented = int(table["is_synthetic"].sum())
    word = "risk (proxy)" if facts["is_proxy"] else "probability of default"
    read, whole = run.features, run.schema.predictors
    omitted = [feature.title for feature in whole if feature not in read]
    limits = ["It recommends; a named person decides.", "Thin or doubtful statements are referred by the policy, whatever the score."]
    if facts["is_proxy"]:
        limits.insert(0, "It was not fitted to real outcomes: its risk is relative and is no probability of default.")
    limits += _too_good(found)
    return {
        "banner": facts["banner"],
        "circularity": found["circularity"]["sentence"],
        "purpose": [
            f"Ranks applicants by {word} from what was known before the scoring date ({name.replace('_', ' ')}).",
            "For applicants like those it learned from; for a person's decision on credit, never instead of it.",
        ],
        "data": [
            f"{_counted(table[~table['is_synthetic']])}, features of snapshot {facts['snapshot_id']}{_dates(table)}; "
            f"{int(table['bad'].isna().sum())} without a label were not learned from.",
            *([f"Learned from {n_invented} invented applicants too; none of them is in the test part."] if n_invented else []),
            f"SHA-256 of the table: {facts['data_sha256']}.",
        ],
        "labels": facts["labels"],
        "split": [
            f"Learned from {len(learned)} applicants ({int(learned['bad'].sum())} bad), tested on {int(table['is_test'].sum())}: "
            f"{HOW[run.config.split]}, seed {run.config.seed}. No applicant is in both parts.",
            *_fitted(run, found, parameters),
        ],
        "features": [f"{len(read)} predictors: {'; '.join(feature.title for feature in read)}."],
        "exclusions": _excluded(run, omitted),
        "cut-offs": [line["sentence"] for line in found["cutoffs"]],
        "stability": _stability(found["cross_validation"]),
        "groups": said_of_groups,
        "limits": limits,
        "lineage": {**facts["lineage"], "seed": run.config.seed},
    }


def _excluded(run: Run, omitted: Sequence[str]) -> list[str]:
    """Say who and what was left out of the learning, and why."""
    n = int(run.table["bad"].isna().sum())
    lines = [f"{n:,} rows without a label taught nothing: too little is known of them, or they lie between good and bad."] if n else []
    apart = [f"{feature.title} ({feature.role})" for feature in run.schema if feature.role != "predictor"]
    if apart:
        lines.append(f"Kept and never read by the model: {'; '.join(apart)}.")
    if omitted:
        lines.append(f"Left out on request: {'; '.join(omitted)}.")
    return lines or ["Nobody and nothing was left out."]


def _stability(found: Mapping[str, Any]) -> list[str]:
    """Say how the AUC varies over the folds."""
    areas = found.get("folds", [])
    if len(areas) < 2:
        return ["Validated on one held-out part, so nothing is known of how the figures vary from part to part."]
    said = ", ".join(f"{area:.3f}" for area in areas)
    return [f"AUC of each of {len(areas)} folds: {said}; standard deviation {found['sd']:.3f} ({found['n']:,} applicants)."]


def _groups(scored: DataFrame, run: Run) -> list[str]:
    """Say what the cut-off of the policy does to each protected group of the test rows, and how often these went bad."""
    lines = []
    approved = scored["pd"].to_numpy(float) < run.facts["cutoff"]
    for feature in (each for each in run.schema if each.role == "protected"):
        groups, names = quality.groups_of(feature, run.test[feature.name])
        for name in names:
            here = groups.eq(name).to_numpy(bool)
            if (n := int(here.sum())) < SMALL:
                continue
            ends = " to ".join(f"{100 * end:.0f}" for end in metrics.wilson(int(approved[here].sum()), n))
            bad = scored.loc[here, "bad"].dropna().astype(float)
            labelled = f"labelled bad {100 * bad.mean():.1f} % of {len(bad):,}" if len(bad) else "nobody is labelled"
            lines.append(
                f"{feature.title}, {name}: {100 * approved[here].mean():.0f} % of {n:,} would be approved (95 % interval {ends} %); "
                f"foreseen bad {100 * scored.loc[here, 'pd'].mean():.1f} %, {labelled}."
            )
    return lines or [f"No protected trait is recorded of {SMALL} or more test applicants, so nothing is known of how groups fare."]


def _too_good(found: Mapping[str, Any]) -> list[str]:
    """Say that a model tells real outcomes apart so well that a predictor has probably read them; nothing of any other."""
    area = found.get("observed", {}).get("auc", {})
    if not (area.get("low") or 0.0) > SUSPICIOUS:
        return []
    return [
        f"It tells good from bad with AUC {area['value']:.3f} (at least {area['low']:.3f}) on observed outcomes. Real applicants are "
        "seldom told apart so well; usually a predictor has read the outcome. See when its strongest predictors are known before you "
        "rely on it."
    ]


def _counted(rows: DataFrame) -> str:
    n, people = len(rows), rows["applicant_id"].nunique()
    return f"{people} applicants" if n == people else f"{people} applicants in {n} rows of several dates"


def _dates(table: DataFrame) -> str:
    days = table["as_of"].dropna()
    if days.empty:
        return ""
    first, last = (str(np.datetime64(day, "D")) for day in (days.min(), days.max()))
    return f" as of {first}" if first == last else f" as of {first} to {last}"


BALANCED = {
    "weights": "While fitting, the classes were given equal weight; calibration on rows left as they are undoes the shift.",
    "smote": "Bad rows were invented between neighbours (SMOTE) inside each fold's fit only; calibration on real rows undoes the shift.",
}


def _fitted(run: Run, found: Mapping[str, Any], parameters: Mapping[str, Any]) -> list[str]:
    """Say how a model was fitted, validated and calibrated."""
    area = found["cross_validation"]
    folds = f"{area['k']} folds" if area["k"] > 1 else "a held-out tenth of the learning part"
    lines = [
        f"Out of sample in {folds}: AUC {area['mean']:.3f}, 95 % interval {area['low']:.3f} to {area['high']:.3f} "
        f"({area['n']:,} applicants, {area['n_bad']:,} bad), before any test row was looked at.",
        "Calibrated (Platt) on the same rows, which the fit had not seen.",
    ]
    if run.config.balance != "none":
        lines.append(BALANCED[run.config.balance])
    if "tuning" in found:
        search = found["tuning"]
        lines.append(
            f"Tuned in {len(search['trials']) - 1} trials on other folds: AUC {search['auc']:.4f} there, {search['usual_auc']:.4f} "
            "with the usual settings. What a search finds flatters it a little on its own folds; no other figure here comes from them."
        )
    if parameters:
        said = ", ".join(f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in parameters.items())
        lines.append(f"Settings: {said}.")
    return lines
