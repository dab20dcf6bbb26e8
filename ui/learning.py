"""What feedback changes, as the pages show it: before and after, versions, suspect labels, challengers beside the champion."""

from collections.abc import Mapping
from typing import Any

import streamlit as st
from pandas import DataFrame

import ui
from creditrisk import charts, online, plan, retraining, shadow, suspects
from creditrisk.standing import leaderboard

VIEWS = {"board": "Leaderboard and runs", "feedback": "What feedback changed"}
SHOWN = 50  # suspects


def hint() -> None:
    """Say in the sidebar that another training is worth starting, where the rule says so."""
    said = ui.seen(retraining.proposal, but=ui.READING | {"review"})  # a verdict counts once it is accepted
    if said and said.is_due:
        st.info(ui.literal(said.sentence), icon=":material/lightbulb:")


def feedback() -> None:
    """Tell what came of what people said: on whom nobody learned from, version by version, and what is still to be looked at."""
    with ui.guard():
        _before_and_after()
        _versions()
        _online()
        _suspects()


def _before_and_after() -> None:
    ui.section(
        "Before and after",
        help="Both models on the same people: their label is verified (an accepted verdict or an observed outcome) and neither model "
        "learned from them. Who is kept for the test is settled by their name, so that the same people are kept at every training.",
    )
    said = ui.seen(retraining.proposal)
    if said:
        st.markdown(f":gray[{ui.literal(said.sentence)}]")
    board = ui.rows(ui.seen(leaderboard))
    able = [row["model_id"] for row in board if row["algorithm"] not in plan.BASELINES]
    last = ui.seen(retraining.latest)
    if last is None or len(able) < 2:
        st.markdown(":gray[One model follows another once there is a champion and a training after it.]")
        return
    left, right = st.columns(2)
    with left:
        after = ui.pick("After", [last[0], *(name for name in able if name != last[0])], "after", first=True)
    with right:
        before = ui.pick("Before", [last[1], *(name for name in able if name != last[1])], "before", first=True)
    found = ui.seen(retraining.changed, str(after), str(before))
    ui.figure(
        charts.changed(found.figures, found.n, found.n_bad),
        key="changed",
        help="Right of the line the later model is better; a bar that crosses the line may be luck.",
    )
    learned = f"learned from {ui.plural(found.n_verdicts, 'accepted verdict')}" if found.n_verdicts else "learned from no verdict"
    st.caption(f"{found.after} {learned}. {ui.plural(found.n, 'verified applicant')} taught neither model, {ui.count(found.n_bad)} bad.")
    if found.proxies:
        st.caption(ui.literal(found.proxies))


def _versions() -> None:
    ui.section(
        "Version by version",
        help="Every model that ever was champion or challenger, measured on the cases that were drawn at random, since those chosen "
        "because they are doubtful say nothing about everybody.",
    )
    found = ui.seen(retraining.versions)
    if found.empty:
        st.markdown(":gray[No model has been champion or challenger yet.]")
        return
    one, two, three = st.columns(3, gap="medium")
    for place, name in ((one, "auc"), (two, "share_incorrect"), (three, "calibration")):
        with place:
            ui.figure(charts.versions(found, name), key=f"versions-{name}")
    columns = {
        "model_id": ui.text_column("Version", pinned=True),
        "algorithm": ui.text_column("Algorithm"),
        "status": ui.text_column("Status"),
        "since": ui.instant_column("First stood (UTC)"),
        "n_verdicts": ui.number_column("Verdicts", "Accepted verdicts it learned from"),
        "n_outcomes": ui.number_column("Outcomes", "Observed outcomes it learned from"),
        "n": ui.number_column("Measured on", "Cases drawn at random, their verdict accepted, that taught it nothing"),
        "n_bad": ui.number_column("Bad", "Of them bad"),
        "auc": ui.number_column("AUC", "On these cases", "%.3f"),
        "brier": ui.number_column("Brier", "On these cases; smaller is better", "%.3f"),
        "n_judged": ui.number_column("Judged", "Verdicts on its own predictions, drawn at random"),
    }
    ui.table(found, columns, key="versions", alt="Versions, oldest first")


def _online() -> None:
    ui.section(
        "The online challenger",
        help="A logistic regression that learns from one accepted verdict after the other. It foretells each case before it learns from "
        "it, which is the test. It never scores: it is in no registry.",
    )
    found, n, weighs = ui.seen(online.prequential), ui.seen(online.waiting), ui.seen(online.weighs)
    left, right = (st.container(), None) if weighs.empty else st.columns(2, gap="large")
    with left:
        ui.figure(
            charts.prequential(found),
            key="prequential",
            help="The mean of (what happened less what was foretold)², so far, with 95 % intervals: lower is better.",
        )
    if right:
        with right:
            _weighs(weighs, len(found))
    if st.button(
        f"Learn from {ui.plural(n, 'verdict')}" if n else "Nothing new to learn from",
        icon=":material/school:",
        key="learn-online",
        disabled=not n,
        help="Accepted verdicts on labels that have not taught it yet, in the order in which they were accepted.",
    ):
        online.learn(ui.store(), user=ui.user())
        st.rerun()


