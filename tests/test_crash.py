"""The crash run in a short form: kills during every kind of work lose nothing, and every planted fault is found."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.crash.faults import FAULTS

KINDS = ("import", "review", "score", "batch score", "backup", "promote", "start")


@pytest.fixture(scope="module")
def told(bank: Path) -> str:
    """Run the harness in a process of its own: it forks, which this one, with its threads, must not."""
    command = [sys.executable, "-m", "tests.crash", "--bank", str(bank), "--kills", str(len(KINDS)), "--kinds", *KINDS]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=600)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


def test_kills_during_work_lose_nothing_and_leave_nothing_half_there(told: str) -> None:
    assert "lost or half there: 0" in told
    assert re.search(r"^7 kills, [3-7] of them while the work was under way", told, re.M)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(told: str, fault: str) -> None:
    assert re.search(rf"planted: {fault}: found at kill \d+", told)
