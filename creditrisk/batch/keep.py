"""Batches as they are kept and driven: begun, gone on with, stopped; one at a time, in a child process watched by one thread.

A part is its files first and then one transaction under the writer's lock, in the name of who asked. The file that was given lies in
the folder `batches` of the workspace until its last row is done, so that a batch goes on behind the last part kept, whatever stopped it.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from contextvars import copy_context
from dataclasses import asdict, dataclass
from functools import partial
from math import nan
from pathlib import Path
from typing import IO, Any
from weakref import WeakKeyDictionary

from pandas import DataFrame

from creditrisk import custody, explain, people, policy, registry, rows, scoring, tabular, vault
from creditrisk.batch import work
from creditrisk.errors import CreditRiskError, InvalidInput, JobBusy, NothingYet, UnknownThing
from creditrisk.jobs import Child
from creditrisk.schema import Schema, dump
from creditrisk.store import Store, now, statement, to_json

PIECE = 1 << 20
SCORE = "insert into batch_score by name select $batch as batch_id, * from scored"
Content = bytes | IO[bytes] | Path


@dataclass(kw_only=True)
class _Running(Child):
    """A batch under way."""

    batch_id: str


_running: WeakKeyDictionary[Store, _Running] = WeakKeyDictionary()
_starting = threading.Lock()


@dataclass(frozen=True)
class Look:
    """What the first rows of a file are: the rows as they were read, the columns, what is wrong among the rows looked at, and what the
    policy will miss."""

    head: DataFrame
    n_looked_at: int
    is_whole: bool
    n_columns: int
    problems: list[rows.Problem]
    unsaid: list[str]


def look(store: Store, name: str, content: Content, most: int = 50) -> Look:
    """Read the first rows of a file without keeping anything; raises as `start` does for a file that cannot be scored."""
    name, folder = tabular.plain_name(name), _new_folder(store)
    try:
        with custody.writing(folder.parent):
            _taken(content, folder / vault.GIVEN)
        first = _first(store, name, folder)
        called = work.headings(store.schema, first)
        found = work.problems(store.schema, first, called)
        named = {called.get(str(column), str(column)) for column in first.frame.columns}
        unsaid = policy.unsaid(store.settings.policy, store.schema, named)
        return Look(first.frame.iloc[:most], len(first.frame), first.share >= 1, first.frame.shape[1], found, unsaid)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _first(store: Store, name: str, folder: Path) -> tabular.Block:
    """Return the first rows of a file that was taken; raises UnreadableFile, and InvalidInput for one that is too large."""
    limit = store.settings.intake.max_batch_mb
    if (folder / vault.GIVEN).stat().st_size > limit * 1_000_000:
        raise InvalidInput(f"{name} is larger than {limit} MB; raise max_batch_mb in [intake], or send it in several files.")
    with closing(tabular.blocks(name, folder / vault.GIVEN, store.settings.intake, work.ROWS, work.figures(store.schema))) as blocks:
        return next(blocks)


def start(
    store: Store,
    name: str,
    content: Content,
    *,
    user: str,
    channel: str,
    model_id: str | None = None,
    baseline: str = "cut-off",
) -> str:
    """Take a file and score it in the background; returns the batch's id once its first rows have been looked at.

    Raises UnreadableFile, InvalidInput for columns nobody declared or that are absent, JobBusy while another batch runs, and what
    `scoring.model` raises. Nothing is stored then.
    """
    require_idle(store)
    return go_on(store, begin(store, name, content, user=user, channel=channel, model_id=model_id, baseline=baseline), user=user)


def begin(
    store: Store, name: str, content: Content, *, user: str, channel: str, model_id: str | None = None, baseline: str = "cut-off"
) -> str:
    """Take a file without scoring it yet: look at its first rows, keep it and what it is to be scored with; raises as `start` does."""
    store.require(user, "score", name := tabular.plain_name(name))
    using = scoring.model(store, model_id)
    folder = _new_folder(store)
    try:
        with custody.writing(folder.parent):
            digest, size = _taken(content, folder / vault.GIVEN)
        first = _first(store, name, folder)
        schema, reference = store.schema, using.pipeline.references.get(baseline)
        work.headings(schema, first)
        if reference is None:
            raise InvalidInput(f"There is no baseline {baseline!r}; there are {', '.join(sorted(using.pipeline.references))}.")
        asked = {"file": name, "baseline": baseline, "digest": using.digest, "limits": asdict(store.settings.intake)}
        asked |= {"scale": asdict(store.settings.score), "policy": asdict(store.settings.policy)}
        with custody.writing(folder.parent):
            (folder / vault.PIPELINE).write_bytes(registry.artefact(store, using.model_id))
            (folder / vault.SCHEMA).write_text(dump(schema), encoding="utf-8")
            (folder / vault.ASKED).write_text(to_json(asked), encoding="utf-8")
        facts = {name: getattr(using, name) for name in ("model_id", "digest", "schema_fingerprint", "label_source", "is_proxy")}
        facts |= {"file": name, "sha256": digest, "n_bytes": size, "n_rows": len(first.frame) if first.share >= 1 else None}
        facts |= {
            "base": _base(using, baseline, schema),
            "baseline": baseline,
            "channel": channel,
            "created_at": now(),
            "created_by": user.strip(),
        }
        facts |= {name: to_json(asked[name]) for name in ("scale", "policy")}
        facts |= {"typical": to_json(reference.value), "predictors": to_json(using.pipeline.names)}
        batch_id: str = store.value("select printf('B%04d', nextval('batch_seq'))")
        _place(folder, vault.folder(store, batch_id))
        known = {"file": name, "sha256": digest, "model_id": using.model_id, "facts": vault.facts({"batch_id": batch_id, **facts})}
        with store.write(user, "score", batch_id, **known) as cursor:
            names = ", ".join(facts)
            marks = ", ".join(f"${name}" for name in facts)
            cursor.execute(f"insert into batch (batch_id, {names}) values ($batch_id, {marks})", {"batch_id": batch_id, **facts})
        return batch_id
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def go_on(store: Store, batch_id: str, *, user: str) -> str:
    """Score what is left of a batch in the background; returns its id. Raises InvalidInput where nothing is left, JobBusy."""
    _own_or_readable(store, batch_id, user)
    with _starting:
        require_idle(store)
        folder, done = _left(store, batch_id)
        _tell(store, batch_id, "running", "begun" if not done else f"going on behind row {done:,}", user)
        command = [sys.executable, "-m", "creditrisk.batch.child", str(folder.resolve()), str(done)]
        with custody.writing(folder), (folder / "stderr.txt").open("wb") as errors:
            process = subprocess.Popen(
                command,
                env={**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        running = _Running(batch_id=batch_id, process=process)
        _running[store.whole] = running
        # In the context of who asked: with a key, a part is kept in the name, and within the roles, of who showed it.
        supervise = partial(copy_context().run, _supervise, store, running, folder, user)
        running.supervisor = threading.Thread(target=supervise, name=f"batch {batch_id}", daemon=True)
        running.supervisor.start()
    return batch_id


def here(store: Store, batch_id: str, *, user: str) -> Iterator[work.Part]:
    """Score what is left of a batch in this process, yielding each part once it is kept; a batch broken off goes on another time."""
    folder, done = _left(store, batch_id)
    _tell(store, batch_id, "running", "begun" if not done else f"going on behind row {done:,}", user)
    try:
        with custody.writing(folder):
            for part in work.parts(folder, done):
                _keep(store, batch_id, part, user)
                yield part
    except CreditRiskError as error:
        _tell(store, batch_id, "failed", str(error), user)
        vault.sweep(store, batch_id)
        raise
    except BaseException:
        _tell(store, batch_id, "interrupted", "broken off; it can go on", user)
        raise
    _finish(store, batch_id, user)


def stop(store: Store, batch_id: str, *, user: str) -> None:
    """Stop a running batch and wait until it is; what is scored stays, the rest can go on. Raises InvalidInput where none runs."""
    _own_or_readable(store, batch_id, user)
    running = _of(store)
    if running is None or running.batch_id != batch_id:
        raise InvalidInput(f"Batch {batch_id} is {get(store, batch_id)['state']}: there is nothing to stop.")
    running.end(user, "stopped")


def _own_or_readable(store: Store, batch_id: str, user: str) -> None:
    """Raise NotAllowed for somebody else's batch where a person may see nothing: a key that only scores minds what it began itself."""
    if not people.same(get(store, batch_id)["created_by"], people.present(user)):
        store.require(user, "read", batch_id)


