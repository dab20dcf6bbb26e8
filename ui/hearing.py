"""A case being judged: who has it in hand and why, what may be seen of it, and the verdict. Read blind, no score is drawn."""

from datetime import timedelta
from typing import Any

import streamlit as st
from pandas import DataFrame

import ui
from creditrisk import blinding, chronicle, conduct, reviews
from creditrisk import store as stores
from creditrisk.scorecard import shown
from creditrisk.scoring import Prediction
from creditrisk.store import Store
from ui import account
from ui import case as cases

ABOUT = {
    "label": "The label (is this applicant risky?)",
    "band": "The band",
    "decision": "The recommendation",
    "reasons": "The reasons",
    "data": "The data behind it",
}
MOST_TOLD = 200  # verdicts
NOTICED = 60.0  # seconds after which what others score and judge shows here
NO_CLAIMS = frozenset({"score", "decide", "inspect"})  # actions by which no case comes into anybody's hands, or out of them
SLOTS = {
    "near cut-off": "Proposed because it lies near the cut-off",
    "suspect": "Proposed because its label is suspect: a model that had not seen it is confident of the other",
    "disagreement": "Proposed because the model and its proxy label disagree",
    "exposure": "Proposed because much money is asked for",
    "random": "Drawn at random: such cases show how good the model is",
    "second reading": "A second reading: somebody else has judged it, and their verdict is shown after yours",
    "chosen": "Chosen by hand",
}
VERDICTS = {
    "correct": ("Correct", "check", "1"),
    "incorrect": ("Incorrect", "close", "2"),
    "cannot judge": ("Cannot judge", "help", "3"),
}
STATUS_COLOURS = {"accepted": "green", "rejected": "red", "quarantined": "orange"}
VERDICT_COLOURS = {"correct": "green", "incorrect": "red", "cannot judge": "gray"}


def waiting(most: int) -> DataFrame:
    """The cases that wait for a verdict, and in whose hands they are now."""
    nearest = ui.seen(reviews.nearest, most, but=ui.READING | {"inspect"}, others=NOTICED)
    return reviews.queue(ui.store(), waiting=nearest, claims=_claims())


def _claims() -> list[reviews.Claim]:
    found: list[reviews.Claim] = ui.seen(reviews.open_claims, but=NO_CLAIMS)
    return found


def in_hands() -> list[reviews.Claim]:
    """The cases that this person has in hand now, the one taken last first."""
    return reviews.all_held(ui.store(), ui.user(), _claims())


def told() -> DataFrame:
    """The verdicts given, as far as this person may read them."""
    return reviews.shown_to(ui.user(), ui.seen(_verdicts, but=ui.READING | {"score", "inspect"}, others=NOTICED), in_hands())


def _verdicts(store: Store) -> DataFrame:
    return reviews.history(store, most=MOST_TOLD)


def day_so_far() -> None:
    """Say what this person has done today, and what the cases drawn at random say of the model."""
    done = ui.seen(reviews.done_on, ui.today(), but=NO_CLAIMS, others=NOTICED).get(str(ui.user()), {"n": 0, "n_skipped": 0})
    counted = ui.seen(reviews.summary, but=ui.READING | {"inspect"}, others=NOTICED)
    fair = counted["random"]
    ui.figures(
        ("Judged today", ui.count(done["n"]), f"Cases that {ui.user()} has judged since midnight UTC.", f"{done['n_skipped']} passed on"),
        ("Waiting", ui.count(counted["n_waiting"]), "Newest predictions without a verdict."),
        (
            "Found incorrect",
            ui.percent(counted["share_incorrect"], 0) if counted["n"] else "–",
            "Of all judged predictions. Most were proposed because they are doubtful, so this says little of the model.",
            f"{ui.percent(counted['low'], 0)} to {ui.percent(counted['high'], 0)} of {ui.count(counted['n'])}"
            if counted["n"]
            else "none judged yet",
        ),
        (
            "Drawn at random",
            ui.percent(fair["share_incorrect"], 0) if fair["n"] else "–",
            "The share found incorrect of the cases drawn at random: what the model is worth, with its 95 % interval (Wilson).",
            f"{ui.percent(fair['low'], 0)} to {ui.percent(fair['high'], 0)} of {ui.count(fair['n'])}" if fair["n"] else "none judged yet",
        ),
    )


def take() -> None:
    """Take the next case in hand and open it; called before the page is drawn, so that it is drawn once."""
    with ui.guard():
        taken = reviews.claim(ui.store(), user=ui.user())
        st.session_state["none-left"] = taken is None
        ui.ask(prediction=taken.prediction_id if taken else None)


