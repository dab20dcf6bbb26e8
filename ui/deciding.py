"""A decision being taken: what stands, what a person may do, the dialogs in which they do it, the record and the notice to take away."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st

import ui
from creditrisk import decisions, notice, record
from creditrisk.decisions import Decision, Said
from creditrisk.scoring import Prediction

OUTCOMES = {"approve": "approved", "decline": "declined", "refer": "referred", "ask": "waits for information"}
COLOURS = {"approved": "green", "declined": "red", "referred": "orange", "waits for information": "blue"}
GROUNDS = {"model": "on the model’s reasons", "policy": "by a rule of the policy", "person": "on their own reasons"}
DOES = {"approve": "Approve", "decline": "Decline"}
NO_DECISIONS = ui.ON_CASES - {"decide"}
RULES = {"history": "History", "data": "Data", "knock-out": "Knock-out", "refer band": "Near the cut-off", "cut-off": "Cut-off"}


def bar(prediction: Prediction, *, is_newest: bool) -> None:
    """Show the decision that stands on a score and offer to take one; an earlier score is past deciding."""
    made = _current(prediction.prediction_id)
    _told()
    with st.container(border=True, key="decision"):
        said, acts = st.columns([2, 3], vertical_alignment="center", gap="medium")
        with said:
            _standing(made)
        with acts:
            if is_newest:
                _actions(prediction, made)
            else:
                st.markdown(":gray[:material/history: An earlier score: a decision is taken on the newest one.]")


def _current(prediction_id: str) -> Decision | None:
    return next(iter(_made(prediction_id)), None)


def _made(prediction_id: str) -> list[Decision]:
    found: list[Decision] = ui.seen(decisions.taken, prediction_id, but=NO_DECISIONS)
    return found


def _told() -> None:
    if "decided" in st.session_state:
        st.toast(st.session_state.pop("decided"), icon=":material/gavel:")


def _standing(made: Decision | None) -> None:
    if made is None:
        help = "The program recommends; a named person decides."
        st.markdown("**Decision**  \n:gray[Nobody has decided yet.]", help=help)
        return
    word = ui.badge(OUTCOMES[made.outcome], COLOURS)
    who = f"**{ui.literal(made.decided_by)}** {ui.literal(made.in_words().rstrip('.'))}."
    st.markdown(f"**Decision** {word}  \n{who} :gray[{ui.instant(made.decided_at)}]")


def _actions(prediction: Prediction, made: Decision | None) -> None:
    final = prediction.recommendation in decisions.FINAL
    title = "Override" if final else "Decide yourself"
    help = "Decide otherwise, with a comment and reasons of your own." if final else "Nothing is recommended: decide with your reasons."
    offered = [(f"Accept: {prediction.recommendation}", "accept", "check", "Decide as recommended.")] if final else []
    offered += [
        (title, "override", "edit", help),
        ("Refer", "refer", "group_add", "Hand the case to somebody who may decide it."),
        ("Ask", "ask", "contact_support", "Ask the applicant for documents or answers."),
    ]
    with st.container(horizontal=True, horizontal_alignment="right"):
        for place, (label, how, icon, meaning) in enumerate(offered):
            kind = "secondary" if place else "primary"
            opened = Open(how, prediction.prediction_id, made)
            st.button(label, type=kind, icon=f":material/{icon}:", key=how, help=meaning, on_click=_open, args=(opened,))
    opened = st.session_state.get(OPEN)
    if opened is not None and opened.prediction_id == prediction.prediction_id:
        DIALOGS[opened.how](prediction, opened.made)


OPEN = "deciding"  # under which the dialog at hand is remembered: a rerun of the page must not close it


@dataclass(frozen=True)
class Open:
    """A dialog at hand: which, on what score, and the decision that stood when it was opened, which is the one the person knows of."""

    how: str
    prediction_id: str
    made: Decision | None


def _open(opened: Open) -> None:
    st.session_state[OPEN] = opened


def _close() -> None:
    st.session_state.pop(OPEN, None)


@st.dialog("Accept the recommendation", icon=":material/check:", on_dismiss=_close)
def accept(prediction: Prediction, made: Decision | None) -> None:
    """Decide as recommended, in one's own name."""
    from_model = decisions.component(prediction) == "model"
    st.markdown(
        f"**{DOES[prediction.recommendation]}** {ui.literal(prediction.applicant_id)}. {ui.literal(ui.sentence(prediction.because))}"
    )
    if prediction.recommendation == "decline":
        reasons = [reason["text"] for reason in prediction.reasons] if from_model else [prediction.because]
        st.markdown("These reasons go into the record and the notice:")
        ui.bullets(reasons, ":red[:material/arrow_downward:]")
    comment = _comment("Comment", needed=_again(made))
    _keep("Record decision", prediction, lambda: Said("accept", comment=comment, after=_after(made)))


