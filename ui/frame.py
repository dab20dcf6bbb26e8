"""Who is before the frame: signed in through the provider, or in local mode whoever they say."""

from typing import Any

import streamlit as st

import ui
from creditrisk import people
from creditrisk.store import Store
from ui import entrance


def enter(place: Any) -> Store:
    """Return the workspace for who is there, and say in `place` who that is; ends the page here where nobody may see it."""
    if entrance.provider() is None:
        with place:
            _chosen()
        return ui.store()
    held = ui.store()
    with place:
        _signed_in(ui.user())
    return held


def keeps_keys() -> bool:
    """Whether who acts may make keys to the API and end sessions."""
    held = ui.store()
    return bool(people.roles_of(ui.user(), held.settings.people.roles) & people.MAY["token"])


def _signed_in(person: str) -> None:
    roles = ", ".join(sorted(people.roles_of(person, {})))
    st.markdown(f":gray[:small[SIGNED IN]]  \n**{ui.literal(person)}**  \n:gray[:small[Role: {roles}]]")
    st.button("Sign out", key="sign-out", icon=":material/logout:", on_click=st.logout, width="stretch")


def _chosen() -> None:
    settings = ui.opened().settings.people
    st.text_input(
        "Acting as",
        value=settings.default,
        key="acting_as",
        help="Every change is recorded under this name.",
        icon=":material/person:",
    )
    if settings.roles:
        st.caption(f"Role: {', '.join(sorted(people.roles_of(ui.user(), settings.roles))) or 'none, so nothing is shown'}")
    else:
        st.selectbox(
            "Role",
            [None, *people.ROLES],
            format_func=lambda role: "All of them" if role is None else role.capitalize(),
            key="acting_role",
            help="What this person may do. This installation gives no roles to names, so that anybody may choose.",
        )
    st.caption("Local mode: only this machine is served, and nobody signs in.")
