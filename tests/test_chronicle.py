"""The history of a case reads like a story: in order, with names, and without what a reader must not know yet."""

from dataclasses import replace

import pytest

from creditrisk import chronicle, inspections, labels, reviews, scoring
from creditrisk.errors import UnknownThing
from creditrisk.settings import Reviews
from creditrisk.store import Store
from tests.test_reviews import predicted


def kinds(store: Store, reader: str | None = None) -> list[tuple[str, str]]:
    told = chronicle.of_case(store, "p1", reader=reader)
    return list(zip(told["who"], told["kind"], strict=True))


def test_a_case_is_told_from_its_score_to_its_inspection(store: Store) -> None:
    predicted(store, "p1")
    taken = reviews.claim(store, user="rita")
    assert taken is not None
    reviews.release(store, taken.claim_id, user="rita")
    reviews.claim(store, user="rita", prediction_id="p1")
    name = reviews.add(store, "p1", "incorrect", "decision", "salary was missed", user="rita", corrected="decline")
    inspections.decide(store, [name], "accepted", "line 12 shows it", user="sam")
    assert kinds(store) == [
        ("tester", "scored"),
        ("rita", "claimed"),
        ("rita", "released"),
        ("rita", "claimed"),
        ("rita", "judged"),
        ("sam", "inspected"),
    ]
    said = chronicle.of_case(store, "p1")["what"].tolist()
    assert said[0] == "scored applicant of p1 with M0001: 600 points (Average), approve"
    assert said[3] == "took the case in hand, chosen by hand"
    assert said[4] == "called the recommendation incorrect; right would be decline: “salary was missed”"
    assert said[5] == "accepted the verdict of rita on the recommendation: “line 12 shows it”"


def test_who_has_a_case_in_hand_is_told_nothing_that_others_said(store: Store) -> None:
    store.settings = replace(store.settings, reviews=Reviews(blind=1.0))
    predicted(store, "p1")
    name = reviews.add(store, "p1", "incorrect", "label", "not so", user="rita")
    inspections.decide(store, [name], "accepted", "indeed", user="tom")
    taken = reviews.claim(store, user="sam")
    assert taken is not None
    assert taken.is_blind
    assert kinds(store, "sam") == [("tester", "scored"), ("sam", "claimed")]
    assert chronicle.of_case(store, "p1", reader="sam")["what"].iloc[0] == "scored applicant of p1 with M0001"
    assert len(kinds(store, "tom")) == 4
    reviews.add(store, "p1", "correct", "label", "", user="sam")
    assert len(kinds(store, "sam")) == 5


def test_a_case_nobody_scored_has_no_story(store: Store) -> None:
    with pytest.raises(UnknownThing, match="nowhere"):
        chronicle.of_case(store, "nowhere")


def test_what_was_learned_from_a_case_is_part_of_its_story(filled: Store) -> None:
    doubtful = reviews.queue(filled)["prediction_id"].iloc[0]
    name = reviews.add(filled, doubtful, "incorrect", "label", "missed two payments", user="rita", corrected="bad")
    inspections.decide(filled, [name], "accepted", "the returned items are there", user="sam")
    taught = inspections.accepted(filled)
    taught = taught[(taught["about"] == "label") & taught["verdict"].isin(["correct", "incorrect"])]
    frozen = labels.reviewed(filled, user="dora")
    told = chronicle.of_case(filled, doubtful)
    assert told["kind"].tolist() == ["scored", "judged", "inspected", "learned"]
    said = f"froze label set {frozen.label_set_id}, in which the applicant counts as bad by accepted verdicts"
    assert told["what"].iloc[-1] == said
    assert frozen.report["rests_on"]["n_verdicts"] == len(taught)
    scoring.score_applicants(filled, [told["what"].iloc[0].split()[1]], user="dora", channel="test")
    assert chronicle.of_case(filled, doubtful)["kind"].tolist()[-1] == "scored again"
