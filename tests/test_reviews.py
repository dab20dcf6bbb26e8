"""Verdicts are appended, named, explained where they contradict, and counted with their interval."""

from typing import Any

import pytest

from creditrisk import reviews
from creditrisk.errors import InvalidInput, NotAllowed, UnknownThing
from creditrisk.store import Store, now, to_json


def predicted(store: Store, prediction_id: str, margin: float = -2.0) -> str:
    facts: dict[str, Any] = {
        "prediction_id": prediction_id,
        "applicant_id": f"applicant of {prediction_id}",
        "margin": margin,
        "policy": to_json({"margin": 0.08, "lgd": 0.45}),
        "at": now(),
    }
    with store.write("tester", "score", prediction_id) as cursor:
        cursor.execute(
            """insert into prediction values ($prediction_id, $applicant_id, null, null, 'M0001', '', '', 'cluster', true, '{}', $margin,
            0.1, 600, 'Average', 'approve', '', -2, 'cut-off', '{}', '[]', '{}', $policy, 'page', $at, 'tester')""",
            facts,
        )
    return prediction_id


def test_a_verdict_is_kept_with_who_and_why(store: Store) -> None:
    reviews.add(store, predicted(store, "p1"), "incorrect", "label", "salary was missed", user="rita", seconds=41)
    kept = reviews.history(store, "p1").iloc[0]
    assert (kept["verdict"], kept["about"], kept["comment"], kept["reviewed_by"], kept["seconds"]) == (
        "incorrect",
        "label",
        "salary was missed",
        "rita",
        41,
    )


def test_a_second_thought_is_a_new_row_and_only_it_counts(store: Store) -> None:
    predicted(store, "p1")
    reviews.add(store, "p1", "incorrect", "label", "not so", user="rita")
    reviews.add(store, "p1", "correct", "label", "", user="rita")
    assert len(reviews.history(store, "p1")) == 2
    assert reviews.summary(store)["n"] == 1
    assert reviews.summary(store)["n_incorrect"] == 0


def test_two_reviewers_both_count(store: Store) -> None:
    predicted(store, "p1")
    reviews.add(store, "p1", "incorrect", "label", "not so", user="rita")
    reviews.add(store, "p1", "correct", "label", "", user="sam")
    counted = reviews.summary(store)
    assert (counted["n"], counted["n_incorrect"], counted["share_incorrect"]) == (2, 1, 0.5)
    assert 0 < counted["low"] < 0.5 < counted["high"] < 1


def test_who_cannot_judge_is_not_counted(store: Store) -> None:
    reviews.add(store, predicted(store, "p1"), "cannot judge", "label", "", user="rita")
    assert reviews.summary(store)["n"] == 0


def test_the_queue_holds_what_nobody_judged_nearest_the_cut_off_first(store: Store) -> None:
    for name, margin in (("far", -4.0), ("near", -1.7), ("judged", -1.73)):
        predicted(store, name, margin)
    reviews.add(store, "judged", "correct", "decision", "", user="rita")
    assert reviews.queue(store)["prediction_id"].tolist() == ["near", "far"]
    assert reviews.summary(store)["n_waiting"] == 2


def test_what_cannot_be_a_verdict_is_refused(store: Store) -> None:
    predicted(store, "p1")
    with pytest.raises(InvalidInput, match="needs a comment"):
        reviews.add(store, "p1", "incorrect", "label", " ", user="rita")
    with pytest.raises(InvalidInput, match="got 'wrong'"):
        reviews.add(store, "p1", "wrong", "label", "because", user="rita")
    with pytest.raises(UnknownThing, match="prediction 'nope'"):
        reviews.add(store, "nope", "correct", "label", "", user="rita")
    with pytest.raises(NotAllowed):
        reviews.add(store, "p1", "correct", "label", "", user="")
    assert reviews.history(store).empty
