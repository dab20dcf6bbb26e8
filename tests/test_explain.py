"""Contributions against a baseline still add up; reasons are few, in words, and point towards risk."""

from functools import cache

import numpy as np
import pytest
from pandas import DataFrame

from creditrisk import explain, pipeline
from creditrisk.algorithms import FITS
from creditrisk.errors import InvalidInput, SchemaMismatch
from creditrisk.estimators import inverse_logit
from creditrisk.pipeline import Pipeline
from creditrisk.schema import Schema, built_in
from creditrisk.settings import Score

SCHEMA = built_in()
NAMES = [feature.name for feature in SCHEMA]


def applicants(n: int, seed: int = 0) -> DataFrame:
    random = np.random.default_rng(seed)
    risk = random.normal(size=n)
    frame = DataFrame({feature.name: np.round(np.exp(0.7 * feature.risk * risk + random.normal(size=n))) for feature in SCHEMA})
    for name in frame:
        frame.loc[random.random(n) < 0.05, name] = np.nan
    frame["risk"] = risk
    return frame


@cache
def fitted(algorithm: str) -> Pipeline:
    frame = applicants(300)
    return pipeline.fit(algorithm, frame, frame["risk"] > 0.9, None, SCHEMA, config=pipeline.Fitting(folds=3))


@pytest.mark.parametrize("algorithm", FITS)
@pytest.mark.parametrize("baseline", ["cut-off", "everyone"])
def test_contributions_add_up_against_any_baseline(algorithm, baseline):
    frame = applicants(50, 1)
    found = explain.explain(fitted(algorithm), frame, SCHEMA, baseline)
    limit = 1e-5 if algorithm == "xgboost" else 1e-9
    assert np.abs(found.contributions.sum(axis=1) + found.base - found.margin).max() < limit
    assert np.array_equal(found.margin, fitted(algorithm).margin(frame))
    assert found.reference == fitted(algorithm).references[baseline]


def test_the_baseline_is_where_nothing_is_added():
    frame = applicants(300)
    found = explain.explain(fitted("logistic"), frame, SCHEMA, "everyone")
    assert found.base == pytest.approx(found.margin.mean())
    assert np.abs(found.contributions.mean(axis=0)).max() < 1e-9
    near = explain.explain(fitted("logistic"), frame, SCHEMA)
    assert inverse_logit(np.array([near.base]))[0] == pytest.approx(fitted("logistic").config.cutoff, abs=0.05)


def test_an_unknown_baseline_and_another_schema_are_sentences():
    with pytest.raises(InvalidInput, match="no baseline 'me'; there are cut-off, everyone"):
        explain.explain(fitted("constant"), applicants(2), SCHEMA, "me")
    with pytest.raises(SchemaMismatch):
        explain.explain(fitted("constant"), applicants(2), Schema("less", SCHEMA.features[:3]))


def test_reasons_sum_a_concept_and_word_its_strongest_feature():
    values = {"days_negative_90d": 23.0, "negative_episodes_90d": 5.0, "income_monthly_median_180d": 900.0, "payday_count_90d": 1.0}
    added = {"days_negative_90d": 0.3, "negative_episodes_90d": 0.25, "income_monthly_median_180d": 0.5, "payday_count_90d": -0.2}
    typical = {"days_negative_90d": 1.0, "negative_episodes_90d": 1.0, "income_monthly_median_180d": 2100.0, "payday_count_90d": 2.0}
    first, second = explain.reasons(values, added, SCHEMA, typical)
    assert first == {
        "code": "R-OVERDRAWN",
        "text": "Overdrawn on 23 days of the last 90 (reference 1 day)",
        "feature": "days_negative_90d",
        "concept": "overdrawn",
        "contribution": pytest.approx(0.55),
        "points": pytest.approx(-72.13475204444818 * 0.55),
    }
    assert second["text"] == "Low regular income: 900 a month (reference 2,100)"
    (strength,) = explain.strengths(values, added, SCHEMA, typical)
    assert strength["text"] == "Payday loans, last 90 days: 1 time (reference 2 times)"
    assert strength["contribution"] == -0.2
    assert strength["points"] == pytest.approx(14.42695)


def test_what_lowers_the_risk_of_a_concept_is_taken_off_it():
    added = {"balance_avg_90d": 0.4, "balance_min_90d": -0.5, "gambling_to_income_90d": 0.1}
    found = explain.reasons(dict.fromkeys(added, 0.2), added, SCHEMA, dict.fromkeys(added, 0.1))
    assert [reason["concept"] for reason in found] == ["gambling"]


