"""Who stands before the frame: in local mode whoever they say, and nobody sees anything without a role."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import ui
from creditrisk import sessions
from tests.access import Said
from tests.test_pages import visit, workspace
from ui import entrance, turns

ADA = {"email": "ada@bank.test", "groups": ["admin"]}


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[None]:
    """A workspace with nothing in it."""
    with workspace(tmp_path):
        yield


def test_local_mode_is_said(empty: None) -> None:
    page = visit("applicants")
    assert any("Local mode" in caption.value for caption in page.sidebar.caption)


def test_a_name_without_a_role_sees_nothing_and_another_name_may_be_given(empty: None) -> None:
    object.__setattr__(ui.opened().settings.people, "roles", {"rita": ("reviewer",)})
    page = visit("applicants")
    assert "analyst has no role here; to see anything here takes" in page.error[0].value
    assert not page.title
    assert ui.opened().rows("select action, subject from audit order by seq desc limit 1") == [("refused", "a page")]
    page.sidebar.text_input(key="acting_as").input("rita").run()
    assert not page.error
    assert page.title[0].value == "Applicants"


def test_who_signed_in_is_nobody_else_and_has_the_roles_the_provider_gave(empty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrance, "provider", lambda: Said(ADA))
    sessions.begin(ui.opened(), ADA)
    page = visit("access")
    assert not page.sidebar.text_input
    assert "ada@bank.test" in page.sidebar.markdown[-1].value
    assert page.title[0].value == "Access"
    assert [table.value["person"].tolist() for table in page.main.dataframe if "person" in table.value] == [["ada@bank.test"]]


def test_a_session_that_ends_ends_every_open_page(empty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrance, "provider", lambda: Said(ADA))
    sessions.begin(ui.opened(), ADA)
    page = visit("applicants")
    assert page.title
    sessions.end(ui.opened(), ADA)
    page.run()
    assert "You have signed out" in page.warning[0].value
    assert not page.title
    assert [button.label for button in page.button] == ["Sign in with bank", r"Sign in with \<i\>"]


def test_a_session_that_runs_out_ends_an_open_page(empty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrance, "provider", lambda: Said(ADA))
    sessions.begin(ui.opened(), ADA)
    page = visit("applicants")
    assert page.title
    late = sessions.now() + timedelta(hours=11)
    monkeypatch.setattr(sessions, "now", lambda: late)
    page.run()
    assert "it lasts 10 hours" in page.warning[0].value
    assert not page.title


def test_a_role_that_is_taken_away_ends_an_open_page_and_is_on_record(empty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    claims = {"email": "tom@bank.test", "groups": ["tellers"]}
    people = ui.opened().settings.people
    object.__setattr__(people, "groups", {"tellers": ("reviewer",)})
    monkeypatch.setattr(entrance, "provider", lambda: Said(claims))
    sessions.begin(ui.opened(), claims)
    page = visit("applicants")
    assert page.title
    object.__setattr__(people, "groups", {})
    page.run()
    assert "tom@bank.test has no role here" in page.error[0].value
    assert not page.title
    assert ui.opened().value("select count(*) from audit where action = 'refused' and user_name = 'tom@bank.test'") > 0


def test_a_key_is_shown_once(empty: None) -> None:
    page = visit("access")
    page.main.text_input[0].input("core banking")
    page.main.text_input[1].input("tills")
    page.main.multiselect[0].select("score")
    page.main.button[-1].click().run()
    assert page.code[0].value.startswith("crw_")
    assert not page.run().code
    assert ui.opened().rows("select person, purpose, scopes from token") == [("core banking", "tills", "score")]


def test_pages_take_turns_and_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.05)
    running: list[int] = []
    most: list[int] = []

    def page() -> None:
        with turns.turn():
            running.append(1)
            most.append(len(running))
            time.sleep(0.01)
            running.pop()

    crowd = [threading.Thread(target=page) for _ in range(4)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert max(most) <= turns.AT_ONCE
    with turns.turn(), turns.turn():
        began = time.monotonic()
        with turns.turn():  # both places are taken by pages that work for long
            assert 0.04 < time.monotonic() - began < 5
    with pytest.raises(ZeroDivisionError), turns.turn():
        raise ZeroDivisionError
    with turns.turn(), turns.turn():
        assert not turns._places.acquire(blocking=False), "a page that failed has given its place back, once"
