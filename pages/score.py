"""One applicant: the score, what it means, why, on which transactions it rests, and how it was before."""

import json

import streamlit as st

import ui
from creditrisk import applicants, charts, features, scoring
from creditrisk.scorecard import shown
from ui import account, case, hearing, recategorise

store = ui.store()
ui.header("Score", "One applicant, one score, and the reasons in plain words. The program recommends; a named person decides.")
REFERENCE = {"cut-off": "applicants near the cut-off", "everyone": "all applicants"}
ADVICE = {
    "approve": ":green[:material/check_circle: Approve]",
    "decline": ":red[:material/cancel: Decline]",
    "refer": ":orange[:material/person_raised_hand: Refer to a person]",
    "insufficient data": ":gray[:material/hourglass_empty: Insufficient data]",
}

pick, action = st.columns([4, 1], vertical_alignment="bottom")
with pick:
    applicant_id = case.pick_applicant("Whom to score. The last scored come first; any id may be typed.")
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
            made = scoring.score_applicants(store, [applicant_id], user=ui.user(), channel="page")
            ui.go("score", applicant=applicant_id, prediction=made[0].prediction_id)

with ui.guard():
    prediction_id = ui.asked("prediction") or ui.seen(applicants.person, applicant_id)["prediction_id"]
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
    if hearing.blind(prediction_id):
        ui.empty(
            "You are reading this case blind",
            "Its score is shown once your verdict is given.",
            ("reviews", "Back to the case"),
            icon="visibility_off",
        )
        st.stop()
    risk = ui.risk_word(prediction.is_proxy)
    person = ui.seen(applicants.person, prediction.applicant_id)
    points = shown(prediction.score)

    ui.proxy_banner(prediction.is_proxy)
    gauge, meaning = st.columns([2, 3], gap="large", vertical_alignment="center")
    with gauge:
        ui.figure(
            charts.gauge(
                prediction.score,
                points,
                prediction.band,
                sure=prediction.recommendation != "insufficient data",
                cutoff=case.cutoff(prediction),
            ),
            key="gauge",
            help="300 is the highest risk, 900 the lowest. Bands: Poor below 500, Average below 650, Good below 750, Excellent above. The "
            "line is the cut-off of the lender's policy.",
        )
    with meaning:
        st.subheader(ADVICE[prediction.recommendation], anchor=False)
        st.markdown(ui.literal(ui.sentence(prediction.because)))
        ui.figures(
            (
                risk,
                ui.percent(prediction.pd),
                "Estimated chance that the proxy label calls this applicant risky; not a probability of default."
                if prediction.is_proxy
                else "Probability that the loan goes bad.",
            ),
            ("Band", prediction.band, "Read off the unrounded score."),
            ("Model", prediction.model_id, f"Learned from {prediction.label_source} labels; the exact file is known by its digest."),
        )
        known_on = f" as of {ui.day(prediction.as_of)}" if prediction.as_of else ""
        st.caption(
            f"{ui.literal(case.person_name(person))}{known_on}, scored {ui.instant(prediction.scored_at)} by "
            f"{ui.literal(prediction.scored_by)} ({prediction.channel})."
        )
        champion = ui.champion()
        if prediction_id != person["prediction_id"]:
            st.caption(":material/history: An earlier score; the newest stands under “All scores”.")
        elif champion and champion["model_id"] != prediction.model_id:
            st.caption(f":material/history: {champion['model_id']} is the champion now. Press **Score now** to have its score.")

    why, good = st.columns(2, gap="large")
    with why:
        ui.section("What counts against", help="At most four principal reasons, those that push furthest towards risk; one per subject.")
        ui.bullets((reason["text"] for reason in prediction.reasons), ":red[:material/arrow_downward:]")
    with good:
        ui.section("What speaks for them", help="The same, in the other direction.")
        ui.bullets((support["text"] for support in case.supports(store, prediction_id)), ":green[:material/arrow_upward:]")

    reference = REFERENCE[prediction.baseline]
    st.caption(f"“Reference” is what is usual among {reference}; the bars begin at their average.")
    ui.section("How the score came about", help=f"Each bar is one figure's part, against {reference}. They add up exactly.")
    ui.figure(
        case.waterfall(prediction), key=f"waterfall-{prediction_id}", param="feature", help="Click a bar to see what stands behind it."
    )

    title = "The transactions behind a figure" if person["n_statements"] else "What a figure means"
    ui.section(title, help="Choose a figure, or click its bar above.")
    declared = scoring.declared(store, prediction)
    scored = {feature.name: feature for feature in declared.predictors}
    options = list(dict.fromkeys([*(reason["feature"] for reason in prediction.reasons), *scored]))
    say = {name: feature.title for name, feature in scored.items()}
    name = ui.pick("Figure", options, "feature", say=lambda key: say.get(key, key), first=True, help="Every figure that entered the score.")
    feature = declared[name]
    value, meaning = st.columns([2, 3], gap="medium", vertical_alignment="center")
    with value:
        st.metric(feature.title, feature.say(prediction.inputs[name]), border=True)
    with meaning:
        st.markdown(f":gray[{ui.literal(feature.meaning)}]")
    evidence = ui.seen(features.evidence, prediction.applicant_id, prediction.as_of, feature) if person["n_statements"] else None
    if evidence is not None and evidence.empty:
        st.markdown(":gray[No transaction stands behind this figure in its window.]")
    elif evidence is not None:
        recategorise.table(
            evidence, account.MOVES, key=f"evidence-{name}", alt=f"Transactions behind {feature.title}", height=ui.fitting(len(evidence), 9)
        )

    ui.section("All scores", help="Every score this applicant was given; pick a row to see its reasons.")
    history = scoring.history(store, prediction.applicant_id)
    if len(history) > 1:
        ui.figure(charts.score_history(history), key="history", help="In time, on the bands; hover for the model.")
    columns = {
        "scored_at": ui.instant_column("Scored (UTC)"),
        "score": ui.score_column(),
        "band": ui.text_column("Band"),
        "pd": ui.share_column("Risk", "PD, or risk (proxy) where the model learned from clusters"),
        "recommendation": ui.text_column("Recommendation"),
        "model_id": ui.text_column("Model"),
        "channel": ui.text_column("From"),
        "scored_by": ui.text_column("By"),
    }
    height = ui.fitting(len(history), most=6)
    ui.table(history, columns, key="all-scores", alt="All scores", opens="prediction_id", param="prediction", height=height)
    ui.section("What happened to this case", help="From the score to what was learned from it: claims, verdicts, inspections, models.")
    hearing.story(prediction_id)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Download the record",
            json.dumps(prediction.to_json(), indent=2, default=str),
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
