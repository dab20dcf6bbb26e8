"""How a line is measured: CPU seconds of this process, milliseconds per call, peak memory."""

import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def cpu_seconds(work: Callable[[], Any]) -> float:
    """CPU seconds of all threads that one call takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def median_ms(work: Callable[[], Any], calls: int) -> float:
    """Median wall milliseconds of a call after one to warm up."""
    work()
    taken = []
    for _ in range(calls):
        began = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - began))
    return sorted(taken)[len(taken) // 2]


def held_gb() -> float:
    """The memory this process holds now, GB."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * resource.getpagesize() / 1e9


def peak_gb() -> float:
    """The most memory this process has held, GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def children_peak_gb() -> float:
    """The most memory any child process that has ended held, GB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9


def line(
    name: str, value: float, unit: str, bar: str, ok: bool, *, beside: str | None = None, beside_value: float | None = None
) -> dict[str, Any]:
    """One line of the table; the ratio is ours over the peer's."""
    ratio = value / beside_value if beside_value else None
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "beside": beside,
        "beside_value": beside_value,
        "ratio": ratio,
        "bar": bar,
        "ok": ok,
    }
