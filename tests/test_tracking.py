"""Runs are told to an MLflow server as well; a server that is down loses nothing.

The real server is MLFLOW_PROGRAM, else `mlflow` on PATH: the program of an environment of its own (requirements-mlflow.txt), which
needs nothing of ours as we need nothing of its. Without one those tests are skipped.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import pytest

from creditrisk import jobs, labels, registry, tracking, training
from creditrisk.plan import Config
from creditrisk.store import Store

QUICK = {"algorithms": ("logistic",), "folds": 2}


def free_port() -> int:
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return int(any_port.getsockname()[1])


def asked(port: int, path: str, method: str = "GET", body: object = None) -> bytes:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        said = answer.read()
        assert answer.status == 200, said
        return said
    finally:
        connection.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a real tracking server on SQLite."""
    program = os.environ.get("MLFLOW_PROGRAM") or shutil.which("mlflow")
    if not program:
        pytest.skip("needs an MLflow server: set MLFLOW_PROGRAM to the `mlflow` of an environment with requirements-mlflow.txt")
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    where = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "files")]
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(
            [program, "server", *where, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        for _ in range(240):
            try:
                asked(port, "/health")
                break
            except OSError:
                assert running.poll() is None, (folder / "log").read_text()
                time.sleep(0.5)
        yield port
    finally:
        os.killpg(running.pid, signal.SIGKILL)  # the server and its workers, a session that this test began; nothing of it is kept
        running.wait()


def test_a_run_is_told_with_parameters_figures_files_and_a_version_of_its_own(
    server: int, filled: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server}")
    config = Config(label_set_id=labels.newest(filled), parameters={"logistic": {"ridge": 3.0}}, **QUICK)
    names = training.train(filled, config, user="ann")
    assert f"was told of all {len(names)} models" in caplog.text
    model = registry.get(filled, names[0])
    experiment = json.loads(asked(server, "/api/2.0/mlflow/experiments/get-by-name?experiment_name=creditrisk"))["experiment"][
        "experiment_id"
    ]
    runs = json.loads(asked(server, "/api/2.0/mlflow/runs/search", "POST", {"experiment_ids": [experiment], "max_results": 50}))["runs"]
    assert sorted(run["info"]["run_name"].split()[0] for run in runs) == sorted(names)
    (run,) = [run for run in runs if run["info"]["run_name"] == f"{names[0]} logistic"]
    assert run["info"]["status"] == "FINISHED"
    params, figures, tags = ({each["key"]: each["value"] for each in run["data"][part]} for part in ("params", "metrics", "tags"))
    assert (params["algorithm"], params["logistic.ridge"], params["label_set_id"]) == ("logistic", "3.0", model["label_set_id"])
    assert figures["cluster.auc.value"] == pytest.approx(model["metrics"]["cluster"]["auc"]["value"])
    assert (tags["mlflow.user"], tags["digest"], tags["is_proxy"]) == ("ann", model["digest"], "true")
    path = quote(run["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/"))
    kept = asked(server, f"/api/2.0/mlflow-artifacts/artifacts/{path}/model/pipeline.joblib")
    assert kept == (filled.models / names[0] / "pipeline.joblib").read_bytes()
    assert asked(server, f"/api/2.0/mlflow-artifacts/artifacts/{path}/model/card.pdf").startswith(b"%PDF")
    listed = json.loads(asked(server, f"/api/2.0/mlflow/artifacts/list?run_id={run['info']['run_id']}&path=model"))["files"]
    assert {Path(file["path"]).name for file in listed} == {
        "pipeline.joblib",
        "schema.toml",
        "metrics.json",
        "card.json",
        "card.md",
        "card.pdf",
    }
    version = json.loads(asked(server, f"/api/2.0/mlflow/registered-models/alias?name=creditrisk&alias={names[0].lower()}"))[
        "model_version"
    ]
    assert version["run_id"] == run["info"]["run_id"]
    assert version["description"] == registry.card(filled, names[0])["banner"]


def test_a_second_run_joins_the_first_under_the_name_that_was_asked_for(
    server: int, filled: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server}/")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "a bank & co")
    for _ in range(2):
        training.train(filled, Config(label_set_id=labels.newest(filled), **QUICK), user="ann")
    assert caplog.text.count("was told of all") == 2
    found = json.loads(asked(server, "/api/2.0/mlflow/experiments/get-by-name?experiment_name=a%20bank%20%26%20co"))["experiment"]
    runs = asked(server, "/api/2.0/mlflow/runs/search", "POST", {"experiment_ids": [found["experiment_id"]], "max_results": 50})
    assert len(json.loads(runs)["runs"]) == 6


def test_a_server_that_is_down_loses_no_training(filled: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://ann:secret@127.0.0.1:{free_port()}")
    config = Config(label_set_id=labels.newest(filled), **QUICK)
    names = training.train(filled, config, user="ann")
    assert registry.get(filled, names[0])["status"] == "candidate"
    assert f"was told of 0 of {len(names)} models" in caplog.text
    assert "All are registered here; nothing is lost." in caplog.text
    assert "secret" not in caplog.text
    job = jobs.wait(filled, training.start(filled, config, user="ann"), 300)
    assert job["state"] == "done"
    assert "registered 3 candidates" in job["message"]
    assert "was told of 0 of 3 models" in job["message"]
    assert len(registry.models(filled)[registry.models(filled)["job_id"] == job["job_id"]]) == 3


@pytest.mark.parametrize(
    "where", ["sqlite:///mlflow.db", "file:/tmp/x", "http://", "http://127.0.0.1:port", "http://ann:s3cr/et@127.0.0.1"]
)
def test_an_address_that_is_none_is_a_sentence(where: str, filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", where)
    said = tracking.record(filled, ["M0001"])
    assert said is not None
    assert "was told of 0 of 1 models" in said
    assert "s3cr" not in said, "nor a password that cuts an address short"


def test_without_a_server_nobody_is_told_and_nothing_of_mlflow_is_imported(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(tracking, "HTTPConnection", None)
    assert tracking.record(filled, ["M0001"]) is None
    assert not any(name.partition(".")[0] == "mlflow" for name in sys.modules)
