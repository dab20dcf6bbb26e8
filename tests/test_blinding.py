"""Who reads a case blind sees no score of its applicant before the verdict: by no route, in no list, file or page, and by no other case."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pandas import DataFrame, read_csv, read_parquet

from creditrisk import applicants, blinding, decisions, evidence, feedback, reviews, scoring
from creditrisk.__main__ import main
from creditrisk.api import create_api
from creditrisk.batch import keep, results
from creditrisk.errors import NotAllowed, ReadBlind
from creditrisk.reviews import Claim
from creditrisk.settings import Reviews
from creditrisk.store import Store
from tests.conftest import ROOT
from tests.rest import TestClient
from tests.test_reviews import predicted

RITA, SAM = {"X-User": "rita"}, {"X-User": "sam"}


def taken(store: Store, user: str = "rita") -> Claim:
    """A case in somebody's hands, to be read blind."""
    store.settings = replace(store.settings, reviews=Reviews(blind=1.0, twice=0.0))
    found = reviews.claim(store, user=user)
    assert found is not None
    assert found.is_blind
    return found


@pytest.fixture
def case(filled: Store) -> scoring.Prediction:
    """The case that Rita reads blind, of the small demo bank."""
    return scoring.get(filled, taken(filled).prediction_id)


@pytest.fixture
def client(filled: Store) -> TestClient:
    return TestClient(create_api(lambda: filled))


# --- the rule -------------------------------------------------------------------------------------------------------------


def test_it_holds_from_the_claim_to_the_verdict_and_for_its_holder_alone(store: Store) -> None:
    predicted(store, "p1")
    assert blinding.hidden(store, "rita") == frozenset()
    claim = taken(store)
    assert blinding.hidden(store, " Rita") == {"applicant of p1"}
    assert blinding.hidden(store, "sam") == frozenset()
    with pytest.raises(ReadBlind, match="once your verdict is given"):
        scoring.get(store, "p1", reader="rita")
    assert scoring.get(store, "p1", reader="sam").score == scoring.get(store, "p1").score
    reviews.add(store, "p1", "correct", "label", "", user="rita")
    assert blinding.hidden(store, "rita") == frozenset()
    assert claim.prediction_id == "p1"


@pytest.mark.parametrize("let_go", [reviews.release, reviews.skip])
def test_it_ends_with_the_claim(store: Store, let_go: Callable[..., None]) -> None:
    predicted(store, "p1")
    let_go(store, taken(store).claim_id, user="rita")
    assert scoring.get(store, "p1", reader="rita")


