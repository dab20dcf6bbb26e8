"""Runs told to an MLflow server as well, where `MLFLOW_TRACKING_URI` names one: parameters, figures, files, a registered model.

The registry here is the truth and the server a copy: whatever becomes of the server, nothing here is lost or undone, and a sentence
says so. No row of an applicant leaves the workspace this way. MLflow's REST interface is spoken, so nothing of MLflow is needed.
"""

import base64
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from math import isfinite
from typing import Any
from urllib.parse import quote, urlsplit

from creditrisk import card as cards
from creditrisk import registry
from creditrisk.errors import CreditRiskError
from creditrisk.store import Store

PATIENCE = 30.0  # seconds for one answer
NAME = "creditrisk"  # of experiment and registered model, unless MLFLOW_EXPERIMENT_NAME says another
FILES = (registry.ARTEFACT, registry.SCHEMA, "metrics.json", "card.json", "card.md")
MOST_PARAMS, LONGEST = 100, 6_000
PROXIED = "mlflow-artifacts:/"


class Unreached(Exception):
    """Why a tracking server did not take something, in words."""


@dataclass(frozen=True)
class Server:
    """A tracking server; each request takes a connection of its own, since servers close idle ones while a file is being made."""

    open: Callable[[], HTTPConnection]
    root: str
    headers: Mapping[str, str]

    def call(self, method: str, path: str, body: Mapping[str, Any] | bytes | None = None, *, taken: Sequence[str] = ()) -> dict[str, Any]:
        """Return the answer to a request; raises Unreached for a refusal, unless its error code is one that is `taken` as an answer."""
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        with closing(self.open()) as connection:
            connection.request(method, f"{self.root}/api/2.0/{path}", sent, {**self.headers, "Content-Type": kind})
            answer = connection.getresponse()
            said = answer.read().decode("utf-8", "replace")
        found = json.loads(said) if said.lstrip().startswith("{") else {}
        if answer.status >= 400 and found.get("error_code") not in taken:
            raise Unreached(f"it answered {answer.status}: {found.get('message') or said[:200] or answer.reason}")
        return dict(found)


def record(store: Store, names: Sequence[str]) -> str | None:
    """Tell the server of newly registered models, each a run of its own; returns what became of it in a sentence, None without a server."""
    where = os.environ.get("MLFLOW_TRACKING_URI", "").strip()
    if not where or not names:
        return None
    told = 0
    try:
        server, name = _server(where), _name()
        experiment = _experiment(server)
        server.call("POST", "mlflow/registered-models/create", {"name": name}, taken=["RESOURCE_ALREADY_EXISTS"])
        for model_id in names:
            _run(server, store, experiment, name, registry.get(store, model_id))
            told += 1
    except (Unreached, CreditRiskError, OSError, HTTPException, ValueError, LookupError, TypeError) as error:
        why = str(error) or type(error).__name__
        return f"MLflow at {_shown(where)} was told of {told} of {len(names)} models ({why}). All are registered here; nothing is lost."
    return f"MLflow at {_shown(where)} was told of all {len(names)} models."


def _name() -> str:
    return os.environ.get("MLFLOW_EXPERIMENT_NAME", "").strip() or NAME


def _shown(where: str) -> str:
    """Return an address without the password that may stand in it."""
    return where.rpartition("@")[2] if "@" in where else where


def _server(where: str) -> Server:
    try:
        parts = urlsplit(where)
        host, port = parts.hostname, parts.port
    except ValueError as error:  # whose words quote what stands where a port should: a password with a slash in it
        raise Unreached("its address should be like https://host:port, a name and password in it percent-encoded") from error
    if parts.scheme not in ("http", "https") or not host:
        raise Unreached("its address should begin with http:// or https://")
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    headers = _authorised(parts.username, parts.password)
    return Server(lambda: kind(host, port, timeout=PATIENCE), parts.path.rstrip("/"), headers)


