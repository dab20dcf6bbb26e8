"""Requests that may be sent again: a key names one, and the same one is answered with what it was answered before, never scored twice.

A key belongs to whoever used it first and to one body; it is no way to read what somebody else asked.
"""

import hashlib
import json
import threading
from collections.abc import Callable
from typing import Any

from creditrisk.errors import Repeated
from creditrisk.store import Store, now, to_json

_turns = [threading.Lock() for _ in range(64)]  # a key takes one of them, so that two requests of one key follow each other


def once(store: Store, key: str | None, body: Any, score: Callable[[], list[str]], *, user: str) -> list[str] | None:
    """Return the ids a request of this key was answered with before; None where there was none and `score` has been called and kept.

    `score` makes and keeps predictions and returns their ids. Without a key it is only called. Raises Repeated for a key that was used
    with another body.
    """
    if key is None:
        score()
        return None
    asked = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    with _turns[hash((key, user)) % len(_turns)]:
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
