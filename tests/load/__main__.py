"""`python -m tests.load`: the real server on a demo bank, sessions that think between clicks on the score and review pages, uploads at
the limit beside them, and a thousand sessions opened and closed; prints times, errors and memory."""

import argparse
import asyncio
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import parse_qsl

import httpx
import numpy as np
import uvloop
from websockets.exceptions import WebSocketException

from creditrisk import applicants, demo
from creditrisk import store as stores
from creditrisk.schema import built_in
from creditrisk.settings import load
from tests.load.session import Broken, Session

ROOT = Path(__file__).parents[2]
BAR = 0.3  # seconds, 95 % of reruns
START = 600.0  # seconds the server may take to stand
WRITES = 0.1  # of the scores looked at are made anew, which is stored
UPLOADERS = 2
BEHIND = 0.2  # of the clicks on the score page ask what a figure is made of
FIGURES = [feature.name for feature in built_in().predictors]
COMING = 3  # thinking times within which the sessions of a scenario come
AT_ONCE = 10  # sessions that come and go together
GROWTH = 30.0  # MB that a thousand sessions may leave


@dataclass
class Heard:
    """What came of the clicks of one scenario: seconds of first loads, seconds of reruns by what was clicked, errors in words."""

    first: list[float] = field(default_factory=list)
    clicks: dict[str, list[float]] = field(default_factory=dict)
    n: int = 0
    since: float = 0.0  # clicks before everybody has come are not counted
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, what: str, seconds: float) -> None:
        self.n += 1
        if time.monotonic() - seconds >= self.since:
            self.clicks.setdefault(what, []).append(seconds)

    @property
    def reruns(self) -> list[float]:
        return [seconds for each in self.clicks.values() for seconds in each]


def main() -> int:
    """Measure and print; 1 where the bar is missed, something failed or memory grew."""
    asked = _asked()
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        if asked.bank:
            shutil.copytree(asked.bank, folder, dirs_exist_ok=True)
        names = _bank(Path(folder), asked.applicants)
        # what the visitors take is not left to the server: theirs is the fastest loop there is
        with _server(Path(folder)) as (url, process), asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
            return 0 if loop.run(_measure(url, process.pid, names, asked)) else 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--sessions", type=int, nargs="*", default=[100, 200], help="how many at a time; the first must keep the bar")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long each number of sessions clicks")
    parser.add_argument("--think", type=float, default=10.0, help="seconds between the clicks of a session, on average")
    parser.add_argument("--applicants", type=int, default=2_000)
    parser.add_argument("--bank", type=Path, help="a folder with a filled workspace to copy (default: a demo bank is made)")
    parser.add_argument("--uploads-mb", type=int, default=60, help="size of the files uploaded beside; 0: none")
    parser.add_argument("--opened", type=int, default=1_000, help="sessions opened and closed")
    return parser.parse_args()


def _bank(folder: Path, n: int) -> list[str]:
    settings = replace(load(ROOT / "creditrisk.toml"), data=folder / "data", models=folder / "models")
    with closing(stores.open_workspace(settings)) as store:
        if applicants.people(store, limit=1).empty:
            demo.fill(store, applicants=n)
        return [str(name) for name in applicants.people(store)["applicant_id"]]


@contextmanager
def _server(folder: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "CREDITRISK_DATA": str(folder / "data"), "CREDITRISK_MODELS": str(folder / "models")}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with (folder / "server.txt").open("wb") as said:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=said, stderr=said)
    url = f"http://127.0.0.1:{port}"
    try:
        ends = time.monotonic() + START
        while not _stands(url):
            if process.poll() is not None or time.monotonic() > ends:
                raise SystemExit((folder / "server.txt").read_text())
            time.sleep(0.5)
        yield url, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _stands(url: str) -> bool:
    try:
        return httpx.get(f"{url}/_stcore/health").status_code == 200
    except httpx.HTTPError:
        return False


async def _measure(url: str, pid: int, names: list[str], asked: argparse.Namespace) -> bool:
    print(f"collection after every rerun: {'off' if _gc_is_off() else 'ON'}; {len(names):,} applicants, {os.cpu_count()} cores")
    await _one(url, names, Heard(), 0, time.monotonic() + 1, 0.1)  # the very first visitor pays for what is loaded then
    kept = []
    for n in asked.sessions:
        heard, cpu, began = Heard(), _cpu(pid), time.perf_counter()
        await _many(url, names, heard, n, asked)
        spent = time.perf_counter() - began
        kept.append(_say(f"{n} sessions, {asked.think:g} s between clicks", heard, _cpu(pid) - cpu, spent, _memory(pid)))
    if asked.uploads_mb:
        heard, stop, cpu, began = Heard(), asyncio.Event(), _cpu(pid), time.perf_counter()
        loads = asyncio.gather(*(_uploads(url, asked.uploads_mb, heard, stop, asked.think, number) for number in range(UPLOADERS)))
        beside = Heard()
        await _many(url, names, beside, asked.sessions[0], asked)
        stop.set()
        await loads
        _say(
            f"{asked.sessions[0]} sessions while others upload {asked.uploads_mb} MB",
            beside,
            _cpu(pid) - cpu,
            time.perf_counter() - began,
            _memory(pid),
        )
        done = heard.clicks.get("upload", [])
        print(f"  uploads until the page stood: {len(done)}, {_times(done)}; errors {dict(heard.errors) or 0}")
        kept.append(not heard.errors)
    grown = await _come_and_go(url, pid, names, asked.opened)
    print(f"load average {_load()}")
    return bool(kept[0]) and all(kept[len(asked.sessions) :]) and grown <= GROWTH


