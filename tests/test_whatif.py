"""What if: derived figures follow, contradictions are refused, guidance is bounded, points the right way and reaches what it says."""

import numpy as np
import pytest
from pandas import DataFrame

from creditrisk import features, scorecard, scoring, whatif
from creditrisk.errors import InvalidInput
from creditrisk.estimators import inverse_logit
from creditrisk.schema import Feature, Schema, built_in, parse
from creditrisk.settings import Score
from creditrisk.store import Store

LOAN = Schema(
    "loan",
    (
        Feature("amount", "Amount", low=0),
        Feature("income", "Income", low=1, risk=-1),
        Feature("burden", "Amount over income", formula="amount / income", risk=1),
        Feature("late_90", "Late, 90 days", type="integer", low=0, high=9, risk=1, at_most=("late_365",)),
        Feature("late_365", "Late, a year", type="integer", low=0, risk=1),
    ),
)
GIVEN = {"amount": 1_000.0, "income": 500.0, "burden": 2.0, "late_90": 1, "late_365": 3}


def test_a_figure_made_of_others_follows_them() -> None:
    assert whatif.changed(LOAN, GIVEN, {"amount": 250.0})["burden"] == 0.5
    assert whatif.changed(LOAN, GIVEN, {"amount": None})["burden"] is None
    assert whatif.changed(LOAN, GIVEN, {"late_90": 2})["burden"] == 2.0


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"burden": 1.0}, "Amount over income is computed of other figures"),
        ({"late_90": 10}, "Late, 90 days is 10; the most allowed is 9"),
        ({"late_90": 4}, r"Late, 90 days \(4\) cannot be more than Late, a year \(3\)"),
        ({"late_365": 0}, "cannot be more than"),
        ({"income": "much"}, "should be a number"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        whatif.changed(LOAN, GIVEN, changes)


def test_a_contradiction_that_was_there_before_hinders_nobody() -> None:
    odd = GIVEN | {"late_90": 5}
    assert whatif.changed(LOAN, odd, {"amount": 10.0})["amount"] == 10.0
    assert whatif.changed(LOAN, GIVEN, {"late_90": 4, "late_365": 4})["late_90"] == 4


def test_only_a_scored_number_with_a_sign_is_actionable() -> None:
    for wrong in ("risk = 0", 'risk = 1\nrole = "report"', 'risk = 1\ntype = "choice"\nchoices = ["a"]'):
        with pytest.raises(InvalidInput, match="actionable"):
            parse(f'[[feature]]\nname = "a"\ntitle = "A"\nactionable = true\n{wrong}\n')


def test_a_part_and_its_whole_are_declared_in_one_unit() -> None:
    schema = built_in()
    for feature in schema:
        for whole in feature.at_most:
            assert schema[whole].unit == feature.unit or {schema[whole].unit, feature.unit} == {"times", "days"}


def cases(store: Store, using: scoring.Model, n: int) -> list[scoring.Prediction]:
    """Return a model's predictions below the best band, those nearest the next one first."""
    everyone = features.newest(store)["applicant_id"].tolist()
    made = scoring.score_applicants(store, everyone, user="ann", channel="test", keep=False, using=using)
    rest = [case for case in made if case.score < 750 and case.recommendation != "insufficient data"]
    return sorted(rest, key=lambda case: whatif.next_band(case.score).low - case.score)[:n]  # type: ignore[union-attr]


def test_nothing_changed_is_the_same_score_and_nothing_is_kept(filled: Store) -> None:
    using, before = scoring.model(filled), filled.value("select count(*) from prediction")
    for case in cases(filled, using, 5):
        again = whatif.score(filled, case, {}, using=using, user="ann")
        assert (again.score, again.pd, again.contributions) == (case.score, case.pd, case.contributions)
    assert filled.value("select count(*) from prediction") == before


@pytest.mark.parametrize("model_id", ["M0001", "M0002", "M0003"])
def test_guidance_reaches_the_next_band_and_keeps_to_its_bounds(filled: Store, model_id: str) -> None:
    using, usual, found = scoring.model(filled, model_id), whatif.extents(filled), 0
    for case in cases(filled, using, 12):
        question = whatif.question(filled, case, using.pipeline, usual)
        assert question is not None
        ways = whatif.ways(question)
        assert [way.effort for way in ways] == sorted(way.effort for way in ways)
        for way in ways:
            found += 1
            made = whatif.score(filled, case, {name: after for name, _, after in way.steps}, using=using, user="ann")
            assert made.score == pytest.approx(way.score)
            assert made.score >= question.target > case.score
            for name, before, after in way.steps:
                feature = filled.schema[name]
                assert feature.actionable
                assert feature.problem(after) is None
                assert feature.risk * (after - before) < 0, "guidance moves a figure only the way that helps"
                assert usual[name].low <= after <= usual[name].high
    assert found > 2


def test_the_smallest_single_change_is_the_smallest_there_is(filled: Store) -> None:
    using, usual = scoring.model(filled, "M0003"), whatif.extents(filled)
    checked = 0
    for case in cases(filled, using, 12):
        question = whatif.question(filled, case, using.pipeline, usual)
        assert question is not None
        for way in whatif.ways(question):
            if len(way.steps) == 1:
                (name, before, after), checked = way.steps[0], checked + 1
                tried = question.places(filled.schema[name], whatif.SINGLE)
                nearer = [value for value in tried if abs(value - before) < abs(after - before)]
                frame = DataFrame([{**case.inputs, name: value} for value in nearer], columns=list(case.inputs))
                chances = inverse_logit(using.pipeline.margin(frame.astype({name: float}))) if nearer else np.zeros(0)
                assert (np.asarray(scorecard.score(chances, Score(**case.scale))) < question.target).all()
    assert checked > 5


def test_the_best_band_needs_no_guidance(filled: Store) -> None:
    best = filled.value("select prediction_id from prediction_current order by score desc limit 1")
    case = scoring.get(filled, best)
    if case.band == "Excellent":
        assert whatif.question(filled, case, scoring.model(filled).pipeline, whatif.extents(filled)) is None
    assert whatif.next_band(899.0) is None


def test_a_part_is_never_moved_below_what_it_holds() -> None:
    schema = Schema("s", (Feature("short", "Short", type="integer", risk=1, actionable=True, low=0, at_most=("long",)),
                          Feature("long", "Long", type="integer", risk=1, actionable=True, low=0)))  # fmt: skip
    usual = {name: whatif.Extent(0, 10, 1.0) for name in ("short", "long")}
    question = whatif.Question(None, schema, {"short": 2, "long": 5}, 0.0, Score(), usual)  # type: ignore[arg-type]
    assert question.places(schema["long"], 60).tolist() == [4, 3, 2]
    assert question.places(schema["short"], 60).tolist() == [1, 0]
