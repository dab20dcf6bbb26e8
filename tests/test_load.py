"""The load run in a short form: the client speaks the protocol, nothing fails, and no collection follows every rerun."""

import subprocess
import sys

from tests.conftest import ROOT


def test_visitors_without_a_browser_click_upload_and_leave_without_an_error() -> None:
    asked = ["--sessions", "2", "--seconds", "4", "--think", "1", "--applicants", "100", "--uploads-mb", "1", "--opened", "10"]
    done = subprocess.run([sys.executable, "-m", "tests.load", *asked], capture_output=True, text=True, cwd=ROOT, check=False, timeout=600)
    assert done.stdout.startswith("collection after every rerun: off"), done.stdout + done.stderr
    assert done.stdout.count("errors 0") == 3, done.stdout
    assert "uploads until the page stood: 0" not in done.stdout
    assert "10 sessions opened and closed" in done.stdout
