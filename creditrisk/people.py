"""Who may do what: five roles, and which of them each kind of change needs. A refusal says what is missing.

A person is a name. A face that knows more (a sign-in, a key to the API, the choice in the sidebar) hands a `Person`: a name that
carries its roles. Where nobody has been given a role, everybody may do everything: one person at one machine.
"""

from collections.abc import Iterable, Mapping
from contextvars import ContextVar

from creditrisk.errors import InvalidInput, NotAllowed
from creditrisk.settings import ROLES

EVERYONE = frozenset(ROLES)
MAKES_MODELS = frozenset({"data scientist", "admin"})
MAY: Mapping[str, frozenset[str]] = {  # every action that `Store.write` is given; one that is not here is refused
    "ingest": frozenset({"analyst", "data scientist", "admin"}),
    "import": MAKES_MODELS,
    "apply": frozenset({"analyst", "data scientist", "admin"}),
    "outcomes": MAKES_MODELS,
    "bank profile": frozenset({"analyst", "data scientist", "admin"}),
    "correct": frozenset({"analyst", "reviewer", "data scientist", "admin"}),
    "features": EVERYONE,  # computed on the way to a score, a preview, a label
    "augment": MAKES_MODELS,
    "label": MAKES_MODELS,
    "job": MAKES_MODELS,
    "job done": EVERYONE,  # how a job ended is reported in the name of who started it
    "job failed": EVERYONE,
    "job stopped": frozenset({"analyst"}) | MAKES_MODELS,
    "job interrupted": EVERYONE,
    "schedule": MAKES_MODELS,
    "schedule ended": EVERYONE,  # that it was started, or why it could not be, in the name of who asked for it
    "register": MAKES_MODELS,
    "export model": MAKES_MODELS,
    "import model": MAKES_MODELS,
    "promote": frozenset({"validator", "admin"}) | MAKES_MODELS,
    "challenge": frozenset({"validator", "admin"}) | MAKES_MODELS,
    "learn": MAKES_MODELS,  # the online challenger
    "retire": frozenset({"validator", "admin"}) | MAKES_MODELS,
    "score": EVERYONE,
    "decide": frozenset({"analyst", "admin"}),
    "claim": frozenset({"reviewer", "validator", "admin"}),
    "review": frozenset({"reviewer", "validator", "admin"}),
    "backup": frozenset({"data scientist", "admin"}),
    "backup begun": frozenset({"data scientist", "admin"}),
    "restore": frozenset({"admin"}),
    "erase": frozenset({"admin"}),
    "purge": frozenset({"admin"}),
    "inspect": frozenset({"reviewer", "validator", "admin"}),
    "read": EVERYONE,  # whatever is shown of the workspace: without a role nothing is
    "change": EVERYONE,  # to ask the API for a change at all; which one is decided where it is made
    "sign in": EVERYONE,
    "sign out": EVERYONE,
    "token": frozenset({"admin"}),
    "revoke": frozenset({"admin"}),
    "end session": frozenset({"admin"}),
}
SCOPES: Mapping[str, frozenset[str]] = {  # what a key to the API reaches
    "score": frozenset({"score", "features"}),
    "read": frozenset({"read"}),
    "review": frozenset({"read", "change", "claim", "review", "inspect"}),
    "admin": frozenset(MAY),
}


class Person(str):
    """A name that carries roles, and the scopes of the key it came with if it came with one; everywhere else it is the name."""

    roles: frozenset[str]
    scopes: tuple[str, ...] | None

    def __new__(cls, name: str, roles: Iterable[str], scopes: Iterable[str] | None = None) -> "Person":
        """Raises InvalidInput for a role or a scope nobody declared."""
        made = super().__new__(cls, name)
        made.roles = frozenset(roles)
        made.scopes = None if scopes is None else tuple(scopes)
        if unknown := sorted(made.roles - EVERYONE):
            raise InvalidInput(f"There is no role {unknown[0]!r}; the roles are {', '.join(ROLES)}.")
        if unknown := sorted(set(made.scopes or ()) - set(SCOPES)):
            raise InvalidInput(f"There is no scope {unknown[0]!r}; the scopes are {', '.join(SCOPES)}.")
        return made


caller: ContextVar[Person | None] = ContextVar("caller", default=None)  # who showed a key with the request in hand
asking: ContextVar[tuple[str, str]] = ContextVar("asking", default=("api", "read"))  # who sent it, and what they have to be allowed


def present(name: str) -> str:
    """Return who acts: a person stays who they are; a mere name is whoever showed a key with the request in hand, if anybody did."""
    return name if isinstance(name, Person) else caller.get() or name


def roles_of(user: str, declared: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """Return the roles of a person: those they bring, else those declared for their name; all where nobody is declared."""
    user = present(user)
    if isinstance(user, Person):
        return user.roles
    return frozenset(declared.get(user, ())) if declared else EVERYONE


def require(user: str, action: str, declared: Mapping[str, tuple[str, ...]]) -> None:
    """Raise NotAllowed, in a sentence, unless the person may take this action."""
    user = present(user)
    if not user or not user.strip():
        raise NotAllowed("Every change names the person who makes it: give a user name.")
    if not declared and not isinstance(user, Person):
        return
    mine, allowed = roles_of(user, declared), MAY.get(action, frozenset())
    if not mine & allowed:
        needed = " or ".join(role for role in ROLES if role in allowed) or "nobody has been given"
        have = f"has the role {', '.join(sorted(mine))}" if mine else "has no role here"
        raise NotAllowed(f"{user} {have}; to {_said(action)} takes a person with the role {needed}.")
    scopes = user.scopes if isinstance(user, Person) else None
    if scopes is not None and not any(action in SCOPES[scope] for scope in scopes):
        needed = " or ".join(scope for scope, reached in SCOPES.items() if action in reached)
        raise NotAllowed(f"{user} came with a token of the scope {', '.join(scopes)}; to {_said(action)} takes one of the scope {needed}.")


def summary() -> list[dict[str, object]]:
    """Return who may do what, a row for all actions that the same roles and scopes may take: actions, roles and scopes."""
    alike: dict[tuple[frozenset[str], tuple[str, ...]], list[str]] = {}
    for action, roles in MAY.items():
        alike.setdefault((roles, tuple(scope for scope, reached in SCOPES.items() if action in reached)), []).append(action)
    ranked = sorted(alike.items(), key=lambda item: -len(item[0][0]))
    return [{"actions": actions, "roles": roles, "scopes": scopes} for (roles, scopes), actions in ranked]


def same(one: str, other: str) -> bool:
    """Say whether two names are one person's: nobody becomes a second person by a capital or a space.

    >>> same("Rita ", "rita")
    True
    """
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def _said(action: str) -> str:
    return IN_WORDS.get(action, action)


IN_WORDS = {
    "job": "start a job",
    "schedule": "schedule a training",
    "label": "make a label set",
    "outcomes": "record outcomes",
    "features": "compute features",
    "read": "see anything here",
    "change": "change anything here",
    "token": "see or make tokens",
    "revoke": "revoke a token",
}
