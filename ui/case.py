"""One applicant's case: who it is, the way to the score, what speaks for them."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import streamlit as st
from pandas import DataFrame

import ui
from creditrisk import (
    applicants,
    certainty,
    charts,
    features,
    registry,
    scorecard,
    scoring,
    settings,
)
from creditrisk.errors import UnknownThing
from creditrisk.pipeline import Pipeline
from creditrisk.schema import Schema
from creditrisk.store import Store
from ui import account, recategorise

OFFERED = 200
ORDERED = 300.0  # seconds for which the applicants offered stay in their order, the last scored first
REFERENCES = {"cut-off": "Near the cut-off", "everyone": "Everybody"}


LEARNED = {
    "cluster": "from clusters",
    "rfm": "from RFM",
    "observed": "from outcomes",
    "review": "from verdicts",
    "combined": "from several",
}
ADVICE_COLOURS = {"approve": "green", "decline": "red", "refer": "orange", "insufficient data": "gray"}


@st.cache_resource(show_spinner=False, max_entries=6)
def _schema(_store: Store, model_id: str, digest: str) -> Schema:  # noqa: ARG001  (bytes that never change are the key)
    return registry.schema(_store, model_id)


@st.cache_resource(show_spinner=False, max_entries=6)
def _pipeline(_store: Store, model_id: str, digest: str) -> Pipeline:  # noqa: ARG001
    return registry.load(_store, model_id)


def model(prediction: scoring.Prediction) -> scoring.Model:
    """The model that made a prediction, ready to score; it never changes, so it is loaded once."""
    return ui.loaded(prediction.model_id, prediction.digest)


def champion() -> scoring.Model | None:
    """The model that scores, ready to; None where there is none."""
    found = ui.champion()
    return None if found is None else ui.loaded(found["model_id"], found["digest"])


def declared(prediction: scoring.Prediction) -> Schema:
    """The features as they were declared for the model that made a prediction."""
    return _schema(_store=ui.store(), model_id=prediction.model_id, digest=prediction.digest)


def pipeline(prediction: scoring.Prediction) -> Pipeline:
    """The fitted pipeline behind a prediction, also where the features have been declared anew since."""
    return _pipeline(_store=ui.store(), model_id=prediction.model_id, digest=prediction.digest)


@st.cache_data(show_spinner=False, max_entries=32)
def _lines(_store: Store, model_id: str, digest: str) -> certainty.Lines | None:  # noqa: ARG001
    return certainty.lines(_store, model_id)


def is_sure(prediction: scoring.Prediction) -> bool:
    """Whether there is history enough for a figure to rely on."""
    return prediction.is_sure


def chance(prediction: scoring.Prediction) -> str:
    """The probability in per cent; none where there is too little history to rely on one."""
    return ui.percent(prediction.pd) if is_sure(prediction) else "–"


def interval(prediction: scoring.Prediction) -> tuple[str, str]:
    """The interval of the probability in per cent, and how it was come by; what stands in its place for a thin file."""
    if not is_sure(prediction):
        return "insufficient data", "Too little history for a figure to rely on."
    found = _lines(_store=ui.store(), model_id=prediction.model_id, digest=prediction.digest)
    if found is None:
        return "no interval", "The model's held-out applicants are all of one kind, so that nothing says how sure it is."
    low, high = found.interval(prediction.margin)
    return f"{100 * low:.1f} to {100 * high:.1f} %", certainty.said(prediction.margin, found)


def said(prediction: scoring.Prediction) -> dict[str, Any]:
    """What the API answers of a prediction, to take away."""
    return prediction.to_json(_lines(ui.store(), prediction.model_id, prediction.digest))


@st.cache_data(show_spinner=False, max_entries=32, scope="session")
def steps(_prediction: scoring.Prediction, prediction_id: str, top: int = 9) -> DataFrame:  # noqa: ARG001  (the id is the key)
    """The parts of a kept prediction; it never changes, so neither do they."""
    return scoring.waterfall(
        ui.store(),
        _prediction,
        top,
        _typical(_prediction=_prediction, digest=_prediction.digest, baseline=_prediction.baseline),
        declared(_prediction),
    )


@st.cache_data(show_spinner=False, max_entries=32, scope="session")
def supports(_prediction: scoring.Prediction, prediction_id: str) -> list[dict[str, Any]]:  # noqa: ARG001
    """What speaks for the applicant of a kept prediction."""
    typical = _typical(_prediction=_prediction, digest=_prediction.digest, baseline=_prediction.baseline)
    return scoring.supports(ui.store(), _prediction, typical=typical, schema=declared(_prediction))


@st.cache_data(show_spinner=False, max_entries=64)
def _typical(_prediction: scoring.Prediction, digest: str, baseline: str) -> scoring.Values:  # noqa: ARG001  (they are the key)
    """What a model's predictions are explained against, by the digest of its file."""
    return scoring.reference(ui.store(), _prediction)


