"""Quality of labels by hand: who is labelled bad, whether the label gives itself away, two sets beside each other."""

import numpy as np
import pytest
from pandas import DataFrame, Series

from creditrisk import quality
from creditrisk.schema import Feature

SEX = Feature("sex", "Sex", type="choice", choices=("female", "male"), role="protected")
AGE = Feature("age", "Age", type="integer", role="protected")


def test_a_group_that_is_labelled_bad_more_often_is_warned_of() -> None:
    sexes = ["female"] * 300 + ["male"] * 600
    bad = [True] * 20 + [False] * 280 + [True] * 2 + [False] * 598  # 6.7 % and 0.3 %, as one public project labelled people
    found = quality.by_group(DataFrame({"sex": sexes}), Series(bad, dtype="boolean"), [SEX]).set_index("group")
    assert found.loc["female", "share"] == pytest.approx(0.0667, abs=1e-4)
    assert found.loc["female", "ratio"] == pytest.approx(20.0)
    assert found["warned"].tolist() == [True, True]
    assert (found["low"] < found["share"]).all()
    assert found["n"].tolist() == [300, 600]


def test_chance_is_no_warning_and_unlabelled_people_do_not_count() -> None:
    sexes = ["female"] * 10 + ["male"] * 10
    bad = Series([True, True, *[False] * 7, None, True, *[False] * 9], dtype="boolean")
    found = quality.by_group(DataFrame({"sex": sexes}), bad, [SEX])
    assert found["n"].tolist() == [9, 10]
    assert not found["warned"].any()


def test_numbers_are_held_together_in_bands() -> None:
    ages = np.arange(18, 78)
    found = quality.by_group(DataFrame({"age": ages}), Series(ages < 33, dtype="boolean"), [AGE])
    assert len(found) == quality.BANDS
    assert found["n"].sum() == len(ages)
    assert found["group"][0].startswith("up to")
    assert found["warned"][0]
    assert quality.by_group(DataFrame({"age": [np.nan, np.nan]}), Series([True, False], dtype="boolean"), [AGE]).empty


def test_three_questions_that_give_the_label_back_raise_the_alarm() -> None:
    random = np.random.default_rng(4)
    matrix = random.normal(size=(800, 5))
    label = (matrix[:, 0] > 1) & (matrix[:, 1] > -1)
    names = [f"A{number}" for number in range(800)]
    told = quality.reproduced(matrix, label, names)
    assert told["alarm"]
    assert told["value"] > 0.97
    blind = quality.reproduced(matrix, random.permutation(label), names)
    assert not blind["alarm"]
    assert 0.35 < blind["value"] < 0.65
    few = quality.reproduced(matrix[:10], label[:10], names[:10])
    assert np.isnan(few["value"])
    assert not few["alarm"]
    assert "cannot be tested" in few["sentence"]


def test_nobody_answers_for_a_label_of_their_own() -> None:
    random = np.random.default_rng(4)
    whose = np.repeat(np.arange(100), 8)  # eight rows each, alike: learnt by heart where one stood in both halves
    matrix = np.repeat(random.normal(size=(100, 3)), 8, axis=0)
    told = quality.reproduced(matrix, np.repeat(random.random(100) < 0.3, 8), [str(name) for name in whose])
    assert told["value"] < 0.75


def test_two_label_sets_agree_beyond_chance_by_hand() -> None:
    one = [True, True, False, False, True, False, True, False, True, True]
    other = [True, True, False, False, False, False, True, True, True, True]  # the golden pair: kappa 0.5833
    joined = DataFrame({"applicant_id": range(12), "one": Series([*one, None, True], dtype="boolean")})
    joined["other"] = Series([*other, True, None], dtype="boolean")
    found = quality.compare(joined)
    assert (found.n_both, found.n_agree, found.agreement) == (10, 8, 0.8)
    assert found.kappa == pytest.approx(0.5833333333333333)
    assert found.kappa_low < found.kappa < found.kappa_high
    assert found.moved["applicant_id"].tolist() == [4, 7]
    table = found.table.set_index("one")
    assert table.loc["bad"].tolist() == [1, 5, 1]
    assert table.to_numpy().sum() == 12


def test_sets_without_a_common_applicant_agree_on_nothing() -> None:
    found = quality.compare(DataFrame({"one": Series([], dtype="boolean"), "other": Series([], dtype="boolean")}))
    assert found.n_both == 0
    assert np.isnan([found.agreement, found.kappa, found.kappa_low]).all()


def test_what_to_beware_of_is_said_with_its_figures() -> None:
    from datetime import datetime

    from creditrisk import labels

    bad = [True] * 20 + [False] * 280 + [True] * 2 + [False] * 598
    groups = quality.by_group(DataFrame({"sex": ["female"] * 300 + ["male"] * 600}), Series(bad, dtype="boolean"), [SEX]).to_dict("records")
    tree = {"alarm": True, "sentence": "Three questions give it away."}
    report = {"groups": groups, "tree": tree}
    made = labels.LabelSet("L1", "kmeans", "cluster", 1, 2, 900, 0.02, True, True, report, datetime(2026, 1, 1), "ann")
    said = labels.warnings(made)
    assert said[0] == tree["sentence"]
    assert said[1].startswith("Sex female: 6.7 % of 300 are labelled bad (95 % confidence 4.4 to 10.1 %), 20 times everybody else's share")
    assert "three questions about its predictors give the proxy label back" in str(labels.banner(made))
