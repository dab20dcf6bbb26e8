"""What if: figures to change, what the model says of them at once, and the smallest change that would reach the next band."""

from typing import Any

import streamlit as st

import ui
from creditrisk import attribution, charts, registry, scorecard, scoring, whatif
from creditrisk.schema import Feature, Schema
from creditrisk.scoring import Prediction
from creditrisk.store import Store
from ui import case
from ui.filling import UNTOUCHED, filled

FIRST = 6  # figures offered at once; any other may be added


def view(prediction: Prediction) -> None:
    """Show the whole of it, where the model can still score."""
    store = ui.store()
    if not scoring.fits(store, registry.get(store, prediction.model_id)):
        st.info("The features were declared otherwise when this was scored: score the applicant anew, then ask what if.")
        return
    st.fragment(_tried)(prediction)
    ui.section(
        "What would reach the next band",
        help="Every actionable figure is tried in round steps, then every pair, within what nine in ten applicants show.",
    )
    _guidance(prediction)


def _tried(prediction: Prediction) -> None:
    """Ask for other figures and show what the model says of them; nothing is kept."""
    schema, name = ui.store().schema, prediction.prediction_id
    free = [feature for feature in schema.predictors if not feature.formula]
    first = sorted(free, key=lambda feature: (not feature.actionable, -abs(prediction.contributions.get(feature.name, 0.0))))[:FIRST]
    titles = {feature.name: feature.title for feature in (*free, *_parts(schema))}
    asked, told = st.columns([2, 3], gap="large")
    with asked:
        changes: dict[str, Any] = {}
        more = st.session_state.get(f"tried-{name}", [])
        for feature in [*first, *(schema[key] for key in more)]:
            value = filled(feature, prediction.inputs[feature.name], f"try-{feature.name}-{name}")
            if value is not UNTOUCHED:
                changes[feature.name] = value
        st.multiselect(
            "Other figures",
            [key for key in titles if key not in {feature.name for feature in first}],
            format_func=titles.get,
            key=f"tried-{name}",
            placeholder="Add a figure to change",
            help="Those that people can change and that weigh most stand above; add any other.",
        )
    with told, ui.guard():
        _answered(prediction, changes)


def _parts(schema: Schema) -> list[Feature]:
    """Return the figures that a scored one is computed of, and that are not scored themselves."""
    read = {part for feature in schema.predictors for part in whatif.parts(feature)}
    return [feature for feature in schema if feature.name in read and feature.role != "predictor"]


def _answered(prediction: Prediction, changes: dict[str, Any]) -> None:
    """Show score, risk and band as they would be, and what moves them."""
    using = case.model(prediction)
    now = whatif.score(ui.store(), prediction, {}, using=using, user=ui.user())
    then = whatif.score(ui.store(), prediction, changes, using=using, user=ui.user()) if changes else now
    points = scorecard.shown(then.score) - scorecard.shown(now.score)
    ui.figures(
        (
            "Score",
            str(scorecard.shown(then.score)),
            "What the score would be.",
            f"{points:+d} points".replace("-", "−") if points else "as scored",
        ),
        (ui.sentence(ui.risk_word(now.is_proxy)), case.chance(then), "What the model would say.", f"now {case.chance(now)}"),
        ("Band", then.band, "Read off the unrounded score.", f"now {now.band}"),
    )
    st.markdown(f"{ui.badge(then.recommendation, case.ADVICE_COLOURS)} {ui.literal(ui.sentence(then.because))}")
    if not changes:
        st.markdown(":gray[Change a figure on the left: the score and its parts follow at once. Nothing is kept.]")
        return
    moved = attribution.between(ui.store(), now, then, using.pipeline)
    drawn = charts.waterfall(attribution.steps(moved), now.score, then.score, start_name="Now", end_name="Then", against="now")
    ui.figure(drawn, key=f"moved-{prediction.prediction_id}", help="What each changed figure moves, in points. A tree may move others too.")


def _guidance(prediction: Prediction) -> None:
    found = ui.seen(_guided, prediction.prediction_id)
    if found.why_not:
        st.markdown(f":gray[{ui.literal(found.why_not)}]")
        return
    schema = ui.store().schema
    for way in found.ways:
        said = " and ".join(_step(schema[name], before, after) for name, before, after in way.steps)
        st.markdown(f":green[:material/trending_up:] {said}: **{scorecard.shown(way.score)} points, {found.band.name}**")
    st.caption(
        "Guidance, never a promise: every other figure stays as it is here, and in life they move together; the model, the scale and the "
        "policy may change; a person decides. Smallest change first, measured by how far applicants usually differ."
    )


def _step(feature: Feature, before: float, after: float) -> str:
    then, now = feature.contrast(after, before)
    return f"**{ui.literal(feature.title)}** {ui.literal(then)} instead of {ui.literal(now)}"


def _guided(store: Store, prediction_id: str) -> whatif.Guidance:
    prediction = scoring.get(store, prediction_id)
    return whatif.guidance(store, prediction, case.model(prediction).pipeline)
