"""No template and no generated reason names a raw column, a protected feature, or anything that was not scored."""

import re

import numpy as np
import pytest
from pandas import DataFrame

from creditrisk import decisions, explain, features, inference, pipeline, registry, scoring
from creditrisk.schema import Feature, Schema, build, built_in, protects
from creditrisk.store import Store

SCHEMA = built_in()
RAW = {feature.name for feature in SCHEMA if "_" in feature.name}
HOLES = {"{value}", "{reference}"}
HONEST = ("PD", "default", "probability")


def wrong(text: str, schema: Schema = SCHEMA) -> str | None:
    """Return what a text must not say, or None."""
    if word := re.search(r"\b[a-z]+(?:_[a-z0-9]+)+\b", text):
        return f"the raw name {word[0]}"
    titles = [feature.title for feature in schema if feature.role == "protected"]
    return next((title for title in titles if title in text), None) or protects(text)


@pytest.mark.parametrize("feature", list(SCHEMA), ids=lambda feature: feature.name)
def test_a_template_is_words_about_its_own_figure(feature: Feature) -> None:
    assert wrong(feature.title) is None
    assert wrong(feature.meaning) is None
    assert set(re.findall(r"\{[^}]*\}", feature.reason)) <= HOLES
    assert wrong(feature.reason.replace("{value}", "1").replace("{reference}", "2")) is None
    if feature.role == "predictor":
        assert feature.title
        assert not feature.reason or "{value}" in feature.reason


def test_every_scored_figure_has_a_reason_and_every_concept_words() -> None:
    for feature in SCHEMA.predictors:
        for value, reference in ((1.0, 2.0), (None, 2.0), (float("nan"), float("nan"))):
            said = explain.wording(feature, value, reference)
            assert said.strip()
            assert wrong(said) is None
            assert "{" not in said
            assert "nan" not in said.lower().split()
        assert wrong(SCHEMA.in_words(explain.concept_of(feature))) is None


def test_no_generated_reason_names_what_it_must_not(filled: Store) -> None:
    everyone = features.newest(filled)["applicant_id"].tolist()
    for model_id in registry.models(filled)["model_id"]:
        scored = set(registry.load(filled, model_id).names)
        made = scoring.score_applicants(filled, everyone, user="ann", channel="test", model_id=model_id, keep=False)
        for prediction in made:
            for reason in [*prediction.reasons, *scoring.supports(filled, prediction)]:
                assert reason["feature"] in scored
                assert filled.schema[reason["feature"]].role == "predictor"
                assert prediction.contributions[reason["feature"]] != 0
                assert wrong(reason["text"]) is None, reason["text"]
                assert not any(re.search(rf"\b{word}\b", reason["text"]) for word in HONEST)
            assert wrong(prediction.because.replace("risk (proxy)", "")) is None


def test_the_reasons_of_a_lenders_table_name_no_column(filled: Store) -> None:
    from tests.test_whatif import LOAN

    for feature in LOAN:
        assert wrong(explain.wording(feature, 3.0, 2.0), LOAN) is None


def test_the_lint_finds_what_it_looks_for() -> None:
    assert wrong("Low balance_avg_90d") == "the raw name balance_avg_90d"
    assert wrong("Too old an age") == "age"
    assert wrong("Low balance on average") is None
    assert decisions.improper("the Average balance is low", SCHEMA) is None
    assert "balance_avg_90d" in RAW


def lent(n: int = 240) -> DataFrame:
    """Return a lender's table as they come: raw names in every fashion, traits that are protected, what is known only afterwards."""
    random = np.random.default_rng(5)
    return DataFrame(
        {
            "person_age": random.integers(20, 70, n),
            "Gender": random.choice(["F", "M"], n),
            "person_emp_length": random.integers(0, 30, n),
            "loan_amnt": random.integers(5, 400, n) * 100.0,
            "loan_int_rate": random.uniform(5, 20, n).round(2),
            "cb_person_cred_hist_length": random.integers(1, 20, n),
            "RevolvingUtilizationOfUnsecuredLines": random.uniform(0, 1, n),
            "NumberOfTimes90DaysLate": random.poisson(0.6, n),
            "PAY_0": random.integers(-1, 4, n),
            "BILL_AMT1": random.normal(900, 200, n).round(2),
            "loan_intent": random.choice(["MEDICAL", "CAR_LOAN"], n),
            "recoveries": random.poisson(2, n),
        }
    )


def test_no_reason_of_an_imported_table_names_a_column_or_what_was_not_scored() -> None:
    table = lent()
    risk = table["PAY_0"] + table["NumberOfTimes90DaysLate"] + 2 * table["RevolvingUtilizationOfUnsecuredLines"] + table["loan_amnt"] / 2e4
    bad = (risk + np.random.default_rng(6).normal(size=len(table)) > 4).to_numpy(float)
    schema = inference.propose(table, name="loans", bad=bad.tolist()).schema
    assert {f.name for f in schema if f.role == "protected"} == {"person_age", "Gender"}
    raw = re.compile("|".join(re.escape(name) for name in table.columns if name not in ("recoveries", "Gender")))  # plain words
    for feature in schema:
        for text in (feature.title, feature.meaning, feature.reason, schema.in_words(explain.concept_of(feature))):
            assert raw.search(text) is None, text
            assert "_" not in text
    for algorithm in ("logistic", "xgboost", "scorecard"):
        fitted = pipeline.fit(algorithm, table, bad == 1, None, schema, config=pipeline.Fitting(folds=3))
        found = explain.explain(fitted, table, schema)
        seen = 0
        for reasons in explain.all_reasons(explain.records(table, [feature.name for feature in schema]), found, schema):
            for reason in reasons:
                seen += 1
                assert reason["feature"] in fitted.names
                assert schema[reason["feature"]].role == "predictor"
                plain = reason["text"].replace("CAR_LOAN", "")  # a value is said as the lender writes it
                assert raw.search(plain) is None, plain
                assert wrong(plain, schema) is None, plain
        assert seen > len(table)


def test_what_an_applicant_can_change_is_inferred_with_care() -> None:
    table = lent()
    proposed = inference.propose(table, name="loans")
    assert {f.name: f.risk for f in proposed.schema if f.actionable} == {"loan_amnt": 1, "RevolvingUtilizationOfUnsecuredLines": 1}
    assert {f.column for f in proposed.findings if f.kind == "actionable"} == {"loan_amnt", "RevolvingUtilizationOfUnsecuredLines"}
    assert not proposed.schema["loan_amnt"].in_index
    against = table["loan_amnt"].rank(pct=True) < 0.3
    denied = inference.propose(table, name="loans", bad=against.tolist()).schema["loan_amnt"]
    assert (denied.risk, denied.actionable) == (0, False), "outcomes speak against it"
    declared = inference.correct(proposed.schema, {"loan_amnt": {"role": "report"}})
    assert not build(declared, "test")["loan_amnt"].actionable, "a guess gives way to what a person says"


@pytest.mark.parametrize(
    "name", ["age", "income", "months_since_last_delinq", "enquiry_count", "emp_length", "cred_hist_length", "credit_limit"]
)
def test_nobody_is_advised_on_what_they_are_or_what_is_past(name: str) -> None:
    assert not any(feature.actionable for feature in inference.propose(DataFrame({name: range(50), "x": range(50)}), name="t").schema)
