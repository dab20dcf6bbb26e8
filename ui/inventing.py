"""Invented applicants on the data page: made, held against the real ones they were modelled on, and taken out again."""

import streamlit as st

import ui
from creditrisk import augment, charts, dictionary

COLUMNS = {
    "title": ui.text_column("Column", pinned=True),
    "ks": ui.number_column("KS", "Largest distance between the two distributions, 0 to 1", "%.4f"),
    "psi": ui.number_column("PSI", "Population stability index against the real ones: below 0.1 alike", "%.4f"),
    "missing_real": ui.share_column("Not known, real"),
    "missing_invented": ui.share_column("Not known, invented"),
}


def view(snapshot_id: int) -> None:
    """Show how like the real applicants the invented ones are, or offer to make some."""
    ui.section(
        "Invented applicants",
        help="Each column is drawn from the values seen, and ranks are bound to each other as among the real ones (a Gaussian copula). "
        "They lie apart: no profile, score or measure on this or any page counts them.",
    )
    with ui.guard():
        if ui.seen(augment.count):
            _held()
        else:
            _offered(snapshot_id)


def _held() -> None:
    like = ui.seen(augment.likeness)
    st.markdown(f"**{ui.count(like.n_invented)}** beside {ui.count(like.n_real)} real ones. {ui.literal(like.sentence)}")
    bound, apart = st.columns(2, gap="large")
    with bound:
        said = "Each dot is a pair of columns: how they go together among the real applicants, and among the invented ones."
        ui.figure(charts.bonds(like.pairs), key="bonds", help=said)
    with apart:
        said = "How far the distribution of each column lies from the real one. 0 is the same, 1 has no value in common."
        ui.figure(charts.distances(like.columns), key="distances", help=said)
    with st.expander("Every column", icon=":material/table:"):
        ui.table(like.columns, COLUMNS, key="likeness", alt="How like the real applicants the invented ones are", height=300)
    if st.button("Remove them", icon=":material/delete:", key="remove"):
        augment.remove(ui.store(), user=ui.user())
        st.rerun()


def _offered(snapshot_id: int) -> None:
    real = int(ui.seen(dictionary.columns, snapshot_id)["n"].max())
    st.caption("There are none. `augment --to N` on the command line, or this button, makes some.")
    to = st.number_input("Until there are, with the real ones", min_value=real + 1, max_value=augment.MOST, value=2 * real, key="to")
    if st.button("Invent applicants", icon=":material/groups:", key="invent"):
        with st.spinner("Drawing …", show_time=True):
            augment.invent(ui.store(), int(to), user=ui.user())
        st.rerun()
