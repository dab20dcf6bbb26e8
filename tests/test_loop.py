"""The loop played through: it keeps what a good proxy knows, is not drowned by a bad one, and the document shows what was printed."""

import re

import numpy as np
import pytest
from pandas import DataFrame

from creditrisk.index import risk_index
from creditrisk.schema import built_in
from tests import loop
from tests.conftest import ROOT

DOCUMENT = (ROOT / "docs" / "feedback.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def world() -> loop.World:
    """Applicants whose trouble shows a little in every figure; a label near what is a risk a priori, and one of what is none."""
    random, n = np.random.default_rng(5), 900
    bad = random.random(n) < 0.15
    signed = [feature for feature in built_in().predictors if feature.is_numeric and feature.risk]
    table = DataFrame({feature.name: random.normal(size=n) + 0.25 * feature.risk * bad for feature in signed})
    others = {feature.name: 0.0 for feature in built_in() if feature not in signed}
    table = table.assign(applicant_id=[f"A{number:05d}" for number in range(n)], **others)
    calm = table[[feature.name for feature in signed[::4]]] @ np.array([-feature.risk for feature in signed[::4]])
    index = risk_index(table, built_in().index_features) + 0.3 * (random.normal(size=n) + bad)
    proxies = {"bad": (calm > calm.quantile(0.8)).to_numpy(), "good": index > np.quantile(index, 0.8)}
    return loop.World(table, bad, proxies, built_in())


@pytest.fixture(scope="module")
def found(world: loop.World) -> DataFrame:
    return loop.table([world], range(3))


def test_this_loop_is_nowhere_far_below_verified_labels_alone_nor_below_plain_override(found: DataFrame) -> None:
    assert len(found) == 2 * len(loop.REVIEWS)
    assert (found["less verified only"] >= -0.02).all(), loop.told(found)
    begun = found[(found["reviews"] > 0) | (found["proxy"] == "good")]
    assert (begun["less plain override"] >= 0).all(), loop.told(found)


def test_a_bad_proxy_drowns_verdicts_that_override_it_one_by_one_and_not_this_loop(world: loop.World, found: DataFrame) -> None:
    assert loop.fails(world.table, world.proxies["bad"], world.schema) == ["index gap", "signs"], "known before a single verdict"
    bad = found[found["proxy"] == "bad"].set_index("reviews")
    assert (bad.loc[[30, 60, 120, 240], "less plain override"] > 0.05).all(), loop.told(found)
    assert bad.loc[0, "this loop"] == loop.NOTHING, "nobody promotes what learned from nothing else"


def test_a_good_proxy_is_kept_and_what_verdicts_know_is_added(world: loop.World, found: DataFrame) -> None:
    assert loop.fails(world.table, world.proxies["good"], world.schema) == []
    good = found[found["proxy"] == "good"].set_index("reviews")
    assert good.loc[0, "this loop"] == good.loc[0, "plain override"] > 0.7, "how much all weigh together changes no fit on them alone"
    assert (good.loc[[30, 60], "this loop"] > good.loc[[30, 60], "verified only"]).all(), loop.told(found)
    assert (good.loc[[30, 60], "less plain override"] > 0.01).all(), loop.told(found)


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
        assert len(values) == 5
        assert values[3] >= -0.02, "never more than 0.02 below verified labels alone"
        assert values[4] >= (-0.02 if row[0] == "best" else 0), "nowhere below plain override, but for a proxy nearly as good as the truth"
