"""A workspace proves that it is whole, notices what DuckDB does not, and comes back from a copy as it was."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from creditrisk import custody, integrity, reviews
from creditrisk import store as stores
from creditrisk.__main__ import main
from creditrisk.custody import Head
from creditrisk.errors import InvalidInput, NotAllowed, StoreDamaged
from creditrisk.people import Person
from creditrisk.settings import Settings
from creditrisk.store import Store
from tests.test_reviews import predicted

DIES = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from creditrisk import store as stores
from creditrisk.settings import load
from tests.test_integrity import note
folder = Path(sys.argv[1])
store = stores.open_workspace(replace(load(), data=folder / "data", models=folder / "models"))
for number in range(5):
    note(store, f"p{number}")
    print(f"p{number}", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def note(store: Store, name: str) -> None:
    """Write something that points at nothing."""
    with store.write("rita", "outcomes", name) as cursor:
        cursor.execute(
            "insert into outcome by name select $name as applicant_id, true as observed_bad, $at as recorded_at, 'rita' as recorded_by",
            {"name": name, "at": stores.now()},
        )


def noted(store: Store) -> list[str]:
    return [name for (name,) in store.rows("select applicant_id from outcome order by applicant_id")]


def filled(settings: Settings) -> Store:
    store = stores.open_workspace(settings)
    note(store, "p1")
    return store


def failing(store: Store) -> list[str]:
    return [found["sentence"] for found in integrity.check(store) if not found["passed"]]


def killed(settings: Settings) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DIES, str(settings.data.parent)], capture_output=True, text=True, cwd=Path(__file__).parents[1], check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert done.stdout.split() == [f"p{number}" for number in range(5)]


def test_what_was_acknowledged_survives_a_kill(settings: Settings) -> None:
    killed(settings)
    store = stores.open_workspace(settings)
    assert len(noted(store)) == 5
    assert not failing(store)
    store.close()


@pytest.mark.parametrize("harm", ["delete", "empty", "garbage"])
def test_a_lost_log_is_noticed_though_the_database_opens_without_a_word(settings: Settings, harm: str) -> None:
    killed(settings)
    log = settings.database.with_name(f"{settings.database.name}.wal")
    assert log.stat().st_size > 0
    if harm == "delete":
        log.unlink()
    else:
        log.write_bytes(b"" if harm == "empty" else b"not a log" * 500)
    with pytest.raises(StoreDamaged, match=r"has lost changes that were acknowledged: 5 were, it knows 0|cannot be opened"):
        stores.open_workspace(settings)
    custody.release(custody.take(settings.data))  # the refusal let go of the lock


def test_removing_the_head_opens_what_is_left_and_stays_on_record(settings: Settings) -> None:
    filled(settings).close()
    (settings.data / "audit.head").unlink()
    store = stores.open_workspace(settings)
    assert store.rows("select user_name, action from audit order by seq desc limit 1") == [("creditrisk", "head")]
    store.close()


def test_a_history_that_was_altered_is_refused(settings: Settings) -> None:
    store = filled(settings)
    store.append("update audit set hash = 'x' where seq = (select max(seq) from audit)")
    store.close()
    with pytest.raises(StoreDamaged, match="is not the one that was acknowledged"):
        stores.open_workspace(settings)


def test_a_head_behind_the_database_catches_up(settings: Settings) -> None:
    store = filled(settings)
    first = store.rows("select seq, hash from audit order by seq limit 1")[0]
    store.close()
    Head(settings.data, settings.database).write(custody.Mark(*first))
    store = stores.open_workspace(settings)
    newest = store.value("select max(seq) from audit")
    store.close()
    head = Head(settings.data, settings.database).read()
    assert head is not None
    assert head.seq == newest


def test_one_process_at_a_time_even_when_the_database_lets_go_of_its_own_lock(settings: Settings) -> None:
    store = filled(settings)
    settings.database.read_bytes()  # what drops DuckDB's lock
    program = (
        "import sys; from pathlib import Path; from creditrisk import custody; from creditrisk.errors import StoreInUse\n"
        "try: custody.take(Path(sys.argv[1]))\nexcept StoreInUse as error: print(error)"
    )
    tried = [sys.executable, "-c", program, str(settings.data)]
    assert "is open in another process" in subprocess.run(tried, capture_output=True, text=True, check=True).stdout
    store.close()
    assert subprocess.run(tried, capture_output=True, text=True, check=True).stdout == ""


def test_the_first_altered_row_is_named(store: Store) -> None:
    for number in range(4):
        note(store, f"p{number}")
    assert not failing(store)
    store.append("update audit set subject = 'p9' where seq = 3")
    assert failing(store) == [f"Audit row 3 (rita, outcomes p9, {stores.now():%Y-%m-%d %H:%M} UTC) or the one before it was altered."]
    store.append("delete from audit where seq = 2")
    said, strange = failing(store)
    assert said == "Audit row 2 is missing: the next one there is 3."
    assert strange.startswith("No audit row stored this row of outcome: {'applicant_id': p1,")


def test_what_points_nowhere_is_named(store: Store) -> None:
    predicted(store, "p1")
    reviews.add(store, "p1", "correct", "label", "", user="rita")
    store.append("delete from prediction")
    assert "1 rows of review name a prediction that is not there, the first of them p1." in failing(store)


def test_a_backup_comes_back_as_it_was_and_what_it_replaced_is_kept(settings: Settings, tmp_path: Path) -> None:
    store = filled(settings)
    made = integrity.backup(store, tmp_path / "safe", user="ada")
    note(store, "p2")
    store.close()
    aside = integrity.restore(settings, made, user="ada")
    store = stores.open_workspace(settings)
    assert noted(store) == ["p1"]
    assert not failing(store)
    assert store.rows("select user_name, action from audit order by seq desc limit 1") == [("ada", "restore")]
    store.close()
    assert aside is not None
    assert (aside / "creditrisk.duckdb").is_file()


def test_a_backup_with_a_changed_byte_is_refused_and_nothing_is_touched(settings: Settings, tmp_path: Path) -> None:
    store = filled(settings)
    made = integrity.backup(store, tmp_path / "safe", user="ada")
    store.close()
    content = bytearray((made / "creditrisk.duckdb").read_bytes())
    content[len(content) // 2] ^= 1
    (made / "creditrisk.duckdb").write_bytes(content)
    with pytest.raises(InvalidInput, match=r"creditrisk\.duckdb is missing, new or altered"):
        integrity.restore(settings, made, user="ada")
    with pytest.raises(InvalidInput, match="is not a backup"):
        integrity.restore(settings, tmp_path, user="ada")
    store = stores.open_workspace(settings)
    assert noted(store) == ["p1"]
    store.close()


def test_nothing_is_restored_over_a_workspace_that_is_open(settings: Settings, tmp_path: Path) -> None:
    store = filled(settings)
    made = integrity.backup(store, tmp_path / "safe", user="ada")
    program = "import sys; from creditrisk.__main__ import main; sys.exit(main(sys.argv[1:]))"
    asked = ["restore", str(made), "--data", str(settings.data), "--models", str(settings.models)]
    done = subprocess.run([sys.executable, "-c", program, *asked], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is open in another process" in done.stderr
    store.close()


def test_a_backup_takes_a_role(settings: Settings, tmp_path: Path) -> None:
    store = filled(settings)
    with pytest.raises(NotAllowed, match="to backup takes a person with the role data scientist or admin"):
        integrity.backup(store, tmp_path / "safe", user=Person("ann", ["analyst"]))
    assert not (tmp_path / "safe").exists()
    store.close()


def test_the_commands_say_what_they_found(settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filled(settings).close()
    where = ["--data", str(settings.data), "--models", str(settings.models), "--user", "ada", "--json"]
    assert main(["check", *where]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["summary"]["passed"] is True
    assert main(["backup", str(tmp_path / "safe"), *where]) == 0
    made = json.loads(capsys.readouterr().out.splitlines()[-1])["summary"]["folder"]
    assert main(["restore", made, *where]) == 0
    capsys.readouterr()
    shutil.rmtree(made)
    assert main(["restore", made, *where]) == 2
    assert "is not a backup" in capsys.readouterr().err


def test_a_lock_of_another_workspace_is_another_lock(settings: Settings, tmp_path: Path) -> None:
    store = filled(settings)
    (tmp_path / "other").mkdir()
    with custody.holding(tmp_path / "other"):
        pass
    store.close()
