"""`python -m tests.crash`: lives that end by kill -9, each examined after; then the same with faults planted, which must be found."""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from creditrisk import demo
from creditrisk import store as stores
from creditrisk.settings import Labels, Settings, Training, load
from tests.crash import acts, witness
from tests.crash.faults import FAULTS

TRIES = 20  # kills within which a planted fault must be found
QUICK, MOST = ("review", "inspect", "score", "import", "promote"), 4  # what is done in peace before the work that is killed
KEPT = 2  # backups that are not taken away between lives


def main() -> int:
    """Print the figures; 1 where something was lost, half there, or a planted fault went unnoticed."""
    asked = _asked()
    for name in ("sklearn.linear_model", "sklearn.ensemble", "xgboost", "creditrisk.treeshap", "pyarrow.parquet"):
        import_module(name)  # once: each life is a copy of this process, which never opens a database or starts a thread
    began, folder = time.perf_counter(), Path(tempfile.mkdtemp(prefix="crash-"))
    try:
        if asked.bank:
            shutil.copytree(asked.bank, folder / "bank")
        else:
            _apart(lambda: _fill(folder / "bank", asked.seed))
        sound = Run(folder / "sound", folder / "bank", asked.seed)
        wrong = [
            f"kill {kill['number']} in {kill['killed']}: {what}" for kill in sound.kills(asked.kills, asked.kinds) for what in kill["wrong"]
        ]
        found = {name: _found(folder, name, asked.seed) for name in asked.faults}
        _report(sound, wrong, found, time.perf_counter() - began)
        return 1 if wrong or None in found.values() else 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--kinds", nargs="*", default=[*acts.KINDS], help="the work during which to kill")
    parser.add_argument("--faults", nargs="*", default=list(FAULTS), help="the faults to plant afterwards")
    parser.add_argument("--bank", type=Path, help="a folder with a filled workspace to start from (default: a demo bank is made)")
    return parser.parse_args()


class Run:
    """A workspace that is worked on, killed, opened again and examined; `told` is everything ever acknowledged in it."""

    def __init__(self, folder: Path, bank: Path, seed: int, fault: str | None = None):
        shutil.copytree(bank, folder)
        self.settings = _settings(folder)
        self.dice = random.Random(seed)
        self.fault = fault
        self.told: list[dict[str, Any]] = []
        self.said: Counter[str] = Counter()
        self.done: list[dict[str, Any]] = []
        self.seconds: dict[str, float] = {}  # what a piece of work takes, as measured last
        self.killed_within: Counter[str] = Counter()

    def kills(self, n: int, kinds: Sequence[str]) -> list[dict[str, Any]]:
        """End so many lives, by turns during each kind of work; returns what was found after each."""
        whole = [kind for kind in kinds if kind != "start"]  # the first life does each once, to learn how long it takes
        for number in range(n):
            first = self.dice.choices(QUICK, k=self.dice.randint(0, MOST))
            self.done.append({"number": number, **self.kill(kinds[number % len(kinds)], first if number else whole)})
        return self.done

    def kill(self, kind: str, first: Sequence[str] = ()) -> dict[str, Any]:
        """Live until a random moment of one kind of work, after some that is done in peace, then look."""
        lines, within = self._life([*first, kind] if kind != "start" else [*first, "review"], kind)
        acknowledged = [line for line in lines if "done" in line]
        self.told += acknowledged
        if within:
            self.told.append({"killed": kind})
            self.killed_within[kind] += 1
        found = _apart(self._look)
        self.said.update(_sort(said) for said in found["said"])
        self._thin()
        return {"killed": kind, "acknowledged": len(acknowledged), **found}

    def _life(self, kinds: list[str], target: str) -> tuple[list[dict[str, Any]], bool]:
        """Return what a life said before it was killed, and whether the work was under way then."""
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            _born(lambda: self._live(writing, kinds))
        os.close(writing)
        with os.fdopen(reading, "rb", buffering=0) as pipe:
            heard = _until(pipe, json.dumps({"begin": target, "number": 0 if target == "start" else len(kinds)}).encode())
            time.sleep(self.dice.random() * 1.05 * self.seconds.get(target, 0.5))
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            if not os.WIFSIGNALED(status):
                raise RuntimeError(f"the life ended by itself while it did {target}: {heard.decode()[-2000:]}")
            os.set_blocking(pipe.fileno(), False)
            while more := pipe.read(65536):
                heard += more
        lines = [json.loads(line) for line in heard.split(b"\n")[:-1]]
        for line in lines:
            if "done" in line:
                self.seconds[line["done"]] = line["seconds"]
        return lines, "begin" in lines[-1]

    def _live(self, pipe: int, kinds: list[str]) -> None:
        if self.fault:
            FAULTS[self.fault][0]()
        acts.live(self.settings, pipe, kinds, self.dice.randrange(2**31))

    def _look(self) -> dict[str, list[str]]:
        if self.fault == "nothing swept at start-up":
            FAULTS[self.fault][0]()
        return witness.look(self.settings, self.told)

    def _thin(self) -> None:
        """Take the oldest backups away, and with them the duty to keep them."""
        for path in self.settings.data.glob("replaced-*"):
            shutil.rmtree(path)
        folder = acts.safe(self.settings)
        for path in sorted(folder.glob("[!.]*"))[:-KEPT] if folder.is_dir() else []:
            shutil.rmtree(path)
            self.told = [act for act in self.told if act.get("backup") != str(path)]


