"""Verdicts being inspected: which wait, who may not decide on them and why, all verdicts on a case side by side, and the freeze."""

import streamlit as st
from pandas import DataFrame

import ui
from creditrisk import inspections, labels, reviews
from creditrisk.labels.mass import PROXY_MASS
from creditrisk.scoring import Prediction
from ui import hearing

STATUS = {
    "accepted": ":material/check: Accept",
    "rejected": ":material/close: Reject",
    "quarantined": ":material/pause: Quarantine",
}
COLUMNS = {
    "applicant_id": ui.text_column("Applicant", pinned=True),
    "verdict": ui.text_column("Verdict", width=90),
    "about": ui.text_column("About", width=110),
    "reviewed_by": ui.text_column("By"),
    "beware": ui.text_column("Beware", width="medium"),
    "comment": ui.text_column("Comment", width="large"),
    "corrected": ui.text_column("Would be right"),
    "seconds": ui.number_column("Seconds", format="%.0f"),
    "reviewed_at": ui.instant_column("Given (UTC)"),
}


def standing(waiting: DataFrame) -> None:
    """Say how many verdicts wait, contradict each other, are this person's to decide, and have been accepted."""
    accepted = len(ui.seen(inspections.accepted))
    ui.figures(
        ("Waiting", ui.count(len(waiting)), "Verdicts nobody has inspected yet."),
        ("Contradicting", ui.count(waiting["is_conflict"].sum()), "Two people said the opposite of the same case; a third decides."),
        ("Yours to decide", ui.count(waiting["may_inspect"].sum()), f"Those that {ui.user()} may inspect."),
        ("Accepted", ui.count(accepted), "Verdicts that stand and may teach."),
    )


def flags(reviewers: DataFrame) -> None:
    """Say which reviewers should be looked at, and why."""
    for row in ui.rows(reviewers[reviewers["flags"] != ""]):
        st.markdown(f":orange[:material/flag:] **{ui.literal(row['reviewed_by'])}** {ui.literal(row['flags'])}.")


def decide(waiting: DataFrame) -> None:
    """Let a person tick verdicts and decide on them; those that are not theirs are shown apart, with the sentence why."""
    mine, not_mine = waiting[waiting["may_inspect"]], waiting[~waiting["may_inspect"]]
    if "inspected" in st.session_state:
        st.toast(f"{ui.sentence(st.session_state.pop('inspected'))}.", icon=":material/check_circle:")
    if waiting.empty:
        st.success("Every verdict has been inspected.", icon=":material/check_circle:")
    elif mine.empty:
        st.info("None of these is yours to decide.", icon=":material/group:")
    else:
        _choose(mine)
    if len(not_mine):
        with st.expander(f"{ui.plural(len(not_mine), 'verdict')} you may not inspect", icon=":material/block:"):
            for row in ui.rows(not_mine)[:30]:
                about = f"{row['applicant_id']}: {row['verdict']} about the {row['about']}, by {row['reviewed_by']}."
                st.markdown(f":gray[{ui.literal(about)} *{ui.literal(row['why_not'])}*]")
            if len(not_mine) > 30:
                st.caption(f"{ui.count(len(not_mine) - 30)} more.")


def _choose(mine: DataFrame) -> None:
    said = mine.assign(beware=[_beware(row) for row in ui.rows(mine)])
    key = f"inspect-{len(mine)}-{mine['review_id'].iloc[0]}"  # other rows are another table
    picked = ui.tick(said, COLUMNS, key=key, alt="Verdicts that wait for an inspection", height=ui.fitting(len(said), 9))
    if picked:
        ui.ask(prediction=str(said["prediction_id"].iloc[picked[-1]]))
    chosen = [str(said["review_id"].iloc[row]) for row in picked]
    _ends(chosen)


def _beware(row: dict[str, object]) -> str:
    said = ["contradicts another"] if row["is_conflict"] else []
    said += ["judged in seconds"] if row["is_fast"] else []
    said += ["read blind"] if row["is_blind"] else []
    return ", ".join(said)


