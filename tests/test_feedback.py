"""Verdicts and inspections go out as tables and come back: whole or not at all, each wrong row named, nobody for somebody else."""

import json
from pathlib import Path

import pytest
from pandas import DataFrame, read_csv

from creditrisk import feedback, inspections, reviews
from creditrisk.__main__ import main
from creditrisk.errors import InvalidInput
from creditrisk.store import Store
from tests.papers import sheet_xml, workbook
from tests.test_reviews import predicted


def filled_in(store: Store, **said: list[str]) -> DataFrame:
    return feedback.to_judge(store).sort_values("prediction_id").assign(**said)


def test_what_waits_goes_out_and_comes_back_as_verdicts(store: Store) -> None:
    for name in ("p1", "p2", "p3"):
        predicted(store, name)
    table = filled_in(
        store,
        verdict=["Correct", "incorrect", ""],
        about=["label", "recommendation", ""],
        comment=["", "salary was missed", ""],
        corrected=["", "decline", ""],
    )
    done = feedback.judge(store, table, user="rita")
    assert (done.n, done.n_known, done.n_empty, done.problems) == (2, 0, 1, [])
    kept = feedback.given(store).set_index("prediction_id")
    assert kept.loc["p2", ["verdict", "about", "corrected", "reviewed_by"]].tolist() == ["incorrect", "decision", "decline", "rita"]
    again = feedback.judge(store, table, user="rita")
    assert (again.n, again.n_known) == (0, 2), "the same table twice adds nothing"
    assert len(reviews.history(store)) == 2


def test_every_wrong_row_is_named_and_then_none_is_kept(store: Store) -> None:
    for name in ("p1", "p2", "p3", "p4"):
        predicted(store, name)
    reviews.claim(store, user="sam", prediction_id="p3")
    table = DataFrame(
        {
            "prediction_id": ["p1", "p2", "p3", "nope", "p1", "p4", "p4"],
            "verdict": ["correct", "incorrect", "correct", "correct", "correct", "perhaps", "incorrect"],
            "about": ["label", "label", "label", "label", "label", "label", "band"],
            "comment": ["", "", "", "", "", "", "wrong"],
            "seconds": ["12", "", "", "", "", "", "soon"],
        }
    )
    done = feedback.judge(store, table, user="rita")
    assert done.n == 0
    assert [(problem.row, problem.column) for problem in done.problems] == [
        (2, "verdict"),
        (3, "prediction_id"),
        (4, "prediction_id"),
        (5, "about"),
        (6, "verdict"),
        (7, "verdict"),
    ]
    said = [problem.message for problem in done.problems]
    assert said[0] == "Row 2: An incorrect prediction needs a comment that says what is wrong with it."
    assert said[1] == "Row 3: prediction_id 'p3' is in the hands of sam; wait until they are done."
    assert said[2] == "Row 4: prediction_id 'nope' is no prediction of this workspace."
    assert "between 0 and 86,400 seconds, not nan" in said[5]
    assert reviews.history(store).empty


def test_a_table_without_its_columns_is_refused(store: Store) -> None:
    with pytest.raises(InvalidInput, match="no column 'about'; it needs prediction_id, verdict, about"):
        feedback.judge(store, DataFrame({"prediction_id": ["p1"], "verdict": ["correct"]}), user="rita")
    with pytest.raises(InvalidInput, match="no column 'reason'"):
        feedback.inspect(store, DataFrame({"review_id": ["r"], "status": ["accepted"]}), user="rita")


def test_a_column_cannot_make_somebody_else_the_second_person(store: Store) -> None:
    predicted(store, "p1")
    feedback.judge(store, filled_in(store, verdict=["correct"], about=["label"]).assign(reviewed_by="sam"), user="rita")
    table = feedback.to_inspect(store, "rita").assign(status="accepted", reason="looks right", inspected_by="tom")
    assert "own verdict" in table["why_not"].iloc[0]
    done = feedback.inspect(store, table, user="Rita")
    assert [problem.message for problem in done.problems] == [
        "Row 1: Nobody inspects their own verdict: that on applicant of p1 is Rita's."
    ]
    assert inspections.history(store).empty
    assert feedback.inspect(store, table, user="tom").n == 1
    assert feedback.inspect(store, table, user="tom").n_known == 1
    twice = DataFrame(
        {"review_id": [table["review_id"].iloc[0], table["review_id"].iloc[0], "gone"], "status": "rejected", "reason": "no, no"}
    )
    refused = feedback.inspect(store, twice, user="tom").problems
    assert [problem.row for problem in refused] == [2, 3]
    assert "stands here; its reviewer may have thought again" in refused[1].message


def test_the_commands_take_tables_out_and_in(filled: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--data", str(filled.settings.data), "--models", str(filled.settings.models), "--json"]
    filled.close()

    def run(user: str, *asked: object) -> tuple[int, dict[str, object], str]:
        code = main([*map(str, asked), *where, "--user", user])
        said = capsys.readouterr()
        return code, json.loads(said.out.splitlines()[-1])["summary"], said.err

    assert run("rita", "review", "--out", tmp_path / "cases.csv", "--limit", 2)[1]["written"] == 2
    cases = read_csv(tmp_path / "cases.csv", dtype=str).fillna("")
    rows = [["prediction_id", "verdict", "about", "comment"], *([name, "correct", "label", ""] for name in cases["prediction_id"])]
    (tmp_path / "cases.xlsx").write_bytes(workbook({"Cases": sheet_xml(rows)}))
    assert run("rita", "review", tmp_path / "cases.xlsx")[:2] == (0, {"stored": 2, "known_already": 0, "empty": 0, "refused": 0})
    cases.assign(verdict="incorrect", about="label").to_csv(tmp_path / "wrong.csv", index=False)
    code, summary, said = run("rita", "review", tmp_path / "wrong.csv")
    assert (code, summary["stored"], summary["refused"]) == (1, 0, 2)
    assert "wrong.csv: Row 1: An incorrect prediction needs a comment" in said

    run("rita", "inspect-reviews", "--out", tmp_path / "verdicts.csv")
    verdicts = read_csv(tmp_path / "verdicts.csv", dtype=str).fillna("")
    ours = verdicts[verdicts["prediction_id"].isin(cases["prediction_id"])].assign(status="accepted", reason="read beside the statement")
    ours.to_csv(tmp_path / "verdicts.csv", index=False)
    code, summary, said = run("rita", "inspect-reviews", tmp_path / "verdicts.csv")
    assert (code, summary["stored"]) == (1, 0)
    assert "Nobody inspects their own verdict" in said
    assert run("sam", "inspect-reviews", tmp_path / "verdicts.csv")[1]["stored"] == 2
    assert run("sam", "story", cases["prediction_id"][0])[1] == {"events": 3, "out": None}
    assert run("sam", "review", "--out", tmp_path / "given.csv", "--given")[0] == 0
    given = read_csv(tmp_path / "given.csv").set_index("prediction_id")
    assert given.loc[cases["prediction_id"][0], "inspected_by"] == "sam"
    assert run("sam", "review", tmp_path / "verdicts.csv", "--out", tmp_path / "x.csv")[0] == 2
