"""A lender's own tables: joined on a key, described, corrected, kept whole, or refused with the row that is wrong."""

import numpy as np
import pytest
from pandas import DataFrame

from creditrisk import features, formula, labels, rows, scoring, tables, training
from creditrisk.errors import InvalidInput, NotAllowed
from creditrisk.schema import Feature, Schema, dump, parse
from creditrisk.store import Store


def portfolio(n: int = 400, seed: int = 3) -> DataFrame:
    """Applicants whose late payments and debt make them bad."""
    random = np.random.default_rng(seed)
    late = random.poisson(1, n)
    income = random.integers(1_000, 6_000, n)
    loan = random.integers(500, 20_000, n)
    risk = late + 3 * loan / (12 * income) + random.normal(0, 0.7, n)
    return DataFrame(
        {
            "cust_id": [f"C{number:04d}" for number in range(n)],
            "age": random.integers(20, 70, n),
            "income": income,
            "loan_amount": loan,
            "loan_to_income": loan / income,
            "times_late": late,
            "home": random.choice(["own", "rent", "none"], n),
            "status": np.where(risk > np.quantile(risk, 0.8), "bad", "good"),
        }
    )


def test_a_table_goes_from_file_to_score(store: Store) -> None:
    table = tables.join({"loans.csv": portfolio()}, key="cust_id")
    proposal = tables.propose(table, target="status")
    made = tables.save(store, table, proposal.schema, user="ann", target="status")
    assert (made.n, made.n_outcomes, made.problems) == (400, 400, [])
    assert store.schema == proposal.schema
    assert features.table(store)["applicant_id"].tolist() == table.frame["cust_id"].tolist()
    labels.observed(store, user="ann")
    config = training.Config(label_set_id=labels.newest(store) or "", algorithms=("logistic",))
    best = training.leaderboard(store).iloc[0] if training.train(store, config, user="ann") else None
    assert best is not None
    assert best["auc"] > 0.75
    from creditrisk import registry

    registry.promote(store, best["model_id"], user="ann", reason="best")
    (scored,) = scoring.score_applicants(store, ["C0007"], user="ann", channel="cli")
    assert abs(sum(scored.contributions.values()) + scored.base - np.log(scored.pd / (1 - scored.pd))) < 1e-6


def test_what_the_law_protects_is_kept_and_not_learned_from(store: Store) -> None:
    table = tables.join({"loans.csv": portfolio()})
    proposal = tables.propose(table, target="status")
    assert proposal.schema["age"].role == "protected"
    assert any(finding.column == "age" and finding.kind == "protected" for finding in proposal.findings)
    with pytest.raises(InvalidInput, match="a model may read it only with a reason"):
        tables.declared('[[feature]]\nname = "age"\nrole = "predictor"', proposal.schema, "mine.toml")
    allowed = tables.declared('[[feature]]\nname = "age"\nrole = "predictor"\nwhy = "tested, art. 5"', proposal.schema, "mine.toml")
    assert allowed["age"] in allowed.predictors
    assert parse(dump(allowed)) == allowed


def test_a_column_that_knows_the_outcome_is_not_learned_from() -> None:
    frame = portfolio()
    frame["recovered_amount"] = np.arange(len(frame))
    frame["hindsight"] = (frame["status"] == "bad") + np.linspace(0, 0.01, len(frame))
    findings = {finding.column: finding.kind for finding in tables.propose(tables.join({"l": frame}), target="status").findings}
    assert findings["hindsight"] == "leak"
    assert findings["recovered_amount"] == "afterwards"


