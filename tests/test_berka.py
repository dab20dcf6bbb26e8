"""The main job from the command line on real statements: the Berka bank, from file to explained score."""

import json
from pathlib import Path
from typing import Any

import pytest

from creditrisk.__main__ import main


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("berka")


def run(workspace: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    code = main(["--data", str(workspace / "data"), "--models", str(workspace / "models"), "--user", "ana", "--json", *words])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 0, lines
    assert list(lines[-1]) == ["summary"]
    return lines[:-1], lines[-1]["summary"]


def test_the_berka_run(workspace: Path, shared: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = str(shared / "berka" / "trans.asc")
    (first,), _ = run(workspace, capsys, "ingest", file, "--profile", "berka")
    assert (
        first["n_new"],
        first["n_transactions"],
        first["accounts"] if isinstance(first["accounts"], int) else len(first["accounts"]),
    ) == (
        46_997,
        46_997,
        1_229,
    )
    (second,), _ = run(workspace, capsys, "ingest", file, "--profile", "berka")
    assert (second["n_new"], second["n_duplicate"]) == (0, 46_997)

    loans = (shared / "berka" / "loan.asc").read_text().replace('"', "").splitlines()[1:]
    granted = [row.split(";") for row in loans]
    outcomes = tmp_path / "outcomes.csv"
    outcomes.write_text("account,bad\n" + "\n".join(f"{loan[1]},{int(loan[6] in 'BD')}" for loan in granted))
    (matched,), _ = run(workspace, capsys, "outcomes", str(outcomes), "--id", "account", "--bad", "bad")
    assert matched["matched"] > 30

    (made,), _ = run(workspace, capsys, "features", "--as-of", "1994-03-31", "--out", str(tmp_path / "table.parquet"))
    assert made["applicants"] > 1_000
    (useless,), _ = run(workspace, capsys, "label", "kmeans", "--k", "2", "--reason", "as the first design document has it")
    assert useless["auc_vs_observed"]["low"] < 0.5
    assert not useless["passed"]
    assert {"share at most", "against outcomes"} <= {gate["name"] for gate in useless["gates"] if not gate["passed"]}
    (engaged,), _ = run(workspace, capsys, "label", "rfm", "--as-of", "1994-03-31")
    assert {"index gap", "signs"} <= {gate["name"] for gate in engaged["gates"] if not gate["passed"]}
    (cohorts,), _ = run(workspace, capsys, "label", "kmeans", "--performance-days", "90", "--gap-days", "10", "--every", "60")
    assert cohorts["n"] > made["applicants"]  # several dates per account
    models, _ = run(workspace, capsys, "train", "--labels", useless["label_set"], "--algorithms", "logistic")
    main_way = ["--data", str(workspace / "data"), "--models", str(workspace / "models"), "--user", "ana", "--json"]
    assert main([*main_way, "promote", models[0]["model_id"], "--reason", "the best with its label"]) == 2
    assert f"label set {useless['label_set']} fails" in capsys.readouterr().err

    (labelled,), _ = run(workspace, capsys, "label", "kmeans", "--performance-days", "90")
    assert (labelled["passed"], labelled["circular"]) == (True, False), labelled["gates"]
    assert labelled["auc_vs_observed"]["low"] > 0.5
    assert labelled["index_auc_vs_observed"]["n_bad"] == labelled["auc_vs_observed"]["n_bad"]
    models, _ = run(workspace, capsys, "train")
    assert {model["algorithm"] for model in models} == {"xgboost", "random_forest", "logistic", "risk_index", "constant"}
    for model in models:
        assert {"cluster", "observed"} <= set(model["metrics"])
        for source in ("cluster", "observed"):
            area = model["metrics"][source]["auc"]
            assert area["low"] <= area["value"] <= area["high"]
    chosen = next(model for model in models if model["algorithm"] == "xgboost")
    assert chosen["label_source"] == "cluster"
    run(workspace, capsys, "promote", chosen["model_id"], "--reason", "the Berka run")
    (scored,), _ = run(workspace, capsys, "score", "--applicant", granted[0][1])
    assert scored["is_proxy"] is True
    assert 300 <= scored["score"] <= 900
    assert scored["reasons"]
    run(workspace, capsys, "score", "--all", "--out", str(tmp_path / "scores.csv"))
    head, first_row = (tmp_path / "scores.csv").read_text().splitlines()[:2]
    written = dict(zip(head.split(","), first_row.split(","), strict=False))
    assert (written["label_source"], written["is_proxy"]) == ("cluster", "True")
