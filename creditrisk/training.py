"""Candidates: a label set becomes fitted, measured, explained models beside the baselines that they must beat.

Three steps: `prepare` writes what a run needs to a folder, `trial.fit` works in that folder without the database, `finish`
registers everything in one transaction. Page, command line and background job all take the same three.
"""

import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import packages_distributions, version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, Series, concat, read_parquet

from creditrisk import (
    __version__,
    augment,
    custody,
    features,
    jobs,
    labels,
    policy,
    registry,
    split,
    suspects,
    tabular,
    tracking,
    trial,
    workspace,
)
from creditrisk import schema as schemas
from creditrisk.errors import InvalidInput, NotEnoughData, NothingYet, SchemaMismatch
from creditrisk.plan import BASELINES, Config
from creditrisk.settings import Intake
from creditrisk.store import Store
from creditrisk.store import to_json as text_of
from creditrisk.trial import LABELS

log = logging.getLogger(__name__)
Progress = Callable[[float, str], None]
LEAST_OF_A_CLASS = 10
WORDS = {"cluster": "clusters (proxies)", "rfm": "engagement (proxies)", "review": "accepted verdicts", "observed": "observed outcomes"}
LIBRARIES = ("sklearn", "xgboost", "lightgbm", "optbinning", "numpy")  # whose version can change what is fitted


def defaults(store: Store) -> Config:
    """Return the configuration of a run nobody configured: the installation's settings and the newest label set."""
    chosen = store.settings.training
    return Config(label_set_id=labels.newest(store), test_size=chosen.test_size, seed=chosen.seed)


# --- the whole way -------------------------------------------------------------------------------------------------


def train(store: Store, config: Config, *, user: str, progress: Progress | None = None) -> list[str]:
    """Train and register here and now; returns the ids of the candidates, then of the baselines."""
    config = _with_feedback(store, config, user=user)
    with custody.writing(store.models), _folder(store) as folder:
        prepare(store, config, folder)
        trial.fit(folder, progress or (lambda _share, _what: None))
        names = finish(store, folder, user=user)
    if said := tracking.record(store, names):
        log.warning(said)  # nobody else asks: a job says it in its last message, this has none
    return names