def _authorised(user: str | None, password: str | None) -> dict[str, str]:
    """Return the header that MLflow's own clients send: a token, or name and password, from the environment or the address."""
    if token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
        return {"Authorization": f"Bearer {token}"}
    user, password = os.environ.get("MLFLOW_TRACKING_USERNAME", user), os.environ.get("MLFLOW_TRACKING_PASSWORD", password)
    pair = f"{user}:{password or ''}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"} if user else {}


def _experiment(server: Server) -> str:
    path = f"mlflow/experiments/get-by-name?experiment_name={quote(_name(), safe='')}"
    found = server.call("GET", path, taken=["RESOURCE_DOES_NOT_EXIST"])
    if "experiment" in found:
        return str(found["experiment"]["experiment_id"])
    return str(server.call("POST", "mlflow/experiments/create", {"name": _name()})["experiment_id"])


def _run(server: Server, store: Store, experiment: str, name: str, model: Mapping[str, Any]) -> None:
    """Tell of one model: its run, what was asked for, its figures, its files, and its version with the model's id as alias."""
    end = int(model["created_at"].replace(tzinfo=UTC).timestamp() * 1000)
    model_id, begin = model["model_id"], end - int(1000 * model["seconds"])
    tags = {"mlflow.user": model["created_by"], "model_id": model_id, "digest": model["digest"], "is_proxy": str(model["is_proxy"]).lower()}
    asked = {"experiment_id": experiment, "run_name": f"{model_id} {model['algorithm']}", "start_time": begin, "tags": _pairs(tags)}
    info = server.call("POST", "mlflow/runs/create", asked)["run"]["info"]
    run, target = info["run_id"], info["artifact_uri"]
    figures = [{"key": key, "value": value, "timestamp": end, "step": 0} for key, value in _figures(model["metrics"])]
    server.call("POST", "mlflow/runs/log-batch", {"run_id": run, "metrics": figures, "params": _pairs(_params(model))})
    if not target.startswith(PROXIED):
        raise Unreached(f"it keeps files at {target}, which only its own client writes to; start it with --serve-artifacts")
    for file, content in _files(store, model_id):
        server.call("PUT", f"mlflow-artifacts/artifacts/{quote(target.removeprefix(PROXIED))}/model/{file}", content)
    server.call("POST", "mlflow/runs/update", {"run_id": run, "status": "FINISHED", "end_time": end})
    about = registry.card(store, model_id).get("banner") or ""
    asked = {"name": name, "source": f"{target}/model", "run_id": run, "description": about, "tags": _pairs(tags)}
    made = server.call("POST", "mlflow/model-versions/create", asked)["model_version"]
    server.call("POST", "mlflow/registered-models/alias", {"name": name, "alias": model_id.lower(), "version": made["version"]})


def _params(model: Mapping[str, Any]) -> dict[str, str]:
    """Return what the run was asked for, flat; the settings of other algorithms left out."""
    config = {key: value for key, value in model["config"].items() if key not in ("parameters", "grid", "algorithms") and value}
    own = model["config"].get("parameters", {}).get(model["algorithm"], {})
    of_the_row = {key: model[key] for key in ("algorithm", "label_set_id", "label_source", "schema_fingerprint", "snapshot_id")}
    flat = {**of_the_row, **config, **{f"{model['algorithm']}.{key}": value for key, value in own.items()}}
    return {key: str(value)[:LONGEST] for key, value in list(flat.items())[:MOST_PARAMS]}


def _figures(found: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, float]]:
    """Yield every finite number of the figures under its path, like observed.auc.low; lists are left to metrics.json."""
    for key, value in found.items():
        if isinstance(value, Mapping):
            yield from _figures(value, f"{before}{key}.")
        elif isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
            yield f"{before}{key}", float(value)


def _files(store: Store, model_id: str) -> Iterator[tuple[str, bytes]]:
    for file in FILES:
        yield file, (store.models / model_id / file).read_bytes()
    yield "card.pdf", cards.pdf(registry.card(store, model_id)["markdown"])


def _pairs(named: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in named.items()]
