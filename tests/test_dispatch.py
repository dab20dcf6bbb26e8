"""REST of files, trainings and batches: what is sent in is kept, what runs is told of, what is busy says when to ask again."""

import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pandas import read_csv, read_parquet

from creditrisk import jobs, scoring
from creditrisk.api import create_api, examples
from creditrisk.batch import keep
from creditrisk.store import Store
from tests.rest import TestClient
from tests.test_batch import csv, table

STATEMENT = b"Date,Description,Amount,Balance\n2026-01-02,SALARY ACME LTD,2000.00,2500.00\n2026-01-03,RENT,-800.00,1700.00\n"


@pytest.fixture
def client(filled: Store) -> Iterator[TestClient]:
    with TestClient(create_api(lambda: filled)) as opened:
        yield opened
    keep.shut_down(filled)
    jobs.shut_down(filled)


def test_a_request_sent_again_is_answered_and_not_scored_again(client: TestClient, filled: Store) -> None:
    several = examples(filled.schema)["several"]["value"]
    before = filled.value("select count(*) from prediction")
    key = {"Idempotency-Key": "7f3a", "X-User": "ann"}
    first, second = (client.post("/v1/score", json=several, headers=key) for _ in range(2))
    assert (first.status_code, first.json()) == (200, second.json())
    assert filled.value("select count(*) from prediction") == before + 2
    other = client.post("/v1/score", json=several[0], headers=key)
    assert (other.status_code, "was used for another request" in other.json()["detail"]) == (409, True)
    somebody = client.post("/v1/score", json=several, headers={**key, "X-User": "bob"})
    assert somebody.json()[0]["prediction_id"] != first.json()[0]["prediction_id"], "a key is one person's"
    without = client.post("/v1/score", json=several)
    assert without.json()[0]["prediction_id"] != first.json()[0]["prediction_id"]
    refused = client.post("/v1/score", json={"features": {"observed_days": -1}}, headers={"Idempotency-Key": "new"})
    assert refused.status_code == 422
    assert client.post("/v1/score", json=several[0], headers={"Idempotency-Key": "new"}).status_code == 200, "a refusal uses no key up"


def test_requests_of_one_key_at_the_same_time_are_one(client: TestClient, filled: Store) -> None:
    body = examples(filled.schema)["one"]["value"]
    before = filled.value("select count(*) from prediction")
    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(lambda _: client.post("/v1/score", json=body, headers={"Idempotency-Key": "k"}).json(), range(12)))
    assert len({reply["prediction_id"] for reply in replies}) == 1
    assert filled.value("select count(*) from prediction") == before + 1


def test_a_prediction_is_read_as_it_was_answered(client: TestClient, filled: Store) -> None:
    made = client.post("/v1/score", json=examples(filled.schema)["one"]["value"]).json()
    assert client.get(f"/v1/predictions/{made['prediction_id']}").json() == made
    assert client.get("/v1/predictions/none").status_code == 404


def test_every_example_of_the_description_is_answered(client: TestClient, filled: Store) -> None:
    described = client.get("/openapi.json").json()
    tried = 0
    for path, ways in described["paths"].items():
        content = ways.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        bodies = [example["value"] for example in content.get("examples", {}).values()]
        name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        bodies += described["components"]["schemas"].get(name, {}).get("examples", [])
        for body in bodies:
            reply = client.post(path, json=body)
            assert reply.status_code < 300, (path, reply.json())
            tried += 1
    assert tried >= 4


def test_statements_are_stored_whole_or_refused(client: TestClient, filled: Store) -> None:
    sent = {"files": ("january.csv", STATEMENT, "text/csv")}
    reply = client.post("/v1/statements", files=sent, data={"applicant_id": "REST-1"}, headers={"X-User": "ann"})
    (stored,) = reply.json()
    assert (reply.status_code, stored["status"], stored["n_new"], stored["reconciliation"]) == (201, "accepted", 2, "ok")
    assert client.post("/v1/statements", files=sent, data={"applicant_id": "REST-1"}).json()[0]["n_new"] == 0
    scored = client.post("/v1/score", json={"applicant_id": "REST-1"})
    assert scored.status_code == 200
    refused = client.post("/v1/statements", files={"files": ("x.csv", b"Date,Amount\n2026-02-31,x\n")})
    assert (refused.status_code, refused.json()["detail"].startswith("No file was stored. ")) == (422, True)
    assert client.post("/v1/statements").status_code == 422


