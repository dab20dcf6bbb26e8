"""A lender's own tables: joined on a key, described, corrected, kept whole, or refused with the row that is wrong."""

import numpy as np
import pytest
from pandas import DataFrame

from creditrisk import features, formula, gather, inference, labels, plan, provenance, rows, scoring, spelling, standing, tables, training
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
    config = plan.Config(label_set_id=labels.newest(store) or "", algorithms=("logistic",))
    best = standing.leaderboard(store).iloc[0] if training.train(store, config, user="ann") else None
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


LOANS = DataFrame(
    {
        "cust_id": ["C0001", "C0001", "C0002", "C9999"],
        "amount": ["100", "250.5", "", "7"],
        "kind": ["car", "home", "car", "car"],
        "loan_id": ["L1", "L2", "L3", "L4"],
    }
)


def test_several_rows_of_one_applicant_become_one_only_as_somebody_says() -> None:
    files = {
        "customers.csv": portfolio(4),
        "loans.csv": LOANS,
        "bureau.csv": DataFrame({"cust_id": ["C0000", "C0003"], "enquiries": [1, 2]}),
    }
    assert tables.several(files) == {"loans.csv": ["amount", "kind", "loan_id"]}
    with pytest.raises(
        InvalidInput, match=r"loans.csv: the key 'cust_id' is 'C0001' in rows 1, 2; say how several become one, like amount"
    ):
        tables.join(files)
    table = tables.join(files, gather={"amount": ["sum", "max"], "kind": ["distinct"]})
    rows_ = table.frame.set_index("cust_id")
    assert rows_["loans_rows"].tolist() == [0, 2, 1, 0]
    assert rows_.loc["C0001", ["amount_sum", "amount_max", "kind_distinct"]].tolist() == [350.5, 250.5, 2]
    assert rows_.loc[["C0000", "C0002"], "amount_sum"].isna().all()
    assert [(part.file, part.rows, part.matched, part.unmatched) for part in table.parts] == [
        ("customers.csv", 4, 4, 0),
        ("loans.csv", 4, 3, 1),
        ("bureau.csv", 2, 2, 0),
    ]
    assert table.notes == [
        "loans.csv: 4 rows became one for each of 3 applicants (loans_rows, amount_sum, amount_max, kind_distinct); "
        "1 without a function left out."
    ]


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        (["amount=median"], "'amount=median' says not how rows become one"),
        (["amount"], "'amount' says not how"),
        (["kind=max"], "loans.csv, row 1: kind is 'car'; it should be a number"),
        (["sum=max"], "No file has a column 'sum'"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(plan: list[str], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        tables.join({"a.csv": portfolio(4), "loans.csv": LOANS}, gather=gather.plan(["amount=max", *plan]))


@pytest.mark.parametrize(
    ("ids", "sentence"),
    [
        (["1.2E+15", "1.3E+15", "4"], "row 1: the key 'cust_id' is '1.2E\\+15', a number that a program has rounded"),
        ([1.5e17, 2.5e17, 3.5e17], "a number that a program has rounded"),
        (["1234567890123450", "1234567890123460", "1234567890123470"], "a number that a program has rounded"),
        (["a\x00", "b", "c"], "row 1: the key 'cust_id' is 'a\\\\x00'; it should be at most 200 printable"),
        (["a" * 300, "b", "c"], "it should be at most 200 printable"),
    ],
)
def test_ids_that_a_spreadsheet_has_rounded_are_refused(ids: list[object], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        tables.join({"a.csv": portfolio(3).assign(cust_id=ids)})


def test_ids_keep_their_zeros_and_those_that_look_alike_are_named() -> None:
    table = tables.join({"a.csv": portfolio(4).assign(cust_id=["007", "7", "c 1", "C1"])})
    assert table.frame["cust_id"].tolist() == ["007", "7", "c 1", "C1"]
    assert table.notes == ["a.csv: 2 values of cust_id differ only in case or blanks ('c 1' and 'C1'); they are kept as applicants apart."]
    big = tables.join({"a.parquet": portfolio(2).assign(cust_id=[12345678901234567, 12345678901234568])})
    assert big.frame["cust_id"].tolist() == ["12345678901234567", "12345678901234568"]


def test_keys_that_miss_each_other_by_zeros_are_named() -> None:
    table = tables.join({"a.csv": portfolio(2).assign(cust_id=["007", "08"]), "b.csv": DataFrame({"cust_id": [7, 9], "x": [1, 2]})})
    assert table.parts[1].matched == 0
    assert table.notes == ["b.csv: 1 keys without a partner, '7' first, have one but for leading zeros or case: write both alike."]


def test_a_column_of_numbers_with_words_for_nothing_is_one_of_numbers() -> None:
    frame = portfolio(60).assign(wage=[("NA" if row % 3 else f"{row}") for row in range(60)], odd=["1", "2", "3", "x"] * 15)
    proposal = tables.propose(tables.join({"a.csv": frame.astype(str)}))
    assert proposal.schema["wage"].type == "integer"
    assert [finding.sentence[:70] for finding in proposal.findings if finding.kind == "mixed"] == [
        "odd is a number in 75% of rows and a text like 'x' in others, so it is"
    ]


def test_names_the_workspace_uses_itself_are_no_features(store: Store) -> None:
    frame = portfolio(60).assign(snapshot_id=range(60), AS_OF=1)
    table = tables.join({"a.csv": frame}, key="cust_id")
    proposal = tables.propose(table)
    assert {finding.column for finding in proposal.findings if finding.kind == "reserved"} == {"snapshot_id", "AS_OF"}
    assert tables.save(store, table, proposal.schema, user="ann").n == 60


def test_what_an_import_changed_is_kept_with_every_cell(store: Store) -> None:
    frame = portfolio(100).astype({"income": object, "home": object})
    frame.loc[4, "income"] = "much"
    frame.loc[[5, 6], "home"] = "Rent"
    frame.loc[[7, 8], "times_late"] = 98
    frame.loc[9, "loan_to_income"] = 99.5
    table = tables.join({"a.csv": frame})
    said = '[[feature]]\nname = "loan_to_income"\nformula = "loan_amount / income"\n[[feature]]\nname = "home"\ntitle = "Where they live"'
    proposal = tables.wanted(store, table, said=said)
    made = tables.save(store, table, proposal.schema, user="ann", findings=proposal.findings)
    told = provenance.changes(store, made.snapshot_id).set_index(["column_name", "kind"])
    assert told.loc[("home", "spelling put right"), "n"] == 2
    assert told.loc[("home", "shown under another name"), "what"] == "shown as “Where they live”; files keep the name home"
    assert told.loc[("times_late", "code for no value"), ["n", "examples"]].tolist() == [2, "98"]
    assert told.loc[("income", "emptied: it cannot be"), ["n", "examples"]].tolist() == [1, "much"]
    assert told.loc[("loan_to_income", "stated and contradicted"), "n"] == 1
    place = int(told.loc[("income", "emptied: it cannot be"), "place"])
    (cell,) = provenance.cells(store, made.snapshot_id, place).to_dict("records")
    assert cell == {
        "row_number": 5,
        "applicant_id": "C0004",
        "value": "much",
        "message": "Row 5: income is 'much'; it should be a number.",
    }


def test_spellings_are_mapped_in_a_table_before_an_import_and_after_it(store: Store) -> None:
    frame = portfolio(200).astype({"home": object})
    frame.loc[[0, 1], "home"] = "OWN"
    frame.loc[2, "home"] = "rennt"
    table = tables.join({"a.csv": frame})
    proposed = tables.propose(table).schema
    shown = spelling.writings(proposed, table.frame)
    assert shown.set_index("written").loc[["OWN", "rennt"], ["perhaps", "means"]].to_numpy().tolist() == [["", "own"], ["rent", ""]]
    assert spelling.spelled(proposed, shown) == proposed
    first = tables.save(store, table, proposed, user="ann").snapshot_id
    assert features.table(store, first)["home"].tolist()[:3] == ["own", "own", "rennt"]

    held = spelling.writings(store.schema, features.table(store, first))
    held.loc[held["written"] == "rennt", "means"] = "rent"
    second = spelling.respell(store, first, spelling.spelled(store.schema, held), user="ann")
    assert (features.latest_snapshot(store), features.table(store, second)["home"].tolist()[2]) == (second, "rent")
    assert features.table(store, first)["home"].tolist()[2] == "rennt"
    assert store.schema["home"].choices == ("none", "own", "rent")
    assert rows.check(store.schema, [{"home": "rennt"}])[0]["home"].tolist() == ["rent"]
    last = provenance.changes(store, second).iloc[-1]
    assert (last["column_name"], last["what"], last["n"]) == ("home", "“rennt” is “rent”", 1)
    with pytest.raises(InvalidInput, match="nothing to put right"):
        spelling.respell(store, second, store.schema, user="ann")
    held.loc[held["written"] == "rent", "means"] = "own"
    with pytest.raises(InvalidInput, match="'rent' is a meaning and means 'own' itself"):
        spelling.spelled(proposed, held)


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
    shown["high"] = shown["high"].astype(object)
    shown.loc[shown["name"] == "times_late", ["missing", "high"]] = ["98=refused to say, 96", None]
    shown.loc[shown["name"] == "loan_to_income", "formula"] = "loan_amount / income"
    said = tables.edited(proposed, shown)
    assert (said["times_late"].missing, said["times_late"].high) == ({"98": "refused to say", "96": "a code for no value"}, None)
    assert said["loan_to_income"].formula == "loan_amount / income"
    assert tables.editable(said).set_index("name").loc["times_late", "missing"] == "98=refused to say, 96"
    assert tables.edited(said, tables.editable(said)) == said
    shown.loc[shown["name"] == "age", "role"] = "predictor"
    with pytest.raises(InvalidInput, match="only with a reason"):
        tables.edited(proposed, shown)


@pytest.mark.parametrize("name", ["share_paid", "repaid_share", "paid_back_share", "total_repaid", "amount_repaid", "paid_to_date"])
def test_a_column_that_says_what_was_paid_back_is_known_afterwards(name: str) -> None:
    assert inference.AFTERWARDS.search(name)


@pytest.mark.parametrize("name", ["rent_paid", "paid_employment", "payment_share", "share_of_income", "months_since_paid", "unpaid_bills"])
def test_a_column_that_says_how_somebody_pays_is_not(name: str) -> None:
    assert not inference.AFTERWARDS.search(name)


@pytest.mark.parametrize("name", ["SeriousDlqin2yrs", "default.payment.next.month", "loan_status", "creditability", "TARGET", "bad_flag"])
def test_a_column_called_like_the_outcome_is_not_learned_from_before_somebody_says_what_it_is(name: str) -> None:
    frame = portfolio(200).rename(columns={"status": name})
    frame[name] = (frame[name] == "bad").astype(int)
    table = tables.join({"a.csv": frame})
    found = tables.propose(table)
    assert found.schema[name].role == "report"
    (sentence,) = [finding.sentence for finding in found.findings if finding.kind == "target"]
    assert sentence.startswith(f"{name} is called like how it went")
    said = tables.propose(table, target=name)
    assert name not in {feature.name for feature in said.schema}
    assert "target" not in {finding.kind for finding in said.findings}


@pytest.mark.parametrize("name", ["cb_person_default_on_file", "has_default_insurance", "past_due_status", "default_rate_of_region"])
def test_a_column_that_speaks_of_defaults_and_is_no_outcome_is_not_taken_for_one(name: str) -> None:
    assert not inference.OUTCOME.search(name)


@pytest.mark.parametrize(
    ("name", "values", "unit"),
    [
        ("age", range(20, 80), "years"),
        ("mortgage", range(5_000, 5_600, 10), ""),
        ("MARRIAGE", [0, 1, 2, 3] * 15, ""),
        ("income_last_year", range(5_000, 5_600, 10), "money"),
        ("years_at_bank", range(60), "years"),
        ("credit_util_pct", range(0, 120, 2), ""),
    ],
)
def test_a_unit_is_what_the_name_says_only_where_the_values_can_be_it(name: str, values: range, unit: str) -> None:
    feature = tables.propose(tables.join({"a.csv": DataFrame({"cust_id": range(60), name: list(values)})})).schema[name]
    assert feature.unit == unit
    assert not [value for value in values if feature.problem(value)], "what stands in the table can be"
