"""A file that only a large library can read is read in a process of its own; whatever becomes of that, this one goes on.

The child has 20 s of CPU, 1 GB of memory and 256 MB of output; too slow, too large or crashed is a sentence.
"""

import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

from creditrisk import custody
from creditrisk.errors import UnreadableFile

CHILD = Path(__file__).with_name("child.py")
PATIENCE = 60.0  # seconds on the clock; the child's own limit is on the processor


def extract(file: str, content: bytes, kind: Literal["sheets", "pages"], *, max_rows: int, patience: float = PATIENCE) -> Any:
    """Return what the child found under `kind`. Raises UnreadableFile with the child's refusal, or with what became of the child."""
    # Run by path, not as a module of the package: the package imports numpy and Arrow, which alone fill half the child's memory.
    command = [sys.executable, "-I", "-X", "utf8", str(CHILD), kind, json.dumps({"rows": max_rows})]
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as answer:
        with custody.writing(Path(tempfile.gettempdir())):
            given.write(content)
            given.flush()
        given.seek(0)
        child = subprocess.Popen(command, stdin=given, stdout=answer, stderr=subprocess.DEVNULL, env={}, start_new_session=True)
        try:
            code = child.wait(patience)
        except subprocess.TimeoutExpired as error:
            raise UnreadableFile(file, f"reading it takes longer than {patience:g} s, as no statement does.") from error
        finally:
            child.kill()
            child.wait()
        if code:
            raise UnreadableFile(file, _ended(code))
        answer.seek(0)
        try:
            found = json.load(answer)
        except ValueError:  # text that is no JSON, or no text
            found = None
    if isinstance(found, dict) and "refused" in found:
        raise UnreadableFile(file, str(found["refused"]))
    if not isinstance(found, dict) or kind not in found:
        raise UnreadableFile(file, "the process that read it went wrong: its answer cannot be read.")
    return found[kind]


def _ended(code: int) -> str:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return "reading it takes more time or memory than any statement does."
    if code == -signal.SIGXFSZ:
        return "what it unpacks to is larger than any statement."
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return f"it is damaged, or made to do harm: the process that tried to read it broke off ({how})."
