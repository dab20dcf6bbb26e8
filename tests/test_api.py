"""REST: the same numbers, problems as problem+json with one sentence, nothing that breaks it."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import hypothesis
import pytest
from hypothesis import strategies as st

from creditrisk import certainty, features, registry, scoring
from creditrisk.api import MOST, create_api
from creditrisk.store import Store
from tests.rest import TestClient


@pytest.fixture
def client(filled: Store) -> Iterator[TestClient]:
    with TestClient(create_api(lambda: filled)) as opened:
        yield opened


def known(store: Store, n: int = 1) -> list[str]:
    return [str(name) for name in features.newest(store)["applicant_id"].iloc[:n]]


def test_one_stored_applicant(client: TestClient, filled: Store) -> None:
    (name,) = known(filled)
    reply = client.post("/v1/score", json={"applicant_id": name}, headers={"X-User": "ann"})
    assert reply.status_code == 200
    body = reply.json()
    kept = scoring.get(filled, body["prediction_id"])
    assert (kept.scored_by, kept.channel, kept.applicant_id) == ("ann", "api", name)
    expected = kept.to_json(certainty.lines(filled, kept.model_id))
    assert {key: body[key] for key in expected} == expected
    assert body["is_proxy"] is True
    assert "proxy" in body["banner"]
    assert body["label_source"] == "cluster"
    assert body["base"] + sum(body["contributions"].values()) == pytest.approx(body["margin"], abs=1e-4)


def test_many_in_the_order_asked_for(client: TestClient, filled: Store) -> None:
    names = known(filled, 3)
    reply = client.post("/v1/score", json=[{"applicant_id": name} for name in [*names, names[0]]])
    assert [entry["applicant_id"] for entry in reply.json()] == [*names, names[0]]


def test_values_given(client: TestClient) -> None:
    asked = {"applicant_id": "walk-in", "as_of": "2026-01-31", "features": {"observed_days": 200, "days_negative_90d": 12}}
    body = client.post("/v1/score", json=asked).json()
    assert body["applicant_id"] == "walk-in"
    assert body["as_of"] == "2026-01-31"
    assert "income_monthly_median_180d" in body["missing"]
    assert "days_negative_90d" not in body["missing"]
    nameless = client.post("/v1/score", json=[{"features": {"observed_days": 200}}]).json()
    assert nameless[0]["applicant_id"] == nameless[0]["prediction_id"]


def test_a_batch_must_name_every_figure_and_may_say_that_it_is_unknown(client: TestClient, filled: Store) -> None:
    two = [{"features": {"observed_days": 200}}, {"features": {"observed_days": 300}}]
    refused = client.post("/v1/score", json=two)
    assert (refused.status_code, "are not there; give every one a model reads" in refused.json()["detail"]) == (422, True)
    two[0]["features"] |= dict.fromkeys(feature.name for feature in filled.schema if feature.name != "observed_days")
    assert [len(answer["missing"]) for answer in client.post("/v1/score", json=two).json()] == [len(filled.schema.features) - 1] * 2


def test_reloading_changes_nothing(client: TestClient, filled: Store) -> None:
    (name,) = known(filled)
    first, second = (client.post("/v1/score", json={"applicant_id": name}).json() for _ in range(2))
    assert first.pop("prediction_id") != second.pop("prediction_id")
    assert first == second


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ('{"features": {"days_negative_90d": 91}}', "days_negative_90d is 91; the most allowed is 90."),
        ('{"features": {"days_negative_90d": 1.5}}', "days_negative_90d is 1.5; it should be a whole number."),
        ('{"features": {"balance_avg_90d": "much"}}', "balance_avg_90d is 'much'; it should be a number."),
        ('{"features": {"balance_avg_90d": "12"}}', "balance_avg_90d is '12'; it should be a number."),
        ('{"features": {"balance_avg_90d": NaN}}', "balance_avg_90d is nan; it should be a number."),
        ('{"features": {"balance_avg_90d": 1e999}}', "balance_avg_90d is inf; it should be a finite number."),
        ('{"features": {"balance_avg_90d": [1]}}', "balance_avg_90d is [1]; it should be a number."),
        (
            '[{"features": {}}, {"features": {"sex": 1}}]',
            "Applicant 2 of the list: features.sex is not a feature that the schema declares.",
        ),
        ('{"features": {"\\ud800": 1}}', "features is '\\ud800': input should be a valid string"),
        ('{"features": {}, "as_of": "31.02.2026"}', "Row 1: as_of is '31.02.2026'; it should be a date like 2026-01-31."),
        ('{"features": {}, "applicant_id": "a\\u0000"}', "Row 1: applicant_id is 'a\\x00'; it should be at most 200 printable characters."),
        ('{"features": {}, "debug": 1}', "debug is not one of applicant_id, as_of, features."),
        ("{}", "Applicant 1 has neither applicant_id nor features; give one of them or both."),
        ('{"applicant_id": "x", "as_of": "2026-01-31"}', "Applicant 1 has as_of without features;"),
        ("[" * 50_000, "error parsing the body"),
        ("[]", "A request scores between 1 and 1,000 applicants; this one has 0."),
        (json.dumps([{}] * (MOST + 1)), "A request scores between 1 and 1,000 applicants; this one has 1,001."),
        (
            '[{"features": {}}, {"applicant_id": "x"}]',
            "Some of these applicants have features and some do not; send the two kinds in two requests.",
        ),
        ("3", "An applicant is a JSON object with applicant_id, features or both, not 3."),
        ("{", "The body is not valid JSON"),
        ("", "The body is empty; send one applicant or a list of applicants as JSON."),
    ],
)
def test_a_bad_request_gets_one_sentence(client: TestClient, body: str, sentence: str) -> None:
    reply = client.post("/v1/score", content=body, headers={"content-type": "application/json"})
    assert reply.status_code in (400, 422)
    assert reply.headers["content-type"] == "application/problem+json"
    assert sentence in reply.json()["detail"]
    assert set(reply.json()) == {"type", "title", "status", "detail"}


def test_a_body_that_does_not_say_it_is_json_is_told_how(client: TestClient) -> None:
    reply = client.post("/v1/score", content=b'{"applicant_id": "A"}', headers={"content-type": "text/plain"})
    assert (reply.status_code, reply.headers["content-type"]) == (422, "application/problem+json")
    assert reply.json()["detail"] == "The body was not sent as JSON: add the header Content-Type: application/json."


def test_a_stranger_is_not_found(client: TestClient) -> None:
    reply = client.post("/v1/score", json={"applicant_id": "nobody"})
    assert reply.status_code == 404
    assert reply.json()["detail"] == "There is no applicant 'nobody' in this workspace. Store a bank statement of theirs first."


def test_a_wrong_address_and_method_are_problems_too(client: TestClient) -> None:
    for reply, status in ((client.get("/v1/nothing"), 404), (client.get("/v1/score"), 405)):
        assert (reply.status_code, reply.json()["status"]) == (status, status)
        assert reply.headers["content-type"] == "application/problem+json"


def test_health_of_a_filled_and_of_an_empty_workspace(client: TestClient, filled: Store, store: Store) -> None:
    body = client.get("/v1/health").json()
    assert body["ok"] is True
    assert body["applicants"] == len(features.newest(filled))
    assert body["is_proxy"] is True
    empty = TestClient(create_api(lambda: store))
    assert empty.get("/v1/health").json()["champion"] is None
    refused = empty.post("/v1/score", json={"features": {}})
    assert refused.status_code == 409
    assert "No model has been promoted yet" in refused.json()["detail"]


def test_health_says_that_there_are_no_scores_where_the_champion_was_altered(client: TestClient, filled: Store) -> None:
    file = filled.models / client.get("/v1/health").json()["champion"] / registry.ARTEFACT
    file.write_bytes(file.read_bytes()[:-1])
    reply = client.get("/v1/health")
    assert (reply.status_code, reply.json()["title"]) == (500, "TamperedArtefact")
    assert "is not the file that was registered" in reply.json()["detail"]


def test_a_failure_inside_says_nothing_about_the_inside(filled: Store) -> None:
    def broken() -> Store:
        raise RuntimeError("secret path")

    reply = TestClient(create_api(broken), raise_server_exceptions=False).get("/v1/health")
    assert reply.status_code == 500
    assert "secret" not in reply.text
    assert reply.headers["content-type"] == "application/problem+json"


def test_the_description_is_generated_from_the_schema(client: TestClient, filled: Store) -> None:
    described = client.get("/openapi.json").json()
    values = described["components"]["schemas"]["Features"]["properties"]
    assert list(values) == [feature.name for feature in filled.schema]
    assert described["paths"]["/v1/score"]["post"]["requestBody"]["content"]["application/json"]["schema"]["oneOf"][0] == {
        "$ref": "#/components/schemas/Applicant"
    }
    assert client.get("/docs").status_code == 200


def test_a_new_champion_scores_at_once(client: TestClient, filled: Store) -> None:
    from creditrisk import registry

    before = client.post("/v1/score", json={"features": {}}).json()["model_id"]
    models = registry.models(filled)
    able = models[~models["algorithm"].isin(registry.BASELINES)]["model_id"]
    other = next(name for name in able if name != before)
    registry.promote(filled, other, user="ann", reason="to see it score")
    assert client.post("/v1/score", json={"features": {}}).json()["model_id"] == other


def test_whatever_is_sent_gets_an_answer(client: TestClient, filled: Store) -> None:
    names = st.sampled_from([feature.name for feature in filled.schema][:6])
    odd = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    entry = st.fixed_dictionaries(
        {}, optional={"applicant_id": odd, "as_of": odd, "features": st.dictionaries(names, odd, max_size=4) | odd}
    )

    @hypothesis.settings(max_examples=60, deadline=None, database=None)
    @hypothesis.given(entry | st.lists(entry, max_size=3) | odd)
    def sent(body: object) -> None:
        reply = client.post("/v1/score", content=json.dumps(body), headers={"content-type": "application/json"})
        assert reply.status_code in (200, 400, 404, 422)
        answers = reply.json()
        for answer in answers if isinstance(answers, list) else [answers]:
            assert answer["pd"] >= 0 if reply.status_code == 200 else answer["detail"]

    sent()


def test_requests_at_the_same_time_do_not_mix(client: TestClient, filled: Store) -> None:
    names = known(filled, 6)
    alone = {name: client.post("/v1/score", json={"applicant_id": name}).json()["pd"] for name in names}
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda name: client.post("/v1/score", json={"applicant_id": name}).json(), names * 8))
    assert [reply["pd"] for reply in replies] == [alone[name] for name in names * 8]
    assert len({reply["prediction_id"] for reply in replies}) == 48


def test_a_correction_is_tried_made_and_listed(client: TestClient, filled: Store) -> None:
    asked = {"scope": "words", "words": "quillon", "direction": "out", "category": "GAMBLING"}
    tried = client.post("/v1/corrections", json={**asked, "dry_run": True}).json()
    assert tried["features"]
    assert tried["before"]["model_id"] == tried["after"]["model_id"]
    assert client.get("/v1/corrections").json() == []
    made = client.post("/v1/corrections", json={**asked, "reason": "a betting shop"}, headers={"X-User": "ann"})
    assert (made.status_code, made.json()["n_movements"]) == (200, tried["n_movements"])
    (told,) = client.get("/v1/corrections", params={"applicant_id": tried["applicant_id"]}).json()
    assert (told["corrected_by"], told["category"], told["what"]) == ("ann", "GAMBLING", "QUILLON")
    assert filled.value("select count(*) from correction") == 1


def test_a_correction_that_cannot_be_is_a_problem(client: TestClient) -> None:
    for asked, status, sentence in (
        ({"scope": "words", "words": "zz", "category": "RENT"}, 422, "fewer than 3 letters"),
        ({"scope": "words", "words": "nowhere at all", "category": "RENT"}, 404, "no description"),
        ({"scope": "all", "category": "RENT"}, 422, "scope"),
        ({"scope": "movement", "transaction_id": "1", "category": "RENT"}, 422, "transaction_id"),
    ):
        reply = client.post("/v1/corrections", json=asked)
        assert reply.status_code == status
        assert sentence in reply.json()["detail"]
    assert client.post("/v1/corrections").json()["detail"] == "The body is empty; send a correction as JSON."
