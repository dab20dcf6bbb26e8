"""The process that reads for us: whatever becomes of it, its end is a sentence, and it leaves nothing behind."""

import os
import textwrap
import time
from pathlib import Path

import pytest

from creditrisk.errors import UnreadableFile
from creditrisk.formats import guard
from tests.hostiles import SOUND

LARGE = "import resource, signal; resource.setrlimit(resource.RLIMIT_FSIZE, (9, 9)); signal.signal(signal.SIGXFSZ, 0); print('x' * 99)"


def told(monkeypatch: pytest.MonkeyPatch, folder: Path, program: str, patience: float = 30.0) -> object:
    """Return what is made of a child that runs `program`."""
    child = folder / "child.py"
    child.write_text(textwrap.dedent(program), encoding="utf-8")
    monkeypatch.setattr(guard, "CHILD", child)
    return guard.extract("a.xlsx", b"content", "sheets", max_rows=5, patience=patience)


def test_a_child_is_given_the_file_and_its_limits_and_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECRET", "x")
    program = """
        import json, os, sys
        content = sys.stdin.buffer.read().decode()
        print(json.dumps({"sheets": [sys.argv[1:], content, "SECRET" in os.environ, sys.flags.isolated, os.getpgid(0) == os.getpid()]}))
    """
    assert told(monkeypatch, tmp_path, program) == [["sheets", '{"rows": 5}'], "content", False, 1, True]


def test_a_child_s_refusal_is_the_file_s(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"^a\.xlsx: it is a riddle\.$"):
        told(monkeypatch, tmp_path, 'print(\'{"refused": "it is a riddle."}\')')


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "more time or memory than any statement does"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "more time or memory than any statement does"),
        (LARGE, "what it unpacks to is larger than any statement"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", r"the process that tried to read it broke off \(SIGSEGV\)"),
        ("import os; os.abort()", r"made to do harm: the process that tried to read it broke off \(SIGABRT\)"),
        ("raise SystemExit(7)", r"broke off \(exit code 7\)"),
        ("1 / 0", r"broke off \(exit code 1\)"),
        ("print('{\"sheets\": [')", "its answer cannot be read"),
        ("", "its answer cannot be read"),
        ("print('[]')", "its answer cannot be read"),
    ],
    ids=["processor", "killed", "output", "crash", "abort", "exit", "exception", "half an answer", "silence", "another answer"],
)
def test_however_a_child_ends_it_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str, said: str) -> None:
    with pytest.raises(UnreadableFile, match=said):
        told(monkeypatch, tmp_path, program)


def test_a_child_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    program = f"import os, time; open({str(noted)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    started = time.monotonic()
    with pytest.raises(UnreadableFile, match="takes longer than 1 s"):
        told(monkeypatch, tmp_path, program, patience=1.0)
    assert time.monotonic() - started < 10
    with pytest.raises(ProcessLookupError):
        os.kill(int(noted.read_text()), 0)


def test_the_real_child_answers_and_refuses() -> None:
    assert guard.extract("a.xlsx", SOUND["a.xlsx"], "sheets", max_rows=5)[0]["name"] == "Sheet"
    with pytest.raises(UnreadableFile, match="more than the 1 allowed"):
        guard.extract("a.xlsx", SOUND["a.xlsx"], "sheets", max_rows=1)
    with pytest.raises(UnreadableFile, match="damaged or cut off"):
        guard.extract("a.pdf", SOUND["a.xlsx"], "pages", max_rows=5)
