"""A group is described by what sets it apart from everybody, strongest first, in the schema's words."""

import pytest

from creditrisk import profiles
from creditrisk.schema import Feature

FEATURES = [Feature("late", "Days late", unit="days", risk=1), Feature("income", "Income", unit="money", risk=-1)]
CLUSTERS = [
    {"segment": 0, "n": 30, "means": {"late": 0.0, "income": 2000.0}},
    {"segment": 1, "n": 10, "means": {"late": 20.0, "income": 1900.0}},
]


def test_the_strongest_deviation_comes_first_and_alike_is_left_out() -> None:
    found = profiles.traits(CLUSTERS, [[-0.5, -0.3], [3.5, 0.1]], FEATURES)
    assert found["segment"].tolist() == [0, 1, 1]
    assert found.loc[found["segment"] == 1, "feature"].tolist() == ["late", "income"]
    first = found.iloc[1]
    assert (first["title"], first["value"], first["everybody"]) == ("Days late", "20 days", "5 days")
    assert first["deviation"] == pytest.approx(3.0)


def test_groups_that_are_alike_have_no_traits() -> None:
    assert profiles.traits(CLUSTERS, [[0.0, 0.0], [0.1, 0.1]], FEATURES).empty


def test_a_safer_side_is_negative() -> None:
    found = profiles.traits(CLUSTERS, [[-1.0, 0.0], [3.0, 0.0]], FEATURES)
    assert dict(zip(found["segment"], found["deviation"] < 0, strict=True)) == {0: True, 1: False}


def test_everybody_is_said_with_the_same_digits_beside_every_group() -> None:
    fees = [Feature("fees", "Fees", unit="share", risk=1)]
    groups = [{"segment": 0, "n": 30, "means": {"fees": 0.0002}}, {"segment": 1, "n": 10, "means": {"fees": 0.011}}]
    found = profiles.traits(groups, [[-1.0], [3.0]], fees)
    assert found["everybody"].tolist() == ["0.3 %", "0.3 %"]
    assert found["value"].tolist() == ["0 %", "1.1 %"]
