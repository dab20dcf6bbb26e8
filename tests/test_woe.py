"""Bins: every value lies in one, evidence follows the sign, a person's bins are taken as given or refused in a sentence."""

import json
import subprocess
import sys

import numpy as np
import pytest
from pandas import DataFrame

from creditrisk import explain, pipeline, scorecard, woe
from creditrisk.errors import InvalidInput
from creditrisk.pipeline import Fitting
from creditrisk.schema import Feature, Schema
from tests.conftest import ROOT
from tests.test_pipeline import QUICK, SCHEMA, applicants, fitted


def test_numbers_choices_and_gaps_lie_in_one_bin_each():
    bins = woe.Bins("income", edges=(0.0, 10.0))
    assert bins.names == ["< 0", "0 to < 10", "≥ 10", "missing"]
    assert bins.places(np.array([[-1.0], [0.0], [9.9], [10.0], [np.nan]])).tolist() == [0, 1, 1, 2, 3]
    homes = woe.Bins("home", ("own", "rent", "with parents"), groups=(("own",), ("rent", woe.OTHER)))
    assert homes.names == ["own", "rent, (other)", "any other", "missing"]
    rows = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [np.nan] * 3]
    assert homes.places(np.array(rows, dtype=float)).tolist() == [0, 1, 2, 1, 3]
    assert woe.Bins("dull").names == ["any value", "missing"]


def test_evidence_by_hand():
    values, bad = np.array([[1.0]] * 4 + [[5.0]] * 6), np.array([1.0, 1, 1, 0, 1, 0, 0, 0, 0, 0])
    bins = woe.Bins("x", edges=(3.0,)).weighed(values, bad, np.ones(10), -1)
    assert bins.count == (4, 6, 0)
    assert bins.share_bad[:2] == pytest.approx((0.75, 1 / 6))
    assert bins.woe == pytest.approx((np.log(1.6 / 3.4) - np.log(0.6 / 0.4), np.log(5.6 / 1.4) - np.log(0.6 / 0.4), 0))


def test_evidence_never_runs_against_the_sign():
    random = np.random.default_rng(0)
    values = random.normal(size=(400, 1))
    bad = (random.random(400) < 1 / (1 + np.exp(np.abs(values[:, 0])))).astype(float)
    for sign in (-1, 1):
        bins = woe.found("x", (), values, bad, np.ones(400), sign=sign, most=6, least=0.05).weighed(values, bad, np.ones(400), sign)
        assert (np.diff(bins.woe[:-1]) * -sign >= 0).all()
        given = woe.edited("x", [], [-1.0, 0.0, 1.0]).weighed(values, bad, np.ones(400), sign)
        assert (np.diff(given.woe[:-1]) * -sign >= 0).all()


def test_points_of_the_bins_add_up_to_the_score():
    model, (frame, _) = fitted("scorecard"), applicants(60, 1)
    table = explain.card(model)
    assert list(table.columns) == ["feature", "title", "bin", "count", "share_bad", "woe", "points"]
    assert table.groupby("feature")["count"].sum().tolist() == pytest.approx([400] * 7)
    points = {name: part["points"].to_numpy() for name, part in table.groupby("feature")}
    matrix = model._encoded(frame)
    places = zip(model.estimator.bins, model.estimator.positions, strict=True)
    total = sum(points[bins.feature][bins.places(matrix[:, here])] for bins, here in places)
    assert np.clip(total, 300, 900) == pytest.approx(scorecard.score(model.prob_default(frame)), abs=1e-6)
    with pytest.raises(InvalidInput, match="only a scorecard has bins"):
        explain.card(fitted("random_forest"))


def test_bins_can_be_handed_back_and_edited():
    frame, bad = applicants(400)
    model = fitted("scorecard")
    same = Fitting(folds=3, parameters={"bins": woe.written(model.estimator.bins)})
    again = pipeline.fit("scorecard", frame, bad, None, SCHEMA, config=same)
    matrix = model._encoded(frame)
    assert np.array_equal(again.estimator.raw(matrix), model.estimator.raw(matrix))
    assert repr(again.estimator.bins) == repr(model.estimator.bins)
    mine = {"income": [1000.0, 3000.0], "home": [["own", "other"], ["rent"]]}
    edited = pipeline.fit("scorecard", frame, bad, None, SCHEMA, config=Fitting(folds=2, parameters={"bins": json.dumps(mine)}))
    bins = {part.feature: part for part in edited.estimator.bins}
    assert (bins["income"].edges, bins["home"].groups) == ((1000.0, 3000.0), (("own", "other"), ("rent",)))


@pytest.mark.parametrize(
    ("bins", "sentence"),
    [
        (3, "should be a JSON object"),
        ("{", "The bins are no JSON"),
        ("[1]", "should be a JSON object"),
        ('{"income": [3, 1]}', r"bins of income are \[3, 1\]; they should be rising numbers"),
        ('{"income": [1, "x"]}', "rising numbers, or lists of choices"),
        ('{"home": [["own"], ["own"]]}', "that stand in one each"),
        ('{"home": [1, 2]}', "bins of home are parted by choices, not numbers"),
        ('{"income": [["own"]]}', "bins of income are parted by numbers, not choices"),
        ('{"home": [["castle"]]}', r"bins of home name 'castle'; its choices are other, own, rent, \(other\)"),
        ('{"yacht": [1]}', "bins for 'yacht', which is no feature"),
    ],
)
def test_bins_that_are_none_are_refused_in_a_sentence(bins, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        pipeline.fit("scorecard", *applicants(60), None, SCHEMA, config=Fitting(folds=2, parameters={"bins": bins}))


def test_five_thousand_choices_end_in_a_few_bins():
    random = np.random.default_rng(0)
    frame = DataFrame({"town": [f"town {number}" for number in random.integers(0, 5_000, 6_000)]})
    bad = (random.random(6_000) < 0.2).astype(int)
    model = pipeline.fit("scorecard", frame, bad, None, Schema("towns", (Feature("town", "Town", type="choice"),)), config=QUICK)
    assert len(model.estimator.bins[0].names) <= 8
    assert np.isfinite(model.margin(DataFrame({"town": ["never seen", None]}))).all()


def test_scoring_never_imports_the_search_for_bins_and_fitting_says_nothing_of_solvers(tmp_path):
    program = (
        "import pickle, sys\n"
        "from tests.test_pipeline import fitted, applicants\n"
        "model = pickle.dumps(fitted('scorecard'))\n"
        "open(sys.argv[1], 'wb').write(model)"
    )
    read = (
        "import pickle, sys\n"
        "from pandas import DataFrame\n"
        "model = pickle.load(open(sys.argv[1], 'rb'))\n"
        "print(model.prob_default(DataFrame({name: [None] for name in model.names}))[0] > 0, 'optbinning' in sys.modules)"
    )
    file = tmp_path / "scorecard.pickle"
    said = subprocess.run([sys.executable, "-c", program, file], capture_output=True, text=True, check=True, cwd=ROOT)
    assert (said.stdout, said.stderr) == ("", "")
    done = subprocess.run([sys.executable, "-c", read, file], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["True", "False"]
