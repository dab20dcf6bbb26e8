"""Candidates: train them, watch them, and compare them with what a model has to beat."""

import streamlit as st

import ui
from creditrisk import jobs, labels, standing, training
from ui import lab, learning

store = ui.store()
ui.header(
    "Training",
    "Candidates learn in the background and stand beside the baselines they have to beat. None of them scores until a named person "
    "promotes it.",
)

busy = jobs.active(store)
with st.container(border=True):
    if busy is not None:
        st.markdown("**Under way**", help="It runs in the background: close the browser, and it goes on.")
        st.fragment(lab.under_way, run_every=1.0)()
    else:
        st.markdown("**New run**", help="The same as the Retrain button in the sidebar, with more to choose.")
        with ui.guard():
            config = lab.training_choices("run", wide=True)
            if config is not None:
                with st.container(horizontal=True):
                    if st.button("Start training", type="primary", icon=":material/play_arrow:", key="run-start"):
                        st.session_state["job_id"] = training.start(store, config, user=ui.user())
                        st.rerun()
                    lab.put_off(config)
    lab.waiting()

if ui.view(learning.VIEWS) == "feedback":
    learning.feedback()
    st.stop()

ui.section(
    "Leaderboard",
    help="AUC: how often a bad applicant ranks above a good one; 0.5 is chance. The bar is the 95 % interval: overlapping bars may be "
    "luck.",
)
sets = {row["label_set_id"]: row for row in ui.rows(labels.sets(store))}
board = standing.leaderboard(store)
if board.empty:
    ui.empty(
        "No candidate yet",
        "Start a training above: three models and two baselines take less than a minute on a few thousand applicants."
        if sets
        else "Candidates learn from labels: make a label set first.",
        icon="model_training",
    )
else:
    label_set_id = ui.pick(
        "Label set",
        list(sets),
        "labels",
        say=lambda name: lab.said_set(sets[name]) if name in sets else name,
        first=True,
        help="Models are compared within one label set: another set is another question.",
    )
    with ui.guard():
        board = standing.leaderboard(store, label_set_id)
        learned = labels.get(store, label_set_id)
        is_proxy, warning = learned.is_proxy, labels.banner(learned)
        if warning:
            ui.banner(ui.literal(warning))
        if board.empty:
            ui.empty(
                "No candidate has learned from this set yet",
                "The one under way is shown here when it is done." if busy else "Start a training with it above, or choose another set.",
                icon="model_training",
            )
        else:
            learning.leaderboard(board, is_proxy=is_proxy)

ui.section("Runs", help="Every training asked for, by whom, and how it ended.")
runs = jobs.current(store)
if runs.empty:
    st.markdown(":gray[No run yet.]")
else:
    columns = {
        "job_id": ui.text_column("Run", pinned=True),
        "state": ui.text_column("State"),
        "progress": st.column_config.ProgressColumn("Progress", min_value=0, max_value=1, format="percent"),
        "message": ui.text_column("Last message", width=290),
        "created_at": ui.instant_column("Started (UTC)"),
        "reported_at": ui.instant_column("Last heard of (UTC)"),
        "created_by": ui.text_column("By"),
    }
    ui.table(
        runs, columns, key="runs", alt="Training runs, newest first", opens="job_id", param="run", height=ui.fitting(len(runs), most=7)
    )
    st.caption("Pick a run to see what it was asked for, and to run it again.")
    if ui.asked("run"):
        with ui.guard(), st.container(border=True):
            lab.past_run(jobs.get(store, ui.asked("run")))
