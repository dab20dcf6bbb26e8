"""By commands alone: promote through the gate, roll back, write the card, and carry a model to another workspace and score there."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pandas import read_csv, read_parquet

from creditrisk.__main__ import main
from creditrisk.plan import CANDIDATES, USUAL

Run = Callable[..., tuple[int, list[dict[str, Any]], str]]  # exit code, objects printed, stderr


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command with --json in a workspace; returns exit code, objects printed, stderr."""

    def command(where: Path, *arguments: object) -> tuple[int, list[dict[str, Any]], str]:
        code = main(["--data", str(where / "data"), "--models", str(where / "models"), "--json", *map(str, arguments)])
        said = capsys.readouterr()
        return code, [json.loads(line) for line in said.out.splitlines()], said.err

    return command


def test_german_credit_is_promoted_judged_rolled_back_and_carried_elsewhere(shared: Path, tmp_path: Path, run: Run) -> None:
    table = read_parquet(shared / "tabular" / "german_credit.parquet")
    table.insert(0, "cust_id", [f"C{number:04d}" for number in range(len(table))])
    file, bank, other = tmp_path / "german.csv", tmp_path / "bank", tmp_path / "other"
    table.to_csv(file, index=False)
    for where in (bank, other):
        assert run(where, "import", file, "--target", "creditability=bad", "--user", "ann")[0] == 0
        assert run(where, "label", "observed", "--user", "ann")[0] == 0

    # a first champion, which only its labels' checks stand before; then two that are held against it
    def trained(algorithm: str, folds: int, seed: int) -> str:
        asked = ("--algorithms", algorithm, "--cv", folds, "--seed", seed, "--user", "ann")
        return str(run(bank, "train", *asked)[1][-1]["summary"]["models"][0])

    first = trained("logistic", 3, 7)
    assert run(bank, "promote", first, "--reason", "the first", "--user", "ann")[1][-1] == {"summary": {"champion": first}}
    worse, better = trained("scorecard", 2, 9), trained("logistic", 5, 7)
    code, printed, said = run(bank, "promote", worse, "--reason", "finer", "--user", "ann")
    assert (code, printed) == (2, [{"summary": {"error": said.strip()}}])
    assert said.startswith(f"{worse} may not take the place of {first}. ")
    assert "is asked, or no worse than now." in said or "it may lose at most 0.01" in said
    assert run(bank, "rollback", "--reason", "complaints", "--user", "ann")[2].strip() == "There is no earlier champion to go back to."
    code, printed, said = run(bank, "promote", better, "--reason", "five folds", "--user", "ann")
    assert (code, said, printed[-1]) == (0, "", {"summary": {"champion": better}})
    assert run(bank, "rollback", "--user", "ann")[0] == 2  # a reason is asked for
    code, printed, _ = run(bank, "rollback", "--reason", "complaints", "--user", "bea")
    assert (code, printed[-1]["summary"], printed[0]["status"]) == (0, {"champion": first}, "champion")

    # the card, and the model itself, elsewhere: the same scores
    assert run(bank, "card", "champion", "--out", tmp_path / "card.pdf")[0] == 0
    assert (tmp_path / "card.pdf").read_bytes().startswith(b"%PDF")
    sent = tmp_path / "sent.zip"
    code, printed, _ = run(bank, "export-model", first, sent, "--user", "ann")
    assert code == 0
    told = printed[-1]["summary"]["sha256"]
    code, printed, said = run(other, "import-model", sent, "--reason", "from the bank", "--sha256", "0" * 64, "--user", "bea")
    assert (code, "not the one you were told" in said) == (2, True)
    code, printed, _ = run(other, "import-model", sent, "--reason", "from the bank", "--sha256", told, "--user", "bea")
    name = printed[-1]["summary"]["model_id"]
    assert (code, printed[0]["status"], printed[0]["is_proxy"]) == (0, "candidate", False)
    assert f"{first} of workspace" in printed[0]["origin"]
    assert run(other, "promote", name, "--reason", "as at the bank", "--user", "ann")[0] == 0
    for where in (bank, other):
        model = first if where is bank else name
        assert run(where, "score", "--all", "--model", model, "--out", where / "scores.csv", "--user", "ann")[0] == 0
    there, here = (read_csv(where / "scores.csv") for where in (bank, other))
    assert there["pd"].tolist() == here["pd"].tolist()
    assert len(there) == 1000


def test_help_names_every_algorithm_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    said = "".join(capsys.readouterr().out.split())
    assert f"of{','.join(CANDIDATES)}(else{','.join(USUAL)})" in said
