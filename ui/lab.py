"""Label sets, trainings and their jobs, as several pages show them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time
from typing import Any

import streamlit as st
from pandas import DataFrame

import ui
from creditrisk import augment, jobs, labels, plan, schedule, standing, training
from creditrisk.labels import mass
from creditrisk.store import Store

LAST_ENDED = 3  # scheduled runs that wait no longer, as shown
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
    "verified": ("Enough verified outcomes", "≥"),
    "verified bad": ("Enough of each kind", "≥"),
    "ranks as well": ("Ranks them as well", "≥"),
    "as close to what happens": ("As close to what happens", "≤"),
    "calibrated": ("Neither too bold nor too timid", "≥"),
    "scores alike": ("Scores keep their meaning", "≤"),
}
COUNTED = ("outcomes", "bad outcomes", "verified", "verified bad")


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
    return GATES.get(gate["name"], (ui.sentence(gate["name"]), ""))[0]


def gate_asks(gate: Mapping[str, Any]) -> str:
    """What a quality check asks for: '≥ 0.75'."""
    return f"{GATES.get(gate['name'], ('', '≥' if gate['name'].startswith('fair by') else ''))[1]} {gate_figure(gate, 'threshold')}".strip()


def gate_figure(gate: Mapping[str, Any], part: str) -> str:
    """A figure of a quality check: counts whole, all else with two decimals."""
    return ui.count(gate[part]) if gate["name"] in COUNTED else ui.plain(gate[part], 2).replace("-", "−")


@st.cache_data(show_spinner="Drawing the test set …", max_entries=64)
def curves(_store: Store, model_id: str, digest: str) -> dict[str, DataFrame]:  # noqa: ARG001  (the digest is the key)
    """What a model's page draws; a model never changes."""
    return standing.curves(_store, model_id)


def training_choices(key: str, *, wide: bool = False) -> plan.Config | None:
    """Ask what to train on: label set, algorithms, test applicants, and where `wide` all else; None while something is missing."""
    sets = {row["label_set_id"]: row for row in ui.rows(labels.sets(ui.store()))}
    if not sets:
        st.info("Training learns from labels, and there is no label set yet.", icon=":material/label:")
        ui.link("labels", "Make a label set", "new_label")
        return None
    learners, parts = list(plan.CANDIDATES), {"random": "Random", "time": "Newest", **({"file": "Listed"} if wide else {})}
    one, two, three = st.columns([2.3, 2.2, 1.9], gap="medium") if wide else [st.container() for _ in range(3)]
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
        default=list(plan.USUAL),
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
        help="Who is kept away from training to measure it: a random part of the applicants, those who applied last, or a list of "
        "your own. An applicant is never on both sides.",
    )
    mass = _feedback(key, label_set_id)
    test_file = _test_list(key) if split == "file" else None
    more = _more_choices(key, split) if wide else {}
    if not chosen:
        st.info("Choose at least one algorithm.", icon=":material/touch_app:")
        return None
    if split == "file" and test_file is None:
        return None
    asked = {"algorithms": tuple(chosen), "label_set_id": label_set_id, "split": split, "test_file": test_file, "proxy_mass": mass, **more}
    return replace(training.defaults(ui.store()), **asked)


def _feedback(key: str, label_set_id: str) -> float | None:
    """Ask whether to learn from what is verified by now, and how much all proxies weigh beside it; None where it is not asked for."""
    known = ui.seen(labels.verified, label_set_id)
    (observed, bad), (reviewed, reviewed_bad) = known["observed"], known["review"]
    said = f"{ui.plural(reviewed, 'applicant')} by accepted verdicts ({ui.count(reviewed_bad)} bad), {ui.count(observed)} by outcomes "
    on = st.toggle(
        "Learn from feedback too",
        value=bool(reviewed),
        disabled=not reviewed + observed,
        key=f"{key}-feedback",
        help=f"Beside the labels chosen, what is verified by now: {said}({ui.count(bad)} bad). A verified label counts 1 and takes the "
        "place of the proxy. Whoever is kept for the test is never learned from, in this run or the next.",
    )
    if not on:
        return None
    chosen = proxy_mass(f"{key}-mass")
    st.caption(ui.literal(ui.seen(labels.weighing, label_set_id, chosen).sentence))
    return chosen


def proxy_mass(key: str) -> float:
    """Ask how much all proxies weigh beside verified labels."""
    chosen = st.slider(
        f"For every {mass.STEP} verified labels, all proxies together weigh as much as",
        0,
        100,
        int(labels.PROXY_MASS),
        format="%d verified labels",
        key=key,
        help="Thousands of proxies, each as heavy as a verdict, drown what people found out; ten has served best. Proxies that "
        "fail their checks weigh a tenth of it. 0: verified labels alone.",
    )
    return float(chosen)


