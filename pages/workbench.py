"""The frame around every page: its name, who acts, where to go, which model scores, and the Retrain button."""

import streamlit as st

import ui
from creditrisk import jobs, training
from ui import frame, lab, learning, turns

PAGES = {
    "Workspace": {
        "overview": ("Overview", "space_dashboard"),
        "statements": ("Statements", "receipt_long"),
        "applicants": ("Applicants", "group"),
        "data": ("Data", "table_chart"),
    },
    "Model": {"labels": ("Labels", "label"), "training": ("Training", "model_training"), "models": ("Models", "deployed_code")},
    "Decide": {
        "score": ("Score", "speed"),
        "batch": ("Batch", "stacks"),
        "reviews": ("Reviews", "rate_review"),
        "inspection": ("Inspection", "fact_check"),
    },
}

st.set_page_config(page_title=ui.PRODUCT, page_icon="⚖️", layout="wide", initial_sidebar_state=232)
st.logo(str(ui.HERE / "pages" / "mark.svg"), size="large")


@st.dialog("Retrain", icon=":material/model_training:")
def retrain() -> None:
    """Ask what to train on and start it in the background."""
    st.markdown(":gray[Candidates are trained in the background. The champion keeps scoring until a named person promotes another.]")
    config = lab.training_choices("retrain")
    if config is None:
        return
    if st.button("Start training", type="primary", icon=":material/play_arrow:", key="retrain-start", width="stretch"):
        with ui.guard():
            st.session_state["job_id"] = training.start(ui.store(), config, user=ui.user())
            st.rerun()


def progress() -> None:
    """Follow the job under way; when it ends, say so once on every part of the page."""
    job = jobs.active(ui.store())
    if job is None:
        st.rerun()
    lab.job_progress(job, key="sidebar-job")


def home() -> None:
    """Answer at /overview too: the default page answers at / only, and keeps its own path from others."""
    ui.go("overview")


def page(name: str, title: str, icon: str) -> st.Page:
    """Declare a page of this folder under its own name."""
    file, first = ui.HERE / "pages" / f"{name}.py", name == "overview"
    return st.Page(file, title=title, icon=f":material/{icon}:", url_path="start" if first else name, default=first)


with st.sidebar:
    head, who = st.container(), st.container()
store = frame.enter(who)
if "pages" not in st.session_state:  # a file lies where it lay: to look for all of them anew is a tenth of what the frame costs
    st.session_state["pages"] = {
        "": [st.Page(home, title="Overview", url_path="overview", visibility="hidden")],
        **{group: [page(name, *words) for name, words in pages.items()] for group, pages in PAGES.items()},
    }
admin = {"Admin": [page("access", "Access", "key")]} if frame.keeps_keys() else {}
navigation = st.navigation({**st.session_state["pages"], **admin})
st.set_page_config(page_title=f"{navigation.title} · {ui.PRODUCT}")  # tabs and the way back are told apart

with head:
    model = ui.champion()
    with st.container(border=True, gap="xsmall", key="champion"):
        if model is None:
            st.markdown(
                ":gray[:small[CHAMPION]]  \n**None yet**",
                help="A champion is the model that scores. A named person promotes it.",
            )
        else:
            learned = ":orange-badge[from a proxy label]" if model["is_proxy"] else ":green-badge[from outcomes]"
            st.markdown(
                f":gray[:small[CHAMPION]] &nbsp;**{model['model_id']}**  \n{ui.algorithm(model['algorithm'])}  \n{learned}",
                help="The model that scores now, and what it learned from. A named person promoted it.",
            )
    job = ui.seen(jobs.active, but=ui.ON_CASES)
    if job is not None:
        st.session_state["job_id"] = job["job_id"]
        st.fragment(progress, run_every=1.0)()
    else:
        if st.button(
            "Retrain",
            type="primary",
            icon=":material/model_training:",
            width="stretch",
            key="retrain",
            help="Train new candidates in the background; the page stays usable.",
        ):
            retrain()
        lab.job_ended(st.session_state.get("job_id"))
        learning.hint()

with turns.turn():
    navigation.run()
