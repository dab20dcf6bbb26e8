"""Files of applicants scored together, as the page shows them: a new one, the one under way, what came of it."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

import ui
from creditrisk import charts, scoring
from creditrisk.batch import keep, results
from creditrisk.store import Store
from ui import case

STATES = {"running": "blue", "done": "green", "failed": "red", "stopped": "orange", "interrupted": "orange"}
KINDS: dict[results.Kind, tuple[str, str]] = {
    "csv": ("CSV", "text/csv"),
    "xlsx": ("Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "parquet": ("Parquet", "application/vnd.apache.parquet"),
}
BASELINES = {"cut-off": "applicants near the cut-off", "everyone": "everybody"}


def new(store: Store) -> None:
    """Ask for a file, show how its first rows read, and score it in the background."""
    file = st.file_uploader(
        "File of applicants",
        type=["csv", "txt", "parquet", "xlsx", "xls"],
        max_upload_size=store.settings.intake.max_batch_mb,
        key=f"batch-file-{st.session_state.get('batch-number', 0)}",
        help="A row per applicant, a column per figure that models read; a cell is empty where nothing is known. Up to a million rows.",
    )
    if file is None:
        return
    with ui.guard():
        seen = looked(store, file)
        about = f"{ui.count(seen.n_looked_at)} rows" if seen.is_whole else f"The first {ui.count(seen.n_looked_at)} rows"
        bad = len({problem.row for problem in seen.problems})
        say = "can all be scored" if not bad else f"{ui.plural(bad, 'row')} of them will be set aside, and the others scored"
        st.markdown(f"**{ui.literal(file.name)}**: {about}, {seen.n_columns} columns; {say}.")
        if bad:
            ui.problems(
                [{"line": each.row, "column": each.column, "value": each.value, "message": each.message} for each in seen.problems],
                most=5,
                where="Row",
            )
        for sentence in seen.unsaid:
            st.warning(ui.literal(sentence), icon=":material/warning:")
        with st.expander("The first rows as they were read"):
            ui.table(
                seen.head, {name: ui.text_column(str(name)) for name in seen.head.columns}, key="batch-look", alt="First rows", height=260
            )
        pick, go = st.columns([3, 1], vertical_alignment="bottom")
        baseline = pick.segmented_control(
            "Reasons are held against",
            list(BASELINES),
            default="cut-off",
            required=True,
            format_func=BASELINES.get,
            key="batch-baseline",
            help="Contributions and reasons say how an applicant differs from this group.",
        )
        if go.button("Score this file", type="primary", icon=":material/play_arrow:", key="batch-start", width="stretch"):
            file.seek(0)
            made = keep.start(store, file.name, file, user=ui.user(), channel="page", baseline=baseline)
            st.session_state["batch-number"] = st.session_state.get("batch-number", 0) + 1
            st.session_state.pop("batch-looked", None)
            ui.ask(batch=made, row=None)
            st.rerun()


def looked(store: Store, file: Any) -> keep.Look:
    """How a file's first rows read, looked at once."""
    known = st.session_state.get("batch-looked")
    if known is None or known[0] != file.file_id:
        file.seek(0)
        known = st.session_state["batch-looked"] = (file.file_id, keep.look(store, file.name, file))
    found: keep.Look = known[1]
    return found


def under_way() -> None:
    """Follow the batch that runs; when it ends, show what came of it."""
    store = ui.store()
    name = keep.active(store)
    if name is None:
        st.rerun()
    batch = keep.get(store, name)
    said = f"**{name}** {ui.literal(batch['file'])}: {ui.count(batch['n_scored'])} scored, {ui.count(batch['n_refused'])} set aside"
    bar, action = st.columns([4, 1], vertical_alignment="center")
    bar.progress(min(max(float(batch["share"]), 0.0), 1.0), text=said)
    if action.button(
        "Stop", icon=":material/stop_circle:", key="batch-stop", width="stretch", help="What is scored stays; the rest can go on."
    ):
        with ui.guard():
            keep.stop(store, name, user=ui.user())
        st.rerun()


def shown(store: Store, batch_id: str) -> None:
    """Show one batch: how it stands, how its scores lie, what moved, who was set aside, and the files to take."""
    batch = keep.get(store, batch_id)
    ui.section(f"{batch_id} · {ui.literal(batch['file'])}")
    st.markdown(
        f"{ui.badge(batch['state'], STATES)} {ui.literal(ui.sentence(batch['message']))}. Given by {ui.literal(batch['created_by'])} "
        f"({batch['channel']}), {ui.instant(batch['created_at'])}, scored by {batch['model_id']}."
    )
    if batch["state"] not in ("running", "done") and st.button(
        "Go on", icon=":material/resume:", key="batch-go-on", help="Scores the rows that are left; those that are scored stay as they are."
    ):
        with ui.guard():
            keep.go_on(store, batch_id, user=ui.user())
            st.rerun()
    if not batch["n_done"]:
        return
    ui.proxy_banner(batch["is_proxy"])
    _figures(batch)
    if batch["state"] == "running":
        return
    lie, move = st.columns(2, gap="large")
    with lie:
        ui.figure(charts.batch_scores(_seen(results.distribution, batch)), key="batch-scores", help="The line is the model's own test set.")
    with move:
        ui.figure(
            charts.moved(_seen(results.drift, batch)),
            key="batch-moved",
            help="How differently a figure is spread here and in the table the model learned from. Where it moved, the model foresees "
            "what it never saw; read its scores with care.",
        )
    _to_take(store, batch)
    if batch["n_refused"]:
        _set_aside(store, batch)
    _rows(store, batch)