def test_tables_are_joined_on_a_key_and_nobody_is_lost() -> None:
    base, more = portfolio(50), DataFrame({"cust_id": ["C0001", "C0002", "C9999"], "enquiries": [4, 5, 6]})
    table = tables.join({"a.csv": base, "b.csv": more}, key="cust_id")
    assert len(table.frame) == 50
    assert [(part.file, part.rows, part.matched, part.unmatched) for part in table.parts] == [("a.csv", 50, 2, 48), ("b.csv", 3, 2, 1)]
    assert table.frame["enquiries"].notna().sum() == 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda frame: frame.assign(cust_id=["C1"] * len(frame)), "the key 'cust_id' is 'C1' in rows 1, 2"),
        (lambda frame: frame.assign(cust_id=[None, *frame["cust_id"][1:]]), "row 1: the key 'cust_id' is empty"),
        (lambda frame: frame.rename(columns={"cust_id": "who"}), "has no column 'cust_id'"),
    ],
)
def test_a_broken_key_refuses_the_import(change, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        tables.join({"a.csv": change(portfolio(5))}, key="cust_id")


def test_rows_without_any_id_are_called_by_their_number() -> None:
    table = tables.join({"a.csv": portfolio(3).drop(columns="cust_id")})
    assert table.frame["row"].tolist() == ["row 1", "row 2", "row 3"]
    assert "called by their row" in table.notes[0]


def test_a_bad_cell_is_named_and_its_row_kept(store: Store) -> None:
    frame = portfolio(100).astype({"income": object})
    frame.loc[4, "income"] = "much"
    table = tables.join({"a.csv": frame})
    made = tables.save(store, table, tables.propose(table).schema, user="ann")
    assert [problem.message for problem in made.problems] == ["Row 5: income is 'much'; it should be a number."]
    assert len(features.table(store)) == 100


def test_a_workspace_has_one_schema(store: Store) -> None:
    table = tables.join({"a.csv": portfolio(60)})
    tables.save(store, table, tables.propose(table).schema, user="ann")
    other = tables.join({"b.csv": portfolio(60).drop(columns="home")})
    with pytest.raises(NotAllowed, match="needs a workspace of its own"):
        tables.save(store, other, tables.propose(other).schema, user="ann")


RATIO = Schema(
    "ratio",
    (
        Feature("loan", "Loan"),
        Feature("income", "Income", missing={"98": "refused"}),
        Feature("home", "Home", "choice", choices=("OWN", "none"), spellings={"own": "OWN", "Owned": "OWN"}),
        Feature("share", "Loan to income", unit="share", formula="loan / income"),
    ),
)


def test_a_formula_is_computed_and_what_contradicts_it_refused() -> None:
    table, problems = rows.check(RATIO, [{"loan": 50, "income": 100}, {"loan": 50, "income": 100, "share": 0.9}, {"loan": 1, "income": 0}])
    assert table["share"].tolist()[:2] == [0.5, 0.5]
    assert np.isnan(table["share"][2])
    assert [problem.message for problem in problems] == ["Row 2: share is 0.9, but loan / income is 0.5 here."]


def test_codes_for_nothing_and_other_spellings_are_put_right() -> None:
    table, problems = rows.check(RATIO, DataFrame({"loan": ["1", "2"], "income": ["98", "98.0"], "home": ["Owned", "none"]}))
    assert problems == []
    assert table["income"].isna().all()
    assert table["home"].tolist() == ["OWN", "none"]
    numbers, _ = rows.check(RATIO, DataFrame({"loan": [1.0], "income": [98.0]}))
    assert numbers["income"].isna().all()


def test_a_table_to_score_must_have_every_column() -> None:
    with pytest.raises(InvalidInput, match="The columns income, home are not there"):
        rows.check(RATIO, DataFrame({"loan": [1.0]}), complete=True)
    with pytest.raises(InvalidInput, match="The column home is not there"):
        rows.check(RATIO, DataFrame({"loan": [1.0], "income": [2.0], "share": [0.5]}), complete=True)


def test_the_parts_of_a_computed_figure_are_needed_even_where_no_model_reads_them_by_themselves() -> None:
    parts_apart = Schema("apart", (Feature("wage", "Wage", role="report"), Feature("twice", "Twice", formula="wage * 2")))
    assert rows.needed(parts_apart) == ["wage"]
    with pytest.raises(InvalidInput, match="The column wage is not there"):
        rows.check(parts_apart, DataFrame({"twice": [4.0]}), complete=True)


def test_which_values_are_bad_can_be_said() -> None:
    frame = DataFrame({"id": [1, 2, 3], "status": ["A", "B", "D"]})
    observed, problems = rows.outcomes(frame, id_column="id", bad_column="status=B,D")
    assert observed["observed_bad"].tolist() == [False, True, True]
    assert problems == []
    with pytest.raises(InvalidInput, match="No row has 'X' in column 'status'; there are A, B, D"):
        rows.outcomes(frame, id_column="id", bad_column="status=X")


@pytest.mark.parametrize("text", ["__import__('os')", "a ** b", "a.b", "[1]", "1 +", "f(a)", "a // b", "True", "x" * 600])
def test_a_formula_is_arithmetic_and_nothing_else(text: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        formula.parts(text)


def test_a_formula_reads_declared_numbers_only() -> None:
    with pytest.raises(InvalidInput, match="reads 'wage', which nobody declared"):
        parse('[[feature]]\nname = "r"\ntitle = "R"\nformula = "wage / 2"')
    assert formula.parts('"PAY AMT" / greatest(income, 1)') == ("PAY AMT", "income")
    assert formula.value("coalesce(a, 3) * 2", {"a": [1, np.nan]}).tolist() == [2.0, 6.0]


def test_a_schema_is_corrected_in_a_table(store: Store) -> None:
    proposed = tables.propose(tables.join({"a.csv": portfolio(80)})).schema
    shown = tables.editable(proposed)
    assert tables.edited(proposed, shown) == proposed
    shown.loc[shown["name"] == "times_late", ["title", "role"]] = ["Late payments", "report"]
    assert tables.edited(proposed, shown)["times_late"].title == "Late payments"
    assert tables.edited(proposed, shown)["times_late"].role == "report"
    shown.loc[shown["name"] == "age", "role"] = "predictor"
    with pytest.raises(InvalidInput, match="only with a reason"):
        tables.edited(proposed, shown)
