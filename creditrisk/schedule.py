"""Trainings that a person has put off until a time: who, when, and what they asked for.

A person schedules and a person may cancel; the server starts what is due in that person's name and with no more than they were allowed,
one at a time. What fell due while no server ran, or another training did, is started within LATE; after that it is not, and says so.
"""

import json
import logging
import threading
from datetime import date, datetime, timedelta
from typing import Any

from pandas import DataFrame

from creditrisk import discretion, jobs, training
from creditrisk.errors import CreditRiskError, InvalidInput, JobBusy, UnknownThing
from creditrisk.people import EVERYONE, Person, present, roles_of
from creditrisk.plan import Config
from creditrisk.store import Store, now, to_json

log = logging.getLogger(__name__)
LATE = timedelta(hours=6)  # a night's training that could not start in the night is not started in the day
_ending = threading.Lock()  # whether one is cancelled or started is settled once


def add(store: Store, config: Config, due_at: datetime, *, user: str) -> str:
    """Put a training off until `due_at` (UTC, without a zone); returns its id. Raises InvalidInput for a time that has passed."""
    if due_at <= now():
        raise InvalidInput(f"{due_at:%Y-%m-%d %H:%M} UTC has passed (it is {now():%Y-%m-%d %H:%M}): name a time to come, or start at once.")
    config.reads(store.schema)
    name: str = store.value("select printf('T%04d', nextval('schedule_seq'))")
    roles = sorted(roles_of(user, store.settings.people.roles))
    with store.write(user, "schedule", name, due_at=due_at.isoformat()) as cursor:
        cursor.execute(
            "insert into schedule values ($id, $due, $params, $roles, $at, $user)",
            {"id": name, "due": due_at, "params": to_json(config.to_dict()), "roles": roles, "at": now(), "user": str(present(user))},
        )
    return name


def tomorrow() -> date:
    """Return the day after this one, UTC."""
    return (now() + timedelta(days=1)).date()


def current(store: Store) -> DataFrame:
    """Return every training that was put off, the next first: the columns of `schedule_current`."""
    return store.read("select * from schedule_current order by state = 'waiting' desc, due_at, schedule_id")


def get(store: Store, schedule_id: str) -> dict[str, Any]:
    """Return one with `params` as a dictionary; raises UnknownThing."""
    row = store.record("select * from schedule_current where schedule_id = $id", id=schedule_id)
    if row is None:
        raise UnknownThing("scheduled training", schedule_id)
    return {**row, "params": json.loads(row["params"])}


def cancel(store: Store, schedule_id: str, *, user: str) -> None:
    """Let one that waits wait no longer. Raises InvalidInput where it does not wait."""
    with _ending:
        state = get(store, schedule_id)["state"]
        if state != "waiting":
            raise InvalidInput(f"Scheduled training {schedule_id} is {state}: there is nothing to cancel.")
        with store.write(user, "schedule", schedule_id, cancelled=True) as cursor:
            _end(cursor, schedule_id, "cancelled", f"cancelled by {present(user)}", str(present(user)))


def start_due(store: Store) -> list[str]:
    """Start what is due, in the name of who asked for it; returns the ids that wait no longer. What finds a job running waits for its end.

    Where the settings say which roles people have, those are what counts then; else the roles the person brought when they asked.
    """
    due = store.rows("select schedule_id from schedule_current where state = 'waiting' and due_at <= $now order by due_at, 1", now=now())
    ended = []
    for (name,) in due:
        with _ending:
            asked = get(store, name)
            if asked["state"] != "waiting" or jobs.active(store) is not None:
                continue
            who = asked["created_by"] if store.settings.people.roles else Person(asked["created_by"], asked["roles"])
            try:
                state, said = _started(store, asked, who)
            except JobBusy:
                continue
            except Exception as fault:  # noqa: BLE001  (those behind it in line are not to wait for what can never start)
                log.error("Scheduled training %s could not be started: %s", asked["schedule_id"], discretion.told(fault))
                state, said = "failed", "It could not be started, for a fault of the program, whose log says which: schedule it again."
            with store.write(Person(asked["created_by"], EVERYONE), "schedule ended", name, state=state, message=said) as cursor:
                _end(cursor, name, state, said, "the server")
            ended.append(name)
    return ended


def _started(store: Store, asked: dict[str, Any], who: str) -> tuple[str, str]:
    if now() - asked["due_at"] > LATE:
        return "failed", f"The program was not free within {LATE.seconds // 3600} hours of that time: schedule it again."
    try:
        return "started", f"started as {training.start(store, Config.from_dict(asked['params']), user=who)}"
    except JobBusy:
        raise
    except CreditRiskError as refused:
        return "failed", str(refused)


def _end(cursor: Any, schedule_id: str, state: str, said: str, by: str) -> None:
    cursor.execute(
        "insert into schedule_event values ($id, $at, $state, $said, $by)",
        {"id": schedule_id, "at": now(), "state": state, "said": said, "by": by},
    )
