"""A bank of 100,000 applicants (some 36 M transactions) from nothing to scores: time, CPU and memory of each step beside the bars.

`make scale` runs it in a folder of its own that is gone afterwards; `--keep DIR` leaves the workspace there to look at.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from creditrisk import demo
from creditrisk import store as stores
from creditrisk.settings import load

WHOLE = 100_000  # applicants
SECONDS, GB = 900, 4.0  # for so many, on two cores that nobody else uses


def main() -> int:
    """Fill a workspace, print the table, exit 1 where a bar is missed; a bank of fewer applicants has none to miss."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scale", description=__doc__)
    parser.add_argument("--applicants", type=int, default=WHOLE, metavar="N")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where to leave the workspace (else it is thrown away)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scale-") as aside:
        found = measured(asked.keep or Path(aside), asked.applicants)
    steps, is_held = found["steps"], asked.applicants >= WHOLE
    whole = {"wall": sum(of["wall"] for of in steps.values()), "cpu": sum(of["cpu"] for of in steps.values())}
    whole["gb"] = max(of["gb"] for of in steps.values())
    rows = [(step, f"{of['wall']:.0f}", f"{of['cpu']:.0f}", f"{of['gb']:.2f}") for step, of in {**steps, "the whole": whole}.items()]
    for row in [("step", "wall s", "CPU s", "peak GB"), *rows, *([("bar", f"≤ {SECONDS}", "", f"< {GB:g}")] if is_held else [])]:
        print("".join(cell.ljust(14) for cell in row).rstrip())
    if not is_held:
        print(f"The bars ({SECONDS} s, {GB:g} GB) are those of {WHOLE:,} applicants; of fewer they say nothing.")
    print(json.dumps(found))
    return 0 if not is_held or (whole["wall"] <= SECONDS and whole["gb"] < GB) else 1


def measured(folder: Path, applicants: int) -> dict[str, Any]:
    """Fill a workspace in a folder; returns what was made, the size of the file, and seconds and memory by step."""
    settings = replace(load(), data=folder / "data", models=folder / "models")
    store = stores.open_workspace(settings)
    marks: list[tuple[str, float, float]] = []
    peaks: dict[str, float] = {}

    def heard(share: float, what: str) -> None:
        step = max((each for each, begin in demo.STEPS.items() if begin <= share), key=demo.STEPS.__getitem__)
        if marks:
            peaks[marks[-1][0]] = _peak_gb()
        if step not in peaks:
            marks.append((step, time.perf_counter(), _cpu()))
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak is counted anew
        print(f"\r\x1b[K{share:4.0%} {what}", end="", file=sys.stderr, flush=True)

    made = demo.fill(store, applicants=applicants, progress=heard)
    store.close()
    marks.append(("", time.perf_counter(), _cpu()))
    print(file=sys.stderr)
    steps = {
        step: {"wall": wall_after - wall, "cpu": cpu_after - cpu, "gb": peaks[step]}
        for (step, wall, cpu), (_, wall_after, cpu_after) in pairwise(marks)
    }
    return {"made": made, "file_gb": settings.database.stat().st_size / 1e9, "steps": steps}


def _cpu() -> float:
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def _peak_gb() -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e9


if __name__ == "__main__":
    sys.exit(main())
