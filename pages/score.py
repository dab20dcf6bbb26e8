"""One applicant: the score, what it means, why, what if, what similar ones did, how it was before, and what a person decides."""

import json

import streamlit as st

import ui
from creditrisk import affordability, applicants, charts, scoring
from creditrisk.scorecard import shown
from ui import beside, case, deciding, filling, hearing, wonder

store = ui.store()
ui.header("Score", "One applicant, one score, and the reasons in plain words. The program recommends; a named person decides.")
REFERENCE = {"cut-off": "applicants near the cut-off", "everyone": "all applicants"}
ADVICE = {
    "approve": ":green[:material/check_circle: Approve]",
    "decline": ":red[:material/cancel: Decline]",
    "refer": ":orange[:material/person_raised_hand: Refer to a person]",
    "insufficient data": ":gray[:material/hourglass_empty: Insufficient data]",
}
VIEWS = {"why": "Reasons", "month": "Affordability", "whatif": "What if", "similar": "Similar applicants", "history": "History"}

pick, action = st.columns([4, 1], vertical_alignment="bottom")
with pick:
    applicant_id = case.pick_applicant("Whom to score. The last scored come first; any id may be typed.")
if ui.of_table() and ui.champion() and ui.asked("prediction") is None:
    filling.somebody()
if applicant_id is None and ui.asked("prediction") is None:
    known = len(ui.seen(applicants.people, "", 1)) > 0
    ui.empty(
        "Choose an applicant",
        "Their latest score is shown with its reasons."
        if known
        else "Nobody is there yet: upload a bank statement, or import a table of applicants.",
        *([("applicants", "Look through the applicants")] if known else [("statements", "Upload statements"), ("data", "Import a table")]),
        icon="speed",
    )
    st.stop()
with action:
    if st.button(
        "Score now",
        type="primary",
        icon=":material/speed:",
        width="stretch",
        key="score",
        disabled=applicant_id is None,
        help="Scores with the champion and the newest features, and keeps the prediction.",
    ):
        with ui.guard(), st.spinner("Scoring …", show_time=True):
            made = scoring.score_applicants(store, [applicant_id], user=ui.user(), channel="page", using=case.champion())
            ui.ask(applicant=applicant_id, prediction=made[0].prediction_id)

