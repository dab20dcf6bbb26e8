"""What must be true after a kill: nothing acknowledged is lost, nothing is half there. Each rule names what breaks it."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from pyarrow import parquet

from creditrisk import integrity, privacy, registry, vault
from creditrisk import store as stores
from creditrisk.errors import CreditRiskError, StoreDamaged
from creditrisk.settings import Settings
from creditrisk.store import Store
from tests.crash.acts import FILE, opened, safe


def look(settings: Settings, told: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """Start up as the workbench does and examine everything; returns what start-up `said` and what is `wrong`."""
    said: list[str] = []
    try:
        try:
            store = opened(settings, said)
        except StoreDamaged as lost:
            if not (told and told[-1].get("killed") == "restore" and "has lost changes" in str(lost)):
                raise
            integrity.restore(settings, max(safe(settings).glob("[!.]*")), user="dan")  # as the sentence says
            said.append("What a restore had not put in place was put there once more.")
            store = opened(settings, said)
        with closing(store):
            return {"said": said, "wrong": [f"{rule.__name__}: {what}" for rule in RULES for what in rule(store, told)]}
    except CreditRiskError as refusal:
        return {"said": [], "wrong": [f"start-up refuses: {refusal}"]}


def whole(store: Store, _told: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What `check` finds."""
    yield from (found["sentence"] for found in integrity.check(store) if not found["passed"])


