"""A copy of the workspace and a proof that it is whole, asked for from a page: the command line may not while the workbench has it open."""

import streamlit as st

import ui
from creditrisk import integrity
from creditrisk.store import COPIES


def offer() -> None:
    """Offer a backup into the workspace's own folder for them, and the examination of everything."""
    store = ui.store()
    folder = store.settings.data / COPIES
    with st.expander("Backup and proof", icon=":material/verified_user:"):
        st.markdown(
            f":gray[A copy goes to {ui.literal(folder)}, checked and with a digest of each file; take it to another disk from there.]"
        )
        with st.container(horizontal=True):
            copy = st.button("Back up now", icon=":material/save:", key="back-up")
            prove = st.button("Check everything", icon=":material/fact_check:", key="check")
        with ui.guard():
            if copy:
                with st.spinner("Copying and checking …", show_time=True):
                    made = integrity.backup(store, folder, user=ui.user())
                st.success(f"{integrity.verify(made):,} files are kept and verified in {ui.literal(made)}.", icon=":material/check_circle:")
            if prove:
                with st.spinner("Checking …", show_time=True):
                    found = integrity.check(store)
                marks = {True: ":green[:material/check_circle:]", False: ":red[:material/cancel:]"}
                st.markdown("  \n".join(f"{marks[each['passed']]} {ui.literal(each['sentence'])}" for each in found))
