"""The loop played through: it keeps what a good proxy knows, is not drowned by a bad one, and the document shows what was printed."""

import re

import numpy as np
import pytest
from pandas import DataFrame

from creditrisk.schema import built_in
from tests import loop
from tests.conftest import ROOT

DOCUMENT = (ROOT / "docs" / "feedback.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def world() -> loop.World:
    """Applicants whose trouble shows a little in every figure; a label that sees most of it, and one that sees what is no trouble."""
    random, n = np.random.default_rng(5), 900
    bad = random.random(n) < 0.15
    signed = [feature for feature in built_in().predictors if feature.is_numeric and feature.risk]
    table = DataFrame({feature.name: random.normal(size=n) + 0.25 * feature.risk * bad for feature in signed})
    others = {feature.name: 0.0 for feature in built_in() if feature not in signed}
    table = table.assign(applicant_id=[f"A{number:05d}" for number in range(n)], **others)
    good = bad ^ (random.random(n) < np.where(bad, 0.4, 0.1))
    calm = table[[feature.name for feature in signed[::4]]] @ np.array([-feature.risk for feature in signed[::4]])
    return loop.World(table, bad, {"bad": (calm > calm.quantile(0.8)).to_numpy(), "good": good}, built_in())


@pytest.fixture(scope="module")
def found(world: loop.World) -> DataFrame:
    return loop.table([world], range(3), (0, 30, 90))


def test_this_loop_is_never_far_below_verified_labels_alone(found: DataFrame) -> None:
    assert (found["less verified only"] >= -0.02).all(), loop.told(found)


def test_a_bad_proxy_drowns_verdicts_that_override_it_one_by_one_and_not_this_loop(found: DataFrame) -> None:
    bad = found[found["proxy"] == "bad"].set_index("reviews")
    assert (bad.loc[[30, 90], "less plain override_low"] > 0.02).all(), loop.told(found)
    assert bad.loc[90, "this loop"] > bad.loc[0, "this loop"] + 0.05


def test_a_good_proxy_is_kept_while_verdicts_are_few(found: DataFrame) -> None:
    good = found[found["proxy"] == "good"].set_index("reviews")
    assert good.loc[0, "this loop"] == good.loc[0, "plain override"] > 0.7, "how much all weigh together changes no fit on them alone"
    assert good.loc[30, "this loop"] > good.loc[30, "verified only"], loop.told(found)
    assert good["less plain override"].ge(-0.05).all(), "a proxy nearly as good as the truth is worth more than a few noisy verdicts"


def test_the_same_seed_plays_the_same(world: loop.World) -> None:
    assert loop.play(world, "good", 1, (0, 20)) == loop.play(world, "good", 1, (0, 20))


def test_the_document_shows_a_table_that_keeps_the_bars() -> None:
    (shown,) = re.findall(r"```\n(.*?)```", DOCUMENT, re.S)
    lines = shown.splitlines()
    assert loop.HEAD in lines
    rows = [line.replace("−", "-").split() for line in lines[lines.index(loop.HEAD) + 1 :]]
    assert [(row[0], int(row[1])) for row in rows] == [(proxy, n) for proxy in ("bad", "good", "best") for n in loop.REVIEWS]
    for row in rows:
        cells = " ".join(row[2:])
        values = [float(value) for value in re.findall(r"([+-]?\d\.\d{3}) \(", cells)]
        ends = [float(value) for value in re.findall(r"… ([+-]\d\.\d{3})\)", cells)]
        assert len(values) == 5
        assert len(ends) == 2
        assert values[3] >= -0.02, "never more than 0.02 below verified labels alone"
        if row[0] != "best":
            assert ends[1] >= 0, "nowhere surely below plain override"