def start(store: Store, config: Config, *, user: str) -> str:
    """Train in the background; returns the job's id. Raises JobBusy while another training runs."""
    jobs.require_idle(store)
    config = _with_feedback(store, config, user=user)
    with custody.writing(store.models):
        folder = _new_folder(store)
    try:
        with custody.writing(store.models):
            prepare(store, config, folder)
        return jobs.spawn(
            store,
            "training",
            config.to_dict(),
            jobs.python("creditrisk.worker", str(folder.resolve())),
            user=user,
            finish=lambda job_id: _registered(store, finish(store, folder, user=user, job_id=job_id)),
            folder=folder,
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _with_feedback(store: Store, config: Config, *, user: str) -> Config:
    """Return what to train on where feedback is asked for: the label set, frozen together with all that is verified by now."""
    name = config.label_set_id or labels.newest(store)
    if config.proxy_mass is None or name is None:
        return config
    return replace(config, label_set_id=labels.taught(store, name, user=user, proxy_mass=config.proxy_mass).label_set_id)


def _registered(store: Store, names: list[str]) -> str:
    said = tracking.record(store, names)
    return f"registered {len(names)} candidates: {', '.join(names)}{f'. {said}' if said else ''}"


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

    Raises NothingYet without labels, NotEnoughData where a class is too small, InvalidInput for predictors that are none, a time
    split without dates, or a test file that names nobody, everybody or strangers.
    """
    name = config.label_set_id or labels.newest(store)
    if name is None:
        raise NothingYet("There are no labels yet: make a label set on the labels page or with `label kmeans`.")
    config, chosen = replace(config, label_set_id=name), labels.get(store, name)
    config.reads(store.schema)
    _same_schema(store, chosen.snapshot_id)
    table = labels.training_set(store, name, unlabelled=True)
    _enough(table, name)
    for source, verified in labels.by_source(store, chosen.snapshot_id).items():
        known = verified.set_index("applicant_id")["bad"].astype("boolean")
        table[f"verified_{source}"] = table["applicant_id"].map(known).astype("boolean")
    table["is_test"] = _test_rows(table, config, store.settings.intake)
    table = table[~split.left_out(table, table["is_test"].to_numpy(bool))].reset_index(drop=True)
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
        "folds": store.settings.training.folds,
        "cutoff": policy.cutoff(store.settings.policy),
        "margin": store.settings.policy.margin,
        "lgd": store.settings.policy.lgd,
        "lineage": _lineage(store),
        "data_sha256": hashlib.sha256((folder / "data.parquet").read_bytes()).hexdigest(),
    }
    (folder / "config.json").write_text(text_of({"config": config.to_dict(), "facts": facts}), encoding="utf-8")


def _lineage(store: Store) -> dict[str, str]:
    """Return what made the table and the model besides the data: versions and digests by name."""
    of_library = packages_distributions()
    libraries = ", ".join(f"{name} {version(of_library[name][0])}" for name in LIBRARIES)
    of_features = "the lender's own table" if workspace.of_table(store) else features.version()
    return {"features computed by": of_features, "code": f"creditrisk {__version__}", "libraries": libraries}


def _test_rows(table: DataFrame, config: Config, intake: Intake) -> NDArray[np.bool_]:
    if config.split == "time":
        return split.by_time(table, config.test_size)
    if config.split == "file":
        file = Path(str(config.test_file))
        return split.by_name(table, _named(file, intake), file.name)
    return split.at_random(table, config.test_size, config.seed)


def _named(file: Path, intake: Intake) -> set[str]:
    """Return the applicants a file of one's own names: its column applicant_id, or the first one; raises UnreadableFile."""
    listed = tabular.load(file, intake)
    column = "applicant_id" if "applicant_id" in listed.columns else listed.columns[0]
    return {str(name).strip() for name in listed[column].dropna()}


def keep_test(store: Store, name: str, content: bytes, *, user: str) -> str:
    """Keep an uploaded list of applicants to test on beside the workspace, so that its run can be run again; returns its path.

    Raises UnreadableFile for what is no table, NotAllowed for who may not train.
    """
    store.require(user, "job", "applicants to test on")
    tabular.read(name, content, store.settings.intake)
    folder = store.settings.data / "test-sets"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{hashlib.sha256(content).hexdigest()[:16]}{Path(name).suffix.lower()}"
    file.write_bytes(content)
    return str(file.absolute())


def _invented(store: Store, chosen: labels.LabelSet) -> DataFrame:
    """Return the invented applicants as rows to learn from, labelled by the set's own clusters, never in the test part.

    Raises InvalidInput where a proxy cannot label them: what was never lent has no outcome.
    """
    if chosen.source != "cluster":
        raise InvalidInput(
            f"Label set {chosen.label_set_id} says what really happened, of some at least, and to invented applicants nothing did: "
            "learn without them."
        )
    made = augment.table(store)
    bad = labels.of_clusters(store, chosen.label_set_id, made)
    empty = {name: Series(None, index=made.index, dtype="boolean") for name in LABELS[1:]}
    return made.assign(bad=bad, weight=1.0, is_test=False, **empty)[bad.notna()]


def _same_schema(store: Store, snapshot_id: int) -> None:
    made_for = store.value("select schema_fingerprint from snapshot where snapshot_id = $id", id=snapshot_id)
    if made_for not in (None, store.schema.fingerprint):
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


def _about_labels(chosen: labels.LabelSet) -> list[str]:
    counts = chosen.report.get("by_source", {})
    word = "proxy label from clusters, nobody has verified it" if chosen.is_proxy else f"{chosen.source} labels"
    if counts:
        word = f"{', '.join(f'{n:,} from {WORDS[source]}' for source, n in counts.items())}"
        word += f"; each verified label weighs 1, all proxies together {chosen.report.get('proxy_weight', chosen.report['proxy_mass']):.3g}"
    share = f", {100 * chosen.share_risky:.1f} % bad" if chosen.share_risky is not None else ""
    lines = [f"Label set {chosen.label_set_id} ({chosen.method}): {word}; {chosen.n} applicants{share}."]
    return lines + [f"{'Passed' if gate['passed'] else 'FAILED'}: {gate['sentence']}" for gate in chosen.report.get("gates", [])]


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
            config={**asked["config"], "parameters": {**asked["config"]["parameters"], result["algorithm"]: result["parameters"]}},
            card=result["card"],
            seconds=result["seconds"],
            suspects=_suspects(folder / result["algorithm"]),
        )
        for result in results
    ]
    return registry.register(store, drafts, user=user, job_id=job_id)


def _suspects(folder: Path) -> DataFrame | None:
    """Return the labels that a candidate doubts where it had not seen them; a baseline doubts nothing."""
    if folder.name in BASELINES:
        return None
    return suspects.found(read_parquet(folder / "validation.parquet"))


def config_of(store: Store, model_id: str) -> Config:
    """Return what the run that made a model was asked for, ready to be run again: the other algorithms' settings are as asked."""
    return Config.from_dict(registry.get(store, model_id)["config"])
