"""Forms generated from the schema: one field for a declared figure, and a whole applicant who stands in no table."""

from typing import Any

import streamlit as st

import ui
from creditrisk import rows, scoring
from creditrisk.schema import Feature, is_missing

UNITS = {"share": " (%)", "money": "", "ratio": "", "times": ""}
STEPS = {"share": 1.0, "money": 50.0}
YES = {None: "not known", 1: "yes", 0: "no"}
UNTOUCHED = object()


def somebody() -> None:
    """Ask for every figure that models read of one person, and score them; what cannot be is said and nothing is kept."""
    form = st.expander("Somebody who is in no table", icon=":material/person_add:", key="entered", on_change="rerun")
    if form.open:
        with form:
            _form()


def _form() -> None:
    schema = ui.store().schema
    needed = rows.needed(schema)
    computed = [feature.name for feature in schema.predictors if feature.formula]
    with st.form("somebody", border=False):
        name, day = st.columns(2)
        applicant_id = name.text_input("Applicant", key="fill-applicant", placeholder="a name of your own", help=NAMELESS)
        as_of = day.date_input("The day the figures describe", value=None, key="fill-day")
        values: dict[str, Any] = {"applicant_id": applicant_id.strip() or None, "as_of": as_of}
        fields = st.columns(3)
        for place, column in enumerate([*needed, *computed]):
            with fields[place % 3]:
                value = filled(schema[column], None, f"fill-{column}")
            values[column] = None if value is UNTOUCHED else value
        st.caption("A field left empty is not known. What is computed of other figures may stay empty; where it is typed, both must agree.")
        if st.form_submit_button("Score", type="primary", icon=":material/speed:", key="fill-score"):
            with ui.guard(), st.spinner("Scoring …", show_time=True):
                (made,) = scoring.score_values(ui.store(), [values], user=ui.user(), channel="page", complete=True)
                ui.go("score", prediction=made.prediction_id)


NAMELESS = "Left empty, the score is kept under its own number."


def filled(feature: Feature, value: Any, key: str) -> Any:
    """Ask for one figure with its unit and bounds; returns UNTOUCHED where it stays what it was."""
    if not feature.is_numeric or feature.type == "flag":
        options = [None, *(feature.choices if feature.type == "choice" else (1, 0))]
        words = YES if feature.type == "flag" else {None: "not known"}
        shown = None if is_missing(value) else int(value) if feature.is_numeric else value
        options += [] if shown in options else [shown]
        said = st.selectbox(
            ui.literal(feature.title),
            options,
            index=options.index(shown),
            format_func=lambda it: words.get(it, it),
            key=key,
            help=_help(feature),
        )
        return UNTOUCHED if said == shown else said
    times = 100 if feature.unit == "share" else 1
    whole = feature.type == "integer"
    kind = int if whole else float
    shown = None if is_missing(value) else kind(round(float(value) * times, 0 if whole else 2))
    here = kind(max(feature.low or 0, 0) * times) if shown is None else shown  # a stored value beyond its bounds stays what it is
    said = st.number_input(
        ui.literal(feature.title + UNITS.get(feature.unit, f" ({feature.unit})" if feature.unit else "")),
        min_value=None if feature.low is None else min(kind(feature.low * times), here),
        max_value=None if feature.high is None else max(kind(feature.high * times), here),
        value=shown,
        step=1 if whole else STEPS.get(feature.unit),
        format="%d" if whole else "%.2f",
        placeholder="computed" if feature.formula else "not known",
        key=key,
        help=_help(feature),
    )
    if said == shown:
        return UNTOUCHED
    return None if said is None else said / times


def _help(feature: Feature) -> str:
    made = f" It is {feature.formula}: what is typed here is held against that." if feature.formula else ""
    return ui.literal(feature.meaning + made)
