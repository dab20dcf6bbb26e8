"""What can happen to the files of a workspace, one test for each kind of harm: it opens whole, or says what is wrong and what to do."""

import errno
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from creditrisk import custody, integrity, privacy, registry, training
from creditrisk import store as stores
from creditrisk.errors import InvalidInput, NoRoom, StoreDamaged
from creditrisk.settings import Settings
from creditrisk.store import Store
from tests.conftest import ROOT
from tests.test_integrity import failing, killed, note, noted
from tests.test_retraining import QUICK


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
    with pytest.raises(NoRoom, match=r"march\.csv is not taken: .* has 150\.0 MB free; it needs 0\.0 MB, and 200 MB are kept free"):
        store.require_room(1, "march.csv")
    monkeypatch.setattr(custody.shutil, "disk_usage", lambda _folder: type("Usage", (), {"free": float("nan")}))
    with pytest.raises(NoRoom):
        store.require_room(1, "march.csv")
    store.close()


# --- what is given back ---------------------------------------------------------------------------------------------------


def made(settings: Settings, folder: Path) -> Path:
    """Return a backup of a workspace with one note, which goes on with another."""
    with closing(stores.open_workspace(settings)) as store:
        note(store, "p1")
        kept = integrity.backup(store, folder, user="ada")
        note(store, "p2")
    return kept


def link(backup: Path) -> None:
    (backup / "batches").mkdir()
    (backup / "batches" / "given").symlink_to("/etc/passwd")


def link_of_a_folder(backup: Path) -> None:
    (backup / "batches").symlink_to("/etc")


def pipe(backup: Path) -> None:
    os.mkfifo(backup / "banks")


def hidden(backup: Path) -> None:
    (backup / "batches").mkdir()
    (backup / "batches" / "manifest.json").write_text("{}")


def elsewhere(backup: Path) -> None:
    said = json.loads((backup / "manifest.json").read_text())
    said["files"]["../../../etc/cron.d/x"] = "0" * 64
    (backup / "manifest.json").write_text(json.dumps(said))


def a_list(backup: Path) -> None:
    (backup / "manifest.json").write_text('{"files": [1, 2]}')


def deep(backup: Path) -> None:
    (backup / "manifest.json").write_text("[" * 100_000)


def nothing(backup: Path) -> None:
    for path in backup.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (backup / "manifest.json").write_text('{"files": {}}')


def lying(backup: Path) -> None:
    """A database cut short, with the digest of what is left of it."""
    os.truncate(backup / "creditrisk.duckdb", 50_000)
    said = json.loads((backup / "manifest.json").read_text())
    said["files"]["creditrisk.duckdb"] = hashlib.sha256((backup / "creditrisk.duckdb").read_bytes()).hexdigest()
    (backup / "manifest.json").write_text(json.dumps(said))


def forgetful(backup: Path) -> None:
    """A head that knows more than the database, with its own digest."""
    head = json.dumps({"seq": 900, "hash": "x"}).ljust(159) + "\n"
    (backup / "audit.head").write_text(head)
    said = json.loads((backup / "manifest.json").read_text())
    said["files"]["audit.head"] = hashlib.sha256(head.encode()).hexdigest()
    (backup / "manifest.json").write_text(json.dumps(said))


HOSTILE = {
    link: "batches/given is a link or no file",
    link_of_a_folder: "batches is a link or no file",
    pipe: "banks is a link or no file",
    hidden: "batches/manifest.json is missing, new or altered",
    elsewhere: "etc/cron.d/x is missing, new or altered",
    a_list: "is not a backup: it has no manifest.json that can be read",
    deep: "is not a backup: it has no manifest.json that can be read",
    nothing: "is not a backup: it holds no creditrisk.duckdb with its audit.head",
    lying: "Nothing was restored: .* cannot be opened",
    forgetful: "Nothing was restored: The database has lost changes",
}


@pytest.mark.parametrize("harm", HOSTILE, ids=lambda harm: harm.__name__)
def test_a_backup_that_is_none_is_refused_and_nothing_is_touched(settings: Settings, tmp_path: Path, harm: Callable[[Path], None]) -> None:
    backup = made(settings, tmp_path / "safe")
    harm(backup)
    with pytest.raises(InvalidInput, match=HOSTILE[harm]):
        integrity.restore(settings, backup, user="ada")
    assert not list(settings.data.glob("*restore*")) + list(settings.models.glob("*restore*"))
    assert left(settings) == ["p1", "p2"]


