"""Sign-ins through the provider: each is one row here, ends after the hours of the settings, and can be ended for good at any time.

The provider's cookie lives for thirty days and says who somebody is; whether that still counts is decided here. A cookie whose
sign-in is not on record, is over or was ended is nobody's, however well it is signed.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from pandas import DataFrame

from creditrisk.errors import NotSignedIn, UnknownThing
from creditrisk.people import EVERYONE, Person
from creditrisk.settings import People
from creditrisk.store import Store, now, to_json

Claims = Mapping[str, Any]  # what the provider said of a person, signature verified
AGAIN = "Sign in again."
ENDED = datetime.min
# Until when a sign-in holds, as the rows say it: a page asks dozens of times a run, at 1.6 ms each. Only this process ends one, here.
_known: WeakKeyDictionary[Store, dict[str, datetime]] = WeakKeyDictionary()


def who(people: People, claims: Claims) -> Person:
    """Return the person whom the claims name, with the roles that the settings or their groups give them; maybe none.

    Raises NotSignedIn where there is no name, or an e-mail address that the provider itself has not verified.

    >>> dora = who(People(groups={"lab": ("data scientist",)}), {"email": "dora@bank.test", "groups": ["lab", "admin", "canteen"]})
    >>> dora, sorted(dora.roles)
    ('dora@bank.test', ['admin', 'data scientist'])
    """
    name = claims.get(people.name_claim)
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise NotSignedIn(
            f"The sign-in provider gave no {people.name_claim!r} that can be a name; set name_claim in [people] to a claim it gives."
        )
    if people.name_claim == "email" and claims.get("email_verified") is False:
        raise NotSignedIn(f"The sign-in provider has not verified {name}; only a verified address is somebody's name here.")
    given = claims.get(people.roles_claim)
    listed = given.split() if isinstance(given, str) else given if isinstance(given, list) else []
    groups = [str(group) for group in listed]
    roles = {role for group in groups for role in people.groups.get(group, ())} | (set(groups) & EVERYONE)
    return Person(name.strip(), roles | set(people.roles.get(name.strip(), ())))


def begin(store: Store, claims: Claims) -> None:
    """Put a sign-in on record. Raises NotAllowed, on record as well, for a person without a role."""
    person, at = who(store.settings.people, claims), now()
    until = at + timedelta(hours=store.settings.access.session_hours)
    if store.value("select count(*) from session where session_id = $id", id=_id(claims)):
        return  # the provider's answer was sent twice: the first sign-in counts, and ends when it ends
    with store.write(person, "sign in", str(person), roles=sorted(person.roles)) as cursor:
        values = {"id": _id(claims), "person": str(person), "at": at, "until": until}
        cursor.execute("insert into session values ($id, $person, $at, $until)", values)


def person(store: Store, claims: Claims | None) -> Person:
    """Return who is signed in with these claims. Raises NotSignedIn where that sign-in is unknown, over or ended."""
    if claims is None:
        raise NotSignedIn("Sign in to go on.")
    session_id, known = _id(claims), _known.setdefault(store, {})
    until = known.get(session_id)
    if until is None:
        until = known.setdefault(session_id, _until(store, session_id))
    if until == ENDED:
        raise NotSignedIn(f"You have signed out, or an admin has ended your session. {AGAIN}")
    if until <= now():
        raise NotSignedIn(f"Your session is over: it lasts {store.settings.access.session_hours:g} hours. {AGAIN}")
    return who(store.settings.people, claims)


def _until(store: Store, session_id: str) -> datetime:
    row = store.record(
        "select expires_at, ended_at from session left join ended on id = session_id where session_id = $id order by ended_at limit 1",
        id=session_id,
    )
    if row is None:
        raise NotSignedIn(f"This sign-in is not on record here. {AGAIN}")
    return ENDED if row["ended_at"] is not None else row["expires_at"]


def end(store: Store, claims: Claims | None) -> None:
    """End the sign-in of these claims for good, whoever still has the cookie; nothing where there is none in force."""
    try:
        leaving = person(store, claims)
    except NotSignedIn:
        return
    if claims is not None:
        _end(store, _id(claims), Person(leaving, EVERYONE), "sign out", str(leaving))  # whoever lost their roles may still leave


def end_of(store: Store, session_id: str, *, user: str) -> None:
    """End somebody's sign-in. Raises NotAllowed for who is no admin, UnknownThing for one that is not in force."""
    store.require(user, "end session", session_id)
    running = every(store, user=user)
    found = running.loc[running["session_id"] == session_id, "person"]
    if found.empty:
        raise UnknownThing("session", session_id, "It may have ended by itself.")
    _end(store, session_id, user, "end session", str(found.iloc[0]))


def every(store: Store, *, user: str) -> DataFrame:
    """Return the sign-ins in force, newest first: session_id, person, begun_at, expires_at."""
    store.require(user, "token", "sessions")
    return store.read(
        """select session_id, person, begun_at, expires_at from session left join ended on id = session_id
        where ended_at is null and expires_at > $at order by begun_at desc""",
        at=now(),
    )


def _end(store: Store, session_id: str, user: str, action: str, subject: str) -> None:
    with store.write(user, action, subject) as cursor:
        cursor.execute("insert into ended values ($id, $at, $user)", {"id": session_id, "at": now(), "user": str(user)})
    _known.setdefault(store.whole, {})[session_id] = ENDED


def _id(claims: Claims) -> str:
    return hashlib.sha256(to_json(dict(sorted(claims.items()))).encode("utf-8", "surrogatepass")).hexdigest()
