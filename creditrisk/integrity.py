"""Proof that a workspace is whole, and copies of it that prove themselves: recover, check, backup, restore.

A backup is a folder with a manifest of digests; it is complete or it is not there. What it replaces is set aside, never deleted.
"""

import hashlib
import json
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa

from creditrisk import custody, jobs, notary, registry, seal, vault
from creditrisk import store as stores
from creditrisk.custody import Head, Mark
from creditrisk.errors import InvalidInput, JobBusy, NoRoom, StoreDamaged
from creditrisk.settings import Settings
from creditrisk.store import COPIES, Store, now, quoted, to_json

Progress = Callable[[float, str], None]
MANIFEST = "manifest.json"
INCOMING = ".tmp-restore"
HEAD = "audit.head"
WIPE = "wipe-at-next-start"
DATABASE = "creditrisk.duckdb"
BESIDE = ("schema.toml", "banks", "batches")  # files and folders of the data folder that belong to a workspace
REFERENCES = (  # table, column, the table that must know it
    ("prediction", "model_id", "model"),
    ("model", "label_set_id", "label_set"),
    ("model_event", "model_id", "model"),
    ("review", "prediction_id", "prediction"),
    ("inspection", "review_id", "review"),
    ("claim", "prediction_id", "prediction"),
    ("transaction", "statement_id", "statement"),
    ("transaction", "account_id", "account"),
    ("transaction", "description_id", "description"),
    ("job_event", "job_id", "job"),
    ("schedule_event", "schedule_id", "schedule"),
    ("claim_end", "claim_id", "claim"),
    ("review", "claim_id", "claim"),
    ("label", "label_set_id", "label_set"),
    ("prediction", "snapshot_id", "snapshot"),
    ("applicant", "snapshot_id", "snapshot"),
    ("statement_account", "statement_id", "statement"),
    ("statement_account", "account_id", "account"),
    ("correction", "transaction_id", "transaction"),
    ("decision", "prediction_id", "prediction"),
    ("shadow", "prediction_id", "prediction"),
    ("shadow", "model_id", "model"),
    ("suspect", "model_id", "model"),
    ("lesson_online", "prediction_id", "prediction"),
    ("batch", "model_id", "model"),
    ("batch_event", "batch_id", "batch"),
    ("batch_part", "batch_id", "batch"),
    ("batch_score", "batch_id", "batch"),
)
TOTALS = (  # table, what a row of it says of another table, and the rows that must bear it out
    (
        "statement",
        "n_new",
        """select n_new as said, count(transaction_id) as there, 'statement ' || statement_id || ' (' || file_name || ')' as name
        from statement left join transaction using (statement_id) group by statement_id, file_name, n_new""",
    ),
    (
        "label_set",
        "n",
        """select n as said, count(applicant_id) as there, 'label set ' || label_set_id as name
        from label_set left join label using (label_set_id) where label_set.snapshot_id <> 0 group by label_set_id, n""",
    ),
    (
        "snapshot",
        "n_applicants",
        """select n_applicants as said, count(applicant_id) as there, 'snapshot ' || snapshot_id as name
        from snapshot left join applicant using (snapshot_id) group by snapshot_id, n_applicants""",
    ),
    (
        "batch",
        "n_scored",
        """select coalesce((select sum(n_scored) from batch_part where batch_part.batch_id = batch.batch_id), 0)::bigint as said,
        count(batch_score.batch_id) as there, 'batch ' || batch.batch_id as name
        from batch left join batch_score using (batch_id) group by batch.batch_id""",
    ),
)
PASSING = (".*", "*.scores", "quarantine")  # in folders that are copied: what is being made
ERASURES = ("erase", "purge")
FETCHED = 2_000  # predictions at a time
_copying = threading.Lock()


