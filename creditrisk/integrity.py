"""Proof that a workspace is whole, and copies of it that prove themselves: check, backup, restore.

A backup is a folder with a manifest of digests; it is complete or it is not there. What it replaces is set aside, never deleted.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from creditrisk import custody, registry
from creditrisk import store as stores
from creditrisk.custody import Head, Mark
from creditrisk.errors import InvalidInput, StoreDamaged
from creditrisk.settings import Settings
from creditrisk.store import Store, now, quoted, to_json

Progress = Callable[[float, str], None]
MANIFEST = "manifest.json"
DATABASE = "creditrisk.duckdb"
BESIDE = ("schema.toml", "banks", "batches")  # files and folders of the data folder that belong to a workspace
REFERENCES = (  # table, column, the table that must know it
    ("prediction", "model_id", "model"),
    ("model", "label_set_id", "label_set"),
    ("model_event", "model_id", "model"),
    ("label", "label_set_id", "label_set"),
    ("review", "prediction_id", "prediction"),
    ("inspection", "review_id", "review"),
    ("claim", "prediction_id", "prediction"),
    ("transaction", "statement_id", "statement"),
    ("transaction", "account_id", "account"),
    ("transaction", "description_id", "description"),
    ("job_event", "job_id", "job"),
)


def check(store: Store) -> list[dict[str, Any]]:
    """Return what was examined, one dictionary each: name, n examined, passed, sentence (which names the first bad thing).

    The audit chain from its first row, every model's files against their digests, what points at what, every kept statement file.
    """
    return [_chain(store), _models(store), *(_reference(store, *link) for link in REFERENCES), _statements(store)]


def backup(store: Store, folder: Path, *, user: str, progress: Progress | None = None) -> Path:
    """Copy the workspace, while others use it, to a new folder within `folder`; returns that one.

    The copy is one consistent state of the database with the models that state knows; it is checked before it counts.
    Raises InvalidInput where it cannot be written, StoreDamaged where the copy is not whole.
    """
    store.require(user, "backup", str(folder))
    tell, name = progress or _silent, f"{now():%Y%m%dT%H%M%S%f}"
    part, target = folder / f".part-{name}", folder / name
    try:
        part.mkdir(parents=True)
        tell(0.1, "copying the database")
        copy_of, mark = store.copy_to(f".part-{name}")
        shutil.move(copy_of, part / DATABASE)
        Head(part, part / DATABASE).write(mark)
        for beside in BESIDE:
            _copied(store.settings.data / beside, part / beside)
        tell(0.6, "copying the models")
        with closing(stores.open_workspace(replace(store.settings, data=part, models=part / "models"))) as copy:
            for (model_id,) in copy.rows("select model_id from model order by model_id"):
                _copied(store.models / model_id, part / "models" / model_id)
            failed = [found for found in check(copy) if not found["passed"]]
        if failed:
            raise StoreDamaged(f"The backup is not kept, for the copy is not whole: {failed[0]['sentence']}")
        tell(0.9, "writing the digests")
        digests = _digests(part)
        (part / MANIFEST).write_text(to_json({"made_at": now().isoformat(), "made_by": str(user), "files": digests}), encoding="utf-8")
        part.rename(target)
    except OSError as error:
        raise InvalidInput(f"{folder} cannot hold the backup: {error.strerror or error}. Nothing was kept there.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    with store.write(user, "backup", name, folder=str(folder), files=len(digests)):
        pass
    return target


def restore(settings: Settings, folder: Path, *, user: str) -> Path | None:
    """Put a backup in the place of a workspace that nobody has open; returns where the replaced one lies, or None where there was none.

    Raises InvalidInput for a folder that is no backup or whose files are not those of its manifest; then nothing is changed.
    """
    verify(folder)
    aside = None
    if settings.database.exists() or (settings.data / "audit.head").exists():
        with custody.holding(settings.data):
            aside = settings.data / f"replaced-{now():%Y%m%dT%H%M%S%f}"
            aside.mkdir()
            for path in [*settings.data.glob(f"{DATABASE}*"), settings.data / "audit.head", *(settings.data / name for name in BESIDE)]:
                if path.exists():
                    path.rename(aside / path.name)
            if settings.models.is_dir():
                shutil.move(settings.models, aside / "models")
    settings.data.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name not in (MANIFEST, "models"):
            _copied(path, settings.data / path.name)
    _copied(folder / "models", settings.models)
    with (
        closing(stores.open_workspace(settings)) as store,
        store.write(user, "restore", folder.name, replaced=str(aside) if aside else None),
    ):
        pass
    return aside


def verify(folder: Path) -> int:
    """Return how many files a backup holds, each checked against its digest; raises InvalidInput for one that is not whole."""
    try:
        wanted: Mapping[str, str] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(
            f"{folder} is not a backup: it has no {MANIFEST} that can be read. Choose a folder that `backup` made."
        ) from error
    there = _digests(folder)
    if changed := sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name)):
        raise InvalidInput(f"{folder} is not whole: {changed[0]} is missing, new or altered. Nothing was restored; choose another backup.")
    return len(wanted)


# --- what is examined -----------------------------------------------------------------------------------------------


def _found(name: str, n: int, wrong: str | None, right: str) -> dict[str, Any]:
    return {"name": name, "n": n, "passed": wrong is None, "sentence": wrong or right}


def _chain(store: Store) -> dict[str, Any]:
    """Follow the chain from its first row: each row's hash covers it and the hash before it."""
    rows = store.rows("select seq, happened_at, user_name, action, subject, detail::varchar, hash from audit order by seq")
    before = Mark(0, "")
    for seq, happened_at, user, action, subject, detail, kept in rows:
        row = {"seq": seq, "happened_at": happened_at, "user": user, "action": action, "subject": subject, "detail": detail}
        if seq != before.seq + 1:
            return _found("audit chain", len(rows), f"Audit row {before.seq + 1} is missing: the next one there is {seq}.", "")
        if stores.link(before, row) != kept:
            said = f"Audit row {seq} ({user}, {action} {subject}, {happened_at:%Y-%m-%d %H:%M} UTC) or the one before it was altered."
            return _found("audit chain", len(rows), said, "")
        before = Mark(seq, kept)
    return _found(
        "audit chain", len(rows), None, f"All {len(rows):,} changes on record follow from one another; none was altered or removed."
    )


