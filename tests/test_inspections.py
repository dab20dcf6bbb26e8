"""A second person looks at verdicts: never at their own, contradictions first, all or none, with a reason."""

import math

import pytest

from creditrisk import inspections, reviews
from creditrisk.errors import InvalidInput, NotAllowed, UnknownThing
from creditrisk.store import Store
from tests.test_reviews import predicted


def test_a_verdict_waits_until_somebody_else_accepts_it(store: Store) -> None:
    name = reviews.add(store, predicted(store, "p1"), "incorrect", "label", "salary was missed", user="rita", corrected="good")
    assert inspections.waiting(store, "sam")["may_inspect"].tolist() == [True]
    assert inspections.waiting(store, "rita")["may_inspect"].tolist() == [False]
    assert inspections.accepted(store).empty
    assert inspections.decide(store, [name], "accepted", "the salary is on line 12", user="sam") == 1
    assert inspections.waiting(store, "sam").empty
    kept = inspections.accepted(store).iloc[0]
    assert (kept["review_id"], kept["corrected"], kept["inspected_by"]) == (name, "good", "sam")


def test_nobody_inspects_their_own_verdict_and_then_nothing_is_kept(store: Store) -> None:
    mine = reviews.add(store, predicted(store, "p1"), "correct", "label", "", user="rita")
    hers = reviews.add(store, predicted(store, "p2"), "correct", "label", "", user="sam")
    with pytest.raises(NotAllowed, match="own verdict: that on applicant of p1 is rita's"):
        inspections.decide(store, [hers, mine], "accepted", "fine by me", user="rita")
    assert inspections.history(store).empty


def test_a_contradiction_comes_first_and_takes_a_third_person(store: Store) -> None:
    reviews.add(store, predicted(store, "p0"), "correct", "label", "", user="rita")
    predicted(store, "p1")
    one = reviews.add(store, "p1", "correct", "label", "", user="rita")
    other = reviews.add(store, "p1", "incorrect", "label", "not so", user="sam")
    told = inspections.waiting(store, "sam")
    assert told["prediction_id"].tolist() == ["p1", "p1", "p0"]
    assert told["is_conflict"].tolist() == [True, True, False]
    assert told["may_inspect"].tolist() == [False, False, True]
    with pytest.raises(NotAllowed, match="a third person decides"):
        inspections.decide(store, [one], "rejected", "I said otherwise", user="sam")
    assert inspections.decide(store, [one, other], "quarantined", "ask the branch", user="tom") == 2


def test_a_later_inspection_takes_the_place_of_the_first_and_both_are_kept(store: Store) -> None:
    name = reviews.add(store, predicted(store, "p1"), "correct", "label", "", user="rita")
    inspections.decide(store, [name], "accepted", "looks right", user="sam")
    inspections.decide(store, [name], "rejected", "it does not", user="tom")
    assert inspections.accepted(store).empty
    assert inspections.history(store, "p1")["status"].tolist() == ["rejected", "accepted"]


def test_a_second_thought_needs_a_new_inspection(store: Store) -> None:
    first = reviews.add(store, predicted(store, "p1"), "correct", "label", "", user="rita")
    inspections.decide(store, [first], "accepted", "looks right", user="sam")
    reviews.add(store, "p1", "incorrect", "label", "on reflection", user="rita")
    assert inspections.accepted(store).empty
    with pytest.raises(UnknownThing, match="thought again"):
        inspections.decide(store, [first], "accepted", "still right", user="sam")


def test_what_is_no_inspection_is_refused(store: Store) -> None:
    name = reviews.add(store, predicted(store, "p1"), "correct", "label", "", user="rita")
    with pytest.raises(InvalidInput, match="accepted, rejected, quarantined"):
        inspections.decide(store, [name], "maybe", "who knows", user="sam")
    with pytest.raises(InvalidInput, match="needs a reason"):
        inspections.decide(store, [name], "accepted", " ", user="sam")