def recover(store: Store) -> list[str]:
    """Put right what a crash left behind, before anybody works; returns what was found and done, a sentence each. For start-up only."""
    said = []
    if store.unacknowledged:
        said.append(f"{store.unacknowledged:,} changes were stored, though the program ended before it could say so. They are kept.")
    said += [f"Job {name} was running when the program ended: nothing of it was kept; start it again." for name in jobs.recover(store)]
    found = registry.recover(store)
    if found["removed"]:
        said.append(f"{len(found['removed'])} half-written folders of models were removed.")
    said += [f"The folder of {name} has no model on record and lies in {store.models / 'quarantine'} now." for name in found["quarantined"]]
    said += [f"The champion {name} cannot score: {registry.damage(store, name)}" for name in found["damaged"]]
    said += vault.recover(store)
    folders = {Path(folder) for (folder,) in store.rows("select distinct detail->>'folder' from audit where action = 'backup begun'")}
    for part in [path for folder in folders for path in folder.glob(f".part-{_workspace(store)}-*")]:
        shutil.rmtree(part, ignore_errors=True)
        said.append(f"The unfinished backup {part.name} in {part.parent} was removed.")
    for file in (store.settings.data / COPIES).glob(".part-*.duckdb*"):
        file.unlink()
    if (store.settings.data / INCOMING).exists():
        shutil.rmtree(store.settings.data / INCOMING, ignore_errors=True)
        said.append("A restore that was broken off before it put anything in place was removed.")
    if (store.settings.data / WIPE).exists():
        said.append("Freed blocks of the database still hold what was erased, for there was no room to copy it: make room and start again.")
    return said


def check(store: Store) -> list[dict[str, Any]]:
    """Return what was examined, one dictionary each: name, n examined, passed, sentence (which names the first bad thing).

    The audit chain from its first row, every model's files and every batch's parts against their digests, what points at what, what was
    counted, every kept statement file, every row of a fact.
    """
    return [
        _chain(store),
        _models(store),
        _seals(store),
        _batches(store),
        *(_reference(store, *link) for link in REFERENCES),
        *(_total(store, *total) for total in TOTALS),
        _statements(store),
        _facts(store),
    ]


def backup(store: Store, folder: Path, *, user: str, progress: Progress | None = None) -> Path:
    """Copy the workspace, while others use it, to a new folder within `folder`; returns that one.

    The copy is one consistent state of the database with the models that state knows; it is checked before it counts.
    Raises InvalidInput where it cannot be written, JobBusy while another is made, StoreDamaged where the copy is not whole.
    """
    store.require(user, "backup", str(folder))
    name = f"{now():%Y%m%dT%H%M%S%f}"
    with _one_at_a_time():
        with store.write(user, "backup begun", name, folder=str(folder.absolute())):
            pass  # on record first, so that what a crash leaves of it is found
        target, n = _kept(store, folder, name, user, progress or _silent)
    with store.write(user, "backup", name, folder=str(folder.absolute()), files=n):
        pass
    return target


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    if not _copying.acquire(blocking=False):
        raise JobBusy("Another backup is being made: wait until it is done.")
    try:
        yield
    finally:
        _copying.release()


