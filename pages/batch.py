"""Many applicants at once: a file in, scores and reasons out, bad rows aside; it runs in the background and goes on where it was."""

import streamlit as st

import ui
from creditrisk import dictionary
from creditrisk.batch import keep
from ui import batches

store = ui.store()
ui.header(
    "Batch",
    "A file of applicants, scored in the background. Rows that cannot be scored are set aside with the reason; the others go through.",
)

if ui.champion() is None and keep.batches(store).empty:
    ui.empty(
        "No model scores yet",
        "Train candidates and promote one; then a file of applicants can be scored.",
        ("training", "Train candidates"),
        ("models", "Promote a model"),
        icon="deployed_code",
    )
    st.stop()

with st.container(border=True, key="batch-new"):
    if keep.active(store) is not None:
        st.markdown("**Under way**", help="It runs in the background: close the browser, and it goes on.")
        st.fragment(batches.under_way, run_every=1.0)()
    else:
        st.markdown("**New batch**", help="CSV, Parquet or Excel; the same scores and reasons as one by one, to the last digit.")
        batches.new(store)
        with st.container(horizontal=True):
            for name, label, made in (
                ("to-score", "A file to fill in", dictionary.template),
                ("to-score.columns", "What may stand in it", dictionary.allowed),
            ):
                st.download_button(
                    label,
                    lambda made=made: dictionary.as_csv(made(store)),
                    file_name=f"{name}.csv",
                    mime="text/csv",
                    icon=":material/download:",
                    on_click="ignore",
                    key=f"batch-{name}",
                    type="tertiary",
                )

found = keep.batches(store)
chosen = ui.asked("batch")
if chosen:
    with ui.guard():
        batches.shown(store, chosen)

ui.section("All batches", help="Every file that was scored, by whom, and how it ended. Pick one to see it.")
if found.empty:
    ui.empty("No batch yet", "Give a file of applicants above.", ("data", "See which columns models read"), icon="stacks")
else:
    columns = {
        "batch_id": ui.text_column("Batch", pinned=True),
        "file": ui.text_column("File"),
        "state": ui.text_column("State"),
        "n_scored": ui.number_column("Scored"),
        "n_refused": ui.number_column("Set aside"),
        "model_id": ui.text_column("Model"),
        "created_at": ui.instant_column("Given (UTC)"),
        "created_by": ui.text_column("By"),
        "message": ui.text_column("Last message", width="large"),
    }
    height = ui.fitting(len(found), most=8)
    ui.table(found, columns, key="batches", alt="Batches, newest first", opens="batch_id", param="batch", height=height, row=None)
