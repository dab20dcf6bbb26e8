"""Keys to the API and sign-ins in force: made, shown and ended by an admin."""

import streamlit as st

import ui
from creditrisk import people, sessions, tokens
from ui import entrance

store = ui.store()
ui.header(
    "Access", "Programs come in with a key, people with a sign-in. A key is shown once, reaches no further than its scopes, and ends."
)
SCOPES = {
    "score": "score applicants, and see nothing else",
    "read": "see what is here, and change nothing",
    "review": "see, take cases, judge and inspect",
    "admin": "everything",
}

with ui.guard():
    found = tokens.every(store, user=ui.user())
    if "key" in st.session_state:
        st.success("This is the key. It is not kept here and cannot be shown again.", icon=":material/key:")
        st.code(st.session_state.pop("key"), language=None)
    with st.expander("Make a key", icon=":material/add:", expanded=found.empty), st.form("new-key", border=False):
        left, right = st.columns(2)
        person = left.text_input(
            "Whose", help="A person, as they sign in, or the name of a program. What the key does is done in this name."
        )
        purpose = right.text_input("For what")
        scopes = left.multiselect("Scopes", list(SCOPES), format_func=lambda scope: f"{scope}: {SCOPES[scope]}")
        days = right.number_input("Days it holds", min_value=1, max_value=tokens.LONGEST, value=90)
        if st.form_submit_button("Make the key", type="primary", icon=":material/key:"):
            with ui.guard():
                made = tokens.create(store, person, scopes, purpose=purpose, days=int(days), user=ui.user())
                st.session_state["key"] = made.key
                st.rerun()

    ui.section("Keys")
    if found.empty:
        need = (
            "Make one above for a program that is to come in."
            if entrance.provider()
            else "In local mode programs on this machine need none."
        )
        ui.empty("No key yet", need, ("overview", "Go to the overview"), icon="key")
    else:
        columns = {
            "person": ui.text_column("Whose", pinned=True),
            "purpose": ui.text_column("For what"),
            "scopes": ui.text_column("Scopes"),
            "state": ui.text_column("State"),
            "expires_at": ui.instant_column("Holds until (UTC)"),
            "created_at": ui.instant_column("Made (UTC)"),
            "created_by": ui.text_column("By"),
        }
        ui.table(found, columns, key="keys", alt="Keys to the API", opens="token_id", param="token")
        chosen = ui.asked("token")
        if chosen:
            token = ui.known(found, "token_id", "token", chosen)
            if token["state"] == "in force" and st.button(
                f"Revoke the key of {ui.literal(token['person'])} for {ui.literal(token['purpose'])}",
                icon=":material/key_off:",
                key="revoke",
            ):
                tokens.revoke(store, chosen, user=ui.user())
                ui.go("access")

    if entrance.provider():
        ui.section("Signed in")
        running = sessions.every(store, user=ui.user())
        columns = {
            "person": ui.text_column("Who", pinned=True),
            "begun_at": ui.instant_column("Since (UTC)"),
            "expires_at": ui.instant_column("Until (UTC)"),
        }
        ui.table(running, columns, key="sessions", alt="Sign-ins in force", opens="session_id", param="session")
        asked = ui.asked("session")
        if asked:
            who = ui.known(running, "session_id", "session", asked)["person"]
            if st.button(f"End the session of {ui.literal(who)}", icon=":material/logout:", key="end"):
                sessions.end_of(store, asked, user=ui.user())
                ui.go("access")

    ui.section("Who may do what", help="The roles each change needs; a key reaches no further than its scopes.")
    may, not_ = ":green[:material/check:]", ""
    st.table(
        [
            {"Action": ", ".join(row["actions"])}
            | {role.capitalize(): may if role in row["roles"] else not_ for role in people.ROLES}
            | {f"Key: {scope}": may if scope in row["scopes"] else not_ for scope in people.SCOPES}
            for row in people.summary()
        ],
        border="horizontal",
        hide_index=True,
        alt="Who may do what",
    )
