"""Four lenders' tables from file to explained scores by commands alone; and copies of them that somebody broke."""

import json
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
from pandas import DataFrame, read_csv, read_parquet
from pandas.testing import assert_frame_equal

from creditrisk import features
from creditrisk import store as stores
from creditrisk.__main__ import main
from creditrisk.settings import load

Run = Callable[..., tuple[int, list[dict[str, Any]], str]]  # exit code, objects printed, stderr

# name: how it went, a column of numbers, a column with few kinds of values, a kind nobody has seen and what is said of it
SETS = {
    "german_credit": ("creditability=bad", "credit_amount", "purpose", "yacht", "is 'yacht'; it should be one of"),
    "credit_risk_dataset": ("loan_status", "person_income", "loan_intent", "YACHT", "is 'YACHT'; it should be one of"),
    "taiwan_default": ("default.payment.next.month", "LIMIT_BAL", "EDUCATION", 77, "is 77; the most allowed is"),
    "give_me_some_credit": ("SeriousDlqin2yrs", "MonthlyIncome", "NumberOfDependents", 5000, "is 5000; the most allowed is"),
}
CORRECTED = {  # a few lines of TOML on top of what is inferred
    "credit_risk_dataset": '[[feature]]\nname = "loan_percent_income"\nformula = "loan_amnt / person_income"\n',
    "taiwan_default": '[[feature]]\nname = "EDUCATION"\nrisk = 0\ntitle = "Education, 1 to 4"\n',
}


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command with --json in the workspace `tmp_path`; returns exit code, objects printed, stderr."""

    def command(*arguments: object) -> tuple[int, list[dict[str, Any]], str]:
        where = ["--data", str(tmp_path / "data"), "--models", str(tmp_path / "models")]
        code = main([*where, "--user", "ann", "--json", *map(str, arguments)])
        said = capsys.readouterr()
        return code, [json.loads(line) for line in said.out.splitlines()], said.err

    return command


@pytest.fixture
def kept(tmp_path: Path) -> Callable[[], DataFrame]:
    """Return the applicants of the workspace `tmp_path` as they are kept now."""

    def read() -> DataFrame:
        opened = stores.open_workspace(replace(load(), data=tmp_path / "data", models=tmp_path / "models"))
        try:
            return features.table(opened)
        finally:
            opened.close()

    return read


def sample(shared: Path, name: str, n: int) -> DataFrame:
    """Rows of a table under ids of our own."""
    table = read_parquet(shared / "tabular" / f"{name}.parquet").drop(columns="ID", errors="ignore")
    table = table.sample(min(n, len(table)), random_state=5, ignore_index=True)
    table.insert(0, "cust_id", [f"C{number:05d}" for number in range(len(table))])
    return table


@pytest.fixture(scope="module")
def kept_sets(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a workspace that holds 500 rows of a set, imported once for all that copy it."""

    @cache
    def workspace(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        sample(shared, name, 500).to_csv(folder / f"{name}.csv", index=False)
        where = ["--data", str(folder / "data"), "--models", str(folder / "models"), "--user", "ann", "--json"]
        with (folder / "said.json").open("w") as out, redirect_stdout(out):
            assert main([*where, "import", str(folder / f"{name}.csv"), "--target", SETS[name][0]]) < 2
        return folder

    return workspace


@dataclass
class Copy:
    """A workspace of a set, the table it holds, and what is done with a copy of that table that somebody broke."""

    table: DataFrame
    usual: list[dict[str, Any]]  # what was wrong with the table before anybody broke it
    fingerprint: str
    bring_in: Callable[[DataFrame], tuple[int, list[dict[str, Any]], str]]
    kept: Callable[[], DataFrame]

    def broken(self, column: str, place: int, value: object) -> DataFrame:
        """Return the table with one cell that says something else."""
        copy = self.table.astype({column: object})
        copy.loc[place, column] = value
        return copy


@pytest.fixture
def copy(name: str, shared: Path, tmp_path: Path, run: Run, kept: Callable[[], DataFrame], kept_sets: Callable[[str], Path]) -> Copy:
    """A workspace of one's own that holds 500 rows of a set, as they are."""
    copytree(kept_sets(name), tmp_path, dirs_exist_ok=True)
    part, summary = map(json.loads, (tmp_path / "said.json").read_text().splitlines())
    assert (part["rows"], part["matched"], len(kept())) == (500, 500, 500)

    def bring_in(frame: DataFrame) -> tuple[int, list[dict[str, Any]], str]:
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
        return run("import", tmp_path / f"{name}.csv", "--target", SETS[name][0], "--id", "cust_id")

    return Copy(sample(shared, name, 500), part["problems"], summary["summary"]["fingerprint"], bring_in, kept)


@pytest.mark.parametrize("name", SETS)
def test_columns_in_another_order_and_one_that_nobody_declared_change_nothing(copy: Copy) -> None:
    whole = copy.kept()
    shuffled = copy.table[np.random.default_rng(2).permutation(copy.table.columns)].assign(shoe_size=42)
    _, (part, summary), said = copy.bring_in(shuffled)
    assert (summary["summary"]["fingerprint"], part["problems"]) == (copy.fingerprint, copy.usual)
    assert "shoe_size is not in the schema of this workspace and was left out." in said
    assert_frame_equal(copy.kept(), whole)


@pytest.mark.parametrize("fault", ["a text among numbers", "a kind of value nobody has seen"])
@pytest.mark.parametrize("name", SETS)
def test_a_cell_that_cannot_be_is_told_by_row_column_value_and_rule_and_every_other_one_kept(copy: Copy, name: str, fault: str) -> None:
    _, number, kind, strange, sentence = SETS[name]
    is_text = fault == "a text among numbers"
    column, value, rule = (number, "a lot", "is 'a lot'; it should be a number") if is_text else (kind, strange, sentence)
    expected = copy.kept()
    expected.loc[7, column] = np.nan
    code, (part, _), _ = copy.bring_in(copy.broken(column, 7, value))
    (problem,) = [problem for problem in part["problems"] if problem not in copy.usual]
    assert (code, problem["row"], problem["column"], problem["value"]) == (1, 8, column, str(value))
    assert rule in problem["message"]
    assert_frame_equal(copy.kept(), expected)


@pytest.mark.parametrize("fault", ["a missing key", "a duplicated id", "no column of keys", "a column that is gone"])
@pytest.mark.parametrize("name", SETS)
def test_a_table_that_would_lose_or_mix_applicants_is_refused_whole(copy: Copy, name: str, fault: str) -> None:
    number, before = SETS[name][1], copy.kept()
    spoilt, rule = {
        "a missing key": (copy.broken("cust_id", 2, ""), "row 3: the key 'cust_id' is empty"),
        "a duplicated id": (copy.broken("cust_id", 2, "C00000"), "the key 'cust_id' is 'C00000' in rows 1, 3"),
        "no column of keys": (copy.table.rename(columns={"cust_id": "whose"}), f"{name}.csv has no column 'cust_id'"),
        "a column that is gone": (copy.table.drop(columns=number), f"The column {number} is not there"),
    }[fault]
    code, printed, said = copy.bring_in(spoilt)
    assert (code, len(printed)) == (2, 1)
    assert rule in said
    assert_frame_equal(copy.kept(), before)


@pytest.mark.parametrize("name", SETS)
def test_a_column_that_knows_the_outcome_is_named_kept_and_not_learned_from(
    shared: Path, tmp_path: Path, run: Run, kept: Callable[[], DataFrame], name: str
) -> None:
    target, *_ = SETS[name]
    table = sample(shared, name, 500)
    column, _, bad = target.partition("=")
    is_bad = table[column].astype(str).isin([bad] if bad else ["1", "1.0"])
    table["written_down"] = np.where(is_bad, 800.0, 100.0) + np.random.default_rng(3).normal(0, 50, len(table))
    table.to_csv(tmp_path / "leak.csv", index=False)
    _, (*_, summary), said = run("import", tmp_path / "leak.csv", "--target", target)
    found = {finding["column"]: finding["kind"] for finding in summary["summary"]["findings"]}
    assert found["written_down"] == "leak"
    assert "written_down alone orders good and bad with an AUC of" in said
    _, shown, _ = run("schema", "show")
    assert {feature["name"]: feature["role"] for feature in shown[:-1]}["written_down"] == "report"
    assert kept()["written_down"].to_numpy() == pytest.approx(table["written_down"].to_numpy())


@pytest.mark.parametrize("name", SETS)
def test_a_table_goes_from_file_to_explained_scores_by_commands_alone(shared: Path, tmp_path: Path, run: Run, name: str) -> None:
    target, *_ = SETS[name]
    table = sample(shared, name, 5_000)
    table.to_parquet(tmp_path / f"{name}.parquet", index=False)
    (tmp_path / "mine.toml").write_text(CORRECTED.get(name, ""))
    _, (part, summary), _ = run("import", tmp_path / f"{name}.parquet", "--target", target, "--schema", tmp_path / "mine.toml")
    assert (part["rows"], summary["summary"]["applicants"], summary["summary"]["outcomes"]) == (len(table),) * 3
    code, (label, _), _ = run("label", "observed")
    assert (code, label["passed"], label["n"]) == (0, True, len(table))
    code, (*models, _), _ = run("train", "--algorithms", "logistic,xgboost", "--cv", 3)
    assert code == 0
    areas = {model["algorithm"]: model["metrics"]["observed"]["auc"]["value"] for model in models}
    assert max(areas["xgboost"], areas["logistic"]) > {"taiwan_default": 0.72, "german_credit": 0.72}.get(name, 0.8), areas
    assert max(areas["xgboost"], areas["logistic"]) > areas["risk_index"]
    assert run("promote", "best", "--reason", "the best of those measured")[0] == 0
    code, (score, _), _ = run("score", "--applicant", "C00004")
    assert code == 0
    margin = score["base"] + sum(score["contributions"].values())
    assert score["pd"] == pytest.approx(1 / (1 + np.exp(-margin)), abs=1e-6)
    assert score["reasons"]
    run("template", "--out", tmp_path / "fill.csv")
    code, (scored, _), said = run("score", tmp_path / "fill.csv")
    assert (code, scored["applicant_id"], said) == (0, "example", "")
    if name == "credit_risk_dataset":
        read_csv(tmp_path / "fill.csv").assign(loan_percent_income=7.5).to_csv(tmp_path / "fill.csv", index=False)
        code, _, said = run("score", tmp_path / "fill.csv")
        assert (code, "fill.csv: Row 1: loan_percent_income is 7.5, but loan_amnt / person_income is" in said) == (1, True)


def test_customers_and_their_bureau_are_fifty_thousand_applicants_without_an_outcome(shared: Path, run: Run) -> None:
    folder = shared / "tabular"
    code, (customers, bureau, summary), _ = run("import", folder / "customers.parquet", folder / "bureau.parquet", "--id", "cust_id")
    assert (customers["rows"], customers["matched"], customers["unmatched"]) == (50_000, 50_000, 0)
    assert (bureau["rows"], bureau["matched"], bureau["unmatched"]) == (50_000, 50_000, 0)
    assert (summary["summary"]["applicants"], summary["summary"]["outcomes"]) == (50_000, 0)
    assert {finding["column"] for finding in summary["summary"]["findings"] if finding["kind"] == "protected"} >= {"age", "gender"}
    code, (label, _), _ = run("label", "kmeans")
    assert (code, label["n"], label["method"]) == (0, 50_000, "kmeans")
    assert 0.02 < label["share_risky"] < 0.5
