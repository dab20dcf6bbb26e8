"""Requests that may be sent again: a key names one, and the same one is answered with what it was answered before, never scored twice.

A key belongs to whoever used it first and to one body; it is no way to read what somebody else asked.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from creditrisk.errors import Repeated
from creditrisk.store import Store, now, to_json

_busy: dict[tuple[int, str, str], threading.Lock] = {}
_guard = threading.Lock()


def once(store: Store, key: str | None, body: Any, score: Callable[[], list[str]], *, user: str) -> list[str] | None:
    """Return the ids a request of this key was answered with before; None where there was none and `score` has been called and kept.

    `score` makes and keeps predictions and returns their ids. Without a key it is only called. Raises Repeated for a key that was used
    with another body.
    """
    if key is None:
        score()
        return None
    asked = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    with _alone(store, key, user):
        found = store.record("select asked, predictions from repeat where key = $key and by_user = $user", key=key, user=user)
        if found is None:
            made = score()
            values = {"key": key, "user": user, "asked": asked, "made": to_json(made), "at": now()}
            store.append("insert into repeat values ($key, $user, $asked, $made, $at)", **values)
            return None
    if found["asked"] != asked:
        raise Repeated(f"The key {key[:60]!r} was used for another request; a new request needs a key of its own.")
    ids: list[str] = json.loads(found["predictions"])
    return ids


@contextmanager
def _alone(store: Store, key: str, user: str) -> Iterator[None]:
    """Let one request of a key through at a time."""
    name = (id(store), key, user)
    with _guard:
        lock = _busy.setdefault(name, threading.Lock())
    with lock:
        yield
    with _guard:
        if not lock.locked():
            _busy.pop(name, None)
