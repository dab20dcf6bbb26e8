"""Batches: bad rows aside and good ones through, the same bits as one by one, gone on with after whatever stopped them."""

import io
import signal
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from pandas import DataFrame, concat, read_csv, read_parquet, to_numeric

from creditrisk import certainty, features, integrity, policy, registry, scoring, tabular, vault
from creditrisk import store as stores
from creditrisk.batch import keep, results
from creditrisk.errors import CreditRiskError, InvalidInput, JobBusy, TamperedArtefact, UnknownThing
from creditrisk.settings import Policy, load
from creditrisk.store import Store
from tests.conftest import ROOT


def table(store: Store, n: int = 60) -> DataFrame:
    """Applicants of the demo bank under names of their own, as a file would have them."""
    known = features.newest(store).drop(columns=["snapshot_id", "as_of"])
    many = concat([known] * (n // len(known) + 1), ignore_index=True).iloc[:n]
    return many.assign(applicant_id=[f"N{place:06d}" for place in range(1, n + 1)])


def csv(frame: DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


def done(store: Store, content: bytes, name: str = "new.csv", **asked: str) -> str:
    """Score a file in this process and return the batch."""
    made = keep.begin(store, name, content, user="ann", channel="test", **asked)
    for _ in keep.here(store, made, user="ann"):
        pass
    return made


def same(one: scoring.Prediction, other: scoring.Prediction) -> bool:
    """Say whether two predictions differ in nothing but their name, hour and channel."""
    about = ("prediction_id", "scored_at", "channel")
    return replace(one, **{name: getattr(other, name) for name in about}) == other


def test_a_batch_gives_every_model_s_rows_to_the_last_bit(filled: Store) -> None:
    frame = table(filled)
    for model_id in registry.models(filled)["model_id"]:
        for baseline in ("cut-off", "everyone"):
            made = done(filled, csv(frame), model_id=model_id, baseline=baseline)
            asked = {"user": "ann", "channel": "x", "model_id": model_id, "baseline": baseline, "keep": False}
            single = scoring.score_values(filled, frame, **asked)
            kept = [scoring.get(filled, f"{made}-{row}") for row in range(1, len(frame) + 1)]
            assert [one.applicant_id for one in kept] == frame["applicant_id"].tolist()
            assert all(same(one, other) for one, other in zip(kept, single, strict=True))


def test_a_score_of_a_batch_replays_to_the_last_bit(filled: Store) -> None:
    made = done(filled, csv(table(filled)))
    for row in (1, 17, 60):
        stored, again = scoring.replay(filled, f"{made}-{row}")
        assert again == stored
    assert len(scoring.waterfall(filled, stored)) > 2
    with pytest.raises(UnknownThing):
        scoring.get(filled, f"{made}-61")


def test_the_order_of_rows_and_columns_and_company_changes_nothing(filled: Store) -> None:
    frame = table(filled, 40)
    mixed = frame.sample(frac=1, random_state=2)[list(reversed(frame.columns))]
    one, other = done(filled, csv(frame)), done(filled, csv(mixed))
    alone = done(filled, csv(frame.iloc[[7]]))
    by_name = {made.applicant_id: made for made in results.predictions(filled, other)}
    for made in results.predictions(filled, one):
        assert same(made, by_name[made.applicant_id])
    assert same(scoring.get(filled, f"{alone}-1"), scoring.get(filled, f"{one}-8"))


def test_bad_rows_are_set_aside_with_their_reasons_and_the_others_go_through(filled: Store) -> None:
    frame = table(filled, 50).astype(object)
    frame.loc[4, "days_negative_90d"] = 91
    frame.loc[20, "balance_avg_90d"] = "much"
    lines = csv(frame).decode().splitlines()
    lines[31] = lines[31].rpartition(",")[0]
    made = done(filled, "\n".join(lines).encode())
    found = keep.get(filled, made)
    assert (found["state"], found["n_scored"], found["n_refused"], found["n_rows"]) == ("done", 47, 3, 50)
    aside = results.refused(filled, made)
    assert aside["row"].tolist() == [5, 21, 31]
    assert aside["what is wrong"].iloc[0] == "Row 5: days_negative_90d is 91; the most allowed is 90."
    assert aside["what is wrong"].iloc[1] == "Row 21: balance_avg_90d is 'much'; it should be a number."
    assert "it is cut off or misquoted" in aside["what is wrong"].iloc[2]
    assert aside["given: applicant_id"].tolist() == ["N000005", "N000021", "N000031"]
    assert {name for (name,) in filled.rows("select applicant_id from batch_score")} == set(frame["applicant_id"]) - {
        "N000005",
        "N000021",
        "N000031",
    }


def test_every_kind_of_file_gives_the_same_scores(filled: Store, tmp_path: Path) -> None:
    frame = table(filled, 30)
    expected = [made.pd for made in results.predictions(filled, done(filled, csv(frame)))]
    parquet = io.BytesIO()
    frame.to_parquet(parquet)
    continental = frame.to_csv(index=False, sep=";", decimal=",")
    results.workbook.write(tmp_path / "new.xlsx", [frame])
    for content in (parquet.getvalue(), continental.encode("latin-1"), continental.encode("utf-16"), (tmp_path / "new.xlsx").read_bytes()):
        assert [made.pd for made in results.predictions(filled, done(filled, content))] == expected


def test_a_cell_may_span_lines_and_a_name_keeps_its_zeros(filled: Store) -> None:
    frame = table(filled, 3)
    frame["applicant_id"] = ["0017", "a, b", '"quoted"']
    made = done(filled, csv(frame))
    assert [one.applicant_id for one in results.predictions(filled, made)] == ["0017", "a, b", '"quoted"']
    spans = csv(frame.assign(applicant_id=["a\nb", "c", "d"]))
    made = done(filled, spans)
    assert results.refused(filled, made)["row"].tolist() == [1], "a name of two lines is no name"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "the file is empty"),
        (b"applicant_id,balance_avg_90d\nA,1\n", "are not there; give every one a model reads"),
        (b"applicant_id,sex\nA,1\n", "Nothing called sex is declared"),
        (b"%PDF-1.4", "PDF"),
        (b"PAR1 broken", "it is not a table this program can read"),
    ],
)
def test_a_file_that_cannot_be_scored_is_refused_whole_and_leaves_nothing(filled: Store, content: bytes, sentence: str) -> None:
    before = filled.value("select count(*) from audit")
    with pytest.raises(CreditRiskError, match=sentence):
        keep.start(filled, "new.csv", content, user="ann", channel="test")
    assert filled.value("select count(*) from batch") == 0
    assert list(vault.folder(filled, "").glob("*")) == []
    assert filled.value("select count(*) from audit") == before


