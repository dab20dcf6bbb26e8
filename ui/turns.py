"""Pages take turns: few of them run at a time, so that each is soon done instead of all being late together.

A page asks the database some twenty times, and after every answer waits for the interpreter; beside ten others that is most of its time.
Nobody waits long for somebody whose page works for seconds: who has waited enough goes on.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

AT_ONCE = 2  # one computes while the other's question is answered
PATIENCE = 1.0  # seconds
_places = threading.BoundedSemaphore(AT_ONCE)


@contextmanager
def turn() -> Iterator[None]:
    """Wait for a place, no longer than patience lasts, and keep it meanwhile."""
    has_place = _places.acquire(timeout=PATIENCE)
    try:
        yield
    finally:
        if has_place:
            _places.release()
