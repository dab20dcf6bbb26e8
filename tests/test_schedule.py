"""Trainings put off: a person asks and may take it back, the server starts what is due, what cannot be started says why."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import duckdb
import pytest

import ui
from creditrisk import jobs, plan, registry, schedule, training
from creditrisk.errors import InvalidInput, NoRoom, NotAllowed, UnknownThing
from creditrisk.people import Person
from creditrisk.store import Store, now
from tests.test_pages import shown, text, visit, written  # noqa: F401
from tests.test_retraining import QUICK, ground, store  # noqa: F401

SOON = timedelta(seconds=0.2)


def put_off(store: Store, user: str = "ann") -> str:  # noqa: F811
    name = schedule.add(store, replace(QUICK, label_set_id="L0001"), now() + SOON, user=user)
    time.sleep(2 * SOON.total_seconds())
    return name


def test_what_is_due_is_started_once_in_the_name_of_who_asked_for_it(store: Store) -> None:  # noqa: F811
    later = schedule.add(store, QUICK, now() + timedelta(days=1), user="ann")
    name = put_off(store, "Dora")
    assert schedule.start_due(store) == [name]
    assert schedule.start_due(store) == []
    found = schedule.get(store, name)
    job = jobs.active(store)
    assert job is not None
    assert (found["state"], found["message"]) == ("started", f"started as {job['job_id']}")
    assert jobs.wait(store, job["job_id"], 240)["state"] == "done"
    assert registry.models(store)["created_by"].tolist().count("Dora") == 3
    assert schedule.get(store, later)["state"] == "waiting"


def test_one_that_was_cancelled_is_not_started(store: Store) -> None:  # noqa: F811
    name = put_off(store)
    schedule.cancel(store, name, user="ben")
    assert schedule.start_due(store) == []
    assert (schedule.get(store, name)["state"], schedule.get(store, name)["ended_by"]) == ("cancelled", "ben")
    with pytest.raises(InvalidInput, match="is cancelled: there is nothing to cancel"):
        schedule.cancel(store, name, user="ben")
    with pytest.raises(UnknownThing):
        schedule.cancel(store, "T9999", user="ben")


def test_a_time_that_has_passed_and_a_person_without_the_role_are_refused(store: Store) -> None:  # noqa: F811
    with pytest.raises(InvalidInput, match="UTC has passed"):
        schedule.add(store, QUICK, now() - SOON, user="ann")
    with pytest.raises(NotAllowed, match="to schedule a training takes a person with the role"):
        schedule.add(store, QUICK, now() + SOON, user=Person("rita", ["reviewer"]))
    assert schedule.current(store).empty


def test_what_cannot_be_started_says_why_and_is_tried_no_more(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    store.settings = replace(store.settings, people=replace(store.settings.people, roles={"ann": ("data scientist",)}))
    name = put_off(store)
    store.settings = replace(store.settings, people=replace(store.settings.people, roles={"ann": ("reviewer",)}))
    assert schedule.start_due(store) == [name]
    assert "to start a job takes a person with the role" in schedule.get(store, name)["message"], "the role was withdrawn since"
    store.settings = replace(store.settings, people=replace(store.settings.people, roles={}))
    missed = put_off(store)
    monkeypatch.setattr(schedule, "LATE", timedelta(0))
    assert schedule.start_due(store) == [missed]
    assert schedule.get(store, missed)["state"] == "failed"
    assert jobs.active(store) is None


def test_a_fault_at_one_is_said_and_does_not_keep_the_others_waiting(
    store: Store,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    start = training.start

    def fails_for_ann(store: Store, config: plan.Config, *, user: str) -> str:
        if user == "ann":
            raise KeyError("Jane Roe")
        return start(store, config, user=user)

    monkeypatch.setattr(schedule.training, "start", fails_for_ann)
    broken, sound = put_off(store, "ann"), put_off(store, "Dora")
    assert schedule.start_due(store) == [broken, sound]
    assert [schedule.get(store, name)["state"] for name in (broken, sound)] == ["failed", "started"]
    assert "for a fault of the program, whose log says which" in schedule.get(store, broken)["message"]
    assert f"Scheduled training {broken} could not be started: KeyError" in caplog.text
    assert "Jane" not in caplog.text
    running = jobs.active(store)
    assert running is not None
    assert jobs.wait(store, running["job_id"], 240)["state"] == "done"


def test_the_clock_goes_on_after_a_fault_and_starts_what_is_due(
    store: Store,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    import app

    rounds, start_due = iter((duckdb.InvalidInputException("Jane Roe"), NoRoom("full"), KeyError("Jane Roe"))), schedule.start_due

    def faulty_at_first(store: Store) -> list[str]:
        if (fault := next(rounds, None)) is not None:
            raise fault
        return start_due(store)

    async def until_started() -> None:
        clock = asyncio.create_task(app.keep_time(store))
        while schedule.get(store, name)["state"] == "waiting":
            await asyncio.sleep(0.02)
            assert not clock.done()
        clock.cancel()

    monkeypatch.setattr(app, "TICK", 0.05)
    monkeypatch.setattr(app.schedule, "start_due", faulty_at_first)
    name = schedule.add(store, replace(QUICK, label_set_id="L0001"), now() + SOON, user="Dora")
    with ThreadPoolExecutor(1) as apart:  # a browser of other tests may hold a loop in this thread
        apart.submit(lambda: asyncio.run(asyncio.wait_for(until_started(), 120))).result()
    assert schedule.get(store, name)["state"] == "started"
    said = [record.getMessage() for record in caplog.records if record.name == "app"]
    assert [line.partition(": ")[2].split(" at ")[0] for line in said] == ["InvalidInputException", "NoRoom", "KeyError"]
    assert "Jane" not in caplog.text
    running = jobs.active(store)
    assert running is not None
    assert jobs.wait(store, running["job_id"], 240)["state"] == "done"


def test_the_page_schedules_lists_and_cancels(written: None) -> None:  # noqa: F811
    page = visit("training")
    page.button(key="run-schedule").click().run()
    assert not page.exception
    (row,) = schedule.current(ui.store()).to_dict("records")
    assert (row["state"], row["due_at"].hour) == ("waiting", 2)
    assert "T0001** waits for" in text(page)
    page.button(key="cancel-T0001").click().run()
    assert schedule.get(ui.store(), "T0001")["state"] == "cancelled"
    assert "cancelled by" in text(page)