def test_what_a_crash_left_of_a_file_goes_when_the_program_starts_again(filled: Store) -> None:
    made = done(filled, csv(table(filled, 3)))
    left = vault.folder(filled, "") / ".tmp-old"
    left.mkdir(parents=True)
    assert "What was not kept of batches was removed: 1 files or folders." in integrity.recover(filled)
    assert not left.exists()
    assert vault.folder(filled, made).exists()


def test_a_batch_is_stopped_and_goes_on_where_it_was(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = table(filled, 25_000)
    made = keep.begin(filled, "new.csv", csv(frame), user="ann", channel="test")
    for part in keep.here(filled, made, user="ann"):
        assert 0 < part.last < 25_000
        break  # as Ctrl-C would
    assert keep.get(filled, made)["state"] == "interrupted"
    keep.go_on(filled, made, user="ann")
    with pytest.raises(JobBusy, match="ann's batch"):
        keep.start(filled, "other.csv", csv(frame), user="bob", channel="test")
    keep.stop(filled, made, user="bob")
    assert keep.get(filled, made)["message"] == "stopped by bob; it can go on"
    with pytest.raises(InvalidInput, match="there is nothing to stop"):
        keep.stop(filled, made, user="bob")
    keep.go_on(filled, made, user="ann")
    assert keep.wait(filled, made)["state"] == "done"
    assert filled.rows("select count(*), count(distinct row) from batch_score where batch_id = $id", id=made) == [(25_000, 25_000)]
    assert not (vault.folder(filled, made) / vault.GIVEN).exists()
    with pytest.raises(InvalidInput, match="nothing left to score"):
        keep.go_on(filled, made, user="ann")
    whole = done(filled, csv(frame))
    assert all(same(scoring.get(filled, f"{made}-{row}"), scoring.get(filled, f"{whole}-{row}")) for row in (1, 7_332, 7_333, 25_000))


DIES = """
import os, signal, sys
from dataclasses import fields, replace
from pathlib import Path
from creditrisk import store as stores
from creditrisk.batch import keep
from creditrisk.settings import load
folder = Path(sys.argv[1])
store = stores.open_workspace(replace(load(), data=folder / "data", models=folder / "models"))
made = keep.start(store, "new.csv", folder / "new.csv", user="ann", channel="test")
while keep.get(store, made)["n_done"] < 10_000:
    keep.wait(store, made, 0.02)
print(made, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_batch_goes_on_after_the_server_was_killed(bank: Path, filled: Store, tmp_path: Path) -> None:
    folder = filled.settings.data.parent
    (folder / "new.csv").write_bytes(csv(table(filled, 45_000)))
    filled.close()
    finished = subprocess.run([sys.executable, "-c", DIES, str(folder)], capture_output=True, text=True, cwd=ROOT, check=False)
    assert finished.returncode == -signal.SIGKILL, finished.stderr
    store = stores.open_workspace(replace(load(ROOT / "creditrisk.toml"), data=folder / "data", models=folder / "models"))
    try:
        made = finished.stdout.strip()
        assert keep.get(store, made)["state"] == "interrupted"
        assert 10_000 <= keep.get(store, made)["n_done"] <= 45_000
        keep.go_on(store, made, user="ann")
        assert keep.wait(store, made)["state"] == "done"
        assert store.rows("select count(*), count(distinct row), max(row) from batch_score") == [(45_000, 45_000, 45_000)]
    finally:
        store.close()


def test_results_come_out_as_they_went_in_and_no_spreadsheet_calculates_them(filled: Store, tmp_path: Path) -> None:
    frame = table(filled, 12)
    frame.loc[3, "applicant_id"] = "=cmd|' /C calc'!A0"
    made = done(filled, csv(frame))
    expected = scoring.results(list(results.predictions(filled, made)), certainty.lines(filled, keep.get(filled, made)["model_id"]))
    for kind in ("csv", "xlsx", "parquet"):
        assert results.write(filled, made, tmp_path / f"scores.{kind}", kind) == 12
    assert read_parquet(tmp_path / "scores.parquet")["applicant_id"].tolist() == frame["applicant_id"].tolist()
    for table_ in (read_csv(tmp_path / "scores.csv"), tabular.load(tmp_path / "scores.xlsx", filled.settings.intake)):
        assert table_["applicant_id"][3] == "'=cmd|' /C calc'!A0"
        assert table_["pd"].astype(float).tolist() == expected["pd"].tolist()
        assert to_numeric(table_["pd_high"], errors="coerce").equals(expected["pd_high"])
        assert table_["reason_1"].fillna("").tolist() == expected["reason_1"].fillna("").tolist()
    again = tmp_path / "again.csv"
    results.write(filled, made, again, "csv")
    assert again.read_bytes() == (tmp_path / "scores.csv").read_bytes()


def test_a_file_of_a_batch_that_somebody_changed_is_not_shown(filled: Store) -> None:
    made = done(filled, csv(table(filled, 5)))
    file = vault.folder(filled, made) / f"1{vault.VALUES}"
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(TamperedArtefact, match="is not the file that was kept"):
        scoring.get(filled, f"{made}-1")


def test_what_moved_since_training_is_said_and_what_did_not_is_not(filled: Store) -> None:
    champion = registry.champion(filled)
    assert champion is not None
    frame = features.table(filled, champion["snapshot_id"]).drop(columns=["snapshot_id", "as_of"], errors="ignore")
    alike = results.drift(filled, done(filled, csv(frame)))
    assert set(alike["moved"]) == {""}
    assert set(alike[alike["feature"] != ""]["psi"]) == {0.0}, "the very table the model learned from"
    moved = done(filled, csv(frame.assign(balance_avg_90d=frame["balance_avg_90d"] * 0 + 10_000)))
    drift = results.drift(filled, moved).set_index("feature")
    assert drift.loc["balance_avg_90d", "moved"] == "far"
    assert drift.loc["balance_avg_90d", "psi"] > drift.loc["balance_avg_90d", "critical"]
    lies = results.distribution(filled, moved)
    assert lies["n"].sum() == len(frame)
    assert lies["share"].sum() == pytest.approx(1)
    assert lies["share_trained"].sum() == pytest.approx(1)
    said = results.summary(filled, moved)
    assert (said["n"], sum(said["band"].values()), sum(said["recommendation"].values())) == (len(frame),) * 3


def test_a_backup_holds_what_batches_scored(filled: Store, tmp_path: Path) -> None:
    made = done(filled, csv(table(filled, 5)))
    copy = integrity.backup(filled, tmp_path / "copies", user="ann")
    assert (copy / "batches" / made / f"1{vault.VALUES}").read_bytes() == (vault.folder(filled, made) / f"1{vault.VALUES}").read_bytes()


def test_a_new_rule_of_the_policy_is_one_for_many_too() -> None:
    known = {"margin", "lgd", "refer_band", "min_history_days", "max_uncategorised_share", "knock_outs"}
    assert {part.name for part in fields(Policy)} == known, "teach `policy.decisions` the new rule, and the test below to try it"


NUMBER = st.none() | st.floats(allow_infinity=False, width=32) | st.sampled_from([0.0, 1.0, 89.0, 90.0, 0.15])


NAMES = ("observed_days", "unreconciled_balance_flag", "uncategorised_amount_share_90d", "gambled", "owed")
LIMITS = {"gambled": "> 0.15", "owed": "<= 1"}


@hypothesis.given(
    st.lists(st.tuples(st.floats(0, 1) | st.just(float("nan")), *[NUMBER] * len(NAMES)), min_size=1, max_size=20),
    st.sets(st.sampled_from(range(len(NAMES)))),
    st.sets(st.sampled_from(sorted(LIMITS))),
)
def test_many_are_decided_as_one_is(given: list[tuple[float, ...]], declared: set[int], limited: set[str]) -> None:
    chances = np.array([row[0] for row in given])
    columns = {NAMES[place]: np.array([np.nan if row[place + 1] is None else row[place + 1] for row in given]) for place in declared}
    rules = Policy(knock_outs={name: LIMITS[name] for name in sorted(limited)})
    expected = [policy.recommend(row[0], {NAMES[place]: row[place + 1] for place in declared}, rules).decision for row in given]
    assert policy.decisions(chances, columns, rules).tolist() == expected
