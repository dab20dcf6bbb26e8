"""Verdicts are appended, named, explained where they contradict, and counted with their interval."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from pandas import DataFrame

from creditrisk import reviews
from creditrisk.errors import InvalidInput, NotAllowed, UnknownThing
from creditrisk.settings import Reviews
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
            """insert into model select 'M0001', 'logistic', 'L0001', 'cluster', true, 1, '', '', '{}', '{}', 1, null, $at, 'tester'
            where not exists (from model)""",
            {"at": facts["at"]},
        )
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


def test_a_case_in_hand_is_given_to_nobody_else(store: Store) -> None:
    for name in ("p1", "p2"):
        predicted(store, name)
    one, other = reviews.claim(store, user="rita"), reviews.claim(store, user="sam")
    assert one is not None
    assert other is not None
    assert {one.prediction_id, other.prediction_id} == {"p1", "p2"}
    assert reviews.claim(store, user="tom") is None
    assert reviews.claim(store, user="rita") == one, "a reload keeps the case"
    with pytest.raises(NotAllowed, match="rita has this case in hand until"):
        reviews.claim(store, user="tom", prediction_id=one.prediction_id)
    with pytest.raises(NotAllowed, match="rita has this case in hand until"):
        reviews.add(store, one.prediction_id, "correct", "label", "", user="tom")


def test_many_reviewers_at_once_never_get_the_same_case(store: Store) -> None:
    for place in range(24):
        predicted(store, f"p{place}")
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda number: reviews.claim(store, user=f"reviewer {number}"), range(24)))
    assert len({claim.prediction_id for claim in taken if claim}) == 24


def test_a_claim_that_expired_is_free_again(store: Store) -> None:
    predicted(store, "p1")
    with store.write("rita", "claim", "p1") as cursor:
        past = now() - timedelta(hours=2)
        cursor.execute(
            """insert into claim (prediction_id, slot, probability, is_blind, claimed_at, expires_at, claimed_by)
            values ('p1', 'random', 1, false, $past, $past, 'rita')""",
            {"past": past},
        )
    taken = reviews.claim(store, user="sam")
    assert taken is not None
    assert taken.prediction_id == "p1"


def test_a_verdict_ends_the_claim_and_knows_how_the_case_was_drawn(store: Store) -> None:
    predicted(store, "p1")
    taken = reviews.claim(store, user="rita")
    assert taken is not None
    reviews.add(store, "p1", "correct", "label", "", user="rita")
    kept = reviews.history(store).iloc[0]
    assert kept["claim_id"] == taken.claim_id
    assert kept["is_blind"] == taken.is_blind
    assert 0 <= kept["seconds"] < 60
    assert reviews.held(store, "rita") is None
    assert reviews.today(store, "rita") == {"n": 1, "n_skipped": 0}


def test_a_skipped_case_goes_to_others(store: Store) -> None:
    predicted(store, "p1")
    taken = reviews.claim(store, user="rita")
    assert taken is not None
    with pytest.raises(UnknownThing):
        reviews.skip(store, taken.claim_id, user="sam")
    reviews.skip(store, taken.claim_id, user="rita")
    assert reviews.claim(store, user="rita") is None
    again = reviews.claim(store, user="sam")
    assert again is not None
    assert reviews.today(store, "rita") == {"n": 0, "n_skipped": 1}


def test_what_would_be_right_is_one_of_what_there_is(store: Store) -> None:
    predicted(store, "p1")
    with pytest.raises(InvalidInput, match="one of good, bad, not 'maybe'"):
        reviews.add(store, "p1", "incorrect", "label", "not so", user="rita", corrected="maybe")
    reviews.add(store, "p1", "incorrect", "label", "not so", user="rita", corrected="bad")
    reviews.add(store, "p1", "incorrect", "data", "not so", user="rita", corrected="income is 2,100")


def waiting(n: int) -> DataFrame:
    return DataFrame(
        {
            "prediction_id": [f"p{place}" for place in range(n)],
            "distance": np.arange(n, dtype=float),
            "disagrees": [place % 10 == 0 for place in range(n)],
            "amount": np.arange(n, dtype=float)[::-1],
            "is_suspect": [place % 25 == 7 for place in range(n)],
            "n_verdicts": 0,
        }
    )


def test_cases_are_drawn_by_the_mix_and_the_same_number_draws_the_same() -> None:
    mix, cases = Reviews(twice=0.0), waiting(100)
    drawn = [reviews.draw(cases, mix, number) for number in range(1_500)]
    assert drawn == [reviews.draw(cases, mix, number) for number in range(1_500)]
    slots = Counter(slot for _, slot, _, _ in drawn if slot)
    shares = {slot: n / 1_500 for slot, n in slots.items()}
    assert shares == pytest.approx({"near cut-off": 0.4, "disagreement": 0.15, "exposure": 0.1, "suspect": 0.05, "random": 0.3}, abs=0.045)
    assert sum(is_blind for *_, is_blind in drawn) / 1_500 == pytest.approx(0.15, abs=0.045)


def test_the_probability_kept_is_the_one_a_case_was_drawn_with() -> None:
    mix, cases = Reviews(twice=0.0), waiting(50)
    drawn = [reviews.draw(cases, mix, number) for number in range(6_000)]
    seen = Counter(name for name, *_ in drawn)
    said = {name: probability for name, _, probability, _ in drawn}
    assert sum(said.values()) == pytest.approx(1.0), "every case can be drawn, and one always is"
    for name, probability in said.items():
        assert seen[name] / 6_000 == pytest.approx(probability, abs=0.016)


def test_a_second_reading_never_goes_to_the_first_reader(store: Store) -> None:
    predicted(store, "p1")
    reviews.add(store, "p1", "correct", "label", "", user="rita")
    assert reviews.claim(store, user="rita") is None
    again = reviews.claim(store, user="sam")
    assert again is not None
    assert again.slot == "second reading"


def test_only_the_random_slice_speaks_for_all_predictions(store: Store) -> None:
    predicted(store, "p1")
    predicted(store, "p2")
    with store.write("rita", "claim", "p1") as cursor:
        cursor.execute(
            """insert into claim (prediction_id, slot, probability, is_blind, claimed_at, expires_at, claimed_by)
            values ('p1', 'random', 0.5, false, $at, $at + interval 1 hour, 'rita')""",
            {"at": now()},
        )
    reviews.add(store, "p1", "correct", "label", "", user="rita")
    reviews.add(store, "p2", "incorrect", "label", "near the cut-off", user="rita")
    counted = reviews.summary(store)
    assert (counted["n"], counted["n_incorrect"]) == (2, 1)
    assert (counted["random"]["n"], counted["random"]["n_incorrect"]) == (1, 0)


def test_a_case_drawn_and_then_opened_by_hand_is_still_the_one_drawn(store: Store) -> None:
    predicted(store, "p1")
    taken = reviews.claim(store, user="rita")
    assert reviews.claim(store, user="rita", prediction_id="p1") == taken, "else every reload would take cases out of the random slice"


def test_what_is_given_back_may_come_again_to_anybody(store: Store) -> None:
    predicted(store, "p1")
    taken = reviews.claim(store, user="rita")
    assert taken is not None
    with pytest.raises(UnknownThing, match="claim of yours"):
        reviews.release(store, taken.claim_id, user="sam")
    reviews.release(store, taken.claim_id, user="rita")
    assert reviews.today(store, "rita") == {"n": 0, "n_skipped": 0}
    again = reviews.claim(store, user="rita")
    assert again is not None
    assert again.claim_id != taken.claim_id


def test_a_second_reader_sees_what_the_first_said_only_afterwards(store: Store) -> None:
    predicted(store, "p1")
    reviews.add(store, "p1", "incorrect", "label", "not so", user="rita")
    reviews.claim(store, user="sam", prediction_id="p1")
    assert reviews.history(store, "p1", reader="sam").empty
    assert len(reviews.history(store, "p1", reader="tom")) == 1
    reviews.add(store, "p1", "correct", "label", "", user="sam")
    assert set(reviews.history(store, "p1", reader="sam")["reviewed_by"]) == {"rita", "sam"}


def test_what_would_be_right_must_differ_from_what_is_there(store: Store) -> None:
    predicted(store, "p1")  # Average, approve
    for verdict, about, corrected, sentence in (
        ("incorrect", "band", "Average", "is 'Average' already"),
        ("incorrect", "decision", "approve", "is 'approve' already"),
        ("correct", "label", "bad", "Only what is incorrect"),
        ("cannot judge", "label", "bad", "Only what is incorrect"),
    ):
        with pytest.raises(InvalidInput, match=sentence):
            reviews.add(store, "p1", verdict, about, "because", user="rita", corrected=corrected)
    with pytest.raises(InvalidInput, match="between 0 and 86,400 seconds, not nan"):
        reviews.add(store, "p1", "correct", "label", "", user="rita", seconds=float("nan"))
    reviews.add(store, "p1", "incorrect", "band", "too low", user="rita", corrected="Good")
    assert len(reviews.history(store)) == 1


def test_several_verdicts_are_kept_together_or_not_at_all(store: Store) -> None:
    predicted(store, "p1")
    good = reviews.Said("p1", "correct", "label")
    with pytest.raises(UnknownThing, match="p2"):
        reviews.add_all(store, [good, reviews.Said("p2", "correct", "label")], user="rita")
    with pytest.raises(InvalidInput, match="no verdict"):
        reviews.add_all(store, [], user="rita")
    assert reviews.history(store).empty
    assert len(reviews.add_all(store, [good], user="rita")) == 1


def test_a_name_is_the_same_however_it_is_typed(store: Store) -> None:
    predicted(store, "p1")
    reviews.add(store, "p1", "correct", "label", "", user=" rita ")
    assert reviews.history(store)["reviewed_by"].tolist() == ["rita"]
    assert reviews.claim(store, user="Rita") is None, "she has judged it already"
