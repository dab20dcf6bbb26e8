"""A decision can be proven by a file alone, and a row that somebody altered is found."""

import hashlib
import json
import struct
from collections.abc import Callable
from math import nan
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditrisk import evidence, features, integrity, privacy, reviews, scoring, seal, vault
from creditrisk.__main__ import main
from creditrisk.errors import InvalidInput, NotAllowed, UnknownThing
from creditrisk.scoring import COLUMNS
from creditrisk.store import Store
from tests.test_batch import csv, done, table


def failing(store: Store) -> list[str]:
    return [found["sentence"] for found in integrity.check(store) if not found["passed"]]


@given(st.lists(st.text(), min_size=1, max_size=40), st.data())
def test_every_row_is_proven_and_no_other_is(values: list[str], data: st.DataObject) -> None:
    leaves = [seal.leaf([value]) for value in values]
    place = data.draw(st.integers(0, len(values) - 1))
    assert seal.follow(leaves[place], seal.proof(leaves, place)) == seal.root(leaves)
    assert seal.follow(seal.leaf(["no such row", 1]), seal.proof(leaves, place)) != seal.root(leaves)


def test_all_of_a_prediction_is_sealed_but_whose_it_is() -> None:
    assert set(seal.PREDICTION) == set(COLUMNS) - {"applicant_id"}


@pytest.fixture
def case(filled: Store) -> str:
    """One of a batch of seven, judged."""
    made = scoring.score_applicants(filled, features.newest(filled)["applicant_id"].tolist()[:7], user="ana", channel="batch")
    reviews.add(filled, made[3].prediction_id, "correct", "reasons", "", user="rita")
    return made[3].prediction_id


def written(store: Store, case: str, folder: Path) -> dict[str, Any]:
    evidence.write(evidence.of_case(store, case), folder / "case.json")
    return evidence.read(folder / "case.json")


def test_a_file_alone_proves_a_decision(filled: Store, case: str, tmp_path: Path) -> None:
    assert evidence.faults(written(filled, case, tmp_path)) == []
    whole = json.loads((tmp_path / "case.json").read_text())
    assert whole["replay"] == {"same": True, **{name: whole["prediction"][name] for name in ("pd", "score", "recommendation")}}
    assert [event["kind"] for event in whole["story"]] == ["scored", "judged"]
    assert {"score", "review", "register", "label"} <= {entry["action"] for entry in whole["audit"]}
    # by hand, as `how_to_check` says, with nothing of ours
    kept = whole["prediction"]
    texts = ["" if kept[name] is None else kept[name] if isinstance(kept[name], str) else repr(kept[name]) for name in whole["sealed"]]
    digest = hashlib.sha256(b"\0" + "\x1f".join(texts).encode()).digest()
    for side, beside in whole["seal"]["proof"]:
        pair = (bytes.fromhex(beside), digest) if side == "left" else (digest, bytes.fromhex(beside))
        digest = hashlib.sha256(b"\1" + b"".join(pair)).digest()
    entry = next(entry for entry in whole["audit"] if entry["seq"] == whole["seal"]["seq"])
    assert json.loads(entry["detail"])["seal"] == digest.hex()
    row = {name: entry[name] for name in ("seq", "happened_at", "user", "action", "subject", "detail")}
    row["happened_at"] = row["happened_at"].replace("T", " ")
    assert hashlib.sha256((entry["before"] + json.dumps(row, ensure_ascii=False)).encode()).hexdigest() == entry["hash"]


FORGERIES: dict[str, Callable[[dict[str, Any]], None]] = {
    "is not the one that was sealed": lambda case: case["prediction"].update(pd=0.01),
    "No audit entry names this seal": lambda case: case["audit"].clear(),
    "does not follow": lambda case: case["audit"][-1].update(user="somebody else"),
    "The model is not the one": lambda case: case["model"].update(digest="0" * 64),
    "made before predictions were sealed": lambda case: case.update(seal=None),
}


@pytest.mark.parametrize("said", FORGERIES)
def test_a_forged_file_is_found(filled: Store, case: str, tmp_path: Path, said: str) -> None:
    document = written(filled, case, tmp_path)
    FORGERIES[said](document)
    assert any(said in fault for fault in evidence.faults(document))


def test_an_altered_a_missing_and_a_smuggled_prediction_are_found(filled: Store, case: str) -> None:
    assert not failing(filled)
    before = filled.value("select pd from prediction where prediction_id = $id", id=case)
    filled.append("update prediction set pd = 0.01 where prediction_id = $id", id=case)
    assert "are not those that were made" in failing(filled)[0]
    assert scoring.sealed(filled, case) is None
    filled.append("update prediction set pd = $pd where prediction_id = $id", pd=before, id=case)
    assert not failing(filled)
    smuggled = "insert into prediction select * replace ('x' as prediction_id, scored_at + interval 1 day as scored_at) from prediction "
    filled.append(f"{smuggled} where prediction_id = $id", id=case)
    assert failing(filled)[0] == "No audit row knows prediction x or those made with it."
    filled.append("delete from prediction where prediction_id = 'x'")
    filled.append("delete from review where prediction_id = $id", id=case)
    filled.append("delete from prediction where prediction_id = $id", id=case)
    assert any("are not those that were made" in said for said in failing(filled))


def test_what_was_decided_of_an_erased_person_is_still_proven(filled: Store, case: str, tmp_path: Path) -> None:
    name = scoring.get(filled, case).applicant_id
    pseudonym, _ = privacy.erase(filled, name, user="ada", reason="asked for it")
    document = evidence.of_case(filled, case)
    assert document["prediction"]["applicant_id"] == pseudonym
    assert "can no longer be computed again" in document["erased"]
    assert document["replay"]["same"] is True
    assert evidence.faults(written(filled, case, tmp_path)) == []


