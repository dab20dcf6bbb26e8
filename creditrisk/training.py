"""Candidates: a label set becomes fitted, measured, explained models beside the baselines that they must beat.

Three steps: `prepare` writes what a run needs to a folder, `fit` works in that folder without the database, `finish`
registers everything in one transaction. Page, command line and background job all take the same three.
"""

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, Series, concat

from creditrisk import augment, estimators, jobs, labels, metrics, pipeline, policy, registry, scorecard
from creditrisk import schema as schemas
from creditrisk.errors import CreditRiskError, InvalidInput, NotEnoughData, NothingYet, SchemaMismatch
from creditrisk.schema import Schema
from creditrisk.settings import Training
from creditrisk.store import Store
from creditrisk.store import to_json as text_of

Progress = Callable[[float, str], None]
CANDIDATES = ("xgboost", "lightgbm", "random_forest", "logistic", "scorecard")
USUAL = ("xgboost", "random_forest", "logistic")  # fitted where nobody chooses
BASELINES = ("risk_index", "constant")  # on every leaderboard: a candidate that does not beat them is not worth its keep
SOURCES = ("cluster", "rfm", "review", "observed")
EFFORT = {
    "random_forest": 6.0,
    "xgboost": 2.0,
    "lightgbm": 2.0,
    "logistic": 1.0,
    "scorecard": 3.0,
}  # roughly, for the progress bar; others 0.2
LEAST_OF_A_CLASS = 10
RELEARNT = 0.97  # an AUC above this against a proxy says that the clusters were found again
EXACT = 1e-4  # most that contributions plus base may differ from the margin
CHUNK = 2_000
SCORE_BIN = 20  # points
LABELS = ("bad", "verified_observed", "verified_review")  # columns of the prepared table that may be null


@dataclass(frozen=True)
class Config:
    """What a run was asked for; None for the label set means the one made last."""

    algorithms: tuple[str, ...] = USUAL
    label_set_id: str | None = None
    split: Literal["random", "time"] = "random"
    test_size: float = Training.test_size
    folds: int = Training.folds
    seed: int = Training.seed
    invented: bool = False  # learn from invented applicants too; their label is a proxy, and no figure is measured on them

    def __post_init__(self) -> None:
        for name in self.algorithms:
            if name not in CANDIDATES + BASELINES:
                raise InvalidInput(f"There is no algorithm {name!r}; choose among {', '.join(CANDIDATES)}.")
        if self.split not in ("random", "time"):
            raise InvalidInput(f"A split is 'random' or 'time', not {self.split!r}.")
        if not 0.05 <= self.test_size <= 0.5:
            raise InvalidInput(f"The test part is a share between 0.05 and 0.5 of the applicants, not {self.test_size}.")
        if not 2 <= self.folds <= 20:
            raise InvalidInput(f"Folds are between 2 and 20, not {self.folds}.")

    @property
    def all_algorithms(self) -> tuple[str, ...]:
        """The algorithms asked for, then the baselines, each once."""
        return tuple(dict.fromkeys((*self.algorithms, *BASELINES)))

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as it is stored."""
        return {**asdict(self), "algorithms": list(self.algorithms)}

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> "Config":
        """Read what `to_dict` wrote; raises InvalidInput for an unknown key."""
        known = {part.name for part in fields(Config)}
        for key in values:
            if key not in known:
                raise InvalidInput(f"A training has no setting {key!r}; it has {', '.join(sorted(known))}.")
        return Config(**{**values, "algorithms": tuple(values.get("algorithms", USUAL))})


def defaults(store: Store) -> Config:
    """Return the configuration of a run nobody configured: the installation's settings and the newest label set."""
    chosen = store.settings.training
    return Config(label_set_id=labels.newest(store), test_size=chosen.test_size, folds=chosen.folds, seed=chosen.seed)


# --- the whole way -------------------------------------------------------------------------------------------------


