"""Invented applicants are like the real ones, marked for ever, counted nowhere, and gone when somebody says so."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pandas import DataFrame, read_parquet

from creditrisk import applicants, augment, copula, dictionary, features, labels, plan, registry, tables, training
from creditrisk.errors import InvalidInput, NotEnoughData, NothingYet
from creditrisk.schema import Schema
from creditrisk.store import Store
from tests.test_tables import portfolio


def keep(store: Store, frame: DataFrame) -> None:
    table = tables.join({"loans.csv": frame})
    proposal = tables.propose(table, target="status").schema
    said = '[[feature]]\nname = "loan_to_income"\nformula = "loan_amount / income"\n'
    tables.save(store, table, tables.declared(said, proposal, "mine.toml"), user="ann", target="status")


@pytest.fixture
def imported(store: Store) -> Store:
    frame = portfolio(2_000)
    frame.loc[frame["times_late"] > 1, "home"] = "rent"
    frame.loc[frame["home"] == "rent", "income"] *= np.where(np.arange((frame["home"] == "rent").sum()) % 3, 1.0, np.nan)
    keep(store, frame)
    return store


def test_marginals_and_rank_correlations_are_kept(imported: Store) -> None:
    assert augment.invent(imported, 10_000, user="ann") == 8_000
    like = augment.likeness(imported)
    assert (like.n_real, like.n_invented, augment.count(imported)) == (2_000, 8_000, 8_000)
    assert like.columns["psi"].max() < 0.02
    assert like.columns["ks"].max() < 0.05
    assert like.change < 0.08
    real, made = (part[["income", "loan_amount"]].rank().corr().iloc[0, 1] for part in (features.table(imported), augment.table(imported)))
    pair = like.pairs[like.pairs["one"].isin(["Income", "Loan amount"]) & like.pairs["other"].isin(["Income", "Loan amount"])]
    assert pair[["real", "invented"]].to_numpy().ravel() == pytest.approx([real, made])
    furthest = (like.pairs["invented"] - like.pairs["real"]).abs()
    assert furthest.is_monotonic_decreasing
    assert f"more than {like.change:.3f} ({like.pairs['one'][0]} with {like.pairs['other'][0]})" in like.sentence
    assert (like.columns["missing_real"] - like.columns["missing_invented"]).abs().max() < 0.03
    made, real = augment.table(imported), features.table(imported)
    late = [frame.groupby("home")["times_late"].mean() for frame in (real, made)]
    assert late[1]["rent"] > late[1]["own"] + 0.5 * (late[0]["rent"] - late[0]["own"])
    gone = made["income"].isna().groupby(made["home"]).mean()
    assert gone["rent"] > 2 * gone["own"], "who has no value goes with what it went with"


def test_an_invented_row_does_not_contradict_itself_and_keeps_the_schema(imported: Store) -> None:
    augment.invent(imported, 3_000, user="ann")
    made = augment.table(imported)
    assert made["loan_to_income"].to_numpy() == pytest.approx((made["loan_amount"] / made["income"]).to_numpy(), nan_ok=True)
    for feature in imported.schema:
        assert not [value for value in made[feature.name].head(300) if feature.formula == "" and feature.problem(value)], feature.name


def test_the_same_seed_gives_the_same_rows_and_another_one_others() -> None:
    frame = portfolio(300).drop(columns="cust_id")
    one, two, three = (copula.draw(frame, 100, seed) for seed in (1, 1, 2))
    assert one.equals(two)
    assert not one.equals(three)


def test_nothing_that_is_measured_counts_them(imported: Store) -> None:
    before = (
        dictionary.columns(imported).to_json(),
        len(features.newest(imported)),
        len(applicants.people(imported)),
        labels.kmeans(imported, user="ann", k=3, reason="three groups were planted").report["profiles"],
    )
    augment.invent(imported, 5_000, user="ann")
    made = labels.kmeans(imported, user="ann", k=3, reason="three groups were planted")
    after = (
        dictionary.columns(imported).to_json(),
        len(features.newest(imported)),
        len(applicants.people(imported)),
        made.report["profiles"],
    )
    assert after == before
    assert not labels.training_set(imported, made.label_set_id)["applicant_id"].str.startswith("synthetic").any()
    assert augment.table(imported, with_real=True)["is_synthetic"].sum() == 3_000


def test_they_can_be_removed_and_stay_on_record(imported: Store) -> None:
    augment.invent(imported, 2_500, user="ann")
    assert augment.invent(imported, 2_600, user="ann") == 100
    assert augment.table(imported)["applicant_id"].is_unique
    assert augment.remove(imported, user="ann") == 600
    assert augment.count(imported) == 0
    assert imported.value("select count(*) from synthetic") == 600
    with pytest.raises(NothingYet):
        augment.remove(imported, user="ann")
    augment.invent(imported, 2_001, user="ann")
    assert augment.table(imported)["applicant_id"].tolist() == ["synthetic-0000601"], "no name is given twice"


def test_a_model_may_learn_from_them_and_is_measured_without_them(imported: Store, tmp_path: Path) -> None:
    made = labels.kmeans(imported, user="ann", k=3, reason="three groups were planted")
    config = plan.Config(label_set_id=made.label_set_id, algorithms=("logistic",), invented=True)
    with pytest.raises(NothingYet):
        training.prepare(imported, config, tmp_path)
    augment.invent(imported, 5_000, user="ann")
    training.prepare(imported, config, tmp_path)
    table = read_parquet(tmp_path / "data.parquet")
    invented = table[table["is_synthetic"]]
    assert 2_000 < len(invented) <= 3_000
    assert not invented["is_test"].any()
    assert invented[["verified_observed", "verified_review"]].isna().all(axis=None)
    assert invented["bad"].mean() == pytest.approx(table.loc[~table["is_synthetic"], "bad"].mean(), abs=0.05)
    own = labels.of_clusters(imported, made.label_set_id, features.table(imported))
    held = labels.members(imported, made.label_set_id)["bad"].astype("boolean")
    both = own.notna() & held.notna()
    assert (own[both] == held[both]).all(), "the clusters label their own rows as they did"
    model_id = training.train(imported, config, user="ann")[0]
    model = registry.get(imported, model_id)
    assert model["metrics"]["cluster"]["n"] <= 0.3 * 2_000
    assert f"Learned from {len(invented)} invented applicants too" in (imported.models / model_id / "card.json").read_text()
    outcomes = labels.observed(imported, user="ann").label_set_id
    with pytest.raises(InvalidInput, match="to invented applicants nothing did"):
        training.prepare(imported, replace(config, label_set_id=outcomes), tmp_path)


def test_what_cannot_be_modelled_is_refused(store: Store) -> None:
    with pytest.raises(NothingYet):
        augment.invent(store, 100, user="ann")
    keep(store, portfolio(40))
    with pytest.raises(NotEnoughData, match="40 real applicants are too few"):
        augment.invent(store, 100, user="ann")


def test_the_number_asked_for_counts_the_real_ones(imported: Store) -> None:
    with pytest.raises(InvalidInput, match="There are 2,000 real and 0 invented applicants"):
        augment.invent(imported, 2_000, user="ann")


def test_columns_without_any_value_or_with_one_stay_so() -> None:
    frame = DataFrame({"empty": [np.nan] * 80, "same": [3.0] * 80, "no words": [None] * 80, "x": np.arange(80.0)})
    made = copula.draw(frame.astype({"no words": object}), 200, 3)
    assert made["empty"].isna().all()
    assert (made["same"] == 3).all()
    assert made["no words"].isna().all()
    assert set(made["x"]) <= set(frame["x"])


def test_statement_features_can_be_invented_too(filled: Store) -> None:
    assert isinstance(filled.schema, Schema)
    assert augment.invent(filled, 1_000, user="ann") == 850
    assert augment.likeness(filled).columns["ks"].median() < 0.1
