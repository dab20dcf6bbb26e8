"""A verdict, an inspection and a promotion are there after kill -9 in the very moment they were acknowledged."""

import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from creditrisk import inspections, integrity, registry, reviews
from creditrisk import store as stores
from creditrisk.settings import load
from tests.conftest import ROOT

DIES = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from creditrisk import inspections, registry, reviews, plan, training
from creditrisk import store as stores
from creditrisk.settings import load
folder = Path(sys.argv[1])
store = stores.open_workspace(replace(load(), data=folder / "data", models=folder / "models"))
case = reviews.queue(store)["prediction_id"].iloc[0]
name = reviews.add(store, case, "incorrect", "label", "salary was missed", user="rita", corrected="good")
said = [case, name]
if sys.argv[2] != "verdict":
    inspections.decide(store, [name], "accepted", "line 12 shows it", user="sam")
if sys.argv[2] == "promotion":
    present = registry.champion(store)["model_id"]
    able = registry.models(store)
    other = next(row["model_id"] for row in able.to_dict("records")
                 if row["algorithm"] in plan.CANDIDATES and row["model_id"] != present)
    registry.promote(store, other, user="vera", reason="after the new verdicts")
    said.append(other)
print(*said, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("last", ["verdict", "inspection", "promotion"])
def test_what_was_acknowledged_survives_a_kill(bank: Path, tmp_path: Path, last: str) -> None:
    shutil.copytree(bank, tmp_path, dirs_exist_ok=True)
    done = subprocess.run([sys.executable, "-c", DIES, str(tmp_path), last], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    case, name, *promoted = done.stdout.split()
    store = stores.open_workspace(replace(load(ROOT / "creditrisk.toml"), data=tmp_path / "data", models=tmp_path / "models"))
    try:
        kept = reviews.history(store, case).iloc[0]
        assert (kept["review_id"], kept["reviewed_by"], kept["corrected"]) == (name, "rita", "good")
        ends = inspections.history(store, case)["status"].tolist()
        assert ends == ([] if last == "verdict" else ["accepted"])
        champion = registry.champion(store)
        assert champion is not None
        assert not promoted or champion["model_id"] == promoted[0]
        assert [found["sentence"] for found in integrity.check(store) if not found["passed"]] == []
    finally:
        store.close()
