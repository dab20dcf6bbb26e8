"""The child process of a training: `python -m creditrisk.worker FOLDER`. It knows a folder, never the database.

It says what it does in JSON lines, yields to everybody (nice 19), and ends when its parent does.
"""

import json
import os
import sys
import threading
from pathlib import Path

from creditrisk.errors import CreditRiskError


def main(arguments: list[str]) -> int:
    """Fit a prepared folder; 0 when it is done, 1 after printing the sentence that says why not."""
    os.nice(19)
    os.umask(0o077)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from creditrisk import custody, trial  # seconds on a busy machine: the watch over the parent begins before them

    folder = Path(arguments[0])
    try:
        with custody.writing(folder.parent):
            trial.fit(folder, lambda done, what: _say(p=round(done, 4), m=what))
    except CreditRiskError as error:
        _say(error=str(error))
        return 1
    except MemoryError:
        _say(error="The training needed more memory than this machine has. Train on fewer applicants or without the random forest.")
        return 1
    return 0


def _say(**report: object) -> None:
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    os.read(0, 1)  # the parent never writes: this returns when its end of the pipe is gone. `sys.stdin.read` would abort a normal exit.
    os._exit(3)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
