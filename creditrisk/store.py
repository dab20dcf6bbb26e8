"""The workspace's one DuckDB file: the only object that remembers. It has no domain methods and grows none.

Reads take a cursor each; writes are one transaction under one lock, name their user, and end in an audit row. Faces hold the store
as somebody sees it (`seen_by`), so that nothing is looked at in nobody's name.
This process never opens, copies or hashes the live file by other means: doing so would drop DuckDB's lock on it.
"""

import hashlib
import json
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar, cast

import duckdb
from pandas import DataFrame

from creditrisk import custody, notary, people
from creditrisk.custody import Head, Mark
from creditrisk.errors import InvalidInput, NoRoom, NotAllowed, StoreDamaged, StoreInUse, UnknownThing
from creditrisk.schema import Schema, built_in, dump, parse
from creditrisk.settings import Settings

T = TypeVar("T")
SQL = Path(__file__).parent / "sql"
NOTHING = Mark(0, "")  # what the first row of the chain follows
DAMAGE = (duckdb.FatalException, duckdb.InternalException, duckdb.IOException, duckdb.SerializationException)
RESTORE = "Stop the program, and put back the newest backup with `restore`, which keeps the damaged file aside."
UNWRITABLE = tuple(os.strerror(number) for number in custody.UNWRITABLE)  # as they stand in what DuckDB says
RECENT = 500  # changes whose authors are remembered
COPIES = "backups"  # the only folder besides its own file that DuckDB may write to
# What needs more memory spills into a folder beside the file, at little cost; unsaid, the database would take four fifths of the machine.
CONFIG: dict[str, Any] = {"autoinstall_known_extensions": "false", "memory_limit": "2GB"}
COLUMN_TYPES = {"number": "double", "integer": "double", "flag": "double", "choice": "varchar"}


