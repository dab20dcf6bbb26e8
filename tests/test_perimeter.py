"""The guard in front of everything: who comes in, under which name, from which page, with how much; and what every answer carries."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from pandas import DataFrame
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from creditrisk import perimeter, sessions, tokens, visits
from creditrisk import store as stores
from creditrisk.api import create_api
from creditrisk.batch import keep
from creditrisk.people import SCOPES, Person
from creditrisk.perimeter import Perimeter
from creditrisk.settings import Access, Settings
from creditrisk.store import Store
from creditrisk.visits import Body, Message, Meter, Refused
from tests.rest import TestClient
from ui import wire

HOME = "http://localhost:8501"
ADMIN = Person("ada", ["admin"])
CLAIMS = {"email": "rita@bank.test", "groups": ["reviewer"], "iat": 1}


class Signing:
    """A provider whose cookie is the claims themselves: what signs it is Streamlit's, and tried with a real provider elsewhere."""

    names = ("bank", "<i>")

    def __init__(self, origin: str = HOME):
        self.origin = origin

    def claims(self, cookies: dict[str, str]) -> dict[str, Any] | None:
        with suppress(KeyError, ValueError):
            return json.loads(bytes.fromhex(cookies["who"]))
        return None

    def way(self, name: str) -> str:
        return f"/auth/login?provider={name}"


def cookie(claims: dict[str, Any] = CLAIMS) -> str:
    return json.dumps(claims).encode().hex()


