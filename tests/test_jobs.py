"""Jobs: real child processes that report, fail in a sentence, stop when told to and end with their parent."""

import errno
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

import pytest

from creditrisk import jobs
from creditrisk.errors import InvalidInput, JobBusy, NoRoom, NotAllowed, NotEnoughData, UnknownThing
from creditrisk.store import Store

SAY = "import json, sys, time, os\ndef say(**r): print(json.dumps(r), flush=True)\n"
PATIENT = SAY + "say(p=0.4, m='thinking hard')\ntime.sleep(60)\n"


def begin(store: Store, script: str, finish: object = lambda job_id: f"stored by {job_id}", user: str = "ann") -> tuple[str, Path]:
    folder = store.models / f".tmp-{time.monotonic_ns()}"
    folder.mkdir()
    command = [sys.executable, "-c", script]
    return jobs.spawn(store, "training", {"seed": 7}, command, user=user, finish=finish, folder=folder), folder  # type: ignore[arg-type]


def until(store: Store, job_id: str, state: str) -> None:
    for _ in range(1_000):
        if jobs.get(store, job_id)["state"] == state:
            return
        time.sleep(0.02)
    raise AssertionError(jobs.get(store, job_id))


def test_a_job_reports_finishes_and_leaves_its_history(store: Store) -> None:
    script = SAY + "say(p=0.2, m='reading')\nprint('a library chats')\ntime.sleep(0.6)\nsay(p=0.7, m='fitting, fold 3 of 5')\n"
    job_id, folder = begin(store, script)
    done = jobs.wait(store, job_id, 120)
    assert (done["state"], done["progress"], done["message"]) == ("done", 1.0, "stored by J0001")
    assert (done["created_by"], done["params"]) == ("ann", {"seed": 7})
    events = jobs.events(store, job_id)
    assert events["state"].tolist() == ["queued", "running", "running", "done"]
    assert events["message"].tolist()[2] == "fitting, fold 3 of 5"
    assert not folder.exists()
    assert jobs.active(store) is None
    assert jobs.current(store)["job_id"].tolist() == ["J0001"]
    assert store.rows("select action from audit order by seq") == [("job",), ("job done",)]


def test_a_worker_that_refuses_leaves_its_sentence(store: Store) -> None:
    job_id, _ = begin(store, SAY + "say(p=0.5, m='x')\nsay(error='There are 3 bad applicants; 10 are needed.')\nsys.exit(1)")
    ended = jobs.wait(store, job_id, 120)
    assert (ended["state"], ended["progress"]) == ("failed", 0.5)
    assert ended["message"] == "There are 3 bad applicants; 10 are needed."


