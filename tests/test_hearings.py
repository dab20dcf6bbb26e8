"""REST of the review loop: a case in hand, a verdict, a second person, a story; every refusal is a problem with one sentence."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from creditrisk import certainty
from creditrisk.api import create_api
from creditrisk.settings import Reviews
from creditrisk.store import Store
from tests.rest import TestClient
from tests.test_reviews import predicted

RITA, SAM = {"X-User": "rita"}, {"X-User": "sam"}
RIGHT = {"verdict": "correct", "about": "label"}


@pytest.fixture
def client(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(certainty, "known", lambda *_: None)  # the model of these cases is a name only
    predicted(store, "p1")
    with TestClient(create_api(lambda: store)) as opened:
        yield opened


def test_a_verdict_goes_in_is_inspected_by_somebody_else_and_becomes_a_story(client: TestClient) -> None:
    made = client.post("/v1/predictions/p1/reviews", json=RIGHT, headers=RITA)
    assert made.status_code == 201
    name = made.json()["review_id"]
    assert [row["reviewed_by"] for row in client.get("/v1/predictions/p1/reviews", headers=SAM).json()] == ["rita"]
    asked = {"review_ids": [name], "status": "accepted", "reason": "line 12 shows it"}
    refused = client.post("/v1/inspections", json=asked, headers=RITA)
    assert refused.status_code == 403
    assert refused.json()["detail"] == "Nobody inspects their own verdict: that on applicant of p1 is rita's."
    waiting = client.get("/v1/reviews", params={"state": "waiting"}, headers=RITA).json()
    assert [row["why_not"] for row in waiting] == [refused.json()["detail"]]
    assert client.post("/v1/inspections", json=asked, headers=SAM).json() == {"inspected": 1}
    told = client.get("/v1/predictions/p1/story").json()
    assert [event["kind"] for event in told] == ["scored", "judged", "inspected"]
    assert client.get("/v1/inspections").json()["inspections"][0]["inspected_by"] == "sam"


def test_claims_do_not_collide_and_are_let_go_of(client: TestClient) -> None:
    taken = client.post("/v1/claims", json={}, headers=RITA).json()["claim"]
    assert taken["prediction_id"] == "p1"
    assert client.post("/v1/claims", json={}, headers=SAM).json() == {"claim": None}
    refused = client.post("/v1/predictions/p1/reviews", json=RIGHT, headers=SAM)
    assert refused.status_code == 403
    assert refused.json()["detail"].startswith("rita has this case in hand until")
    assert client.post(f"/v1/claims/{taken['claim_id']}/skip", headers=SAM).status_code == 404
    assert client.post(f"/v1/claims/{taken['claim_id']}/release", headers=RITA).json()["released"] is True
    again = client.post("/v1/claims", json={"prediction_id": "p1"}, headers=SAM).json()["claim"]
    assert again["slot"] == "chosen"
    assert client.post(f"/v1/claims/{again['claim_id']}/skip", headers=SAM).json()["skipped"] is True


def test_a_case_read_blind_comes_without_its_score(store: Store, client: TestClient) -> None:
    store.settings = replace(store.settings, reviews=Reviews(blind=1.0))
    case = client.post("/v1/claims", json={}, headers=RITA).json()["claim"]["case"]
    assert set(case) == {"applicant_id", "as_of", "inputs"}
    assert "points" not in client.get("/v1/predictions/p1/story", headers=RITA).text
    client.post("/v1/predictions/p1/reviews", json=RIGHT, headers=RITA)
    assert "600 points" in client.get("/v1/predictions/p1/story", headers=RITA).text


@pytest.mark.parametrize(
    ("path", "body", "status", "sentence"),
    [
        ("predictions/p1/reviews", {"verdict": "wrong", "about": "label"}, 422, "verdict"),
        ("predictions/p1/reviews", {"verdict": "incorrect", "about": "label"}, 422, "needs a comment"),
        ("predictions/nope/reviews", RIGHT, 404, "no prediction 'nope'"),
        ("predictions/p1/reviews", {**RIGHT, "reviewed_by": "sam"}, 422, "reviewed_by"),
        ("inspections", {"review_ids": [], "status": "accepted", "reason": "fine"}, 422, "review_ids"),
        ("inspections", {"review_ids": ["r"], "status": "accepted", "reason": "fine"}, 404, "no verdict that stands"),
        ("claims", {"prediction_id": "nope"}, 404, "no prediction"),
    ],
)
def test_what_cannot_be_is_a_problem(client: TestClient, path: str, body: dict[str, object], status: int, sentence: str) -> None:
    reply = client.post(f"/v1/{path}", json=body, headers=RITA)
    assert reply.status_code == status
    assert sentence in reply.json()["detail"]


def test_the_routes_describe_themselves(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/v1/claims", "/v1/predictions/{prediction_id}/reviews", "/v1/predictions/{prediction_id}/story", "/v1/inspections"} <= set(
        paths
    )
    assert client.get("/v1/predictions/nope/reviews").status_code == 404
    assert client.post("/v1/inspections").json()["detail"] == "The body is empty; send an inspection as JSON."