def test_it_ends_with_the_time_of_the_claim_though_nothing_is_written(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    predicted(store, "p1")
    until = taken(store).expires_at
    assert blinding.hidden(store, "rita")
    monkeypatch.setattr(blinding, "now", lambda: until + timedelta(seconds=1))
    assert blinding.hidden(store, "rita") == frozenset()


def test_a_case_that_is_not_read_blind_hides_nothing(store: Store) -> None:
    predicted(store, "p1")
    store.settings = replace(store.settings, reviews=Reviews(blind=0.0))
    reviews.claim(store, user="rita")
    assert blinding.hidden(store, "rita") == frozenset()


def test_the_question_is_asked_once_until_a_case_changes_hands(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    predicted(store, "p1")
    taken(store)
    asked: list[str] = []
    ask = store.rows
    monkeypatch.setattr(store, "rows", lambda sql, **given: asked.append(sql) or ask(sql, **given))
    for who in ("rita", "sam", "tom") * 5:
        blinding.hidden(store, who)
    assert len(asked) == 1
    predicted(store, "p2")
    blinding.hidden(store, "rita")
    assert len(asked) == 1, "a score changes nobody's hands"
    reviews.add(store, "p1", "correct", "label", "", user="rita")
    assert blinding.hidden(store, "rita") == frozenset()
    assert len(asked) == 2


def test_a_frame_comes_without_what_it_tells_of_the_case(store: Store) -> None:
    predicted(store, "p1")
    rows = DataFrame({"applicant_id": ["applicant of p1", "b"], "score": [500.0, 600.0], "band": ["Average", "Average"], "n": [1, 2]})
    assert blinding.covered(store, "rita", rows) is rows
    taken(store)
    told = blinding.covered(store, "rita", rows)
    assert told[["score", "band"]].isna().to_numpy().tolist() == [[True, True], [False, False]]
    assert told["n"].tolist() == [1, 2]
    assert blinding.others(store, "rita", rows)["applicant_id"].tolist() == ["b"]
    assert blinding.covered(store, "sam", rows) is rows


def test_every_column_that_tells_of_a_score_is_known(filled: Store, case: scoring.Prediction) -> None:
    told = scoring.results([case], None).columns.tolist()
    known = {"applicant_id", "as_of", "prediction_id", "model_id", "label_source", "is_proxy"}
    assert {name for name in told if name not in blinding.TELLS and not name.startswith(blinding.BEGINS)} == known
    assert {"band", "pd", "recommendation", "score"} == set(applicants.people(filled, limit=1).columns) & blinding.TELLS


# --- one case, over REST --------------------------------------------------------------------------------------------------


def test_no_route_tells_the_score_before_the_verdict(filled: Store, client: TestClient, case: scoring.Prediction) -> None:
    name, who = case.prediction_id, case.applicant_id
    asked: list[tuple[str, str, Any]] = [
        ("GET", f"predictions/{name}", None),
        ("GET", f"predictions/{name}/decisions", None),
        ("GET", f"predictions/{name}/record", None),
        ("GET", f"predictions/{name}/record?format=pdf", None),
        ("GET", f"predictions/{name}/notice", None),
        ("POST", f"predictions/{name}/decisions", {"action": "refer", "comment": "somebody should look"}),
        ("POST", "what-if", {"prediction_id": name, "changes": {}}),
        ("POST", "score", {"applicant_id": who}),
        ("POST", "score", [{"applicant_id": who}]),
        ("POST", "score", {"applicant_id": who, "features": {}}),
        ("POST", "corrections", {"scope": "words", "words": "rent", "category": "RENT", "applicant_id": who, "dry_run": True}),
    ]
    n = filled.value("select count(*) from audit")
    for method, path, body in asked:
        refused = client.request(method, f"/v1/{path}", json=body, headers=RITA)
        assert (refused.status_code, refused.json()["title"]) == (403, "ReadBlind"), path
        assert str(int(case.score)) not in refused.text
    assert filled.value("select count(*) from audit") == n, "nothing was kept"
    assert client.get(f"/v1/predictions/{name}", headers=SAM).json()["score"] == case.score
    told = client.get(f"/v1/predictions/{name}/story", headers=RITA).text
    assert f"{int(case.score)} points" not in told
    assert "proposed because" not in told
    client.post(f"/v1/predictions/{name}/reviews", json={"verdict": "correct", "about": "label"}, headers=RITA)
    assert client.get(f"/v1/predictions/{name}", headers=RITA).json()["score"] == case.score


def test_what_was_asked_for_before_is_not_told_again_by_its_key(client: TestClient, filled: Store) -> None:
    case = scoring.get(filled, taken(filled, "sam").prediction_id)
    asked = {"json": {"applicant_id": case.applicant_id}, "headers": {**RITA, "Idempotency-Key": "k"}}
    assert client.post("/v1/score", **asked).status_code == 200
    reviews.release(filled, reviews.all_held(filled, "sam")[0].claim_id, user="sam")
    held = taken(filled)
    while scoring.get(filled, held.prediction_id).applicant_id != case.applicant_id:
        reviews.skip(filled, held.claim_id, user="rita")
        held = taken(filled)
    assert client.post("/v1/score", **asked).json()["title"] == "ReadBlind"


def test_an_older_score_of_the_same_applicant_tells_no_more(filled: Store, client: TestClient, case: scoring.Prediction) -> None:
    reviews.release(filled, reviews.all_held(filled, "rita")[0].claim_id, user="rita")
    scoring.score_applicants(filled, [case.applicant_id], user="sam", channel="test")
    held = taken(filled)
    while scoring.get(filled, held.prediction_id).applicant_id != case.applicant_id:
        reviews.skip(filled, held.claim_id, user="rita")
        held = taken(filled)
    assert held.prediction_id != case.prediction_id
    assert client.get(f"/v1/predictions/{case.prediction_id}", headers=RITA).json()["title"] == "ReadBlind"
    assert "points" not in client.get(f"/v1/predictions/{case.prediction_id}/story", headers=RITA).text
    shown = client.post("/v1/claims", json={"prediction_id": case.prediction_id}, headers=RITA).json()["claim"]
    assert set(shown["case"]) == {"applicant_id", "as_of", "inputs"}


def test_why_a_case_is_proposed_is_not_said_of_one_read_blind(store: Store) -> None:
    predicted(store, "p1")
    store.settings = replace(store.settings, reviews=Reviews(blind=1.0))
    shown = TestClient(create_api(lambda: store)).post("/v1/claims", json={}, headers=RITA).json()["claim"]
    assert (shown["slot"], shown["probability"], shown["is_blind"]) == (None, None, True)


def test_no_decision_and_no_proof_is_had_before_the_verdict(filled: Store, case: scoring.Prediction) -> None:
    with pytest.raises(ReadBlind):
        decisions.decide(filled, case.prediction_id, decisions.Said("refer", comment="somebody should look"), user="rita")
    with pytest.raises(NotAllowed):
        evidence.of_case(filled, case.prediction_id, reader="rita")


# --- many at once ---------------------------------------------------------------------------------------------------------


def test_verdicts_on_other_scores_of_the_applicant_come_without_them(filled: Store, client: TestClient, case: scoring.Prediction) -> None:
    reviews.release(filled, reviews.all_held(filled, "rita")[0].claim_id, user="rita")
    reviews.add(filled, case.prediction_id, "incorrect", "band", "far too good", user="sam", corrected=other_than(case.band))
    scoring.score_applicants(filled, [case.applicant_id], user="sam", channel="test")
    held = taken(filled)
    while scoring.get(filled, held.prediction_id).applicant_id != case.applicant_id:
        reviews.skip(filled, held.claim_id, user="rita")
        held = taken(filled)
    for path in ("reviews", "reviews?state=waiting", f"predictions/{case.prediction_id}/reviews"):
        found = [row for row in client.get(f"/v1/{path}", headers=RITA).json() if row["applicant_id"] == case.applicant_id]
        assert found, path
        assert not [row[name] for row in found for name in blinding.TELLS & set(row) if row[name] is not None], path
    assert client.get("/v1/reviews", headers=SAM).json()[0]["corrected"] == other_than(case.band)


def other_than(band: str) -> str:
    return "Poor" if band != "Poor" else "Good"


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_results_of_a_batch_come_without_the_case(
    filled: Store, client: TestClient, case: scoring.Prediction, tmp_path: Path, kind: str
) -> None:
    table = DataFrame([{"applicant_id": name, **case.inputs} for name in ("somebody", case.applicant_id, "somebody else")])
    table.to_parquet(tmp_path / "many.parquet")
    batch = keep.begin(filled, "many.parquet", tmp_path / "many.parquet", user="sam", channel="test")
    list(keep.here(filled, batch, user="sam"))
    read: Callable[[Path], DataFrame] = {"csv": read_csv, "parquet": read_parquet}[kind]
    told = {}
    for who, headers in (("rita", RITA), ("sam", SAM)):
        answer = client.get(f"/v1/batches/{batch}/results?kind={kind}", headers=headers)
        (tmp_path / who).write_bytes(answer.content)
        told[who] = read(tmp_path / who)
    row = told["rita"].iloc[1]
    assert row["applicant_id"] == case.applicant_id
    assert row.drop(["applicant_id", "as_of", "prediction_id", "model_id", "label_source", "is_proxy"]).isna().all()
    assert told["rita"]["score"].isna().tolist() == [False, True, False]
    assert told["sam"]["score"].notna().all()
    assert results.first(filled, batch)["score"].notna().all(), "the library itself knows"


def test_the_table_to_fill_in_comes_without_the_case(filled: Store, case: scoring.Prediction) -> None:
    rows = blinding.covered(filled, "rita", feedback.to_judge(filled))
    mine = rows[rows["applicant_id"] == case.applicant_id].iloc[0]
    assert mine[["score", "band", "pd", "recommendation"]].isna().all()
    assert rows["score"].notna().sum() == len(rows) - 1


# --- the command line, as the same person ---------------------------------------------------------------------------------


def test_the_command_line_tells_the_same_person_no_more(
    filled: Store, case: scoring.Prediction, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled.close()
    where = ["--data", str(tmp_path / "bank" / "data"), "--models", str(tmp_path / "bank" / "models"), "--json"]
    name, who = case.prediction_id, case.applicant_id
    for asked in (
        ["score", "--applicant", who],
        ["what-if", name],
        ["decide", name, "refer", "--comment", "somebody should look"],
        ["record", name, "--out", str(tmp_path / "case.html")],
        ["record", name, "--out", str(tmp_path / "case.txt")],
        ["story", name, "--out", str(tmp_path / "case.json")],
    ):
        assert main([*where, "--user", "rita", *asked]) != 0, asked
        told = capsys.readouterr()
        assert str(int(case.score)) not in told.out + told.err, asked
    assert not [*tmp_path.glob("case.*")]
    assert main([*where, "--user", "rita", "review", "--out", str(tmp_path / "waiting.csv")]) == 0
    waiting = read_csv(tmp_path / "waiting.csv").set_index("applicant_id")
    assert waiting.loc[who, ["score", "band", "pd", "recommendation"]].isna().all()
    capsys.readouterr()
    assert main([*where, "--user", "sam", "what-if", name]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["now"]["score"] == pytest.approx(case.score)


# --- who asks is said -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", ["api.py", "desk.py", "commands/deciding.py", "decisions.py", "evidence.py"])
def test_whoever_hands_a_prediction_on_says_to_whom(room: str) -> None:
    for line in (ROOT / "creditrisk" / room).read_text(encoding="utf-8").splitlines():
        assert "scoring.get(" not in line or "reader=" in line, line.strip()
