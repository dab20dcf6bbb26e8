"""The crash run in a short form: kills during every kind of work lose nothing, and every planted fault is found."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.crash.faults import FAULTS


def run(bank: Path, *asked: str) -> subprocess.CompletedProcess[str]:
    """Run the harness in a process of its own: it forks, which this one, with its threads, must not."""
    command = [sys.executable, "-m", "tests.crash", "--bank", str(bank), *asked]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=600)


def test_kills_during_work_lose_nothing_and_leave_nothing_half_there(bank: Path) -> None:
    done = run(bank, "--kills", "6", "--kinds", "import", "review", "score", "backup", "promote", "start", "--faults")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert "lost or half there: 0" in done.stdout
    assert int(re.search(r"^(\d+) kills, [1-9]", done.stdout, re.M).group(1)) == 6


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(bank: Path, fault: str) -> None:
    done = run(bank, "--kills", "0", "--faults", fault)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert re.search(rf"planted: {fault}: found at kill \d+", done.stdout)
