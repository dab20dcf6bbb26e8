"""The registry: every model with its standing, its figures, its card, and who promoted it for what reason."""

import streamlit as st

import ui
from creditrisk import charts, gate, registry, training
from ui import lab

store = ui.store()
ui.header("Models", "Every model trained here, for ever. A named person promotes one, with a reason that somebody can read next year.")
WORDS = {True: "agreement with the proxy label", False: "ranking of observed outcomes"}
BY = {True: "by the proxy label", False: "by outcome"}

known = registry.models(store)
if known.empty:
    ui.empty(
        "No model yet",
        "Train candidates on a label set, then compare and promote one.",
        ("training", "Train candidates"),
        icon="deployed_code",
    )
    st.stop()

columns = {
    "model_id": ui.text_column("Model", pinned=True),
    "algorithm": ui.text_column("Algorithm"),
    "status": ui.text_column("Status", "candidate, challenger, champion or retired"),
    "label_set_id": ui.text_column("Labels"),
    "label_source": ui.text_column("Learned from", "Clusters are a proxy, not repayments"),
    "created_at": ui.instant_column("Trained (UTC)"),
    "created_by": ui.text_column("By"),
    "status_by": ui.text_column("Set by", "Who gave it this status"),
    "status_reason": ui.text_column("Reason", width="medium"),
}
ui.table(
    known, columns, key="models", alt="All models, newest first", opens="model_id", param="model", height=ui.fitting(len(known), most=7)
)
st.caption("Pick a row to open a model.")

best = [row for row in ui.rows(training.leaderboard(store)) if row["algorithm"] not in training.BASELINES]
model_id = ui.asked("model") or (ui.champion() or (best or ui.rows(known))[0])["model_id"]
with ui.guard():
    model = registry.get(store, model_id)
    card = registry.card(store, model_id)
    metrics = model["metrics"][model["label_source"]]
    risk = ui.risk_word(model["is_proxy"])
    title, promote, download = st.columns([4, 1.2, 1.2], vertical_alignment="bottom")
    with title:
        ui.section(f"{model_id} · {ui.algorithm(model['algorithm'])}")
    key = f"promotion-{model_id}-{model['status']}"  # another key after the promotion: a closed popover
    hindrance = registry.hindrance(store, model_id)
    closed = model["status"] == "champion" or hindrance is not None
    with promote, st.popover("Promote", icon=":material/military_tech:", width="stretch", disabled=closed, help=hindrance, key=key):
        reason = st.text_area("Why this model?", key=f"reason-{model_id}", help="Kept with your name in the registry.")
        st.markdown(f":gray[Promoted by **{ui.literal(ui.user())}**. The present champion, if any, retires.]")
        if st.button(f"Make {model_id} the champion", type="primary", key="promote", width="stretch"):
            with ui.guard():
                gate.promote(store, model_id, user=ui.user(), reason=reason)
                st.session_state["promoted"] = model_id
                st.rerun()
    with download:
        st.download_button(
            "Download card",
            card["markdown"],
            file_name=f"{model_id}.md",
            mime="text/markdown",
            icon=":material/download:",
            width="stretch",
            on_click="ignore",
        )
    st.markdown(
        f"{ui.badge(model['status'], ui.STATE_COLOURS)} :gray[trained by {ui.literal(model['created_by'])} on "
        f"{ui.instant(model['created_at'])} in {model['seconds']:.1f} s, "
        f"on {model['label_set_id']}]"
    )
    if hindrance and model["status"] != "champion":
        ui.banner(ui.literal(hindrance), alarm=True)
    ui.proxy_banner(model["is_proxy"], card["circularity"])
    measured = f"on {ui.count(metrics['n'])} applicants kept away from training, {ui.count(metrics['n_bad'])} of them bad"
    ui.figures(
        (
            "AUC",
            ui.plain(metrics["auc"]),
            f"{WORDS[model['is_proxy']].capitalize()}: how often a bad applicant ranks above a good one, {measured}. "
            "0.5 is chance. Below, the 95 % interval.",
            ui.interval(metrics["auc"]),
        ),
        ("Gini", ui.plain(metrics["gini"]), "2 AUC − 1.", ui.span(metrics, "gini")),
        ("KS", ui.plain(metrics["ks"]), "Largest distance between the shares of good and bad below one score.", ui.span(metrics, "ks")),
        ("Brier", ui.plain(metrics["brier"]), f"Mean squared error of the {risk}; smaller is better.", ui.interval(metrics["brier"])),
        (
            "Calibration slope",
            ui.plain(metrics["calibration_slope"], 2),
            f"1 means the {risk} is neither too bold nor too timid; 0.8 to 1.2 is usual.",
        ),
    )
    curves = lab.curves(store, model_id, model["digest"])
    if "promoted" in st.session_state:
        st.toast(f"{st.session_state.pop('promoted')} is the champion now.", icon=":material/military_tech:")
    left, right = st.columns(2, gap="large")
    with left:
        ui.figure(
            charts.calibration(curves["calibration"], risk),
            key="calibration",
            help=f"Ten groups of equal size by {risk}: what was promised against what was found, with 95 % intervals. On the dotted "
            "line both agree.",
        )
    with right:
        ui.figure(
            charts.roc(curves["roc"], metrics["auc"]),
            key="roc",
            help="Each point is a cut-off: how many of the bad it catches, and how many of the good it turns away.",
        )
    left, right = st.columns(2, gap="large")  # a second row, so that titles of one line and of two stand level
    with left:
        ui.figure(
            charts.test_scores(curves["scores"], BY[model["is_proxy"]]),
            key="test-scores",
            help="Scores of the applicants kept away from training, by their label.",
        )
    with right:
        ui.figure(
            charts.importance(curves["importance"]),
            key="importance",
            help="Mean size of each feature's contribution over the test applicants, in log-odds. It says what moves this model, not "
            "what causes risk.",
        )
    ui.section("History", help="Who gave this model which standing, and why.")
    for event in ui.rows(registry.events(store, model_id)):
        st.markdown(
            f":gray[{ui.instant(event['happened_at'])}]  {ui.badge(event['status'], ui.STATE_COLOURS)}  by "
            f"**{ui.literal(event['by_user'])}**: {ui.literal(event['reason'])}"
        )
    with st.expander("Model card"):
        st.markdown(card["markdown"])