class Store:
    """An open workspace: its database, its declared schema and settings, and the folder of its models."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        settings: Settings,
        schema: Schema,
        *,
        head: Head | None = None,
        lock: Path | None = None,
        unacknowledged: int = 0,
        newest: int = 0,
    ):
        """`unacknowledged` counts changes found stored that the program ended before it could say so; `newest` is the last audit row.

        `written` says of each kind of action, since the file was opened, the audit row of the last one; `recent` whose the newest are.
        """
        self.settings = settings
        self.schema = schema
        self.models = settings.models
        self._connection = connection
        self._head = head
        self._lock = lock
        self._writer = threading.RLock()
        self._gave_up = False
        self.unacknowledged = unacknowledged
        self.written: dict[str, int] = {"opened": newest}
        self.recent: deque[tuple[int, str, str]] = deque(maxlen=RECENT)  # audit row, action, who
        self._lasting: dict[str, tuple[int, Any]] = {}
        self._mark: Mark | None = None  # the last audit row where it is surely known: to ask for it costs a third of a small change

    @property
    def whole(self) -> "Store":
        """The workspace itself, whoever looks at it: what is kept beside it for the process belongs to this one."""
        return self

    @property
    def reader(self) -> str:
        """Who looks at it; nobody where the program itself does."""
        return ""

    def seen_by(self, user: str, action: str = "read") -> "Store":
        """Return the workspace as a person sees it who came to take an action: each look at it asks whether they may.

        A look raises NotAllowed, and keeps that in the audit chain, where the person's roles, or the scopes of their key, do not reach it.
        """
        return _Seen(self.whole, user, action)

    def read(self, sql: str, **values: Any) -> DataFrame:
        """Return the rows of a query as a frame; `$name` in the query stands for a value."""
        with self._cursor() as cursor:
            return cursor.execute(sql, values or None).df()

    def rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query as tuples."""
        with self._cursor() as cursor:
            return cursor.execute(sql, values or None).fetchall()

    def value(self, sql: str, **values: Any) -> Any:
        """Return the first column of the first row, or None where there is no row."""
        rows = self.rows(sql, **values)
        return rows[0][0] if rows else None

    def record(self, sql: str, **values: Any) -> dict[str, Any] | None:
        """Return the first row as a dictionary, or None where there is no row."""
        return next(iter(self.records(sql, **values)), None)

    def records(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """Return the rows of a query as dictionaries: of a few rows a tenth of the work of a frame."""
        with self._cursor() as cursor:
            cursor.execute(sql, values or None)
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def lasting(self, what: str, changed_by: frozenset[str], ask: Callable[[], T]) -> T:
        """Return an answer that holds until one of these actions is written; asked for anew after each, in this process the only one.

        For what every request wants to know and hardly anything changes: a query takes longer to plan than a score to compute.
        """
        at = max(self.written.get(action, 0) for action in changed_by)
        held = self._lasting.get(what)
        if held is None or held[0] != at:
            held = self._lasting[what] = at, ask()
        return held[1]

    @contextmanager
    def reading(self, **frames: Any) -> Iterator[duckdb.DuckDBPyConnection]:
        """Lend a cursor with frames registered under their names; for work that needs temporary tables."""
        with self._cursor() as cursor:
            for name, frame in frames.items():
                cursor.register(name, frame)
            yield cursor

    @contextmanager
    def write(self, user: str, action: str, subject: str, **detail: Any) -> Iterator[duckdb.DuckDBPyConnection]:
        """Lend a cursor inside one transaction that is audited as `user` doing `action` to `subject`, or not done at all.

        Raises NotAllowed, and keeps that in the audit chain, where the person's roles do not reach so far.
        """
        named = self.require(user, action, subject)
        with self._writer, self._cursor() as cursor:
            cursor.begin()
            try:
                watched = notary.Watched(cursor)
                yield cast(duckdb.DuckDBPyConnection, watched)
                after, self._mark = self._mark, None
                mark = _append_audit(cursor, named, action, subject, detail | notary.entry(watched), after=after)
                cursor.commit()
            except BaseException:
                _undo(cursor)
                raise
            self._acknowledge(mark, action, named)

    def require(self, user: str, action: str, subject: str) -> str:
        """Return the name of a person who may take an action; a refusal raises NotAllowed and is itself on record."""
        user = people.present(user)
        try:
            people.require(user, action, self.settings.people.roles)
        except NotAllowed as refusal:
            if user and user.strip():
                with self._writer, self._cursor() as cursor:
                    mark = _append_audit(cursor, user.strip(), "refused", subject, {"action": action, "why": str(refusal)})
                    self._acknowledge(mark, "refused", user.strip())
            raise
        return str(user).strip()

    def _acknowledge(self, mark: Mark, action: str, user: str) -> None:
        """Make sure that a change is known outside the database before anybody hears of it."""
        self.written[action] = mark.seq
        self.recent.append((mark.seq, action, user))
        if self._head:
            self._head.write(mark)
        self._mark = mark

    @contextmanager
    def rehearsal(self) -> Iterator["Store"]:
        """Lend a store in which everything is done for real inside one transaction, of which nothing is left at the end.

        Whoever reads the workspace meanwhile sees it as it was; whoever writes waits.
        """
        with self._writer, self._cursor() as cursor:
            cursor.begin()
            try:
                yield _Rehearsal(self, cursor)
            finally:
                cursor.rollback()

    def append(self, sql: str, **values: Any) -> None:
        """Insert one row that nobody answers for, such as a report of progress: committed, not audited."""
        with self._writer, self._cursor() as cursor:
            cursor.execute(sql, values)

    def copy_to(self, name: str) -> tuple[Path, Mark]:
        """Write a consistent copy of the database into the folder `backups`, whoever writes meanwhile; returns file and last change."""
        folder = self.settings.data / COPIES
        folder.mkdir(parents=True, exist_ok=True)
        file = folder.resolve() / f"{name}.duckdb"
        with self._cursor() as cursor:
            cursor.execute(f"attach {_text(file)} as copied")
            try:
                cursor.execute(f"copy from database {quoted(self.settings.database.stem)} to copied")
                mark = _newest(cursor, "copied.audit")
            finally:
                cursor.execute("detach copied")
        return file, mark or NOTHING

    def shape(self, cursor: duckdb.DuckDBPyConnection, schema: Schema) -> None:
        """Make the table of applicants hold the features of a schema, inside the caller's transaction."""
        _shape_applicant(cursor, schema)

    def adopt(self, schema: Schema) -> None:
        """Take a schema as the workspace's own from now on."""
        file = self.settings.data / "schema.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(".schema.toml.part")
        part.write_text(dump(schema), encoding="utf-8")
        custody.sync(part)
        part.replace(file)
        custody.sync(file.parent)
        self.schema = schema

    def require_room(self, needed: int, what: str) -> None:
        """Raise NoRoom unless so many bytes can be taken in and the disk keeps the reserve of the settings free."""
        if self._lock:
            custody.require_room(self.settings.data, needed, self.settings.intake.min_free_mb * 1_000_000, what)

    def close(self) -> None:
        """Checkpoint and let go of the file."""
        self._connection.close()
        if self._lock:
            custody.release(self._lock)
            self._lock = None

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        if self._gave_up:
            self._reopen()
        cursor = self._connection.cursor()
        try:
            yield cursor
        except duckdb.Error as error:
            self._gave_up = self._gave_up or (isinstance(error, duckdb.FatalException) and self._lock is not None)
            said = _meant(error, "The workspace's file is damaged")
            if said is error:
                raise
            raise said from error
        finally:
            cursor.close()

    def _reopen(self) -> None:
        """Open the file again after DuckDB gave it up, as it does on a full disk; what was acknowledged is held against the head anew."""
        with self._writer:
            if self._gave_up:
                self._connection.close()
                again = _open(str(self.settings.database), self.settings, self._head)
                self._connection, self._gave_up = again._connection, False


class _Rehearsal(Store):
    """A store whose every read and write goes through one open transaction that will be rolled back."""

    def __init__(self, whole: Store, cursor: duckdb.DuckDBPyConnection):
        super().__init__(cursor, whole.settings, whole.schema)

    def lasting(self, what: str, changed_by: frozenset[str], ask: Callable[[], T]) -> T:  # noqa: ARG002
        """Return the answer as it is here and now: what is rehearsed ends with the rehearsal."""
        return ask()

    @contextmanager
    def write(self, user: str, action: str, subject: str, **detail: Any) -> Iterator[duckdb.DuckDBPyConnection]:
        """Lend the open transaction; what is written in it is seen by what follows, and by nobody else."""
        named = self.require(user, action, subject)
        yield self._connection
        _append_audit(self._connection, named, action, subject, detail)

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        yield self._connection


class _Seen(Store):
    """The workspace as somebody sees it: all that it is, and who looks at it, and what for."""

    __slots__ = ("_action", "_user", "_whole")

    def __init__(self, whole: Store, user: str, action: str):
        self.__dict__ = whole.__dict__  # one state, however many look; who looks is kept beside it
        self._whole, self._user, self._action = whole, user, action

    @property
    def whole(self) -> Store:
        """The workspace itself, whoever looks at it."""
        return self._whole

    @property
    def reader(self) -> str:
        """Who looks at it."""
        return str(self._user)

    def lasting(self, what: str, changed_by: frozenset[str], ask: Callable[[], T]) -> T:
        """Return an answer that holds, to who may look."""
        self._whole.require(self._user, self._action, what)
        return super().lasting(what, changed_by, ask)

    def require(self, user: str, action: str, subject: str) -> str:
        """Return the name of a person who may take an action; whoever is refused has not looked at anything."""
        return self._whole.require(user, action, subject)

    @property
    def models(self) -> Path:  # type: ignore[override]  # the folder holds what models were tested on, too
        """The folder of the models, for who may look."""
        self._whole.require(self._user, self._action, "the models")
        return self.settings.models

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        self._whole.require(self._user, self._action, "the workspace")
        with self._whole._cursor() as cursor:
            yield cursor


def open_workspace(settings: Settings) -> Store:
    """Open (or make) the workspace that `settings` points at.

    Raises StoreInUse where another process has it open, StoreDamaged where DuckDB refuses the file.
    """
    try:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)  # other accounts of the machine have no business here
        settings.models.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreDamaged(f"{error.filename} cannot be written ({error.strerror}): choose a folder you may write to.") from error
    lock = custody.take(settings.data)
    try:
        return _open(str(settings.database), settings, Head(settings.data, settings.database), lock)
    except BaseException:
        custody.release(lock)
        raise


