"""What can happen to the files of a workspace, one test for each kind of harm: it opens whole, or says what is wrong and what to do."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from creditrisk import custody, integrity
from creditrisk import store as stores
from creditrisk.errors import NoRoom, StoreDamaged
from creditrisk.settings import Settings
from creditrisk.store import Store
from tests.conftest import ROOT
from tests.test_integrity import failing, killed, note, noted


def log_of(settings: Settings) -> Path:
    return settings.database.with_name(f"{settings.database.name}.wal")


def left(settings: Settings) -> list[str] | str:
    """Open; return what is noted there, which must be all of it, or the refusal, which must say how to go on."""
    try:
        with closing(stores.open_workspace(settings)) as store:
            return noted(store) if not failing(store) else failing(store)[0]
    except StoreDamaged as refusal:
        return str(refusal)


ALL = [f"p{number}" for number in range(5)]


# --- the write-ahead log ------------------------------------------------------------------------------------------------


def test_a_log_torn_anywhere_is_noticed_or_whole(settings: Settings, tmp_path: Path) -> None:
    killed(settings)
    whole, dice = log_of(settings).read_bytes(), random.Random(7)
    for end in sorted(dice.sample(range(1, len(whole)), 12)):
        shutil.copytree(settings.data, tmp_path / "torn")
        log_of(settings).write_bytes(whole[:end])
        found = left(settings)
        assert found == ALL or (isinstance(found, str) and "lost changes" in found), end
        shutil.rmtree(settings.data)
        shutil.move(tmp_path / "torn", settings.data)


def test_a_bit_that_turned_in_the_log_is_noticed_or_does_no_harm(settings: Settings, tmp_path: Path) -> None:
    killed(settings)
    whole, dice = log_of(settings).read_bytes(), random.Random(11)
    refused = 0
    for _ in range(20):
        shutil.copytree(settings.data, tmp_path / "kept")
        turned = bytearray(whole)
        turned[dice.randrange(len(turned))] ^= 1 << dice.randrange(8)
        log_of(settings).write_bytes(turned)
        found = left(settings)
        refused += found != ALL
        assert found == ALL or isinstance(found, str), found
        shutil.rmtree(settings.data)
        shutil.move(tmp_path / "kept", settings.data)
    assert refused > 10


def test_noise_after_the_end_of_the_log_loses_nothing_or_is_said(settings: Settings) -> None:
    killed(settings)
    with log_of(settings).open("ab") as log:
        log.write(b"\0" * 4096)
    found = left(settings)
    assert found == ALL or (isinstance(found, str) and "backup" in found)


def test_the_log_of_another_workspace_is_refused(settings: Settings) -> None:
    killed(settings)
    log = log_of(settings).read_bytes()
    for path in (log_of(settings), settings.data / "audit.head", settings.database):
        path.unlink(missing_ok=True)
    store = stores.open_workspace(settings)  # the same folder begun anew: another database
    note(store, "p9")
    store.close()
    log_of(settings).write_bytes(log)
    found = left(settings)
    assert found == ["p9"] or (isinstance(found, str) and "backup" in found)


# --- the database ---------------------------------------------------------------------------------------------------------


def test_a_bit_that_turned_in_the_database_never_gives_a_wrong_answer(settings: Settings, tmp_path: Path) -> None:
    store = stores.open_workspace(settings)
    for name in ALL:
        note(store, name)
    store.close()
    whole, dice = settings.database.read_bytes(), random.Random(3)
    for _ in range(15):
        shutil.copytree(settings.data, tmp_path / "kept")
        turned = bytearray(whole)
        turned[dice.randrange(len(turned))] ^= 1 << dice.randrange(8)
        settings.database.write_bytes(turned)
        found = left(settings)
        assert found == ALL or isinstance(found, str), found
        shutil.rmtree(settings.data)
        shutil.move(tmp_path / "kept", settings.data)


def test_a_database_cut_short_is_refused_with_the_way_back(settings: Settings) -> None:
    store = stores.open_workspace(settings)
    for name in ALL:
        note(store, name)
    store.close()
    os.truncate(settings.database, settings.database.stat().st_size // 2)
    found = left(settings)
    assert isinstance(found, str)
    assert "backup" in found


def test_an_emptied_database_and_a_file_that_is_none_are_refused(settings: Settings) -> None:
    store = stores.open_workspace(settings)
    note(store, "p1")
    store.close()
    for content in (b"", b"not a database" * 1000):
        settings.database.write_bytes(content)
        found = left(settings)
        assert isinstance(found, str)
        assert "backup" in found


def test_a_head_that_is_no_mark_is_said(settings: Settings) -> None:
    store = stores.open_workspace(settings)
    note(store, "p1")
    store.close()
    (settings.data / "audit.head").write_bytes(b"\xff{")
    assert "is not what this program wrote" in str(left(settings))


def test_start_up_says_what_was_stored_but_never_acknowledged(settings: Settings) -> None:
    store = stores.open_workspace(settings)
    note(store, "p1")
    head = (settings.data / "audit.head").read_bytes()
    note(store, "p2")
    store.close()
    (settings.data / "audit.head").write_bytes(head)
    store = stores.open_workspace(settings)
    assert integrity.recover(store) == ["1 changes were stored, though the program ended before it could say so. They are kept."]
    store.close()


def test_what_an_unfinished_backup_left_is_removed_and_said(settings: Settings, tmp_path: Path) -> None:
    store = stores.open_workspace(settings)
    made = integrity.backup(store, tmp_path / "safe", user="ada")
    mine, foreign = (tmp_path / "safe" / f".part-{name}-1" for name in (integrity._workspace(store), "another"))
    for part in (mine, foreign):
        part.mkdir()
    (said,) = integrity.recover(store)
    assert said.startswith(f"The unfinished backup {mine.name}")
    assert (mine.exists(), foreign.exists(), made.exists()) == (False, True, True)
    store.close()


def test_a_restore_cut_short_anywhere_is_never_taken_for_a_workspace(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stores.open_workspace(settings)
    note(store, "p1")
    made = integrity.backup(store, tmp_path / "safe", user="ada")
    note(store, "p2")
    store.close()
    rename, refused = Path.rename, 0
    for cut in range(10):
        calls = iter(range(cut + 1))

        def until(path: Path, target: Path, calls: Iterator[int] = calls, cut: int = cut) -> Path:
            if next(calls) == cut:
                raise KeyboardInterrupt
            return rename(path, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", until)
            try:
                integrity.restore(settings, made, user="ada")
                break
            except KeyboardInterrupt:
                found = left(settings)
        assert found in (["p1", "p2"], ["p1"]) or "has lost changes" in str(found), (cut, found)
        refused += isinstance(found, str)
    assert refused > 1
    assert left(settings) == ["p1"]


# --- the disk -------------------------------------------------------------------------------------------------------------

FILLS = """
import os, resource, sys
from dataclasses import replace
from pathlib import Path
from pandas import DataFrame
from creditrisk import store as stores
from creditrisk.errors import NoRoom
from creditrisk.settings import load
folder, limit = Path(sys.argv[1]), int(sys.argv[2])
store = stores.open_workspace(replace(load(), data=folder / "data", models=folder / "models"))
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
said = []
for number in range(400):
    rows = DataFrame({"applicant_id": [os.urandom(200).hex() for _ in range(1_000)]})
    try:
        with store.write("rita", "outcomes", f"b{number}", n=len(rows)) as cursor:
            cursor.register("rows", rows)
            made = "select applicant_id, true as observed_bad, $at as recorded_at, 'rita' as recorded_by from rows"
            cursor.execute(f"insert into outcome by name {made}", {"at": stores.now()})
        print("kept", number, flush=True)
    except NoRoom as full:
        said.append(str(full))
        if len(said) == 3:
            break
