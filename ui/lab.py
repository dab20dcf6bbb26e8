"""Label sets, trainings and their jobs, as several pages show them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st
from pandas import DataFrame

import ui
from creditrisk import (
    jobs,
    labels,
    training,
)
from creditrisk.store import Store

METHODS = {
    "kmeans": "K-Means",
    "rfm": "RFM",
    "observed": "Observed outcomes",
    "reviewed": "Accepted verdicts",
    "combined": "A combination",
}


GATES = {  # what a quality check of a label set is called, and which side of the figure asked for passes
    "stability": ("Clusters come back in resamples", "≥"),
    "index gap": ("Riskiest cluster stands apart", "≥"),
    "signs": ("Features point the right way", "≥"),
    "share at least": ("Riskiest cluster is not too small", "≥"),
    "share at most": ("Riskiest cluster is not too large", "≤"),
    "outcomes": ("Enough outcomes are recorded", "≥"),
    "bad outcomes": ("Enough of them are bad", "≥"),
    "against outcomes": ("Ranks observed outcomes", ">"),
    "beside the index": ("Keeps up with the plain risk index", "≥"),
    "proxy sets": ("The proxy sets in it pass their own", "≥"),
}


def checks(gates: Sequence[Mapping[str, Any]]) -> None:
    """Show quality gates: passed or not, what was found, what is asked, and the sentence."""
    st.table(
        [
            {
                "": ":green[:material/check_circle:]" if gate["passed"] else ":red[:material/cancel:]",
                "Check": f"**{ui.literal(gate_name(gate))}**",
                "Found": gate_figure(gate, "value"),
                "Asked": ui.literal(gate_asks(gate)),
                "In words": f":gray[{ui.literal(gate['sentence'])}]",
            }
            for gate in gates
        ],
        border="horizontal",
        hide_index=True,
        alt="Quality checks",
    )


def gate_name(gate: Mapping[str, Any]) -> str:
    """What a quality check is called on a page."""
    return GATES.get(gate["name"], (gate["name"], ""))[0]


def gate_asks(gate: Mapping[str, Any]) -> str:
    """What a quality check asks for: '≥ 0.75'."""
    return f"{GATES.get(gate['name'], ('', ''))[1]} {gate_figure(gate, 'threshold')}".strip()


def gate_figure(gate: Mapping[str, Any], part: str) -> str:
    """A figure of a quality check: counts whole, all else with two decimals."""
    return ui.count(gate[part]) if gate["name"] in ("outcomes", "bad outcomes") else ui.plain(gate[part], 2)


@st.cache_data(show_spinner="Drawing the test set …", max_entries=64)
def curves(_store: Store, model_id: str, digest: str) -> dict[str, DataFrame]:  # noqa: ARG001  (the digest is the key)
    """What a model's page draws; a model never changes."""
    return training.curves(_store, model_id)


def training_choices(key: str, *, wide: bool = False) -> training.Config | None:
    """Ask what to train on: label set, algorithms, split; None where there is nothing to train on yet."""
    sets = {row["label_set_id"]: row for row in ui.rows(labels.sets(ui.store()))}
    if not sets:
        st.info("Training learns from labels, and there is no label set yet.", icon=":material/label:")
        ui.link("labels", "Make a label set", "new_label")
        return None
    learners, parts = list(training.CANDIDATES), {"random": "Random", "time": "Newest"}
    one, two, three = st.columns([2.1, 2.5, 1.5], gap="medium") if wide else [st.container() for _ in range(3)]
    label_set_id = one.selectbox(
        "Labels",
        list(sets),
        format_func=lambda name: said_set(sets[name]),
        key=f"{key}-labels",
        help="What good and bad mean in this run. The newest set comes first.",
    )
    chosen = two.pills(
        "Algorithms",
        learners,
        selection_mode="multi",
        default=learners,
        format_func=ui.algorithm,
        key=f"{key}-algorithms",
        help="The plain risk index and a constant are always trained beside them: a model has to beat both.",
        wrap=True,
    )
    split = three.segmented_control(
        "Test applicants",
        list(parts),
        default="random",
        required=True,
        format_func=parts.get,
        key=f"{key}-split",
        help="Which applicants are kept away from training to measure it: a stratified random quarter, or those who applied last.",
    )
    if not chosen:
        st.info("Choose at least one algorithm.", icon=":material/touch_app:")
        return None
    return replace(training.defaults(ui.store()), algorithms=tuple(chosen), label_set_id=label_set_id, split=split)


def said_set(row: Mapping[str, Any]) -> str:
    """A label set in a line: 'L0001 · K-Means, 3 clusters · 16 % risky'."""
    clusters = "" if ui.missing(row["k"]) else f", {int(row['k'])} clusters"
    return f"{row['label_set_id']} · {METHODS.get(row['method'], row['method'])}{clusters} · {ui.percent(row['share_risky'], 0)} risky"


def job_progress(job: Mapping[str, Any], key: str) -> None:
    """Show a job under way, with the button that stops it."""
    st.progress(
        min(max(float(job["progress"]), 0.0), 1.0), text=f"**Training** {job['job_id']}: {ui.literal(job['message'] or job['state'])}"
    )
    if st.button("Stop training", icon=":material/stop_circle:", key=f"{key}-stop", width="stretch"):
        with ui.guard():
            jobs.stop(ui.store(), job["job_id"], user=ui.user())


def job_ended(job_id: str | None) -> None:
    """Say how the job this person followed has ended, until they look at what came of it."""
    if job_id is None or ui.asked("job") == job_id:
        st.session_state.pop("job_id", None)
        return
    job = jobs.get(ui.store(), job_id)
    if job["state"] == "done":
        st.success(f"Training {job_id} is done.", icon=":material/check_circle:")
        ui.link("training", "See the leaderboard", "leaderboard", job=job_id)
    elif job["state"] != "running":
        st.warning(f"Training {job_id}: {ui.literal(job['message'] or job['state'])}.", icon=":material/stop_circle:")