def open_in_memory(settings: Settings) -> Store:
    """Open a workspace that is gone when it is closed; its models still go to `settings.models`."""
    settings.models.mkdir(parents=True, exist_ok=True)
    return _open(":memory:", settings)


def now() -> datetime:
    """The present instant, UTC, without a zone: as every `_at` column holds it."""
    return datetime.now(UTC).replace(tzinfo=None)


def quoted(identifier: str) -> str:
    """Quote a name for SQL; the one place where a name that came from outside may enter a statement."""
    return '"' + identifier.replace('"', '""') + '"'


@cache
def statement(folder: str, name: str) -> str:
    """Return the text of `sql/<folder>/<name>.sql`, which is read once for a process."""
    file = SQL / folder / f"{name}.sql"
    if not file.exists():
        raise UnknownThing("SQL statement", f"{folder}/{name}")
    return file.read_text(encoding="utf-8")


def to_json(value: object) -> str:
    """Write a value as JSON the way it is stored and hashed: NaN and infinity as null, dates ISO, keys as they come."""
    return json.dumps(_plain(value), ensure_ascii=False, default=str)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item") and not isinstance(value, str | bytes):
        value = value.item()
    return None if isinstance(value, float) and not isfinite(value) else value


def _open(target: str, settings: Settings, head: Head | None = None, lock: Path | None = None) -> Store:
    schema = _declared(settings.data / "schema.toml")
    try:
        connection = duckdb.connect(target, config=CONFIG)
        connection.execute(f"set allowed_directories = [{_text(settings.data / COPIES)}]")
        connection.execute("set enable_external_access = false")
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise StoreInUse(
                f"{target} is open in another process, probably the workbench. Use its pages or its API, or stop it and try again."
            ) from error
        raise _meant(error, f"{target} cannot be opened") from error  # an IOException always means something
    except duckdb.Error as error:
        raise StoreDamaged(f"{target} cannot be opened: {_first_line(error)} {RESTORE}") from error
    unacknowledged = 0
    try:
        with connection.cursor() as cursor:
            cursor.begin()
            reshaped = _migrate(cursor) | _shape_applicant(cursor, schema) | notary.renew(cursor)
            for view in sorted((SQL / "views").glob("*.sql")):
                cursor.execute(view.read_text(encoding="utf-8"))
            last = _newest(cursor)
            mark, unacknowledged = _held_against(cursor, head, settings.data) if head else (None, 0)
            if last and reshaped:  # rows of tables with other columns have other digests, and so may all have by another DuckDB
                mark = _append_audit(cursor, "creditrisk", "seal", "what is stored", notary.anew(cursor, notary.FACTS))
            cursor.commit()
        if head and mark:
            head.write(mark)
        connection.execute("set lock_configuration = true")
    except BaseException as error:
        connection.close()
        if isinstance(error, duckdb.Error):
            said = _meant(error, f"{target} cannot be opened")
            raise said if said is not error else StoreDamaged(f"{target} cannot be opened: {_first_line(error)} {RESTORE}") from error
        raise
    return Store(
        connection,
        settings,
        schema,
        head=head,
        lock=lock,
        unacknowledged=unacknowledged,
        newest=max(seen.seq for seen in (last, mark, NOTHING) if seen),
    )


