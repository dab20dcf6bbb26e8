"""Models as they were fitted, for ever: a folder each, known by the digest of its pipeline, and who gave it which standing.

Files first, the row last: a crash leaves a folder without a row, never a row without a folder. Bytes that are not the
registered ones are never unpickled, because unpickling runs code.
"""

import hashlib
import io
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pandas import DataFrame

from creditrisk import card as cards
from creditrisk import custody, suspects
from creditrisk.errors import CreditRiskError, InvalidInput, NotAllowed, NothingYet, SchemaMismatch, TamperedArtefact, UnknownThing
from creditrisk.people import same
from creditrisk.pipeline import Pipeline
from creditrisk.plan import BASELINES
from creditrisk.schema import Schema, parse
from creditrisk.store import Store, now, to_json

ARTEFACT = "pipeline.joblib"
PART = ".part"
SCHEMA = "schema.toml"
STANDINGS = frozenset({"register", "import model", "promote", "challenge", "retire"})  # the changes by which models get a standing
TABLES = ("test", "validation", "contributions")
ROW = (  # what a card says because the registry does
    *("model_id", "algorithm", "label_set_id", "label_source", "is_proxy", "snapshot_id", "schema_fingerprint", "digest"),
    *("metrics", "config", "seconds", "job_id", "created_at", "created_by"),
)


@dataclass(frozen=True)
class Draft:
    """A fitted model not yet registered: its folder (inside the workspace's models folder) and what the row will say.

    `metrics` are keyed by label source; `card` holds the sections that `card.json` and `card.md` show beside them.
    """

    folder: Path
    algorithm: str
    label_set_id: str
    label_source: str
    is_proxy: bool
    snapshot_id: int
    schema_fingerprint: str
    metrics: Mapping[str, Any]
    config: Mapping[str, Any]
    card: Mapping[str, Any]
    seconds: float
    suspects: DataFrame | None = None  # labels it doubts, as `suspects.found` returns them


@dataclass(frozen=True)
class Arrival:
    """How models came into the workspace when they were not trained here: the reason told, what the audit keeps, and what is
    stored with them in their transaction."""

    said: str
    detail: Mapping[str, Any]
    store: Callable[[Any], None]


def register(store: Store, drafts: Sequence[Draft], *, user: str, job_id: str | None = None, arrival: Arrival | None = None) -> list[str]:
    """Move finished folders into place and register them as candidates, all in one transaction; returns the new ids.

    Raises SchemaMismatch for a model of another schema. The drafts' folders are gone afterwards.
    """
    for draft in drafts:
        _same_schema(store, draft.schema_fingerprint, f"The {draft.algorithm} model")
    names: list[str] = [store.value("select printf('M%04d', nextval('model_seq'))") for _ in drafts]
    try:
        rows = [_placed(store, draft, name, user, job_id) for draft, name in zip(drafts, names, strict=True)]
        digests = {row["model_id"]: row["digest"] for row in rows}
        action, detail = ("import model", arrival.detail) if arrival else ("register", {})
        kept = {name: files(store, name) for name in names}
        with store.write(user, action, ", ".join(names), digests=digests, model_files=kept, **detail) as cursor:
            if arrival:
                arrival.store(cursor)
            for draft, row in zip(drafts, rows, strict=True):
                cursor.execute(
                    """insert into model values ($model_id, $algorithm, $label_set_id, $label_source, $is_proxy, $snapshot_id,
                    $schema_fingerprint, $digest, $metrics, $config, $seconds, $job_id, $created_at, $created_by)""",
                    row,
                )
                _stand(cursor, row["model_id"], "candidate", user, arrival.said if arrival else "trained")
                if draft.suspects is not None:
                    suspects.keep(cursor, row["model_id"], draft.suspects)
    except BaseException:
        with suppress(CreditRiskError):  # a store that gives no answer: what has no row is set aside at the next start
            for name in names:
                if not store.value("select 1 from model where model_id = $id", id=name):  # it may be there, and only not be acknowledged
                    shutil.rmtree(store.models / name, ignore_errors=True)
        raise
    return names


