"""Figures computed by hand or taken from the literature, and the properties they must have on anything."""

from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from creditrisk import metrics

BAD = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1]
PD = [0.05, 0.1, 0.15, 0.2, 0.4, 0.6, 0.3, 0.55, 0.7, 0.9]
NUMBERS = arrays(np.float64, st.integers(1, 60), elements=st.one_of(st.floats(-1e9, 1e9), st.just(nan)))


def simulated(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(2 - random.normal(size=n)))
    return (random.random(n) < p).astype(float), p


def test_golden_figures():
    assert metrics.auc(BAD, PD) == pytest.approx(0.875, abs=1e-15)
    assert metrics.gini(BAD, PD) == pytest.approx(0.75, abs=1e-15)
    assert metrics.ks(BAD, PD) == pytest.approx(2 / 3, abs=1e-15)
    assert metrics.brier(BAD, PD) == pytest.approx(0.13875, abs=1e-15)
    assert metrics.log_loss(BAD, PD) == pytest.approx(0.42332779111756225, abs=1e-14)
    assert metrics.brier_skill(BAD, PD) == pytest.approx(1 - 0.13875 / 0.24)


def test_ties_count_half():
    assert metrics.auc([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5]) == 0.5
    assert metrics.auc([0, 1, 1], [0.2, 0.2, 0.7]) == 0.75


def test_order_of_rows_does_not_matter():
    bad, p = simulated(300)
    shuffled = np.random.default_rng(1).permutation(300)
    assert metrics.auc(bad, p) == metrics.auc(bad[shuffled], p[shuffled])
    assert metrics.ks(bad, p) == metrics.ks(bad[shuffled], p[shuffled])


def test_a_weight_counts_as_rows():
    weight = [1, 2, 1, 3, 1, 1, 2, 1, 1, 2]
    for metric in (metrics.auc, metrics.ks, metrics.brier, metrics.log_loss, metrics.brier_skill):
        assert metric(BAD, PD, weight) == pytest.approx(metric(np.repeat(BAD, weight), np.repeat(PD, weight)))


@pytest.mark.parametrize("bad", [[0, 0, 0], [1, 1, 1], []])
def test_one_class_is_not_a_number_and_never_an_error(bad):
    report = metrics.report(bad, [0.1, 0.2, 0.3][: len(bad)], bootstraps=5)
    assert report["n"] == len(bad)
    assert all(isnan(report["auc"][key]) for key in ("value", "low", "high"))
    assert isnan(report["gini"])
    assert isnan(report["ks"])
    assert isnan(report["calibration_slope"])
    assert not report["auc"]["value"] >= 0.5  # a gate written so refuses it


def test_a_probability_that_is_missing_spoils_the_figure_not_the_programme():
    report = metrics.report([0, 1, 0, 1], [0.1, nan, 0.3, 0.2], bootstraps=5)
    assert all(isnan(report[key]) for key in ("gini", "ks", "log_loss", "calibration_slope", "ece"))


def test_report_is_quick_and_its_intervals_hold_the_value():
    bad, p = simulated(25_000)
    report = metrics.report(bad, p, bootstraps=50)
    for figure in (report["auc"], report["brier"]):
        assert figure["low"] < figure["value"] < figure["high"]
    assert report["gini_low"] == 2 * report["auc"]["low"] - 1
    assert report == metrics.report(bad, p, bootstraps=50)


def test_the_bootstrap_is_as_wide_as_the_textbook_says():
    bad, p = simulated(500)  # Hanley and McNeil's standard error for this AUC and these counts is about 0.028
    low, high = metrics.bootstrap(metrics.auc, bad, p, 500, 7)
    assert (high - low) / (2 * 1.96) == pytest.approx(0.028, abs=0.007)


def test_calibration_recovers_what_was_done_to_the_log_odds():
    bad, p = simulated(60_000)
    margin = np.log(p) - np.log1p(-p)
    line = metrics.calibration(bad, 1 / (1 + np.exp(-(margin - 0.5) / 0.5)))
    assert line.slope == pytest.approx(0.5, abs=0.03)
    assert line.intercept == pytest.approx(0.5, abs=0.06)
    assert metrics.calibration(bad, p).in_the_large == pytest.approx(0, abs=0.01)


