"""What a log is told of a failure: its kind, and where in this program. Never its words: they quote what was read, which is somebody's.

Whoever catches an error to explain it does so in a sentence of their own; nothing here reaches a page or an answer.
"""

import logging
import re
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

HOME = Path(__file__).parents[1]
MOST = 6  # places
KIND = re.compile(r"^(?:[A-Za-z_]\w*\.)*([A-Z]\w*(?:Error|Exception|Exit|Interrupt))(?=:|$)", re.MULTILINE)
PLACE = re.compile(rf'^  File "{re.escape(str(HOME))}/([\w./]+\.py)", line (\d+), in [\w<>]+$', re.MULTILINE)


def told(error: BaseException) -> str:
    """Return the kind of an error and its places in this program, the innermost last; of its own words nothing.

    >>> told(ValueError("Jane Roe, 12.50"))
    'ValueError'
    """
    frames = traceback.extract_tb(error.__traceback__)
    ours = [(Path(frame.filename).relative_to(HOME), frame.lineno) for frame in frames if Path(frame.filename).is_relative_to(HOME)]
    return _said(type(error).__name__, [f"{file}:{line}" for file, line in ours])


def overheard(printed: str) -> str:
    """Return the same of what another process of ours printed before it ended.

    >>> overheard("reading Jane Roe\\nTraceback (most recent call last):\\nValueError: Jane Roe")
    'ValueError'
    >>> overheard("Jane Roe, killed")
    'no error by name'
    """
    kinds = KIND.findall(printed)
    return _said(kinds[-1] if kinds else "no error by name", [f"{file}:{line}" for file, line in PLACE.findall(printed)])


def install() -> None:
    """From now on every log of this process, whoever writes it, and every thread that fails tell as much of an error and no more."""
    make = logging.getLogRecordFactory()
    if getattr(make, "is_discreet", False):
        return

    def discreet(*given: Any, **more: Any) -> logging.LogRecord:
        record = make(*given, **more)
        if record.exc_info and record.exc_info[1] is not None:
            record.msg, record.args = f"{_plain(record)} ({told(record.exc_info[1])})", ()
            record.exc_info = None
        elif isinstance(record.args, tuple) and any(isinstance(value, BaseException) for value in record.args):
            record.args = tuple(told(value) if isinstance(value, BaseException) else value for value in record.args)
        return record

    discreet.is_discreet = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(discreet)
    log = logging.getLogger(__name__)
    threading.excepthook = lambda failed: log.error("A thread ended: %s", failed.exc_value)
    sys.excepthook = lambda _kind, error, _trace: log.error("The program ended: %s", error)


def _plain(record: logging.LogRecord) -> str:
    """Return a record's message without the words of the errors in it."""
    if isinstance(record.args, tuple):
        record.args = tuple(told(value) if isinstance(value, BaseException) else value for value in record.args)
    return record.getMessage().strip()


def _said(kind: str, places: list[str]) -> str:
    return f"{kind} at {' > '.join(places[-MOST:])}" if places else kind
