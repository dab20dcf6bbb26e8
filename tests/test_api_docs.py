"""The walk-through of the API runs as it stands: its shell commands and its Python, against a server."""

import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from creditrisk import jobs
from creditrisk.api import create_api
from creditrisk.batch import keep
from creditrisk.store import Store
from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def blocks(language: str) -> str:
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.M | re.S))


@pytest.fixture
def address(filled: Store) -> Iterator[str]:
    """A server of the API on a port of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = Starlette(routes=[Mount("/api", app=create_api(lambda: filled))])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}/api/v1"
    server.should_exit = True
    thread.join(10)
    keep.shut_down(filled)
    jobs.shut_down(filled)


def test_the_shell_commands_run(address: str, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    script = f"set -eu\nAPI={address}\n{blocks('bash')}"
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "results.csv").read_text().startswith("applicant_id,")


def test_the_python_runs(address: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", blocks("python")],
        cwd=tmp_path,
        env={"API": address},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "applicant_id,as_of,prediction_id" in done.stdout


def test_every_call_that_is_told_of_exists(filled: Store) -> None:
    described = create_api(lambda: filled).openapi()["paths"]
    told = {re.sub(r"\$\w+", "*", found) for found in re.findall(r"\$API(/[\w/$-]*)", TEXT)}
    known = {re.sub(r"{\w+}", "*", path.removeprefix("/v1")) for path in described}
    assert told <= known
