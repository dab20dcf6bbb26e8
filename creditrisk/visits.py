"""A request as the guard looks at it: what it says of itself, how much it brings, how often it comes, and the answer where it is refused.

Nothing here knows who is allowed what, and nothing of a request gets into an answer that is not escaped.
"""

import asyncio
import html
import json
import math
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from starlette.requests import cookie_parser

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
DENIAL = "websocket.http.response"  # ASGI's extension: an answer, with headers, in the place of an opened socket
API = "/api"
GRACE, SLOWEST = 30.0, 8_000  # seconds until a body has to come, and bytes a second from then on
READY = 0.1  # seconds in which a part that has come is handed on


class Refused(Exception):
    """An answer instead of a page: status, title, sentence, and after how many seconds to try again."""

    def __init__(self, status: int, title: str, sentence: str, wait: int | None = None):
        super().__init__(sentence)
        self.status, self.title, self.sentence, self.wait = status, title, sentence, wait


class Visit:
    """A request as the guard looks at it."""

    def __init__(self, scope: Scope):
        self.scope = scope
        self.is_socket = scope["type"] == "websocket"
        self.method = "GET" if self.is_socket else str(scope["method"])
        self.path = str(scope["path"]).removeprefix(scope.get("root_path") or "") or "/"
        self.client = str((scope.get("client") or ("nobody", 0))[0])

    def header(self, name: str) -> str:
        """Return the first header of that name, or nothing."""
        wanted = name.encode()
        return next((value.decode("latin-1") for key, value in self.scope["headers"] if key == wanted), "")

    def under(self, *paths: str) -> bool:
        """Say whether the request is for one of these paths or for something below it."""
        return any(self.path == path or self.path.startswith(f"{path}/") for path in paths)

    def name(self, person: str) -> None:
        """Let what lies behind read no other name than that of who showed a key (`people.present` brings roles and scopes)."""
        others = [(key, value) for key, value in self.scope["headers"] if key != b"x-user"]
        self.scope["headers"] = [*others, (b"x-user", str(person).encode("latin-1"))]

    @property
    def cookies(self) -> dict[str, str]:
        """What the browser kept for us."""
        return cookie_parser(self.header("cookie"))

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the address that stand once."""
        pairs = (part.partition("=") for part in self.scope["query_string"].decode("latin-1").split("&"))
        return {name: value for name, _, value in pairs}

    @property
    def wants_page(self) -> bool:
        """Whether a person looks at the answer."""
        return not self.is_socket and "text/html" in self.header("accept") and not self.under(API)


class Meter:
    """Counts what somebody asks for within a minute; forgets everybody when the minute is over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._lock = threading.RLock()
        self._minute = -1
        self._counts: dict[str, int] = {}

    def check(self, who: str, most: int) -> None:
        """Raise Refused (429) where somebody has used up what a minute allows."""
        minute = int(self._clock() // 60)
        with self._lock:
            if minute != self._minute:
                self._minute, self._counts = minute, {}
        if self._counts.get(who, 0) >= most:
            left = math.ceil(60 * (minute + 1) - self._clock())
            raise Refused(429, "TooMany", f"More than {most:,} requests in a minute; the next is answered in {left} seconds.", left)

    def count(self, who: str, most: int) -> None:
        """Count one more, where a minute allows it."""
        with self._lock:
            self.check(who, most)
            self._counts[who] = self._counts.get(who, 0) + 1


class Body:
    """A request's body that ends where it becomes too long, and the answer to it."""

    def __init__(self, receive: Receive, send: Send, most: float, clock: Callable[[], float] = time.monotonic):
        self._receive, self._send, self._most, self._clock = receive, send, most, clock
        self._n, self._since = 0, clock()
        self.is_over = self.is_late = self.has_begun = self._is_whole = False

    def announced(self, length: str) -> int:
        """Return how long the body says it is; 0 where it does not say so."""
        return int(length) if length.isdecimal() else 0

    async def receive(self) -> Message:
        """Hand on the next part; past the limit, or too late, the caller is gone, as far as the program behind can tell."""
        message = await (self._receive() if self._is_whole else self._in_time())
        self._n += len(message.get("body", b""))
        self._is_whole = not message.get("more_body")
        if self._n > self._most:
            self.is_over = True
            return {"type": "http.disconnect"}
        return message

    async def _in_time(self) -> Message:
        """Return the next part; what is ready is taken, so that a server that was busy blames nobody."""
        left = self._since + GRACE + self._n / SLOWEST - self._clock()
        with suppress(TimeoutError):
            if left > -GRACE:
                return await asyncio.wait_for(self._receive(), max(left, READY))
        self.is_over = self.is_late = True
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Hand on the answer, unless the body was too long: what is said of half a body says nothing."""
        if self.is_over and not self.has_begun:
            return
        self.has_begun = True
        await self._send(message)

    def refuse(self) -> NoReturn:
        """Say how long a body may be, and may take."""
        if self.is_late:
            refuse(408, f"The body came too slowly: {SLOWEST // 1_000:,} kB a second is the least.", "TooSlow")
        refuse(413, f"The body is too large: {self._most / 1024:,.0f} kB is the most that is taken here.", "TooLarge")


def refuse(status: int, sentence: str, title: str = "NotServed") -> NoReturn:
    raise Refused(status, title, sentence)


async def answer(send: Send, visit: Visit, refused: Refused, ways: Sequence[str]) -> None:
    """Say no: to a person with a page that offers the ways to sign in, to a program with problem+json, to a WebSocket by not opening it.

    Where the server lets us, a WebSocket hears the same as a program; otherwise it is closed with the sentence.
    """
    if visit.is_socket and DENIAL not in visit.scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": refused.sentence[:120]})
        return
    if visit.wants_page:
        kind, body = "text/html; charset=utf-8", _page(refused, ways)
    else:
        content = {"type": "about:blank", "title": refused.title, "status": refused.status, "detail": refused.sentence}
        kind, body = "application/problem+json", json.dumps(content, ensure_ascii=False)
    headers = [(b"content-type", kind.encode())]
    if refused.status == 401:
        headers.append((b"www-authenticate", b"Bearer" if visit.under(API) else b"Cookie"))
    if refused.wait is not None:
        headers.append((b"retry-after", str(refused.wait).encode()))
    message = DENIAL if visit.is_socket else "http.response"
    await send({"type": f"{message}.start", "status": refused.status, "headers": headers})
    await send({"type": f"{message}.body", "body": b"" if visit.method == "HEAD" else body.encode()})


def _page(refused: Refused, ways: Sequence[str]) -> str:
    """Return the page that says no, and offers to sign in where that would help."""
    ways = ways if refused.status in (401, 403) else ()
    links = "".join(
        f'<a href="/signin?with={html.escape(name)}">Sign in{"" if len(ways) == 1 else f" with {html.escape(name)}"}</a>' for name in ways
    )
    out = '<a class="quiet" href="/auth/logout">Sign out</a>' if ways and refused.status == 403 else ""
    return PAGE.format(sentence=html.escape(refused.sentence), links=links + out)


PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Credit Risk Workbench</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><style>
body {{ font: 16px/1.5 system-ui, sans-serif; display: grid; place-items: center; min-height: 100vh; margin: 0;
  background: light-dark(#eff4f4, #0d171b); color: light-dark(#15272e, #e4edef) }}
main {{ max-width: 26rem; margin: 1rem; padding: 2rem; border-radius: 8px; background: light-dark(#fcfdfd, #15232a);
  border: 1px solid light-dark(#d8e2e3, #263940) }}
h1 {{ font-size: 1.3rem; margin: 0 0 .5rem }}
a {{ display: inline-block; margin: .5rem .5rem 0 0; padding: .5rem 1rem; border-radius: 8px; background: #0b6b66; color: #fff;
  text-decoration: none }}
a.quiet {{ background: none; color: inherit; border: 1px solid currentcolor }}
</style></head><body><main><h1>Credit Risk Workbench</h1><p>{sentence}</p>{links}</main></body></html>"""
