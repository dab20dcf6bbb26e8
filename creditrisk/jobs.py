"""Work that outlives a page: one child process at a time, watched by one thread, its progress in the workspace.

The child never opens the database; it reports JSON lines and the server stores the result. It ends when the server
does. What a job reported is appended; a job found running at start-up was interrupted.
"""

import json
import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from pandas import DataFrame

from creditrisk import custody, discretion
from creditrisk.errors import CreditRiskError, InvalidInput, JobBusy, NoRoom, UnknownThing
from creditrisk.people import EVERYONE, Person
from creditrisk.store import Store, now, to_json

log = logging.getLogger(__name__)
STEP, PAUSE = 0.01, 0.5  # progress is stored once it has grown by this share, or says something new, and this many seconds have passed
EVENT = "insert into job_event (job_id, happened_at, state, progress, message) values ($id, $at, $state, $progress, $message)"
GRACE = 3.0  # seconds between asking a worker to end and ending it
AGAIN = 5.0  # seconds between two attempts to put an end on record that the disk has no room for


@dataclass(kw_only=True)
class Child:
    """A process this server started, and the thread that follows it: the handle is what may be stopped, never a name or a number."""

    process: subprocess.Popen[Any]
    stopped_by: str | None = None
    ended_as: str = "stopped"
    supervisor: threading.Thread | None = field(default=None, repr=False)
    stuck: threading.Event = field(default_factory=threading.Event, repr=False)  # its end cannot be put on record for now

    def end(self, user: str, state: str) -> None:
        """Ask it to end, end it after GRACE seconds, and wait until that is on record as `user`'s doing."""
        self.stopped_by, self.ended_as = user, state
        self.process.terminate()
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.until_told()

    def until_told(self) -> None:
        """Wait until its end is on record, or cannot be for now: then it will be, once the disk has room."""
        while self.supervisor is not None and self.supervisor.is_alive() and not self.stuck.is_set():
            self.supervisor.join(0.1)

    def why(self, what: str, folder: Path) -> str:
        """Say how it ended where it gave no reason; which error it was, and where, goes into the log under `what`."""
        code, printed = self.process.returncode, (folder / "stderr.txt").read_text(encoding="utf-8", errors="replace")
        log.error("%s ended with code %s: %s", what, code, discretion.overheard(printed[-20_000:]))
        return "was killed from outside, perhaps for lack of memory" if code == -9 else f"ended unexpectedly (code {code})"


@dataclass(kw_only=True)
class _Running(Child):
    """A job under way."""

    job_id: str
    user: str


_running: WeakKeyDictionary[Store, _Running] = WeakKeyDictionary()  # handles cannot be rows; they die with the server, as the children do
_starting = threading.Lock()


def spawn(
    store: Store,
    kind: str,
    params: Mapping[str, Any],
    command: Sequence[str],
    *,
    user: str,
    finish: Callable[[str], str],
    folder: Path,
) -> str:
    """Start `command` as a job and return its id at once; `folder` is the job's own and is removed when it ends.

    The command prints `{"p": 0..1, "m": text}` lines, and `{"error": sentence}` before it fails. `finish(job_id)` runs in the
    server after success, stores the result and returns the closing message. Raises JobBusy while another job runs.
    """
    with _starting:
        require_idle(store)
        job_id: str = store.value("select printf('J%04d', nextval('job_seq'))")
        with store.write(user, "job", job_id, kind=kind) as cursor:
            cursor.execute(
                "insert into job values ($id, $kind, $params, $at, $user)",
                {"id": job_id, "kind": kind, "params": to_json(params), "at": now(), "user": user},
            )
            _append(cursor, job_id, "queued", 0.0, "waiting for the worker to start")
        try:
            running = _Running(job_id=job_id, user=user, process=_started(command, folder))
        except OSError as error:
            said = f"The worker could not be started: {error}."
            _close(store, job_id, user, state="failed", progress=0.0, message=said)
            raise CreditRiskError(said) from error
        _running[store.whole] = running
    within = copy_context()  # what is stored at the end is stored by whoever asked, with the key they showed then
    running.supervisor = threading.Thread(
        target=within.run, args=(_supervise, store, running, finish, folder), name=f"job {job_id}", daemon=True
    )
    running.supervisor.start()
    return job_id


def python(module: str, *arguments: str) -> list[str]:
    """Return the command that runs one of our modules with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def require_idle(store: Store) -> None:
    """Raise JobBusy, saying whose job is how far, while one runs."""
    busy = active(store)
    if busy is not None:
        raise JobBusy(
            f"{busy['created_by']}'s {busy['kind']} job {busy['job_id']} is at {100 * busy['progress']:.0f} % ({busy['message']}): "
            "wait for it or stop it, then start again."
        )


def current(store: Store) -> DataFrame:
    """Return every job with the last thing it reported, newest first: the columns of `job_current`."""
    return store.read("select * from job_current order by job_id desc")


def get(store: Store, job_id: str) -> dict[str, Any]:
    """Return one job with the last thing it reported and `params` as a dictionary; raises UnknownThing."""
    row = store.record("select * from job_current where job_id = $id", id=job_id)
    if row is None:
        raise UnknownThing("job", job_id)
    return {**row, "params": json.loads(row["params"])}


def events(store: Store, job_id: str) -> DataFrame:
    """Return what a job reported, in order: happened_at, state, progress, message."""
    return store.read("select happened_at, state, progress, message from job_event where job_id = $id order by seq", id=job_id)


def active(store: Store) -> dict[str, Any] | None:
    """Return the job that is queued or running, or None."""
    name = store.value("select job_id from job_current where state in ('queued', 'running') order by job_id desc limit 1")
    return get(store, name) if name else None


def stop(store: Store, job_id: str, user: str) -> None:
    """End a running job's process and wait until it is gone; raises InvalidInput where it has ended already."""
    state = get(store, job_id)["state"]
    running = _running.get(store.whole)
    if running is None or running.job_id != job_id or state not in ("queued", "running"):
        raise InvalidInput(f"Job {job_id} is {state}: there is nothing to stop.")
    store.require(user, "job stopped", job_id)
    running.end(user, "stopped")