def shut_down(store: Store) -> None:
    """End a running batch before the store is closed, as interrupted."""
    running = _of(store)
    if running is not None:
        running.end("the server", "interrupted")


def wait(store: Store, batch_id: str, timeout: float | None = None) -> dict[str, Any]:
    """Wait until a batch of this server has ended (or `timeout` seconds) and return it."""
    running = _of(store)
    if running is not None and running.batch_id == batch_id and running.supervisor is not None:
        running.supervisor.join(timeout)
    return get(store, batch_id)


def active(store: Store) -> str | None:
    """Return the id of the batch that runs in this server, or None."""
    running = _of(store)
    return running.batch_id if running else None


def require_idle(store: Store) -> None:
    """Raise JobBusy, saying whose batch is how far, while one runs."""
    name = active(store)
    if name is not None:
        busy = get(store, name)
        done = f"{busy['n_done']:,} rows of {busy['file']} are done"
        raise JobBusy(f"{busy['created_by']}'s batch {name} is under way ({done}): wait for it or stop it, then start again.")


def batches(store: Store) -> DataFrame:
    """Return every batch, newest first: batch_id, file, created_at, created_by, model_id, is_proxy, channel, state, message, n_rows,
    n_done, n_scored, n_refused, share (of the file, NaN where that is not known)."""
    found = store.read(statement("batch", "batches"), id=None)
    alive = active(store)
    states = [
        "interrupted" if state == "running" and name != alive else state
        for name, state in zip(found["batch_id"], found["state"], strict=True)
    ]
    return found.assign(state=states)


