"""People judge predictions: the next case in hand, what it rests on, the verdict, and what was said before."""

import streamlit as st

import ui
from creditrisk import scoring
from ui import hearing

store = ui.store()
ui.header(
    "Reviews",
    "A person says whether a prediction is right, and about what. No verdict is ever edited; none teaches before it is inspected.",
)
MOST = 200
queue = hearing.waiting(MOST)
past = hearing.told()
if queue.empty and past.empty:
    ui.empty(
        "Nothing to judge yet",
        "Score an applicant; the prediction then waits here for a verdict.",
        ("score", "Score somebody"),
        icon="rate_review",
    )
    st.stop()

ui.proxy_banner(ui.proxies(queue))
hearing.day_so_far()
held = hearing.in_hands()
mine = held[0] if held else None
asked = ui.asked("prediction") or (mine.prediction_id if mine else None)

with st.container(horizontal=True, vertical_alignment="center"):
    st.button(
        "Next case",
        type="secondary" if mine else "primary",
        icon=":material/arrow_forward:",
        key="next",
        shortcut="N",
        help="Takes a case in hand: some near the cut-off, some where model and label disagree, some large, the rest at random.",
        on_click=hearing.take,
    )
    if mine and asked != mine.prediction_id:
        ui.link("reviews", "Back to the case in your hands", "front_hand", prediction=mine.prediction_id)
    ui.link("inspection", "Inspect verdicts", "fact_check")
if st.session_state.pop("none-left", False):
    st.success(
        "No case waits for you: every prediction is judged, in somebody's hands, or was passed on by you.", icon=":material/check_circle:"
    )

if asked:
    with ui.guard():
        prediction = scoring.get(store, asked)
        ours = next((claim for claim in held if claim.prediction_id == asked), None)
        is_blind = hearing.blind(prediction)
        ui.proxy_banner(prediction.is_proxy and not ui.proxies(queue))
        with st.container(border=True):
            if ours:
                hearing.in_hand(ours)
            case, say = st.columns([3, 2], gap="large")
            with case:
                hearing.evidence(prediction, blind=is_blind)
            with say:
                if ours:
                    hearing.verdict(prediction)
                elif not is_blind:
                    hearing.offer(asked)
                    hearing.others(asked)
            hearing.conducted(prediction, blind=is_blind)
        if not ours:
            hearing.story(prediction)
if "judged" in st.session_state:
    st.toast(f"Verdict on {ui.literal(st.session_state.pop('judged'))} recorded.", icon=":material/check_circle:")

ui.section("Waiting for a verdict", help="The latest prediction of each applicant without a verdict; those nearest the cut-off come first.")
if queue.empty:
    st.success("Every prediction has a verdict.", icon=":material/check_circle:")
else:
    columns = {
        "applicant_id": ui.text_column("Applicant"),
        "name": ui.text_column("Name"),
        "model_id": ui.text_column("Model"),
        "scored_at": ui.instant_column("Scored (UTC)"),
        "held_by": ui.text_column("In the hands of"),
        "held_until": ui.instant_column("Until (UTC)"),
    }
    alt = "Predictions that wait for a verdict"
    # what a table leaves out, its reader can still bring back: a case to be read blind brings no score along
    ui.table(
        queue[["prediction_id", *columns]],
        columns,
        key="queue",
        alt=alt,
        opens="prediction_id",
        param="prediction",
        height=ui.fitting(len(queue), 8),
    )
    st.caption(f"Pick a row to see the case.{f' The {MOST} nearest the cut-off.' if len(queue) == MOST else ''}")

ui.section("Verdicts given", help="Of a case in your hands you see your own only.")
if past.empty:
    st.markdown(":gray[None yet.]")
else:
    columns = {
        "reviewed_at": ui.instant_column("Given (UTC)"),
        "reviewed_by": ui.text_column("By"),
        "applicant_id": ui.text_column("Applicant"),
        "verdict": ui.text_column("Verdict", width=96),
        "about": ui.text_column("About"),
        "corrected": ui.text_column("Would be right"),
        "comment": ui.text_column("Comment", width="large"),
    }
    ui.table(
        past[["prediction_id", *columns]], columns, key="past", alt="Verdicts, newest first", opens="prediction_id", param="prediction"
    )
    if len(past) == hearing.MOST_TOLD:
        st.caption(f"The newest {hearing.MOST_TOLD} of them.")