def test_readers_agree_beyond_chance_or_it_says_that_nobody_knows(store: Store) -> None:
    assert inspections.agreement(store)["n"] == 0
    for place, (one, other) in enumerate(
        [("correct", "correct"), ("incorrect", "incorrect"), ("correct", "incorrect"), ("correct", "correct")]
    ):
        predicted(store, f"p{place}")
        for user, verdict in (("rita", one), ("sam", other)):
            reviews.add(store, f"p{place}", verdict, "label", "because", user=user)
    found = inspections.agreement(store)
    assert (found["n"], found["share"], found["pabak"]) == (4, 0.75, 0.5)
    assert found["kappa"] == pytest.approx(0.5)
    assert found["share_low"] < 0.75 < found["share_high"]
    assert (found["pabak_low"], found["pabak_high"]) == (2 * found["share_low"] - 1, 2 * found["share_high"] - 1)
    assert math.isnan(found["kappa_low"]), "four cases are too few for an interval"
    assert found["alpha"] == pytest.approx(1 - 2 / (30 / 7))


def test_who_is_too_fast_or_always_agrees_is_flagged(store: Store) -> None:
    for place in range(20):
        reviews.add(store, predicted(store, f"p{place}"), "correct", "label", "", user="quick", seconds=3)
        reviews.add(store, f"p{place}", "incorrect" if place % 3 else "correct", "label", "because", user="slow", seconds=80)
    flags = inspections.reviewers(store).set_index("reviewed_by")["flags"]
    assert "less than 10 seconds" in flags["quick"]
    assert "“correct” in 100 % of 20" in flags["quick"]
    assert flags["slow"] == ""


def test_a_capital_or_a_space_makes_nobody_a_second_person(store: Store) -> None:
    name = reviews.add(store, predicted(store, "p1"), "correct", "label", "", user="rita")
    for other in ("Rita", " rita ", "RITA"):
        with pytest.raises(NotAllowed, match="own verdict"):
            inspections.decide(store, [name], "accepted", "looks right", user=other)
        assert inspections.waiting(store, other)["may_inspect"].tolist() == [False]
        assert "own verdict" in inspections.waiting(store, other)["why_not"].iloc[0]
    assert inspections.waiting(store, "sam")["why_not"].tolist() == [""]


def test_nothing_is_decided_about_nothing(store: Store) -> None:
    with pytest.raises(InvalidInput, match="none was named"):
        inspections.decide(store, [], "accepted", "all fine", user="sam")
    assert store.value("select count(*) from audit") == 0


def test_the_verdicts_on_a_case_stand_side_by_side(store: Store) -> None:
    predicted(store, "p1")
    one = reviews.add(store, "p1", "correct", "label", "", user="rita")
    reviews.add(store, "p1", "incorrect", "label", "not so", user="sam")
    reviews.add(store, "p1", "correct", "band", "", user="sam")
    inspections.decide(store, [one], "rejected", "the salary is missing", user="tom")
    found = inspections.case(store, "p1")
    assert found[["about", "reviewed_by", "is_conflict"]].to_numpy().tolist() == [
        ["band", "sam", False],
        ["label", "rita", True],
        ["label", "sam", True],
    ]
    assert found["inspection_reason"].tolist()[1] == "the salary is missing"


def test_ten_cases_read_twice_give_kappa_its_interval(store: Store) -> None:
    for place in range(20):
        predicted(store, f"p{place}")
        one = "correct" if place % 2 else "incorrect"
        other = one if place < 15 else "correct"
        for user, verdict in (("rita", one), ("sam", other)):
            reviews.add(store, f"p{place}", verdict, "label", "because", user=user)
    found = inspections.agreement(store)
    for name in ("share", "kappa", "pabak", "alpha"):
        assert found[f"{name}_low"] < found[name] < found[f"{name}_high"]
    assert found == inspections.agreement(store), "the same cases, the same interval"