def test_a_batch_goes_in_runs_and_comes_out_as_files(client: TestClient, filled: Store) -> None:
    frame = table(filled, 40).astype(object)
    frame.loc[2, "balance_avg_90d"] = "much"
    begun = client.post("/v1/batches", files={"file": ("new.csv", csv(frame))}, headers={"X-User": "ann"})
    name = begun.json()["batch_id"]
    assert (begun.status_code, begun.headers["location"]) == (202, f"batches/{name}")
    assert keep.wait(filled, name)["state"] == "done"
    found = client.get(f"/v1/batches/{name}").json()
    assert (found["n_scored"], found["n_refused"], found["summary"]["n"]) == (39, 1, 39)
    as_csv = read_csv(io.BytesIO(client.get(f"/v1/batches/{name}/results").content))
    as_parquet = read_parquet(io.BytesIO(client.get(f"/v1/batches/{name}/results", params={"kind": "parquet"}).content))
    assert as_csv["prediction_id"].tolist() == as_parquet["prediction_id"].tolist()
    assert client.get(f"/v1/predictions/{name}-1").json()["pd"] == as_parquet["pd"][0] == scoring.get(filled, f"{name}-1").pd
    assert "Row 3: balance_avg_90d is 'much'" in client.get(f"/v1/batches/{name}/refused").text
    assert {row["moved"] for row in client.get(f"/v1/batches/{name}/drift").json()} <= {"", "moved", "far"}
    assert [row["batch_id"] for row in client.get("/v1/batches").json()] == [name]
    assert client.post(f"/v1/batches/{name}/go-on").status_code == 422
    assert client.post(f"/v1/batches/{name}/stop").status_code == 422
    assert client.get("/v1/batches/B9999").status_code == 404
    assert client.get("/v1/batches/B9999/results").status_code == 404
    wrong = client.post("/v1/batches", files={"file": ("new.csv", b"applicant_id,sex\nA,1\n")})
    assert (wrong.status_code, "Nothing called sex is declared" in wrong.json()["detail"]) == (422, True)


def test_what_is_busy_says_when_to_ask_again(client: TestClient, filled: Store) -> None:
    begun = client.post("/v1/train", json={"algorithms": ["logistic"]})
    assert begun.status_code == 202
    name = begun.json()["job_id"]
    busy = client.post("/v1/train", json={})
    assert (busy.status_code, int(busy.headers["retry-after"]) > 0) == (409, True)
    assert client.get("/v1/health").json()["ok"] is True
    assert client.get(f"/v1/jobs/{name}").json()["state"] in ("queued", "running")
    assert client.post(f"/v1/jobs/{name}/stop").json()["state"] == "stopped"
    assert client.get("/v1/jobs").json()[0]["job_id"] == name
    assert client.post("/v1/train", json={"algorithms": ["magic"]}).status_code == 422


def test_models_and_their_cards_are_told(client: TestClient) -> None:
    models = client.get("/v1/models").json()
    assert {"model_id", "status", "metrics"} <= set(models[0])
    champion = next(model for model in models if model["status"] == "champion")
    assert client.get(f"/v1/models/{champion['model_id']}").json()["status"] == "champion"
    assert client.get("/v1/models/M9999").status_code == 404


def test_a_failing_client_leaves_no_file_behind(client: TestClient, filled: Store) -> None:
    client.post("/v1/batches", files={"file": ("new.csv", b"nothing")})
    assert not list((filled.settings.data / "batches").glob("*"))


def test_whatever_the_api_says_of_itself_can_be_sent_without_breaking_it(client: TestClient, filled: Store) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="needs schemathesis: pip install -r requirements-dev.txt")
    from hypothesis import HealthCheck, Phase, given, settings

    seen: set[int] = set()
    bounded = settings(
        max_examples=30, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), derandomize=True
    )

    def fuzz(operation: Any, until: float) -> None:
        @bounded
        @given(case=operation.as_strategy())
        def sent(case: Any) -> None:
            if time.monotonic() < until:
                reply = case.call()
                seen.add(reply.status_code)
                assert reply.status_code < 500, (case.as_curl_command(), reply.text)
                assert reply.status_code < 400 or reply.json()["detail"]

        sent()

    operations = [found.ok() for found in schemathesis.openapi.from_asgi("/openapi.json", client.app).get_all_operations()]
    for operation in operations:
        fuzz(operation, time.monotonic() + 45 / len(operations))
    assert {200, 404, 422} <= seen
