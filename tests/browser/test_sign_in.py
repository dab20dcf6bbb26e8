"""Signing in with a real provider process, in a real browser; and every route of the running workbench without any of it."""

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.browser.conftest import WAIT, Visitor, free_port, playwright, served
from tests.conftest import ROOT

PEOPLE = {
    "ada": {"name": "Ada", "email": "ada@bank.test", "groups": ["admin"]},
    "rita": {"name": "Rita", "email": "rita@bank.test", "groups": ["reviewer"]},
    "eve": {"name": "Eve", "email": "eve@bank.test", "groups": ["canteen"]},
}
SECRETS = """[auth]
redirect_uri = "http://localhost:{port}/oauth2callback"
cookie_secret = "{secret}"
[auth.bank]
client_id = "creditrisk"
client_secret = "s3cret-of-the-client"
server_metadata_url = "http://localhost:{provider}/.well-known/openid-configuration"
client_kwargs = {{ scope = "openid email profile", prompt = "login" }}
"""
SIGNS = "a-long-secret-that-signs-cookies-0123456789abcdef"
ROUTES = """
import json, app
from starlette.routing import Mount
def walk(routes, before=""):
    for route in routes:
        if isinstance(route, Mount) and route.routes:
            yield from walk(route.routes, before + route.path)
        elif hasattr(route, "path"):
            yield before + route.path, sorted(getattr(route, "methods", None) or ["WEBSOCKET"])
        elif hasattr(route, "original_router"):
            yield from walk(route.original_router.routes, before)
        else:
            raise SystemExit(f"what is {route!r}?")
print(json.dumps(list(walk(app.app._build_starlette_app().routes))))
"""


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an OpenID Connect provider with three people, a process of its own."""
    port, log = free_port(), tmp_path_factory.mktemp("provider") / "log"
    known = [part for sub, claims in PEOPLE.items() for part in ("--user-claims", json.dumps({"sub": sub, **claims}))]
    command = [str(Path(sys.executable).with_name("oidc-provider-mock")), "-p", str(port), *known]
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until:
                try:
                    urlopen(f"http://localhost:{port}/.well-known/openid-configuration", timeout=2).close()
                    break
                except (URLError, OSError):
                    time.sleep(0.2)
            yield port
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def signed_in_only(bank: Path, provider: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address and the folder of a workbench that people sign in to."""
    folder, port = tmp_path_factory.mktemp("signing"), free_port()
    shutil.copytree(bank, folder, dirs_exist_ok=True)
    secrets = folder / "secrets.toml"
    secrets.write_text(SECRETS.format(port=port, provider=provider, secret=SIGNS))
    with served(folder, port=port, options=["--secrets.files", str(secrets)]) as url:
        yield url.replace("127.0.0.1", "localhost"), folder


