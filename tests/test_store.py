"""One file, one writer at a time, every write named and chained; a second process gets a sentence."""

import hashlib
import json
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest

from creditrisk import store as stores
from creditrisk.errors import NotAllowed, StoreDamaged, StoreInUse
from creditrisk.settings import Settings
from creditrisk.store import SQL, Store


def note(store: Store, user: str = "ann", subject: str = "x") -> None:
    with store.write(user, "outcomes", subject) as cursor:
        cursor.execute("insert into outcome values ($id, true, null, $at, 'ann')", {"id": subject, "at": stores.now()})


def test_what_is_written_is_there_after_reopening(settings: Settings) -> None:
    first = stores.open_workspace(settings)
    note(first)
    first.close()
    again = stores.open_workspace(settings)
    assert again.rows("select applicant_id from outcome") == [("x",)]
    assert again.value("select count(*) from migration") == len(list((SQL / "migrations").glob("*.sql")))
    again.close()


def test_every_file_of_sql_states_its_grain_on_line_one() -> None:
    for file in SQL.rglob("*.sql"):
        assert file.read_text().startswith(f"-- {file.stem.split('_', 1)[-1] if file.parent.name == 'migrations' else file.stem}: ")


def test_a_failed_write_leaves_nothing(store: Store) -> None:
    def half() -> None:
        with store.write("ann", "outcomes", "x") as cursor:
            cursor.execute("insert into outcome values ('x', true, null, now()::timestamp, 'ann')")
            cursor.execute("insert into outcome values (null, true, null, now()::timestamp, 'ann')")

    with pytest.raises(duckdb.ConstraintException):
        half()
    assert store.value("select count(*) from outcome") == 0
    assert store.value("select count(*) from audit") == 0


def test_nobody_writes_without_a_name(store: Store) -> None:
    with pytest.raises(NotAllowed, match="names the person"):
        note(store, user="  ")


def test_the_audit_is_a_chain(store: Store) -> None:
    for subject in "abc":
        note(store, subject=subject)
    before = ""
    for seq, happened_at, user, action, subject, detail, digest in store.rows("select * from audit order by seq"):
        row = {"seq": seq, "happened_at": happened_at, "user": user, "action": action, "subject": subject, "detail": detail}
        assert digest == hashlib.sha256((before + json.dumps(row, ensure_ascii=False, default=str)).encode()).hexdigest()
        before = digest


def test_writers_on_many_threads_lose_nothing(store: Store) -> None:
    threads = [threading.Thread(target=lambda n=n: [note(store, subject=f"{n}-{i}") for i in range(20)]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.value("select count(distinct applicant_id) from outcome") == 160
    assert store.value("select max(seq) from audit") == 160


def test_a_second_process_gets_a_sentence(settings: Settings) -> None:
    held = stores.open_workspace(settings)
    program = (
        "import sys; from pathlib import Path; from creditrisk import settings, store\n"
        "try: store.open_workspace(settings.load(data=Path(sys.argv[1]), models=Path(sys.argv[2])))\n"
        "except store.StoreInUse as error: print(error)"
    )
    other = subprocess.run(
        [sys.executable, "-c", program, str(settings.data), str(settings.models)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    held.close()
    assert "is open in another process" in other.stdout
    assert StoreInUse.status == 503


def test_a_file_that_is_no_database_is_refused_by_name(settings: Settings) -> None:
    settings.data.mkdir(parents=True)
    settings.database.write_bytes(b"not a database at all" * 1000)
    with pytest.raises(StoreDamaged, match=r"creditrisk\.duckdb cannot be opened"):
        stores.open_workspace(settings)


def test_the_database_reaches_no_file_outside(store: Store) -> None:
    with pytest.raises(duckdb.PermissionException):
        store.rows("select * from read_csv('/etc/passwd')")
    with pytest.raises(duckdb.Error):
        store.rows("set enable_external_access = true")


def test_names_from_outside_are_quoted() -> None:
    assert stores.quoted('a"; drop table x; --') == '"a""; drop table x; --"'


def test_labels_made_before_there_were_cohorts_are_kept(tmp_path: Path, settings: Settings) -> None:
    files = sorted((stores.SQL / "migrations").glob("*.sql"))
    old = [file for file in files if file.stem < "0023"]
    with duckdb.connect(str(tmp_path / "old.duckdb")) as before:
        for file in old:
            before.execute(file.read_text())
        before.execute(
            """insert into label_set values ('L0001', 'kmeans', 'cluster', 7, 2, 2, 0.5, true, true, '{}', now()::timestamp, 'ann');
            insert into label values ('L0001', 'A', 1, 0.5, true, 1), ('L0001', 'B', null, null, null, 1)"""
        )
        for file in files[len(old) :]:
            before.execute(file.read_text())
        kept = before.execute("from label order by applicant_id").fetchall()
        assert kept == [("L0001", 7, "A", "cluster", 1, 0.5, True, 1.0), ("L0001", 7, "B", "cluster", None, None, None, 1.0)]
        assert before.execute("select label_set_id, method from label_set").fetchall() == [("L0001", "kmeans")]
        with pytest.raises(duckdb.ConstraintException):
            before.execute("insert into label values ('L0001', 7, 'A', 'cluster', 1, 0.5, true, 1)")


def test_a_workspace_is_nobody_elses_on_the_machine(settings: Settings) -> None:
    stores.open_workspace(settings).close()
    assert [folder.stat().st_mode & 0o777 for folder in (settings.data, settings.models)] == [0o700, 0o700]


def test_a_lasting_answer_is_asked_for_once_until_something_of_its_kind_is_written(store: Store) -> None:
    asked: list[int] = []

    def known() -> int:
        asked.append(1)
        return int(store.value("select count(*) from outcome"))

    def lasting() -> int:
        return store.lasting("outcomes", frozenset({"outcomes"}), known)

    assert (lasting(), lasting(), len(asked)) == (0, 0, 1)
    note(store)
    assert (lasting(), lasting(), len(asked)) == (1, 1, 2)
    with store.write("ann", "review", "something else"):
        pass
    assert (lasting(), len(asked)) == (1, 2)

    def half() -> None:
        with store.write("ann", "outcomes", "half") as cursor:
            cursor.execute("insert into outcome values ('half', true, null, $at, 'ann')", {"at": stores.now()})
            assert lasting() == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert lasting() == 1
    with store.rehearsal() as rehearsed:
        note(rehearsed, subject="rehearsed")
        assert rehearsed.lasting("outcomes", frozenset({"outcomes"}), lambda: rehearsed.value("select count(*) from outcome")) == 2
    assert (lasting(), len(asked)) == (1, 2)