def test_calibration_is_undefined_where_good_and_bad_part_perfectly():
    line = metrics.calibration([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    assert isnan(line.slope)
    assert isnan(line.intercept)
    assert line.in_the_large == pytest.approx(0.0)


def test_ece_of_ten_equal_bins():
    assert metrics.ece([0] * 9 + [1], [0.1] * 10, bins=1) == pytest.approx(0.0)
    assert metrics.ece([0] * 10, [0.25] * 10) == pytest.approx(0.25)
    table = metrics.calibration_table(*simulated(1000))
    assert table["n"].tolist() == [100] * 10
    assert table["mean_pd"].is_monotonic_increasing


def test_weight_of_evidence():
    evidence, value = metrics.woe([200, 300, 400], [40, 30, 10], smoothing=0)
    assert evidence == pytest.approx([-0.81093, -0.117783, 1.268511], abs=1e-5)
    assert value == pytest.approx(0.635385, abs=1e-6)
    assert np.isfinite(metrics.woe([10, 0], [0, 10])[0]).all()


@given(st.integers(0, 500), st.integers(1, 500))
def test_wilson_holds_the_share_and_stays_in_range(k, n):
    low, high = metrics.wilson(min(k, n), n)
    assert 0 <= low <= min(k, n) / n + 1e-12
    assert min(k, n) / n - 1e-12 <= high <= 1


def test_wilson_of_nothing():
    assert all(isnan(end) for end in metrics.wilson(0, 0))
    assert metrics.wilson(5, 10) == pytest.approx((0.236593, 0.763407), abs=1e-6)


def test_lift_table_catches_all_bads_in_the_end():
    bad, p = simulated(1003)
    table = metrics.lift_table(bad, p)
    assert table["n"].sum() == 1003
    assert table["n_bad"].sum() == bad.sum()
    assert table["gain"].iloc[-1] == pytest.approx(1)
    assert table["lift"].iloc[0] > table["lift"].iloc[-1]
    assert table["bin"].tolist() == list(range(1, 11))
    assert metrics.lift_table([0, 0], [0.1, 0.2])["lift"].isna().all()


def test_roc_area_is_the_auc():
    bad, p = simulated(400)
    curve = metrics.roc(bad, np.round(p, 2))
    area = np.trapezoid(curve["true_positive_rate"], curve["false_positive_rate"])
    assert area == pytest.approx(metrics.auc(bad, np.round(p, 2)))
    assert metrics.roc([1, 1], [0.1, 0.2]).empty


def test_confusion_adds_up():
    cells = metrics.confusion(BAD, PD, 0.5)
    assert (cells["true_bad"], cells["false_bad"], cells["true_good"], cells["false_good"]) == (3, 1, 5, 1)
    assert cells["recall"] == 0.75
    assert cells["share_approved"] == 0.6
    assert isnan(metrics.confusion([], [], 0.5)["recall"])


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5)), min_size=1, max_size=25))
def test_auc_is_the_share_of_pairs_in_order(rows):
    bad, p = [row[0] for row in rows], [row[1] / 5 for row in rows]
    pairs = [
        (b > g) + (b == g) / 2 for b, is_bad in zip(p, bad, strict=True) if is_bad for g, other in zip(p, bad, strict=True) if not other
    ]
    found = metrics.auc(bad, p)
    assert isnan(found) if not pairs else found == pytest.approx(np.mean(pairs))


def test_average_precision_and_the_error_of_an_auc_agree_with_other_readers():
    from sklearn.metrics import average_precision_score

    random = np.random.default_rng(5)
    p = random.random(600).round(2)  # with ties
    bad = (random.random(600) < p).astype(float)
    weight = random.random(600)
    assert metrics.pr_auc(bad, p, weight) == pytest.approx(average_precision_score(bad, p, sample_weight=weight))
    low, high = metrics.bootstrap(metrics.auc, bad, p, 400)
    assert metrics.auc_error(bad, p) == pytest.approx((high - low) / 2 / metrics.Z, rel=0.15)
    assert isnan(metrics.auc_error([0, 0, 1], [0.1, 0.2, 0.3]))


def test_the_cross_validated_auc_is_the_mean_of_its_folds():
    random = np.random.default_rng(6)
    p = random.random(1_000)
    bad = (random.random(1_000) < p).astype(float)
    fold = np.arange(1_000) % 5
    found = metrics.cross_validated(bad, p, fold)
    areas = [metrics.auc(bad[fold == number], p[fold == number]) for number in range(5)]
    assert (found["folds"], found["mean"], found["sd"]) == (areas, np.mean(areas), np.std(areas, ddof=1))
    assert (found["k"], found["n"], found["n_bad"]) == (5, 1_000, int(bad.sum()))
    whole = metrics.auc_error(bad, p)
    assert (found["high"] - found["low"]) / 2 / metrics.Z == pytest.approx(whole, rel=0.1)  # five fifths say as much as the whole
    one = metrics.cross_validated(bad, np.where(fold == 0, p, nan), np.where(fold == 0, 0, -1))
    assert (one["k"], one["n"], one["mean"]) == (1, 200, areas[0])
    assert isnan(one["sd"])
    nothing = metrics.cross_validated([0, 0], [0.1, 0.2], [0, 1])
    assert isnan(nothing["mean"])
    assert isnan(nothing["low"])


def test_every_figure_of_a_report_has_its_interval_or_a_sentence():
    random = np.random.default_rng(7)
    p = random.random(800)
    found = metrics.report(random.random(800) < p, p, bootstraps=100)
    for name in ("gini", "ks", "pr_auc", "brier_skill", "log_loss", "ece", "calibration_slope", "calibration_in_the_large"):
        assert found[f"{name}_low"] < found[f"{name}_high"]
    for name in ("gini", "ks", "pr_auc", "brier_skill", "log_loss", "calibration_slope", "calibration_intercept"):
        assert found[f"{name}_low"] <= found[name] <= found[f"{name}_high"]
    assert found["sentences"] == []
    alone = metrics.report([0, 0, 0], [0.1, 0.2, 0.3])
    assert isnan(alone["auc"]["value"])
    assert alone["sentences"] == ["Nothing can be said of the ranking: all 3 rows measured are good, or a probability is missing."]
    flat = metrics.report([0, 1, 0, 1], [0.5] * 4)
    assert flat["auc"]["value"] == 0.5
    assert "no slope" in flat["sentences"][0]


def test_the_classification_report_agrees_with_another_reader():
    from sklearn.metrics import classification_report

    found = metrics.classification(BAD, PD, 0.5)
    other = classification_report(BAD, np.array(PD) >= 0.5, output_dict=True, target_names=["good", "bad"])
    for kind in ("good", "bad"):
        for name, theirs in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score"), ("n", "support")):
            assert found[kind][name] == pytest.approx(other[kind][theirs])
    assert found["accuracy"] == pytest.approx(other["accuracy"])
