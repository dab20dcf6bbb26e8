"""`token` and `session` on the command line, and that it shows nothing to who may see nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from creditrisk import tokens
from creditrisk.__main__ import main
from creditrisk.settings import Settings
from creditrisk.store import open_workspace
from tests.conftest import ROOT


@pytest.fixture
def where(settings: Settings) -> list[str]:
    return ["--data", str(settings.data), "--models", str(settings.models), "--user", "ada"]


def said(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_key_is_made_listed_and_revoked(where: list[str], settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["token", "create", "--for", "core banking", "--purpose", "tills", "--scope", "score", "--scope", "read", "--days", "7"]
    assert main([*where, "--json", *asked]) == 0
    made = said(capsys)[-1]["summary"]
    store = open_workspace(settings)
    assert tokens.holder(store, made["key"]).scopes == ("score", "read")
    store.close()
    assert main([*where, "--json", "token", "list"]) == 0
    listed, summary = said(capsys)
    assert (listed["person"], listed["state"], listed["created_by"], summary["summary"]["n"]) == ("core banking", "in force", "ada", 1)
    assert made["key"] not in json.dumps(listed)
    assert main([*where, "token", "revoke", made["token_id"]]) == 0
    assert capsys.readouterr().out == f"Token {made['token_id']} is revoked.\n"
    assert main([*where, "token", "list"]) == 0
    assert "revoked" in capsys.readouterr().out


def test_what_is_wrong_is_a_sentence(where: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, sentence in (
        (["token", "create", "--scope", "score"], "A key is somebody's"),
        (["token", "create", "--for", "x", "--purpose", "y"], "needs at least one"),
        (["token", "revoke"], "Give the ID that `token list` shows"),
        (["token", "revoke", "abc"], "There is no token 'abc'"),
        (["session", "end"], "Give the ID that `session list` shows"),
        (["session", "end", "abc"], "There is no session 'abc'"),
    ):
        assert main([*where, *arguments]) == 2
        assert sentence in capsys.readouterr().err


def test_who_has_no_role_is_shown_nothing(
    where: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "creditrisk.toml").write_text((ROOT / "creditrisk.toml").read_text() + '\n[people.roles]\nrita = ["reviewer"]\n')
    monkeypatch.chdir(tmp_path)
    for command in (["models"], ["token", "list"], ["check"]):
        assert main([*where, *command]) == 2
        assert "ada has no role here; to see anything here takes" in capsys.readouterr().err
    assert main([*where[:-1], "rita", "token", "list"]) == 2
    assert "to see or make tokens takes a person with the role admin" in capsys.readouterr().err
    assert main([*where[:-1], "rita", "check"]) == 0
