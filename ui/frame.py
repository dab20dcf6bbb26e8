"""Who is before the frame: signed in through the provider, or in local mode whoever they say."""

import streamlit as st

import ui
from creditrisk import people
from ui import entrance


def identity() -> None:
    """Say who acts and with which roles; in local mode let them choose."""
    signing = entrance.provider()
    if signing is None:
        _chosen()
        return
    with ui.guard():
        person = ui.user()
        roles = ", ".join(sorted(people.roles_of(person, {}))) or "none"
        st.markdown(f":gray[:small[SIGNED IN]]  \n**{ui.literal(person)}**  \n:gray[:small[Role: {roles}]]")
        st.button("Sign out", key="sign-out", icon=":material/logout:", on_click=st.logout, width="stretch")


def keeps_keys() -> bool:
    """Whether who acts may make keys to the API and end sessions."""
    held = ui.store()
    return bool(people.roles_of(ui.user(), held.settings.people.roles) & people.MAY["token"])


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
            format_func=lambda role: "all of them" if role is None else role.capitalize(),
            key="acting_role",
            help="What this person may do. This installation gives no roles to names, so that anybody may choose.",
        )
    st.caption("Local mode: only this machine is served, and nobody signs in.")