def in_hand(mine: reviews.Claim) -> None:
    """Say why the case was proposed and how long it is kept, and offer to let go of it."""
    said, skip, release = st.columns([6, 2, 2], vertical_alignment="center")
    with said:
        st.fragment(_time_left, run_every=timedelta(seconds=20))(mine)
    with skip:
        if st.button("Skip", icon=":material/skip_next:", key="skip", shortcut="S", width="stretch", help="Others get it, you do not."):
            with ui.guard():
                reviews.skip(ui.store(), mine.claim_id, user=ui.user())
                ui.go("reviews")
    with release:
        help = "Anybody may be given it again, you too."
        if st.button("Give back", icon=":material/undo:", key="release", width="stretch", help=help):
            with ui.guard():
                reviews.release(ui.store(), mine.claim_id, user=ui.user())
                ui.go("reviews")


def _time_left(mine: reviews.Claim) -> None:
    seconds = (mine.expires_at - stores.now()).total_seconds()
    left = f"yours for {ui.plural(1 + int(seconds // 60), 'more minute')}" if seconds > 0 else "your time is up; somebody else may take it"
    blind = " :blue-badge[:material/visibility_off: read blind]" if mine.is_blind else ""
    why = "Why it was proposed is said with its score" if mine.is_blind else ui.literal(SLOTS.get(mine.slot, mine.slot))
    st.markdown(f":material/front_hand: **In your hands**{blind}  \n:gray[{why}; {left}.]")


def offer(prediction_id: str) -> None:
    """Offer to take a case that is looked at, or say who has it."""
    if holder := reviews.holders(ui.store(), _claims()).get(prediction_id):
        st.info(f"{ui.literal(holder)} has this case in hand; take another, or wait.", icon=":material/front_hand:")
    elif st.button("Judge this case", type="primary", icon=":material/gavel:", key="take", width="stretch"):
        with ui.guard():
            reviews.claim(ui.store(), user=ui.user(), prediction_id=prediction_id)
            st.rerun()


def evidence(prediction: Prediction, *, blind: bool) -> None:
    """Show what a verdict rests on: who asks for what, the reasons and their transactions."""
    person = cases.person(prediction.applicant_id)
    title = ui.literal(cases.person_name(person))
    st.subheader(title if blind else f"{title} · {shown(prediction.score)} points", anchor=False)
    st.markdown(f":gray[{ui.literal(cases.circumstances(person))}]")
    if blind:
        st.markdown(
            ":material/visibility_off: Score, band, advice and reasons are hidden until your verdict is given: say what the figures and "
            "the account say to you."
        )
        _figures(prediction)
    else:
        _advice(prediction)


def conducted(prediction: Prediction, *, blind: bool) -> None:
    """Offer the pictures of how the account was run; where nothing else may be seen they are there at once."""
    found = ui.seen(_scopes, prediction.applicant_id, prediction.as_of, but=ui.ON_CASES)
    if found and st.toggle("How the account was run", value=blind, key=f"conduct-{prediction.prediction_id}"):
        account.pictures(ui.seen(conduct.look, found[0], but=ui.ON_CASES))
        ui.link("applicants", "All movements", "receipt_long", applicant=prediction.applicant_id)


def _scopes(store: Any, applicant_id: str, as_of: Any) -> list[conduct.Scope]:
    return conduct.scopes(store, applicant_id=applicant_id, as_of=as_of)


def _advice(prediction: Prediction) -> None:
    at = {"applicant": prediction.applicant_id, "prediction": prediction.prediction_id}
    st.markdown(
        f"{ui.badge(prediction.band, ui.BAND_COLOURS)} {ui.badge(prediction.recommendation, cases.ADVICE_COLOURS)} "
        f"**{ui.risk_word(prediction.is_proxy)} {ui.percent(prediction.pd)}**  \n"
        f":gray[{ui.literal(ui.sentence(prediction.because))} Scored by {prediction.model_id}.]"
    )
    st.markdown("**What counts against**", help="The principal reasons; follow one to the transactions behind it.")
    if not prediction.reasons:
        ui.bullets([], "")
    for reason in prediction.reasons:
        ui.link("score", reason["text"], "arrow_downward", **at, feature=reason["feature"])
    st.markdown("**What speaks for them**")
    ui.bullets(
        (found["text"] for found in cases.supports(_prediction=prediction, prediction_id=prediction.prediction_id)),
        ":green[:material/arrow_upward:]",
    )
    with st.expander("How the score came about"):
        ui.figure(cases.waterfall(prediction, top=6), key=f"waterfall-{prediction.prediction_id}")
    ui.link("score", "Open the whole case", "speed", **at)


