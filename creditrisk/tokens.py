"""Keys to the API: made by an admin, shown once, kept as a SHA-256, scoped, expiring, revocable.

A key is 32 random bytes, so that its plain hash cannot be guessed back. It is a person's: what is done with it is done in that
person's name, and never reaches further than their own roles.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pandas import DataFrame

from creditrisk.errors import InvalidInput, NotSignedIn, UnknownThing
from creditrisk.people import EVERYONE, SCOPES, Person
from creditrisk.store import Store, now

LONGEST = 366  # days
LONGEST_NAME = 100
MARK = "crw"  # begins every key, so that one in a log or a repository is found
UNKNOWN = "This key is not known here, was revoked or has expired. An admin makes another with `token create`."


@dataclass(frozen=True)
class Made:
    """A new key; `key` is never to be had again."""

    token_id: str
    key: str
    expires_at: datetime


def create(store: Store, person: str, scopes: Sequence[str], *, purpose: str, days: int, user: str) -> Made:
    """Make a key for `person`, who may be a program, valid for `days`. Raises NotAllowed for who is no admin, InvalidInput."""
    store.require(user, "token", person)
    if not _said(person) or not _said(purpose) or person.encode("latin-1", "replace").decode("latin-1") != person:
        raise InvalidInput(
            "A key is somebody's and for something: give a person (or the name of a program) and a purpose, on one line of at most "
            f"{LONGEST_NAME} letters each; the name in western letters, which is what a header can say."
        )
    if not scopes or (unknown := sorted(set(scopes) - set(SCOPES))):
        wrong = f"not {unknown[0]!r}" if scopes else "and needs at least one"
        raise InvalidInput(f"A key has scopes out of {', '.join(SCOPES)}, {wrong}.")
    if not 1 <= days <= LONGEST:
        raise InvalidInput(f"A key holds for 1 to {LONGEST} days, not {days:,}.")
    token_id, secret, at = secrets.token_hex(4), secrets.token_urlsafe(32), now()
    made = Made(token_id, f"{MARK}_{token_id}_{secret}", at + timedelta(days=days))
    kept = {"person": person.strip(), "purpose": purpose.strip(), "scopes": " ".join(scope for scope in SCOPES if scope in scopes)}
    with store.write(user, "token", token_id, **kept, expires_at=made.expires_at) as cursor:
        cursor.execute(
            "insert into token values ($token_id, $person, $purpose, $scopes, $digest, $at, $user, $expires_at, $declared)",
            {**kept, "token_id": token_id, "digest": _digest(made.key), "at": at, "user": str(user).strip(), "expires_at": made.expires_at}
            | {"declared": kept["person"] in store.settings.people.roles},
        )
    return made


def revoke(store: Store, token_id: str, *, user: str) -> None:
    """End a key now. Raises UnknownThing for one nobody made, InvalidInput for one that was revoked before."""
    store.require(user, "revoke", token_id)
    known = store.record("select e.ended_at from token t left join ended e on e.id = t.token_id where t.token_id = $id", id=token_id)
    if known is None:
        raise UnknownThing("token", token_id, "`token list` shows them.")
    if known["ended_at"] is not None:
        raise InvalidInput(f"Token {token_id} was revoked on {known['ended_at']:%Y-%m-%d}.")
    with store.write(user, "revoke", token_id) as cursor:
        cursor.execute("insert into ended values ($id, $at, $user)", {"id": token_id, "at": now(), "user": str(user).strip()})


def every(store: Store, *, user: str) -> DataFrame:
    """Return all keys, newest first: token_id, person, purpose, scopes, created_at, created_by, expires_at, state.

    A key is in force, expired or revoked.
    """
    store.require(user, "token", "list")
    return store.read(
        """select token_id, person, purpose, scopes, created_at, created_by, expires_at,
            case when ended_at is not null then 'revoked' when expires_at <= $at then 'expired' else 'in force' end as state
        from token left join ended on id = token_id
        order by created_at desc, token_id""",
        at=now(),
    )


def holder(store: Store, key: str) -> Person:
    """Return whose key this is, with their roles and its scopes. Raises NotSignedIn, in the same words whatever is wrong with it."""
    parts = key.split("_", 2)
    row = store.record(
        """select person, scopes, digest, declared from token left join ended on id = token_id
        where token_id = $id and ended_at is null and expires_at > $at""",
        id=parts[1] if len(parts) == 3 and key.isascii() else "",
        at=now(),
    )
    if not hmac.compare_digest(_digest(key), row["digest"] if row else "0" * 64) or row is None:
        raise NotSignedIn(UNKNOWN)
    declared = store.settings.people.roles
    # A program stands in no list of people; a person who stood in it and no longer does has lost what they could do.
    return Person(row["person"], declared.get(row["person"], () if row["declared"] else EVERYONE), row["scopes"].split())


def _said(text: str) -> bool:
    return bool(text.strip()) and text.isprintable() and len(text) <= LONGEST_NAME


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