def kept(store: Store, told: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Whatever was acknowledged is there, as it was acknowledged."""
    for act in told:
        if act.get("sha256") and store.rows(STORED, sha256=act["sha256"]) != [(act["n_new"],)]:
            yield f"the statement {act['sha256'][:12]} with {act['n_new']} rows"
        if act.get("label_set") and not store.rows("select 1 from label_set where label_set_id = $id", id=act["label_set"]):
            yield f"the label set {act['label_set']}"
        for model in act.get("models", []):
            if not store.rows("select 1 from model where model_id = $id", id=model) or registry.damage(store, model):
                yield f"the model {model}"
        if act.get("job") and not store.rows("select 1 from job_current where job_id = $id and state = 'done'", id=act["job"]):
            yield f"the end of job {act['job']}"
        if act.get("review") and not store.rows("select 1 from review where review_id = $id", id=act["review"]):
            yield f"the verdict {act['review']}"
        if act.get("status") and store.rows(INSPECTED, id=act["review"]) != [(act["status"],)]:
            yield f"the inspection of {act['review']}"
        if act.get("scored") and _scored(store, act["scored"]) != (len(act["scored"]), round(act["pd"], 9)):
            yield f"the batch of {act['scored'][0]}"
        if act.get("batch") and store.rows(BATCHED, id=act["batch"]) != [(FILE, FILE, act["sum"], FILE)]:
            yield f"the scores of {act['batch']}"
        for kind, query in KEPT.items():
            if kind in act and not store.rows(query, id=act[kind]):
                yield f"the {kind} {act[kind]}"
        if act.get("backup") and not (Path(act["backup"]) / integrity.MANIFEST).is_file():
            yield f"the backup {act['backup']}"
    promoted = [act["model"] for act in told if "model" in act]
    events = [
        name for (name,) in store.rows("select model_id from model_event where status = 'champion' and by_user = 'vera' order by seq")
    ]
    if events[: len(promoted)] != promoted:
        yield f"a promotion among {promoted}"
    if len(events) > len(promoted) + sum(act.get("killed") == "promote" for act in told):
        yield "a promotion that nobody asked for"


KEPT = {
    "decision": "select 1 from decision where decision_id = $id",
    "correction": "select 1 from correction where correction_id = $id",
    "schedule": "select 1 from schedule_event where schedule_id = $id and state = 'started'",
}
STORED = "select count(*) from transaction join statement using (statement_id) where sha256 = $sha256 having count(*) > 0"
INSPECTED = "select status from inspection_current where review_id = $id"


BATCHED = """
    select count(*), count(distinct row), round(sum(pd), 9), (select max(last_row) from batch_part where batch_id = $id)
    from batch_score where batch_id = $id
"""


def _scored(store: Store, names: list[str]) -> tuple[int, float]:
    n, total = store.rows("select count(*), coalesce(sum(pd), 0) from prediction where list_contains($ids, prediction_id)", ids=names)[0]
    return int(n), round(total, 9)


def on_record(store: Store, _told: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Each fact is in the audit chain, and each entry in the chain has its facts: a transaction holds both or neither."""
    for what, (facts, entries) in ACCOUNTS.items():
        there, said = store.value(facts), store.value(entries)
        if there != said:
            yield f"{there} {what}, {said} in the audit chain"


ACCOUNTS = {
    "predictions": ("select count(*) from prediction", "select sum((detail->>'n')::int)::int from audit where action = 'score'"),
    "parts of batches": (
        "select count(*) from batch_part",
        "select count(*) from audit where action = 'score' and detail->>'first' is not null",
    ),
    "verdicts": (
        "select count(*) from review",
        "select sum(coalesce((detail->>'n')::int, 1))::int from audit where action = 'review'",
    ),
    "inspections": ("select count(*) from inspection", "select sum((detail->>'n')::int)::int from audit where action = 'inspect'"),
    "statements": (
        "select count(*) from statement",
        """select (
            coalesce(sum(json_array_length(detail->'files')) filter (action = 'ingest'), 0)
            - coalesce(sum((detail->'gone'->>'statements')::int) filter (action = 'erase'), 0)
        )::int
        from audit""",
    ),
    "label sets": ("select count(*) from label_set", "select count(*) from audit where action = 'label'"),
    "models": (
        "select count(*) from model",
        "select sum(len(string_split(subject, ', ')))::int from audit where action = 'register'",
    ),
    "decisions": ("select count(*) from decision", "select count(*) from audit where action = 'decide'"),
    "corrections": ("select count(*) from correction", "select count(*) from audit where action = 'correct'"),
    "trainings put off": ("select count(*) from schedule", "select count(*) from audit where action = 'schedule'"),
    "snapshots": ("select count(*) from snapshot", "select count(*) from audit where action = 'features'"),
    "jobs": ("select count(*) from job", "select count(*) from audit where action = 'job'"),
    "promotions": (
        "select count(*) from model_event where status = 'champion'",
        "select count(*) from audit where action = 'promote'",
    ),
}


def ended(store: Store, _told: Sequence[dict[str, Any]]) -> Iterator[str]:
    """No job is said to run, for none does."""
    yield from (f"job {name} is {state}" for name, state in store.rows("select job_id, state from job_current") if state in RUNS)


RUNS = ("queued", "running")


def one_champion(store: Store, _told: Sequence[dict[str, Any]]) -> Iterator[str]:
    """One model scores, and it can."""
    names = [name for (name,) in store.rows("select model_id from model_current where status = 'champion'")]
    if len(names) != 1:
        yield f"champions: {names}"
    yield from (str(said) for name in names if (said := registry.damage(store, name)))


def folders(store: Store, _told: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The folders of models are those of the models on record."""
    there = {path.name for path in store.models.iterdir()} - {"quarantine"}
    known = {name for (name,) in store.rows("select model_id from model")}
    if there != known:
        yield f"only as a folder {sorted(there - known)}, only on record {sorted(known - there)}"


def parts(store: Store, _told: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Parts of a batch follow each other, and its folder holds theirs, and what it needs to go on, and nothing else."""
    for (name,) in store.rows("select batch_id from batch"):
        rows = store.rows("select first_row, last_row, n_scored from batch_part where batch_id = $id order by first_row", id=name)
        if [first for first, _, _ in rows] != [1, *(last + 1 for _, last, _ in rows)][: len(rows)]:
            yield f"the parts of {name} are {rows}"
        there = {path.name for path in vault.folder(store, name).iterdir()}
        known = {f"{first}{vault.VALUES}" for first, _, _ in rows}
        if there not in (known, known | set(vault.NEEDED)) or (there == known and rows[-1][1] != FILE):
            yield f"the folder of {name} holds {sorted(there)} and {len(known)} parts are kept"
    beside = {path.name for path in vault.folder(store, "").glob("*")} - {name for (name,) in store.rows("select batch_id from batch")}
    yield from (f"{name} is no batch" for name in sorted(beside))


def copies(store: Store, _told: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A backup that has its name is whole, and nothing of an unfinished one is left."""
    there = sorted(safe(store.settings).glob("*")) if safe(store.settings).is_dir() else []
    for path in there:
        if path.name.startswith("."):
            yield f"{path.name} is left of an unfinished backup"
        else:
            integrity.verify(path)
            digests = json.loads((path / integrity.MANIFEST).read_text())["files"]
            if integrity.DATABASE not in digests or not any(name.startswith("models/") for name in digests):
                yield f"{path.name} lacks its database or its models"
    yield from (f"{path.name} is left" for path in (store.settings.data / stores.COPIES).glob("*"))


def gone(store: Store, told: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Who was erased is named nowhere, neither in a table nor in a file beside a model."""
    leaving = [act["erased"] for act in told if "erased" in act]
    for table in (*privacy.RENAMED, *privacy.DELETED):
        for (name,) in store.rows(f"select distinct applicant_id from {table} where list_contains($names, applicant_id)", names=leaving):
            yield f"{name} in {table}"
    for file in sorted(path for name in registry.TABLES for path in store.models.glob(f"M*/{name}.parquet")):
        yield from (f"{name} in {file}" for name in sorted(set(parquet.read_table(file)["applicant_id"].to_pylist()) & set(leaving)))


def once(store: Store, _told: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What was put off ended once, and nobody was erased by halves: each erasure has its entry."""
    for name, n in store.rows("select schedule_id, count(*) from schedule_event group by schedule_id having count(*) > 1"):
        yield f"{name} ended {n} times"
    there, said = (store.value(query) for query in ("select count(*) from erasure", "select count(*) from audit where action = 'erase'"))
    if there != said:
        yield f"{there} erasures, {said} in the audit chain"


RULES: Sequence[Callable[[Store, Sequence[dict[str, Any]]], Iterator[str]]] = (
    whole,
    kept,
    on_record,
    ended,
    one_champion,
    folders,
    parts,
    copies,
    gone,
    once,
)