def get(store: Store, batch_id: str) -> dict[str, Any]:
    """Return one batch as `batches` does; raises UnknownThing."""
    row = store.record(statement("batch", "batches"), id=batch_id)
    if row is None:
        raise UnknownThing("batch", batch_id)
    if row["state"] == "running" and active(store) != batch_id:
        row["state"], row["message"] = "interrupted", "broken off; it can go on"
    return row


def _left(store: Store, batch_id: str) -> tuple[Path, int]:
    """Return the folder of a batch and how many rows of its file are done."""
    batch, folder = get(store, batch_id), vault.folder(store, batch_id)
    if batch["state"] == "done":
        raise InvalidInput(f"Batch {batch_id} is done: there is nothing left to score.")
    if not (folder / vault.GIVEN).exists():
        raise NothingYet(f"The file of batch {batch_id} is no longer there, so it cannot go on; send {batch['file']} again.")
    return folder, int(batch["n_done"])


def _supervise(store: Store, running: _Running, folder: Path, user: str) -> None:
    state, message = "failed", "What was scored could not be stored; the server's log says more. It can go on."
    try:
        with custody.writing(folder), running.process:
            error = _follow(store, running, folder, user)
        if running.stopped_by is not None:
            state, message = running.ended_as, f"{running.ended_as} by {running.stopped_by}; it can go on"
        elif error or running.process.returncode != 0:
            message = error or _unexplained(running, folder)
        else:
            _finish(store, running.batch_id, user)
            state = "done"
    except CreditRiskError as refused:
        message = str(refused)
        running.process.kill()
    finally:
        if state != "done":
            _tell(store, running.batch_id, state, message, user)
            vault.sweep(store, running.batch_id)


