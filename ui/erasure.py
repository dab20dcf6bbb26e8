"""Taking an applicant out of the workspace, from their page: what would go is counted first, and their id is typed to confirm."""

import streamlit as st

import ui
from creditrisk import privacy


def offer(applicant_id: str) -> None:
    """Say who has been erased; offer everybody else's erasure."""
    told = privacy.said(ui.store(), applicant_id)
    if told is not None:
        st.info(ui.literal(told), icon=":material/person_off:")
    elif st.toggle("Erase this person …", key=f"erase-{applicant_id}", help="For whoever asks to be forgotten. First it is only counted."):
        _confirm(applicant_id)


def _confirm(applicant_id: str) -> None:
    with ui.guard():
        _, gone = privacy.erase(ui.store(), applicant_id, user=ui.user(), reason="to be counted", dry_run=True)
        st.markdown(
            f"Gone would be {ui.literal(privacy.in_words(gone))}. What was decided stays provable, under a name that says nothing: "
            f"{ui.plural(gone.predictions, 'prediction')}. **This cannot be undone.**"
        )
        for where in privacy.left_behind(ui.store(), applicant_id):
            st.warning(ui.literal(where), icon=":material/folder_open:")
        with st.form("erase-form"):
            typed = st.text_input("Type the applicant's id to confirm", key="erase-typed")
            reason = st.text_input("Reason", key="erase-reason", help="Kept on record.")
            asked = st.form_submit_button("Erase for ever", type="primary", key="erase-now")
        if asked and typed.strip() != applicant_id:
            st.error("That is not the id of this applicant: nothing was erased.", icon=":material/error:")
        elif asked:
            privacy.erase(ui.store(), applicant_id, user=ui.user(), reason=reason)
            st.toast("The person is erased.", icon=":material/person_off:")
            ui.go("applicants")