def test_a_backup_that_does_not_fit_is_refused_and_nothing_is_touched(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = made(settings, tmp_path / "safe")
    with monkeypatch.context() as patch:
        patch.setattr(custody.shutil, "disk_usage", lambda _folder: type("Usage", (), {"free": 1_000}))
        with pytest.raises(NoRoom, match=r"is not taken: the disk that holds .* has 0\.0 MB free"):
            integrity.restore(settings, backup, user="ada")
        patch.undo()
        patch.setattr(shutil, "copy2", refusing)
        with pytest.raises(NoRoom, match=r"cannot be copied to .* \(No space left on device\)\. Nothing was restored\."):
            integrity.restore(settings, backup, user="ada")
    assert not list(settings.data.glob("*restore*"))
    assert left(settings) == ["p1", "p2"]


def refusing(*_given: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_a_restore_that_was_killed_left_is_removed_and_said(settings: Settings) -> None:
    with closing(stores.open_workspace(settings)) as store:
        for folder in (settings.data, settings.models):
            (folder / integrity.INCOMING / "M0001").mkdir(parents=True)
        said = integrity.recover(store)
        assert "A restore that was broken off before it put anything in place was removed." in said
        assert not list(settings.data.glob("*restore*")) + list(settings.models.glob("*restore*"))


# --- beside the database --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"\xff\xfe[[", b"[[[", b""])
def test_a_schema_that_cannot_be_read_is_said(settings: Settings, content: bytes) -> None:
    stores.open_workspace(settings).close()
    (settings.data / "schema.toml").write_bytes(content)
    with pytest.raises(StoreDamaged, match=r"schema\.toml.* Put it back from a backup: nothing says what an applicant is"):
        stores.open_workspace(settings)


def test_a_head_that_is_a_folder_is_said(settings: Settings) -> None:
    stores.open_workspace(settings).close()
    (settings.data / "audit.head").unlink(missing_ok=True)
    (settings.data / "audit.head").mkdir()
    assert "is not what this program wrote" in str(left(settings))


@pytest.mark.parametrize("name", ["card.json", "card.md", "metrics.json", "schema.toml", "test.parquet", "contributions.parquet"])
def test_a_file_kept_with_a_model_that_was_altered_or_removed_is_found(filled: Store, name: str) -> None:
    file = filled.models / "M0002" / name
    kept = file.read_bytes()
    file.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    assert failing(filled) == [f"{file} is not the file that was kept. Restore it from a backup or train again."]
    file.unlink()
    assert failing(filled) == [f"{file} is missing. Restore it from a backup or train again."]


def test_models_that_are_on_record_keep_their_files_though_it_could_not_be_acknowledged(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert filled._head is not None
    write = filled._head.write

    def refused(mark: custody.Mark) -> None:
        if filled.value("select action from audit where seq = $seq", seq=mark.seq) == "register":
            raise NoRoom("The change is stored but audit.head cannot be written.")
        write(mark)

    monkeypatch.setattr(filled._head, "write", refused)
    with pytest.raises(NoRoom, match="The change is stored"):
        training.train(filled, replace(QUICK, algorithms=("logistic",), label_set_id="L0001"), user="dan")
    assert filled.value("select count(*) from model") > 5
    assert failing(filled) == []


@pytest.mark.parametrize("is_stored", [True, False])
def test_an_erasure_killed_before_or_after_it_is_stored_leaves_whole_tables(
    filled: Store, monkeypatch: pytest.MonkeyPatch, is_stored: bool
) -> None:
    name = registry.table(filled, "M0002", "test")["applicant_id"].iloc[0]
    before = registry.files(filled, "M0002")

    def killed(*_given: object, **_named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*(registry, "settled") if is_stored else (stores, "_append_audit"), killed)
        with pytest.raises(KeyboardInterrupt):
            privacy.erase(filled, name, user="ada", reason="asked for it")
    integrity.recover(filled)
    assert failing(filled) == []
    assert (registry.files(filled, "M0002") == before) is not is_stored
    assert (name in set(registry.table(filled, "M0002", "test")["applicant_id"])) is not is_stored
    assert not list(filled.models.glob("*/.*"))
