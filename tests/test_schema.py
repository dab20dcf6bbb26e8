"""Features are declared once; the declaration is checked, round-trips, and has a fingerprint that models depend on."""

from dataclasses import replace

import pytest

from creditrisk.errors import InvalidInput, UnknownThing
from creditrisk.schema import Feature, Schema, built_in, dump, parse


def test_the_built_in_schema_round_trips() -> None:
    assert parse(dump(built_in())) == built_in()


def test_the_fingerprint_follows_what_a_model_depends_on() -> None:
    schema = built_in()
    first, *rest = schema.features
    reworded = Schema(schema.name, (replace(first, meaning="other words"), *rest), schema.concepts)
    turned = Schema(schema.name, (replace(first, risk=-first.risk), *rest), schema.concepts)
    assert reworded.fingerprint == schema.fingerprint
    assert turned.fingerprint != schema.fingerprint


def test_every_predictor_can_be_a_reason_in_plain_words() -> None:
    for feature in built_in().predictors:
        sentence = feature.reason.format(value=feature.say(1), reference=feature.say(0))
        assert feature.name not in sentence
        assert "_" not in sentence
        assert feature.meaning.endswith(".")
        assert feature.risk in (-1, 1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("feature = 3 4", "not valid TOML"),
        ('name = "x"', r"declares no \[\[feature\]\]"),
        ('[[feature]]\nname = "a"', "'a' lacks title"),
        ('[[feature]]\nname = "a"\ntitle = "A"\nrole = "target"', "role = 'target'"),
        ('[[feature]]\nname = "a"\ntitle = "A"\nsize = 3', "unknown key 'size'"),
        ('[[feature]]\nname = "a"\ntitle = "A"\n[[feature]]\nname = "a"\ntitle = "B"', "a more than once"),
    ],
)
def test_a_wrong_declaration_is_named(text: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        parse(text)


@pytest.mark.parametrize(
    ("value", "clause"),
    [
        (None, None),
        (float("nan"), None),
        (3, None),
        (-1, "the least allowed is 0"),
        (91, "the most allowed is 90"),
        ("x", "should be a number"),
    ],
)
def test_a_value_is_checked_against_its_declaration(value: object, clause: str | None) -> None:
    problem = built_in()["days_negative_90d"].problem(value)
    assert problem is None if clause is None else clause in str(problem)


@pytest.mark.parametrize(
    ("unit", "value", "said"),
    [
        ("share", 0.256, "26 %"),
        ("days", 1, "1 day"),
        ("days", 12, "12 days"),
        ("days", -0.2, "0 days"),
        ("times", 1, "1 time"),
        ("money", -72.4, "−72"),
        ("money", 1234.5, "1,234"),
        ("", 0.5, "0.50"),
        ("", None, "not known"),
    ],
)
def test_values_are_said_as_people_say_them(unit: str, value: object, said: str) -> None:
    assert Feature("a", "A", unit=unit).say(value) == said


def test_an_unknown_feature_is_an_error() -> None:
    with pytest.raises(UnknownThing, match="feature 'shoe_size'"):
        built_in()["shoe_size"]


def test_two_values_are_told_apart_where_they_differ() -> None:
    share = Feature("a", "A", unit="share")
    assert share.contrast(-0.009, -0.006) == ("−0.9 %", "−0.6 %")
    assert share.contrast(0.5, 0.25) == ("50 %", "25 %")
    assert share.contrast(0.5, 0.5) == ("50 %", "50 %")
    assert Feature("b", "B", unit="days", type="integer").contrast(None, 3) == ("not known", "3 days")