def _found(folder: Path, fault: str, seed: int) -> tuple[int, str] | None:
    """Return after how many kills a planted fault was found, and as what, or None."""
    run = Run(folder / fault.replace(" ", "-"), folder / "bank", seed, fault)
    kinds = FAULTS[fault][1]
    for number in range(TRIES):
        first = () if number and "train" in kinds else kinds  # how long a training takes is known after the first
        if wrong := run.kill(kinds[number % len(kinds)], first)["wrong"]:
            return number + 1, wrong[0]
    return None


def _settings(folder: Path) -> Settings:
    """Return settings that label and train as fast as they can."""
    declared = replace(load(Path(__file__).parents[2] / "creditrisk.toml"), data=folder / "data", models=folder / "models")
    return replace(declared, labels=Labels(k_max=3, bootstraps=5), training=Training(bootstraps=20, folds=2))


def _fill(folder: Path, seed: int) -> dict[str, Any]:
    with closing(stores.open_workspace(_settings(folder))) as store:
        return demo.fill(store, applicants=150, seed=seed)


def _apart(ask: Callable[[], Any]) -> Any:
    """Return what a copy of this process answers: this one stays without threads and open files."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _born(lambda: _write(writing, json.dumps(ask(), default=str)))
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return json.loads(answer)


def _write(pipe: int, text: str) -> None:
    with os.fdopen(pipe, "w") as target:
        target.write(text)


def _born(live: Callable[[], Any]) -> None:
    """Do a copy's work and end it here, whatever comes."""
    try:
        live()
        os._exit(0)
    except BaseException:  # noqa: BLE001  (this process ends here, and says why)
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(70)


def _until(pipe: Any, wanted: bytes) -> bytes:
    """Read until a line is heard, or the end."""
    heard = b""
    while wanted + b"\n" not in heard and (more := pipe.read(65536)):
        heard += more
    return heard


def _sort(said: str) -> str:
    """Return the kind of thing start-up said."""
    kinds = {"Job": "jobs interrupted", "half-written": "half-written models removed", "quarantine": "folders set aside"}
    kinds |= {"not kept of batches": "parts of batches removed"}
    kinds |= {"unfinished backup": "unfinished backups removed", "were stored": "changes not yet acknowledged kept"}
    kinds |= {"A restore": "restores broken off removed", "once more": "restores repeated", "Freed blocks": "wiping put off"}
    return next((kind for sign, kind in kinds.items() if sign in said), said)


def _report(sound: Run, wrong: list[str], found: dict[str, tuple[int, str] | None], seconds: float) -> None:
    acknowledged = Counter(act["done"] for act in sound.told if "done" in act)
    print(f"{len(sound.done)} kills, {sum(sound.killed_within.values())} of them while the work was under way: "
          f"{', '.join(f'{kind} {n}' for kind, n in sorted(sound.killed_within.items()))}")  # fmt: skip
    print(f"{sum(acknowledged.values()):,} acknowledged: {', '.join(f'{kind} {n}' for kind, n in sorted(acknowledged.items()))}")
    print(f"start-up said: {', '.join(f'{what} {n}' for what, n in sound.said.items()) or 'nothing'}")
    for what in wrong:
        print(f"WRONG  {what}")
    print(f"lost or half there: {len(wrong)}")
    for fault, known in found.items():
        print(f"planted: {fault}: {'NOT FOUND' if known is None else f'found at kill {known[0]} ({known[1][:100]})'}")
    print(f"{seconds:.0f} s, load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    sys.exit(main())