def _ends(chosen: list[str]) -> None:
    with st.container(border=True):
        reason = st.text_input(
            "Reason",
            key="reason",
            help="Why, in words that somebody can read next year.",
            placeholder="What you checked, and what you found",
        )
        left = st.columns([2, 2, 2, 3], vertical_alignment="center")
        for place, (status, title) in enumerate(STATUS.items()):
            with left[place]:
                if st.button(
                    title, key=f"end-{status}", width="stretch", disabled=not chosen, type="primary" if not place else "secondary"
                ):
                    with ui.guard():
                        n = inspections.decide(ui.store(), chosen, status, reason, user=ui.user())
                        st.session_state["inspected"] = f"{ui.plural(n, 'verdict')} {status}"
                        st.rerun()
        with left[3]:
            st.caption(f"{ui.plural(len(chosen), 'verdict')} ticked." if chosen else "Tick one or more above.")


def case(prediction: Prediction) -> None:
    """Show the evidence and every verdict on a case side by side."""
    prediction_id, is_blind = prediction.prediction_id, hearing.blind(prediction)
    evidence, said = st.columns([3, 2], gap="large")
    with evidence:
        ui.proxy_banner(prediction.is_proxy)
        hearing.evidence(prediction, blind=is_blind)
    with said:
        if is_blind or reviews.held(ui.store(), ui.user(), prediction_id):
            st.info("You have this case in hand: what others said is shown once you have judged it.", icon=":material/visibility_off:")
        else:
            for row in ui.rows(inspections.case(ui.store(), prediction_id)):
                _verdict(row)
    hearing.conducted(prediction, blind=False)


def _verdict(row: dict[str, object]) -> None:
    with st.container(border=True, gap="xsmall"):
        status = "waiting" if ui.missing(row["status"]) else str(row["status"])
        conflict = " :red-badge[contradicts another]" if row["is_conflict"] else ""
        st.markdown(
            f"{ui.badge(str(row['verdict']), hearing.VERDICT_COLOURS)} {ui.badge(status, hearing.STATUS_COLOURS)}{conflict}  \n"
            f"**{ui.literal(row['reviewed_by'])}** about {hearing.ABOUT[str(row['about'])].partition(' (')[0].lower()}"
        )
        if row["comment"]:
            st.markdown(f"“{ui.literal(row['comment'])}”")
        if not ui.missing(row["corrected"]):
            st.markdown(f"Right would be **{ui.literal(row['corrected'])}**.")
        slot = "without a claim" if ui.missing(row["slot"]) else str(row["slot"])
        taken = "" if ui.missing(row["seconds"]) else f", {row['seconds']:.0f} seconds"
        st.caption(f"{ui.instant(row['reviewed_at'])}{taken}; {slot}{', read blind' if row['is_blind'] else ''}.")
        if status != "waiting":
            st.caption(f"{ui.sentence(status)} by {ui.literal(row['inspected_by'])}: “{ui.literal(row['inspection_reason'])}”")


def freeze() -> None:
    """Offer to freeze accepted verdicts as a label set, alone or together with a proxy set and what was observed."""
    known = ui.rows(labels.sets(ui.store()))
    proxies = [row["label_set_id"] for row in known if row["source"] in labels.PROXIES]
    frozen = next((row for row in known if row["source"] == "review"), None)
    what, mass, act = st.columns([3, 3, 2], vertical_alignment="bottom")
    with what:
        beside = st.selectbox(
            "Together with",
            [None, *proxies],
            key="beside",
            format_func=lambda name: "nothing: verdicts alone" if name is None else f"proxy set {name}",
        )
    with mass:
        weight = st.slider(
            "All its proxy labels weigh as much as",
            0,
            100,
            int(PROXY_MASS),
            key="proxy-mass",
            format="%d verdicts",
            disabled=beside is None,
            help="Thousands of proxies would drown a few verdicts; ten has served best, for every thirty verified. Proxies that fail "
            "their checks weigh a tenth of it.",
        )
    with act:
        if st.button("Freeze a label set", type="primary", icon=":material/ac_unit:", key="freeze", width="stretch"):
            with ui.guard():
                made = labels.reviewed(ui.store(), user=ui.user())
                if beside:
                    made = labels.combine(ui.store(), [made.label_set_id, beside], user=ui.user(), proxy_mass=float(weight))
                ui.go("labels", labels=made.label_set_id)
    if frozen:
        said = f"{frozen['label_set_id']} was the last, {ui.plural(frozen['n'], 'applicant')}, frozen {ui.instant(frozen['created_at'])}"
        st.caption(f"{said} by {ui.literal(frozen['created_by'])}.")
