"""The command line: what it prints, where, and how it ends."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pandas import read_csv, read_parquet

from creditrisk.__main__ import main
from creditrisk.schema import built_in
from creditrisk.store import Store

Run = Callable[..., tuple[int, list[dict[str, Any]], str]]  # exit code, objects printed, stderr
STATEMENT = """Date,Description,Amount,Balance
2026-01-02,SALARY ACME LTD,2000.00,2500.00
2026-01-03,RENT,-800.00,1700.00
2026-01-05,GROCERY STORE,-60.10,1639.90
"""
BROKEN = STATEMENT.replace("-60.10", "-60.1O")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command with --json in the workspace `tmp_path/bank`; returns exit code, objects printed, stderr."""

    def command(*arguments: object) -> tuple[int, list[dict[str, Any]], str]:
        where = ["--data", str(tmp_path / "bank" / "data"), "--models", str(tmp_path / "bank" / "models")]
        code = main([*where, "--user", "ann", "--json", *map(str, arguments)])
        said = capsys.readouterr()
        return code, [json.loads(line) for line in said.out.splitlines()], said.err

    return command


@pytest.fixture
def in_bank(filled: Store, run: Run) -> Run:
    """The same on a copy of the small demo bank."""
    filled.close()
    return run


def test_help_is_quick() -> None:
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "creditrisk", "--help"], capture_output=True, text=True, check=True)
    assert "promote" in done.stdout
    assert time.perf_counter() - started < 2  # measured 0.06 s; a heavy import would take several seconds


def test_a_wrong_command_line_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["label", "astrology"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "invalid choice: 'astrology'" in said.err
    assert main(["score", "--json"]) == 2
    said = capsys.readouterr()
    assert json.loads(said.out) == {"summary": {"error": said.err.strip()}}
    assert "score needs one of" in said.err


def test_inspect_stores_nothing_and_ingest_the_same_file_once(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "A1.csv"
    file.write_text(STATEMENT)
    code, (looked, summary), _ = run("inspect", file)
    assert (code, looked["status"], looked["n_transactions"], looked["sum_amount"]) == (0, "accepted", 3, "1139.90")
    assert not (tmp_path / "bank").exists()
    code, (first, _), _ = run("ingest", tmp_path / "*.csv", "--applicant", "A1")
    assert (code, first["n_new"], first["n_duplicate"]) == (0, 3, 0)
    code, (second, summary), _ = run("ingest", file)
    assert (code, second["n_new"], second["n_duplicate"]) == (0, 0, 3)
    assert summary["summary"] == {"files": 1, "rejected": 0, "n_transactions": 3, "n_new": 0, "n_duplicate": 3}


def test_a_refused_file_is_said_and_the_others_are_stored(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bad.csv").write_text(BROKEN)
    (tmp_path / "in" / "good.csv").write_text(STATEMENT)
    code, (bad, good, summary), said = run("ingest", tmp_path / "in")
    assert code == 1
    assert (bad["status"], good["status"]) == ("rejected", "accepted")
    assert "bad.csv" in said
    assert "-60.1O" in said
    assert summary["summary"]["rejected"] == 1
    code, printed, said = run("ingest", tmp_path / "gone.csv")
    assert code == 2
    assert "gone.csv cannot be read: no such file" in said
    assert printed == [{"summary": {"error": said.strip()}}]


def test_steps_out_of_order_get_a_sentence(run: Run) -> None:
    for step in (["features"], ["label", "kmeans"], ["train"], ["score", "--all"], ["promote", "best", "--reason", "because it is best"]):
        code, printed, said = run(*step)
        assert code == 2
        assert len(said.strip().splitlines()) == 1
        assert printed == [{"summary": {"error": said.strip()}}]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["observed", "--k", "3"], "--k is for `label kmeans and rfm`, not for `label observed`."),
        (["kmeans", "--k", "3"], "says why in a few words"),
        (["kmeans", "--every", "90", "--cohorts", "2026-01-01", "--performance-days", "90"], "not as both"),
        (["kmeans", "--cohorts", "soon"], "'soon' should be a date"),
        (["kmeans", "--k", "3", "--risky", "last"], "'last' should be numbers of clusters"),
        (["kmeans", "--cohorts", "2026-01-01"], "Cohorts need a performance window"),
        (["combined", "--sets", "L0001"], "There is no label set 'L0001'"),
        (["reviewed"], "inspected and accepted"),
        (["rfm", "--as-of", "2026-01-01"], "features"),
    ],
)
def test_what_cannot_be_labelled_gets_a_sentence(run: Run, asked: list[str], sentence: str) -> None:
    code, printed, said = run("label", *asked)
    assert (code, len(said.strip().splitlines())) == (2, 1)
    assert sentence in said
    assert printed == [{"summary": {"error": said.strip()}}]


