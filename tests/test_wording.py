"""No template and no generated reason names a raw column, a protected feature, or anything that was not scored."""

import re

import pytest

from creditrisk import decisions, explain, features, registry, scoring
from creditrisk.schema import Feature, Schema, built_in, protects
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
