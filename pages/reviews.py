"""People judge predictions: the queue, the case with its reasons, the verdict, and how often the model was found wrong."""

import streamlit as st

import ui
from creditrisk import reviews, scoring
from creditrisk.scorecard import shown
from ui import case as cases

store = ui.store()
ui.header(
    "Reviews",
    "A person looks at a prediction and says whether it is right, and about what. Verdicts are kept and counted, never edited; none "
    "trains a model before somebody else has inspected it.",
)
ABOUT = {
    "label": "The label (is this applicant risky?)",
    "band": "The band",
    "decision": "The recommendation",
    "reasons": "The reasons",
    "data": "The data behind it",
}
ICONS = {"correct": ":material/check: Correct", "incorrect": ":material/close: Incorrect", "cannot judge": ":material/help: Cannot judge"}

seen = reviews.summary(store)
MOST = 200
queue = reviews.queue(store, limit=MOST)
past = reviews.history(store)
if seen["n"]:
    st.markdown(
        f"Found incorrect in **{ui.percent(seen['share_incorrect'], 0)}** [{ui.percent(seen['low'], 0)} – "
        f"{ui.percent(seen['high'], 0)}] of **{ui.count(seen['n'])}** judged predictions; "
        f"{ui.count(seen['n_waiting'])} wait for a verdict.",
        help="The share of judged predictions that people called incorrect, with its 95 % interval (Wilson). “Cannot judge” does not "
        "count.",
    )
if queue.empty and past.empty:
    ui.empty(
        "Nothing to judge yet",
        "Score an applicant; the prediction then waits here for a verdict.",
        ("score", "Score somebody"),
        icon="rate_review",
    )
    st.stop()

ui.proxy_banner(ui.proxies(queue))
waiting, case = st.columns([2, 3], gap="large")
with waiting:
    st.markdown(
        "**Waiting for a verdict**", help="The latest prediction of each applicant without a verdict; those nearest the cut-off come first."
    )
    if queue.empty:
        st.success("Every prediction has a verdict.", icon=":material/check_circle:")
    columns = {
        "applicant_id": ui.text_column("Applicant"),
        "score": ui.number_column("Score", format="%d"),
        "recommendation": ui.text_column("Advice"),
    }
    ui.table(
        queue,
        columns,
        key="queue",
        alt="Predictions that wait for a verdict",
        opens="prediction_id",
        param="prediction",
        height=ui.fitting(len(queue), 16),
    )
    if len(queue) == MOST:
        st.caption(f"The {MOST} nearest the cut-off.")

with case, ui.guard():
    prediction_id = ui.asked("prediction") or (None if queue.empty else ui.rows(queue)[0]["prediction_id"])
    if prediction_id is None:
        st.stop()
    prediction = scoring.get(store, prediction_id)
    ui.proxy_banner(prediction.is_proxy and not ui.proxies(queue))
    title, more = st.columns([3, 2], vertical_alignment="bottom")
    with title:
        st.subheader(f"{ui.literal(prediction.applicant_id)} · {shown(prediction.score)} points", anchor=False)
    with more:
        ui.link("score", "Open the whole case", "speed", applicant=prediction.applicant_id, prediction=prediction_id)
    st.markdown(
        f"{ui.badge(prediction.band, ui.BAND_COLOURS)} {ui.badge(prediction.recommendation, cases.ADVICE_COLOURS)} "
        f":gray[{ui.literal(ui.sentence(prediction.because))} Scored by {prediction.model_id}.]"
    )
    st.markdown("**What counts against**", help="The principal reasons; the whole case says what speaks for them.")
    ui.bullets((reason["text"] for reason in prediction.reasons), ":red[:material/arrow_downward:]")
    with st.expander("How the score came about"):
        ui.figure(cases.waterfall(prediction, top=6), key=f"waterfall-{prediction_id}")
    with st.form(f"verdict-{prediction_id}", border=True):
        verdict = st.segmented_control("Verdict", list(ICONS), format_func=ICONS.get, key=f"verdict-of-{prediction_id}")
        about = st.selectbox(
            "About", list(ABOUT), format_func=ABOUT.get, help="What the verdict is about: a wrong label is another matter than wrong data."
        )
        corrected = st.text_input("What would be right (optional)", help="For instance “Good”, “refer”, or the right figure.")
        comment = st.text_area("Comment", help="An incorrect prediction needs one: what is wrong with it?")
        if st.form_submit_button("Record verdict", type="primary", icon=":material/gavel:", width="stretch"):
            with ui.guard():
                reviews.add(store, prediction_id, verdict or "", about, comment, user=ui.user(), corrected=corrected or None)
                st.session_state["judged"] = prediction.applicant_id
                ui.go("reviews")
if "judged" in st.session_state:
    st.toast(f"Verdict on {ui.literal(st.session_state.pop('judged'))} recorded.", icon=":material/check_circle:")

ui.section("Verdicts given")
if past.empty:
    st.markdown(":gray[None yet.]")
else:
    columns = {
        "reviewed_at": ui.instant_column("Given (UTC)"),
        "reviewed_by": ui.text_column("By"),
        "applicant_id": ui.text_column("Applicant"),
        "score": ui.number_column("Score", format="%d"),
        "verdict": ui.text_column("Verdict", width=96),
        "about": ui.text_column("About"),
        "corrected": ui.text_column("Would be right"),
        "comment": ui.text_column("Comment", width="large"),
    }
    ui.table(past, columns, key="past", alt="Verdicts, newest first")