def ask(url: str, method: str, path: str, **headers: str) -> tuple[int, str]:
    """Ask without any credentials; a WebSocket as the request that would open one."""
    host = url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=30)
    if method == "WEBSOCKET":
        headers |= {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Origin": url}
        headers |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        method = "GET"
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    told = answer.status, "" if answer.status == 101 else answer.read().decode()
    connection.close()
    return told


def test_without_credentials_every_route_is_closed(signed_in_only: tuple[str, Path]) -> None:
    url, _ = signed_in_only
    listed = subprocess.run([sys.executable, "-c", ROUTES], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    routes = [(re.sub(r"{[^}]*}", "x", path), set(methods)) for path, methods in json.loads(listed.splitlines()[-1])]
    paths = {path for path, _ in routes}
    assert {"/api/v1/score", "/api/v1/reviews", "/api/docs", "/_stcore/stream", "/_stcore/metrics", "/media/x"} <= paths
    pages = {f"/{file.stem}" for file in (ROOT / "pages").glob("*.py")} | {"/", "/static/js/index.js", "/api", "/api/", "//api/v1/score"}
    tried = {
        (method, path): ask(url, method, path)[0]
        for path, methods in [*routes, *((page, set[str]()) for page in pages)]
        for method in methods | {"GET", "HEAD", "OPTIONS", "POST"}
    }
    assert len(tried) > 150
    served = {key: status for key, status in tried.items() if status not in (401, 404) and not (key[0] == "WEBSOCKET" and status == 403)}
    way_in = {"/_stcore/health": {200, 204, 405}, "/auth/login": {302, 405}, "/auth/logout": {302, 405}, "/oauth2callback": {302, 405}}
    assert {path for _, path in served} == set(way_in)
    assert all(status in way_in[path] for (_, path), status in served.items())
    unknown = {path for (_, path), status in tried.items() if status == 404}
    assert all(path.startswith(("/_stcore/metrics", "/_stcore/agent/")) for path in unknown)
    assert ask(url, "GET", "/", Host="evil.test")[0] == 403


@pytest.fixture
def visit_signed(signed_in_only: tuple[str, Path], chromium: "playwright.Browser") -> Iterator[Visitor]:
    """Somebody in front of it, not signed in yet; console and requests go to the provider too, and are not judged."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce", locale="en-US", timezone_id="UTC")
    yield Visitor(context.new_page(), signed_in_only[0])
    context.close()


def sign_in(visitor: Visitor, sub: str, path: str = "") -> None:
    visitor.page.goto(f"{visitor.url}/{path}")
    visitor.page.get_by_role("link", name="Sign in").click()
    visitor.page.locator("input[name=sub]").fill(sub)
    visitor.page.get_by_role("button", name="Authorize").click()
    visitor.page.wait_for_url(f"{visitor.url}/**", timeout=WAIT)


def watch(visitor: Visitor) -> None:
    """From here on the console has to be quiet."""
    visitor.page.on("console", lambda message: "/_stcore/" in message.location["url"] or visitor.problems.append(message.text))
    visitor.page.on("pageerror", lambda error: visitor.problems.append(str(error)))


def test_a_person_signs_in_works_and_signs_out_for_good(visit_signed: Visitor) -> None:
    page = visit_signed.page
    assert page.goto(f"{visit_signed.url}/applicants").status == 401
    sign_in(visit_signed, "rita", "applicants")
    watch(visit_signed)
    visit_signed.settle()
    visit_signed.sees("rita@bank.test")
    visit_signed.sees("Role: reviewer")
    assert page.get_by_role("link", name="Access").count() == 0, "a reviewer makes no keys"
    assert page.get_by_label("Acting as").count() == 0, "who signed in is nobody else"
    visit_signed.open("reviews")
    page.get_by_role("button", name="Next case").click()
    playwright.expect(page.get_by_role("button", name="Give back")).to_be_visible(timeout=WAIT)
    visit_signed.open("models")
    visit_signed.is_content()
    kept = page.context.cookies()
    assert all(cookie["httpOnly"] for cookie in kept if cookie["name"].startswith("_streamlit_user"))
    assert page.request.get(f"{visit_signed.url}/api/v1/reviews").status == 401, "a sign-in does not open the API"
    other = Visitor(page.context.new_page(), visit_signed.url)
    other.open("score")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("end_session"), timeout=WAIT)
    page.context.add_cookies(kept)
    assert page.goto(f"{visit_signed.url}/applicants").status == 401, "a cookie kept from before opens nothing"
    visit_signed.sees("You have signed out")
    other.page.get_by_role("button", name="Retrain").click()
    other.sees("You have signed out")
    playwright.expect(other.page.get_by_role("button", name="Sign in")).to_be_visible(timeout=WAIT)
    assert other.page.get_by_text("Signed in").count() == 0


def test_what_a_person_is_offered_to_download_is_nobody_elses(visit_signed: Visitor, chromium: "playwright.Browser") -> None:
    sign_in(visit_signed, "rita")
    visit_signed.open("models")
    with visit_signed.page.expect_download() as taken:
        visit_signed.page.get_by_role("button", name="Card .md").click()
    assert taken.value.path().read_text(encoding="utf-8").startswith("#")
    assert visit_signed.page.request.get(taken.value.url).status == 200
    other = Visitor(chromium.new_context(locale="en-US", timezone_id="UTC").new_page(), visit_signed.url)
    sign_in(other, "ada")
    other.open("statements")
    assert other.page.request.get(taken.value.url).status == 404
    other.page.locator("input[type=file]").set_input_files(
        {"name": "of-nobody.csv", "mimeType": "text/csv", "buffer": b"Date,Text,Amount\n2026-01-31,Rent,-500.00\n"}
    )
    other.sees("of-nobody.csv")
    other.settle()
    playwright.expect(other.page.get_by_text("404")).to_have_count(0)
    other.page.context.close()


def test_a_person_without_a_role_sees_a_sentence_and_nothing_else(visit_signed: Visitor) -> None:
    sign_in(visit_signed, "eve")
    visit_signed.sees("eve@bank.test has no role here")
    assert visit_signed.page.goto(f"{visit_signed.url}/applicants").status == 403
    assert visit_signed.page.get_by_test_id("stApp").count() == 0


def test_an_admin_makes_a_key_that_is_shown_once_and_ends(visit_signed: Visitor) -> None:
    page, url = visit_signed.page, visit_signed.url
    sign_in(visit_signed, "ada")
    watch(visit_signed)
    visit_signed.settle()
    visit_signed.open("access")
    page.get_by_role("textbox", name="Whose").fill("core banking")
    page.get_by_role("textbox", name="For what").fill("tills")
    page.get_by_role("combobox", name="Scopes").click()
    page.get_by_role("option").filter(has_text="read:").click()
    page.keyboard.press("Escape")
    visit_signed.button("Make the key")
    key = page.get_by_test_id("stCode").inner_text().strip()
    assert re.fullmatch(r"crw_[0-9a-f]{8}_[\w-]{43}", key)
    bearer = {"Authorization": f"Bearer {key}"}
    assert ask(url, "GET", "/api/v1/reviews", **bearer)[0] == 200
    assert ask(url, "POST", "/api/v1/score", **bearer)[0] == 403, "a key to read scores nobody"
    assert ask(url, "GET", "/applicants", **bearer)[0] == 401, "a key does not open the pages"
    visit_signed.open("access")
    assert key not in page.content()
    visit_signed.is_content()


def test_the_log_of_a_journey_holds_no_person_and_no_secret(visit_signed: Visitor, signed_in_only: tuple[str, Path]) -> None:
    url, folder = signed_in_only
    sign_in(visit_signed, "ada")
    visit_signed.settle()
    visit_signed.open("applicants")
    ask(url, "GET", "/api/v1/predictions/nobody-at-all/reviews", Authorization="Bearer crw_00000000_wrong")
    log = (folder / "server.log").read_text(encoding="utf-8")
    for secret in (SIGNS, "s3cret-of-the-client", "crw_", "eyJ", "nobody-at-all", *(claims["email"] for claims in PEOPLE.values())):
        assert secret not in log
    assert "An unknown bearer was refused, from 127.0.0.1" in log
    assert not re.search(r"[A-Z]{2}\d{2}[A-Z0-9]{10,}|\d{13,}", log), "no account numbers"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--server.address", "0.0.0.0"], "without anybody signing in"),
        (["--client.showErrorDetails", "full"], "client.showErrorDetails is 'full' where it has to be 'none'"),
        (["STREAMLIT_SERVER_ADDRESS=0.0.0.0"], "without anybody signing in"),
        (["STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION=false"], "server.enableXsrfProtection is False where it has to be True"),
        (["STREAMLIT_LOGGER_ENABLE_RICH=true"], "logger.enableRich is True where it has to be False"),
    ],
)
def test_a_workbench_that_would_be_open_does_not_start(tmp_path: Path, options: list[str], said: str) -> None:
    places = {"CREDITRISK_DATA": str(tmp_path / "data"), "CREDITRISK_MODELS": str(tmp_path / "models"), "CREDITRISK_EMPTY": "1"}
    places |= dict(option.split("=") for option in options if "=" in option)
    flags = [option for option in options if "=" not in option]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(free_port()), *flags]
    ended = subprocess.run(command, cwd=ROOT, env={**os.environ, **places}, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_launcher_that_reads_no_settings_serves_nobody(tmp_path: Path) -> None:
    places = {"CREDITRISK_DATA": str(tmp_path / "data"), "CREDITRISK_MODELS": str(tmp_path / "models"), "CREDITRISK_EMPTY": "1"}
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(ROOT), "app:app", "--port", str(free_port())]
    ended = subprocess.run(command, cwd=tmp_path, env={**os.environ, **places}, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 2
    assert "the workbench is not served unhardened" in ended.stderr
    assert not (tmp_path / "data").exists(), "nothing was opened"


def test_a_launcher_that_binds_it_elsewhere_by_itself_is_ended(tmp_path: Path) -> None:
    places = {"CREDITRISK_DATA": str(tmp_path / "data"), "CREDITRISK_MODELS": str(tmp_path / "models"), "CREDITRISK_EMPTY": "1"}
    command = [sys.executable, "-m", "uvicorn", "app:app", "--host", "0.0.0.0", "--port", str(free_port())]
    ended = subprocess.run(command, cwd=ROOT, env={**os.environ, **places}, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 2
    assert "The workbench was bound to 0.0.0.0 and would answer there without anybody signing in" in ended.stderr
    assert "Traceback" not in ended.stderr
