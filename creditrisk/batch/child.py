"""The process that scores a batch: `python -m creditrisk.batch.child FOLDER DONE`. It knows a folder, never the database.

It saves each part, tells of it in a JSON line, yields to everybody (nice 19), and ends when its parent does.
"""

import json
import os
import sys
import threading
from pathlib import Path

from creditrisk.errors import CreditRiskError

AHEAD = 4  # parts that may lie in the folder before the server has taken them


def main(arguments: list[str]) -> int:
    """Score a prepared folder behind its first DONE rows; 0 when it is done, 1 after printing the sentence that says why not."""
    os.nice(19)
    os.umask(0o077)
    taken = threading.Semaphore(AHEAD)
    threading.Thread(target=_follow_parent, args=(taken,), daemon=True).start()
    from creditrisk import custody
    from creditrisk.batch import work  # seconds on a busy machine: the watch over the parent begins before them

    folder = Path(arguments[0])
    try:
        with custody.writing(folder):
            for part in work.parts(folder, int(arguments[1])):
                taken.acquire()
                _say(part=part.hand_over(folder))
    except CreditRiskError as error:
        _say(error=str(error))
        return 1
    except MemoryError:
        _say(error="Reading the file needed more memory than this machine has. Send it in several files, or as Parquet.")
        return 1
    return 0


def _say(**report: object) -> None:
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()


def _follow_parent(taken: threading.Semaphore) -> None:
    """Let another part be made for each one taken, and end with the parent, whose end of the pipe is then gone."""
    while os.read(0, 1):
        taken.release()
    os._exit(3)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
