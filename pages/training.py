"""Candidates: train them, watch them, and compare them with what a model has to beat."""

import streamlit as st

import ui
from creditrisk import charts, jobs, labels, training
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
board = training.leaderboard(store)
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
        board = training.leaderboard(store, label_set_id)
        learned = labels.get(store, label_set_id)
        is_proxy, warning = learned.is_proxy, labels.banner(learned)
        if warning:
            ui.banner(ui.literal(warning))
        words = "agreement with the proxy label" if is_proxy else "ranking of observed outcomes"
        own, folds = st.columns(2, gap="large")
        with own:
            ui.figure(charts.leaderboard(board, words), key="board-own", help=f"Measured on applicants kept away from training: {words}.")
        with folds:
            ui.figure(
                charts.leaderboard(board, f"{words}, cross-validated", column="cv_auc"),
                key="board-folds",
                help="The mean over folds of the learning part, each foreseen by a fit that had not seen it. Models are chosen by this "
                "figure; the test applicants beside it say what the chosen one is worth.",
            )
        if is_proxy:
            ui.figure(
                charts.leaderboard(board, "ranking of observed outcomes", column="auc_observed"),
                key="board-observed",
                help="The same models against what really happened to the loans of test applicants, where that is recorded.",
            )
        columns = {
            "model_id": ui.text_column("Model", pinned=True),
            "algorithm": ui.text_column("Algorithm"),
            "status": ui.text_column("Status"),
            "auc": ui.number_column(
                "AUC", "How often a bad applicant ranks above a good one; the bars above show its 95 % interval", "%.3f"
            ),
            "gini": ui.number_column("Gini", "2 AUC − 1", "%.3f"),
            "ks": ui.number_column("KS", "Largest distance between the good and the bad", "%.3f"),
            "brier": ui.number_column("Brier", "Mean squared error of the risk; smaller is better", "%.3f"),
            "cv_auc": ui.number_column("AUC, folds", "Mean over the folds of the learning part", "%.3f"),
            "cv_sd": ui.number_column("± of folds", "Standard deviation over the folds", "%.3f"),
            "auc_observed": ui.number_column("AUC, outcomes", "The same against observed outcomes, where there are any", "%.3f"),
            "n": ui.number_column("Applicants", "In the test set"),
            "n_bad": ui.number_column("Bad", "Of them bad"),
            "seconds": ui.number_column("Seconds", "Time to fit", "%.1f"),
        }
        if not is_proxy:
            del columns["auc_observed"]  # the same figure as AUC
        ui.table(board, columns, key="board", alt="Leaderboard")
        st.caption("In the order of observed outcomes where there are any, else of the labels. Rows of one split are comparable.")
        ui.link("models", "Open the registry to promote one", "deployed_code")

ui.section("Runs", help="Every training asked for, by whom, and how it ended.")
runs = jobs.current(store)
if runs.empty:
    st.markdown(":gray[No run yet.]")
else:
    columns = {
        "job_id": ui.text_column("Run", pinned=True),
        "state": ui.text_column("State"),
        "progress": st.column_config.ProgressColumn("Progress", min_value=0, max_value=1, format="percent"),
        "message": ui.text_column("Last message", width="large"),
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