def waterfall(prediction: scoring.Prediction, top: int = 9) -> Any:
    """The way from the reference to this score, in points; in log-odds where points do not add up (the linear scale)."""
    parts = steps(_prediction=prediction, prediction_id=prediction.prediction_id, top=top)
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


def person(applicant_id: str) -> dict[str, Any]:
    """What is known of an applicant; raises UnknownThing for a stranger."""
    found: dict[str, Any] = ui.seen(applicants.person, applicant_id, but=ui.ON_CASES - {"score"})
    return found


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


def _names(store: Store) -> dict[str, str]:
    found = applicants.names(store, OFFERED)
    return {applicant_id: person_name({"applicant_id": applicant_id, "name": name}) for applicant_id, name in found.items()}


def pick_applicant(help: str, *, free: bool = True) -> str | None:
    """Let somebody choose an applicant; the URL names the choice, and any id may be typed."""
    known = ui.seen(_names, but=ui.ON_CASES, every=ORDERED)
    current = ui.asked("applicant")
    if current and current not in known:
        with suppress(UnknownThing):  # a stranger is shown by the id alone
            known[current] = person_name(person(current))
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


def behind(prediction: scoring.Prediction, options: list[str], *, has_statements: bool) -> None:
    """Let somebody choose a figure of a case and show its value, what it means and the movements it is made of.

    Nothing stands here until one is chosen: most who open a case read its reasons and go on, and movements are dear to look up.
    """
    schema = declared(prediction)
    titles = {feature.name: feature.title for feature in schema}
    help = "Scored figures first, then those only reported."
    name = ui.pick("Figure", options, "feature", say=lambda key: titles.get(key, key), help=help, hint="Choose what to look behind")
    if name is None:
        return
    feature = schema[name]
    value, meaning = st.columns([2, 3], gap="medium", vertical_alignment="center")
    with value:
        role = None if feature.role == "predictor" else "not scored"
        value_said = feature.say(prediction.inputs[feature.name])
        st.metric(ui.literal(feature.title), ui.literal(value_said), role, delta_color="off", delta_arrow="off", border=True)
    with meaning:
        st.markdown(f":gray[{ui.literal(feature.meaning)}]")
    if not has_statements:
        return
    evidence = ui.seen(features.evidence, prediction.applicant_id, prediction.as_of, feature, but=ui.ON_CASES)
    if evidence.empty:
        st.markdown(":gray[No transaction stands behind this figure in its window.]")
        return
    key, height = f"evidence-{feature.name}", ui.fitting(len(evidence), 9)
    recategorise.table(evidence, account.MOVES, key=key, alt=f"Transactions behind {feature.title}", height=height)


def figures_of(prediction: scoring.Prediction, first: Sequence[str] = ()) -> list[str]:
    """The figures of a case to look behind: `first`, the reasons, the other scored ones, then those only reported; nothing protected."""
    schema = declared(prediction)
    scored = [feature.name for feature in schema.predictors]
    reported = [feature.name for feature in schema if feature.role == "report"]
    return list(dict.fromkeys([*first, *(reason["feature"] for reason in prediction.reasons), *scored, *reported]))


def before(history: DataFrame, prediction_id: str) -> str | None:
    """The score before a given one in an applicant's history (newest first), or None for the first."""
    names = history["prediction_id"].tolist()
    later = names[names.index(prediction_id) + 1 :]
    return str(later[0]) if later else None


SCORES = {
    "scored_at": ui.instant_column("Scored (UTC)"),
    "score": ui.score_column(),
    "band": ui.text_column("Band"),
    "pd": ui.share_column("Risk", "PD, or risk (proxy) where the model learned from clusters"),
    "recommendation": ui.text_column("Recommendation"),
    "model_id": ui.text_column("Model"),
    "channel": ui.text_column("From"),
    "scored_by": ui.text_column("By"),
}


def scores(history: DataFrame) -> None:
    """Every score an applicant was given; picking one opens it."""
    ui.table(
        history,
        SCORES,
        key="all-scores",
        alt="All scores",
        opens="prediction_id",
        param="prediction",
        height=ui.fitting(len(history), most=6),
    )