def train(store: Store, config: Config, *, user: str, progress: Progress | None = None) -> list[str]:
    """Train and register here and now; returns the ids of the candidates, then of the baselines."""
    with _folder(store) as folder:
        prepare(store, config, folder)
        fit(folder, progress or (lambda _share, _what: None))
        return finish(store, folder, user=user)


def start(store: Store, config: Config, *, user: str) -> str:
    """Train in the background; returns the job's id. Raises JobBusy while another training runs."""
    jobs.require_idle(store)
    folder = _new_folder(store)
    try:
        prepare(store, config, folder)
        return jobs.spawn(
            store,
            "training",
            config.to_dict(),
            jobs.python("creditrisk.worker", str(folder.resolve())),
            user=user,
            finish=lambda job_id: _registered(finish(store, folder, user=user, job_id=job_id)),
            folder=folder,
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _registered(names: list[str]) -> str:
    return f"registered {len(names)} candidates: {', '.join(names)}"


def _new_folder(store: Store) -> Path:
    return Path(tempfile.mkdtemp(prefix=".tmp-job-", dir=store.models))  # inside `models`, so that a move is a rename


@contextmanager
def _folder(store: Store) -> Iterator[Path]:
    folder = _new_folder(store)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# --- prepare: from the workspace to a folder -----------------------------------------------------------------------


def prepare(store: Store, config: Config, folder: Path) -> None:
    """Write data.parquet (features, bad, weight, verified outcomes, is_test), schema.toml and config.json to `folder`.

    Raises NothingYet without labels, NotEnoughData where a class is too small, InvalidInput for a time split without dates.
    """
    name = config.label_set_id or labels.newest(store)
    if name is None:
        raise NothingYet("There are no labels yet: make a label set on the labels page or with `label kmeans`.")
    config, chosen = replace(config, label_set_id=name), labels.get(store, name)
    _same_schema(store, chosen.snapshot_id)
    table = labels.training_set(store, name, unlabelled=True)
    _enough(table, name)
    for source, verified in labels.by_source(store, chosen.snapshot_id).items():
        known = verified.set_index("applicant_id")["bad"].astype("boolean")
        table[f"verified_{source}"] = table["applicant_id"].map(known).astype("boolean")
    table["is_test"] = _by_time(table, config) if config.split == "time" else _at_random(table, config)
    _both_sides(table, name)
    table["is_synthetic"] = False
    if config.invented:
        table = concat([table, _invented(store, chosen)], ignore_index=True)
    table.attrs = {}
    table.to_parquet(folder / "data.parquet", index=False)
    (folder / "schema.toml").write_text(schemas.dump(store.schema), encoding="utf-8")
    facts = {
        "source": chosen.source,
        "is_proxy": chosen.is_proxy,
        "snapshot_id": chosen.snapshot_id,
        "banner": labels.banner(chosen),
        "shared": chosen.report.get("shared_columns", []),
        "gates": chosen.report.get("gates", []),
        "labels": _about_labels(chosen),
        "bootstraps": store.settings.training.bootstraps,
        "cutoff": policy.cutoff(store.settings.policy),
        "data_sha256": hashlib.sha256((folder / "data.parquet").read_bytes()).hexdigest(),
    }
    (folder / "config.json").write_text(text_of({"config": config.to_dict(), "facts": facts}), encoding="utf-8")


def _invented(store: Store, chosen: labels.LabelSet) -> DataFrame:
    """Return the invented applicants as rows to learn from, labelled by the set's own clusters, never in the test part.

    Raises InvalidInput where a proxy cannot label them: what was never lent has no outcome.
    """
    if chosen.source != "cluster":
        raise InvalidInput(
            f"Label set {chosen.label_set_id} says what really happened, and to invented applicants nothing did: learn without them."
        )
    made = augment.table(store)
    bad = labels.of_clusters(store, chosen.label_set_id, made)
    empty = {name: Series(None, index=made.index, dtype="boolean") for name in LABELS[1:]}
    return made.assign(bad=bad, weight=1.0, is_test=False, **empty)[bad.notna()]


def _same_schema(store: Store, snapshot_id: int) -> None:
    made_for = store.value("select schema_fingerprint from snapshot where snapshot_id = $id", id=snapshot_id)
    if made_for != store.schema.fingerprint:
        raise SchemaMismatch(
            f"The label set's features were computed for another schema ({made_for}) than the workspace has now "
            f"({store.schema.fingerprint}): compute features and label again."
        )


def _enough(table: DataFrame, name: str) -> None:
    n_bad, n_good = int(table["bad"].eq(True).sum()), int(table["bad"].eq(False).sum())
    if min(n_bad, n_good) < LEAST_OF_A_CLASS:
        raise NotEnoughData(
            f"Label set {name} has {n_bad} bad and {n_good} good applicants; training needs at least {LEAST_OF_A_CLASS} of each. "
            "Add applicants, choose another number of clusters, or record more outcomes."
        )


def _both_sides(table: DataFrame, name: str) -> None:
    for is_test, part in ((False, "training"), (True, "test")):
        kinds = table.loc[table["is_test"] == is_test, "bad"].dropna().nunique()
        if kinds < 2:
            raise NotEnoughData(f"The {part} part of label set {name} holds one class only: take another split or test size.")


def _at_random(table: DataFrame, config: Config) -> NDArray[np.bool_]:
    """Mark the test part: the same share of the bad, the good and the unlabelled."""
    random = np.random.default_rng(config.seed)
    is_test = np.zeros(len(table), dtype=bool)
    for rows in (table["bad"].eq(True), table["bad"].eq(False), table["bad"].isna()):
        places = np.flatnonzero(rows.fillna(False).to_numpy(bool))
        is_test[random.permutation(places)[: round(config.test_size * len(places))]] = True
    return is_test


def _by_time(table: DataFrame, config: Config) -> NDArray[np.bool_]:
    """Mark the latest applicants as the test part; a day is never on both sides."""
    days = table["as_of"].to_numpy("datetime64[D]")
    if np.isnat(days).any() or len(np.unique(days)) < 2:
        raise InvalidInput("A time split needs applicants of different dates; these have one date or none. Take a random split.")
    latest = np.sort(days)[::-1]
    first = latest[max(round(config.test_size * len(days)) - 1, 0)]
    if first == days.min():
        first = np.unique(days)[1]
    is_test: NDArray[np.bool_] = days >= first
    return is_test


def _about_labels(chosen: labels.LabelSet) -> list[str]:
    word = "proxy label from clusters, nobody has verified it" if chosen.is_proxy else f"{chosen.source} labels"
    share = f", {100 * chosen.share_risky:.1f} % bad" if chosen.share_risky is not None else ""
    lines = [f"Label set {chosen.label_set_id} ({chosen.method}): {word}; {chosen.n} applicants{share}."]
    return lines + [f"{'Passed' if gate['passed'] else 'FAILED'}: {gate['sentence']}" for gate in chosen.report.get("gates", [])]


# --- fit: in the folder, without the database ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Run:
    """A prepared folder, read: what was asked for, what is known of the labels, the schema and the table."""

    config: Config
    facts: Mapping[str, Any]
    schema: Schema
    table: DataFrame

    @property
    def learned(self) -> DataFrame:
        """The labelled rows of the training part."""
        return self.table[~self.table["is_test"] & self.table["bad"].notna()].reset_index(drop=True)

    @property
    def test(self) -> DataFrame:
        """The untouched rows, unlabelled ones among them: an outcome may still be known of those."""
        return self.table[self.table["is_test"]].reset_index(drop=True)


def fit(folder: Path, progress: Progress) -> None:
    """Fit every algorithm of a prepared folder, measure it on the untouched test part, write one model folder each and result.json.

    `progress` is told the share done and what is being done. Raises CreditRiskError where a model cannot be explained exactly.
    """
    run = _read(folder)
    algorithms = run.config.all_algorithms
    efforts = [EFFORT.get(name, 0.2) for name in algorithms]
    results = []
    for number, name in enumerate(algorithms):
        begin, share = sum(efforts[:number]) / sum(efforts), efforts[number] / sum(efforts)

        def tell(done: float, what: str, begin: float = begin, share: float = share) -> None:
            progress(begin + share * done, what.replace("_", " "))

        results.append(_candidate(name, run, folder / name, tell))
    (folder / "result.json").write_text(text_of(results), encoding="utf-8")
    progress(1.0, "registering the candidates")


def _read(folder: Path) -> _Run:
    from pyarrow import parquet

    asked = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    schema = schemas.parse((folder / "schema.toml").read_text(encoding="utf-8"))
    table = parquet.read_table(folder / "data.parquet").to_pandas()
    return _Run(Config.from_dict(asked["config"]), asked["facts"], schema, table.astype(dict.fromkeys(LABELS, "boolean")))


def _candidate(name: str, run: _Run, folder: Path, tell: Progress) -> dict[str, Any]:
    """Fit one algorithm, write its folder, return what the registry needs to know of it."""
    began, learned, test = time.perf_counter(), run.learned, run.test
    fitted = pipeline.fit(
        name,
        learned,
        learned["bad"].astype(float),
        learned["weight"],
        run.schema,
        config=pipeline.Fitting(run.config.seed, run.config.folds, run.facts["cutoff"]),
        progress=lambda done, what: tell(0.6 * done, what),
    )
    margin = fitted.margin(test)
    scored = test[["applicant_id", "bad"]].assign(pd=estimators.inverse_logit(margin), margin=margin)
    tell(0.6, f"measuring {name} on {len(test):,} test applicants")
    found = _measured(test, scored["pd"].to_numpy(float), run)
    found["circularity"] = _circularity(found, run.facts, [feature for feature in run.facts["shared"] if fitted.importance.get(feature)])
    folder.mkdir()
    _save(fitted, folder, run.schema)
    scored.to_parquet(folder / "test.parquet", index=False)
    _explained(fitted, test, margin, tell).to_parquet(folder / "contributions.parquet", index=False)
    (folder / "metrics.json").write_text(text_of(found), encoding="utf-8")
    return {"algorithm": name, "metrics": found, "card": _card(name, run, found), "seconds": time.perf_counter() - began}


def _measured(test: DataFrame, prob_default: NDArray[np.float64], run: _Run) -> dict[str, Any]:
    """Return the figures by label source: the label set's own, and verified ones where the test part holds both classes."""
    held = {"observed": test["verified_observed"], "review": test["verified_review"], run.facts["source"]: test["bad"]}
    found = {}
    for source in SOURCES:
        if source in held and held[source].dropna().nunique() == 2:
            rows = held[source].notna().to_numpy(bool)
            bad = held[source][rows].to_numpy(bool)
            found[source] = metrics.report(bad, prob_default[rows], bootstraps=run.facts["bootstraps"], seed=run.config.seed)
    return found


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
        tell(0.7 + 0.3 * begin / len(test), f"explaining {fitted.algorithm}, test applicant {begin + 1:,} of {len(test):,}")
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


def _card(name: str, run: _Run, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections of the model's card, each a list of sentences."""
    table, learned, facts = run.table, run.learned, run.facts
    n_invented = int(table["is_synthetic"].sum())
    word = "risk (proxy)" if facts["is_proxy"] else "probability of default"
    how = "the latest applicants" if run.config.split == "time" else "a random part, stratified by label"
    limits = ["It recommends; a named person decides.", "Thin or doubtful statements are referred by the policy, whatever the score."]
    if facts["is_proxy"]:
        limits.insert(0, "It was not fitted to real outcomes: its risk is relative and is no probability of default.")
    return {
        "banner": facts["banner"],
        "circularity": found["circularity"]["sentence"],
        "purpose": [f"Ranks applicants by {word} from what was known before the scoring date ({name.replace('_', ' ')})."],
        "data": [
            f"{int((~table['is_synthetic']).sum())} applicants, features of snapshot {facts['snapshot_id']}{_dates(table)}; "
            f"{int(table['bad'].isna().sum())} without a label were not learned from.",
            *([f"Learned from {n_invented} invented applicants too; none of them is in the test part."] if n_invented else []),
            f"SHA-256 of the table: {facts['data_sha256']}.",
        ],
        "labels": facts["labels"],
        "split": [
            f"Learned from {len(learned)} applicants ({int(learned['bad'].sum())} bad), tested on {int(table['is_test'].sum())}: "
            f"{how}, seed {run.config.seed}.",
            f"Calibrated (Platt) on rows the fit had not seen, up to {run.config.folds} folds.",
        ],
        "features": [f"{len(run.schema.predictors)} predictors: {'; '.join(feature.title for feature in run.schema.predictors)}."],
        "limits": limits,
    }


def _dates(table: DataFrame) -> str:
    days = table["as_of"].dropna()
    if days.empty:
        return ""
    first, last = (str(np.datetime64(day, "D")) for day in (days.min(), days.max()))
    return f" as of {first}" if first == last else f" as of {first} to {last}"


# --- finish: from the folder to the registry -----------------------------------------------------------------------


def finish(store: Store, folder: Path, *, user: str, job_id: str | None = None) -> list[str]:
    """Register every model of a fitted folder in one transaction; returns the ids in the order they were fitted."""
    asked = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    results = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    fingerprint = schemas.parse((folder / "schema.toml").read_text(encoding="utf-8")).fingerprint
    facts = asked["facts"]
    drafts = [
        registry.Draft(
            folder=folder / result["algorithm"],
            algorithm=result["algorithm"],
            label_set_id=asked["config"]["label_set_id"],
            label_source=facts["source"],
            is_proxy=facts["is_proxy"],
            snapshot_id=facts["snapshot_id"],
            schema_fingerprint=fingerprint,
            metrics=result["metrics"],
            config=asked["config"],
            card=result["card"],
            seconds=result["seconds"],
        )
        for result in results
    ]
    return registry.register(store, drafts, user=user, job_id=job_id)


# --- what came of it -----------------------------------------------------------------------------------------------


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
        "circular": bool(model["metrics"].get("circularity", {}).get("flag", False)),
        **{name: model.get(name) for name in ("seconds", "created_at", "created_by")},
    }


def _area(report: Mapping[str, Any], name: str) -> dict[str, float]:
    area = report.get("auc", {})
    return {f"{name}{end}": _figure(area.get(key)) for end, key in (("", "value"), ("_low", "low"), ("_high", "high"))}


def _figure(value: Any) -> float:
    if isinstance(value, Mapping):
        value = value.get("value")
    return float("nan") if value is None else float(value)


def curves(store: Store, model_id: str) -> dict[str, DataFrame]:
    """Return what a model's page draws of its labelled test rows, from the files kept with it.

    'roc' and 'calibration' as in `metrics`; 'scores' (low = lower edge of a 20-point bin, bad, n); 'importance' (feature, title,
    mean_abs = mean size of the contribution in log-odds), largest first.
    """
    scored = registry.table(store, model_id, "test").dropna(subset=["bad"])
    bad, prob_default = scored["bad"].to_numpy(bool), scored["pd"].to_numpy(float)
    low = np.floor(scorecard.score(prob_default, store.settings.score) / SCORE_BIN) * SCORE_BIN
    parts = registry.table(store, model_id, "contributions").drop(columns=["applicant_id", "base"]).abs().mean()
    schema = schemas.parse((store.models / model_id / "schema.toml").read_text(encoding="utf-8"))
    rows = [(name, schema[str(name)].title, size) for name, size in parts.sort_values(ascending=False).items()]
    return {
        "roc": metrics.roc(bad, prob_default),
        "calibration": metrics.calibration_table(bad, prob_default),
        "scores": DataFrame({"low": low, "bad": bad}).value_counts(sort=False).rename("n").reset_index(),
        "importance": DataFrame(rows, columns=["feature", "title", "mean_abs"]),
    }


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
            "seconds": model["seconds"],
        }
    names = ("model_id", "status", "algorithm", "label_source", "is_proxy", "created_at", "digest")
    return {**{name: model[name] for name in names}, "metrics": figures}