def test_a_crash_is_a_sentence_and_the_log_is_told_its_kind_and_place_and_nothing_it_had_read(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    script = """
import sys
from creditrisk import cells
print('could not read Jane Roe, DE02120300000000202051', file=sys.stderr)
sys.stderr.write('Traceback: Jane Roe Error: Jane\\n  File "Jane Roe", line 3, in Jane\\n')
cells.amount(type('JaneRoe', (), {'translate': lambda *_: 1 / 0})())
"""
    job_id, folder = begin(store, script)
    ended = jobs.wait(store, job_id, 120)
    assert ended["state"] == "failed"
    assert "ended unexpectedly (code 1)" in ended["message"]
    assert f"job {job_id} ended with code 1: ZeroDivisionError at creditrisk/cells.py:" in caplog.text
    assert not folder.exists()
    told = caplog.text + "".join(str(row) for table in ("job_event", "audit") for row in store.rows(f"select * from {table}"))
    assert not [word for word in ("Jane", "Roe", "DE0212") if word in told]
    job_id, _ = begin(store, SAY + "os.kill(os.getpid(), 9)")
    assert "killed from outside, perhaps for lack of memory" in jobs.wait(store, job_id, 120)["message"]


def test_a_result_that_cannot_be_stored_fails_the_job(store: Store) -> None:
    def finish(job_id: str) -> str:
        raise NotEnoughData("The label set is gone.")

    job_id, _ = begin(store, SAY, finish)
    assert jobs.wait(store, job_id, 120)["message"] == "The label set is gone."


def test_one_job_at_a_time_and_stop_really_stops(store: Store) -> None:
    job_id, folder = begin(store, PATIENT)
    until(store, job_id, "running")
    with pytest.raises(JobBusy, match="ann's training job J0001"):
        begin(store, SAY, user="bea")
    process = jobs._running[store].process
    jobs.stop(store, job_id, "bea")
    assert process.poll() is not None
    ended = jobs.get(store, job_id)
    assert (ended["state"], ended["message"]) == ("stopped", "stopped by bea; nothing was registered")
    assert not folder.exists()
    with pytest.raises(InvalidInput, match="J0001 is stopped"):
        jobs.stop(store, job_id, "bea")
    with pytest.raises(UnknownThing, match="J0042"):
        jobs.stop(store, "J0042", "bea")
    again, _ = begin(store, SAY)
    assert jobs.wait(store, again, 120)["state"] == "done"


def test_shutting_down_interrupts_and_start_up_says_what_was_interrupted(store: Store) -> None:
    job_id, _ = begin(store, PATIENT)
    until(store, job_id, "running")
    jobs.shut_down(store)
    assert jobs.get(store, job_id)["state"] == "interrupted"
    assert jobs.recover(store) == []
    with store.write("ann", "job", "J0099") as cursor:  # as a server that was killed leaves it
        cursor.execute("insert into job values ('J0099', 'training', '{}', now()::timestamp, 'ann')")
        jobs._append(cursor, "J0099", "running", 0.3, "fitting")
    assert jobs.recover(store) == ["J0099"]
    left = jobs.get(store, "J0099")
    assert (left["state"], left["progress"]) == ("interrupted", 0.3)
    assert "start it again" in left["message"]


def test_shutting_down_waits_for_a_result_that_is_being_stored(store: Store) -> None:
    storing = Event()

    def finish(_job_id: str) -> str:
        storing.set()
        time.sleep(0.3)
        return "stored"

    job_id, _ = begin(store, SAY, finish)
    assert storing.wait(30)
    jobs.shut_down(store)
    assert jobs.get(store, job_id)["state"] == "done"


def test_an_end_that_the_disk_has_no_room_for_is_put_on_record_once_it_has(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    close, full = jobs._close, Event()

    def refused(*given: object, **named: object) -> None:
        if full.is_set():
            raise NoRoom("The disk is full.")
        close(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(jobs, "_close", refused)
    monkeypatch.setattr(jobs, "AGAIN", 0.02)
    full.set()
    job_id, _ = begin(store, PATIENT)
    until(store, job_id, "running")
    jobs.stop(store, job_id, "bea")  # answers, though nothing can be stored
    assert jobs.get(store, job_id)["state"] == "running"
    full.clear()
    until(store, job_id, "stopped")
    again, _ = begin(store, SAY)
    assert jobs.wait(store, again, 120)["state"] == "done"


def test_a_disk_that_is_full_when_the_result_is_stored_is_said(store: Store) -> None:
    def finish(_job_id: str) -> str:
        raise OSError(errno.ENOSPC, "No space left on device", "card.json")

    job_id, _ = begin(store, SAY, finish)
    ended = jobs.wait(store, job_id, 120)
    assert ended["state"] == "failed"
    assert ended["message"].startswith("card.json cannot be written (No space left on device). What was not finished is not stored.")


def test_a_job_names_its_person(store: Store) -> None:
    with pytest.raises(NotAllowed):
        begin(store, SAY, user="")
    assert jobs.current(store).empty


def test_the_worker_ends_with_its_parent() -> None:
    script = "import threading, time\nfrom creditrisk import worker\n"
    script += "threading.Thread(target=worker._end_with_parent, daemon=True).start()\nprint('up', flush=True)\ntime.sleep(60)"
    root = Path(jobs.__file__).parents[1]
    with subprocess.Popen([sys.executable, "-c", script], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n"
        child.stdin.close()
        assert child.wait(10) == 3
