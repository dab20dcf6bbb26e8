"""Keys to the API, and sign-ins in force."""

import argparse
from typing import Any

from creditrisk.commands.terminal import Options, Out, ParserOf, opened, user_of
from creditrisk.people import SCOPES


def declare(parser_of: ParserOf) -> None:
    """Add the commands of this room."""
    token = parser_of("token", _token, "make, list or revoke keys to the API")
    token.add_argument("what", choices=("create", "list", "revoke"))
    token.add_argument("id", nargs="?", metavar="ID", help="revoke: which")
    token.add_argument("--for", dest="person", metavar="NAME", default="", help="create: whose; a person or the name of a program")
    token.add_argument("--purpose", metavar="TEXT", default="", help="create: for what")
    token.add_argument("--scope", action="append", default=[], choices=tuple(SCOPES), help="create: what it reaches; may be given again")
    token.add_argument("--days", type=int, default=90, metavar="N", help="create: how long it holds (else 90)")

    session = parser_of("session", _session, "list sign-ins in force, or end one")
    session.add_argument("what", choices=("list", "end"))
    session.add_argument("id", nargs="?", metavar="ID", help="end: which")


def _token(options: Options, out: Out) -> None:
    from creditrisk import tokens

    with opened(options) as store:
        user = user_of(options, store.settings)
        if options.what == "list":
            _listed(tokens.every(store, user=user), "token", out)
        elif options.what == "revoke":
            tokens.revoke(store, _named(options), user=user)
            out.summary({"token_id": options.id, "state": "revoked"}, f"Token {options.id} is revoked.")
        else:
            made = tokens.create(store, options.person, options.scope, purpose=options.purpose, days=options.days, user=user)
            said = f"{made.key}\nThis key of {options.person} holds until {made.expires_at:%Y-%m-%d %H:%M} UTC and is not shown again."
            out.summary({"token_id": made.token_id, "key": made.key, "expires_at": made.expires_at.isoformat()}, said)


def _session(options: Options, out: Out) -> None:
    from creditrisk import sessions

    with opened(options) as store:
        user = user_of(options, store.settings)
        if options.what == "list":
            _listed(sessions.every(store, user=user), "sign-in", out)
        else:
            sessions.end_of(store, _named(options), user=user)
            out.summary({"session_id": options.id, "state": "ended"}, "The session is ended.")


def _listed(found: Any, what: str, out: Out) -> None:
    for row in found.to_dict("records"):
        out.result(row)
    out.table(found)
    out.summary({"n": len(found)}, f"{len(found):,} {what}{'' if len(found) == 1 else 's'}.")


def _named(options: argparse.Namespace) -> str:
    from creditrisk.errors import InvalidInput

    if not options.id:
        raise InvalidInput(f"Which? Give the ID that `{'token' if 'scope' in options else 'session'} list` shows.")
    return str(options.id)
