"""Trainings put off: a person asks and may take it back, the server starts what is due, what cannot be started says why."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest

import ui
from creditrisk import jobs, registry, schedule
from creditrisk.errors import InvalidInput, NotAllowed, UnknownThing
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
