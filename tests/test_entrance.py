"""What is proven before anybody is served: the hardening, where the workbench answers, and a sign-in that can work and is safe."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from socket import AF_INET, AF_INET6, socket

import pytest
import streamlit as st
from streamlit import config
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from creditrisk.errors import InvalidInput
from tests.conftest import ROOT
from ui import entrance
from ui.entrance import SignIn

SECTION = {
    "redirect_uri": "https://credit.bank.test/oauth2callback",
    "cookie_secret": "0123456789abcdef0123456789abcdef",
    "bank": {"client_id": "a", "client_secret": "very-s3cret", "server_metadata_url": "https://login.bank.test/x"},
}


@contextmanager
def secrets(*files: Path) -> Iterator[None]:
    """Let Streamlit read its secrets from these files."""
    before = config.get_option("secrets.files")
    try:
        config.set_option("secrets.files", [str(file) for file in files])
        secrets_singleton._reset()
        entrance.provider.cache_clear()
        yield
    finally:
        config.set_option("secrets.files", before)
        secrets_singleton._reset()
        entrance.provider.cache_clear()


@pytest.fixture
def signing(tmp_path: Path) -> Iterator[SignIn]:
    """A sign-in as the secrets declare it."""
    file = tmp_path / "secrets.toml"
    bank = "".join(f"{key} = {json.dumps(value)}\n" for key, value in SECTION["bank"].items())  # type: ignore[union-attr]
    file.write_text(
        f'[auth]\nredirect_uri = "{SECTION["redirect_uri"]}"\ncookie_secret = "{SECTION["cookie_secret"]}"\n[auth.bank]\n{bank}'
    )
    with secrets(file):
        found = entrance.provider()
        assert found is not None
        yield found


@pytest.fixture
def hardened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, object]]:
    """The settings as they are in force under `streamlit run`, to be spoilt one by one."""
    found: dict[str, object] = {**entrance.REQUIRED, "server.address": "127.0.0.1", "secrets.files": [str(tmp_path / "none.toml")]}
    monkeypatch.setattr(st, "get_option", lambda name: found[name])
    with secrets(tmp_path / "none.toml"):
        yield found


def test_as_it_is_shipped_it_may_be_served(hardened: dict[str, object]) -> None:
    entrance.prove()
    shipped = (ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    for setting in ('address = "127.0.0.1"', "postScriptGC = false", 'showErrorDetails = "none"', "allowedOrigins = []"):
        assert setting in shipped


@pytest.mark.parametrize("name", list(entrance.REQUIRED))
def test_a_setting_that_is_not_in_force_is_refused_by_name(hardened: dict[str, object], name: str) -> None:
    wanted = entrance.REQUIRED[name]
    hardened[name] = {False: True, True: False}.get(wanted, "auto") if isinstance(wanted, bool) else ["x"] if wanted == [] else "full"
    with pytest.raises(InvalidInput, match=rf"Streamlit's setting {name} is .* where it has to be"):
        entrance.prove()


@pytest.mark.parametrize("address", ["0.0.0.0", None, "", "10.0.0.7", "::", "credit.bank.test", "127.0.0.1.evil.test"])
def test_without_a_sign_in_it_answers_on_this_machine_only(hardened: dict[str, object], address: str | None) -> None:
    hardened["server.address"] = address
    with pytest.raises(InvalidInput, match="without anybody signing in"):
        entrance.prove()


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1", "127.1.2.3"])
def test_this_machine_has_several_names(hardened: dict[str, object], address: str) -> None:
    hardened["server.address"] = address
    entrance.prove()


@pytest.mark.parametrize(
    ("family", "address", "is_open"), [(AF_INET, "0.0.0.0", True), (AF_INET6, "::", True), (AF_INET, "127.0.0.1", False)]
)
def test_wherever_a_launcher_binds_it_by_itself_is_seen(
    hardened: dict[str, object], monkeypatch: pytest.MonkeyPatch, family: int, address: str, is_open: bool
) -> None:
    monkeypatch.setattr(entrance, "SETTLED", 1)
    with socket(family) as ours:
        ours.bind((address, 0))
        ours.listen()
        with pytest.raises(InvalidInput, match=f"was bound to {address} and would answer there") if is_open else nullcontext():
            asyncio.run(entrance.prove_bound())
    asyncio.run(entrance.prove_bound())


def test_with_a_sign_in_it_may_be_bound_anywhere(hardened: dict[str, object], signing: SignIn) -> None:
    with socket(AF_INET) as ours:
        ours.bind(("0.0.0.0", 0))
        ours.listen()
        asyncio.run(entrance.prove_bound())


def test_secrets_that_cannot_be_read_are_not_taken_for_local_mode(hardened: dict[str, object], tmp_path: Path) -> None:
    file = tmp_path / "secrets.toml"
    file.write_text("[auth\ncookie_secret = 'very-s3cret'")
    hardened["secrets.files"] = [str(file)]
    with secrets(file), pytest.raises(InvalidInput, match="cannot be read as TOML, so that nobody could sign in") as refusal:
        entrance.prove()
    assert "s3cret" not in str(refusal.value)


def test_with_a_sign_in_it_may_answer_elsewhere(hardened: dict[str, object], signing: SignIn) -> None:
    hardened["server.address"] = "0.0.0.0"
    entrance.prove()
    assert (signing.origin, signing.names) == ("https://credit.bank.test", ("bank",))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"redirect_uri": ""}, "redirect_uri should be the address of this workbench"),
        ({"redirect_uri": "credit.bank.test/oauth2callback"}, "redirect_uri should be the address"),
        ({"redirect_uri": "https://credit.bank.test/"}, "with /oauth2callback behind it"),
        ({"redirect_uri": "http://credit.bank.test/oauth2callback"}, "should begin with https://"),
        ({"cookie_secret": ""}, "cookie_secret should be at least 32"),
        ({"cookie_secret": "very-s3cret"}, "cookie_secret should be at least 32"),
        ({"bank": {"client_id": "a", "client_secret": "very-s3cret"}}, "the provider bank lacks server_metadata_url"),
        ({"bank": {}}, "the provider default lacks client_id and client_secret and server_metadata_url"),
    ],
)
def test_a_sign_in_that_cannot_work_or_is_not_safe_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as refusal:
        SignIn(SECTION | change)
    assert "s3cret" not in str(refusal.value)


def cookie(claims: object, secret: str = str(SECTION["cookie_secret"])) -> dict[str, str]:
    return {"_streamlit_user": create_signed_value(secret, "_streamlit_user", json.dumps(claims)).decode()}


def test_a_cookie_that_we_signed_for_this_address_says_who_somebody_is(signing: SignIn) -> None:
    said = {"is_logged_in": True, "origin": signing.origin, "email": "rita@bank.test"}
    assert signing.claims(cookie(said)) == said


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"_streamlit_user": ""},
        {"_streamlit_user": "x"},
        {"_streamlit_user": '{"is_logged_in": true}'},
        cookie({"is_logged_in": True, "origin": "https://credit.bank.test", "email": "x"}, secret="another secret"),
        cookie({"is_logged_in": True, "origin": "https://evil.test", "email": "x"}),
        cookie({"is_logged_in": False, "origin": "https://credit.bank.test", "email": "x"}),
        cookie({"is_logged_in": "true", "origin": "https://credit.bank.test", "email": "x"}),
        cookie({}),
    ],
)
def test_every_other_cookie_is_nobodys(signing: SignIn, kept: dict[str, str]) -> None:
    assert signing.claims(kept) is None


def test_the_way_in_names_one_of_the_providers(signing: SignIn) -> None:
    for name in ("bank", "evil", ""):
        assert signing.way(name).startswith("/auth/login?provider=ey")