def behind(store: Store) -> Starlette:
    """What the guard stands before: pages, their socket, a callback that sets the cookie, and the real API."""

    async def page(request: Request) -> Response:
        if request.method == "POST":
            return PlainTextResponse(f"{len(await request.body())} bytes")
        return PlainTextResponse("a page")

    async def callback(_request: Request) -> Response:
        answer = PlainTextResponse("welcome")
        answer.set_cookie("who", cookie())
        return answer

    async def stream(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("hello")
        await socket.close()

    routes = [
        Mount("/api", app=create_api(lambda: store)),
        Route("/oauth2callback", callback),
        WebSocketRoute("/_stcore/stream", stream),
        Route("/{rest:path}", page, methods=["GET", "POST", "OPTIONS"]),
    ]
    return Starlette(routes=routes)


def client(store: Store, signing: Signing | None = None, come_from: str = "127.0.0.1", **given: Any) -> TestClient:
    guarded: Any = Perimeter(behind(store), lambda: store, lambda: signing, wire)
    return TestClient(guarded, base_url=HOME, client=(come_from, 50_000), follow_redirects=False, **given)


@pytest.fixture
def signed(store: Store) -> TestClient:
    """A browser in which Rita has signed in."""
    opened = client(store, Signing())
    assert opened.get("/oauth2callback").status_code == 200
    return opened


def socket(browser: TestClient, **headers: str) -> str:
    """Open the pages' socket; return what it says, or why it does not open."""
    from tests.rest import WebSocketDenialResponse

    try:
        with browser.websocket_connect("ws://localhost:8501/_stcore/stream", headers=headers) as opened:
            return str(opened.receive_text())
    except WebSocketDenialResponse as refused:
        return str(refused.json()["detail"]) if set(perimeter.HEADERS) <= set(refused.headers) else "no headers"


# --- local mode -----------------------------------------------------------------------------------------------------------


def test_local_mode_serves_its_own_machine_and_nobody_else(store: Store) -> None:
    assert client(store).get("/").text == "a page"
    assert client(store, come_from="::1").get("/api/v1/health").status_code == 200
    for stranger in ("10.0.0.7", "testclient", "::ffff:10.0.0.7", ""):
        refused = client(store, come_from=stranger).get("/api/v1/health")
        assert refused.status_code == 403
        assert "serves its own machine only" in refused.json()["detail"]


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host"])
def test_local_mode_does_not_hide_behind_a_proxy(store: Store, header: str) -> None:
    assert client(store).get("/", headers={header: "127.0.0.1"}).status_code == 403


@pytest.mark.parametrize("host", ["evil.test", "evil.test:8501", "localhost.evil.test", "127.0.0.1.evil.test", "", "[", "a@localhost@evil"])
def test_a_name_that_is_not_ours_is_not_served(store: Store, host: str) -> None:
    for signing in (None, Signing()):
        assert client(store, signing).get("/_stcore/health", headers={"Host": host}).status_code == 403


def test_the_api_in_local_mode_asks_for_a_name_and_keeps_it(store: Store) -> None:
    object.__setattr__(store.settings.people, "roles", {"ann": ("analyst",)})
    assert client(store).get("/api/v1/reviews", headers={"X-User": "ann"}).status_code == 200
    refused = client(store).get("/api/v1/reviews", headers={"X-User": "eve"})
    assert refused.status_code == 403
    assert "eve has no role here" in refused.json()["detail"]
    assert client(store).get("/api/v1/reviews").status_code == 403, "no name is nobody's"


# --- other sites' pages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "http://localhost:9999", "http://localhost.evil.test:8501", "//"])
def test_another_sites_page_changes_nothing(store: Store, signed: TestClient, origin: str) -> None:
    for path in ("/api/v1/score", "/_stcore/upload_file/a/b", "/"):
        assert client(store).post(path, json={}, headers={"Origin": origin}).status_code == 403
        assert signed.post(path, json={}, headers={"Origin": origin}).status_code == 403
    assert socket(signed, Origin=origin) == "This was sent by a page of another site."


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_a_browser_says_came_from_elsewhere_changes_nothing(store: Store, site: str) -> None:
    assert client(store).post("/api/v1/score", json={}, headers={"Sec-Fetch-Site": site}).status_code == 403


def test_our_own_page_and_programs_are_heard(store: Store) -> None:
    assert client(store).post("/", headers={"Origin": HOME, "Sec-Fetch-Site": "same-origin"}).status_code == 200
    assert client(store).post("/").status_code == 200
    assert socket(client(store), Origin=HOME) == "hello"
    assert socket(client(store)) == "A WebSocket says where it comes from."


# --- with a sign-in -------------------------------------------------------------------------------------------------------


def test_nobody_sees_anything_but_the_way_in(store: Store) -> None:
    nobody = client(store, Signing())
    for path in (
        "/",
        "/score",
        "/media/x.csv",
        "/_stcore/host-config",
        "/_stcore/upload_file/a/b",
        "/static/x.js",
        "//",
        "/_stcore/health/x",
    ):
        for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"):
            assert nobody.request(method, path).status_code == 401, (method, path)
    assert nobody.get("/_stcore/health").text == "a page"
    shown = nobody.get("/score", headers={"Accept": "text/html"})
    assert (shown.status_code, shown.headers["cache-control"]) == (401, "no-store")
    assert '<a href="/signin?with=bank">Sign in with bank</a>' in shown.text
    assert "<i>" not in shown.text
    assert nobody.get("/signin?with=bank").headers["location"] == "/auth/login?provider=bank"
    assert socket(nobody, Origin=HOME) == "Sign in to go on."


def test_who_signed_in_comes_in_and_who_signed_out_does_not(signed: TestClient) -> None:
    assert signed.get("/").text == "a page"
    assert socket(signed, Origin=HOME) == "hello"
    signed.get("/auth/logout")
    assert signed.get("/").status_code == 401
    assert "You have signed out" in signed.get("/", headers={"Accept": "text/html"}).text
    assert socket(signed, Origin=HOME).startswith("You have signed out")


def test_a_well_signed_cookie_that_is_not_on_record_opens_nothing(store: Store) -> None:
    assert client(store, Signing(), cookies={"who": cookie()}).get("/").status_code == 401


def test_without_a_role_there_is_a_sentence_and_a_way_out(store: Store) -> None:
    eve = client(store, Signing(), cookies={"who": cookie({"email": "<b>eve</b>"})})
    shown = eve.get("/", headers={"Accept": "text/html"})
    assert shown.status_code == 403
    assert "&lt;b&gt;eve&lt;/b&gt; has no role here" in shown.text
    assert 'href="/auth/logout"' in shown.text


def test_a_sign_in_does_not_open_the_api_nor_a_key_the_pages(store: Store, signed: TestClient) -> None:
    assert signed.get("/api/v1/reviews").status_code == 401
    assert signed.get("/api/docs").status_code == 401
    key = tokens.create(store, "bot", ["admin"], purpose="test", days=1, user=ADMIN).key
    bot = client(store, Signing(), headers={"Authorization": f"Bearer {key}"})
    assert bot.get("/api/v1/reviews").status_code == 200
    assert bot.get("/").status_code == 401
    assert bot.get("/media/x.csv").status_code == 401


def test_what_the_way_back_from_the_provider_says_is_not_taken_for_the_providers_words(store: Store) -> None:
    shown = client(store, Signing()).get("/oauth2callback?error=%0aFORGED&error_description=%3Cb%3E", headers={"Accept": "text/html"})
    assert shown.status_code == 401
    assert "did not sign you in" in shown.text
    assert "FORGED" not in shown.text
    assert "set-cookie" not in shown.headers


def test_another_sites_page_signs_nobody_out(signed: TestClient) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://evil.test"}):
        assert signed.get("/auth/logout", headers=headers).status_code == 403
    assert signed.get("/").text == "a page"
    signed.get("/auth/logout", headers={"Sec-Fetch-Site": "same-origin"})
    assert signed.get("/").status_code == 401


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/agent/interact", "/_stcore/agent/mcp", "/_stcore/script-health-check"])
def test_what_the_server_says_of_itself_is_said_to_nobody(store: Store, signed: TestClient, path: str) -> None:
    for browser in (client(store), client(store, Signing()), signed):
        for method in ("GET", "HEAD", "OPTIONS", "POST"):
            assert browser.request(method, path).status_code == 404


# --- ways round --------------------------------------------------------------------------------------------------------------

TRICKS = [
    "//api/v1/reviews",
    "/api//v1/reviews",
    "/./api/v1/reviews",
    "/x/../api/v1/reviews",
    "/api/../api/v1/reviews",
    "/api/v1/../v1/reviews",
    "/%2e%2e/api/v1/reviews",
    "/api/%2e%2e/api/v1/reviews",
    "/%61pi/v1/reviews",
    "/api%2fv1%2freviews",
    "/api;x/v1/reviews",
    "/api/v1/reviews;x",
    "/API/v1/reviews",
    "/Api/V1/reviews",
    "/api./v1/reviews",
    "/api/v1/reviews.",
    "/api/v1/reviews/",
    "/api/v1/reviews%00",
    "/api\\v1\\reviews",
    "/_stcore/health/../../api/v1/reviews",
    "/_stcore/health%2f..%2f..%2fapi",
    "/signin/../api/v1/reviews",
    "/auth/login/../../api/v1/reviews",
    "/_stcore/health/",
    "/_stcore/health;x",
    "/_stcore//metrics",
    "/_stcore/./metrics",
    "/_STCORE/metrics",
    "/signin/",
    "/oauth2callback/x",
]
METHODS = ("GET", "HEAD", "OPTIONS", "TRACE", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "get", "PROPFIND")


def test_no_other_way_of_writing_an_address_or_a_method_leads_round_the_guard(store: Store, signed: TestClient) -> None:
    nobody = client(store, Signing())
    for path in TRICKS:
        for method in METHODS:
            answer = nobody.request(method, f"{HOME}{path}")
            assert answer.status_code in (401, 403, 404, 405), (method, path, answer.status_code)
            assert "a page" not in answer.text, (method, path)
            said = signed.request(method, f"{HOME}{path}")
            assert "application/json" not in said.headers.get("content-type", ""), "a sign-in never reaches the API"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": "localhost"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Original-URL": "/_stcore/health"},
        {"X-Rewrite-URL": "/_stcore/health"},
        {"X-HTTP-Method-Override": "GET"},
        {"X-User": "ada"},
        {"X-Forwarded-User": "ada@bank.test"},
        {"Remote-User": "ada"},
        {"Authorization": "Basic YWRhOmFkYQ=="},
        {"Authorization": "bearer"},
        {"Authorization": "Bearer null"},
        {"Cookie": "who=; who="},
        {"Cookie": "_streamlit_user=x"},
        {"Range": "bytes=0-"},
        {"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings"},
    ],
)
def test_no_header_makes_somebody_of_nobody(store: Store, headers: dict[str, str]) -> None:
    nobody = client(store, Signing())
    for path in ("/", "/score", "/api/v1/reviews", "/api/docs", "/media/x.csv"):
        assert nobody.get(path, headers=headers).status_code == 401, path
    assert socket(nobody, Origin=HOME, **headers) == "Sign in to go on."