def _figures(batch: Mapping[str, Any]) -> None:
    said = _seen(results.summary, batch)
    advice = said["recommendation"]
    short = advice.get("insufficient data", 0)
    thin = [("Insufficient", ui.percent(short / max(said["n"], 1)), "Share whose history is too short for a recommendation.")]
    ui.figures(
        ("Scored", ui.count(said["n"]), "Rows of the file that have a score.", f"{ui.count(batch['n_refused'])} set aside"),
        (ui.sentence(ui.risk_word(batch["is_proxy"])), ui.percent(said["mean_pd"]), "The mean over the batch.", "on average"),
        ("Approve", ui.percent(advice.get("approve", 0) / max(said["n"], 1)), "Share the policy recommends to approve."),
        ("Refer", ui.percent(advice.get("refer", 0) / max(said["n"], 1)), "Share a person has to look at."),
        ("Decline", ui.percent(advice.get("decline", 0) / max(said["n"], 1)), "Share the policy recommends to decline."),
        *(thin if short else []),
    )


def _to_take(store: Store, batch: Mapping[str, Any]) -> None:
    ui.section("Take the results", help="They are made of what is kept, the same whenever they are taken.")
    with st.container(horizontal=True):
        for kind, (label, mime) in KINDS.items():
            st.download_button(
                label,
                _content(store, batch["batch_id"], kind),
                file_name=f"{batch['batch_id']}.{kind}",
                mime=mime,
                icon=":material/download:",
                on_click="ignore",
                key=f"batch-{kind}",
            )


def _content(store: Store, batch_id: str, kind: results.Kind) -> Callable[[], bytes]:
    reader = ui.user()

    def made() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            results.write(store, batch_id, Path(folder) / "results", kind, reader=reader)
            return (Path(folder) / "results").read_bytes()

    return made


def _set_aside(store: Store, batch: Mapping[str, Any]) -> None:
    ui.section("Rows set aside", help="Put them right and send them as a file of their own.")
    aside = _seen(results.refused, batch, 200)
    columns = {
        "row": ui.number_column("Row", width=70),
        "what is wrong": ui.text_column("What is wrong", width="large"),
        **{name: ui.text_column(str(name).removeprefix("given: ")) for name in aside.columns if str(name).startswith("given: ")},
    }
    ui.table(aside, columns, key="batch-aside", alt="Rows set aside", height=ui.fitting(len(aside), 8))
    st.download_button(
        "The rows set aside",
        lambda: results.refused_csv(store, batch["batch_id"]),
        file_name=f"{batch['batch_id']}-set-aside.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="batch-refused",
    )


def _rows(store: Store, batch: Mapping[str, Any]) -> None:
    ui.section("Rows", help="Pick one to see its reasons.")
    made = _seen(results.first, batch)
    columns = {
        "row": ui.number_column("Row", width=70),
        "applicant_id": ui.text_column("Applicant"),
        "score": ui.score_column(),
        "band": ui.text_column("Band"),
        "pd": ui.share_column("Risk", "PD, or risk (proxy) where the model learned from clusters"),
        "recommendation": ui.text_column("Recommendation"),
    }
    ui.table(made, columns, key="batch-rows", alt="Scores of the first rows", opens="row", height=ui.fitting(len(made), 8))
    if batch["n_scored"] > len(made):
        st.caption(f"The first {ui.count(len(made))} of {ui.count(batch['n_scored'])}; the files above hold them all.")
    if row := ui.asked("row"):
        _one(scoring.get(store, f"{batch['batch_id']}-{row}", reader=ui.user()))


def _one(prediction: scoring.Prediction) -> None:
    """Show one row: what the policy says of it, why, and how its score came about."""
    why, how = st.columns([2, 3], gap="large")
    with why:
        st.markdown(f"**{ui.literal(prediction.applicant_id)}**  \n{ui.literal(ui.sentence(prediction.because))}")
        st.markdown(":gray[What counts against]")
        ui.bullets((reason["text"] for reason in prediction.reasons), ":red[:material/arrow_downward:]")
        st.markdown(":gray[What speaks for them]")
        ui.bullets(
            (each["text"] for each in case.supports(_prediction=prediction, prediction_id=prediction.prediction_id)),
            ":green[:material/arrow_upward:]",
        )
    with how:
        ui.figure(case.waterfall(prediction), key=f"batch-waterfall-{prediction.prediction_id}")


def _seen(ask: Callable[..., Any], batch: Mapping[str, Any], *more: Any) -> Any:
    """Ask once of a batch as far as it is done: what is done of it never changes."""
    held = ui.store()
    key = f"{ask.__qualname__} {id(held.whole)} {batch['batch_id']} {batch['n_done']} {batch['state']}"
    return _answer(lambda: ask(held, batch["batch_id"], *more), key, held.reader)


@st.cache_data(show_spinner=False, max_entries=120)
def _answer(_ask: Callable[[], Any], key: str, reader: str) -> Any:  # noqa: ARG001  (they are the key)
    return _ask()