def models(store: Store) -> DataFrame:
    """Return one row per model, newest first: the columns of `model_current`, metrics and config as dictionaries."""
    frame = store.read("select * from model_current order by model_id desc")
    return frame.assign(metrics=[json.loads(text) for text in frame["metrics"]], config=[json.loads(text) for text in frame["config"]])


def get(store: Store, model_id: str) -> dict[str, Any]:
    """Return a model's row with its present standing, metrics and config as dictionaries; raises UnknownThing."""
    row = store.record("select * from model_current where model_id = $id", id=model_id)
    if row is None:
        raise UnknownThing("model", model_id, "`models` lists those there are.")
    return {**row, "metrics": json.loads(row["metrics"]), "config": json.loads(row["config"])}


def champion(store: Store) -> dict[str, Any] | None:
    """Return the row of the model that scores, or None."""
    return store.lasting("champion", STANDINGS, lambda: _champion(store))


def _champion(store: Store) -> dict[str, Any] | None:
    # Who it is and what it is are one answer: a promotion between two would pair the new time with the former champion.
    name = store.value("select model_id from model_current where status = 'champion' order by status_at desc limit 1")
    return get(store, name) if name else None


def champion_id(store: Store) -> str | None:
    """Return the id of the model that scores, or None."""
    found = champion(store)
    return found["model_id"] if found else None


def challengers(store: Store, schema_fingerprint: str) -> list[str]:
    """Return the ids of the models of a schema that stand beside the champion."""
    asked = "select model_id, schema_fingerprint from model_current where status = 'challenger' order by model_id"
    standing = store.lasting("challengers", STANDINGS, lambda: store.rows(asked))
    return [name for name, fingerprint in standing if fingerprint == schema_fingerprint]


def events(store: Store, model_id: str | None = None) -> DataFrame:
    """Return who gave which model which standing, and why, newest first: model_id, status, happened_at, by_user, reason."""
    return store.read(
        """select model_id, status, happened_at, by_user, reason from model_event
        where $id is null or model_id = $id order by seq desc""",
        id=model_id,
    )


def load(store: Store, model_id: str) -> Pipeline:
    """Return the fitted pipeline; raises TamperedArtefact, naming the file, unless its bytes are the registered ones."""
    import joblib

    content = _verified(store, get(store, model_id))
    pipeline = joblib.load(io.BytesIO(content))  # the very bytes that were hashed, not the file once more
    if not isinstance(pipeline, Pipeline):
        raise TamperedArtefact(f"{_folder(store, model_id) / ARTEFACT} holds a {type(pipeline).__name__}, not a fitted pipeline.")
    return pipeline


def artefact(store: Store, model_id: str) -> bytes:
    """Return the bytes of a fitted pipeline, for a process that loads it; raises TamperedArtefact unless they are the registered ones."""
    return _verified(store, get(store, model_id))


def schema(store: Store, model_id: str) -> Schema:
    """Return the features a model was made for, as they were declared then; a workspace's own may have changed since.

    Raises TamperedArtefact where the file beside the model does not declare them.
    """
    fingerprint = store.value("select schema_fingerprint from model where model_id = $id", id=model_id)
    if fingerprint is None:
        get(store, model_id)  # raises
    if fingerprint == store.schema.fingerprint:
        return store.schema
    file = _folder(store, model_id) / SCHEMA
    try:
        declared = parse(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError, InvalidInput) as error:
        raise TamperedArtefact(f"{file} cannot be read, so nothing says what model {model_id} reads. Restore it from a backup.") from error
    if declared.fingerprint != fingerprint:
        raise TamperedArtefact(f"{file} is not the schema that model {model_id} was made for. Restore it from a backup.")
    return declared


def others(store: Store, user: str) -> list[str]:
    """Return who else has changed something here, by name; the program itself and the invented people of the demo bank are nobody."""
    found = store.rows(
        """select distinct user_name from audit
        where user_name <> 'creditrisk' and user_name not like 'demo%' and action <> 'refused'
        order by user_name"""
    )
    return [name for (name,) in found if not same(name, user)]


def hindrance(store: Store, model_id: str) -> str | None:
    """Return why a model may be studied only, in a sentence; None where a person may promote it. Raises UnknownThing."""
    try:
        _may_be_used(store, get(store, model_id))
    except NotAllowed as refusal:
        return str(refusal)
    return None