def test_a_socket_of_another_site_or_of_nowhere_stays_shut_for_who_signed_in(signed: TestClient) -> None:
    assert socket(signed) == "A WebSocket says where it comes from."
    for origin in ("http://evil.test", "null", "file://", "http://localhost:8502", "http://localhost:8501.evil.test"):
        assert socket(signed, Origin=origin) == "This was sent by a page of another site."


def test_a_request_of_one_key_is_nothing_to_another(filled: Store) -> None:
    who = filled.value("select min(applicant_id) from prediction")
    one, other = bot(filled, "score", person="one"), bot(filled, "score", person="other")
    made, again, theirs = (
        asker.post("/api/v1/score", json={"applicant_id": who}, headers={"Idempotency-Key": "K", "X-User": "one"}).json()
        for asker in (one, one, other)
    )
    assert made["prediction_id"] == again["prediction_id"] != theirs["prediction_id"]
    assert one.get(f"/api/v1/predictions/{made['prediction_id']}").status_code == 403, "to score is not to read"
    for path in ("decisions", "record", "notice", "story", "reviews"):
        assert one.get(f"/api/v1/predictions/{made['prediction_id']}/{path}").status_code == 403
    for path in ("batches", "jobs", "models", "template", "inspections", "corrections"):
        assert one.get(f"/api/v1/{path}").status_code == 403


