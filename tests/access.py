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
from creditrisk import demo, sessions, settings, tokens
from creditrisk import store as stores
from creditrisk.api import create_api
from creditrisk.errors import NotAllowed
from creditrisk.people import EVERYONE, MAY, ROLES, SCOPES, Person
from creditrisk.store import Store
from tests.conftest import ROOT
from tests.test_pages import NAMES, workspace
from tests.test_perimeter import ADMIN, HOME, Signing, client, cookie, socket
from ui import entrance

TABLES = ("pages", "addresses", "routes", "changes")
DOCUMENT = ROOT / "docs" / "security.md"
VISITORS: Mapping[str, dict[str, Any] | None] = {
    "nobody": None,
    "without a role": {"email": "eve@bank.test", "groups": ["canteen"]},
    **{role: {"email": f"{role.replace(' ', '.')}@bank.test", "groups": [role]} for role in ROLES},
}
ADDRESSES = (  # outside /api: method and path; a socket is opened
    *(("GET", path) for path in ("/", "/overview", "/static/js/index.js", "/_stcore/health", "/_stcore/host-config", "/_stcore/metrics")),
    *(("GET", path) for path in ("/_stcore/agent/mcp", "/_stcore/script-health-check", "/media/0a1b.csv", "/component/x/index.html")),
    *((method, "/_stcore/upload_file/session/file") for method in ("PUT", "POST", "DELETE")),
    ("WEBSOCKET", "/_stcore/stream"),
    *(("GET", path) for path in ("/signin", "/auth/login", "/oauth2callback", "//api/v1/reviews", "/api;x/v1/reviews", "/API/v1/reviews")),
)


class Said(Signing):
    """A provider that says the same of whoever comes."""

    def __init__(self, claims: dict[str, Any] | None):
        super().__init__()
        self._claims = claims

    def claims(self, cookies: Any) -> dict[str, Any] | None:
        return self._claims


def pages(folder: Path) -> str:
    """Open every page of the filled workspace in a folder as everybody."""
    rows: dict[str, list[str]] = {name: [] for name in NAMES}
    with workspace(folder):
        _signed_in(ui.opened())
        for claims in VISITORS.values():
            with patch.object(entrance, "provider", lambda claims=claims: Said(claims)):
                page = AppTest.from_file(str(ROOT / "pages" / "workbench.py"), default_timeout=60).run()
                for name in NAMES:
                    rows[name].append(_opened(page, name))
    return _table("Page", list(VISITORS), rows)


def _signed_in(store: Store) -> None:
    """Let everybody sign in who may, and one who had a role when they did and has none now."""
    people = store.settings.people
    object.__setattr__(people, "groups", {"canteen": ("reviewer",)})
    for claims in filter(None, VISITORS.values()):
        sessions.begin(store, claims)
    object.__setattr__(people, "groups", {})


def _opened(page: AppTest, name: str) -> str:
    try:
        page.switch_page(str(ROOT / "pages" / f"{name}.py")).run()
    except ValueError:
        return "–"  # the frame has no such page for them
    assert not page.exception
    if page.title:
        assert not page.error
        assert len(page.main) > 2, f"{name} opens and shows nothing"
        return "works"
    assert not page.main.dataframe
    assert not page.main.metric
    return "sign in" if page.warning else "refused" if page.error else "–"


def addresses(store: Store) -> str:
    """Ask for what is served beside the API, as everybody, and with a key that may everything."""
    _signed_in(store)
    key = tokens.create(store, "bot", ["admin"], purpose="trying", days=1, user=ADMIN).key
    come = {name: {"Cookie": f"who={cookie(claims)}"} if claims else {} for name, claims in VISITORS.items()}
    come["key: admin"] = {"Authorization": f"Bearer {key}"}
    guarded = client(store, Signing(), raise_server_exceptions=True)
    rows: dict[str, list[str]] = {}
    for method, path in ADDRESSES:
        rows[f"`{method} {path}`"] = [_asked(guarded, method, path, headers) for headers in come.values()]
    return _table("Address", list(come), rows)


def _asked(guarded: Any, method: str, path: str, headers: Mapping[str, str]) -> str:
    guarded.cookies.clear()
    if method == "WEBSOCKET":
        return "goes on" if socket(guarded, Origin=HOME, **headers) == "hello" else "closed"
    status = guarded.request(method, f"{HOME}{path}", headers=headers).status_code
    return str(status) if status in (401, 403, 404) else "goes on"


def routes(store: Store) -> str:
    """Ask for every route of the API as everybody: without anything, with a sign-in, with a key of each scope, and of each role."""
    object.__setattr__(store.settings.people, "roles", {role: (role,) for role in ROLES if role != "admin"})
    keys = {scope: tokens.create(store, f"{scope} bot", [scope], purpose="trying", days=1, user=ADMIN).key for scope in SCOPES}
    theirs = {role: tokens.create(store, role, ["admin"], purpose="trying", days=1, user=ADMIN).key for role in store.settings.people.roles}
    sessions.begin(store, {"email": "ada@bank.test", "groups": ["admin"]})
    come = {
        "nobody": {},
        "signed in as admin": {"Cookie": f"who={cookie({'email': 'ada@bank.test', 'groups': ['admin']})}"},
        **{f"key: {scope}": {"Authorization": f"Bearer {key}"} for scope, key in keys.items()},
        **{f"{role}’s": {"Authorization": f"Bearer {key}"} for role, key in theirs.items()},
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
    """Return one of the tables."""
    ways = {"pages": lambda: pages(folder), "addresses": lambda: addresses(store), "routes": lambda: routes(store)}
    return {**ways, "changes": lambda: changes(store)}[name]()


def between(text: str, name: str) -> tuple[str, str, str]:
    """Cut the document at the marks of a table: before it, the table, after it."""
    head, _, rest = text.partition(f"<!-- {name} -->\n")
    table, mark, tail = rest.partition(f"<!-- end of {name} -->")
    return head + f"<!-- {name} -->\n", table, mark + tail


def main() -> None:
    """Write the tables into the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    for name in TABLES:
        with tempfile.TemporaryDirectory() as folder:
            if name == "pages":
                shown = Path(folder) / "pages"
                bank = stores.open_workspace(settings.load(ROOT / "creditrisk.toml", data=shown / "data", models=shown / "models"))
                demo.fill(bank, applicants=150, seed=11)
                bank.close()
            base = settings.load(ROOT / "creditrisk.toml", data=Path(folder) / "data", models=Path(folder) / "models")
            store = stores.open_in_memory(base)
            head, _, tail = between(text, name)
            text = head + found(name, Path(folder) / "pages", store) + tail
            store.close()
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
