"""Sign-ins: on record, over after their hours, ended for good; and who somebody is, as the provider says it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from creditrisk import sessions
from creditrisk import store as stores
from creditrisk.errors import NotAllowed, NotSignedIn, UnknownThing
from creditrisk.people import Person
from creditrisk.settings import People, Settings
from creditrisk.store import Store, now

RITA = {"sub": "1", "email": "rita@bank.test", "groups": ["reviewer"], "iat": 1}
ADMIN = Person("ada", ["admin"])


def test_who_signs_in_is_known_from_then_on(store: Store) -> None:
    with pytest.raises(NotSignedIn, match="not on record here"):
        sessions.person(store, RITA)
    sessions.begin(store, RITA)
    rita = sessions.person(store, RITA)
    assert (str(rita), rita.roles) == ("rita@bank.test", {"reviewer"})
    assert store.rows("select user_name, action from audit order by seq desc limit 1") == [("rita@bank.test", "sign in")]


def test_nobody_is_nobody(store: Store) -> None:
    with pytest.raises(NotSignedIn, match="Sign in to go on"):
        sessions.person(store, None)
    sessions.end(store, None)


def test_a_session_ends_after_its_hours_though_the_cookie_lives_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions.begin(store, RITA)
    monkeypatch.setattr(sessions, "now", lambda: now() + timedelta(hours=9, minutes=59))
    sessions.person(store, RITA)
    monkeypatch.setattr(sessions, "now", lambda: now() + timedelta(hours=10, seconds=1))
    with pytest.raises(NotSignedIn, match="it lasts 10 hours"):
        sessions.person(store, RITA)
    sessions.begin(store, RITA)
    with pytest.raises(NotSignedIn, match="it lasts 10 hours"):
        sessions.person(store, RITA)


def test_who_signed_out_stays_out_even_with_a_cookie_kept_from_before(store: Store) -> None:
    sessions.begin(store, RITA)
    sessions.end(store, RITA)
    for _ in range(2):
        with pytest.raises(NotSignedIn, match="You have signed out"):
            sessions.person(store, RITA)
        sessions.begin(store, RITA)
        sessions.end(store, RITA)
    sessions.begin(store, RITA | {"iat": 2})
    assert sessions.person(store, RITA | {"iat": 2}) == "rita@bank.test"


def test_an_admin_ends_somebodys_session_and_nobody_else_does(store: Store) -> None:
    sessions.begin(store, RITA)
    (session_id,) = sessions.every(store, user=ADMIN)["session_id"]
    with pytest.raises(NotAllowed):
        sessions.end_of(store, session_id, user=sessions.person(store, RITA))
    sessions.end_of(store, session_id, user=ADMIN)
    with pytest.raises(NotSignedIn):
        sessions.person(store, RITA)
    with pytest.raises(UnknownThing):
        sessions.end_of(store, session_id, user=ADMIN)


def test_without_a_role_there_is_no_session_and_the_refusal_is_on_record(store: Store) -> None:
    with pytest.raises(NotAllowed, match=r"eve@bank.test has no role here"):
        sessions.begin(store, {"email": "eve@bank.test", "groups": ["canteen"]})
    assert store.value("select count(*) from session") == 0
    assert store.rows("select user_name, action from audit order by seq desc limit 1") == [("eve@bank.test", "refused")]


def test_roles_come_from_a_claim_from_groups_and_from_the_names_in_the_settings() -> None:
    people = People(roles={"val@bank.test": ("validator",)}, groups={"lab": ("data scientist",)}, roles_claim="memberOf")
    assert sessions.who(people, {"email": "val@bank.test"}).roles == {"validator"}
    assert sessions.who(people, {"email": "dora@bank.test", "memberOf": ["lab", "admin"]}).roles == {"data scientist", "admin"}
    assert sessions.who(people, {"email": "ann@bank.test", "memberOf": "analyst canteen"}).roles == {"analyst"}
    for nothing in (None, 7, {"admin": True}, [["admin"]], "administrator"):
        assert sessions.who(people, {"email": "eve@bank.test", "memberOf": nothing}).roles == set()


def test_a_name_nobody_has_verified_is_nobodys() -> None:
    with pytest.raises(NotSignedIn, match="has not verified"):
        sessions.who(People(), {"email": "ada@bank.test", "email_verified": False, "groups": ["admin"]})
    for claims in ({}, {"email": " "}, {"email": None}, {"email": ["ada@bank.test"]}, {"email": "ada\n"}, {"email": "\ud800"}):
        with pytest.raises(NotSignedIn, match="gave no 'email'"):
            sessions.who(People(), claims)
    assert sessions.who(People(name_claim="sub"), RITA) == "1"


def test_whoever_loses_their_roles_sees_nothing_more_and_may_still_leave(settings: Settings) -> None:
    given = {"email": "val@bank.test"}
    named = replace(settings, people=People(roles={"val@bank.test": ("validator",)}))
    store = stores.open_in_memory(named)
    sessions.begin(store, given)
    object.__setattr__(store.settings.people, "roles", {"other": ("admin",)})
    with pytest.raises(NotAllowed, match="to see anything here"):
        store.require(sessions.person(store, given), "read", "a page")
    sessions.end(store, given)
    with pytest.raises(NotSignedIn, match="You have signed out"):
        sessions.person(store, given)
    store.close()


def test_what_is_remembered_is_what_the_rows_say(store: Store) -> None:
    sessions.begin(store, RITA)
    assert sessions.person(store, RITA) == "rita@bank.test"
    sessions._known.clear()
    assert sessions.person(store, RITA) == "rita@bank.test"
    sessions.end(store, RITA)
    for _ in range(2):
        with pytest.raises(NotSignedIn, match="You have signed out"):
            sessions.person(store, RITA)
        sessions._known.clear()


def test_a_sign_out_while_somebody_asks_is_not_forgotten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions.begin(store, RITA)
    looked = sessions._until

    def slow(held: Store, session_id: str) -> datetime:
        found = looked(held, session_id)
        monkeypatch.setattr(sessions, "_until", looked)
        sessions.end(store, RITA)  # in another thread, between the question and its answer
        return found

    monkeypatch.setattr(sessions, "_until", slow)
    with pytest.raises(NotSignedIn, match="You have signed out"):
        sessions.person(store, RITA)
