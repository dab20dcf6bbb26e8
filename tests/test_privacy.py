"""A person can be taken out: nothing that says who they are is left, and what was decided is still provable."""

from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from pandas import concat, read_csv
from pyarrow import parquet

from creditrisk import (
    applicants,
    corrections,
    decisions,
    features,
    ingest,
    integrity,
    labels,
    plan,
    privacy,
    reviews,
    scoring,
    training,
    vault,
)
from creditrisk import store as stores
from creditrisk.__main__ import main
from creditrisk.batch import keep, results
from creditrisk.errors import InvalidInput, NotAllowed, NothingYet, UnknownThing
from creditrisk.people import Person
from creditrisk.store import Store
from tests.test_batch import csv, done, table

NAME = "Quirinia Ostrowska"
OTHER = "INVEST_OUT"  # what no invented applicant does
KNOWN_WELL = "select applicant_id from label join prediction using (applicant_id) join account using (applicant_id) order by 1"


def failing(store: Store) -> list[str]:
    return [found["sentence"] for found in integrity.check(store) if not found["passed"]]


def everything(store: Store) -> str:
    """Every value of every table, as one text."""
    tables = [name for (name,) in store.rows("select table_name from duckdb_tables() where schema_name = 'main' order by all")]
    return "\n".join(str(row) for name in tables for row in store.rows(f'from "{name}"'))


def one(store: Store) -> str:
    """Return an applicant who is known in every way: with a name, statements, labels, scores, a verdict that names them."""
    store_id: str = store.value(KNOWN_WELL)
    with store.write("ana", "apply", "a name") as cursor:
        cursor.execute("update application set name = $name where applicant_id = $id", {"name": NAME, "id": store_id})
    movement = store.value("select min(transaction_id) from movement where applicant_id = $id and amount < 0", id=store_id)
    corrections.correct(
        store, scope="movement", category=OTHER, user="rita", transaction_id=movement, reason=f"Quirinia said so, {store_id}"
    )
    case = scoring.history(store, store_id)["prediction_id"].iloc[0]
    reviews.add(store, case, "incorrect", "reasons", f"ms ostrowska ({store_id}) earns more", user="rita")
    return store_id


def test_nothing_that_says_who_they_are_is_left_and_all_else_is(filled: Store) -> None:
    store_id = one(filled)
    numbers = [number for (number,) in filled.rows("select number from account where applicant_id = $id and number <> ''", id=store_id)]
    files = [name for (name,) in filled.rows(FILES, id=store_id)]
    texts = [text for (text,) in filled.rows(OWN_TEXTS, id=store_id)]
    cases = scoring.history(filled, store_id)["prediction_id"].tolist()
    n = filled.value("select count(*) from transaction")
    others = filled.rows("select count(*) from account where applicant_id <> $id", id=store_id)
    counted = privacy.erase(filled, store_id, user="ada", reason="asked for it", dry_run=True)[1]
    assert filled.value("select count(*) from transaction") == n
    assert not failing(filled)

    pseudonym, gone = privacy.erase(filled, store_id, user="ada", reason="asked for it")

    assert (gone.statements, gone.transactions, gone.texts) == (counted.statements, counted.transactions, counted.texts)
    assert gone.transactions == n - filled.value("select count(*) from transaction") > 0
    left = everything(filled)
    for what in (store_id, *NAME.split(), *numbers, *files, *texts):
        assert what.casefold() not in left.casefold(), what
    for path in filled.models.rglob("*"):
        assert path.is_dir() or store_id.encode() not in path.read_bytes(), path
    assert not failing(filled)
    assert filled.rows("select count(*) from account where applicant_id <> $id", id=store_id) == others
    assert scoring.history(filled, pseudonym)["prediction_id"].tolist() == cases
    stored, again = scoring.replay(filled, cases[0])
    assert (stored, stored.applicant_id) == (again, pseudonym)
    assert "asked for it" in str(privacy.said(filled, pseudonym))
    with pytest.raises(UnknownThing):
        applicants.person(filled, store_id)


FILES = """select distinct file_name from statement join statement_account using (statement_id) join account using (account_id)
    where applicant_id = $id"""
OWN_TEXTS = """select distinct text from movement where applicant_id = $id and length(text) > 12
    and text not in (select text from movement where applicant_id <> $id)"""


def test_labels_and_models_of_the_erased_can_still_be_used(filled: Store) -> None:
    store_id = one(filled)
    name = str(labels.newest(filled))
    n = len(labels.rows_of(filled, labels.get(filled, name)))
    privacy.erase(filled, store_id, user="ada", reason="asked for it")
    assert len(labels.rows_of(filled, labels.get(filled, name))) == n
    made = training.train(filled, plan.Config(algorithms=("logistic",), label_set_id=name, folds=2), user="dan")
    assert made
    features.build(filled, user="dan")
    assert not failing(filled)