def _say(what: str, heard: Heard, cpu: float, spent: float, memory: float) -> bool:
    p95 = float(np.quantile(heard.reruns, 0.95)) if heard.reruns else float("inf")
    each = 1000 * cpu / max(heard.n + len(heard.first), 1)
    print(f"{what}: {len(heard.reruns):,} reruns, {_times(heard.reruns)}; first loads {_times(heard.first)}")
    print(f"  errors {dict(heard.errors) or 0}; {each:.0f} CPU ms each, {cpu / spent:.2f} cores, {memory:,.0f} MB, load average {_load()}")
    for name, seconds in sorted(heard.clicks.items()):
        print(f"  {name}: {len(seconds):,}, {_times(seconds)}")
    return p95 <= BAR and not heard.errors


def _times(seconds: list[float]) -> str:
    if not seconds:
        return "none"
    p50, p95 = np.quantile(seconds, [0.5, 0.95])
    return f"p50 {1000 * p50:,.0f} ms, p95 {1000 * p95:,.0f} ms"


async def _many(url: str, names: list[str], heard: Heard, n: int, asked: argparse.Namespace) -> None:
    """Let sessions come one after another, then click until the time is over."""
    coming = COMING * asked.think
    heard.since = time.monotonic() + coming
    ends = heard.since + asked.seconds
    await asyncio.gather(*(_one(url, names, heard, number, ends, asked.think, coming) for number in range(n)))


async def _one(url: str, names: list[str], heard: Heard, number: int, ends: float, think: float, coming: float = 0) -> None:
    """Somebody of their own name looks at applicants' scores and the figures behind them, scores one anew now and then, and takes a
    case to review. They think before every click."""
    dice = random.Random(number)
    await asyncio.sleep(dice.random() * coming)
    try:
        session = await Session.open(url)
        heard.first.append(await session.go("score", applicant=dice.choice(names)))
        heard.add("name", await session.be(f"visitor {number}"))
        offered = ""
        while time.monotonic() < ends:
            await asyncio.sleep(think * dice.uniform(0.5, 1.5))
            offered = await _click(session, names, heard, dice, offered)
        await session.close()
    except (Broken, WebSocketException, httpx.HTTPError, OSError) as error:
        heard.errors[f"{type(error).__name__}: {error}"[:200]] += 1


async def _click(session: Session, names: list[str], heard: Heard, dice: random.Random, offered: str) -> str:
    """Click once; returns the button that is to be clicked after another thought, or ""."""
    if offered:
        if (took := await session.press(offered)) is not None:
            heard.add(offered.lower(), took)
        return ""
    if dice.random() < 0.3:
        heard.add("reviews", await session.go("reviews"))
        return "Next case" if dice.random() < 0.5 else ""
    if session.page == "score" and dice.random() < BEHIND:
        shown = dict(parse_qsl(session.query))
        heard.add("figure", await session.go("score", **shown | {"feature": dice.choice(FIGURES)}))
        return ""
    heard.add("score", await session.go("score", applicant=dice.choice(names)))
    return "Score now" if dice.random() < WRITES else ""


async def _uploads(url: str, megabytes: int, heard: Heard, stop: asyncio.Event, think: float, number: int) -> None:
    """Upload one file after another, as large as is let in; think between them as the others do between their clicks."""
    dice = random.Random(f"uploads {number}")
    line = "2025-01-{:02},SHOP {} WITH A LONG NAME TO FILL THE LINE,-{}.{:02}\n"
    lines = ["Date,Description,Amount\n"]
    size = 0
    while size < megabytes * 1_000_000:
        place = len(lines)
        lines.append(line.format(1 + place % 28, place % 5_000, place % 90 + 1, place % 100))
        size += len(lines[-1])
    content = "".join(lines).encode()
    while not stop.is_set():
        try:
            session = await Session.open(url)
            await session.go("statements")
            label = next(label for label in session.shown if "tatement" in label)
            heard.add("upload", await session.upload(label, f"large-{number}-{dice.random()}.csv", content))
            await session.close()
        except (Broken, WebSocketException, httpx.HTTPError, OSError) as error:
            heard.errors[f"{type(error).__name__}: {error}"[:200]] += 1
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), think * dice.uniform(0.5, 1.5))


async def _come_and_go(url: str, pid: int, names: list[str], n: int) -> float:
    """Open and close sessions; returns by how many MB memory grew from a fifth of them to the last."""
    dice, marks = random.Random(1), []
    for number in range(0, n, AT_ONCE):
        sessions = await asyncio.gather(*(Session.open(url) for _ in range(AT_ONCE)))
        await asyncio.gather(*(session.go("score", applicant=dice.choice(names)) for session in sessions))
        await asyncio.gather(*(session.close() for session in sessions))
        if (number + AT_ONCE) % max(n // 5, AT_ONCE) == 0:
            marks.append(_memory(pid))
    if not marks:
        return 0.0
    print(f"{n:,} sessions opened and closed: memory {' · '.join(f'{mark:,.0f}' for mark in marks)} MB, a fifth of them apart")
    return marks[-1] - marks[0]


def _gc_is_off() -> bool:
    """Ask Streamlit itself what it makes of the folder's settings."""
    program = "from streamlit import config; print(config.get_option('runner.postScriptGC'))"
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip() == "False"


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def _memory(pid: int) -> float:
    """Resident memory of a process, MB."""
    told = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in told.splitlines() if line.startswith("VmRSS")).split()[1]) / 1000


def _cpu(pid: int) -> float:
    """CPU seconds of a process so far."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