def wait(store: Store, job_id: str, timeout: float | None = None) -> dict[str, Any]:
    """Wait until a job of this server has ended (or `timeout` seconds) and return it."""
    running = _running.get(store.whole)
    if running is not None and running.job_id == job_id and running.supervisor is not None:
        running.supervisor.join(timeout)
    return get(store, job_id)


def shut_down(store: Store) -> None:
    """End the running job before the store is closed, as interrupted; one whose result is being stored is waited for."""
    running = _running.get(store.whole)
    if running is None:
        return
    if running.process.poll() is None:
        running.end("the server", "interrupted")
    else:
        running.until_told()


def recover(store: Store) -> list[str]:
    """Mark jobs that were running when the server ended as interrupted; returns their ids. For start-up only."""
    left = store.rows("select job_id, created_by, progress from job_current where state in ('queued', 'running') order by job_id")
    for job_id, user, progress in left:
        said = "The program ended while this was running. Nothing was changed; start it again."
        _close(store, job_id, user, state="interrupted", progress=progress, message=said)
    return [job_id for job_id, *_ in left]


def _started(command: Sequence[str], folder: Path) -> subprocess.Popen[str]:
    library = str(Path(__file__).parents[1])
    path = os.pathsep.join(part for part in (library, os.environ.get("PYTHONPATH", "")) if part)
    environment = {**os.environ, "PYTHONPATH": path, "OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": str(os.cpu_count() or 1)}
    with (folder / "stderr.txt").open("w", encoding="utf-8") as errors:  # a full stderr pipe would block the worker
        return subprocess.Popen(
            list(command),
            env=environment,
            stdin=subprocess.PIPE,  # never written to: the worker ends when it closes, that is when this process ends
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
            errors="replace",
        )


def _supervise(store: Store, running: _Running, finish: Callable[[str], str], folder: Path) -> None:
    state, message = "failed", "The result could not be stored. Nothing was registered; the server's log says more."
    progress = 0.0
    try:
        with running.process:  # closes the pipes and reaps the child
            progress, error = _follow(store, running, running.process.stdout or ())
        if running.stopped_by is not None:
            state, message = running.ended_as, f"{running.ended_as} by {running.stopped_by}; nothing was registered"
        elif running.process.returncode != 0 or error:
            message = error or _unexplained(running, folder)
        else:
            with custody.writing(store.models):
                message = finish(running.job_id)
            state, progress = "done", 1.0
    except CreditRiskError as refused:
        message = str(refused)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _insist(store, running, state=state, progress=progress, message=message)


def _insist(store: Store, running: _Running, **end: Any) -> None:
    """Put a job's end on record, once the disk has room for it: one that seems to run would keep all others waiting."""
    while True:
        try:
            return _close(store, running.job_id, running.user, **end)
        except NoRoom as full:
            log.warning("The end of job %s is not on record yet: %s", running.job_id, full)
            running.stuck.set()
            time.sleep(AGAIN)


def _follow(store: Store, running: _Running, lines: Iterable[str]) -> tuple[float, str | None]:
    """Store what the worker reports until it closes its output; return its last progress and its error sentence."""
    progress, message, error = 0.0, "starting", None
    _tell(store, running.job_id, progress, message)
    told, told_progress, told_message = time.monotonic(), progress, message
    for line in lines:
        report = _report(line)
        error = report.get("error", error)
        progress, message = float(report.get("p", progress)), str(report.get("m", message))
        news = message != told_message or progress - told_progress >= STEP
        if news and time.monotonic() - told >= PAUSE:
            _tell(store, running.job_id, progress, message)
            told, told_progress, told_message = time.monotonic(), progress, message
    return progress, error


def _report(line: str) -> dict[str, Any]:
    with suppress(ValueError):  # a library may print; only our JSON lines mean something
        report = json.loads(line)
        if isinstance(report, dict):
            return report
    return {}


def _unexplained(running: _Running, folder: Path) -> str:
    why = running.why(f"job {running.job_id}", folder)
    return f"The worker {why}. Nothing was registered; start it again, and see the server's log if it happens twice."


def _close(store: Store, job_id: str, user: str, *, state: str, progress: float, message: str) -> None:
    # However their roles have changed since, and be it the server itself: a job's end is on record under the name of who ended it.
    with store.write(Person(user, EVERYONE), f"job {state}", job_id, message=message) as cursor:
        _append(cursor, job_id, state, progress, message)


def _tell(store: Store, job_id: str, progress: float, message: str) -> None:
    store.append(EVENT, **_event(job_id, "running", progress, message))


def _append(cursor: Any, job_id: str, state: str, progress: float, message: str) -> None:
    cursor.execute(EVENT, _event(job_id, state, progress, message))


def _event(job_id: str, state: str, progress: float, message: str) -> dict[str, Any]:
    return {"id": job_id, "at": now(), "state": state, "progress": progress, "message": message}