def _kept(store: Store, folder: Path, name: str, user: str, tell: Progress) -> tuple[Path, int]:
    """Copy, check and seal; returns the folder and how many files it holds."""
    part, target = folder / f".part-{_workspace(store)}-{name}", folder / name
    try:
        part.mkdir(parents=True)
        tell(0.1, "copying the database")
        copy_of, mark = store.copy_to(part.name)
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
        custody.settle(part, target)
    except OSError as error:
        raise InvalidInput(f"{folder} cannot hold the backup: {error.strerror or error}. Nothing was kept there.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        (store.settings.data / COPIES / f"{part.name}.duckdb").unlink(missing_ok=True)
    return target, len(digests)


def restore(settings: Settings, folder: Path, *, user: str) -> Path | None:
    """Put a backup in the place of a workspace that nobody has open; returns where the replaced one lies, or None where there was none.

    Raises InvalidInput for a folder that is no backup, whose files are not those of its manifest, or whose database does not open, and
    NoRoom; then nothing is changed.
    """
    verify(folder)
    settings.data.mkdir(parents=True, exist_ok=True)
    settings.models.mkdir(parents=True, exist_ok=True)
    with custody.holding(settings.data):
        data, models = settings.data / INCOMING, settings.models / INCOMING
        try:
            _brought(settings, folder)
            aside = _set_aside(settings)
            # The head first, the database last: between them the workspace says that it has lost what the head knows, and is not believed.
            head, *parts = sorted(data.iterdir(), key=lambda path: (path.name != HEAD, path.name == DATABASE))
            for path in [head, *models.iterdir(), *parts]:
                path.rename((settings.models if path.parent == models else settings.data) / path.name)
                custody.sync(settings.models if path.parent == models else settings.data)
        finally:
            for part in (data, models):
                shutil.rmtree(part, ignore_errors=True)
    with (
        closing(stores.open_workspace(settings)) as store,
        store.write(user, "restore", folder.name, replaced=str(aside) if aside else None),
    ):
        pass
    return aside


def _brought(settings: Settings, folder: Path) -> None:
    """Copy a backup beside what is there, and open it once: what its digests vouch for may still be of a newer version."""
    data, models = settings.data / INCOMING, settings.models / INCOMING
    for part in (data, models):
        shutil.rmtree(part, ignore_errors=True)
    custody.require_room(settings.data, sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()), 0, str(folder))
    try:
        for source, part in ((folder, data), (folder / "models", models)):
            part.mkdir()
            for path in source.iterdir() if source.is_dir() else ():
                if source is not folder or path.name not in (MANIFEST, "models", "app.lock"):
                    _copied(path, part / path.name)
        stores.open_workspace(replace(settings, data=data, models=models)).close()
        (data / "app.lock").unlink()
        for part in (data, models):
            custody.sync_all(part)
    except OSError as error:
        raise NoRoom(f"{folder} cannot be copied to {settings.data} ({error.strerror or error}). Nothing was restored.") from error
    except StoreDamaged as error:
        raise InvalidInput(f"Nothing was restored: {str(error).replace(str(data), str(folder))}") from error


def _set_aside(settings: Settings) -> Path | None:
    """Move what a workspace holds into a folder of its own within it; returns that one, or None where it holds nothing.

    The head stays until another takes its place: without it an empty folder would pass for a workspace.
    """
    models = [path for path in settings.models.iterdir() if path.name != INCOMING]
    data = [path for path in (*settings.data.glob(f"{DATABASE}*"), *(settings.data / name for name in BESIDE)) if path.exists()]
    head = settings.data / HEAD
    if not (data or models or head.exists()):
        return None
    aside = settings.data / f"replaced-{now():%Y%m%dT%H%M%S%f}"
    (aside / "models").mkdir(parents=True)
    if head.exists():
        shutil.copy2(head, aside / HEAD)
    for path in data:
        path.rename(aside / path.name)
    for path in models:
        shutil.move(path, aside / "models" / path.name)
    return aside


def mark_for_wiping(store: Store) -> None:
    """Note that the database holds bytes of what was taken out: DuckDB frees their blocks and does not wipe them."""
    if store.settings.data.is_dir():
        (store.settings.data / WIPE).touch()


def wipe(settings: Settings) -> bool:
    """Where it was noted, put a copy in the database's place that holds no freed blocks; returns whether it was. Nobody has it open.

    Without room for a copy it stays noted, and start-up says so.
    """
    if not (settings.data / WIPE).exists():
        return False
    (settings.data / COPIES / ".part-wiped.duckdb").unlink(missing_ok=True)
    try:
        with closing(stores.open_workspace(settings)) as store:
            store.require_room(settings.database.stat().st_size, "A copy without freed blocks")
            copy_of, _ = store.copy_to(".part-wiped")
    except NoRoom:
        return False
    custody.sync(copy_of)
    with custody.holding(settings.data):
        copy_of.replace(settings.database)
        custody.sync(settings.data)
        (settings.data / WIPE).unlink()
    return True


