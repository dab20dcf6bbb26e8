"""Explanations as files: what was kept with the model, pictures that open, words instead of column names."""

from pathlib import Path

import numpy as np
import pytest
from pandas import read_parquet
from PIL import Image

from creditrisk import album, registry
from creditrisk.errors import InvalidInput, UnknownThing
from creditrisk.store import Store
from tests.test_training import trained  # noqa: F401


def test_every_test_row_is_explained_and_the_pictures_open(trained: Store, tmp_path: Path) -> None:  # noqa: F811
    made = album.explain(trained, "M0001", tmp_path / "out", plots=2, partials=["days_negative_90d"])
    assert [line["kind"] for line in made] == [
        *("contributions", "summary", "summary", "waterfall", "waterfall", "dependence", "dependence", "partial dependence")
    ]
    kept, scored = (registry.table(trained, "M0001", name) for name in ("contributions", "test"))
    assert read_parquet(made[0]["file"]).equals(kept)
    for line in made[1:]:
        with Image.open(line["file"]) as picture:
            assert min(picture.size) > 300
    riskiest = scored.sort_values("margin", ascending=False, kind="stable").iloc[0]
    assert made[3]["title"] == f"{riskiest['applicant_id']}: risk (proxy) {100 * riskiest['pd']:.1f} %"
    names = [feature.name for feature in trained.schema]
    assert not [line["title"] for line in made if any(name in line["title"] for name in names)]


def test_the_rows_of_a_test_part_are_the_ones_that_were_scored(trained: Store) -> None:  # noqa: F811
    scored = registry.table(trained, "M0002", "test")
    rows = album.tested(trained, "M0002")
    assert rows["applicant_id"].tolist() == scored["applicant_id"].tolist()
    assert registry.load(trained, "M0002").margin(rows).tolist() == scored["margin"].tolist()


def test_partial_dependence_of_a_value_is_the_mean_risk_of_rows_that_have_it(trained: Store) -> None:  # noqa: F811
    fitted, rows = registry.load(trained, "M0001"), album.tested(trained, "M0001")
    feature = trained.schema["days_negative_90d"]
    table = album.partial(fitted, rows, feature)
    value = table["value"].iloc[-1]
    all_of_them = fitted.prob_default(rows.assign(**{feature.name: value}))
    assert table[table["value"] == value]["pd"].mean() == pytest.approx(all_of_them.mean(), abs=0.1)
    mean = table.groupby("value")["pd"].mean()
    assert (np.diff(mean) >= -1e-12).all()  # the model keeps to the declared sign
    assert mean.iloc[-1] > mean.iloc[0]


def test_what_cannot_be_drawn_is_a_sentence(trained: Store, tmp_path: Path) -> None:  # noqa: F811
    with pytest.raises(UnknownThing, match="M0099"):
        album.explain(trained, "M0099", tmp_path)
    with pytest.raises(InvalidInput, match="does not read 'shoe_size'"):
        album.explain(trained, "M0001", tmp_path, partials=["shoe_size"])
    with pytest.raises(InvalidInput, match="Between 0 and 100"):
        album.explain(trained, "M0001", tmp_path, plots=-1)
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="cannot be made"):
        album.explain(trained, "M0001", tmp_path / "file" / "under")


def test_what_was_kept_adds_up_row_by_row(trained: Store) -> None:  # noqa: F811
    for name in ("M0001", "M0002", "M0003"):
        found = album.kept(trained, name)
        total = found.base + found.parts.sum(axis=1)
        assert np.abs(total - found.scored["margin"]).max() < 1e-4
        sizes = found.parts.abs().mean()
        assert sizes.is_monotonic_decreasing
        who = found.scored["applicant_id"].iloc[3]
        steps = album.steps(trained, found, who)
        assert found.base + steps["contribution"].sum() == pytest.approx(found.scored["margin"].iloc[3], abs=1e-4)
        assert not set(steps["title"]) & {feature.name for feature in trained.schema}
    with pytest.raises(UnknownThing, match="Only applicants of the model's test part"):
        found.place("nobody")


def test_a_swarm_has_a_dot_for_each_row_and_feature(trained: Store) -> None:  # noqa: F811
    found = album.kept(trained, "M0001")
    dots = album.swarm(found, most=50)
    assert dots.groupby("feature").size().eq(50).all()
    assert dots["feature"].nunique() == album.SWARMED
    assert dots["height"].abs().max() <= 0.4
    assert dots["rank"].dropna().between(0, 1).all()
    one = dots[dots["feature"] == found.features[0].name].iloc[0]
    assert one["contribution"] == found.parts[found.features[0].name].iloc[found.place(one["applicant_id"])]


def test_dependence_pairs_each_value_with_what_it_added(trained: Store) -> None:  # noqa: F811
    found = album.kept(trained, "M0001")
    name = found.features[0].name
    table = album.dependence(found, name)
    assert table["contribution"].tolist() == found.parts[name].tolist()
    assert len(album.dependence(found, name, most=10)) == 10
    with pytest.raises(UnknownThing, match="shoe_size"):
        album.dependence(found, "shoe_size")
    with pytest.raises(InvalidInput, match="only a scorecard has bins"):
        album.bins(trained, "M0001")