@st.dialog("Decide yourself", icon=":material/edit:", on_dismiss=_close)
def override(prediction: Prediction, made: Decision | None) -> None:
    """Decide otherwise than recommended: what, why, and the reasons the applicant is told."""
    if prediction.recommendation == "approve":
        outcome = "decline"
        st.markdown("Recommended is to approve; you **decline**.")
    else:
        outcome = st.segmented_control("Decision", list(DOES), default="approve", format_func=DOES.get, key="outcome", required=True)
    comment = _comment("Why (for the record)", needed=True)
    said = st.text_area(
        "Your reasons, one a line",
        key="own-reasons",
        height=110,
        help=f"At most {decisions.MOST_REASONS}. They stand in the record and the notice: plain words, naming what they rest on.",
        placeholder="The employer confirmed that the contract ends in March",
    )
    _keep(
        f"{DOES[str(outcome)]}",
        prediction,
        lambda: Said("override", str(outcome), comment, (said or "").splitlines(), after=_after(made)),
    )


@st.dialog("Refer the case", icon=":material/group_add:", on_dismiss=_close)
def refer(prediction: Prediction, made: Decision | None) -> None:
    """Leave the case to somebody else, and say why."""
    comment = _comment("Why, and to whom", needed=True)
    _keep("Refer", prediction, lambda: Said("refer", comment=comment, after=_after(made)))


@st.dialog("Ask for information", icon=":material/contact_support:", on_dismiss=_close)
def ask(prediction: Prediction, made: Decision | None) -> None:
    """Say what the applicant is asked for."""
    asked = st.text_area("What is needed, one a line", key="asked", height=110, placeholder="Wage slips of the last three months")
    comment = _comment("Comment", needed=_again(made))
    _keep("Ask for it", prediction, lambda: Said("ask", comment=comment, asked=(asked or "").splitlines(), after=_after(made)))


DIALOGS: dict[str, Callable[[Prediction, Decision | None], None]] = {"accept": accept, "override": override, "refer": refer, "ask": ask}


def _comment(title: str, *, needed: bool) -> str:
    help = f"At least {decisions.LEAST_COMMENT} characters, in words that somebody can read next year." if needed else "Optional."
    return str(st.text_area(title, key="decision-comment", height=80, help=help) or "")


def _keep(title: str, prediction: Prediction, said: Callable[[], Said]) -> None:
    """Record what was said under the name of who acts; a refusal stays in the dialog as its sentence."""
    if st.button(f"{title} as {ui.literal(ui.user())}", type="primary", icon=":material/gavel:", key="decide", width="stretch"):
        with ui.guard():
            made = decisions.decide(ui.store(), prediction.prediction_id, said(), user=ui.user())
            _close()
            st.session_state["decided"] = f"{prediction.applicant_id}: {OUTCOMES[made.outcome]} by {made.decided_by}."
            st.rerun()


def _again(made: Decision | None) -> bool:
    return made is not None and made.outcome in decisions.FINAL


def _after(made: Decision | None) -> int | None:
    return None if made is None else made.decision_id


def papers(prediction: Prediction) -> None:
    """Offer the record of the case and, once somebody decided, the draft of the notice; each is written when it is asked for."""
    name, store = prediction.prediction_id, ui.store()
    file = f"{prediction.applicant_id}-{name[:8]}"
    made = _current(name)
    kinds = [("Record (PDF)", f"{file}.pdf", "application/pdf", partial(record.pdf, store, name), "picture_as_pdf")]
    kinds.append(("Record (HTML)", f"{file}.html", "text/html", partial(record.html, store, name), "html"))
    if made is not None and made.outcome != "refer":
        kinds.append(("Notice (draft)", f"{file}-notice.txt", "text/plain", partial(notice.draft, store, name), "drafts"))
    for title, target, kind, write, icon in kinds:
        st.download_button(title, write, target, kind, icon=f":material/{icon}:", on_click="ignore", key=f"paper-{kind}-{name}")


def taken(prediction_id: str) -> None:
    """Tell every decision on a case, newest first, with its reasons and what decided."""
    for made in _made(prediction_id):
        with st.container(border=True, gap="xsmall"):
            st.markdown(
                f"{ui.badge(OUTCOMES[made.outcome], COLOURS)} **{ui.literal(made.decided_by)}** "
                f":gray[{ui.instant(made.decided_at)}, {GROUNDS[made.component]}]"
            )
            if made.reasons or made.asked:
                ui.bullets([*made.reasons, *made.asked], ":gray[:material/chevron_right:]")
            if made.comment:
                st.markdown(f"“{ui.literal(made.comment)}”")


def policy() -> None:
    """Show the lender's policy in words, in its order, and whom each rule decides."""
    told = ui.rows(ui.seen(decisions.effects))
    ui.table(
        [{"rule": RULES[row["rule"]], "sentence": row["sentence"], "n": row["n"]} for row in told],
        {
            "rule": ui.text_column("Rule", width=120),
            "sentence": ui.text_column("What it does", width=620),
            "n": ui.number_column("Decides", f"Of the {ui.count(told[0]['n_all'])} applicants scored last", width=70),
        },
        key="policy",
        alt="The lender's policy and its effect",
    )