def verify(folder: Path) -> int:
    """Return how many files a backup holds, each checked against its digest; raises InvalidInput for one that is not whole."""
    try:
        wanted: Mapping[str, str] = dict(json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidInput(
            f"{folder} is not a backup: it has no {MANIFEST} that can be read. Choose a folder that `backup` made."
        ) from error
    strange = next((path for path in sorted(folder.rglob("*")) if path.is_symlink() or not (path.is_file() or path.is_dir())), None)
    if strange:
        raise InvalidInput(f"{folder} is not what `backup` made: {strange.relative_to(folder)} is a link or no file. Nothing was restored.")
    there = _digests(folder)
    if changed := sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name)):
        raise InvalidInput(f"{folder} is not whole: {changed[0]} is missing, new or altered. Nothing was restored; choose another backup.")
    if not {DATABASE, HEAD} <= wanted.keys():
        raise InvalidInput(f"{folder} is not a backup: it holds no {DATABASE} with its {HEAD}. Choose a folder that `backup` made.")
    return len(wanted)


# --- what is examined -----------------------------------------------------------------------------------------------


def _found(name: str, n: int, wrong: str | None, right: str) -> dict[str, Any]:
    return {"name": name, "n": n, "passed": wrong is None, "sentence": wrong or right}


def _chain(store: Store) -> dict[str, Any]:
    """Follow the chain from its first row: each row's hash covers it and the hash before it."""
    rows = store.rows("select seq, happened_at, user_name, action, subject, detail::varchar, hash from audit order by seq")
    unnamed = {seq for done, *_, action, _, detail, _ in rows if action in ERASURES for seq in _erased(detail, "audit") if seq < done}
    before = Mark(0, "")
    for seq, happened_at, user, action, subject, detail, kept in rows:
        row = {"seq": seq, "happened_at": happened_at, "user": user, "action": action, "subject": subject, "detail": detail}
        if seq != before.seq + 1:
            return _found("audit chain", len(rows), f"Audit row {before.seq + 1} is missing: the next one there is {seq}.", "")
        if seq not in unnamed and stores.link(before, row) != kept:
            said = f"Audit row {seq} ({user}, {action} {subject}, {happened_at:%Y-%m-%d %H:%M} UTC) or the one before it was altered."
            return _found("audit chain", len(rows), said, "")
        before = Mark(seq, kept)
    said = f"All {len(rows):,} changes on record follow from one another; none was altered or removed."
    erased = f" Of {len(unnamed):,} only the hash vouches: persons named in them were erased, which is on record." if unnamed else ""
    return _found("audit chain", len(rows), None, said + erased)


def _erased(detail: str, what: str) -> list[int]:
    """Return the rows of the `audit`, or the statement `files`, out of which an erasure took a person."""
    return list(json.loads(detail).get("gone", {}).get(what, []))


def _workspace(store: Store) -> str:
    """Return what tells this workspace's unfinished backups from another's: the beginning of its chain."""
    return str(store.value("select hash from audit order by seq limit 1"))[:12]


def _models(store: Store) -> dict[str, Any]:
    names = [name for (name,) in store.rows("select model_id from model order by model_id")]
    wrong = next((said for name in names if (said := registry.altered(store, name))), None)
    return _found("models", len(names), wrong, f"The files of all {len(names):,} models are the registered ones.")


def _seals(store: Store) -> dict[str, Any]:
    """Hold the predictions made together against the one digest that was put on record with them."""
    said = {root: (seq, at) for seq, at, root in store.rows(SEALED)}
    begun = min((at for _, at in said.values()), default=None)
    n, unknown = 0, None
    for made, root in _roots(store):
        n += 1
        if said.pop(root, None) is None and begun is not None and made["scored_at"] >= begun and unknown is None:
            unknown = made["prediction_id"]
    wrong = None
    if said:
        seq, at = min(said.values())
        wrong = f"The predictions of audit row {seq} ({at:%Y-%m-%d %H:%M} UTC) are not those that were made: altered, removed or added to."
    elif unknown:
        wrong = f"No audit row knows prediction {unknown} or those made with it."
    return _found("seals of predictions", n, wrong, f"The predictions made on {n:,} occasions are those that were sealed then.")


SEALED = """
    select seq, happened_at, detail->>'seal' from audit
    where action = 'score' and detail->>'seal' is not null and detail->>'first' is null -- which is a part of a batch
"""


