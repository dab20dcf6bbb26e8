"""What a column of the ML-ready table looks like, how outcomes go with it, and that an export loses nothing."""

from dataclasses import replace
from datetime import date
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from zipfile import ZipFile

import duckdb
import numpy as np
import pytest
from pandas import DataFrame, read_csv, read_parquet
from pandas.testing import assert_frame_equal

from creditrisk import applicants, charts, dictionary, features, labels, policy, rows, schema, scoring, tables, tabular
from creditrisk import store as stores
from creditrisk.errors import InvalidInput, NothingYet, UnknownThing
from creditrisk.store import Store
from tests.test_tables import portfolio


@pytest.fixture
def imported(store: Store) -> Store:
    frame = portfolio(500)
    frame.loc[:49, "income"] = np.nan
    table = tables.join({"loans.csv": frame})
    tables.save(store, table, tables.propose(table, target="status").schema, user="ann", target="status")
    return store


def test_every_column_is_described(imported: Store) -> None:
    found = dictionary.columns(imported).set_index("name")
    assert found.index.tolist() == [feature.name for feature in imported.schema]
    assert found.loc["income", "missing"] == pytest.approx(0.1)
    assert found.loc["times_late", "auc"] > 0.65
    assert found.loc["home", "auc"] == pytest.approx(0.5, abs=0.08)
    assert found.loc["times_late", "iv"] > found.loc["home", "iv"]
    assert (found["n_outcomes"] == 500).all()


@pytest.mark.parametrize("name", ["income", "times_late", "home"])
def test_bins_hold_everybody_once_and_add_up(imported: Store, name: str) -> None:
    found = dictionary.bins(imported, name)
    assert found["n"].sum() == 500
    assert found["n_bad"].sum() == 100
    assert found["share"].sum() == pytest.approx(1)
    assert ((found["rate_low"] <= found["bad_rate"]) & (found["bad_rate"] <= found["rate_high"])).all()
    for row in found.to_dict("records"):
        assert len(dictionary.members(imported, name, row["bin"])) == row["n"]


def test_the_template_holds_what_models_read_and_its_example_passes_the_checks(imported: Store, tmp_path: Path) -> None:
    beside = dictionary.write_template(imported, tmp_path / "fill.csv")
    given = tabular.load(tmp_path / "fill.csv", imported.settings.intake)
    assert given.columns.tolist() == ["applicant_id", "as_of", *(feature.name for feature in imported.schema.predictors)]
    checked, problems = rows.check(imported.schema, given, complete=True)
    assert problems == []
    assert checked["times_late"].item() == features.table(imported)["times_late"].median()
    explained = read_csv(beside).set_index("column")
    assert explained.index.tolist() == given.columns.tolist()
    assert explained.loc["home", "what"] == "one of: none; own; rent"
    assert explained.loc["times_late", "what"].startswith("a whole number from 0 to ")


def test_whoever_fills_the_template_in_is_recommended_something(filled: Store) -> None:
    given = dictionary.template(filled)
    assert {"observed_days", "unreconciled_balance_flag", "uncategorised_amount_share_90d"} <= set(given.columns)
    assert set(given.columns) == set(dictionary.allowed(filled)["column"])
    (made,) = scoring.score_values(filled, given, user="ann", channel="test", keep=False)
    assert made.is_sure
    lost = given.drop(columns="observed_days")
    assert policy.unsaid(filled.settings.policy, filled.schema, set(given.columns)) == []
    (said,) = policy.unsaid(filled.settings.policy, filled.schema, set(lost.columns))
    assert "observed_days" in said
    assert not scoring.score_values(filled, lost, user="ann", channel="test", keep=False)[0].is_sure
    strict = replace(filled.settings.policy, knock_outs={"gambling_to_income_90d": "> 0.5"})
    assert any("cannot be checked" in each for each in policy.unsaid(strict, filled.schema, {"observed_days"}))


def test_a_workspace_without_anybody_has_a_template_too(store: Store) -> None:
    checked, problems = rows.check(store.schema, dictionary.template(store), complete=True)
    assert (len(checked), problems) == (1, [])


