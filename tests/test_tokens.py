"""Keys to the API: shown once, kept as a hash, no further than their scopes and their person's roles, and gone when they end."""

from datetime import timedelta

import pytest

from creditrisk import tokens
from creditrisk.errors import InvalidInput, NotAllowed, NotSignedIn, UnknownThing
from creditrisk.people import SCOPES, Person
from creditrisk.store import Store, now

ADMIN = Person("ada", ["admin"])


def made(store: Store, *scopes: str, person: str = "core banking", days: int = 30) -> tokens.Made:
    return tokens.create(store, person, scopes or ("score",), purpose="scoring at the till", days=days, user=ADMIN)


def test_a_key_opens_for_its_person_with_its_scopes(store: Store) -> None:
    holder = tokens.holder(store, made(store, "read", "score").key)
    assert (str(holder), holder.scopes) == ("core banking", ("score", "read"))
    assert store.require(holder, "score", "x") == "core banking"
    with pytest.raises(NotAllowed, match="came with a token of the scope score, read; to promote takes one of the scope admin"):
        store.require(holder, "promote", "M0001")
    assert store.rows("select user_name, action, subject from audit order by seq desc limit 1") == [("core banking", "refused", "M0001")]


def test_a_scope_reaches_what_is_said_and_nothing_else(store: Store) -> None:
    for scope, reached in SCOPES.items():
        holder = tokens.holder(store, made(store, scope).key)
        for action in SCOPES["admin"]:
            if action in reached:
                store.require(holder, action, "x")
            else:
                with pytest.raises(NotAllowed):
                    store.require(holder, action, "x")


def test_a_key_never_reaches_further_than_its_person(store: Store) -> None:
    object.__setattr__(store.settings.people, "roles", {"ada": ("admin",), "rita": ("reviewer",)})
    holder = tokens.holder(store, made(store, "admin", person="rita").key)
    store.require(holder, "review", "p1")
    with pytest.raises(NotAllowed, match="rita has the role reviewer; to promote takes"):
        store.require(holder, "promote", "M0001")


def test_whoever_is_taken_off_the_list_of_people_takes_their_keys_with_them(store: Store) -> None:
    object.__setattr__(store.settings.people, "roles", {"ada": ("admin",), "rita": ("reviewer",)})
    key, program = made(store, "admin", person="rita").key, made(store, "score").key
    for left in ({"ada": ("admin",)}, {}):
        object.__setattr__(store.settings.people, "roles", left)
        for action in ("read", "review", "promote"):
            with pytest.raises(NotAllowed, match="rita has no role here"):
                store.require(tokens.holder(store, key), action, "x")
        store.require(tokens.holder(store, program), "score", "x")


def test_the_key_itself_is_nowhere_in_the_workspace(store: Store) -> None:
    key = made(store).key
    secret = key.split("_", 2)[2]
    assert len(secret) >= 43, "32 random bytes"
    tables = [name for (name,) in store.rows("select table_name from information_schema.tables where table_type = 'BASE TABLE'")]
    assert "token" in tables
    assert not [name for name in tables if secret in store.read(f'select * from "{name}"').to_string()]


@pytest.mark.parametrize("spoilt", ["", "crw", "crw__", "crw_00000000_x", "Bearer", "crw_\udcff_x", "x" * 100_000])
def test_what_is_no_key_opens_nothing_and_says_no_more_than_that(store: Store, spoilt: str) -> None:
    key = made(store).key
    for wrong in (spoilt, key[:-1], key + "x", key.upper(), key.replace("crw_", "crw_f", 1)):
        with pytest.raises(NotSignedIn, match="not known here, was revoked or has expired"):
            tokens.holder(store, wrong)


def test_a_revoked_key_opens_nothing_from_then_on(store: Store) -> None:
    given = made(store)
    tokens.revoke(store, given.token_id, user=ADMIN)
    with pytest.raises(NotSignedIn):
        tokens.holder(store, given.key)
    assert tokens.every(store, user=ADMIN)["state"].tolist() == ["revoked"]
    with pytest.raises(InvalidInput, match="was revoked on"):
        tokens.revoke(store, given.token_id, user=ADMIN)
    with pytest.raises(UnknownThing):
        tokens.revoke(store, "nobody", user=ADMIN)


def test_a_key_ends_by_itself(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    given = made(store, days=1)
    tokens.holder(store, given.key)
    monkeypatch.setattr(tokens, "now", lambda: now() + timedelta(days=1, seconds=1))
    with pytest.raises(NotSignedIn):
        tokens.holder(store, given.key)
    assert tokens.every(store, user=ADMIN)["state"].tolist() == ["expired"]


def test_only_an_admin_makes_sees_and_ends_keys(store: Store) -> None:
    rita, given = Person("rita", ["reviewer"]), made(store)
    with pytest.raises(NotAllowed, match="to see or make tokens takes a person with the role admin"):
        tokens.create(store, "rita", ["admin"], purpose="mine", days=1, user=rita)
    with pytest.raises(NotAllowed):
        tokens.every(store, user=rita)
    with pytest.raises(NotAllowed):
        tokens.revoke(store, given.token_id, user=rita)


@pytest.mark.parametrize(
    ("person", "purpose", "scopes", "days", "said"),
    [
        (" ", "x", ["score"], 1, "A key is somebody's"),
        ("x", "", ["score"], 1, "and for something"),
        ("x\r\nX-User: ada", "x", ["score"], 1, "on one line"),
        ("Łukasz", "x", ["score"], 1, "western letters"),
        ("x" * 101, "x", ["score"], 1, "at most 100 letters"),
        ("x", "x", [], 1, "needs at least one"),
        ("x", "x", ["king"], 1, "not 'king'"),
        ("x", "x", ["score"], 0, "1 to 366 days, not 0"),
        ("x", "x", ["score"], 10_000, "not 10,000"),
    ],
)
def test_a_key_is_somebodys_for_something_and_ends(
    store: Store, person: str, purpose: str, scopes: list[str], days: int, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        tokens.create(store, person, scopes, purpose=purpose, days=days, user=ADMIN)
    assert store.value("select count(*) from token") == 0
