"""The one guard in front of everything the process serves: pages, API, metrics and the WebSocket. What it does not admit is not run.

Without a sign-in provider only this machine is served, by its own names. With one, a page and its WebSocket need a sign-in that is
on record, the API a key that is in force; neither opens the other. Nothing here knows what lies behind, but for paths.
"""

import asyncio
import ipaddress
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Protocol
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import cookie_parser

from creditrisk import people, sessions, tokens
from creditrisk.errors import CreditRiskError, NotAllowed, NotSignedIn
from creditrisk.handed import FILES, Handed, Wire, address
from creditrisk.people import Person
from creditrisk.settings import Settings
from creditrisk.store import Store
from creditrisk.visits import API, DENIAL, Body, Message, Meter, Receive, Refused, Scope, Send, Visit, answer, refuse

App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger(__name__)
OPEN = frozenset({"/_stcore/health"})  # says "ok", which a load balancer asks for
CLOSED = ("/_stcore/metrics", "/_stcore/agent", "/_stcore/script-health-check")  # to everybody, signed in or not
DOORS = frozenset({"/signin", "/auth/login", "/auth/logout", "/oauth2callback"})  # on the way in and out; only with a provider
BATCHES = f"{API}/v1/batches"
SCORING = (f"{API}/v1/score", f"{API}/v1/what-if", BATCHES)  # what a key that only scores may post to
HEALTH = f"{API}/v1/health"  # any key will do
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HERE = frozenset({"localhost", "127.0.0.1", "::1"})
FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip")
MB = 1024 * 1024
SMALL = 64 * 1024  # bytes of a body that is neither the API's nor a file
UPLOAD = "/_stcore/upload_file"
MOST_HELD = 2_048 * MB  # of uploaded files that are in memory at a time
WRONG_KEYS = 20  # a minute, from one address
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
STILL = (  # of what the API hands out, records of cases among it: nothing in it ever runs
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
SECURE = {"strict-transport-security": "max-age=31536000"}


class Provider(Protocol):
    """How people sign in: what the face knows of the provider."""

    origin: str  # scheme and host under which the workbench is reached
    names: tuple[str, ...]  # of the providers there are

    def claims(self, cookies: Mapping[str, str]) -> sessions.Claims | None:
        """Return what the provider said of the person whose cookies these are, its signature verified; None for nobody."""

    def way(self, name: str) -> str:
        """Return the address that begins signing in with one of the providers."""


class Perimeter:
    """ASGI middleware; `provider` answers None in local mode, and is asked for each request, as is the store."""

    def __init__(self, app: App, open_store: Callable[[], Store], provider: Callable[[], Provider | None], wire: Wire):
        self._app = app
        self._open_store = open_store
        self._provider = provider
        self._meter = Meter()
        self._wire, self._handed = wire, Handed(wire)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve what is admitted, answer everything else with a sentence."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        visit = Visit(scope)
        provider = self._provider()
        headed, ways = _headed(send, visit, provider), provider.names if provider else ()
        try:
            _known_host(visit, provider)
            _own_origin(visit, provider)
            if visit.under(*CLOSED):
                refuse(404, "This is not served.")
            if visit.path == "/signin" and provider:
                await _redirect(headed, provider.way(visit.query.get("with", "")))
            elif visit.under(API):
                await self._serve_api(visit, provider, receive, headed)
            else:
                await self._serve_page(visit, provider, receive, headed)
        except Refused as refused:
            await answer(headed, visit, refused, ways)
        except CreditRiskError as error:
            await answer(headed, visit, Refused(error.status, type(error).__name__, str(error)), ways)

    async def _serve_page(self, visit: Visit, provider: Provider | None, receive: Receive, send: Send) -> None:
        if visit.is_socket:
            who = None if provider is None else await asyncio.to_thread(self._signed_in, visit, provider)
            with self._handed.seat(who):
                await self._app(visit.scope, *self._handed.line(visit, who, receive, send))
            return
        if provider is None or visit.path in OPEN:
            await self._pass(visit, receive, send, SMALL)
            return
        if visit.path == "/auth/logout":
            await asyncio.to_thread(sessions.end, self._open_store(), provider.claims(visit.cookies))
        if visit.path == "/oauth2callback":
            if "error" in visit.query:  # in words of whoever wrote the address, which would stand in the log
                refuse(401, "The sign-in provider did not sign you in. Try again, or ask whoever runs it.", "NotSignedIn")
            send = _recording(send, self._open_store, provider)
        if visit.path not in DOORS:
            who = await asyncio.to_thread(self._signed_in, visit, provider)
            if visit.under(*FILES) and not self._handed.has(who, address(visit.path)):
                refuse(404, "No page of yours offers this; open the page that does, and take it from there.")
        await self._pass(visit, receive, send, SMALL)

    def _signed_in(self, visit: Visit, provider: Provider) -> str:
        """Return the sign-in's id; raises NotSignedIn, or NotAllowed for somebody without any role."""
        store, claims = self._open_store(), provider.claims(visit.cookies)
        if claims is not None:
            people.require(sessions.who(store.settings.people, claims), "read", store.settings.people.roles)
        sessions.person(store, claims)
        return sessions.id_of(claims or {})

    async def _serve_api(self, visit: Visit, provider: Provider | None, receive: Receive, send: Send) -> None:
        store = self._open_store()
        person = await run_in_threadpool(self._caller, store, visit, provider)  # the API's own threads: a refusal may wait for the writer
        if person is not None:
            visit.name(person)
        key, asker = people.caller.set(person), people.asking.set((person or _named(visit), _asked(visit)))
        try:
            await self._pass(visit, receive, send, _most(visit, store.settings))
        finally:
            people.caller.reset(key)
            people.asking.reset(asker)

    def _caller(self, store: Store, visit: Visit, provider: Provider | None) -> Person | None:
        """Return who shows a key, None where none is needed; raises NotAllowed for what they may not ask, Refused for too much of it."""
        person = self._holder(store, visit, provider)
        if person is not None:
            self._meter.count(f"key of {person}", store.settings.access.requests_per_minute)
        if visit.path != HEALTH:
            store.require(person or _named(visit), _asked(visit), visit.path)
        return person

    def _holder(self, store: Store, visit: Visit, provider: Provider | None) -> Person | None:
        kind, _, key = visit.header("authorization").partition(" ")
        if kind.lower() == "bearer" and key.strip():
            try:
                return tokens.holder(store, key.strip())
            except NotSignedIn:  # only wrong ones are counted: behind a proxy all callers have one address
                self._meter.count(f"wrong key from {visit.client}", WRONG_KEYS)
                log.warning("An unknown bearer was refused, from %s", visit.client)
                raise
        if provider is not None:
            raise NotSignedIn("The API takes a key, in the header Authorization: Bearer …; an admin makes one with `token create`.")
        return None

    async def _pass(self, visit: Visit, receive: Receive, send: Send, most: int) -> None:
        """Hand on a request whose body may hold `most` bytes; an upload's own limit stands where the uploads are."""
        if visit.method in SAFE:
            await self._app(visit.scope, receive, send)
            return
        if visit.under(UPLOAD) and visit.method != "DELETE" and self._wire.held() > MOST_HELD:
            refuse(503, "So many uploaded files are being looked at that there is no room for another: try again in a few minutes.")
        bound = math.inf if visit.under(UPLOAD) else most
        body = Body(receive, send, bound)
        if body.announced(visit.header("content-length")) > bound:
            body.refuse()
        try:
            await self._app(visit.scope, body.receive, body.send)
        except Exception:
            if not body.is_over:
                raise
        if body.is_over and not body.has_begun:
            body.refuse()


def _named(visit: Visit) -> str:
    return visit.header("x-user") or "api"


def _asked(visit: Visit) -> str:
    """Return what somebody has to be allowed who asks the API for this; what it comes to is decided again where it is done."""
    if visit.method in SAFE:
        return "read"
    return "score" if visit.under(*SCORING) else "change"


def _most(visit: Visit, settings: Settings) -> int:
    """Return how many bytes a request to the API may bring: a file to score, another file, or JSON."""
    kind = visit.header("content-type")
    if not kind or "json" in kind:
        return settings.access.body_mb * MB
    return (settings.intake.max_batch_mb if visit.under(BATCHES) else settings.intake.max_file_mb) * MB + MB


def _known_host(visit: Visit, provider: Provider | None) -> None:
    """Refuse what was not sent to a name of ours: a page elsewhere may make its own name mean this machine. In local mode, strangers."""
    known = HERE | {urlsplit(provider.origin).hostname} if provider else HERE
    if _hostname(visit.header("host")) not in known:
        refuse(403, "This workbench is not served under that name.")
    if provider is None and (not _is_here(visit.client) or any(name in FORWARDED for name, _ in visit.scope["headers"])):
        refuse(403, "This workbench runs in local mode and serves its own machine only. To serve others, set up [auth] (docs/security.md).")


def _own_origin(visit: Visit, provider: Provider | None) -> None:
    """Refuse what another site's page makes a browser send; a WebSocket always says where it comes from."""
    origin, site = visit.header("origin"), visit.header("sec-fetch-site")
    if visit.is_socket and not origin:
        refuse(403, "A WebSocket says where it comes from.")
    if visit.method in SAFE and not visit.is_socket and visit.path != "/auth/logout":
        return
    ours = {visit.header("host")} | ({urlsplit(provider.origin).netloc} if provider else set())
    if (origin and _netloc(origin) not in ours) or site in ("cross-site", "same-site"):
        refuse(403, "This was sent by a page of another site.")


def _hostname(netloc: str) -> str | None:
    try:
        return urlsplit(f"//{netloc}").hostname
    except ValueError:
        return None


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _is_here(client: str) -> bool:
    try:
        return ipaddress.ip_address(client).is_loopback
    except ValueError:
        return False


def _recording(send: Send, open_store: Callable[[], Store], provider: Provider) -> Send:
    """Put the sign-in on record whose cookie leaves with this answer; what is not on record opens nothing."""

    async def record(message: Message) -> None:
        if message["type"] == "http.response.start":
            setting = [value.decode("latin-1").partition(";")[0] for name, value in message["headers"] if name.lower() == b"set-cookie"]
            claims = provider.claims(cookie_parser("; ".join(setting)))
            if claims is not None:
                with suppress(NotAllowed, NotSignedIn):  # on record where it names somebody; the next page says it to them
                    await asyncio.to_thread(sessions.begin, open_store(), claims)
        await send(message)

    return record


def _headed(send: Send, visit: Visit, provider: Provider | None) -> Send:
    """Put the security headers on every answer; cookies travel encrypted where the workbench is reached so."""
    is_secure = provider is not None and provider.origin.startswith("https:")
    added = HEADERS | (SECURE if is_secure else {})
    if visit.under(f"{API}/v1"):
        added["content-security-policy"] = STILL
    if visit.under(API, "/media") or visit.wants_page:
        added |= {"cache-control": "no-store"}

    async def headed(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.accept", f"{DENIAL}.start"):
            kept = [(name.lower(), value) for name, value in message.get("headers", ()) if name.lower().decode("latin-1") not in added]
            if is_secure:
                kept = [
                    (name, value + b"; Secure" if name == b"set-cookie" and b"secure" not in value.lower() else value)
                    for name, value in kept
                ]
            message["headers"] = kept + [(name.encode(), value.encode()) for name, value in added.items()]
        await send(message)

    return headed


async def _redirect(send: Send, to: str) -> None:
    await send({"type": "http.response.start", "status": 303, "headers": [(b"location", to.encode()), (b"cache-control", b"no-store")]})
    await send({"type": "http.response.body", "body": b""})