def promote(store: Store, model_id: str, *, user: str, reason: str) -> None:
    """Make a model the champion in a named person's name; the champion before it is retired in the same transaction.

    Raises UnknownThing, TamperedArtefact, SchemaMismatch, InvalidInput without a reason or for the present champion, and
    NotAllowed for a baseline and for a model learned from labels that fail their checks.
    """
    chosen = get(store, model_id)
    require_reason(reason, f"Promoting {model_id}")
    _may_be_used(store, chosen)
    _same_schema(store, chosen["schema_fingerprint"], model_id)
    _verified(store, chosen)
    with store.write(user, "promote", model_id, reason=reason.strip(), digest=chosen["digest"]) as cursor:
        before = cursor.execute("select model_id from model_current where status = 'champion'").fetchall()
        if (model_id,) in before:
            raise InvalidInput(f"{model_id} is the champion already.")
        for (name,) in before:
            _stand(cursor, name, "retired", user, f"{model_id} was promoted: {reason.strip()}")
        _stand(cursor, model_id, "champion", user, reason.strip())


def challenge(store: Store, model_id: str, *, user: str, reason: str) -> None:
    """Give a candidate the standing of challenger: from now on it says beside the champion what it would have said, and decides nothing.

    Raises as `promote` does, and InvalidInput for the champion, a challenger and a model out of use.
    """
    chosen = get(store, model_id)
    require_reason(reason, f"Setting {model_id} beside the champion")
    if chosen["status"] != "candidate":
        raise InvalidInput(f"{model_id} is {chosen['status']}: a challenger is a candidate first.")
    _may_be_used(store, chosen)
    _same_schema(store, chosen["schema_fingerprint"], model_id)
    _verified(store, chosen)
    with store.write(user, "challenge", model_id, reason=reason.strip(), digest=chosen["digest"]) as cursor:
        _stand(cursor, model_id, "challenger", user, reason.strip())


def retire(store: Store, model_id: str, *, user: str, reason: str) -> None:
    """Take a model out of use; retiring the champion leaves the workspace without one until somebody promotes another."""
    chosen = get(store, model_id)
    require_reason(reason, f"Retiring {model_id}")
    if chosen["status"] == "retired":
        raise InvalidInput(f"{model_id} is retired already.")
    with store.write(user, "retire", model_id, reason=reason.strip()) as cursor:
        _stand(cursor, model_id, "retired", user, reason.strip())


def rollback(store: Store, *, user: str, reason: str) -> str:
    """Promote the champion before the present one again; returns its id. Raises NothingYet where there was none."""
    require_reason(reason, "Rolling back")
    name = former(store)
    if name is None:
        raise NothingYet("There is no earlier champion to go back to.")
    promote(store, name, user=user, reason=reason)
    return name


def former(store: Store) -> str | None:
    """Return the champion before the present one, to whom `rollback` goes, or None."""
    present = champion(store)
    name = store.value(
        "select model_id from model_event where status = 'champion' and model_id <> $present order by seq desc limit 1",
        present=present["model_id"] if present else "",
    )
    return str(name) if name else None


def spans(store: Store) -> DataFrame:
    """Return from when until when which model had which standing, oldest first: model_id, algorithm, status, from_at, until_at
    (the present instant where it has it still), is_present, by_user, reason."""
    return store.read(
        """select model_id, algorithm, event.status, happened_at as from_at,
            coalesce(lead(happened_at) over (partition by model_id order by seq), $now) as until_at,
            lead(happened_at) over (partition by model_id order by seq) is null as is_present, by_user, reason
        from model_event as event join model using (model_id) order by seq""",
        now=now(),
    )


def card(store: Store, model_id: str) -> dict[str, Any]:
    """Return the model's card as it was written, with its present `status`, and the files' own words under `json` and `markdown`."""
    folder = _folder(store, get(store, model_id)["model_id"])
    try:
        data = (folder / "card.json").read_text(encoding="utf-8")
        written = json.loads(data)
        text = (folder / "card.md").read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise TamperedArtefact(
            f"The card of {model_id} cannot be read from {folder}: {error}. Restore the folder from a backup."
        ) from error
    return {**written, "status": get(store, model_id)["status"], "json": data, "markdown": text}


