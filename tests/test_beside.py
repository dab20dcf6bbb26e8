"""What stands beside a score: an interval that holds it, neighbours that are alike, parts of a change that add up, a month that adds up."""

from dataclasses import replace
from math import isclose

import numpy as np
import pytest
from pandas import DataFrame

from creditrisk import affordability, attribution, certainty, comparison, neighbours, registry, scoring
from creditrisk.errors import InvalidInput
from creditrisk.estimators import inverse_logit
from creditrisk.schema import built_in
from creditrisk.store import Store


def held(n: int, seed: int = 3) -> DataFrame:
    """Return held-out rows of a model that is perfectly calibrated."""
    random = np.random.default_rng(seed)
    margin = random.normal(-1.5, 1.2, n)
    return DataFrame({"margin": margin, "bad": random.random(n) < inverse_logit(margin)})


def test_an_interval_holds_the_probability_and_narrows_with_the_number_of_rows() -> None:
    widths = []
    for n in (200, 2_000, 20_000):
        found = certainty.drawn(held(n))
        assert found is not None
        for margin in (-4.0, -1.5, 1.0):
            low, high = found.interval(margin)
            assert 0 < low <= inverse_logit(np.array([margin]))[0] <= high < 1
        low, high = found.interval(-1.5)
        widths.append(high - low)
    assert widths[0] > widths[1] > 2 * widths[2]


def test_nineteen_in_twenty_intervals_hold_the_truth() -> None:
    hit = 0
    for seed in range(60):
        found = certainty.drawn(held(600, seed))
        assert found is not None
        centre = found.intercept[0] + found.slope[0] * -1.0
        ends = np.sort(found.intercept[1:] + found.slope[1:] * -1.0)[[certainty.BEYOND - 1, -certainty.BEYOND]]
        hit += bool(ends[0] <= -1.0 <= ends[1])
        assert ends[0] < centre < ends[1]
    assert hit >= 52  # 57 expected; 52 or fewer happen once in a hundred


def test_an_interval_reaches_what_became_of_those_who_score_alike() -> None:
    rows = held(4_000)
    lowest = rows["margin"].rank() <= 400
    rows.loc[lowest, "bad"] = np.random.default_rng(1).random(400) < 0.2  # the line cannot bend so far
    found = certainty.drawn(rows)
    assert found is not None
    margin = float(rows["margin"][lowest].median())
    low, high = found.interval(margin)
    assert inverse_logit(np.array([margin]))[0] < 0.05
    assert low <= 0.05
    assert high > 0.2
    assert "score nearest" in certainty.said(margin, found)


def test_rows_of_one_kind_give_no_interval() -> None:
    assert certainty.drawn(held(50).assign(bad=False)) is None


def test_the_interval_of_a_model_is_the_same_at_every_call(filled: Store) -> None:
    one, other = certainty.lines(filled, "M0001"), certainty.lines(filled, "M0001")
    assert one is not None
    assert other is not None
    assert one.interval(-1.0) == other.interval(-1.0)


def someone(store: Store) -> scoring.Prediction:
    return scoring.latest(store, 1)[0]


def test_neighbours_are_the_nearest_and_never_the_applicant(filled: Store) -> None:
    parts = registry.table(filled, "M0001", "contributions")
    who = str(parts["applicant_id"].iloc[0])
    (case,) = scoring.score_applicants(filled, [who], user="ann", channel="test", keep=False)
    found = neighbours.of(filled, case, registry.load(filled, case.model_id))
    assert who not in set(found.nearest["applicant_id"])
    assert found.nearest["distance"].is_monotonic_increasing
    assert 0 < found.n <= len(found.nearest) <= neighbours.MOST
    assert found.low <= found.share <= found.high
    assert not found.is_observed


def test_neighbours_of_everybody_turned_out_as_was_observed(filled: Store) -> None:
    names = registry.table(filled, "M0001", "test")["applicant_id"].tolist()
    with filled.write("ann", "outcomes", "outcome") as cursor:
        cursor.executemany("insert into outcome values ($id, true, null, now()::timestamp, 'ann')", [{"id": name} for name in names])
    case = someone(filled)
    found = neighbours.of(filled, case, registry.load(filled, case.model_id))
    assert found.is_observed
    assert found.n_bad == found.n == len(found.nearest)