def _roots(store: Store) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the first prediction made on each occasion, and the one digest of all that were made with it."""
    order = ", ".join(seal.BATCH)
    with store.reading() as cursor:
        cursor.execute(f"select {', '.join(seal.PREDICTION)} from prediction order by {order}, prediction_id")
        rows = (dict(zip(seal.PREDICTION, row, strict=True)) for chunk in iter(lambda: cursor.fetchmany(FETCHED), []) for row in chunk)
        for _, together in groupby(rows, key=itemgetter(*seal.BATCH)):
            first = next(together)
            leaves = [seal.leaf(row.values()) for row in chain([first], together)]
            yield first, seal.root(leaves)


def _facts(store: Store) -> dict[str, Any]:
    """Hold every table of facts against what the audit entries say they stored in it."""
    with store.reading() as cursor:
        found = list(notary.faults(cursor))
    n, wrong = sum(n for n, _ in found), next((said for _, said in found if said), None)
    return _found("rows of facts", n, wrong, f"All {n:,} rows of {len(found)} tables of facts are those that were stored.")


def _batches(store: Store) -> dict[str, Any]:
    n = store.value("select count(*) from batch_part")
    return _found("parts of batches", n, next(vault.faults(store), None), f"All {n:,} parts of batches are those that were kept.")


def _reference(store: Store, table: str, column: str, known: str) -> dict[str, Any]:
    n, lost, first = store.rows(
        f"""select count(*), count(*) filter (where there.id is null), min(here.id::varchar) filter (where there.id is null)
        from (select {quoted(column)} as id from {quoted(table)} where {quoted(column)} is not null) as here
        left join (select distinct {quoted(column)} as id from {quoted(known)}) as there using (id)"""
    )[0]
    name = f"{table} → {known}"
    wrong = f"{lost:,} rows of {table} name a {known} that is not there, the first of them {first}." if lost else None
    return _found(name, n, wrong, f"Each of the {n:,} rows of {table} names a {known} that is there.")


def _total(store: Store, table: str, column: str, counted: str) -> dict[str, Any]:
    """Hold a number that was noted when rows were stored against the rows there are."""
    n, wrong, first = store.rows(
        f"""with counted as ({counted})
        select count(*), count(*) filter (said <> there),
            min(name || ' should have ' || said || ' rows and has ' || there) filter (said <> there)
        from counted"""
    )[0]
    said = f"{wrong:,} rows of {table} do not have the rows they count, the first of them: {first}." if wrong else None
    return _found(f"{table}.{column}", n, said, f"Each of the {n:,} rows of {table} has as many rows as it counts.")


def _statements(store: Store) -> dict[str, Any]:
    names = store.rows("select statement_id, file_name, sha256 from statement order by statement_id")
    erasures = store.rows("select detail::varchar from audit where list_contains($actions, action)", actions=list(ERASURES))
    unnamed = {number for (detail,) in erasures for number in _erased(detail, "files")}
    for number, file_name, sha256 in names:
        source = store.value("select source from statement where statement_id = $id", id=number)
        if not source and number in unnamed:
            continue
        try:
            content = pa.input_stream(pa.BufferReader(source), compression="zstd").read()
        except OSError:  # pyarrow's word for bytes that are no zstd
            content = b""
        if hashlib.sha256(content).hexdigest() != sha256:
            said = f"Statement {number} ({file_name}) is not the file that was stored: its digest differs."
            return _found("statement files", len(names), said, "")
    return _found("statement files", len(names), None, f"All {len(names):,} statement files are kept as they came.")


# --- files ------------------------------------------------------------------------------------------------------------


def _silent(_share: float, _what: str) -> None:
    """Tell nobody."""


def _copied(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*PASSING), copy_function=_there)
    elif source.exists():
        shutil.copy2(source, target)


def _there(source: str, target: str) -> str:
    """Copy a file unless it is gone by now: a batch under way takes away what it no longer needs; `check` misses what should be there."""
    with suppress(FileNotFoundError):
        shutil.copy2(source, target)
    return target


def _digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder by its path there; its lock and the manifest itself left out."""
    beside = (folder / MANIFEST, folder / "app.lock")
    digests = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path not in beside):
        with path.open("rb") as opened:
            digests[path.relative_to(folder).as_posix()] = hashlib.file_digest(opened, "sha256").hexdigest()
    return digests
