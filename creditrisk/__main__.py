"""The command line: every verb of the library. Asks for an id or a file, calls one library function, prints what comes back.

Exit 0: done. 1: some inputs were refused, each with its sentence on stderr. 2: one sentence, and nothing was changed.
With `--json` stdout holds one JSON object a line and a last `{"summary": …}`; whatever else there is to say goes to stderr.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from creditrisk import __version__
from creditrisk.commands import access, applicants, deciding, desk, keeping, lab, mending, models, statements, transfer, verdicts
from creditrisk.commands.terminal import Options, Out, Parser, common
from creditrisk.errors import CreditRiskError

STOPPED = "Stopped. What was not finished is not stored."
ROOMS = (statements, applicants, lab, models, transfer, desk, deciding, verdicts, mending, keeping, access)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    out = Out(as_json="--json" in given)
    asked = threading.Event()
    try:
        with _stoppable(asked):
            options = _parser().parse_args(given)
            options.run(options, out)
    except CreditRiskError as error:
        return out.fail(str(error))
    except BrokenPipeError:  # whoever read our output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return out.fail(f"{error.filename or 'A file that was to be written'}: {(error.strerror or str(error)).lower()}.")
    except KeyboardInterrupt as stopped:  # a command of many steps says what it has kept
        return out.fail(f"Stopped. {stopped}" if stopped.args else STOPPED)
    except Exception as error:
        if asked.is_set():  # whoever was interrupted within compiled code says so in other words
            return out.fail(STOPPED)
        if type(error).__module__.strip("_").startswith("duckdb"):  # a disk that is full, most of all
            return out.fail(
                f"The workspace could not be read or written: {str(error).splitlines()[0]} What was not finished is not stored."
            )
        raise
    return 1 if out.refused else 0


@contextmanager
def _stoppable(asked: threading.Event) -> Iterator[None]:
    """Note in `asked` that somebody pressed Ctrl-C; only the main thread hears of it."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        asked.set()
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m creditrisk", description="Bank statements in, explained scores out.", parents=[common()])
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def parser_of(name: str, run: Callable[[Options, Out], None], about: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.", parents=[common()])
        added.set_defaults(run=run)
        return added

    for room in ROOMS:
        room.declare(parser_of)
    parser.set_defaults(data=None, models=None, user=None)
    return parser


if __name__ == "__main__":
    sys.exit(main())