def test_the_whole_way(in_bank: Run, tmp_path: Path) -> None:
    code, (made, _), _ = in_bank("features", "--out", tmp_path / "features.csv")
    assert (code, made["applicants"]) == (0, 150)
    code, (label, _), _ = in_bank("label", "kmeans", "--k", 2, "--reason", "a small bank has two groups", "--performance-days", 90)
    assert (code, label["k"], label["method"], label["passed"]) == (0, 2, "kmeans", True), label["gates"]
    code, (*models, summary), _ = in_bank("train", "--algorithms", "logistic", "--labels", label["label_set"], "--cv", 3)
    assert code == 0
    assert {model["algorithm"] for model in models} >= {"logistic"}
    assert {"model_id", "algorithm", "label_set", "label_source", "metrics", "seconds"} <= set(models[0])
    code, (summary,), _ = in_bank("promote", "best", "--reason", "the best on record")
    assert (code, "may not take the place of" in summary["summary"]["error"]) == (2, True), "too few verified applicants tell two apart"
    code, (retired, summary), _ = in_bank("retire", "champion", "--reason", "to make room")
    assert (code, retired["status"], summary["summary"]["champion"]) == (0, "retired", None)
    code, (champion, _), _ = in_bank("promote", "best", "--reason", "the best on record")
    assert (code, champion["status"], champion["model_id"]) == (0, "champion", models[0]["model_id"])
    code, (*listed, summary), _ = in_bank("models")
    assert summary["summary"]["champion"] == champion["model_id"]
    assert {"model_id", "status", "algorithm", "label_source", "is_proxy", "created_at", "digest", "metrics"} == set(listed[0])
    code, (*scores, summary), said = in_bank("score", tmp_path / "features.csv", "--out", tmp_path / "scores.parquet")
    assert (code, len(scores), said) == (0, 150, "")
    assert summary["summary"]["model_id"] == champion["model_id"]
    assert read_parquet(tmp_path / "scores.parquet")["pd"].tolist() == [score["pd"] for score in scores]