def _figures(prediction: Prediction) -> None:
    """Show the figures as they were scored, without a word on which way they count."""
    known = [(feature.title, feature.say(prediction.inputs[feature.name])) for feature in cases.declared(prediction).predictors]
    ui.table(
        [{"title": title, "value": value} for title, value in known],
        {"title": ui.text_column("Figure", width="large"), "value": ui.text_column("Value")},
        key=f"figures-{prediction.prediction_id}",
        alt="The figures of this applicant",
        height=ui.fitting(len(known), 14),
    )


def verdict(prediction: Prediction) -> None:
    """Ask for the verdict: three keys, what it is about, what would be right, why."""
    name = prediction.prediction_id
    said, key = st.session_state.get(f"verdict-{name}"), f"verdict-{name}"
    st.markdown("**Your verdict**", help="Keys: 1 correct, 2 incorrect, 3 cannot judge, S skip, N next case, Ctrl+Enter records it.")
    about = st.selectbox(
        "About",
        list(ABOUT),
        format_func=ABOUT.get,
        key=f"about-{name}",
        help="What the verdict is about: a wrong label is another matter than wrong data.",
    )
    with st.container(key=f"say-{name}"):
        for choice, (title, icon, shortcut) in VERDICTS.items():
            kind = "primary" if choice == said else "secondary"
            st.button(
                title,
                type=kind,
                icon=f":material/{icon}:",
                key=f"say-{choice}-{name}",
                shortcut=shortcut,
                width="stretch",
                on_click=st.session_state.__setitem__,
                args=(key, choice),
            )
    corrected = _corrected(about, name) if said == "incorrect" else None
    comment = st.text_area("Comment", key=f"comment-{name}", height=90, help="An incorrect prediction needs one: what is wrong with it?")
    if st.button(
        "Record verdict",
        type="primary",
        icon=":material/gavel:",
        key="record",
        width="stretch",
        shortcut="Ctrl+Enter",
        disabled=said is None,
    ):
        with ui.guard():
            reviews.add(ui.store(), name, said, about, comment, user=ui.user(), corrected=corrected)
            st.session_state["judged"] = prediction.applicant_id
            st.session_state.pop(key)
            ui.go("reviews", prediction=name)


def _corrected(about: str, name: str) -> str | None:
    """Ask what would be right: one of the values there are, where there are some."""
    if about not in reviews.RIGHT:
        return st.text_input("What would be right (optional)", key=f"right-{about}-{name}") or None
    return st.segmented_control(
        "What would be right (optional)", reviews.RIGHT[about], format_func=ui.sentence, key=f"right-{about}-{name}"
    )


def others(prediction_id: str) -> None:
    """Show the verdicts on a case to whoever has given theirs; to others only how many there are."""
    given = ui.rows(reviews.history(ui.store(), prediction_id, reader=ui.user()))
    if not given:
        return
    if not any(row["reviewed_by"] == ui.user() for row in given):
        said = f"{ui.plural(len(given), 'verdict')} on this case; shown once you have given yours"
        st.caption(f":material/visibility_off: {said}.")
        return
    st.markdown("**Verdicts on this case**")
    for row in given:
        word = ui.badge(row["verdict"], VERDICT_COLOURS)
        right = f" Right would be **{ui.literal(row['corrected'])}**." if not ui.missing(row["corrected"]) else ""
        comment = f" “{ui.literal(row['comment'])}”" if row["comment"] else ""
        about = ABOUT[row["about"]].partition(" (")[0]
        st.markdown(
            f"{word} **{ui.literal(row['reviewed_by'])}** on {about.lower()}.{right}{comment} :gray[{ui.instant(row['reviewed_at'])}]"
        )


def story(prediction: Prediction) -> None:
    """Offer to tell what happened to a case, in order; nobody is asked before somebody opens it."""
    place = st.expander("What happened to this case", icon=":material/history:", key="story", on_change="rerun")
    if not place.open:
        return

    def told(store: Any, prediction_id: str, reader: str) -> DataFrame:
        return chronicle.of_case(store, prediction_id, reader=reader, made=vars(prediction))

    found = ui.seen(told, prediction.prediction_id, str(ui.user()))
    with place:
        ui.story((row["happened_at"], row["who"], row["what"]) for row in ui.rows(found))


def blind(prediction: Prediction) -> bool:
    """Whether this person has a case of this applicant in hand to be judged before the score is seen."""
    return prediction.applicant_id in blinding.hidden(ui.store(), ui.user())