def table(store: Store, model_id: str, name: str) -> DataFrame:
    """Return a table kept with a model.

    'test' (applicant_id, as_of, bad, pd, margin) and 'contributions' (applicant_id, base, a column a feature) have a row for each
    test row, in one order; 'validation' (as 'test', and fold) one for each learning row, foreseen by a fit that had not seen it.
    Raises TamperedArtefact, naming the file, where it is missing or no table.
    """
    from pyarrow import parquet

    if name not in TABLES:
        raise InvalidInput(f"A model keeps the tables 'test', 'validation' and 'contributions', not {name!r}.")
    file = _folder(store, get(store, model_id)["model_id"]) / f"{name}.parquet"
    if not file.is_file():
        raise TamperedArtefact(f"{file} is missing. Restore it from a backup or train again.")
    try:
        kept: DataFrame = parquet.read_table(file).to_pandas()
    except (OSError, ValueError) as error:  # pyarrow's own errors are ValueErrors
        raise TamperedArtefact(
            f"{file} is not the table that was kept with {model_id}. Restore it from a backup or train again."
        ) from error
    return kept


def recover(store: Store) -> dict[str, list[str]]:
    """Tidy the models folder at start-up: half-written folders go, folders without a row are set aside under `quarantine`.

    Returns the names under 'removed' and 'quarantined', and under 'damaged' the champion where its bytes are not the registered ones.
    """
    known = {name for (name,) in store.rows("select model_id from model")}
    folders = [path for path in store.models.iterdir() if path.is_dir() and path.name != "quarantine"]
    half = [path for path in folders if path.name.startswith(".tmp-")]
    strays = [path for path in folders if path not in half and path.name not in known]
    settled(store)
    for path in half:
        shutil.rmtree(path)
    for path in strays:
        _set_aside(store, path)
    return {
        "removed": sorted(path.name for path in half),
        "quarantined": sorted(path.name for path in strays),
        "damaged": [name for (name,) in store.rows("select model_id from model_current where status = 'champion'") if damage(store, name)],
    }


def _placed(store: Store, draft: Draft, name: str, user: str, job_id: str | None) -> dict[str, Any]:
    """Complete a folder with its card, make it durable, move it to its name; returns the row to insert."""
    row = {
        "model_id": name,
        "algorithm": draft.algorithm,
        "label_set_id": draft.label_set_id,
        "label_source": draft.label_source,
        "is_proxy": draft.is_proxy,
        "snapshot_id": draft.snapshot_id,
        "schema_fingerprint": draft.schema_fingerprint,
        "digest": hashlib.sha256((draft.folder / ARTEFACT).read_bytes()).hexdigest(),
        "metrics": to_json(draft.metrics),
        "config": to_json(draft.config),
        "seconds": draft.seconds,
        "job_id": job_id,
        "created_at": now(),
        "created_by": user,
    }
    written = {**row, "metrics": draft.metrics, "config": draft.config, **draft.card}
    (draft.folder / "card.json").write_text(to_json(written), encoding="utf-8")
    (draft.folder / "card.md").write_text(cards.text(written), encoding="utf-8")
    target = store.models / name
    if target.exists():  # left by a run that ended between the move and its row; the number was handed out again
        _set_aside(store, target)
    draft.folder.chmod(0o700)
    custody.settle(draft.folder, target)
    return row


def _set_aside(store: Store, path: Path) -> None:
    aside = store.models / "quarantine"
    aside.mkdir(exist_ok=True)
    path.rename(aside / f"{path.name}-{now():%Y%m%dT%H%M%S%f}")


def _stand(cursor: Any, model_id: str, status: str, user: str, reason: str) -> None:
    cursor.execute(
        "insert into model_event (model_id, status, happened_at, by_user, reason) values ($model_id, $status, $at, $user, $reason)",
        {"model_id": model_id, "status": status, "at": now(), "user": user, "reason": reason},
    )


def _folder(store: Store, model_id: str) -> Path:
    return store.models / model_id


