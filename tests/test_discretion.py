"""Whatever fails, and whoever writes it into a log: the kind and the place are told, and nothing of what was read."""

import io
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from creditrisk import discretion, formula
from tests.conftest import ROOT

LOGS = ("uvicorn.error", "streamlit.error_util", "asyncio", "somebody.else", "creditrisk.discretion")
SECRETS = ("Jane", "Roe", "crw_", "DE0212")


@pytest.fixture
def heard() -> Iterator[io.StringIO]:
    """What a handler that prints everything prints, with the discreet records; the process is put back as it was."""
    factory, thread, program = logging.getLogRecordFactory(), threading.excepthook, sys.excepthook
    printed = io.StringIO()
    handler = logging.StreamHandler(printed)
    levels = {name: logging.getLogger(name).level for name in LOGS}  # a server that another test ran may have silenced its log
    for name in LOGS:
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).setLevel(logging.INFO)
    discretion.install()
    yield printed
    for name in LOGS:
        logging.getLogger(name).removeHandler(handler)
        logging.getLogger(name).setLevel(levels[name])
    logging.setLogRecordFactory(factory)
    threading.excepthook, sys.excepthook = thread, program


def failing() -> None:
    raise ValueError("could not convert 'Jane Roe' of DE02120300000000202051 with crw_1_secret")


def test_an_error_handed_to_any_log_tells_its_kind_and_place(heard: io.StringIO) -> None:
    for name in LOGS:
        try:
            failing()
        except ValueError as error:
            logging.getLogger(name).exception("Exception in ASGI application\n")
            logging.getLogger(name).error("It went wrong: %s", error)
            logging.getLogger(name).error("It went wrong: %s", error, exc_info=error)
    assert heard.getvalue().count("ValueError at tests/test_discretion.py:") == 4 * len(LOGS)
    assert not [word for word in SECRETS if word in heard.getvalue()]


def test_a_thread_that_fails_tells_as_little(heard: io.StringIO) -> None:
    thread = threading.Thread(target=failing)
    thread.start()
    thread.join()
    assert "A thread ended: ValueError at tests/test_discretion.py:" in heard.getvalue()
    assert not [word for word in SECRETS if word in heard.getvalue()]


def test_a_program_that_fails_tells_as_little() -> None:
    script = "from creditrisk import discretion\ndiscretion.install()\ndiscretion.install()\nint('Jane Roe')"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False)
    assert said.returncode == 1
    assert "The program ended: ValueError" in said.stderr
    assert not [word for word in SECRETS if word in said.stderr]


def test_what_is_told_says_where_in_this_program() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        formula.parts(type("JaneRoe", (str,), {"__hash__": lambda _: hash(1 // 0)})())
    assert "creditrisk/formula.py:" in discretion.told(caught.value)
