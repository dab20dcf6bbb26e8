"""The registry: every model with its standing, its figures, its reasons, its card, and who promoted it for what reason."""

from functools import partial

import streamlit as st

import ui
from creditrisk import card as cards
from creditrisk import charts, plan, registry, standing
from ui import learning
from ui import model as one

store = ui.store()
ui.header("Models", "Every model trained here, for ever. A named person promotes one, with a reason that somebody can read next year.")
WORDS = {True: "agreement with the proxy label", False: "ranking of observed outcomes"}

known = ui.seen(registry.models)
if known.empty:
    ui.empty(
        "No model yet",
        "Train candidates on a label set, then compare and promote one.",
        ("training", "Train candidates"),
        icon="deployed_code",
    )
    st.stop()
if "promoted" in st.session_state:
    st.toast(f"{st.session_state.pop('promoted')} is the champion now.", icon=":material/military_tech:")

story, step = st.columns([5, 1.2], vertical_alignment="top")
with story:
    ui.figure(
        charts.standings(registry.spans(store)),
        key="standings",
        param="model",
        help="Who stood where when; hover for the person and the reason, click to open the model.",
    )
with step:
    one.rollback()
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
    known,
    columns,
    key="models",
    alt="All models, newest first",
    opens="model_id",
    param="model",
    height=ui.fitting(len(known), most=7),
    row=None,
    feature=None,
    against=None,
)
st.caption("Pick a row to open a model.")

best = [row for row in ui.rows(ui.seen(standing.leaderboard)) if row["algorithm"] not in plan.BASELINES]
model_id = ui.asked("model") or (ui.champion() or (best or ui.rows(known))[0])["model_id"]
with ui.guard():
    model = ui.seen(registry.get, model_id)
    card = registry.card(store, model_id)
    metrics = model["metrics"][model["label_source"]]
    risk = ui.risk_word(model["is_proxy"])
    hindrance = ui.seen(registry.hindrance, model_id)
    title, *places = st.columns([3.6, 1, 1, 1], vertical_alignment="bottom")
    with title:
        ui.section(f"{model_id} · {ui.algorithm(model['algorithm'])}")
    kinds = {
        "pdf": ("application/pdf", partial(cards.pdf, card["markdown"])),
        "md": ("text/markdown", card["markdown"]),
        "json": ("application/json", card["json"]),
    }
    for place, (kind, (mime, content)) in zip(places, kinds.items(), strict=True):
        place.download_button(
            f"Card .{kind}",
            content,
            file_name=f"{model_id}.{kind}",
            mime=mime,
            icon=":material/download:",
            width="stretch",
            on_click="ignore",
            key=f"card-{kind}",
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
    view = ui.view(one.VIEWS)
    if view == "figures":
        one.figures(model)
    elif view == "cutoff":
        one.cutoff(model)
    elif view == "explained":
        one.explained(model)
    elif view == "promotion":
        one.promotion(model, hindrance)
    elif view == "beside":
        learning.beside(model, hindrance)
    elif view == "compare":
        one.compare(model, known)
    else:
        one.card(model, card)