def _verified(store: Store, model: Mapping[str, Any]) -> bytes:
    file = _folder(store, model["model_id"]) / ARTEFACT
    try:
        content = file.read_bytes()
    except OSError as error:
        raise TamperedArtefact(
            f"{file} cannot be read ({error.strerror}), so model {model['model_id']} is not loaded. Restore it from a backup."
        ) from error
    if hashlib.sha256(content).hexdigest() != model["digest"]:
        raise TamperedArtefact(
            f"{file} is not the file that was registered (its SHA-256 differs), so model {model['model_id']} is not loaded. "
            "Restore it from a backup or train again."
        )
    return content


def damage(store: Store, model_id: str) -> str | None:
    """Return what is wrong with a model's files, in a sentence, or None."""
    try:
        _verified(store, {"model_id": model_id, "digest": store.value("select digest from model where model_id = $id", id=model_id)})
    except TamperedArtefact as error:
        return str(error)
    return None


def files(store: Store, model_id: str) -> dict[str, str]:
    """Return the SHA-256 of every file that lies in a model's folder, by name."""
    there = sorted(path for path in _folder(store, model_id).glob("[!.]*") if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in there}


def altered(store: Store, model_id: str) -> str | None:
    """Return which file beside a model is not the one that was kept with it, in a sentence, or None; of those kept before all were on
    record, only what scores."""
    wanted, there = _kept(store, model_id), files(store, model_id)
    wrong = next((name for name, digest in wanted.items() if there.get(name) != digest), None)
    if wrong is None:
        return damage(store, model_id)
    how = "is not the file that was kept" if wrong in there else "is missing"
    return f"{_folder(store, model_id) / wrong} {how}. Restore it from a backup or train again."


def part_of(file: Path) -> Path:
    """Return where a file of a model lies that is to replace it once that is on record."""
    return file.with_name(f".{file.name}{PART}")


def settled(store: Store) -> int:
    """Put files that were written anew in the place of the former ones where that is on record, and take away the others; returns how
    many there were."""
    parts = sorted(store.models.glob(f"M*/.*{PART}"))
    for part in parts:
        file = part.with_name(part.name.removeprefix(".").removesuffix(PART))
        if _kept(store, part.parent.name).get(file.name) == hashlib.sha256(part.read_bytes()).hexdigest():
            part.replace(file)
        else:
            part.unlink()
        custody.sync(part.parent)
    return len(parts)


def _kept(store: Store, model_id: str) -> dict[str, str]:
    """Return the digests of a model's files as they were last put on record, by name."""
    found: dict[str, str] = json.loads(store.value(KEPT, id=model_id) or "{}")
    return found


KEPT = """
    select coalesce(detail->'model_files'->>$id, detail->'gone'->'model_files'->>$id) as kept from audit
    where kept is not null order by seq desc limit 1
"""


def _same_schema(store: Store, fingerprint: str, what: str) -> None:
    if fingerprint != store.schema.fingerprint:
        raise SchemaMismatch(
            f"{what} was made for another schema ({fingerprint}) than this workspace has ({store.schema.fingerprint}): "
            "compute features, label and train again."
        )


def _may_be_used(store: Store, model: Mapping[str, Any]) -> None:
    """Refuse a model that may be studied only: a baseline, or one whose labels have not passed every check."""
    if model["algorithm"] in BASELINES:
        raise NotAllowed(f"{model['model_id']} is a baseline: it stands on the leaderboard to be beaten and never scores.")
    name = model["label_set_id"]
    label_set = store.record("select passed, report from label_set where label_set_id = $id", id=name)
    if label_set is None:
        raise NotAllowed(
            f"{model['model_id']} was learned from label set {name}, which is not in this workspace, so nothing says what it means."
        )
    if label_set["passed"] is not True:
        failed = [gate for gate in json.loads(label_set["report"]).get("gates", []) if not gate["passed"]]
        checks = ", ".join(gate["name"] for gate in failed) or "nothing says which"
        raise NotAllowed(
            f"{model['model_id']} can be studied, not promoted: its label set {name} fails {len(failed)} checks ({checks}). "
            f"{' '.join(gate['sentence'] for gate in failed)} Make a label set that passes and train on it.".replace("  ", " ")
        )


def require_reason(reason: str, what: str) -> None:
    """Raise InvalidInput unless a reason says something."""
    if len(reason.strip()) < 3:
        raise InvalidInput(f"{what} needs a reason, in words that somebody can read next year.")
