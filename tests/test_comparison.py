"""Two models beside each other: the same applicants, figures with intervals, what differs for sure, who moves, whose reasons change."""

import numpy as np
import pytest

from creditrisk import comparison, metrics, policy, registry
from creditrisk.errors import InvalidInput, SchemaMismatch, UnknownThing
from creditrisk.schema import Schema
from creditrisk.store import Store
from tests.test_training import trained  # noqa: F401


@pytest.fixture(scope="module")
def beside(trained: Store) -> comparison.Comparison:  # noqa: F811
    return comparison.compare(trained, "M0001", "M0003")


def test_figures_stand_side_by_side_as_they_were_measured(trained: Store, beside: comparison.Comparison) -> None:  # noqa: F811
    kept = [registry.get(trained, name)["metrics"]["cluster"] for name in ("M0001", "M0003")]
    line = beside.figures.query("source == 'cluster' and measure == 'auc'").iloc[0]
    assert [line["one"], line["one_low"], line["one_high"]] == [kept[0]["auc"][end] for end in ("value", "low", "high")]
    assert [line["other"], line["other_low"], line["other_high"]] == [kept[1]["auc"][end] for end in ("value", "low", "high")]
    distance = beside.figures.query("source == 'cluster' and measure == 'ks'").iloc[0]
    assert distance["one_low"] == kept[0]["ks_low"]


def test_differences_are_paired_over_the_same_rows_and_say_whether_they_are_sure(trained: Store, beside: comparison.Comparison) -> None:  # noqa: F811
    ours, theirs = (registry.table(trained, name, "test").dropna(subset=["bad"]) for name in ("M0001", "M0003"))
    assert beside.n == len(ours)
    line = beside.differences.set_index("measure").loc["auc"]
    bad = ours["bad"].to_numpy(float)
    assert line["value"] == pytest.approx(metrics.auc(bad, ours["pd"]) - metrics.auc(bad, theirs["pd"]))
    assert line["low"] <= line["value"] <= line["high"]
    for row in beside.differences.to_dict("records"):
        is_sure = row["low"] > 0 or row["high"] < 0
        assert (row["finding"] != "within chance") == is_sure
    constant = comparison.compare(trained, "M0001", "M0005").differences.set_index("measure")
    assert constant.loc["auc", "finding"] == "better"
    assert constant.loc["brier", "finding"] == "better"
    assert constant.loc["brier", "value"] < 0
    other_way = comparison.compare(trained, "M0005", "M0001").differences.set_index("measure")
    assert other_way["finding"].tolist() == ["worse"] * 3


def test_everybody_is_on_one_side_of_each_cut_off_and_reasons_are_those_of_the_declined(
    trained: Store,  # noqa: F811
    beside: comparison.Comparison,
) -> None:
    assert beside.swaps["n"].sum() == 500
    approved_by_both = int(beside.swaps.query("champion == 'approve' and challenger == 'approve'")["n"].sum())
    assert beside.n_declined == 500 - approved_by_both
    assert 0 < beside.n_same <= beside.n_declined
    assert len(beside.changed) == min(comparison.SHOWN, beside.n_declined - beside.n_same)
    assert beside.reasons[["n_one", "n_other"]].to_numpy().max() <= beside.n_declined
    names = {feature.name for feature in trained.schema}
    assert not names & set(beside.reasons["title"])
    assert policy.cutoff(trained.settings.policy) < 1


def test_what_cannot_be_compared_is_a_sentence(monkeypatch: pytest.MonkeyPatch, trained: Store) -> None:  # noqa: F811
    with pytest.raises(InvalidInput, match="not with itself"):
        comparison.compare(trained, "M0001", "M0001")
    with pytest.raises(UnknownThing, match="M0099"):
        comparison.compare(trained, "M0001", "M0099")
    monkeypatch.setattr(trained, "schema", Schema("other", trained.schema.features[1:]))
    with pytest.raises(SchemaMismatch, match="M0001 was made for another schema"):
        comparison.compare(trained, "M0001", "M0003")


def test_models_of_different_label_sets_have_no_common_truth(monkeypatch: pytest.MonkeyPatch, trained: Store) -> None:  # noqa: F811
    found, n, _ = comparison._differences(trained, registry.get(trained, "M0001"), {**registry.get(trained, "M0003"), "label_set_id": "L9"})
    assert (len(found), n) == (0, 0)
    assert np.isnan(comparison._interval({"auc": {"value": 0.5, "low": None, "high": None}}, "auc")[1])