def test_what_changed_adds_up_whatever_changed(filled: Store) -> None:
    rescaled = 0
    everyone = [row[0] for row in filled.rows("select prediction_id from prediction_current order by 1 limit 12")]
    filled.settings = replace(filled.settings, score=replace(filled.settings.score, points_to_double_odds=40))
    pipeline = registry.load(filled, "M0003")
    for name in everyone:
        before = scoring.get(filled, name)
        other = before.inputs | {"days_negative_90d": 0, "balance_current_total": 2_000.0}
        (after,) = scoring.score_values(filled, [other], user="ann", channel="test", model_id="M0003", keep=False)
        change = attribution.between(filled, before, after, pipeline)
        assert change.model + change.data + change.scale == pytest.approx(after.score - before.score, abs=1e-9)
        rescaled += change.scale != 0
        steps = attribution.steps(change)
        assert steps["points"].sum() == pytest.approx(after.score - before.score, abs=1e-6)
        assert set(change.moved["feature"]) <= {"days_negative_90d", "balance_current_total"}
    assert rescaled


def test_the_same_model_and_the_same_figures_change_nothing(filled: Store) -> None:
    before = someone(filled)
    (after,) = scoring.score_applicants(filled, [before.applicant_id], user="ann", channel="test", keep=False)
    change = attribution.between(filled, before, after, registry.load(filled, after.model_id))
    assert (change.model, change.data, change.scale) == (0.0, 0.0, 0.0)
    assert change.moved.empty
    assert "nothing moved the score" in attribution.in_words(change)


def test_another_model_on_the_same_figures_is_the_models_part(filled: Store) -> None:
    before = someone(filled)
    (after,) = scoring.score_applicants(filled, [before.applicant_id], user="ann", channel="test", model_id="M0003", keep=False)
    change = attribution.between(filled, before, after, registry.load(filled, "M0003"))
    assert change.model == pytest.approx(after.score - before.score)
    assert change.data == pytest.approx(0, abs=1e-9)


def test_models_are_held_beside_each_other_on_one_case(filled: Store) -> None:
    case = someone(filled)
    found = comparison.of_case(filled, case).set_index("model_id")
    assert found.index[0] == case.model_id
    assert found.loc[case.model_id, "score"] == case.score
    assert {"M0001", "M0002", "M0003"} <= set(found.index)
    assert not {"constant", "risk_index"} & set(found["algorithm"])


def test_a_month_is_income_less_what_goes_out_less_the_instalment() -> None:
    inputs = dict.fromkeys((feature.name for feature in built_in()), None)
    inputs |= {"income_monthly_median_180d": 2_000.0, "essential_to_income_180d": 0.5, "debt_service_to_income_180d": 0.1}
    found = affordability.budget(built_in(), inputs, 10_000, 24, 0.09)
    assert found is not None
    assert found.left == pytest.approx(800)
    assert found.instalment == pytest.approx(456.85, abs=0.01)
    assert found.left_after == pytest.approx(800 - found.instalment)
    assert found.debt_share_after == pytest.approx(0.1 + found.instalment / 2_000)
    account = found.account()
    assert account["amount"].iloc[-1] == found.left_after
    between = account[~account["is_sum"]]["amount"].sum() + account["amount"].iloc[0]
    assert between == pytest.approx(found.left_after)
    nothing = affordability.budget(built_in(), inputs, None, None, 0.09)
    assert nothing is not None
    assert nothing.left_after is None
    assert affordability.budget(built_in(), inputs | {"income_monthly_median_180d": None}, 1, 1, 0.1) is None


def test_an_instalment_repays_the_loan() -> None:
    rate, paid, owed = 0.12 / 12, affordability.instalment(5_000, 18, 0.12), 5_000.0
    for _ in range(18):
        owed = owed * (1 + rate) - paid
    assert isclose(owed, 0, abs_tol=1e-6)
    with pytest.raises(InvalidInput):
        affordability.instalment(5_000, 0, 0.1)
