"""One applicant's case: who it is, the way to the score, what speaks for them."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import streamlit as st
from pandas import DataFrame

import ui
from creditrisk import (
    applicants,
    charts,
    scorecard,
    scoring,
    settings,
)
from creditrisk.store import Store

REFERENCES = {"cut-off": "Near the cut-off", "everyone": "Everybody"}


ADVICE_COLOURS = {"approve": "green", "decline": "red", "refer": "orange", "insufficient data": "gray"}


@st.cache_data(show_spinner=False, max_entries=256)
def steps(_store: Store, prediction_id: str, top: int = 9) -> DataFrame:
    """The parts of a kept prediction; it never changes, so neither do they."""
    prediction = scoring.get(_store, prediction_id)
    return scoring.waterfall(_store, prediction, top, _typical(prediction, prediction.digest, prediction.baseline))


@st.cache_data(show_spinner=False, max_entries=256)
def supports(_store: Store, prediction_id: str) -> list[dict[str, Any]]:
    """What speaks for the applicant of a kept prediction."""
    prediction = scoring.get(_store, prediction_id)
    return scoring.supports(_store, prediction, typical=_typical(prediction, prediction.digest, prediction.baseline))


@st.cache_data(show_spinner=False, max_entries=64)
def _typical(_prediction: scoring.Prediction, digest: str, baseline: str) -> scoring.Values:  # noqa: ARG001  (they are the key)
    """What a model's predictions are explained against, by the digest of its file."""
    return scoring.reference(ui.store(), _prediction)


def waterfall(prediction: scoring.Prediction, top: int = 9) -> Any:
    """The way from the reference to this score, in points; in log-odds where points do not add up (the linear scale)."""
    parts = steps(ui.store(), prediction.prediction_id, top)
    scale = settings.Score(**prediction.scale)
    baseline = REFERENCES[prediction.baseline]
    if scale.scale == "linear":
        return charts.waterfall(parts, prediction.base, prediction.margin, unit="contribution", start_name=baseline)
    start, end = (scorecard.offset(scale) + scorecard.points(margin, scale) for margin in (prediction.base, prediction.margin))
    return charts.waterfall(parts, start, end, start_name=baseline)


def cutoff(prediction: scoring.Prediction) -> float:
    """The cut-off of the policy a prediction was made under, in points of its scale."""
    limit = scorecard.cost_cutoff(prediction.policy["margin"], prediction.policy["lgd"])
    return float(scorecard.score(limit, settings.Score(**prediction.scale)))


def person_name(person: Mapping[str, Any]) -> str:
    """'A0001 · Ann Example', or the id alone where no name is known."""
    name = person.get("name")
    return str(person["applicant_id"]) if ui.missing(name) else f"{person['applicant_id']} · {name}"


def known_until(person: Mapping[str, Any]) -> date:
    """The day up to which an applicant is looked at before features exist: that of the application, else after the last transaction."""
    if not ui.missing(person["applied_on"]):
        return person["applied_on"]
    return ui.today() if ui.missing(person["last_on"]) else person["last_on"] + timedelta(days=1)


def circumstances(person: Mapping[str, Any]) -> str:
    """What an applicant asked for and what is held of them, in two sentences."""
    if not person["n_statements"] and ui.of_table() and ui.missing(person["applied_on"]):
        return "A row of the lender's own table."
    asked = "No application is recorded."
    if not ui.missing(person["applied_on"]):
        amount = ui.money(person["amount"], person["currency"])
        asked = f"Asked for {amount} over {person['term_months']} months on {ui.day(person['applied_on'])}."
    return f"{asked} {ui.plural(person['n_transactions'], 'transaction')} in {ui.plural(person['n_statements'], 'statement')}."


def names(store: Store, search: str, limit: int) -> dict[str, str]:
    """What applicants are called in a list, by id; those scored last come first."""
    return {row["applicant_id"]: person_name(row) for row in ui.rows(applicants.people(store, search, limit))}


def pick_applicant(help: str, *, free: bool = True) -> str | None:
    """Let somebody choose an applicant; the URL names the choice, and any id may be typed."""
    known = ui.seen(names, "", 500)
    current = ui.asked("applicant")
    if current and current not in known:
        known |= {name: said for name, said in ui.seen(names, current, 20).items() if name == current}
    return ui.pick(
        "Applicant",
        list(known),
        "applicant",
        say=lambda name: known.get(name, name),
        help=help,
        free=free,
        prediction=None,
        feature=None,
    )
