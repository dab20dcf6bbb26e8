"""A real browser on a real server: Chromium, and the workbench on a port and a workspace of its own."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.conftest import ROOT

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -r requirements-dev.txt")

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
]
START = 120.0  # seconds until the server has to answer
WAIT = 60_000  # milliseconds a page may take at worst


@dataclass
class Visitor:
    """A person with the workbench open; `problems` collects what the browser's console complains about."""

    page: "playwright.Page"
    url: str
    problems: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Open a page by its address and wait until it stands."""
        self.page.goto(f"{self.url}/{path}")
        self.settle()

    def settle(self) -> None:
        """Wait until the script has run and nothing on the page is stale."""
        app = self.page.get_by_test_id("stApp")
        playwright.expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=WAIT)
        playwright.expect(self.page.locator('[data-stale="true"]')).to_have_count(0, timeout=WAIT)

    def button(self, name: str) -> None:
        """Press a button by its name and wait for what comes of it."""
        self.page.get_by_role("button", name=name, exact=True).click()
        self.page.wait_for_timeout(300)  # the press has to reach the server before "not running" means "done"
        self.settle()

    def sees(self, text: str, *, within: int = WAIT) -> None:
        """Expect a text on the page."""
        playwright.expect(self.page.get_by_text(text).first).to_be_visible(timeout=within)

    def is_content(self) -> None:
        """Expect no exception on the page, nothing wider than the window, and a quiet console."""
        assert self.page.get_by_test_id("stException").count() == 0
        main = self.page.get_by_test_id("stMain")
        assert main.evaluate("main => main.scrollWidth <= main.clientWidth"), "the page scrolls sideways"
        assert self.problems == []


@pytest.fixture(scope="session")
def chromium() -> Iterator["playwright.Browser"]:
    """A headless Chromium; where there is none the journeys are skipped, or fail if CREDITRISK_REQUIRE_BROWSER says so."""
    program = os.environ.get("CREDITRISK_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        how = "no Chromium found for the browser journeys: `apt-get install chromium`, or set CREDITRISK_CHROMIUM to one"
        if os.environ.get("CREDITRISK_REQUIRE_BROWSER") == "1":
            pytest.fail(how)
        pytest.skip(how)
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=program, headless=True, args=FLAGS)
        yield browser
        browser.close()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(folder: Path, *, empty: bool = False, port: int | None = None, options: Sequence[str] = ()) -> Iterator[str]:
    """Serve the workspace in `folder`; at the end the server's log must hold no error."""
    port = port or free_port()
    log = folder / "server.log"
    places = {
        "CREDITRISK_DATA": str(folder / "data"),
        "CREDITRISK_MODELS": str(folder / "models"),
        "CREDITRISK_EMPTY": "1" if empty else "",
    }
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), *options]
    with log.open("w") as out, subprocess.Popen(command, cwd=ROOT, env={**os.environ, **places}, stdout=out, stderr=out) as server:
        try:
            _await_health(f"http://127.0.0.1:{port}/_stcore/health", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)
    said = log.read_text(encoding="utf-8")
    assert "Traceback" not in said, said
    assert "Error" not in said, said


def _await_health(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START
    while time.monotonic() < until and server.poll() is None:
        try:
            with urlopen(address, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"the server did not start:\n{log.read_text(encoding='utf-8')}")


@pytest.fixture(scope="session")
def workbench(bank: Path, chromium: "playwright.Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a workbench on the small demo bank."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(bank, folder, dirs_exist_ok=True)
    with served(folder) as url:
        yield url


@pytest.fixture(scope="session")
def new_workbench(chromium: "playwright.Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a workbench on an empty workspace."""
    with served(tmp_path_factory.mktemp("served-empty"), empty=True) as url:
        yield url


@pytest.fixture
def visit(workbench: str, chromium: "playwright.Browser") -> Iterator[Visitor]:
    """Somebody at a 1280 pixel screen in front of the filled workbench."""
    yield from _visitor(workbench, chromium)


@pytest.fixture
def visit_new(new_workbench: str, chromium: "playwright.Browser") -> Iterator[Visitor]:
    """Somebody in front of the empty workbench."""
    yield from _visitor(new_workbench, chromium)


def _visitor(url: str, chromium: "playwright.Browser") -> Iterator[Visitor]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce", locale="en-US", timezone_id="UTC")
    visitor = Visitor(context.new_page(), url)
    visitor.page.on("console", lambda message: _complain(visitor, message))
    visitor.page.on("pageerror", lambda error: visitor.problems.append(str(error)))
    visitor.page.on("request", lambda request: _stay_home(visitor, request.url))
    yield visitor
    context.close()


def _complain(visitor: Visitor, message: "playwright.ConsoleMessage") -> None:
    harmless = "/_stcore/" in message.location.get("url", "")  # a deep link first asks for health below its own path
    if message.type in ("error", "warning") and not harmless:
        visitor.problems.append(message.text)


def _stay_home(visitor: Visitor, url: str) -> None:
    if not url.startswith((visitor.url, visitor.url.replace("http", "ws", 1), "data:", "blob:")):
        visitor.problems.append(f"asked for {url}")