def _follow(store: Store, running: _Running, folder: Path, user: str) -> str | None:
    """Keep each part the child tells of; return the sentence it failed with, if it did."""
    error, process = None, running.process
    for line in process.stdout or ():
        told: dict[str, Any] = {}
        with suppress(ValueError):
            told = json.loads(line)
        error = told.get("error", error)
        if "part" in told and running.stopped_by is None:
            _keep(store, running.batch_id, work.Part.taken(folder, told["part"]), user)
            with suppress(OSError):  # it may have ended by itself
                os.write(process.stdin.fileno(), b".") if process.stdin else None
    return error


def _keep(store: Store, batch_id: str, part: work.Part, user: str) -> None:
    about = {"first": part.first, "last": part.last, "n_scored": part.n_scored, "n_refused": part.n_refused}
    with store.write(user, "score", batch_id, **about, sha256=part.sha256, seal=part.seal) as cursor:
        if not (vault.folder(store, batch_id) / vault.GIVEN).exists():
            raise NothingYet("Its file named a person who was erased meanwhile, and was removed; send the rows that are left again.")
        cursor.execute(
            """insert into batch_part (batch_id, first_row, last_row, share, n_scored, n_refused, sha256, refused_sha256, scored_at)
            values ($batch, $first, $last, $share, $n_scored, $n_refused, $sha256, $refused_sha256, $at)""",
            {name: getattr(part, name) for name in ("share", "sha256", "refused_sha256")} | {**about, "batch": batch_id, "at": now()},
        )
        cursor.register("scored", part.scores)
        cursor.execute(SCORE, {"batch": batch_id})


def _finish(store: Store, batch_id: str, user: str) -> None:
    found = get(store, batch_id)
    said = f"{found['n_scored']:,} scored, {found['n_refused']:,} set aside"
    _tell(store, batch_id, "done", said, user)
    vault.sweep(store, batch_id)


def _tell(store: Store, batch_id: str, state: str, message: str, user: str) -> None:
    with store.write(user, "score", batch_id, state=state) as cursor:
        cursor.execute(
            "insert into batch_event (batch_id, happened_at, state, message, by_user) values ($id, $at, $state, $message, $user)",
            {"id": batch_id, "at": now(), "state": state, "message": message, "user": user},
        )


def _of(store: Store) -> _Running | None:
    running = _running.get(store.whole)
    return running if running and running.supervisor and running.supervisor.is_alive() else None


def _unexplained(running: _Running, folder: Path) -> str:
    why = running.why(f"batch {running.batch_id}", folder)
    return f"The process that scored it {why}. What is scored is kept, and it can go on."


def _base(using: scoring.Model, baseline: str, schema: Schema) -> float:
    """Return what contributions against a baseline add up from: the same for every applicant."""
    nobody = DataFrame({feature.name: [nan if feature.is_numeric else None] for feature in using.pipeline.features})
    return float(explain.explain(using.pipeline, nobody, schema, baseline).base)


def _new_folder(store: Store) -> Path:
    """Make a folder for a file that comes in; what a crash leaves of it goes at the next start (`vault.recover`)."""
    parent = vault.folder(store, "")
    with custody.writing(parent):
        parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=".tmp-", dir=parent))


def _place(folder: Path, target: Path) -> None:
    """Move a prepared folder to where it stays, all of it on disk before."""
    shutil.rmtree(target, ignore_errors=True)  # of a batch whose row was lost with a crash
    for path in (*folder.iterdir(), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    folder.replace(target)


def _taken(content: Content, target: Path) -> tuple[str, int]:
    """Write what was given to a file; returns its SHA-256 and size."""
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as written:
        for piece in _pieces(content):
            digest.update(piece)
            size += len(piece)
            written.write(piece)
    return digest.hexdigest(), size


def _pieces(content: Content) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
    elif isinstance(content, Path):
        try:
            with content.open("rb") as opened:
                yield from _pieces(opened)
        except OSError as error:
            raise InvalidInput(f"{content} cannot be read: {(error.strerror or str(error)).lower()}. Nothing was stored.") from error
    else:
        while piece := content.read(PIECE):
            yield piece
