"""What the pages handed to whom: addresses of files, places for uploads, the names of their sessions. Nobody may ask for another's.

Streamlit serves such an address to whoever knows it. Here it is nobody's but of the sign-in over whose socket it went. Kept in memory
and bounded; what is forgotten is handed out again by the next run of its page. Nothing here knows what a message looks like.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from creditrisk.visits import Message, Receive, Send, Visit, refuse

MOST_EACH, MOST_PEOPLE = 500, 1_000  # things, and sign-ins, that are remembered
MOST_OPEN = 40  # pages that one sign-in has open: each is a session with a memory of its own
FILES = ("/media", "/_stcore/upload_file")  # where addresses lie that are handed out
PROTOCOL = b"sec-websocket-protocol"  # Streamlit's: its name, a token against forgery, the session to go on with


class Wire(Protocol):
    """The language of the pages' socket: what the face knows of it."""

    def handed(self, message: bytes) -> Iterable[str]:
        """Return what a message to a browser lets it ask for from then on."""

    def wanted(self, message: bytes) -> str | None:
        """Return what a message from a browser asks for that has to have been handed out, "" for nothing of that kind.

        None where it asks for what the pages never need.
        """

    def held(self) -> int:
        """Return how many bytes of uploaded files are in memory, whoever's."""


class Handed:
    """Who was handed what; asked and told by the loop of the server alone."""

    def __init__(self, wire: Wire):
        self._wire = wire
        self._kept: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()
        self._open: Counter[str] = Counter()

    @contextmanager
    def seat(self, who: str | None) -> Iterator[None]:
        """Count an open page of a sign-in; refuses one more than it may have. `who` None: nobody signs in here."""
        if who is None:
            yield
            return
        if self._open[who] >= MOST_OPEN:
            refuse(429, f"You have {MOST_OPEN} pages open: close one.", "TooMany")
        self._open[who] += 1
        try:
            yield
        finally:
            self._open[who] -= 1
            self._open += Counter()  # forgets who has none

    def note(self, who: str, things: Iterable[str]) -> None:
        """Remember what was handed to a sign-in."""
        for thing in things:
            theirs = self._kept.setdefault(who, OrderedDict())
            self._kept.move_to_end(who)
            theirs[thing] = None
            theirs.move_to_end(thing)
            if len(theirs) > MOST_EACH:
                theirs.popitem(last=False)
            if len(self._kept) > MOST_PEOPLE:
                self._kept.popitem(last=False)

    def has(self, who: str, thing: str) -> bool:
        """Say whether this was handed to a sign-in."""
        return thing in self._kept.get(who, ())

    def line(self, visit: Visit, who: str | None, receive: Receive, send: Send) -> tuple[Receive, Send]:
        """Return a page's socket as it may be used: what was never offered is not heard. `who` None: nobody signs in here."""
        if who is not None:
            self._join(visit, who)

        async def hear() -> Message:
            while True:
                message = await receive()
                wanted = "" if message.get("bytes") is None else self._wire.wanted(message["bytes"])
                if wanted == "" or (wanted and (who is None or self.has(who, wanted))):
                    return message

        async def say(message: Message) -> None:
            if who is not None and message.get("bytes"):
                self.note(who, self._wire.handed(message["bytes"]))
            await send(message)

        return hear, say

    def _join(self, visit: Visit, who: str) -> None:
        """Let a browser go on with a session only that its own sign-in began; with another's it begins anew."""
        said = [part.strip() for part in visit.header(PROTOCOL.decode()).split(",")]
        if len(said) > 2 and not self.has(who, said[2]):
            others = [(name, value) for name, value in visit.scope["headers"] if name != PROTOCOL]
            visit.scope["headers"] = [*others, (PROTOCOL, ", ".join(said[:2]).encode("latin-1"))]


def address(path: str) -> str:
    """Return a file's address as it is remembered: whatever the ending, Streamlit serves the same.

    >>> address("/media/0a1b.csv"), address("/media/0a1b"), address("/_stcore/upload_file/s/f.x")
    ('/media/0a1b', '/media/0a1b', '/_stcore/upload_file/s/f.x')
    """
    folder, _, name = path.rpartition("/")
    return f"{folder}/{name.rpartition('.')[0] or name}" if folder == "/media" else path