with ui.guard():
    prediction_id = ui.asked("prediction") or case.person(applicant_id)["prediction_id"]
    if prediction_id is None:
        if ui.champion() is None:
            ui.empty(
                "No model scores yet",
                "Train candidates and promote one; then every applicant can be scored.",
                ("training", "Train candidates"),
                ("models", "Promote a model"),
                icon="deployed_code",
            )
        else:
            ui.empty(
                "Not scored yet",
                "Press **Score now**: the champion scores this row of the table."
                if ui.of_table()
                else "Press **Score now**: features are computed from the statements, and the champion scores them.",
                ("applicants", "See the applicant"),
                icon="speed",
            )
        st.stop()
    prediction = scoring.get(store, prediction_id)
    if hearing.blind(prediction):
        ui.empty(
            "You are reading this case blind",
            "Its score is shown once your verdict is given.",
            ("reviews", "Back to the case"),
            icon="visibility_off",
        )
        st.stop()
    person = case.person(prediction.applicant_id)
    is_newest = prediction_id == person["prediction_id"]

    ui.proxy_banner(prediction.is_proxy)
    gauge, meaning = st.columns([2, 3], gap="large", vertical_alignment="center")
    with gauge:
        ui.figure(
            charts.gauge(
                prediction.score,
                shown(prediction.score),
                prediction.band,
                sure=case.is_sure(prediction),
                cutoff=case.cutoff(prediction),
            ),
            key="gauge",
            help="300 is the highest risk, 900 the lowest. Bands: Poor below 500, Average below 650, Good below 750, Excellent above. The "
            "line is the cut-off of the lender's policy.",
        )
    with meaning:
        st.subheader(ADVICE[prediction.recommendation], anchor=False)
        st.markdown(ui.literal(ui.sentence(prediction.because)))
        interval, how = case.interval(prediction)
        ui.figures(
            (
                ui.sentence(ui.risk_word(prediction.is_proxy)),
                case.chance(prediction),
                "Estimated chance that the proxy label calls this applicant risky; not a probability of default. " + how
                if prediction.is_proxy
                else "Probability that the loan goes bad. " + how,
                interval,
            ),
            ("Band", prediction.band, "Read off the unrounded score.", f"{shown(prediction.score)} points"),
            (
                "Model",
                prediction.model_id,
                "The exact file is known by its digest.",
                case.LEARNED.get(prediction.label_source, prediction.label_source),
            ),
        )
        known_on = f" as of {ui.day(prediction.as_of)}" if prediction.as_of else ""
        st.caption(
            f"{ui.literal(case.person_name(person))}{known_on}, scored {ui.instant(prediction.scored_at)} by "
            f"{ui.literal(prediction.scored_by)} ({prediction.channel})."
        )
        champion = ui.champion()
        if is_newest and champion and champion["model_id"] != prediction.model_id:
            st.caption(f":material/history: {champion['model_id']} is the champion now. Press **Score now** to have its score.")
    deciding.bar(prediction, is_newest=is_newest)

    view = ui.view(VIEWS)
    if view == "why":
        why, good = st.columns(2, gap="large")
        with why:
            ui.section("What counts against", help="At most four principal reasons, furthest towards risk first; one per subject.")
            ui.bullets((reason["text"] for reason in prediction.reasons), ":red[:material/arrow_downward:]")
        with good:
            ui.section("What speaks for them", help="The same, in the other direction.")
            ui.bullets(
                (support["text"] for support in case.supports(_prediction=prediction, prediction_id=prediction_id)),
                ":green[:material/arrow_upward:]",
            )
        reference = REFERENCE[prediction.baseline]
        st.caption(f"“Reference” is what is usual among {reference}; the bars begin at their average.")
        ui.section("How the score came about", help=f"Each bar is one figure's part, against {reference}. They add up exactly.")
        ui.figure(
            case.waterfall(prediction), key=f"waterfall-{prediction_id}", param="feature", help="Click a bar to see what stands behind it."
        )
        title = "The transactions behind a figure" if person["n_statements"] else "What a figure means"
        ui.section(title, help="Choose a figure, or click its bar above.")
        case.behind(prediction, case.figures_of(prediction), has_statements=bool(person["n_statements"]))
    elif view == "month":
        beside.month(prediction, person)
        if person["n_statements"]:
            ui.section("The transactions behind a figure", help="Choose a figure, or click its bar above.")
            case.behind(prediction, case.figures_of(prediction, affordability.NEEDED), has_statements=True)
    elif view == "whatif":
        wonder.view(prediction)
    elif view == "similar":
        beside.similar(prediction)
    else:
        history = ui.seen(scoring.history, prediction.applicant_id)
        ui.section("What changed", help="Since the score before: the model, the figures, the scale.")
        beside.since(prediction, case.before(history, prediction_id))
        ui.section("All scores", help="Every score this applicant was given; pick a row to see its reasons.")
        if len(history) > 1:
            ui.figure(charts.score_history(history), key="history", help="In time, on the bands; hover for the model.")
        case.scores(history)
        beside.versions(prediction)

    ui.section("The case", help="Decisions with their reasons, and what happened from the score to what was learned from it.")
    deciding.taken(prediction_id)
    hearing.story(prediction)
    with st.container(horizontal=True, vertical_alignment="center"):
        deciding.papers(prediction)
        st.download_button(
            "Prediction (JSON)",
            json.dumps(case.said(prediction), indent=2, default=str),
            file_name=f"{prediction.applicant_id}-{prediction_id[:8]}.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
        )
        ui.link("reviews", "Judge this prediction", "rate_review", prediction=prediction_id)
        ui.link(
            "applicants",
            "See the applicant’s money" if person["n_statements"] else "See the applicant",
            "group",
            applicant=prediction.applicant_id,
        )
    policy = st.expander("The lender’s policy", icon=":material/policy:", key="policy-open", on_change="rerun")
    if policy.open:
        with policy:
            deciding.policy()