def _models(store: Store) -> dict[str, Any]:
    names = [name for (name,) in store.rows("select model_id from model order by model_id")]
    wrong = next((said for name in names if (said := registry.damage(store, name))), None)
    return _found("models", len(names), wrong, f"The files of all {len(names):,} models are the registered ones.")


def _reference(store: Store, table: str, column: str, known: str) -> dict[str, Any]:
    n, lost, first = store.rows(
        f"""select count(*), count(*) filter (where there.id is null), min(here.id::varchar) filter (where there.id is null)
        from (select {quoted(column)} as id from {quoted(table)}) as here
        left join (select distinct {quoted(column)} as id from {quoted(known)}) as there using (id)"""
    )[0]
    name = f"{table} → {known}"
    wrong = f"{lost:,} rows of {table} name a {known} that is not there, the first of them {first}." if lost else None
    return _found(name, n, wrong, f"Each of the {n:,} rows of {table} names a {known} that is there.")


def _statements(store: Store) -> dict[str, Any]:
    names = store.rows("select statement_id, file_name, sha256 from statement order by statement_id")
    for number, file_name, sha256 in names:
        source = store.value("select source from statement where statement_id = $id", id=number)
        content = pa.input_stream(pa.BufferReader(source), compression="zstd").read()
        if hashlib.sha256(content).hexdigest() != sha256:
            said = f"Statement {number} ({file_name}) is not the file that was stored: its digest differs."
            return _found("statement files", len(names), said, "")
    return _found("statement files", len(names), None, f"All {len(names):,} statement files are kept as they came.")


# --- files ------------------------------------------------------------------------------------------------------------


def _silent(_share: float, _what: str) -> None:
    """Tell nobody."""


def _copied(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".tmp-*", "quarantine"))
    elif source.exists():
        shutil.copy2(source, target)


def _digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder by its path there; locks and the manifest itself left out."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in (MANIFEST, "app.lock"))
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
