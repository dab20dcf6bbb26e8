"""What guards the database from outside it: one process at a time holds `app.lock`, and `audit.head` knows the last acknowledged change.

DuckDB opens over a lost or emptied write-ahead log without a word, and forgets its own lock when its file is read by other means.
A change is acknowledged only once the head is on the disk, so a database that knows less than the head has lost something.
"""

import errno
import fcntl
import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from creditrisk.errors import NoRoom, StoreDamaged, StoreInUse

UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
FORBIDDEN = (errno.EACCES, errno.EPERM)
SIZE = 160  # bytes of the head: always the same, so that it is rewritten in place within one sector
_held: dict[Path, tuple[int, int]] = {}  # lock file → descriptor, how many stores of this process share it
_guard = threading.Lock()


@dataclass(frozen=True)
class Mark:
    """The newest row of the audit chain: its number and its hash."""

    seq: int
    hash: str


def take(folder: Path) -> Path:
    """Take the lock of a data folder for this process; returns what `release` wants. Raises StoreInUse where another process has it."""
    file = (folder / "app.lock").resolve()
    with _guard:
        handle, n = _held.get(file, (-1, 0))
        if not n:
            try:
                handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise NoRoom(f"{folder} cannot be written ({error.strerror}): make it writable or choose another folder.") from error
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(handle)
                raise StoreInUse(
                    f"{folder} is open in another process, probably the workbench. Use its pages or its API, or stop it and try again."
                ) from error
        _held[file] = handle, n + 1
    return file


def release(file: Path) -> None:
    """Let go of the lock; the last store of this process that shares it frees it for others."""
    with _guard:
        handle, n = _held.get(file, (-1, 0))
        if n > 1:
            _held[file] = handle, n - 1
        elif n:
            del _held[file]
            os.close(handle)


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Hold the lock of a data folder for a while."""
    lock = take(folder)
    try:
        yield
    finally:
        release(lock)


def sync(path: Path) -> None:
    """Make a file's bytes, or the names in a folder, durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_all(folder: Path) -> None:
    """Make a folder and everything in it durable."""
    for path in (*folder.rglob("*"), folder):
        sync(path)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Say in a sentence what the disk that holds a folder refuses while files are written there. Raises NoRoom."""
    try:
        yield
    except OSError as error:  # Arrow's own among them
        if error.errno not in (*UNWRITABLE, *FORBIDDEN):
            raise
        raise NoRoom(
            f"{error.filename or folder} cannot be written ({os.strerror(error.errno)}). What was not finished is not stored. Free some "
            "space or make the folder writable, and try again."
        ) from error


def settle(part: Path, target: Path) -> None:
    """Give a finished folder its name: everything in it durable before, the name durable after, so that what has the name is whole."""
    sync_all(part)
    part.rename(target)
    sync(target.parent)


def require_room(folder: Path, needed: int, reserve: int, what: str) -> None:
    """Raise NoRoom unless so many bytes fit on the disk of a folder and leave the reserve free, without which nothing can be stored."""
    free = shutil.disk_usage(folder).free
    if not free - needed >= reserve:
        raise NoRoom(
            f"{what} is not taken: the disk that holds {folder} has {free / 1e6:,.1f} MB free; it needs {needed / 1e6:,.1f} MB, and "
            f"{reserve / 1e6:,.0f} MB are kept free. Free some space, or lower min_free_mb under [intake] of creditrisk.toml."
        )


class Head:
    """The file `audit.head` beside a database: the mark of the last change that was acknowledged."""

    def __init__(self, folder: Path, database: Path):
        self.file = folder / "audit.head"
        self._log = database.with_name(f"{database.name}.wal")
        self._log_inode: int | None = None

    def read(self) -> Mark | None:
        """Return the mark, or None where no head was ever written. Raises StoreDamaged for one that is no mark."""
        try:
            said = json.loads(self.file.read_text(encoding="utf-8"))
            return Mark(int(said["seq"]), str(said["hash"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreDamaged(
                f"{self.file} is not what this program wrote. Put it back from a backup, together with the database."
            ) from error

    def write(self, mark: Mark) -> None:
        """Put a mark on the disk: when this returns, the change it stands for may be acknowledged. Raises StoreDamaged where it cannot."""
        line = json.dumps({"seq": mark.seq, "hash": mark.hash}).ljust(SIZE - 1) + "\n"
        try:
            handle = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(handle, line.encode(), 0)
                os.fdatasync(handle)
            finally:
                os.close(handle)
            self._keep_names()
        except OSError as error:
            raise NoRoom(
                f"The change is stored but {self.file} cannot be written ({error.strerror}), so it is not sure to last. Free some space."
            ) from error

    def _keep_names(self) -> None:
        """Make the name of a new write-ahead log durable: DuckDB syncs its bytes, never the folder that names it."""
        try:
            inode = self._log.stat().st_ino
        except FileNotFoundError:
            inode = None
        if inode != self._log_inode:
            self._log_inode = inode
            sync(self.file.parent)


def compare(head: Mark | None, newest: Mark | None, hash_there: str | None, folder: Path) -> None:
    """Raise StoreDamaged where a database knows less than its head, or something else; `hash_there` is its hash at the head's number.

    A database that knows more was cut off between its commit and the head: those changes were stored, only not yet acknowledged.
    """
    if head is None or hash_there == head.hash:
        return
    known = newest.seq if newest else 0
    back = f"Put back the newest backup of {folder} with `restore`. Without one, removing {folder / 'audit.head'} opens what is left; "
    if known < head.seq:
        raise StoreDamaged(
            f"The database has lost changes that were acknowledged: {head.seq:,} were, it knows {known:,} (its write-ahead log is gone or "
            f"damaged). {back}what is missing has to be entered again, and the gap stays on record."
        )
    raise StoreDamaged(
        f"Change {head.seq:,} in the database is not the one that was acknowledged: its history was altered, or the file is another's. "
        f"{back}that, too, stays on record."
    )