print(*said, sep="\\n")
for path in folder.glob("ballast"):
    path.unlink()
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print("goes on with", store.value("select count(distinct recorded_at) from outcome"))
with store.write("rita", "outcomes", "after", n=0):
    pass
store.close()
"""


def filled_up(settings: Settings, limit: int) -> None:
    """Write until nothing more goes in, then make room; in a process of its own, since the limit is one of the process."""
    command = [sys.executable, "-c", FILLS, str(settings.data.parent), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    kept = [line for line in done.stdout.splitlines() if line.startswith("kept")]
    assert kept
    assert done.stdout.count("The disk of the workspace is full or cannot be written") == 3, done.stdout
    store = stores.open_workspace(settings)
    try:
        batches = store.value("select count(distinct recorded_at) from outcome")
        assert batches in (len(kept), len(kept) + 1)  # the one that met the end may have been stored: then it is shown
        assert f"goes on with {batches}" in done.stdout
        assert store.value("select count(*) from outcome") == 1_000 * batches
        assert store.value("select count(*) from audit where action = 'outcomes' and subject <> 'after'") == batches
        assert not failing(store)
    finally:
        store.close()


def test_a_full_disk_is_a_sentence_and_the_workspace_goes_on_when_there_is_room(settings: Settings) -> None:
    filled_up(settings, 8_000_000)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 30 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=30m", "tmpfs", str(folder)], capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_is_really_full_is_one_too(small: Path, settings: Settings) -> None:
    (small / "ballast").write_bytes(b"\0" * 8_000_000)
    filled_up(type(settings)(data=small / "data", models=small / "models"), 0)


def test_a_disk_that_cannot_be_written_is_said(small: Path, settings: Settings) -> None:
    there = type(settings)(data=small / "data", models=small / "models")
    stores.open_workspace(there).close()
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    with pytest.raises(NoRoom, match=r"cannot be written \(Read-only file system\)"):
        stores.open_workspace(there)


def test_nothing_new_is_taken_in_below_the_reserve(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    store: Store = stores.open_workspace(settings)
    monkeypatch.setattr(custody.shutil, "disk_usage", lambda _folder: type("Usage", (), {"free": 150_000_000}))
    with pytest.raises(NoRoom, match=r"march\.csv is not taken: .* has 150 MB free; it needs 0 MB, and 200 MB are kept free"):
        store.require_room(1, "march.csv")
    monkeypatch.setattr(custody.shutil, "disk_usage", lambda _folder: type("Usage", (), {"free": float("nan")}))
    with pytest.raises(NoRoom):
        store.require_room(1, "march.csv")
    store.close()