def test_an_audit_row_that_somebody_altered_is_still_found_after_an_erasure(filled: Store) -> None:
    privacy.erase(filled, one(filled), user="ada", reason="asked for it")
    newest = filled.value("select max(seq) from audit")
    filled.append("update audit set subject = 'another' where seq = $seq", seq=newest)
    assert f"Audit row {newest} (ada, erase another" in failing(filled)[0]


def test_a_file_with_others_in_it_loses_its_bytes_and_they_keep_their_movements(store: Store) -> None:
    rows = "Account,Date,Description,Amount\nDE11,2025-01-02,RENT,-500.00\nDE22,2025-01-02,COFFEE,-3.00\nDE22,2025-01-03,BREAD,-4.00\n"
    reading = ingest.read("both.csv", rows.encode(), settings=store.settings)
    assert reading.status != "rejected", reading.problems
    ingest.save(store, [reading], user="ana")
    (first, _) = [name for (name,) in store.rows("select applicant_id from account order by number")]
    _, gone = privacy.erase(store, first, user="ada", reason="asked for it")
    assert (gone.statements, gone.shared_statements, gone.transactions) == (0, 1, 1)
    assert store.rows("select text from movement order by line") == [("COFFEE",), ("BREAD",)]
    assert not failing(store)
    store.append("update statement set source = 'x'::blob")
    assert failing(store)


def test_who_was_erased_or_never_known_cannot_be_erased_and_a_reason_is_needed(filled: Store) -> None:
    store_id = one(filled)
    with pytest.raises(InvalidInput, match="needs a reason"):
        privacy.erase(filled, store_id, user="ada", reason=" ")
    with pytest.raises(NotAllowed, match="takes a person with the role admin"):
        privacy.erase(filled, store_id, user=Person("ann", ["analyst"]), reason="asked for it")
    pseudonym, _ = privacy.erase(filled, store_id, user="ada", reason="asked for it")
    for name in (store_id, pseudonym, "nobody"):
        with pytest.raises(UnknownThing):
            privacy.erase(filled, name, user="ada", reason="asked for it")


def test_whoever_nothing_happened_with_for_long_is_due_and_purged_as_one_event(filled: Store) -> None:
    today = stores.now().date()
    assert privacy.due(filled).empty
    assert privacy.purge(filled, user="ada", dry_run=False).applicants == 0
    later = today + timedelta(days=31 * 25 + 1)
    n = len(privacy.due(filled, later))
    assert n == filled.value("select count(distinct applicant_id) from account")
    before = filled.value("select count(*) from audit")
    assert privacy.purge(filled, user="ada", today=later).applicants == n
    assert filled.value("select count(*) from audit") == before
    gone = privacy.purge(filled, user="ada", today=later, dry_run=False)
    assert (gone.applicants, filled.value("select count(*) from transaction"), filled.value("select count(*) from erasure")) == (n, 0, n)
    assert filled.rows("select action, detail->'gone'->>'applicants' from audit where seq > $seq", seq=before) == [("purge", str(n))]
    assert privacy.due(filled, later).empty
    assert not failing(filled)


def test_what_happened_lately_keeps_a_person(store: Store) -> None:
    with store.write("ana", "import", "table") as cursor:
        cursor.execute("insert into outcome values ('old', true, null, '2020-01-01', 'ana'), ('new', true, null, '2020-01-01', 'ana')")
        cursor.execute("insert into arrears values ('new', 3, null, '2023-05-01', 'ana')")
    assert privacy.due(store, date(2023, 6, 1))["applicant_id"].tolist() == ["old"]
    assert privacy.due(store, date(2022, 2, 1)).empty
    assert privacy.due(store, date(2025, 6, 2))["applicant_id"].tolist() == ["old", "new"]


WHO = "Q000007"


def in_batches(store: Store) -> tuple[str, str]:
    """Return a batch that is done and one that is not: WHO is scored in the first; set aside, and to be scored again, in the second."""
    frame = table(store, 12).assign(applicant_id=[f"Q{place:06d}" for place in range(1, 13)]).astype(object)
    whole = done(store, csv(frame))
    wrong = frame.copy()
    wrong.loc[6, "days_negative_90d"] = 91
    half = keep.begin(store, f"{WHO}.csv", csv(concat([wrong, frame])), user="ann", channel="test")
    for _ in keep.here(store, half, user="ann"):
        break  # as Ctrl-C would
    return whole, half


