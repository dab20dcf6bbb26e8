"""The parts of a table: an applicant, with however many rows, is never both learned from and tested on."""

import numpy as np
import pytest
from pandas import DataFrame, Series, concat, to_datetime

from creditrisk import split
from creditrisk.errors import InvalidInput


def cohorts(n: int = 400, rows: int = 3) -> DataFrame:
    """`n` applicants with `rows` dates each; the later ones are bad more often, some are unlabelled."""
    random = np.random.default_rng(2)
    names = np.repeat([f"A{number:04}" for number in range(n)], rows)
    days = (
        to_datetime("2026-01-01")
        + to_datetime(np.tile(np.arange(rows) * 30, n), unit="D", origin="unix").to_series().sub(to_datetime(0)).to_numpy()
    )
    bad = Series(random.random(n * rows) < 0.2, dtype="boolean").mask(random.random(n * rows) < 0.1)
    return DataFrame({"applicant_id": names, "as_of": days, "bad": bad})


def sides(table: DataFrame, is_test: np.ndarray) -> tuple[set[str], set[str]]:
    learned = ~is_test & ~split.left_out(table, is_test)
    return set(table["applicant_id"][learned]), set(table["applicant_id"][is_test])


def test_no_applicant_is_on_both_sides_of_any_split() -> None:
    table = cohorts()
    parts = [split.at_random(table, 0.25, 7), split.by_time(table, 0.25), split.by_name(table, {"A0001", "A0007"}, "mine.csv")]
    for is_test in parts:
        learned, tested = sides(table, is_test)
        assert tested
        assert not learned & tested


def test_a_random_split_keeps_about_the_share_of_people_of_each_kind() -> None:
    table = cohorts(2_000, rows=2)
    marked = split.at_random(table, 0.25, 7)
    assert not split.left_out(table, marked).any()
    worst = (
        table.assign(marked=marked, value=table["bad"].map({True: 2, False: 1}).fillna(0))
        .groupby("applicant_id")
        .agg({"value": "max", "marked": "first"})
    )
    for kind in (1, 2):
        assert worst.loc[worst["value"] == kind, "marked"].mean() == pytest.approx(0.25, abs=0.05)
    assert (split.at_random(table, 0.25, 8) != marked).any()


def test_whoever_is_tested_once_is_tested_always() -> None:
    """Neither newcomers, nor another order, nor a verdict move anybody, so nobody held out ever teaches a later run."""
    table = cohorts(300)
    before = dict(zip(table["applicant_id"], split.at_random(table, 0.25, 7), strict=True))
    judged = table.assign(bad=~table["bad"].fillna(True)).sample(frac=1, random_state=1)
    later = concat([judged, cohorts(200).assign(applicant_id=lambda rows: "B" + rows["applicant_id"])], ignore_index=True)
    after = dict(zip(later["applicant_id"], split.at_random(later, 0.25, 7), strict=True))
    assert {name: after[name] for name in before} == before
    names = list(before)
    assert split.held_out(names, 0.25, 7).tolist() == list(before.values())
    wider = split.held_out(names, 0.4, 7)
    assert wider[list(before.values())].all(), "a larger part holds the smaller one"


def test_a_kind_is_never_wholly_on_one_side() -> None:
    for seed in range(30):
        table = DataFrame({"applicant_id": [f"A{number}" for number in range(60)], "bad": [number < 4 for number in range(60)]})
        marked = split.at_random(table, 0.25, seed)
        for kind in (True, False):
            assert 0 < marked[table["bad"] == kind].sum() < (table["bad"] == kind).sum()


def test_a_time_split_leaves_earlier_rows_of_the_tested_out() -> None:
    table = cohorts(rows=2)
    is_test = split.by_time(table, 0.5)
    assert table["as_of"][is_test].min() > table["as_of"][~is_test].max()
    assert split.left_out(table, is_test).sum() == is_test.sum()  # everybody applied twice


def test_a_file_of_strangers_or_of_everybody_is_refused() -> None:
    table = cohorts(20)
    with pytest.raises(InvalidInput, match=r"mine.csv names 2 of 3 applicants that the label set does not have \(B1, B2\)"):
        split.by_name(table, {"A0001", "B1", "B2"}, "mine.csv")
    with pytest.raises(InvalidInput, match="nobody would be left"):
        split.by_name(table, set(table["applicant_id"]), "mine.csv")


def test_folds_keep_a_person_together_and_spread_the_bad() -> None:
    table = cohorts()
    bad = table["bad"].fillna(False).to_numpy(float)
    fold = split.parted(bad, 5, 3, table["applicant_id"].to_numpy(str))
    assert table.assign(fold=fold).groupby("applicant_id")["fold"].nunique().eq(1).all()
    ever = table.assign(bad=bad, fold=fold).groupby("applicant_id").agg({"bad": "max", "fold": "first"})
    counts = ever[ever["bad"] == 1]["fold"].value_counts()
    assert counts.max() - counts.min() <= 1
    assert set(split.parted(np.array([0.0, 0.0, 1.0, 1.0]), 5, 3)) == {0, 1}  # as many folds as the smaller class has rows