def _meant(error: duckdb.Error, what: str) -> Exception:
    """Return what an error of the database means to a person; itself where it is a fault of ours."""
    said = str(error)
    if any(reason in said for reason in UNWRITABLE):
        return NoRoom(
            f"The disk of the workspace is full or cannot be written ({_first_line(error)}) What is not shown was not stored. Free some "
            "space and try again: the workspace opens by itself."
        )
    # DuckDB raises plain Error for a block that does not match its checksum: it opens over damage further inside.
    if type(error) is duckdb.Error or isinstance(error, DAMAGE):
        return StoreDamaged(f"{what}: {_first_line(error)} {RESTORE}")
    return error


def _held_against(cursor: duckdb.DuckDBPyConnection, head: Head, folder: Path) -> tuple[Mark | None, int]:
    """Refuse a database that knows less than was acknowledged; return its newest mark where the head is behind it or absent, and by
    how many changes it is behind."""
    known, newest = head.read(), _newest(cursor)
    there = cursor.execute("select hash from audit where seq = $seq", {"seq": known.seq}).fetchall() if known else []
    custody.compare(known, newest, there[0][0] if there else None, folder)
    if newest and known is None:
        return _append_audit(cursor, "creditrisk", "head", "audit.head was absent", {"seq": newest.seq}), 0
    return (newest, newest.seq - known.seq) if newest and known and newest != known else (None, 0)


