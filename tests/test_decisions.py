"""A person decides: refusals in sentences, reasons of what decided, nobody overwrites anybody, and everything stays on record."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from creditrisk import chronicle, decisions, notice, record, scoring
from creditrisk.__main__ import main
from creditrisk.api import create_api
from creditrisk.decisions import Said
from creditrisk.errors import InvalidInput, NotAllowed, NothingYet, Overtaken, UnknownThing
from creditrisk.people import Person
from creditrisk.scoring import Prediction
from creditrisk.store import Store
from tests.rest import TestClient

COMMENT, REASON = "The employer confirmed it in writing", "The contract of employment ends in March"


def scored(store: Store, recommendation: str) -> Prediction:
    """Return a newest prediction with a recommendation."""
    found = store.value(
        "select prediction_id from prediction_current where recommendation = $said order by applicant_id limit 1", said=recommendation
    )
    assert found, f"the demo bank has nobody with {recommendation!r}"
    return scoring.get(store, found)


def knocked_out(store: Store) -> Prediction:
    """Score somebody under a policy that declines any history at all."""
    store.settings = replace(store.settings, policy=replace(store.settings.policy, knock_outs={"history_days": "> 0"}))
    who = scored(store, "approve").applicant_id
    return scoring.score_applicants(store, [who], user="ann", channel="test")[0]


def test_accepting_a_decline_keeps_the_models_reasons(filled: Store) -> None:
    case = scored(filled, "decline")
    made = decisions.decide(filled, case.prediction_id, Said("accept"), user="ann")
    assert (made.outcome, made.component, made.decided_by) == ("decline", "model", "ann")
    assert made.reasons == [reason["text"] for reason in case.reasons]
    assert decisions.current(filled, case.prediction_id) == made
    said = notice.draft(filled, case.prediction_id)
    assert all(reason in said for reason in made.reasons)
    assert "a person looked at" in said
    assert "learned from a proxy label" in said.splitlines()[0], "whoever sends it knows what it rests on"


def test_a_rule_of_the_policy_gives_its_own_reason_and_not_the_models(filled: Store) -> None:
    case = knocked_out(filled)
    assert case.recommendation == "decline"
    assert "the policy declines what is above 0 days" in case.because
    made = decisions.decide(filled, case.prediction_id, Said("accept"), user="ann")
    assert (made.component, made.reasons) == ("policy", [case.because])
    said = notice.draft(filled, case.prediction_id)
    assert "rule of our lending policy" in said
    assert not any(reason["text"] in said for reason in case.reasons)


def test_who_declines_for_their_own_reasons_is_not_given_the_models(filled: Store) -> None:
    case = scored(filled, "decline")
    made = decisions.decide(filled, case.prediction_id, Said("override", "decline", COMMENT, [REASON]), user="ann")
    assert (made.outcome, made.component, made.reasons) == ("decline", "person", [REASON])


def test_nobody_is_declined_without_a_reason(filled: Store) -> None:
    case = replace(scored(filled, "decline"), reasons=[])
    assert "nobody is declined without" in (decisions.check(Said("accept"), case, filled.schema) or "")


def test_an_override_gives_the_persons_reasons(filled: Store) -> None:
    case = scored(filled, "approve")
    made = decisions.decide(filled, case.prediction_id, Said("override", "decline", COMMENT, [REASON]), user="ann")
    assert (made.component, made.reasons, made.comment) == ("person", [REASON], COMMENT)
    said = notice.draft(filled, case.prediction_id)
    assert REASON in said
    assert not any(reason["text"] in said for reason in case.reasons)
    assert f"declined, on their own judgement: “{COMMENT}”" in chronicle.of_case(filled, case.prediction_id)["what"].tolist()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (Said("conjure"), "A decision is one of accept, override, refer, ask"),
        (Said("override", "decline", "too short", [REASON]), "comment of at least 10 characters"),
        (Said("refer", comment="  "), "A referral needs a comment"),
        (Said("override", "decline", COMMENT), "one to 4 reasons of the person's own"),
        (Said("override", "decline", COMMENT, [REASON] * 5), "one to 4 reasons"),
        (Said("override", "decline", COMMENT, ["no"]), "too short to mean anything"),
        (Said("override", "decline", COMMENT, ["balance_avg_90d is low"]), "names the column balance_avg_90d"),
        (Said("override", "decline", COMMENT, ["Too high an age for this term"]), "speaks of age"),
        (Said("override", "decline", COMMENT, ["Score too low."]), "says nothing specific"),
        (Said("override", "approve", COMMENT, [REASON]), "accept the recommendation instead"),
        (Said("override", "maybe", COMMENT, [REASON]), "approves or declines"),
        (Said("ask", asked=["  "]), "Say what the applicant is asked for"),
        (Said("refer", comment="x" * 2_001), "at most 2,000"),
    ],
)
def test_what_cannot_be_decided_is_said_and_nothing_is_kept(filled: Store, said: Said, why: str) -> None:
    case = scored(filled, "approve")
    with pytest.raises(InvalidInput, match=why):
        decisions.decide(filled, case.prediction_id, said, user="ann")
    assert decisions.of_case(filled, case.prediction_id) == []


def test_where_nothing_is_recommended_nothing_can_be_accepted(filled: Store) -> None:
    case = scored(filled, "insufficient data")
    with pytest.raises(InvalidInput, match="leaves the decision to a person"):
        decisions.decide(filled, case.prediction_id, Said("accept"), user="ann")
    made = decisions.decide(filled, case.prediction_id, Said("ask", asked=["Statements of half a year ", ""]), user="ann")
    assert (made.outcome, made.asked) == ("ask", ["Statements of half a year"])
    assert "1. Statements of half a year." in notice.draft(filled, case.prediction_id)
    made = decisions.decide(filled, case.prediction_id, Said("override", "approve", COMMENT, [REASON], after=made.decision_id), user="ann")
    assert made.outcome == "approve"


def test_nobody_overwrites_a_decision_they_have_not_seen(filled: Store) -> None:
    case = scored(filled, "approve")
    first = decisions.decide(filled, case.prediction_id, Said("accept"), user="ann")
    with pytest.raises(Overtaken, match="ann decided “approve”"):
        decisions.decide(filled, case.prediction_id, Said("refer", comment=COMMENT), user="ben")
    with pytest.raises(InvalidInput, match="decided already"):
        decisions.decide(filled, case.prediction_id, Said("accept", after=first.decision_id), user="ben")
    second = decisions.decide(filled, case.prediction_id, Said("refer", comment=COMMENT, after=first.decision_id), user="ben")
    assert [made.decision_id for made in decisions.of_case(filled, case.prediction_id)] == [second.decision_id, first.decision_id]
    with pytest.raises(InvalidInput, match="nothing is decided"):
        notice.draft(filled, case.prediction_id)


def test_a_decision_is_taken_on_the_newest_score(filled: Store) -> None:
    case = scored(filled, "approve")
    scoring.score_applicants(filled, [case.applicant_id], user="ann", channel="test")
    with pytest.raises(Overtaken, match="was scored again"):
        decisions.decide(filled, case.prediction_id, Said("accept"), user="ann")


def test_only_those_who_may_decide_decide(filled: Store) -> None:
    case = scored(filled, "approve")
    with pytest.raises(NotAllowed, match="to decide takes a person with the role analyst or admin"):
        decisions.decide(filled, case.prediction_id, Said("accept"), user=Person("rita", ["reviewer"]))
    with pytest.raises(UnknownThing):
        decisions.decide(filled, "nobody", Said("accept"), user="ann")
    assert decisions.current(filled, case.prediction_id) is None
    with pytest.raises(NothingYet):
        notice.draft(filled, case.prediction_id)


def test_the_effect_of_every_rule_is_told_in_its_order(filled: Store) -> None:
    told = decisions.effects(filled)
    assert told["rule"].tolist() == ["history", "data", "data", "refer band", "cut-off"]
    assert told.drop_duplicates("rule")["n"].sum() == told["n_all"].iloc[0] == 150
    assert told.set_index("rule").loc["history", "n"] == filled.value(
        "select count(*) from prediction_current where recommendation = 'insufficient data'"
    )


def test_a_record_escapes_what_came_from_outside_and_holds_what_decided(filled: Store) -> None:
    case = scored(filled, "approve")
    evil = "<script>alert(1)</script> & more | of ** it"
    decisions.decide(filled, case.prediction_id, Said("override", "decline", evil, [REASON]), user="ann")
    page = record.html(filled, case.prediction_id)
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page
    for fact in (case.prediction_id, case.digest, case.schema_fingerprint, REASON, "ann", "the person who decided", "the same score"):
        assert fact in page
    assert filled.value("select hash from audit where action = 'decide' and subject = $id", id=case.prediction_id) in page
    for feature in filled.schema:
        assert feature.title.replace("’", "&#x27;") in page or feature.title in page
    assert record.pdf(filled, case.prediction_id).startswith(b"%PDF")
    assert "Declined by ann on " in page
    assert "the lender&#x27;s policy recommended to approve." in page
    assert page.index(">Every figure that was scored<") < page.index(">Figures that were kept and not scored<")


def test_a_thin_file_is_never_given_an_interval(filled: Store) -> None:
    page = record.html(filled, scored(filled, "insufficient data").prediction_id)
    assert "Too little history" in page
    assert "95 % interval" not in page


def test_the_api_decides_with_the_same_refusals(filled: Store) -> None:
    api, case = TestClient(create_api(lambda: filled)), scored(filled, "approve")
    path = f"/v1/predictions/{case.prediction_id}"
    refused = api.post(f"{path}/decisions", json={"action": "override", "outcome": "decline", "comment": "short"})
    assert refused.status_code == 422
    assert "at least 10 characters" in refused.json()["detail"]
    made = api.post(f"{path}/decisions", json={"action": "accept"}, headers={"X-User": "ann"})
    assert made.status_code == 201
    assert made.json()["decided_by"] == "ann"
    again = api.post(f"{path}/decisions", json={"action": "refer", "comment": COMMENT})
    assert again.status_code == 409
    assert [each["outcome"] for each in api.get(f"{path}/decisions").json()] == ["approve"]
    assert case.digest in api.get(f"{path}/record").text
    assert api.get(f"{path}/record", params={"format": "pdf"}).content.startswith(b"%PDF")
    assert "glad to grant" in api.get(f"{path}/notice").text
    assert api.get("/v1/predictions/nobody/decisions").status_code == 404
    assert json.loads(filled.value("select detail from audit where action = 'decide'"))["outcome"] == "approve"


def test_the_command_line_decides_and_writes_the_papers(filled: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = scored(filled, "approve")
    filled.close()
    where = ["--data", str(filled.settings.data), "--models", str(filled.settings.models), "--user", "ann", "--json"]
    assert main([*where, "decide", case.prediction_id, "override", "--outcome", "decline", "--comment", "short"]) == 2
    assert "at least 10 characters" in capsys.readouterr().err
    given = ["decide", case.prediction_id, "override", "--outcome", "decline", "--comment", COMMENT, "--because", REASON]
    assert main([*where, *given]) == 0
    made = json.loads(capsys.readouterr().out)["summary"]
    assert (made["outcome"], made["reasons"], made["decided_by"]) == ("decline", [REASON], "ann")
    for name, begin in (("r.html", b"<!doctype html>"), ("r.pdf", b"%PDF"), ("r.txt", b"DRAFT.")):
        assert main([*where, "record", case.prediction_id, "--out", str(tmp_path / name)]) == 0
        assert (tmp_path / name).read_bytes().startswith(begin)
    capsys.readouterr()
    assert main([*where, "record", case.prediction_id, "--out", str(tmp_path / "r.docx")]) == 2
    assert "should end in .html or .pdf or .txt" in capsys.readouterr().err.replace(", ", " or ")
