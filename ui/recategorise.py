"""Say what a movement really was, wherever movements are shown: pick a row, see what would move, give a reason, save.

The pages call `table` in the place of `ui.table` and hold nothing of this.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st
from pandas import DataFrame

import ui
from creditrisk import blinding, corrections, scoring
from creditrisk.scorecard import shown

GROUPS = {"loan_in": "New debt", "debt": "Debt service", "bank_fee": "Bank fee", "returned": "Returned item", "risk": "Gambling"}
DECIDED = {
    "none": "no rule, no model and nobody knows it",
    "words": "a rule decided by its words",
    "code": "the bank's code decided",
    "mcc": "the merchant's code decided",
    "model": "the model decided by its words",
    "correction": "somebody said so",
}
SCOPES = ("movement", "merchant", "words")


CHANGES = {
    "corrected_at": ui.instant_column("Said (UTC)"),
    "corrected_by": ui.text_column("By"),
    "what": ui.text_column("Of", "The movement, the merchant or the words it speaks of", "medium"),
    "category_before": ui.text_column("Was", width="medium"),
    "category": ui.text_column("Is", width="medium"),
    "n_movements": ui.number_column("Movements", "Of this applicant that it speaks of"),
    "reason": ui.text_column("Reason", width="medium"),
}


def changes(applicant_id: str) -> None:
    """Show who changed which categories of an applicant's movements, when and why, where anybody did."""
    told = corrections.history(ui.store(), applicant_id)
    if len(told):
        with st.expander(f"{ui.plural(len(told), 'changed category', 'changed categories')}", icon=":material/sell:"):
            ui.table(told.assign(category_before=told["category_before"].map(_name)), CHANGES, key="changes", alt="Changed categories")


def table(
    frame: DataFrame, columns: Mapping[str, Any], *, key: str, alt: str, height: int | None = None, offer_unknown: bool = False
) -> None:
    """Show movements as `ui.table` does; picking one offers to change its category, and `offer_unknown` to see only undecided ones."""
    unknown = frame[frame["category"] == "UNKNOWN"] if offer_unknown else frame[:0]
    if len(unknown):
        said = f"Only the {ui.plural(len(unknown), 'uncategorised row')}" if len(unknown) > 1 else "Only the uncategorised row"
        if st.toggle(said, key=f"{key}-unknown", help="Rows that no rule, no model and nobody has decided."):
            frame, key, height = unknown, f"{key}-only", ui.fitting(len(unknown), most=10)
    _told(key)
    if frame.empty:
        return
    # A table remembers the place of the row picked: other rows are another table, or a stranger would stand there picked.
    rows = hash(tuple(frame["transaction_id"].tolist()))
    ui.table(frame, columns, key=f"{key}-{rows}", alt=alt, height=height, opens="transaction_id", param="movement")
    picked = ui.asked("movement")
    if picked is None or picked not in set(frame["transaction_id"].astype(str)):
        _close()
        st.caption("Pick a row to change its category.")
        return
    row, opened = ui.known(frame, "transaction_id", "movement", picked), (key, picked)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Change category", icon=":material/sell:", key=f"{key}-change", type="primary"):
            st.session_state["changing"] = opened  # kept until it is dismissed or saved: a rerun of the page must not close it
        said = (
            f"**{ui.literal(row['text'])}** · {ui.day(row['booked_on'])} · {ui.money(row['amount'])} · {ui.literal(_name(row['category']))}"
        )
        st.markdown(said)
    if st.session_state.get("changing") == opened:
        _change(int(picked), key)


def _close() -> None:
    st.session_state.pop("changing", None)


def _told(key: str) -> None:
    """Say what the last change did and offer the score that takes it in."""
    done = st.session_state.get("corrected")
    if done is None or done["key"] not in (key, f"{key}-only", key.removesuffix("-only")):
        return
    st.success(done["sentence"], icon=":material/check_circle:")
    with st.container(horizontal=True, vertical_alignment="center"):
        if ui.champion() is None:
            st.caption("No model scores yet; figures computed from now on use the change.")
        elif st.button(
            f"Score {done['applicant']} now", icon=":material/speed:", key=f"{key}-score", help="With the change, by the champion."
        ):
            with ui.guard(), st.spinner("Scoring …", show_time=True):
                made = scoring.score_applicants(ui.store(), [done["applicant"]], user=ui.user(), channel="page")
                st.session_state.pop("corrected")
                ui.go("score", applicant=done["applicant"], prediction=made[0].prediction_id)
        if st.button("Dismiss", key=f"{key}-dismiss", type="tertiary"):
            st.session_state.pop("corrected")
            st.rerun()


@st.dialog("Change category", icon=":material/sell:", width="medium", on_dismiss=_close)
def _change(transaction_id: int, key: str) -> None:
    with ui.guard():
        _ask(corrections.movement(ui.store(), transaction_id), key)