def named(store: Store, word: str) -> list[Path]:
    """Files under the data folder that hold a word, open or packed."""
    found = []
    for path in (path for path in store.settings.data.rglob("*") if path.is_file() and not path.name.startswith("creditrisk.duckdb")):
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content += parquet.read_table(path).to_pandas().to_csv().encode()
        found += [path] if word.encode() in content else []
    return found


def test_whoever_was_in_a_batch_is_in_none_of_its_files_any_more(filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("creditrisk.batch.work.ROWS", 12)
    whole, half = in_batches(filled)
    assert len(named(filled, WHO)) == 3  # the file that is not done, its name, and the rows set aside
    counted = privacy.erase(filled, WHO, user="ada", reason="asked for it", dry_run=True)[1]
    assert (len(named(filled, WHO)), counted.predictions) == (3, 1)

    pseudonym, gone = privacy.erase(filled, WHO, user="ada", reason="asked for it")

    assert (gone.predictions, gone.batch_files) == (1, 1)
    assert named(filled, WHO) == []
    assert WHO not in everything(filled)
    assert not failing(filled)
    stored, again = scoring.replay(filled, f"{whole}-7")
    assert (stored, stored.applicant_id) == (again, pseudonym)
    assert results.write(filled, whole, tmp_path / "scores.csv", "csv") == 12
    assert read_csv(tmp_path / "scores.csv")["applicant_id"].tolist()[5:8] == ["Q000006", pseudonym, "Q000008"]
    aside = results.refused(filled, half)
    assert aside["given: applicant_id"].tolist() == [privacy.GONE]
    assert aside["what is wrong"].tolist() == ["Row 7: days_negative_90d is 91; the most allowed is 90."]
    with pytest.raises(NothingYet, match="no longer there, so it cannot go on"):
        keep.go_on(filled, half, user="ann")
    assert keep.get(filled, half)["message"] == "Its file named a person who was erased, and was removed."


@pytest.mark.parametrize("is_done", [True, False])
def test_whoever_is_only_among_rows_set_aside_can_be_named(filled: Store, monkeypatch: pytest.MonkeyPatch, is_done: bool) -> None:
    monkeypatch.setattr("creditrisk.batch.work.ROWS", 12)
    frame = table(filled, 12).assign(applicant_id=[f"Q{place:06d}" for place in range(1, 13)]).astype(object)
    frame.loc[6, "days_negative_90d"] = 91
    batch = done(filled, csv(frame)) if is_done else keep.begin(filled, "new.csv", csv(frame), user="ann", channel="test")
    assert len(named(filled, WHO)) == 1
    counts = filled.rows("select batch_id, count(*) from batch_score group by all")
    later = date.today() + timedelta(days=5_000)
    assert WHO in privacy.due(filled, later)["applicant_id"].tolist()
    assert privacy.due(filled).empty

    pseudonym, gone = privacy.erase(filled, WHO, user="ada", reason="asked for it")

    assert (gone.predictions, gone.batch_files) == (0, int(not is_done))
    assert named(filled, WHO) == []
    assert WHO not in everything(filled)
    assert not failing(filled)
    assert filled.rows("select batch_id, count(*) from batch_score group by all") == counts
    assert "was erased" in (privacy.said(filled, pseudonym) or "")
    assert WHO not in privacy.due(filled, later)["applicant_id"].tolist()
    with pytest.raises(UnknownThing):
        privacy.erase(filled, WHO, user="ada", reason="once more")
    if is_done:
        (row,) = results.refused(filled, batch).to_dict("records")
        assert row["what is wrong"] == "Row 7: days_negative_90d is 91; the most allowed is 90."
        assert {value for name, value in row.items() if name.startswith("given: ") and value == value and value} == {privacy.GONE}


def test_a_cell_that_only_looks_like_an_id_names_nobody(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("creditrisk.batch.work.ROWS", 12)
    in_batches(filled)
    for cell in ("91", "", privacy.GONE, "2026-01-31"):
        with pytest.raises(UnknownThing):
            privacy.erase(filled, cell, user="ada", reason="asked for it")


def test_a_batch_that_names_somebody_else_goes_on(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("creditrisk.batch.work.ROWS", 12)
    _, half = in_batches(filled)
    privacy.erase(filled, one(filled), user="ada", reason="asked for it")
    assert [part.n_scored for part in keep.here(filled, half, user="ann")] == [12]
    assert keep.get(filled, half)["state"] == "done"
    assert not failing(filled)


def test_a_part_that_was_under_way_while_somebody_was_erased_is_not_kept(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("creditrisk.batch.work.ROWS", 4)
    made = keep.begin(filled, "new.csv", csv(table(filled, 12)), user="ann", channel="test")
    working = keep.here(filled, made, user="ann")
    assert next(working).last == 4
    privacy.erase(filled, "N000002", user="ada", reason="asked for it")
    with pytest.raises(NothingYet, match="erased meanwhile"):
        next(working)
    assert filled.value("select count(*) from batch_score") == 4
    assert sorted(path.name for path in vault.folder(filled, made).iterdir()) == [f"1{vault.VALUES}"]
    assert not failing(filled)


def test_an_erasure_cut_short_after_its_commit_is_done_at_the_next_start(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("creditrisk.batch.work.ROWS", 12)
    in_batches(filled)
    with monkeypatch.context() as patch:
        patch.setattr("creditrisk.vault.settled", lambda _files: None)
        privacy.erase(filled, WHO, user="ada", reason="asked for it")
    assert failing(filled)
    integrity.recover(filled)
    assert named(filled, WHO) == []
    assert not failing(filled)


def test_what_persons_wrote_when_they_decided_names_nobody_any_more(filled: Store) -> None:
    who = one(filled)
    case = scoring.history(filled, who)["prediction_id"].iloc[0]
    asked = decisions.Said("ask", asked=[f"A payslip of {NAME}"], comment=f"{who} promised it")
    decisions.decide(filled, case, asked, user="rita")
    privacy.erase(filled, who, user="ada", reason="asked for it")
    (kept,) = decisions.of_case(filled, case)
    assert (kept.asked, kept.comment) == (["(erased)"], "(erased)")
    assert "Ostrowska" not in everything(filled)


def test_a_name_that_no_application_gives_goes_too_with_what_was_written_on_their_cases(filled: Store) -> None:
    said = "Date;Description;Amount\n2025-09-01;SALARY ACME ZEBULON QUARTERMAIN;2500.00\n2025-09-05;RENT ZEBULON QUARTERMAIN;-900.00\n"
    ingest.save(filled, [ingest.read("zebulon.csv", said.encode(), settings=filled.settings)], user="ann", applicant_id="ZQX-77701")
    features.build(filled, user="ann", applicant_ids=["ZQX-77701"])
    (made,) = scoring.score_applicants(filled, ["ZQX-77701"], user="ann", channel="test")
    reviews.add(filled, made.prediction_id, "correct", "decision", "Zebulon knows his salary; so does his wife Xanthippe", user="rita")
    decisions.decide(filled, made.prediction_id, OVERRIDE, user="ann")
    assert "quartermain" in everything(filled).casefold()
    privacy.erase(filled, "ZQX-77701", user="ada", reason="asked for it")
    left = everything(filled).casefold()
    assert not [word for word in ("zebulon", "quartermain", "xanthippe", "zqx-77701") if word in left]
    (kept,) = decisions.of_case(filled, made.prediction_id)
    assert kept.reasons == ["Mr (erased) pays his rent late"], "why it was decided stays"
    assert not failing(filled)


OVERRIDE = decisions.Said("override", outcome="decline", reasons=["Mr Quartermain pays his rent late"], comment="Zebulon called")


def test_every_table_that_names_applicants_is_known_here(store: Store) -> None:
    named = store.rows("select table_name from duckdb_columns() where column_name = 'applicant_id' and not internal and table_oid in "
                       "(select table_oid from duckdb_tables()) order by 1")  # fmt: skip
    assert {name for (name,) in named} == {*privacy.RENAMED, *privacy.DELETED, *privacy.INVENTED}


def test_the_commands_count_first(filled: Store, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    store_id = one(filled)
    where = ["--data", str(filled.settings.data), "--models", str(filled.settings.models), "--user", "ada"]
    filled.close()
    assert main(["erase", store_id, "--reason", "asked for it", "--dry-run", *where]) == 0
    assert "would be" in capsys.readouterr().out
    assert main(["erase", store_id, "--reason", "asked for it", *where]) == 0
    assert "erased-" in capsys.readouterr().out
    for path in (path for path in filled.settings.data.rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert store_id.encode() not in content, path
        assert b"Ostrowska" not in content, path
    assert main(["purge", *where]) == 0
    assert "Nobody is due" in capsys.readouterr().out
    assert main(["check", *where]) == 0


def test_what_could_not_be_wiped_stays_noted_and_is_said(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    privacy.erase(filled, one(filled), user="ada", reason="asked for it")
    filled.close()
    with monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda _folder: type("Usage", (), {"free": 0}))
        assert integrity.wipe(filled.settings) is False
    with closing(stores.open_workspace(filled.settings)) as store:
        assert any("still hold what was erased" in said for said in integrity.recover(store))
    assert integrity.wipe(filled.settings) is True
    assert integrity.wipe(filled.settings) is False
    with closing(stores.open_workspace(filled.settings)) as store:
        assert integrity.recover(store) == []
        assert not failing(store)