# --- keys -----------------------------------------------------------------------------------------------------------------


def bot(store: Store, *scopes: str, person: str = "bot") -> TestClient:
    key = tokens.create(store, person, scopes, purpose="test", days=1, user=ADMIN).key
    return client(store, Signing(), headers={"Authorization": f"Bearer {key}"})


def test_a_key_reaches_what_its_scope_says(store: Store) -> None:
    answers = {
        scope: [
            bot(store, scope).request(method, f"/api/v1/{path}", json=None if method == "GET" else {}).status_code
            for method, path in (("GET", "health"), ("GET", "reviews"), ("POST", "score"), ("POST", "inspections"), ("POST", "corrections"))
        ]
        for scope in SCOPES
    }
    assert answers == {  # 422: it came in, and the library had something to say
        "score": [200, 403, 422, 403, 403],
        "read": [200, 200, 403, 403, 403],
        "review": [200, 200, 403, 422, 422],
        "admin": [200, 200, 422, 422, 422],
    }


def test_a_key_that_only_scores_minds_its_own_batches(filled: Store, tmp_path: Path) -> None:
    inputs = json.loads(filled.value("select inputs from prediction limit 1"))
    DataFrame([{"applicant_id": "somebody", **inputs}]).to_parquet(tmp_path / "many.parquet")
    batch = keep.begin(filled, "many.parquet", tmp_path / "many.parquet", user="one", channel="api")
    asked = {"score": ("one", "other"), "admin": ("third",)}
    bots = {person: bot(filled, scope, person=person) for scope, people in asked.items() for person in people}
    for path in ("stop", "go-on"):
        refused = bots["other"].post(f"/api/v1/batches/{batch}/{path}")
        assert refused.status_code == 403
        assert "takes one of the scope read" in refused.json()["detail"]
    told = {name: bots[name].post(f"/api/v1/batches/{batch}/stop") for name in ("one", "third")}
    assert {name: answer.status_code for name, answer in told.items()} == {"one": 422, "third": 422}
    assert "there is nothing to stop" in told["one"].json()["detail"]


def test_a_key_in_an_address_a_cookie_or_a_body_is_none(store: Store) -> None:
    key = tokens.create(store, "bot", ["admin"], purpose="test", days=1, user=ADMIN).key
    nobody = client(store, Signing(), cookies={"authorization": f"Bearer {key}", "token": key})
    for name in ("access_token", "token", "key", "api_key", "authorization", "Authorization"):
        assert nobody.get("/api/v1/reviews", params={name: key}).status_code == 401
        assert nobody.post("/api/v1/score", json={name: key}).status_code == 401
    for scheme in ("Basic", "Token", "Bearer=", "Bearer,", f"Bearer {key[:-1]}", f"Bearer {key}x", "Bearer Bearer"):
        assert nobody.get("/api/v1/reviews", headers={"Authorization": f"{scheme} {key}"}).status_code == 401, scheme