def _weighs(found: DataFrame, n: int) -> None:
    """What weighs most with the online challenger, beside how well it foretells."""
    st.markdown(
        f"**{ui.literal(found['title'].iloc[0])} weighs most with it**",
        help="By how much the odds of bad grow where a figure lies one standard deviation (robust, of all applicants) further towards more "
        f"risk, everything else as it is. 1 says nothing. It began with {found['began'].iloc[0]:.2f} for every figure.",
    )
    columns = {
        "title": ui.text_column("Figure", width=150, pinned=True),
        "odds": ui.number_column("Odds ×", "Per standard deviation towards more risk", "%.2f"),
        "wanders": ui.text_column("Wanders", f"The least and the most in its last {online.STEADY} steps"),
        "says": ui.text_column("Learned", "Whether it counts more or less than when it began, or even the other way"),
    }
    ui.table(found[[*columns]], columns, key="weighs", alt="What weighs most with the online challenger", height=ui.fitting(len(found), 8))
    st.caption(f"After {ui.plural(n, 'case')}. One line of descent has no interval: instead it is said how far its last steps wander.")


def _suspects() -> None:
    ui.section(
        "Labels to look at again",
        help="Fits that had not seen these applicants are as sure of the other label as they usually are where it is right. They are "
        "proposed to reviewers; nothing is dropped or changed because a model doubts it.",
    )
    champion = ui.champion()
    found = ui.seen(suspects.ranked, champion["model_id"], SHOWN) if champion else None
    if found is None or found.empty:
        st.markdown(":gray[No label is suspect, or each that was has been looked at.]")
        return
    columns = {
        "applicant_id": ui.text_column("Applicant", pinned=True),
        "name": ui.text_column("Name"),
        "label": ui.text_column("Labelled"),
        "source": ui.text_column("By"),
        "pd": ui.number_column("Foreseen", "Risk by fits that had not seen the applicant", ui.SHARE),
        "doubt": ui.number_column("Doubt", "Log-odds beyond what is usual for the other label", "%.2f"),
    }
    alt = "Suspect labels, most doubtful first"
    shown = found[["prediction_id", *columns]]
    ui.table(
        shown, columns, key="suspects", alt=alt, opens="prediction_id", param="prediction", page="reviews", height=ui.fitting(len(found), 8)
    )
    st.caption(f"Pick a row to judge the case. By {champion['model_id']}{f', the first {SHOWN}' if len(found) == SHOWN else ''}.")


def beside(model: Mapping[str, Any], hindrance: str | None) -> None:
    """Show what a challenger says beside the champion, and offer a candidate that standing."""
    store, model_id = ui.store(), model["model_id"]
    found = ui.seen(shadow.beside, model_id)
    if model["status"] == "candidate":
        st.markdown(":gray[Beside the champion a model says what it would have said of every case that is scored. It decides nothing.]")
        against = hindrance or (None if ui.champion() else "There is no champion to stand beside: promote one first.")
        reason = st.text_area("Why this one?", key=f"challenge-reason-{model_id}", disabled=against is not None)
        if st.button(
            f"Set {model_id} beside the champion",
            type="primary",
            icon=":material/visibility:",
            key="challenge",
            disabled=against is not None,
            help=ui.literal(against) if against else None,
        ):
            shadow.watch(store, model_id, user=ui.user(), reason=reason)
            st.rerun()
        return
    if found.empty:
        st.markdown(f":gray[{model_id} has said nothing beside another model.]")
        return
    facts = shadow.summary(found, store.settings.policy)
    ui.figure(
        charts.shadow(found, facts, ui.risk_word(model["is_proxy"])),
        key="shadow",
        help="Each dot is a case that was scored live; dotted: the policy’s cut-off, and where both say the same.",
    )
    said = "more than chance" if facts["psi"] > facts["psi_chance"] else "no more than chance"
    st.caption(
        f"Change sides: {ui.percent(facts['share_swapped'])}, 95 % interval {ui.percent(facts['low'])} to {ui.percent(facts['high'])}. "
        f"PSI against what was said live {facts['psi']:.2f}, {said}."
    )
    if model["status"] == "challenger":
        ui.link("models", "Hold it against the champion", "balance", model=model_id, view="promotion")
