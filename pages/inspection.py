"""A second person looks at verdicts before they teach: contradictions first, evidence beside them, and what reviewers are worth."""

import streamlit as st

import ui
from creditrisk import charts, inspections, scoring
from ui import hearing, inspecting

store = ui.store()
ui.header(
    "Inspection",
    "Verdicts teach a model only after somebody else has accepted them. Nobody inspects their own; where two contradict, a third "
    "person decides.",
)
waiting = inspections.waiting(store, ui.user())
reviewers = ui.seen(inspections.reviewers)
if reviewers.empty:
    ui.empty(
        "Nothing to inspect yet",
        "Once somebody has judged a prediction, the verdict waits here for a second person.",
        ("reviews", "Judge a prediction"),
        icon="fact_check",
    )
    st.stop()

inspecting.standing(waiting)
agreed, worth = st.columns(2, gap="large")
with agreed:
    found = ui.seen(inspections.agreement)
    ui.figure(
        charts.readings(found),
        key="agreement",
        help="Cases read by two people. The share has its 95 % interval (Wilson); kappa, PABAK and alpha take chance out of it.",
    )
with worth:
    ui.figure(charts.reviewers(reviewers), key="reviewers", help="A reviewer who is very fast or always agrees may not have looked.")
    inspecting.flags(reviewers)

ui.section("Waiting for an inspection", help="Contradictions come first. Tick several to decide on them at once.")
inspecting.decide(waiting)

asked = ui.asked("prediction")
if asked:
    with ui.guard():
        ui.section("The case", help="Evidence, every verdict on it side by side, and what happened to it.")
        prediction = scoring.get(store, asked)
        inspecting.case(prediction)
        st.markdown("**What happened to this case**")
        hearing.story(prediction)

ui.section("What may teach", help="Accepted verdicts on labels, frozen as a label set that never changes; verified labels weigh 1 each.")
inspecting.freeze()
