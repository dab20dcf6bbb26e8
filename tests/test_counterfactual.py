"""What if over the API and on the command line: the page's numbers, nothing kept, refusals in sentences."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from creditrisk import features, scoring, whatif
from creditrisk import store as stores
from creditrisk.__main__ import main
from creditrisk.api import create_api
from creditrisk.store import Store
from tests.rest import TestClient


@pytest.fixture
def client(filled: Store) -> Iterator[TestClient]:
    with TestClient(create_api(lambda: filled)) as opened:
        yield opened


@pytest.fixture
def made(filled: Store) -> scoring.Prediction:
    """The weakest score that somebody could better."""
    everyone = features.newest(filled)["applicant_id"].tolist()
    rest = [one for one in scoring.score_applicants(filled, everyone, user="ann", channel="test") if one.is_sure]
    return min(rest, key=lambda one: abs(one.score - 600))


def test_other_figures_are_answered_as_the_library_answers_and_nothing_is_kept(
    client: TestClient, filled: Store, made: scoring.Prediction
) -> None:
    before = filled.value("select count(*) from prediction")
    changes = {"balance_avg_90d": 900.0, "days_below_buffer_90d": 80}
    reply = client.post("/v1/what-if", json={"prediction_id": made.prediction_id, "changes": changes})
    assert reply.status_code == 200, reply.text
    said = reply.json()
    expected = whatif.score(filled, made, changes, using=scoring.model(filled, made.model_id), user="ann")
    assert (said["now"]["score"], said["now"]["pd"]) == (made.score, made.pd)
    for key in ("pd", "score", "band", "recommendation", "contributions"):
        assert said["then"][key] == getattr(expected, key)
    assert said["then"]["pd_low"] <= said["then"]["pd"] <= said["then"]["pd_high"]
    assert said["then"]["inputs"]["days_below_buffer_90d"] == 80
    assert {row["feature"] for row in said["moved"]} >= set(changes) & set(said["then"]["contributions"])
    assert said["moved"] == sorted(said["moved"], key=lambda row: -abs(row["points"]))
    assert "prediction_id" not in said["then"]
    assert said["applicant_id"] == made.applicant_id
    assert "guidance" not in said
    assert filled.value("select count(*) from prediction") == before


def test_guidance_said_over_the_api_reaches_the_band_it_names(client: TestClient, made: scoring.Prediction) -> None:
    asked: dict[str, Any] = {"prediction_id": made.prediction_id, "guidance": True}
    said = client.post("/v1/what-if", json=asked).json()
    assert said["then"] == said["now"]
    assert said["moved"] == []
    helps = said["guidance"]
    assert helps["ways"] or helps["why_not"]
    for way in helps["ways"]:
        tried = {step["feature"]: step["to"] for step in way["changes"]}
        then = client.post("/v1/what-if", json=asked | {"changes": tried}).json()["then"]
        assert (then["band"], then["score"]) == (helps["next_band"], pytest.approx(way["score"]))


@pytest.mark.parametrize(
    ("changes", "status", "sentence"),
    [
        ({"days_negative_90d": 91}, 422, "is 91; the most allowed is 90."),
        ({"days_negative_90d": 1.5}, 422, "it should be a whole number"),
        ({"days_negative_90d": "many"}, 422, "it should be a number"),
        ({"days_negative_90d": 10**400}, 422, ""),
        ({"days_negative_90d": [1]}, 422, ""),
        ({"shoe_size": 44}, 404, "shoe_size"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(
    client: TestClient, made: scoring.Prediction, changes: dict[str, object], status: int, sentence: str
) -> None:
    reply = client.post("/v1/what-if", json={"prediction_id": made.prediction_id, "changes": changes})
    assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json")
    assert sentence in reply.json()["detail"]


def test_a_score_nobody_made_is_not_wondered_about(client: TestClient) -> None:
    assert client.post("/v1/what-if", json={"prediction_id": "none"}).status_code == 404
    assert client.post("/v1/what-if", content="").json()["detail"] == "The body is empty; send a prediction_id with changes, as JSON."


def test_the_description_names_the_figures_of_the_schema(client: TestClient, filled: Store) -> None:
    told = client.get("/openapi.json").json()["components"]["schemas"]["WhatIf"]["properties"]["changes"]
    assert list(told["properties"]) == [feature.name for feature in filled.schema]


def test_the_command_line_answers_the_same(
    client: TestClient, filled: Store, made: scoring.Prediction, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {"prediction_id": made.prediction_id, "changes": {"days_below_buffer_90d": 80, "balance_avg_90d": None}, "guidance": True}
    expected = client.post("/v1/what-if", json=asked).json()
    before = filled.value("select count(*) from prediction")
    filled.close()
    where = ["--data", str(tmp_path / "bank" / "data"), "--models", str(tmp_path / "bank" / "models")]
    told = ["what-if", made.prediction_id, "--set", "days_below_buffer_90d=80", "--set", "balance_avg_90d="]
    assert main([*told, *where, "--json"]) == 0
    said, summary = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert said == expected
    assert summary["summary"]["score"] == expected["then"]["score"]
    assert main([*told, *where]) == 0
    printed = capsys.readouterr().out
    assert "Days without a week’s money: 80 days instead of" in printed
    assert "Nothing was kept." in printed
    for wrong, sentence in (("days_below_buffer_90d", "should be NAME=VALUE"), ("balance_avg_90d=inf", "it should be a number")):
        assert main(["what-if", made.prediction_id, "--set", wrong, *where]) == 2
        assert sentence in capsys.readouterr().err
    with stores.open_workspace(filled.settings).reading() as cursor:
        assert cursor.execute("select count(*) from prediction").fetchone() == (before,)