def test_less_than_a_point_is_no_reason():
    added = {"balance_avg_90d": 0.004, "gambling_to_income_90d": 1e-17}
    assert explain.reasons(dict.fromkeys(added, 0.2), added, SCHEMA, dict.fromkeys(added, 0.1)) == []
    frame = applicants(20)
    found = explain.explain(fitted("constant"), frame, SCHEMA)
    assert explain.all_reasons(explain.records(frame, NAMES), found, SCHEMA) == [[]] * 20


def test_at_most_four_and_never_towards_safety():
    frame = applicants(80, 2)
    found = explain.explain(fitted("xgboost"), frame, SCHEMA)
    for row in explain.all_reasons(explain.records(frame, NAMES), found, SCHEMA):
        assert len(row) <= 4
        assert all(reason["contribution"] > 0 for reason in row)
        assert [reason["contribution"] for reason in row] == sorted((reason["contribution"] for reason in row), reverse=True)
        assert len({reason["code"] for reason in row}) == len(row)


def test_reasons_never_show_a_column_name_or_an_unscored_feature():
    frame = applicants(80, 3)
    found = explain.explain(fitted("logistic"), frame, SCHEMA)
    hidden = {feature.name for feature in SCHEMA if feature.role != "predictor"}
    for row in explain.all_reasons(explain.records(frame, NAMES), found, SCHEMA, top=20):
        assert not any(feature.name in reason["text"] for reason in row for feature in SCHEMA)
        assert not any("{" in reason["text"] for reason in row)
        assert not hidden & {reason["feature"] for reason in row}
    outside = explain.reasons({}, {"observed_days": 5.0}, SCHEMA, {})
    assert outside == []


def test_a_missing_value_is_said_to_be_missing():
    (reason,) = explain.reasons({"days_negative_90d": np.nan}, {"days_negative_90d": 0.2}, SCHEMA, {"days_negative_90d": 1.0})
    assert reason["text"] == "Days overdrawn, last 90 days is not known: too little history"
    (reason,) = explain.reasons({"balance_current_total": None}, {"balance_current_total": 0.2}, SCHEMA, {})
    assert reason["text"] == "Current balance is not known"


def test_a_value_on_the_safe_side_is_no_reason_and_one_on_the_risky_side_no_strength():
    """Trees may add risk where a value is better than typical; a reader would take such a reason for a mistake."""
    typical = {"income_monthly_median_180d": 2000.0, "days_negative_90d": 3.0}
    values = {"income_monthly_median_180d": 3000.0, "days_negative_90d": 9.0}
    against = explain.reasons(values, dict.fromkeys(values, 0.1), SCHEMA, typical)
    assert [reason["feature"] for reason in against] == ["days_negative_90d"]
    speaking = explain.strengths(values, dict.fromkeys(values, -0.1), SCHEMA, typical)
    assert [strength["feature"] for strength in speaking] == ["income_monthly_median_180d"]


def test_one_row_gets_the_same_reasons_as_in_a_batch():
    frame = applicants(30, 4)
    found = explain.explain(fitted("random_forest"), frame, SCHEMA)
    batch = explain.all_reasons(explain.records(frame, NAMES), found, SCHEMA)
    for place, record in enumerate(found.records()):
        alone = explain.explain(fitted("random_forest"), frame.iloc[[place]], SCHEMA)
        assert alone.records() == [record]
        assert explain.reasons(frame.iloc[place].to_dict(), record, SCHEMA, found.reference.value) == batch[place]


def test_top_concepts_of_nobody():
    predictors = [feature.name for feature in SCHEMA.predictors]
    empty = DataFrame({name: [] for name in predictors}, dtype=float)
    assert explain.top_concepts(np.zeros((0, len(predictors))), predictors, SCHEMA).amounts.shape == (0, 4)
    assert explain.all_reasons(explain.records(empty, predictors), explain.explain(fitted("xgboost"), empty, SCHEMA), SCHEMA) == []


def test_the_linear_scale_says_no_points():
    (reason,) = explain.reasons({"gambling_to_income_90d": 0.3}, {"gambling_to_income_90d": 0.2}, SCHEMA, {}, scale=Score(scale="linear"))
    assert reason["points"] is None
    assert reason["text"] == "Gambling takes 30 % of income (reference not known)"


def test_a_concept_makes_a_stable_code():
    assert explain.code_of(SCHEMA["months_negative_cashflow_180d"]) == "R-CASH-FLOW"
    assert len({explain.code_of(feature) for feature in SCHEMA}) == len({feature.concept for feature in SCHEMA})