def _test_list(key: str) -> str | None:
    """Ask for the list of applicants to test on; returns where it is kept."""
    given = st.file_uploader(
        "Applicants to test on",
        type=["csv", "parquet"],
        key=f"{key}-test-file",
        help="A table whose column applicant_id, or first column, names applicants of the label set. Nobody on it is learned from.",
    )
    if given is None:
        st.caption("Upload a list of applicants, or choose another way to set some aside.")
        return None
    with ui.guard():
        return training.keep_test(ui.store(), given.name, given.getvalue(), user=ui.user())
    return None


BALANCES = {"none": "As they are", "weights": "By weights", "smote": "By invented rows"}
TUNING = {"off": "Usual settings", "trials": "A number of trials", "seconds": "A time budget"}


def _more_choices(key: str, split: str) -> dict[str, Any]:
    """Ask for all that has a sensible answer already."""
    usual, predictors = training.defaults(ui.store()), {feature.name: feature.title for feature in ui.store().schema.predictors}
    with st.expander("More choices", icon=":material/tune:"):
        left, middle, right = st.columns(3, gap="medium")
        with left:
            asked = _measured(key, split, usual)
        with middle:
            asked |= _fitted(key)
        with right:
            asked |= _drawn(key, usual)
        without = st.multiselect(
            "Leave out",
            list(predictors),
            format_func=predictors.get,
            placeholder="Nothing: learn from every predictor",
            key=f"{key}-without",
            help="Predictors that models of this run do not read.",
        )
    return {**asked, "without": tuple(without)}


def _measured(key: str, split: str, usual: plan.Config) -> dict[str, Any]:
    """Ask what a run is measured on."""
    asked: dict[str, Any] = {}
    if split != "file":
        share = st.slider("Share kept for the test", 5, 50, round(100 * usual.test_size), 5, format="%d %%", key=f"{key}-size")
        asked["test_size"] = share / 100
    asked["folds"] = st.selectbox(
        "Folds of the cross-validation",
        [None, 2, 3, 5, 10],
        format_func=lambda folds: f"{folds} folds" if folds else "Automatic",
        key=f"{key}-folds",
        help="Each part in turn is foreseen by a fit that has not seen it: that validates, calibrates and chooses cut-offs. "
        "Automatic: five folds, on many applicants one held-out tenth.",
    )
    return asked


def _fitted(key: str) -> dict[str, Any]:
    """Ask how the algorithms are fitted."""
    balance = st.selectbox(
        "Balance of good and bad",
        list(BALANCES),
        format_func=BALANCES.get,
        key=f"{key}-balance",
        help="While fitting only. Calibration on rows left as they are undoes the shift, so the risk stays honest.",
    )
    tuning = st.selectbox(
        "Settings of the algorithms",
        list(TUNING),
        format_func=TUNING.get,
        key=f"{key}-tuning",
        help="The usual settings suit the size of the data. A search tries others on folds of the learning part and keeps the best.",
    )
    asked: dict[str, Any] = {"balance": balance}
    if tuning == "trials":
        asked["tune"] = int(st.number_input("Trials of each algorithm", 1, 1_000, 20, key=f"{key}-trials"))
    if tuning == "seconds":
        asked["tune_seconds"] = float(st.number_input("Seconds for each algorithm", 5, 86_400, 60, key=f"{key}-seconds"))
    return asked


def _drawn(key: str, usual: plan.Config) -> dict[str, Any]:
    """Ask what is drawn by lot, and whether invented applicants are learned from."""
    said = "Of everything random. The same run with the same seed gives the same models."
    asked: dict[str, Any] = {"seed": int(st.number_input("Seed", 0, 2**31 - 1, usual.seed, key=f"{key}-seed", help=said))}
    if augment.count(ui.store()):
        asked["invented"] = st.checkbox(
            "Learn from invented applicants too", key=f"{key}-invented", help="No figure is measured on them. Proxy labels only."
        )
    return asked


def said_run(config: plan.Config) -> dict[str, object]:
    """What a run was asked for, in words, the usual left out."""
    shares = f"{100 * config.test_size:.0f} % of the applicants"
    tested = {"random": f"{shares}, at random", "time": f"the newest {100 * config.test_size:.0f} %", "file": "a list of one's own"}
    titles = {feature.name: feature.title for feature in ui.store().schema}
    searched = [f"{config.tune} trials" if config.tune else "", f"{config.tune_seconds:g} seconds" if config.tune_seconds else ""]
    return {
        "Algorithms": [ui.algorithm(name) for name in config.algorithms],
        "Labels": config.label_set_id,
        "Proxies weigh": None if config.proxy_mass is None else f"{config.proxy_mass:g} verified labels, all together",
        "Tested on": tested[config.split],
        "Folds": str(config.folds or "automatic"),
        "Balance": BALANCES[config.balance].lower() if config.balance != "none" else None,
        "Searched settings": " or ".join(part for part in searched if part) or ("a grid" if config.grid else None),
        "Learned from only": [titles.get(name, name) for name in config.features],
        "Left out": [titles.get(name, name) for name in config.without],
        "Invented applicants": "learned from, never measured on" if config.invented else None,
        "Seed": str(config.seed),
    }


