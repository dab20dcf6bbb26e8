"""Faults that a crash run must find, planted in the process that is killed and nowhere in the product."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import creditrisk.store as stores
from creditrisk import custody, notary, registry
from creditrisk.store import Store

WIDE = 0.15  # seconds in which a kill finds the fault open


def no_transaction() -> None:
    """What belongs together is written piece by piece."""

    @contextmanager
    def write(self: Store, user: str, action: str, subject: str, **detail: Any) -> Iterator[Any]:
        named = self.require(user, action, subject)
        with self._writer, self._cursor() as cursor:
            cursor.begin()
            yield (watched := notary.Watched(cursor))
            detail |= notary.entry(watched)
            cursor.commit()
            time.sleep(WIDE)
            mark = stores._append_audit(cursor, named, action, subject, detail)
            self._head.write(mark)

    Store.write = write


def row_before_files() -> None:
    """A model is on record before its folder has its name."""
    settle, register, began = custody.settle, registry.register, [time.monotonic()]

    def early(*given: Any, **named: Any) -> list[str]:
        later: list[tuple[Any, Any]] = []
        custody.settle = lambda part, target: later.append((part, target))
        names = register(*given, **named)
        time.sleep(time.monotonic() - began[0])  # as long as the training took, so that every second kill falls here
        for part, target in later:
            settle(part, target)
        custody.settle, began[0] = settle, time.monotonic()
        return names

    registry.register = early


def acknowledged_before_commit() -> None:
    """A change is acknowledged while its transaction is still open; it is committed when the next one comes."""
    open_ones: list[tuple[Any, Any]] = []

    @contextmanager
    def write(self: Store, user: str, action: str, subject: str, **detail: Any) -> Iterator[Any]:
        named = self.require(user, action, subject)
        time.sleep(WIDE)
        for cursor, mark in open_ones:
            cursor.commit()
            self._head.write(mark)
        open_ones.clear()
        cursor = self._connection.cursor()
        cursor.begin()
        yield (watched := notary.Watched(cursor))
        open_ones.append((cursor, stores._append_audit(cursor, named, action, subject, detail | notary.entry(watched))))

    Store.write = write


def head_before_commit() -> None:
    """`audit.head` knows a change before the database does."""

    @contextmanager
    def write(self: Store, user: str, action: str, subject: str, **detail: Any) -> Iterator[Any]:
        named = self.require(user, action, subject)
        with self._writer, self._cursor() as cursor:
            cursor.begin()
            yield (watched := notary.Watched(cursor))
            self._head.write(stores._append_audit(cursor, named, action, subject, detail | notary.entry(watched)))
            time.sleep(WIDE)
            cursor.commit()

    Store.write = write


def nothing_swept() -> None:
    """Start-up leaves what a crash left."""
    registry.recover = lambda _store: {"removed": [], "quarantined": [], "damaged": []}


FAULTS: Mapping[str, tuple[Callable[[], None], tuple[str, ...]]] = {  # name → what plants it, the work in which a kill finds it
    "no transaction": (no_transaction, ("review", "score")),
    "row before files": (row_before_files, ("train",)),
    "acknowledged before commit": (acknowledged_before_commit, ("review", "review")),
    "head before commit": (head_before_commit, ("review",)),
    "nothing swept at start-up": (nothing_swept, ("train",)),
}