def _ask(move: Mapping[str, Any], key: str) -> None:
    """Show the movement, ask what it was and how far that goes, say what would move, and save."""
    number, cleaned = int(move["transaction_id"]), str(move["cleaned"])
    st.markdown(
        f"**{ui.literal(move['text'] or 'No text')}**  \n"
        f":gray[{ui.day(move['booked_on'])} · {ui.money(move['amount'], move['currency'])} · {ui.literal(move['applicant_id'])}]  \n"
        f":gray[Now] {ui.literal(_name(move['category']))} :gray[({_why(move)})]"
    )
    said = corrections.last_said(ui.store(), number) if move["source"] == "correction" else None
    if said is not None:
        _offer_back(said, number)
    kinds = {kind.code: kind for kind in corrections.choices(str(move["direction"])) if kind.code != move["category"]}
    category = st.selectbox(
        "What it really was",
        list(kinds),
        index=None,
        format_func=lambda code: f"{_group(kinds[code].group)} · {ui.WORDS['category'][code]}",
        key=f"category-{number}",
        placeholder=f"Choose what this money {'in' if move['direction'] == 'in' else 'out'} was",
        help="The kinds of movement that this direction of money can have, by group.",
    )
    names = {"movement": "This movement only", "merchant": f"All of {cleaned}", "words": "All with certain words"}
    scope = st.radio(
        "For",
        SCOPES if cleaned else SCOPES[:1],
        format_func=names.get,
        key=f"scope-{number}",
        help="A merchant is the description without numbers and dates. What is said of one movement stands before what is said of many.",
    )
    words = cleaned
    if scope == "words":
        words = st.text_input(
            "Words in a row", value=cleaned, key=f"words-{number}", help="Every description in which they stand, so written."
        )
    if category is None:
        st.caption("Choose a category to see what would move.")
        return
    asked: dict[str, Any] = {"scope": scope, "category": category, "direction": move["direction"]}
    asked |= {"words": words} if scope == "words" else {"transaction_id": number}
    if move["applicant_id"] in blinding.hidden(ui.store(), ui.user()):
        st.caption(":material/visibility_off: You read this case blind: what would move is shown once your verdict is given.")
    else:
        with st.spinner("Looking at what would move …"):
            _foresee(corrections.preview(ui.store(), str(move["applicant_id"]), using=_champion(), **asked))
    reason = st.text_input(
        "Reason", key=f"reason-{number}", placeholder="What you know that the text does not say", help="Kept with the change."
    )
    if st.button(f"Save as {ui.user()}", type="primary", icon=":material/save:", key=f"keep-{number}", width="stretch"):
        done = corrections.correct(ui.store(), user=ui.user(), reason=reason, **asked)
        found = done.affected
        learned = f" The model takes {ui.plural(done.n_learned, 'other description')} for something else." if done.n_learned else ""
        sentence = (
            f"{ui.plural(found.n_movements, 'movement')} of {ui.plural(found.n_applicants, 'applicant')} "
            f"{'is' if found.n_movements == 1 else 'are'} now “{_name(category)}”.{learned} Scores given before stay as they were."
        )
        _close()
        st.session_state["corrected"] = {"key": key, "applicant": str(move["applicant_id"]), "sentence": ui.literal(sentence)}
        st.rerun()


def _champion() -> scoring.Model | None:
    row = ui.champion()
    return ui.loaded(row["model_id"], row["digest"]) if row and scoring.fits(ui.store(), row) else None


def _offer_back(said: Mapping[str, Any], number: int) -> None:
    """Say who changed the category last, and offer what it was before."""

    def back() -> None:
        st.session_state[f"category-{number}"] = said["category_before"]
        st.session_state[f"scope-{number}"] = said["scope"]
        if said["words"]:
            st.session_state[f"words-{number}"] = said["words"]

    with st.container(horizontal=True, vertical_alignment="center"):
        reason = f": “{ui.literal(said['reason'])}”" if said["reason"] else ""
        st.caption(f"{ui.literal(said['corrected_by'])} said so on {ui.day(said['corrected_at'])}{reason}.")
        st.button(
            f"As before: {_name(said['category_before'])}", key=f"back-{number}", on_click=back, type="tertiary", icon=":material/undo:"
        )


def _foresee(seen: corrections.Preview) -> None:
    """Show how many movements would change, and which figures and which score of this applicant would move."""
    found = seen.affected
    kept = f" {found.n_kept:,} more keep what was said of them or what they are paired with." if found.n_kept else ""
    learned = (
        f" The model would take {ui.plural(seen.n_learned, 'other description')} of theirs for something else." if seen.n_learned else ""
    )
    st.markdown(
        f"Changes **{ui.plural(found.n_movements, 'movement')}** of **{ui.plural(found.n_applicants, 'applicant')}**.{kept}{learned}"
    )
    what = f"What would move for {ui.literal(seen.applicant_id)}"
    moved = [
        {what: ui.literal(change.title), "Now": ui.literal(change.said_before), "Then": ui.literal(change.said_after)}
        for change in seen.changes
    ]
    if seen.changes and seen.before is not None and seen.after is not None:
        moved.insert(0, {what: "**Score**"} | _moved_score(seen.before, seen.after))
    if moved:
        st.table(moved, border="horizontal", hide_index=True, alt="What would move")
    if not seen.changes:
        st.markdown(f":gray[No figure of {ui.literal(seen.applicant_id)} would move, nor the score: these lie outside its windows.]")


def _moved_score(before: scoring.Prediction, after: scoring.Prediction) -> dict[str, str]:
    risk = ui.risk_word(after.is_proxy)
    now, then = (f"**{shown(made.score)}** {made.band}, {risk} {ui.percent(made.pd)}" for made in (before, after))
    return {"Now": now, "Then": then}


def _why(move: Mapping[str, Any]) -> str:
    """Say what decided the category, and how sure that is."""
    if move["source"] == "pair":
        return f"{move['pair_kind']}: {ui.literal(move['pair_evidence'])}"
    sure = "" if move["source"] in ("none", "correction") else f", {ui.percent(move['confidence'], 0)} sure"
    return f"{DECIDED.get(move['source'], move['source'])}{sure}"


def _name(category: str) -> str:
    return str(ui.WORDS["category"].get(category, category))


def _group(name: str) -> str:
    return GROUPS.get(name, name.replace("_", " ").capitalize())
