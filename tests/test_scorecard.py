"""Golden points of both scales, the bands' edges, and the way back."""

from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditrisk import scorecard
from creditrisk.errors import InvalidInput
from creditrisk.settings import Score

LINEAR = Score(scale="linear")
PDO20 = Score(points_to_double_odds=20, anchor_score=600, anchor_odds=50)


@pytest.mark.parametrize(("p", "points"), [(0, 900), (0.05, 870), (0.1, 840), (0.25, 750), (0.5, 600), (1, 300)])
def test_linear_golden(p, points):
    assert scorecard.score(p, LINEAR) == pytest.approx(points, abs=1e-9)


@pytest.mark.parametrize(
    ("p", "points"), [(0.5, 433.9), (0.2, 533.9), (0.1, 592.4), (0.05, 646.3), (0.02, 714.64), (0.01, 765.37), (0.005, 815.73)]
)
def test_log_odds_golden(p, points):
    assert scorecard.score(p) == pytest.approx(points, abs=0.05)


@pytest.mark.parametrize(("p", "points"), [(0.05, 572.08), (0.02, 599.42), (0.01, 619.71)])
def test_another_anchor(p, points):
    assert scorecard.score(p, PDO20) == pytest.approx(points, abs=0.005)


def test_factor_and_offset():
    assert scorecard.factor() == pytest.approx(72.13475204444818)
    assert scorecard.offset() == pytest.approx(433.9035952556319)
    assert scorecard.offset(PDO20) == pytest.approx(487.122876, abs=1e-5)


@given(st.floats(0.0016, 0.86))
def test_the_way_back_is_exact_where_nothing_was_clipped(p):
    assert scorecard.prob_default(scorecard.score(p)) == pytest.approx(p, rel=1e-9)


@given(st.floats(0, 1))
def test_the_way_back_of_the_linear_scale(p):
    assert scorecard.prob_default(scorecard.score(p, LINEAR), LINEAR) == pytest.approx(p, abs=1e-9)


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_risk_never_scores_higher_and_stays_on_the_axis(p, q):
    low, high = sorted((p, q))
    assert 300 <= scorecard.score(high) <= scorecard.score(low) <= 900


def test_arrays_are_scored_as_their_elements():
    p = np.array([0.0, 0.01, 0.2, 1.0, np.nan])
    points = scorecard.score(p)
    assert points[:4].tolist() == [scorecard.score(float(value)) for value in p[:4]]
    assert np.isnan(points[4])
    assert points[0] == 900
    assert points[3] == 300


@pytest.mark.parametrize(
    ("points", "name"),
    [(300, "Poor"), (499.999, "Poor"), (500, "Average"), (649.999, "Average"), (650, "Good"), (750, "Excellent"), (900, "Excellent")],
)
def test_bands_include_their_lower_edge(points, name):
    assert scorecard.band(points).name == name
    assert scorecard.band_names([points]).tolist() == [name]


@pytest.mark.parametrize(
    ("p", "name"), [(1 / 21, "Good"), (0.0476191, "Average"), (2 / 7, "Average"), (0.0123, "Excellent"), (0.0124, "Good")]
)
def test_bands_by_risk(p, name):
    assert scorecard.band(scorecard.score(p)).name == name


@pytest.mark.parametrize("points", [299.9, 900.1, float("nan")])
def test_no_band_off_the_axis(points):
    with pytest.raises(InvalidInput, match="has no band"):
        scorecard.band(points)


def test_what_is_shown_never_lies_above_what_was_decided():
    assert scorecard.shown(499.5) == 499
    assert scorecard.band(499.5).name == "Poor"


def test_prior_shift_golden_and_idle():
    assert scorecard.prior_shift(0.7, 0.4, 0.05) == pytest.approx(0.15555555555555553)
    assert scorecard.prior_shift(np.array([0.0, 0.3, 1.0]), 0.2, 0.2).tolist() == pytest.approx([0.0, 0.3, 1.0])
    with pytest.raises(InvalidInput):
        scorecard.prior_shift(0.5, 0, 0.1)


def test_cost_cutoff_golden():
    assert scorecard.cost_cutoff(0.08, 0.45) == pytest.approx(0.1509433962264151)
    assert scorecard.cost_cutoff(0.12, 0.6) == pytest.approx(1 / 6)
    with pytest.raises(InvalidInput):
        scorecard.cost_cutoff(0, 0)


@given(st.floats(-2, 2), st.floats(-1, 1))
def test_a_contribution_in_points_is_what_it_does_to_the_score(margin, added):
    before, after = (scorecard.score(1 / (1 + np.exp(-value))) for value in (margin - 2, margin - 2 + added))
    assert scorecard.points(added) == pytest.approx(after - before, abs=1e-6)


def test_the_linear_scale_has_no_points_per_log_odds():
    assert isnan(scorecard.points(0.5, LINEAR))
