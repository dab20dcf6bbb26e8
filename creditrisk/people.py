"""Who may do what: five roles, and which of them each kind of change needs. A refusal says what is missing.

A person is a name. A face that knows more (a sign-in, the choice in the sidebar) hands a `Person`: a name that carries its
roles. Where nobody has been given a role, everybody may do everything: one person at one machine.
"""

from collections.abc import Iterable, Mapping

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
    "job stopped": EVERYONE,
    "job interrupted": EVERYONE,
    "register": MAKES_MODELS,
    "export model": MAKES_MODELS,
    "import model": MAKES_MODELS,
    "promote": frozenset({"validator", "admin"}) | MAKES_MODELS,
    "challenge": frozenset({"validator", "admin"}) | MAKES_MODELS,
    "learn": MAKES_MODELS,  # the online challenger
    "retire": frozenset({"validator", "admin"}) | MAKES_MODELS,
    "score": EVERYONE,
    "claim": frozenset({"reviewer", "validator", "admin"}),
    "review": frozenset({"reviewer", "validator", "admin"}),
    "backup": frozenset({"data scientist", "admin"}),
    "restore": frozenset({"admin"}),
    "inspect": frozenset({"reviewer", "validator", "admin"}),
}


class Person(str):
    """A name that carries roles; everywhere else it is the name."""

    roles: frozenset[str]

    def __new__(cls, name: str, roles: Iterable[str]) -> "Person":
        """Raises InvalidInput for a role nobody declared."""
        made = super().__new__(cls, name)
        made.roles = frozenset(roles)
        if unknown := sorted(made.roles - EVERYONE):
            raise InvalidInput(f"There is no role {unknown[0]!r}; the roles are {', '.join(ROLES)}.")
        return made


def roles_of(user: str, declared: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """Return the roles of a person: those they bring, else those declared for their name; all where nobody is declared."""
    if isinstance(user, Person):
        return user.roles
    return frozenset(declared.get(user, ())) if declared else EVERYONE


def require(user: str, action: str, declared: Mapping[str, tuple[str, ...]]) -> None:
    """Raise NotAllowed, in a sentence, unless the person may take this action."""
    if not user or not user.strip():
        raise NotAllowed("Every change names the person who makes it: give a user name.")
    if not declared and not isinstance(user, Person):
        return
    mine, allowed = roles_of(user, declared), MAY.get(action, frozenset())
    if not mine & allowed:
        needed = " or ".join(role for role in ROLES if role in allowed) or "nobody has been given"
        have = f"has the role {', '.join(sorted(mine))}" if mine else "has no role here"
        raise NotAllowed(f"{user} {have}; to {_said(action)} takes a person with the role {needed}.")


def same(one: str, other: str) -> bool:
    """Say whether two names are one person's: nobody becomes a second person by a capital or a space.

    >>> same("Rita ", "rita")
    True
    """
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def _said(action: str) -> str:
    return {"job": "start a job", "label": "make a label set", "outcomes": "record outcomes", "features": "compute features"}.get(
        action, action
    )