def test_whoever_has_the_case_in_hand_is_told_nothing_of_it(filled: Store, case: str) -> None:
    reviews.claim(filled, user="sam", prediction_id=case)
    with pytest.raises(NotAllowed, match="give your verdict first"):
        evidence.of_case(filled, case, reader="sam")
    assert evidence.of_case(filled, case, reader="rita")["verdicts"]


def test_what_is_no_evidence_is_refused_in_words(filled: Store, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(InvalidInput, match="is not what `story --out` wrote"):
        evidence.read(tmp_path / "x.json")
    with pytest.raises(UnknownThing):
        evidence.of_case(filled, "nothing")


def test_the_command_writes_and_verifies(filled: Store, case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--data", str(filled.settings.data), "--models", str(filled.settings.models), "--user", "ada"]
    filled.close()
    file = tmp_path / "case.json"
    assert main(["story", case, "--out", str(file), *where]) == 0
    assert main(["story", str(file), "--verify", *where]) == 0
    assert "Everything in case.json fits." in capsys.readouterr().out
    file.write_text(file.read_text().replace('"is_proxy": true', '"is_proxy": false', 1))
    assert main(["story", str(file), "--verify", *where]) == 1
    assert "not the one that was sealed" in capsys.readouterr().err


@pytest.fixture
def of_batch(filled: Store) -> str:
    """The third row of a batch of a dozen."""
    content = csv(table(filled, 12).assign(applicant_id=[f"Q{place:04d}" for place in range(12)]))
    return f"{done(filled, content)}-3"


def test_a_file_alone_proves_a_row_of_a_batch_and_tells_of_no_other(filled: Store, of_batch: str, tmp_path: Path) -> None:
    assert evidence.faults(written(filled, of_batch, tmp_path)) == []
    text = (tmp_path / "case.json").read_text()
    assert "Q0002" in text
    assert not [name for name in ("Q0001", "Q0003") if name in text]
    whole = json.loads(text)
    assert whole["replay"]["same"] is True
    row = whole["seal"]["row"]
    numbers = struct.pack(f"<{len(row['numbers'])}d", *(nan if value is None else value for value in row["numbers"].values()))
    digest = hashlib.sha256(b"\0" + "\x1f".join(row["texts"].values()).encode() + b"\0" + numbers).digest()
    for side, beside in whole["seal"]["proof"]:
        pair = (bytes.fromhex(beside), digest) if side == "left" else (digest, bytes.fromhex(beside))
        digest = hashlib.sha256(b"\1" + b"".join(pair)).digest()
    entry = next(entry for entry in whole["audit"] if entry["seq"] == whole["seal"]["seq"])
    assert json.loads(entry["detail"])["seal"] == digest.hex()


OF_BATCH: dict[str, Callable[[dict[str, Any]], None]] = {
    "The pd of the prediction is not what was sealed": lambda case: case["prediction"].update(pd=0.01),
    "The inputs of the prediction is not": lambda case: case["prediction"]["inputs"].update(balance_avg_90d=1.0),
    "is not the one that was sealed": lambda case: case["seal"]["row"]["numbers"].update(pd=0.01),
    "No audit entry knows the batch": lambda case: case["batch"].update(baseline="nobody"),
    "No audit entry names this seal": lambda case: case["audit"].clear(),
}


@pytest.mark.parametrize("said", OF_BATCH)
def test_a_forged_file_of_a_batch_is_found(filled: Store, of_batch: str, tmp_path: Path, said: str) -> None:
    document = written(filled, of_batch, tmp_path)
    OF_BATCH[said](document)
    assert any(said in fault for fault in evidence.faults(document))


def test_a_part_of_a_batch_that_somebody_altered_is_named(filled: Store, of_batch: str) -> None:
    assert not failing(filled)
    made = of_batch.partition("-")[0]
    before = filled.value("select pd from batch_score where row = 3")
    filled.append("update batch_score set pd = 0.01 where row = 3")
    assert failing(filled) == [f"Rows 1 to 12 of batch {made} do not have the scores that were made: altered, removed or added to."]
    assert scoring.sealed(filled, of_batch) is None
    filled.append("update batch_score set pd = $pd where row = 3", pd=before)
    file = vault.folder(filled, made) / f"1{vault.VALUES}"
    content = file.read_bytes()
    file.write_bytes(content + b" ")
    assert f"Rows 1 to 12 of batch {made}: {file} is not the file that was kept" in failing(filled)[0]
    file.unlink()
    assert f"Rows 1 to 12 of batch {made}: {file} cannot be read" in failing(filled)[0]
    file.write_bytes(content)
    assert not failing(filled)
    filled.append("update batch set baseline = 'nobody'")
    assert failing(filled) == [f"What was asked of batch {made} is not what was put on record: it was altered."]
    filled.append("update batch set baseline = 'cut-off'")
    filled.append("delete from batch_part")
    assert f"The part of batch {made} that begins with row 1 is no longer there." in failing(filled)


def test_a_person_of_a_batch_is_erased_and_their_row_still_proven(filled: Store, of_batch: str, tmp_path: Path) -> None:
    pseudonym, gone = privacy.erase(filled, "Q0002", user="ada", reason="asked for it")
    assert gone.predictions == 1
    assert not failing(filled)
    document = written(filled, of_batch, tmp_path)
    assert document["prediction"]["applicant_id"] == pseudonym
    assert evidence.faults(document) == []
