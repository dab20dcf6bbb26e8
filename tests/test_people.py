"""Roles reach as far as they are declared to, for every change there is, and a refusal is on record."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from creditrisk import corrections, demo, jobs, people, reviews
from creditrisk import store as stores
from creditrisk.errors import InvalidInput, NotAllowed
from creditrisk.people import MAY, ROLES, Person
from creditrisk.settings import People, Settings, load
from creditrisk.store import Store
from tests.test_reviews import predicted

LIBRARY = Path(people.__file__).parent


def test_every_change_in_the_library_has_its_roles() -> None:
    asked = {
        action
        for room in LIBRARY.rglob("*.py")
        for action in re.findall(r"\.write\(\s*[\w.]+,\s*f?\"([^\"]+)\"", room.read_text(encoding="utf-8"))
    }
    assert {action for action in asked if "{" not in action} <= set(MAY)
    assert {"ingest", "promote", "review", "inspect", "score"} <= asked
    assert all(roles and roles <= set(ROLES) for roles in MAY.values())


def test_where_nobody_has_a_role_everybody_may() -> None:
    for action in MAY:
        people.require("ann", action, {})


def test_a_declared_person_may_what_the_role_says_and_a_stranger_nothing() -> None:
    declared = {"ann": ("analyst",), "dora": ("data scientist",)}
    people.require("ann", "ingest", declared)
    with pytest.raises(NotAllowed, match="ann has the role analyst; to promote takes a person with the role data scientist or validator"):
        people.require("ann", "promote", declared)
    with pytest.raises(NotAllowed, match="eve has no role here"):
        people.require("eve", "score", declared)


def test_a_person_brings_roles_wherever_a_name_goes(store: Store) -> None:
    predicted(store, "p1")
    rita, ann = Person("rita", ["reviewer"]), Person("ann", ["analyst"])
    reviews.add(store, "p1", "correct", "label", "", user=rita)
    assert reviews.history(store)["reviewed_by"].tolist() == ["rita"]
    with pytest.raises(NotAllowed, match="ann has the role analyst"):
        reviews.add(store, "p1", "correct", "label", "", user=ann)
    assert len(reviews.history(store)) == 1
    assert store.rows("select user_name, action, subject from audit order by seq desc limit 1") == [("ann", "refused", "p1")]


def test_an_action_nobody_declared_is_refused(store: Store) -> None:
    ann = Person("ann", ROLES)
    with (
        pytest.raises(NotAllowed, match="to conjure takes a person with the role nobody has been given"),
        store.write(ann, "conjure", "money"),
    ):
        pass


def test_a_role_nobody_declared_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no role 'king'"):
        Person("ann", ["king"])


def test_roles_are_read_from_the_settings(tmp_path: Path, settings: Settings) -> None:
    file = tmp_path / "creditrisk.toml"
    file.write_text('[people]\ndefault = "ann"\n[people.roles]\nann = ["analyst", "reviewer"]\n')
    read = load(file).people
    assert read == People("ann", {"ann": ("analyst", "reviewer")})
    opened = stores.open_in_memory(replace(settings, people=read))
    with pytest.raises(NotAllowed, match="to promote"):
        opened.require("ann", "promote", "M0001")
    opened.close()
    file.write_text('[people.roles]\nann = "analyst"\n')
    with pytest.raises(InvalidInput, match="ann = 'analyst' should be a list"):
        load(file)


def declared(store: Store, **roles: tuple[str, ...]) -> None:
    object.__setattr__(store.settings.people, "roles", roles)


def test_a_job_of_somebody_without_a_role_by_now_is_closed_all_the_same(store: Store) -> None:
    with store.write("dora", "job", "J1", kind="train") as cursor:
        cursor.execute("insert into job values ('J1', 'train', '{}', now()::timestamp, 'dora')")
        cursor.execute(
            "insert into job_event (job_id, happened_at, state, progress, message) values ('J1', now()::timestamp, 'running', 0.5, '')"
        )
    declared(store, ada=("admin",))
    assert jobs.recover(store) == ["J1"]
    assert store.rows("select user_name, action from audit order by seq desc limit 1") == [("dora", "job interrupted")]


def test_a_preview_is_had_where_roles_are_given_too(filled: Store) -> None:
    declared(filled, ann=("analyst",))
    move = filled.record(
        """select applicant_id, transaction_id from movement join prediction_current as made using (applicant_id)
        where category = 'UNKNOWN' and movement.amount < 0 and booked_on between made.as_of - 60 and made.as_of - 1
        order by transaction_id limit 1"""
    )
    assert move is not None
    corrections.preview(filled, str(move["applicant_id"]), scope="movement", category="RENT", transaction_id=move["transaction_id"])
    with pytest.raises(NotAllowed):
        corrections.correct(filled, user="eve", reason="x", scope="movement", category="RENT", transaction_id=move["transaction_id"])


def test_who_showed_a_key_acts_whatever_name_is_handed_on_and_the_program_itself_stays_itself(store: Store) -> None:
    shown = people.caller.set(Person("bot", ROLES, ["read"]))
    try:
        with pytest.raises(NotAllowed, match="bot came with a token of the scope read"):
            store.require("ann", "score", "x")
        assert store.require("ann", "read", "x") == "bot"
        assert store.require(Person("the server", ROLES), "job interrupted", "J1") == "the server"
    finally:
        people.caller.reset(shown)


def test_a_job_that_was_asked_for_with_a_key_is_finished_with_it(store: Store, tmp_path: Path) -> None:
    declared(store, ada=("admin",))

    def finish(job_id: str) -> str:
        with store.write("bot", "register", job_id):
            return "kept"

    (tmp_path / "job").mkdir()
    shown = people.caller.set(Person("bot", ROLES, ["admin"]))
    try:
        job_id = jobs.spawn(store, "train", {}, [sys.executable, "-c", ""], user="bot", finish=finish, folder=tmp_path / "job")
    finally:
        people.caller.reset(shown)
    assert jobs.wait(store, job_id, 60)["message"] == "kept"


def test_a_scope_nobody_declared_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no scope 'king'"):
        Person("ann", ROLES, ["king"])


def test_an_unused_workspace_is_furnished_where_roles_are_given_too(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    given = replace(settings, people=People(roles={"ada": ("admin",)}))

    def fill(store: Store, **_: object) -> None:
        with store.write("demo", "label", "what only some may"):
            pass

    monkeypatch.setattr(demo, "fill", fill)
    assert demo.furnish(given)