def _newest(cursor: duckdb.DuckDBPyConnection, chain: str = "audit") -> Mark | None:
    last = cursor.execute(f"select seq, hash from {chain} order by seq desc limit 1").fetchall()
    return Mark(*last[0]) if last else None


def _undo(cursor: duckdb.DuckDBPyConnection) -> None:
    """Roll back, unless the database itself has given up: then what it said first is what matters."""
    with suppress(duckdb.Error):
        cursor.rollback()


def _text(path: Path) -> str:
    """Write a path of the settings as a literal: `set` takes no parameters."""
    return "'" + str(path.resolve()).replace("'", "''") + "'"


def _first_line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0].rstrip(".") + "."


def _declared(file: Path) -> Schema:
    """Return the schema of a workspace, the built-in one where it has none of its own; raises StoreDamaged for a file that is no text."""
    try:
        return parse(file.read_text(encoding="utf-8"), str(file)) if file.exists() else built_in()
    except (OSError, UnicodeDecodeError, InvalidInput) as error:
        said = str(error) if isinstance(error, InvalidInput) else f"{file} cannot be read."
        raise StoreDamaged(f"{said} Put it back from a backup: nothing says what an applicant is without it.") from error


def _migrate(cursor: duckdb.DuckDBPyConnection) -> bool:
    """Bring the tables up to this version; returns whether there was anything to do."""
    cursor.execute("create table if not exists migration (name varchar primary key, applied_at timestamp not null)")
    done = {name for (name,) in cursor.execute("select name from migration").fetchall()}
    files = sorted((SQL / "migrations").glob("*.sql"))
    newer = done - {file.stem for file in files}
    if newer:
        raise StoreDamaged(f"The workspace was written by a newer version (it has {', '.join(sorted(newer))}); update the program.")
    for file in files:
        if file.stem not in done:
            cursor.execute(file.read_text(encoding="utf-8"))
            cursor.execute("insert into migration values ($name, $at)", {"name": file.stem, "at": now()})
    return len(done) < len(files)


def _shape_applicant(cursor: duckdb.DuckDBPyConnection, schema: Schema) -> bool:
    """Make the ML-ready table, and that of invented applicants, hold every declared feature; returns whether one was new.

    Grain: one row per snapshot and applicant.
    """
    is_new = False
    for table in ("applicant", "invented"):
        cursor.execute(f"create table if not exists {table} (snapshot_id integer not null, applicant_id varchar not null, as_of date)")
        there = {name.lower() for name, *_ in cursor.execute(f"describe {table}").fetchall()}
        for feature in schema:
            if feature.name.lower() not in there:
                cursor.execute(f"alter table {table} add column {quoted(feature.name)} {COLUMN_TYPES[feature.type]}")
                is_new = True
    return is_new


def link(before: Mark, row: Mapping[str, Any]) -> str:
    """Return the hash of an audit row (seq, happened_at, user, action, subject, detail) that follows another."""
    return hashlib.sha256((before.hash + to_json(row)).encode()).hexdigest()


def _append_audit(
    cursor: duckdb.DuckDBPyConnection, user: str, action: str, subject: str, detail: Mapping[str, Any], *, after: Mark | None = None
) -> Mark:
    """Append a row to the chain, `after` the last one where that is known; its hash covers it and the hash before; returns its mark."""
    before = after or _newest(cursor) or NOTHING
    row = {"seq": before.seq + 1, "happened_at": now(), "user": user, "action": action, "subject": subject, "detail": to_json(detail)}
    digest = link(before, row)
    cursor.execute("insert into audit values ($seq, $happened_at, $user, $action, $subject, $detail, $hash)", {**row, "hash": digest})
    return Mark(before.seq + 1, digest)