def test_bins_of_whole_numbers_do_not_overlap(imported: Store) -> None:
    names = [name for name in dictionary.bins(imported, "income")["bin"] if name != "not known"]
    ends = [[int(end.replace(",", "")) for end in name.split(" to ")] for name in names]
    assert all(before[-1] < after[0] for before, after in pairwise(ends))


def test_without_outcomes_nothing_is_said_of_them(store: Store) -> None:
    table = tables.join({"loans.csv": portfolio(100).drop(columns="status")})
    tables.save(store, table, tables.propose(table).schema, user="ann")
    found = dictionary.columns(store)
    assert found["iv"].isna().all()
    assert found["auc"].isna().all()
    assert dictionary.bins(store, "income")["bad_rate"].isna().all()


def test_columns_that_move_together_are_found(imported: Store) -> None:
    first = dictionary.related(imported).iloc[0]
    assert {first["one"], first["other"]} == {"loan_amount", "loan_to_income"}
    assert first["correlation"] > 0.5


def test_of_very_many_some_are_drawn_and_the_answer_says_how_many(imported: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = dictionary.related(imported).iloc[0]
    monkeypatch.setattr(dictionary, "RANKED", 200)
    drawn = dictionary.related(imported)
    assert drawn.equals(dictionary.related(imported)), "the same ones at every call"
    assert drawn.iloc[0]["n"] <= 200 < whole["n"]
    assert drawn.iloc[0]["correlation"] == pytest.approx(whole["correlation"], abs=0.15)


def test_every_value_lies_in_the_bin_that_holds_it(imported: Store) -> None:
    for feature in imported.schema:
        found = dictionary.bins(imported, feature.name)
        assert found["n"].sum() == dictionary.columns(imported)["n"].max()
        for row in found.to_dict("records"):
            if row["n"] <= 500:
                held = dictionary.members(imported, feature.name, row["bin"])[feature.name]
                assert len(held) == row["n"]
                assert held.isna().all() == (row["bin"] == dictionary.MISSING)
                assert not feature.is_numeric or row["low"] != row["low"] or held.between(row["low"], row["high"]).all()


def test_of_two_concepts_the_strongest_pair_stands_for_all(store: Store) -> None:
    random = np.random.default_rng(2)
    late, debt = random.poisson(3, 300), random.normal(0, 1, 300)
    frame = DataFrame({"id": range(300), "PAY_1": late, "PAY_2": late + random.poisson(1, 300), "PAY_3": late, "debt": late + debt})
    table = tables.join({"a.csv": frame.assign(noise=random.normal(0, 1, 300))})
    tables.save(store, table, tables.propose(table).schema, user="ann")
    pairs = [{row["one"].partition("_")[0], row["other"].partition("_")[0]} for row in dictionary.related(store).to_dict("records")]
    assert pairs[0] == {"PAY", "debt"}
    assert all(len(pair) == 2 and pairs.count(pair) == 1 for pair in pairs)


def test_twins_and_what_lies_beyond_the_schema_are_to_be_looked_at(imported: Store) -> None:
    assert dictionary.doubts(imported).empty
    frame = portfolio(500)
    frame.loc[400:402, frame.columns[1:]] = frame.loc[7, frame.columns[1:]].to_numpy()
    frame.loc[410, frame.columns[1:-1]] = np.nan
    frame.loc[411, frame.columns[1:-1]] = np.nan
    tables.save(imported, tables.join({"loans.csv": frame}), imported.schema, user="ann")
    with imported.write("ann", "test", "applicant") as cursor:  # a figure that a later schema does not allow
        cursor.execute("update applicant set times_late = 1e9, home = 'castle' where applicant_id = 'C0001'")
    found = dictionary.doubts(imported).set_index("doubt")["n"].to_dict()
    assert found == {dictionary.TWINS: 4, "times_late": 1, "home": 1}
    alike = dictionary.doubtful(imported, dictionary.TWINS)
    assert (alike["twin"].tolist(), alike["applicant_id"].tolist()) == ([1] * 4, ["C0007", "C0400", "C0401", "C0402"])
    assert dictionary.doubtful(imported, "home")["applicant_id"].tolist() == ["C0001"]
    with pytest.raises(UnknownThing):
        dictionary.doubtful(imported, "wage")


def test_outcomes_come_of_age_by_the_day_of_the_figures(store: Store) -> None:
    frame = portfolio(120).drop(columns="status").assign(day=["2024-03-01"] * 60 + [str(stores.now().date())] * 60)
    table = tables.join({"loans.csv": frame})
    tables.save(store, table, tables.propose(table, as_of="day").schema, user="ann", as_of="day")
    seen = DataFrame({"applicant_id": [f"C{n:04d}" for n in range(50)], "observed_bad": [n < 10 for n in range(50)]})
    days = ["2024-03-01"] * 5 + ["2024-09-01"] * 45  # the first five were known on the day itself
    counts = applicants.record_outcomes(store, seen.assign(observed_on=[date.fromisoformat(day) for day in days]), user="ann")
    assert counts == {"matched": 50, "unmatched": 0, "known_already": 5}
    old, new = dictionary.maturity(store).to_dict("records")
    assert [old[name] for name in ("cohort", "n", "n_outcomes", "n_bad", "n_early", "n_young", "n_open")] == [
        "2024 H1",
        60,
        45,
        5,
        5,
        0,
        10,
    ]
    assert (old["bad_rate"], old["days"]) == (pytest.approx(5 / 45), 184)
    assert (new["n"], new["n_young"], new["n_open"]) == (60, 60, 0)
    assert dictionary.bins(store, "home")["n_outcomes"].sum() == 45
    assert "45 of 120 applicants have an outcome" in charts.maturity(dictionary.maturity(store)).layout.title.text
    assert labels.observed(store, user="ann").n == 45


@pytest.mark.parametrize("kind", ["parquet", "csv", "duckdb"])
def test_an_export_loses_nothing(imported: Store, tmp_path: Path, kind: str) -> None:
    target = tmp_path / f"portfolio.{kind}"
    assert dictionary.export(imported, target) == 500
    wanted = features.table(imported)
    if kind == "duckdb":
        with duckdb.connect(str(target), read_only=True) as made:
            got = made.execute("from applicant order by applicant_id").df()
            assert made.execute("select count(*) from dictionary").fetchall() == [(len(imported.schema.features),)]
            assert made.execute("select count(*) filter (where observed_bad) from outcome").fetchall() == [(100,)]
    else:
        got = read_parquet(target) if kind == "parquet" else read_csv(target)
        assert schema.parse(target.with_suffix(".schema.toml").read_text()) == imported.schema
        assert len(read_csv(target.with_suffix(".dictionary.csv"))) == len(imported.schema.features)
    assert_frame_equal(got.drop(columns="as_of"), wanted.drop(columns="as_of"), check_dtype=False)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_an_export_to_take_away_holds_schema_and_dictionary(imported: Store, tmp_path: Path) -> None:
    for kind, read in ((".parquet", read_parquet), (".csv", read_csv)):
        with ZipFile(BytesIO(dictionary.packed(imported, kind))) as folder:
            assert folder.namelist() == sorted([f"applicants{kind}", "applicants.dictionary.csv", "applicants.schema.toml"])
            assert len(read(BytesIO(folder.read(f"applicants{kind}")))) == 500
            assert schema.parse(folder.read("applicants.schema.toml").decode()) == imported.schema
    (tmp_path / "applicants.duckdb").write_bytes(dictionary.packed(imported, ".duckdb"))
    with duckdb.connect(str(tmp_path / "applicants.duckdb"), read_only=True) as made:
        assert made.execute("select count(*) from applicant").fetchall() == [(500,)]
        assert made.execute("select count(*) from dictionary").fetchall() == [(len(imported.schema.features),)]


def test_what_is_not_there_is_said(imported: Store, store: Store, tmp_path: Path) -> None:
    with pytest.raises(UnknownThing):
        dictionary.bins(imported, "wage")
    with pytest.raises(InvalidInput, match="has no bin"):
        dictionary.members(imported, "home", "castle")
    with pytest.raises(InvalidInput, match=r"should end in \.parquet"):
        dictionary.export(imported, tmp_path / "x.doc")


def test_an_empty_workspace_has_no_columns_yet(store: Store) -> None:
    with pytest.raises(NothingYet):
        dictionary.columns(store)