def test_what_a_key_may_not_is_refused_by_the_library_too(store: Store) -> None:
    asked = {"scope": "words", "category": "RENT", "words": "x", "reason": "x"}
    refused = bot(store, "review").post("/api/v1/corrections", json=asked)
    assert refused.status_code in (403, 422)
    refused = bot(store, "admin", person="rita").post("/api/v1/claims", json={}, headers={"X-User": "somebody else"})
    assert refused.status_code == 200
    assert store.rows("select distinct user_name from audit where action = 'claim'") == [("rita",)], "a key acts in its person's name only"


def test_a_name_with_accents_is_kept_whole_in_the_audit_and_in_what_it_writes(filled: Store) -> None:
    assert bot(filled, "admin", person="Zoë Müller").post("/api/v1/claims", json={}).json()["claim"]
    assert filled.rows("select user_name from audit where action = 'claim' order by seq desc limit 1") == [("Zoë Müller",)]
    assert filled.rows("select claimed_by from claim order by claim_id desc limit 1") == [("Zoë Müller",)]


def test_no_key_and_a_wrong_key_are_told_how_to_come_by_one(store: Store) -> None:
    nobody = client(store, Signing())
    for headers in ({}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer "}, {"Authorization": "Bearer crw_0_0"}):
        refused = nobody.get("/api/v1/reviews", headers=headers)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert "`token create`" in refused.json()["detail"]


def test_a_wrong_key_is_wrong_in_local_mode_too(store: Store) -> None:
    assert client(store).get("/api/v1/reviews", headers={"Authorization": "Bearer crw_0_0"}).status_code == 401


def test_keys_cannot_be_tried_out_and_who_tries_hinders_nobody(store: Store) -> None:
    key = tokens.create(store, "bot", ["read"], purpose="x", days=1, user=ADMIN).key
    guarded, most = client(store, Signing()), perimeter.WRONG_KEYS

    def ask(shown: str) -> int:
        return guarded.get("/api/v1/reviews", headers={"Authorization": f"Bearer {shown}"}).status_code

    assert [ask(f"crw_0_{n}") for n in range(most + 1)] == [401] * most + [429]
    assert ask(key) == 200, "behind a proxy everybody has one address"


def test_one_caller_gets_so_many_answers_a_minute(settings: Settings) -> None:
    store = stores.open_in_memory(replace(settings, access=Access(requests_per_minute=3)))
    busy, other = (tokens.create(store, name, ["read"], purpose="x", days=1, user=ADMIN).key for name in ("busy", "other"))
    guarded = client(store, Signing())

    def ask(key: str) -> Any:
        return guarded.get("/api/v1/health", headers={"Authorization": f"Bearer {key}"})

    assert [ask(busy).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = ask(busy)
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert "More than 3 requests in a minute" in refused.json()["detail"]
    assert ask(other).status_code == 200, "who asks little waits for nobody"
    store.close()


def test_a_minute_later_everybody_counts_anew() -> None:
    at = [0.0]
    meter = Meter(lambda: at[0])
    for _ in range(2):
        meter.count("a", 2)
    with pytest.raises(Refused, match="answered in 60 seconds"):
        meter.count("a", 2)
    meter.count("b", 2)
    at[0] = 61.0
    meter.count("a", 2)
    assert meter._counts == {"a": 1}, "nobody is remembered for longer than a minute"


# --- bodies and headers ---------------------------------------------------------------------------------------------------


def parts(n: int) -> Iterator[bytes]:
    """A body that does not say how long it is."""
    for _ in range(n):
        yield b" " * 1024


@pytest.mark.parametrize(("path", "kilobytes"), [("/", 64), ("/api/v1/score", 8 * 1024)])
def test_a_body_may_be_so_long_whether_it_says_so_or_not(store: Store, path: str, kilobytes: int) -> None:
    for content in (b" " * (kilobytes * 1024 + 1), parts(kilobytes + 1)):
        refused = client(store).post(path, content=content, headers={"Content-Type": "application/json"})
        assert refused.status_code == 413
        assert f"{kilobytes:,} kB is the most" in refused.json()["detail"]
    assert client(store).post("/", content=parts(64)).text == "65536 bytes"
    assert client(store).post("/_stcore/upload_file/a/b", content=parts(65)).status_code == 200, "uploads have a limit of their own"
    assert client(store).post("/_stcore/upload_file/a/b", content=b"x" * 66 * 1024).status_code == 200, "also where their size is announced"


class Trickle:
    """A body whose parts come as slowly as its clock says, which is told and not waited for."""

    def __init__(self, seconds: float, size: int):
        self.at, self._seconds, self._size = 0.0, seconds, size

    async def receive(self) -> Message:
        self.at += self._seconds
        return {"type": "http.request", "body": b"b" * self._size, "more_body": True}


@pytest.mark.parametrize(("seconds", "size", "parts"), [(1.0, 0, 61), (1.0, 10, 62), (10.0, 1_000, 7), (59.0, 8_000, 3)])
def test_a_body_that_trickles_is_ended(seconds: float, size: int, parts: int) -> None:
    told, slow = list[Message](), Trickle(seconds, size)

    async def say(message: Message) -> None:
        told.append(message)

    async def read() -> int:
        body = Body(slow.receive, say, 10**9, clock=lambda: slow.at)
        for n in range(1_000):
            if (await body.receive())["type"] == "http.disconnect":
                await body.send({"type": "http.response.start"})
                with pytest.raises(Refused, match="too slowly: 8 kB a second is the least"):
                    body.refuse()
                return n
        return 1_000

    assert asyncio.run(read()) <= parts
    assert told == [], "what is said of half a body says nothing"


def test_a_body_that_never_comes_is_waited_for_no_longer_than_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "GRACE", 0.05)

    async def silence() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    async def read() -> str:
        body = Body(silence, cast(Any, None), 10)
        return str((await body.receive())["type"])

    assert asyncio.run(read()) == "http.disconnect"


def test_a_large_body_at_a_usual_pace_is_whole(store: Store) -> None:
    slow = Trickle(8.0, 64 * 1024)

    async def read() -> list[str]:
        body = Body(slow.receive, cast(Any, None), 10**9, clock=lambda: slow.at)
        return [(await body.receive())["type"] for _ in range(1_000)]

    assert set(asyncio.run(read())) == {"http.request"}


def test_every_answer_carries_the_headers(store: Store, signed: TestClient) -> None:
    answers = [
        client(store).get("/"),
        client(store).get("/api/v1/health"),
        client(store).get("/api/nowhere"),
        client(store, Signing()).get("/"),
        client(store, come_from="10.0.0.7").get("/"),
        client(store).post("/", content=parts(65)),
        signed.get("/signin"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 404, 401, 403, 413, 303]
    for answer in answers:
        for name, value in perimeter.HEADERS.items():
            assert answer.headers[name] == value or (name, answer.headers[name]) == ("content-security-policy", perimeter.STILL)
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers
        assert "strict-transport-security" not in answer.headers, "there is no https here"
    assert answers[1].headers["cache-control"] == "no-store"
    assert answers[1].headers["content-security-policy"] == perimeter.STILL, "a record of a case runs nothing"
    assert "script-src" not in perimeter.STILL


def test_a_server_that_cannot_answer_a_socket_closes_it(store: Store) -> None:
    told: list[Any] = []

    async def tell(message: Any) -> None:
        told.append(message)

    scope = {"type": "websocket", "path": "/_stcore/stream", "headers": [(b"host", b"localhost:8501")], "client": ("127.0.0.1", 1)}
    guarded: Any = client(store).app
    asyncio.run(guarded(scope, None, tell))
    assert told == [{"type": "websocket.close", "code": 1008, "reason": "A WebSocket says where it comes from."}]


def test_over_https_cookies_go_no_other_way(store: Store) -> None:
    secure = client(store, Signing("https://credit.bank.test"))
    answer = secure.get("/oauth2callback", headers={"Host": "credit.bank.test"})
    assert "; Secure" in answer.headers["set-cookie"]
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_what_goes_wrong_in_the_workspace_is_a_sentence_here_too() -> None:
    def broken() -> Store:
        raise stores.StoreInUse("The workspace is open in another process.")

    guarded: Any = Perimeter(Starlette(), broken, lambda: None, wire)
    answer = TestClient(guarded, base_url=HOME, client=("127.0.0.1", 1)).get("/api/v1/health")
    assert (answer.status_code, answer.json()["detail"]) == (503, "The workspace is open in another process.")


def test_signing_in_twice_with_one_answer_is_one_session(store: Store, signed: TestClient) -> None:
    signed.get("/oauth2callback")
    assert store.value("select count(*) from session") == 1
    assert sessions.person(store, CLAIMS) == "rita@bank.test"