def past_run(job: Mapping[str, Any]) -> None:
    """Show what a run was asked for and what it did, and offer it again."""
    store, config = ui.store(), plan.Config.from_dict(job["params"])
    who = f":gray[by {ui.literal(job['created_by'])}, {ui.instant(job['created_at'])}]"
    st.markdown(f"**{job['job_id']}** {who}  \n{ui.literal(job['message'])}")
    left, right = st.columns([3, 2], gap="large")
    with left:
        ui.facts(said_run(config), "What the run was asked for")
    with right:
        steps = ui.rows(jobs.events(store, job["job_id"]))
        ui.bullets([f"{_step(step['message'])} ({ui.percent(step['progress'], 0)})" for step in steps[-7:]], ":gray[·]")
        again, written = st.columns(2)
        if again.button(
            "Run again",
            icon=":material/replay:",
            key=f"again-{job['job_id']}",
            disabled=jobs.active(store) is not None,
            help="The same choices on the same data give the same models.",
            width="stretch",
        ):
            st.session_state["job_id"] = training.start(store, config, user=ui.user())
            st.rerun()
        written.download_button(
            "Save choices",
            plan.dump(config, "run.toml"),
            file_name=f"{job['job_id']}.toml",
            mime="application/toml",
            icon=":material/download:",
            on_click="ignore",
            help="A file for `train --config` on the command line.",
            width="stretch",
        )


def put_off(config: plan.Config) -> None:
    """Offer to start this run later, in the night say."""
    with st.popover("Later", icon=":material/schedule:", help="Start it at a time to come, if the app runs then, in your name."):
        on = st.date_input("Day (UTC)", schedule.tomorrow(), key="run-day")
        at = st.time_input("Time (UTC)", time(2), key="run-time")
        if st.button("Schedule training", key="run-schedule"):
            with ui.guard():
                schedule.add(ui.store(), config, datetime.combine(on, at), user=ui.user())
                st.rerun()


def waiting() -> None:
    """List the runs that wait for their time, each with a button that cancels it, and what became of the last that did."""
    found = ui.rows(schedule.current(ui.store()))
    for row in (row for row in found if row["state"] == "waiting"):
        what, act = st.columns([5, 1], vertical_alignment="center")
        what.markdown(f"**{row['schedule_id']}** waits for {ui.instant(row['due_at'])}. :gray[By {ui.literal(row['created_by'])}.]")
        if act.button("Cancel", key=f"cancel-{row['schedule_id']}", width="stretch"):
            with ui.guard():
                schedule.cancel(ui.store(), row["schedule_id"], user=ui.user())
                st.rerun()
    ended = [row for row in found if row["state"] != "waiting"][-LAST_ENDED:]
    if ended:
        ui.bullets([f"{row['schedule_id']}, due {ui.instant(row['due_at'])}: {row['message']}" for row in ended], ":gray[·]")


def under_way() -> None:
    """Follow the run under way on its page: what it does now, and what it has done."""
    job = jobs.active(ui.store())
    if job is None:
        st.rerun()
    job_progress(job, key="page-job")
    done = [step["message"] for step in ui.rows(jobs.events(ui.store(), job["job_id"]))[:-1]]
    ui.bullets(map(_step, done[:-6:-1]), ":gray[·]")


def _step(message: str) -> str:
    """What a run does, with the algorithm's name as people write it."""
    return re.sub(r"^fitting (\w+)", lambda found: f"fitting {ui.algorithm(found[1])}", message)


def said_set(row: Mapping[str, Any]) -> str:
    """A label set in a line: 'L0001 · K-Means, 3 clusters · 16 % risky'."""
    clusters = "" if ui.missing(row["k"]) else f", {int(row['k'])} clusters"
    return f"{row['label_set_id']} · {METHODS.get(row['method'], row['method'])}{clusters} · {ui.percent(row['share_risky'], 0)} risky"


def job_progress(job: Mapping[str, Any], key: str) -> None:
    """Show a job under way, with the button that stops it."""
    st.progress(
        min(max(float(job["progress"]), 0.0), 1.0),
        text=f"**Training** {job['job_id']}: {ui.literal(_step(job['message'] or job['state']))}",
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
        st.warning(f"Training {job_id}: {ui.literal((job['message'] or job['state']).removesuffix('.'))}.", icon=":material/stop_circle:")
