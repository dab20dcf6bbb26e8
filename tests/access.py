"""Who may what, found out by trying: every page, every route of the API and every change, as everybody there is.

`python -m tests.access` writes what was found into docs/security.md; a test holds the two against each other.
"""

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from streamlit.testing.v1 import AppTest

import ui
from creditrisk import sessions, settings, tokens
from creditrisk import store as stores
from creditrisk.api import create_api
from creditrisk.errors import NotAllowed
from creditrisk.people import EVERYONE, MAY, ROLES, SCOPES, Person
from creditrisk.store import Store
from tests.conftest import ROOT
from tests.test_pages import NAMES, workspace
from tests.test_perimeter import ADMIN, Signing, client, cookie
from ui import entrance

DOCUMENT = ROOT / "docs" / "security.md"
VISITORS: Mapping[str, dict[str, Any] | None] = {
    "nobody": None,
    "without a role": {"email": "eve@bank.test", "groups": ["canteen"]},
    "reviewer": {"email": "rita@bank.test", "groups": ["reviewer"]},
    "admin": {"email": "ada@bank.test", "groups": ["admin"]},
}


class Said(Signing):
    """A provider that says the same of whoever comes."""

    def __init__(self, claims: dict[str, Any] | None):
        super().__init__()
        self._claims = claims

    def claims(self, cookies: Any) -> dict[str, Any] | None:
        return self._claims


def pages(folder: Path) -> str:
    """Open every page of a workspace as everybody."""
    rows: dict[str, list[str]] = {name: [] for name in NAMES}
    with workspace(folder):
        people = ui.opened().settings.people
        object.__setattr__(people, "groups", {"canteen": ("reviewer",)})
        for claims in filter(None, VISITORS.values()):
            sessions.begin(ui.opened(), claims)
        object.__setattr__(people, "groups", {})  # whoever had a role when they signed in, and has none now
        for claims in VISITORS.values():
            with patch.object(entrance, "provider", lambda claims=claims: Said(claims)):
                for name in NAMES:
                    rows[name].append(_opened(name))
    return _table("Page", list(VISITORS), rows)


def _opened(name: str) -> str:
    page = AppTest.from_file(str(ROOT / "pages" / "workbench.py"), default_timeout=60)
    page.run()
    try:
        page.switch_page(str(ROOT / "pages" / f"{name}.py")).run()
    except ValueError:
        return "–"  # the frame has no such page for them
    assert not page.exception
    if page.title:
        return "opens"
    assert not page.main.dataframe
    assert not page.main.metric
    return "sign in" if page.warning else "refused" if page.error else "–"


def routes(store: Store) -> str:
    """Ask for every route of the API as everybody: without anything, with a sign-in, with a key of each scope."""
    keys = {scope: tokens.create(store, f"{scope} bot", [scope], purpose="trying", days=1, user=ADMIN).key for scope in SCOPES}
    sessions.begin(store, {"email": "ada@bank.test", "groups": ["admin"]})
    come = {
        "nobody": {},
        "signed in as admin": {"Cookie": f"who={cookie({'email': 'ada@bank.test', 'groups': ['admin']})}"},
        **{f"key: {scope}": {"Authorization": f"Bearer {key}"} for scope, key in keys.items()},
    }
    guarded = client(store, Signing(), raise_server_exceptions=True)
    described = create_api(lambda: store).openapi()["paths"]
    asked = [(method.upper(), path) for path, methods in described.items() for method in methods]
    rows = {}
    for method, path in [*asked, ("GET", "/docs"), ("GET", "/openapi.json")]:
        where = f"/api{re.sub(r'{[^}]*}', '1', path)}"
        body: dict[str, Any] = {} if method == "GET" else {"json": {}}
        answers = [guarded.request(method, where, headers=headers, **body).status_code for headers in come.values()]
        rows[f"`{method} {path}`"] = [str(status) if status in (401, 403) else "goes on" for status in answers]
    return _table("Route below /api", list(come), rows)


def changes(store: Store) -> str:
    """Try every action as every role, and with a key of every scope."""
    everybody = {role: Person(role, [role]) for role in ROLES} | {f"key: {scope}": Person(scope, EVERYONE, [scope]) for scope in SCOPES}
    rows = {action: ["yes" if _allowed(store, person, action) else "" for person in everybody.values()] for action in MAY}
    return _table("Action", list(everybody), rows)


def _allowed(store: Store, person: Person, action: str) -> bool:
    try:
        with store.write(person, action, "trying"):
            return True
    except NotAllowed:
        return False


def _table(first: str, columns: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    lines = [[first, *columns], ["---"] * (len(columns) + 1), *([name, *cells] for name, cells in rows.items())]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def found(name: str, folder: Path, store: Store) -> str:
    """Return one of the three tables."""
    return {"pages": lambda: pages(folder), "routes": lambda: routes(store), "changes": lambda: changes(store)}[name]()


def between(text: str, name: str) -> tuple[str, str, str]:
    """Cut the document at the marks of a table: before it, the table, after it."""
    head, _, rest = text.partition(f"<!-- {name} -->\n")
    table, mark, tail = rest.partition(f"<!-- end of {name} -->")
    return head + f"<!-- {name} -->\n", table, mark + tail


def main() -> None:
    """Write the three tables into the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    for name in ("pages", "routes", "changes"):
        with tempfile.TemporaryDirectory() as folder:
            base = settings.load(ROOT / "creditrisk.toml", data=Path(folder) / "data", models=Path(folder) / "models")
            store = stores.open_in_memory(base)
            head, _, tail = between(text, name)
            text = head + found(name, Path(folder) / "pages", store) + tail
            store.close()
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
