"""docs/security.md says who may what: exactly what everybody finds who tries."""

import shutil
from pathlib import Path

import pytest

from creditrisk.people import MAY, ROLES, SCOPES, summary
from creditrisk.store import Store
from tests import access
from tests.conftest import ROOT


@pytest.mark.parametrize("name", access.TABLES)
def test_the_document_shows_who_may_what_as_it_is(name: str, tmp_path: Path, store: Store, bank: Path) -> None:
    if name == "pages":
        shutil.copytree(bank, tmp_path, dirs_exist_ok=True)
    _, written, _ = access.between(access.DOCUMENT.read_text(encoding="utf-8"), name)
    assert written == access.found(name, tmp_path, store), "`python -m tests.access` writes the tables anew"


def test_the_tables_leave_nobody_and_nothing_out(store: Store) -> None:
    written = access.DOCUMENT.read_text(encoding="utf-8")
    assert all(f"| {action} |" in written for action in MAY)
    assert all(f"| {page} |" in written for page in access.NAMES)
    assert all(f" {role} |" in written for role in ROLES)
    cells = {cell for name in ("pages", "addresses", "routes") for cell in access.between(written, name)[1].replace("\n", "").split(" | ")}
    assert {"works", "refused", "sign in", "401", "403", "goes on", "closed"} <= cells


def test_the_readme_leads_to_the_table() -> None:
    assert "docs/security.md" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_what_everybody_may_is_summed_up_without_losing_an_action() -> None:
    rows = summary()
    found = {action: (row["roles"], row["scopes"]) for row in rows for action in row["actions"]}
    assert sum(len(row["actions"]) for row in rows) == len(found) == len(MAY)
    for action, (roles, scopes) in found.items():
        assert roles == MAY[action]
        assert set(scopes) == {scope for scope, reached in SCOPES.items() if action in reached}
    assert len({(row["roles"], row["scopes"]) for row in rows}) == len(rows), "what is alike stands in one row"
