"""How people sign in, as Streamlit does it, and the proof at the start that the hardening is in force.

The only place that reads Streamlit's own cookie and `[auth]`; where there is none, this is local mode: one machine, nobody signs in.
"""

import asyncio
import ipaddress
import json
import os
import socket
import stat
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from streamlit import auth_util
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

from creditrisk.errors import InvalidInput

NEEDED = ("client_id", "client_secret", "server_metadata_url")
SETTLED = 30  # looks, a tenth of a second apart, for the sockets that a launcher opens once the application is up
FEWEST = 32  # characters of a secret that signs cookies
REQUIRED: Mapping[str, Any] = {
    "runner.postScriptGC": False,  # two seconds and more a click with fifty people at work
    "client.showErrorDetails": "none",  # otherwise people see the program's own lines, and what stood in them
    "logger.enableRich": False,  # prints errors past the log, with their words
    "client.allowedOrigins": [],  # nobody frames us, so that nobody's messages are listened to
    "server.enableXsrfProtection": True,
    "server.enableCORS": True,
    "server.enableAgentApi": False,  # drives the pages without a browser, and without a person
    "server.trustedUserHeaders": {},  # whoever writes the header would be whoever they say
    "server.enableStaticServing": False,
    "server.fileWatcherType": "none",
    "server.baseUrlPath": "",
    "global.developmentMode": False,
    "browser.gatherUsageStats": False,
}


class SignIn:
    """The provider of `[auth]`, as the guard in front of everything asks for it."""

    def __init__(self, section: Mapping[str, Any]):
        """Raises InvalidInput, in a sentence that holds no secret, for a section that cannot work or would not be safe."""
        address = urlsplit(str(section.get("redirect_uri", "")))
        if address.scheme not in ("http", "https") or not address.netloc or address.path != "/oauth2callback":
            raise _unfit("redirect_uri should be the address of this workbench with /oauth2callback behind it")
        if address.scheme == "http" and not _is_local(address.hostname):
            raise _unfit("redirect_uri should begin with https://: over http everybody on the way reads the sign-in")
        if len(str(section.get("cookie_secret", ""))) < FEWEST:
            raise _unfit(f"cookie_secret should be at least {FEWEST} random characters, such as `openssl rand -hex 32` prints")
        named = {name: part for name, part in section.items() if isinstance(part, Mapping) and set(part) & set(NEEDED)}
        found = named or {"default": section}
        for name, part in found.items():
            if lacking := [key for key in NEEDED if not part.get(key)]:
                raise _unfit(f"the provider {name} lacks {' and '.join(lacking)}")
        self.origin = f"{address.scheme}://{address.netloc}"
        self.names = tuple(found)

    def claims(self, cookies: Mapping[str, str]) -> dict[str, Any] | None:
        """Return what the provider said of the person whose cookies these are; None where nobody signed them for this address."""
        kept = _get_signed_cookie_with_chunks(dict(cookies), USER_COOKIE_NAME)
        said = json.loads(kept) if kept else {}
        return said if said.get("is_logged_in") is True and said.get("origin") == self.origin else None

    def way(self, name: str) -> str:
        """Return the address that begins signing in with one of the providers, good for a few minutes."""
        return f"/auth/login?provider={auth_util.encode_provider_token(name if name in self.names else self.names[0])}"


@cache
def provider() -> SignIn | None:
    """Return how people sign in here, as it stood when the process began; None in local mode."""
    section = auth_util.get_secrets_auth_section()
    return SignIn(section.to_dict()) if section else None


def prove() -> None:
    """Raise InvalidInput unless the workbench may be served as it was started: hardened, and with a sign-in wherever it is reached from.

    Streamlit reads its settings only under some launchers and from some folders, and says nothing where it does not.
    """
    for name, wanted in REQUIRED.items():
        found = st.get_option(name)
        if found != wanted and (found or wanted):
            raise InvalidInput(
                f"Streamlit's setting {name} is {found!r} where it has to be {wanted!r}: the workbench is not served unhardened. "
                "Start it from its own folder with `streamlit run app.py`, where .streamlit/config.toml is read, and leave out what "
                "overrides it."
            )
    files = [Path(file) for file in st.get_option("secrets.files")]
    if not secrets_singleton.load_if_toml_exists() and (unread := [file for file in files if file.exists()]):
        raise InvalidInput(f"{unread[0]} cannot be read as TOML, so that nobody could sign in. Correct it, or remove it for local mode.")
    address = st.get_option("server.address")
    if provider() is None and not _is_local(address):
        raise InvalidInput(
            f"The workbench would answer at {address or 'every address'} of this machine without anybody signing in. Set server.address to "
            "127.0.0.1 for local mode, or set up [auth] in .streamlit/secrets.toml (docs/security.md)."
        )


async def prove_bound() -> None:
    """Raise InvalidInput where the launcher has bound the workbench to an address of its own choice that nobody signs in at.

    Streamlit's setting says where it would listen; `uvicorn app:app --host` and its like ask nobody, and bind after the start.
    """
    for _ in range(SETTLED):
        if provider() is not None:
            return
        if away := [address for address in _listening() if not _is_local(address)]:
            raise InvalidInput(
                f"The workbench was bound to {away[0]} and would answer there without anybody signing in. Bind it to 127.0.0.1 for local "
                "mode, or set up [auth] in .streamlit/secrets.toml (docs/security.md)."
            )
        await asyncio.sleep(0.1)


def _listening() -> list[str]:
    """Return the internet addresses at which this process accepts connections, whoever opened them."""
    found, files = [], Path("/dev/fd")
    for number in [int(file.name) for file in files.iterdir()] if files.is_dir() else []:
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                with socket.socket(fileno=os.dup(number)) as ours:
                    is_internet = ours.family in (socket.AF_INET, socket.AF_INET6)
                    if is_internet and ours.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                        found.append(str(ours.getsockname()[0]))
        except OSError:  # closed meanwhile
            continue
    return found


def _unfit(what: str) -> InvalidInput:
    return InvalidInput(f"[auth] in .streamlit/secrets.toml: {what}.")


def _is_local(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