def test_bad_rows_are_set_aside_and_the_others_scored(in_bank: Run, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    lacking = [feature.name for feature in built_in().predictors if feature.name not in ("observed_days", "days_negative_90d")]

    def write(*lines: str) -> None:
        heading = ["applicant_id,observed_days,days_negative_90d", *lacking]
        file.write_text("\n".join([",".join(heading), *(line + "," * len(lacking) for line in lines)]) + "\n")

    write("A,200,3", "B,200,many", "C,,91", "D,10,0")
    code, (*scores, summary), said = in_bank("score", file, "--out", tmp_path / "scores.csv")
    assert code == 1
    assert [score["applicant_id"] for score in scores] == ["A", "D"]
    assert (summary["summary"]["scored"], summary["summary"]["refused"]) == (2, 2)
    assert "rows.csv: Row 2: days_negative_90d is 'many'; it should be a number." in said
    assert read_csv(tmp_path / "scores-refused.csv")["row"].tolist() == [2, 3]
    assert read_csv(tmp_path / "scores.csv")["pd"].tolist() == [score["pd"] for score in scores]
    file.write_text(file.read_text().replace("applicant_id", "cust_id"))
    assert [score["applicant_id"] for score in in_bank("score", file)[1][:-1]] == ["A", "D"], "an id called as an import takes it"
    write("=HYPERLINK(1),200,3", "-7,200,=1+1")
    in_bank("score", file, "--out", tmp_path / "evil.csv")
    assert read_csv(tmp_path / "evil.csv")["applicant_id"].tolist() == ["'=HYPERLINK(1)"], "a spreadsheet shows it and calculates nothing"
    assert (tmp_path / "evil-refused.csv").read_text().count(",'=1+1,") == 2, "the value that is wrong, and the cell as it was given"
    code, _, said = in_bank("score", file, "--out", tmp_path / "no" / "scores.csv")
    assert (code, "There is no folder" in said) == (2, True)
    file.write_text("applicant_id,observed_dayz\nA,200\n")
    code, _, said = in_bank("score", file)
    assert (code, "Nothing called observed_dayz is declared" in said) == (2, True)
    file.write_text("applicant_id,observed_days\nA,200\n")
    code, printed, said = in_bank("score", file)
    assert (code, len(printed), "are not there; give every one a model reads" in said) == (2, 1, True)


def test_recency_frequency_and_money_of_any_table(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "paid.csv"
    file.write_text("applicant_id,date,amount\nA,2026-01-02,5\nA,2026-01-30,2.5\nB,yesterday,1\n")
    code, (found, summary), said = run("rfm", file, "--as-of", "2026-02-01")
    assert (code, found) == (1, {"applicant_id": "A", "as_of": "2026-02-01", "recency_days": 2, "frequency": 2, "monetary": 7.5})
    assert "paid.csv: Row 3: date is 'yesterday'" in said
    assert [problem["row"] for problem in summary["summary"]["problems"]] == [3]


def test_applicants_are_invented_written_and_removed(in_bank: Run, tmp_path: Path) -> None:
    code, (*columns, summary), said = in_bank("augment", "--to", 400, "--out", tmp_path / "all.parquet")
    assert (code, summary["summary"]["invented"], summary["summary"]["real"]) == (0, 250, 150)
    assert {"name", "psi", "ks"} <= set(columns[0])
    assert "`demo --applicants N` generates statements" in said
    assert read_parquet(tmp_path / "all.parquet")["is_synthetic"].tolist() == [False] * 150 + [True] * 250
    code, (summary,), _ = in_bank("augment", "--remove")
    assert (code, summary) == (0, {"summary": {"removed": 250}})
    assert in_bank("augment")[0] == 2


def test_outcomes_are_matched_and_doubtful_rows_refused(in_bank: Run, tmp_path: Path) -> None:
    _, (score, *_), _ = in_bank("score", "--all")
    file = tmp_path / "outcomes.csv"
    file.write_text(f"who;defaulted;seen\n{score['applicant_id']};yes;2026-05-01\nnobody;0;\nX;perhaps;\n")
    code, (made, _), said = in_bank("outcomes", file, "--id", "who", "--bad", "defaulted", "--date", "seen")
    assert code == 1
    assert {key: made[key] for key in ("file", "rows", "matched", "unmatched", "rejected")} == {
        "file": "outcomes.csv",
        "rows": 3,
        "matched": 1,
        "unmatched": 1,
        "rejected": 1,
    }
    refused, known = said.splitlines()
    assert refused == "outcomes.csv: Row 3: defaulted is 'perhaps'; it should be 1 or 0, true or false, yes or no, bad or good."
    assert known.startswith("Outcomes known already: 1, observed on or before the day the applicant's figures describe")


def test_outcomes_need_no_date(in_bank: Run, tmp_path: Path) -> None:
    file = tmp_path / "outcomes.csv"
    file.write_text("who,bad\nnobody,0\n")
    code, (made, _), said = in_bank("outcomes", file, "--id", "who", "--bad", "bad")
    assert (code, made["matched"], made["unmatched"]) == (0, 0, 1)
    assert "Nobody in outcomes.csv is known here: column 'who' begins with 'nobody', and applicants here are called like 'A" in said
    file.write_text("who,bad\nnobody,x\n")
    code, (made, _), _ = in_bank("outcomes", file, "--id", "who", "--bad", "bad")
    assert (code, made["matched"], made["rejected"]) == (1, 0, 1)


def test_words_for_people(in_bank: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, (score, *_), _ = in_bank("score", "--all")
    where = ["--data", str(tmp_path / "bank" / "data"), "--models", str(tmp_path / "bank" / "models")]
    assert main(["score", "--applicant", str(score["applicant_id"]), *where]) == 0
    said = capsys.readouterr().out
    assert "risk (proxy)" in said
    assert " PD " not in said
    assert "Learned from a proxy label" in said or "re-learns the clusters" in said
    assert main(["models", *where]) == 0
    assert "champion" in capsys.readouterr().out
    assert main(["correct", "--words", "quillon", "--direction", "out", "--category", "GAMBLING", "--dry-run", *where]) == 0
    said = capsys.readouterr().out
    assert "'QUILLON' (money out): UNKNOWN → GAMBLING" in said
    assert "risk (proxy)" in said
    assert "Nothing was stored." in said
    assert main(["corrections", *where]) == 0
    assert "0 corrections" in capsys.readouterr().out
    assert main(["schema", "show", *where]) == 0
    assert "[[feature]]" in capsys.readouterr().out


def test_a_correction_is_tried_made_and_listed(in_bank: Run) -> None:
    asked = ("correct", "--words", "quillon", "--direction", "out", "--category", "GAMBLING")
    code, (tried, summary), said = in_bank(*asked, "--dry-run")
    assert (code, said, summary["summary"]["stored"]) == (0, "", False)
    assert tried["features"]
    assert {"feature", "title", "before", "after", "said_before", "said_after"} == set(tried["features"][0])
    assert {"score", "pd", "band"} < set(tried["before"])
    code, (listed,), _ = in_bank("corrections")
    assert (code, listed) == (0, {"summary": {"corrections": 0}}), "a dry run stores nothing"
    code, (made, summary), _ = in_bank(*asked, "--reason", "a betting shop")
    assert (code, made["n_movements"], made["category_before"]) == (0, tried["n_movements"], "UNKNOWN")
    assert summary["summary"]["stored"] is True
    code, (entry, _), _ = in_bank("corrections", "--applicant", tried["applicant_id"])
    assert (entry["corrected_by"], entry["what"], entry["category"], entry["reason"]) == ("ann", "QUILLON", "GAMBLING", "a betting shop")
    number = made["examples"][0]["transaction_id"]
    code, (single, _), _ = in_bank("correct", "--transaction", number, "--category", "TRAVEL")
    assert (code, single["n_movements"], single["category_before"]) == (0, 1, "GAMBLING")


def test_a_correction_that_cannot_be_is_a_sentence(in_bank: Run) -> None:
    for asked, sentence in (
        (("--words", "quillon", "--category", "RENTT"), "no category 'RENTT'"),
        (("--words", "nowhere at all", "--category", "RENT"), "There is no description 'NOWHERE AT ALL'"),
        (("--transaction", "1", "--words", "x", "--category", "RENT"), "not allowed with argument"),
        (("--category", "RENT"), "One of the arguments"),
        (("--transaction", "99999999", "--category", "RENT"), "There is no movement '99999999'"),
    ):
        code, _, said = in_bank("correct", *asked)
        assert code == 2
        assert sentence in said


def test_a_workspace_that_is_open_elsewhere_is_a_sentence(in_bank: Callable[..., object], tmp_path: Path) -> None:
    where = ["--data", str(tmp_path / "bank" / "data"), "--models", str(tmp_path / "bank" / "models")]
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()",
            str(tmp_path / "bank" / "data" / "creditrisk.duckdb"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        refused = subprocess.run(
            [sys.executable, "-m", "creditrisk", "models", "--json", *where], capture_output=True, text=True, check=False
        )
        holder.terminate()
    assert refused.returncode == 2
    assert "is open in another process, probably the workbench" in refused.stderr
    assert json.loads(refused.stdout) == {"summary": {"error": refused.stderr.strip()}}


def test_a_damaged_block_of_the_database_is_a_sentence(in_bank: Run, tmp_path: Path) -> None:
    file = tmp_path / "bank" / "data" / "creditrisk.duckdb"
    with file.open("r+b") as opened:
        for start in range(12_288 + 3 * 262_144, file.stat().st_size - 2 * 262_144, 262_144):  # the header and the last blocks stay whole
            opened.seek(start + 5_000)
            opened.write(b"\xff" * 64)
    code, printed, said = in_bank("features")
    assert code == 2
    assert "damaged" in said or "cannot be opened" in said
    assert printed == [{"summary": {"error": said.strip()}}]


@pytest.mark.parametrize(
    ("error", "by_hand", "sentence"),
    [
        (RuntimeError("Query interrupted"), True, "Stopped. What was not finished is not stored."),
        (duckdb.IOException("No space left on device"), False, "The workspace could not be read or written: No space left on device"),
    ],
)
def test_what_breaks_off_in_compiled_code_is_a_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, by_hand: bool, sentence: str
) -> None:
    def broken(*_: object) -> None:
        if by_hand:
            with suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        raise error

    monkeypatch.setattr("creditrisk.commands.keeping._check", broken)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # where tests run side by side, their processes ignore it
    try:
        code, (summary,), said = run("check")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (code, sentence in said, sentence in summary["summary"]["error"]) == (2, True, True)


def test_a_disk_that_is_full_where_output_goes_is_a_sentence(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    where = ["--data", str(tmp_path / "data"), "--models", str(tmp_path / "models"), "--json"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-u", "-m", "creditrisk", *where, "check"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, "Traceback" in done.stderr, "no space left" in done.stderr) == (2, False, True)


def test_feedback_is_learned_from_watched_and_told_of(in_bank: Run) -> None:
    code, lines, _ = in_bank("feedback")
    assert code == 0
    before = lines[-1]["summary"]
    assert (before["is_due"], before["new"] > 0) == (False, True)
    assert lines[0]["version"]["status"] == "champion"
    code, lines, _ = in_bank("learn")
    assert code == 0
    assert 0 < lines[-1]["summary"]["learned"] == lines[-1]["summary"]["steps"]
    code, _, said = in_bank("learn")
    assert (code, said.startswith("No accepted verdict on a label is left to learn from")) == (2, True)
    code, lines, said = in_bank("train", "--algorithms", "logistic", "--labels", "L0001", "--proxy-mass", "20", "--cv", 2)
    assert code == 0, said
    assert (lines[0]["config"]["proxy_mass"], lines[0]["label_set"], lines[0]["label_source"]) == (20.0, "L0002", "combined")
    assert lines[-1]["summary"]["proxy_weight"] >= 20
    code, lines, _ = in_bank("train", "--labels", "L0001", "--at", "2999-01-31 02:00")
    assert (code, lines[-1]["summary"]) == (0, {"schedule": "T0001", "due_at": "2999-01-31T02:00:00"})
    assert "UTC has passed" in in_bank("train", "--at", "2001-01-31 02:00")[2]
    assert in_bank("train", "--proxy-mass", "101")[2].startswith("All proxy labels together weigh between 0 and 100 verified ones")
    models = {line["model_id"]: line for line in in_bank("models")[1][:-1]}
    name = next(key for key, line in models.items() if line["status"] == "candidate" and line["algorithm"] == "random_forest")
    assert in_bank("challenge", name, "--reason", " ")[0] == 2
    code, lines, said = in_bank("challenge", name, "--reason", "to see what it would do")
    assert (code, lines[0]["status"], lines[-1]["summary"]) == (0, "challenger", {"challenger": name, "asked": 150})
