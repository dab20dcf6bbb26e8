"""What the lender wants: the cut-off, the guards in front of it, and the recommendation with the rule that gave it.

The program recommends and a named person decides. A history that cannot be checked is never taken as long enough.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import isnan, nan
from numbers import Real
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from creditrisk import scorecard
from creditrisk.errors import InvalidInput
from creditrisk.schema import Feature, Schema
from creditrisk.settings import LIMIT, Policy

Decision = Literal["approve", "decline", "refer", "insufficient data"]
Rule = Literal["history", "data", "knock-out", "refer band", "cut-off"]
Verdict = tuple[Decision, str, Rule]
SIGNS = {"<": "below", "<=": "at or below", ">": "above", ">=": "at or above"}
HISTORY = ("observed_days", "history_days")  # the first of these that the applicant's schema declares is the guard
DATA = ("unreconciled_balance_flag", "uncategorised_amount_share_90d")  # what says how far the figures can be trusted


@dataclass(frozen=True)
class Recommendation:
    """What the policy says of one applicant; `because` is the rule in words, `cutoff` the probability it compared with.

    `rule` says which rule it was. Only at the cut-off does the model decide, and only then are its reasons the reasons.
    """

    decision: Decision
    because: str
    cutoff: float
    rule: Rule


def cutoff(policy: Policy) -> float:
    """Return the probability of default below which a loan earns more than it loses.

    >>> round(cutoff(Policy(margin=0.08, lgd=0.45)), 4)
    0.1509
    """
    return float(scorecard.cost_cutoff(policy.margin, policy.lgd))


def recommend(
    prob_default: float, values: Mapping[str, object], policy: Policy, *, is_proxy: bool = False, schema: Schema | None = None
) -> Recommendation:
    """Apply the policy to one applicant: history first, then the quality of the data, the knock-outs, the distance to the cut-off.

    `values` holds every feature the schema declares, None or NaN where it is not known. A guard the schema does not
    declare is not applied; a history that is declared and not known counts as too short. A knock-out that cannot be checked
    goes to a person; `schema` gives it its words.
    """
    limit = cutoff(policy)
    decision, because, rule = (
        _too_little_history(values, policy)
        or _doubtful_data(values, policy)
        or _knocked_out(values, policy, schema)
        or _against_cutoff(prob_default, limit, policy, "risk (proxy)" if is_proxy else "PD")
    )
    return Recommendation(decision, because, limit, rule)


def read(policy: Policy, schema: Schema) -> list[Feature]:
    """Return the features the policy reads beside the model, in declared order: the history, the quality of the data, the knock-outs."""
    names = {feature.name for feature in schema}
    guard = next((name for name in HISTORY if name in names), None)
    return [feature for feature in schema if feature.name in {guard, *DATA, *policy.knock_outs}]


def unsaid(policy: Policy, schema: Schema, columns: Collection[str]) -> list[str]:
    """Say what a table without some columns leaves the policy to do with every row, a sentence for each column that decides so."""
    said = []
    for feature in read(policy, schema):
        if feature.name not in columns and feature.name in HISTORY:
            said.append(f"{feature.name} ({feature.title}) is not in the file: an unknown history is too short, so no row is recommended.")
        elif feature.name not in columns and feature.name in policy.knock_outs:
            said.append(f"{feature.name} ({feature.title}) is not in the file: its knock-out cannot be checked, so rows go to a person.")
    return said


def decisions(prob_default: NDArray[np.float64], values: Mapping[str, NDArray[Any]], policy: Policy) -> NDArray[np.object_]:
    """Return what `recommend` decides of many applicants, of whom `values` holds a column per declared feature."""
    limit = cutoff(policy)
    found = np.where(prob_default < limit, "approve", "decline").astype(np.object_)
    with np.errstate(invalid="ignore"):
        found[~((prob_default >= 0) & (prob_default <= 1)) | (np.abs(prob_default - limit) < policy.refer_band)] = "refer"
        for name, bound in reversed(list(policy.knock_outs.items())):  # what is said first in `recommend` is written last here
            numbers = _numbers(values, name, prob_default)
            found[np.isnan(numbers)] = "refer"
            found[_beyond(numbers, bound)] = "decline"
        unknown = _numbers(values, "uncategorised_amount_share_90d", prob_default) > policy.max_uncategorised_share
        broken = np.abs(_numbers(values, "unreconciled_balance_flag", prob_default)) > 0
        guard = next((name for name in HISTORY if name in values), None)
        long = guard is None or _numbers(values, guard, prob_default) >= policy.min_history_days
    found[unknown | broken] = "refer"
    found[~np.broadcast_to(long, found.shape)] = "insufficient data"
    return found


def _numbers(values: Mapping[str, NDArray[Any]], name: str, like: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a column of numbers; NaN throughout where there is none of that name, or it holds none."""
    column = values.get(name)
    return np.full(like.shape, nan) if column is None or column.dtype.kind not in "fiub" else column.astype(np.float64)


def rules(policy: Policy, schema: Schema) -> list[tuple[Rule, str]]:
    """Return the policy in words, in the order in which it is applied: (rule, sentence)."""
    names = {feature.name for feature in schema}
    said: list[tuple[Rule, str]] = []
    if names & set(HISTORY):
        said.append(("history", f"Less than {_days(policy.min_history_days)} of history observed is too little for a recommendation."))
    if "unreconciled_balance_flag" in names:
        said.append(("data", "A statement that does not add up goes to a person."))
    if "uncategorised_amount_share_90d" in names:
        said.append(("data", f"More than {_percent(policy.max_uncategorised_share)} of money of unknown kind goes to a person."))
    for name, limit in policy.knock_outs.items():
        said.append(("knock-out", f"{_title(name, schema)} {_limit(name, limit, schema)} declines, whatever the model says."))
    said.append(("refer band", f"Within {_points(policy.refer_band)} of the cut-off a person decides."))
    terms = f"margin {_percent(policy.margin)}, loss given default {_percent(policy.lgd)}"
    said.append(("cut-off", f"Below {_percent(cutoff(policy))} is approved, from there on declined ({terms})."))
    return said


def _too_little_history(values: Mapping[str, object], policy: Policy) -> Verdict | None:
    guard = next((name for name in HISTORY if name in values), None)
    if guard is None:
        return None
    days, needed = _number(values[guard]), policy.min_history_days
    if days is None:
        return (
            "insufficient data",
            f"It is not known how many days of history were observed; the policy asks for at least {needed}.",
            "history",
        )
    if days < needed:
        return "insufficient data", f"Only {_days(days)} of history observed; the policy asks for at least {needed}.", "history"
    return None


def _doubtful_data(values: Mapping[str, object], policy: Policy) -> Verdict | None:
    if _number(values.get("unreconciled_balance_flag")):
        said = "its opening balance plus its transactions is not its closing balance, or several currencies are mixed"
        return "refer", f"A statement does not add up: {said}.", "data"
    unknown = _number(values.get("uncategorised_amount_share_90d"))
    if unknown is not None and unknown > policy.max_uncategorised_share:
        most = _percent(policy.max_uncategorised_share)
        return "refer", f"{_percent(unknown)} of the money moved is of unknown kind; the policy accepts at most {most}.", "data"
    return None


def _knocked_out(values: Mapping[str, object], policy: Policy, schema: Schema | None) -> Verdict | None:
    for name, limit in policy.knock_outs.items():
        value, title = _number(values.get(name)), _title(name, schema)
        if value is None:
            return "refer", f"The policy's rule on “{title}” cannot be checked: the figure is not known.", "knock-out"
        if _beyond(value, limit):
            said = next((feature.say(value) for feature in schema or () if feature.name == name), f"{value:g}")
            return "decline", f"{title} is {said}; the policy declines what is {_limit(name, limit, schema)}.", "knock-out"
    return None


def _beyond(value: Any, limit: str) -> Any:
    """Say whether a number, or each of an array, is beyond a limit like "> 0"."""
    sign, bound = _parts(limit)
    return {"<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound}[sign]


def _limit(name: str, limit: str, schema: Schema | None) -> str:
    sign, bound = _parts(limit)
    feature = next((feature for feature in schema or () if feature.name == name), Feature(name, name))
    return f"{SIGNS[sign]} {feature.say(bound)}"


def _parts(limit: str) -> tuple[str, float]:
    found = LIMIT.fullmatch(limit)
    if found is None:
        raise InvalidInput(f'A knock-out is <, <=, > or >= and a number, like "> 0"; not {limit!r}.')
    return found[1], float(found[2])


def _title(name: str, schema: Schema | None) -> str:
    return next((feature.title for feature in schema or () if feature.name == name), name.replace("_", " "))


def _against_cutoff(prob_default: float, limit: float, policy: Policy, word: str) -> Verdict:
    if not 0 <= prob_default <= 1:  # NaN included
        return "refer", f"No {word} could be computed, so a person has to decide.", "cut-off"
    figures = f"{word} {_percent(prob_default)}", f"the cut-off of {_percent(limit)}"
    if abs(prob_default - limit) < policy.refer_band:
        return "refer", f"{figures[0]} is within {_points(policy.refer_band)} of {figures[1]}.", "refer band"
    terms = f"(margin {_percent(policy.margin)}, loss given default {_percent(policy.lgd)})"
    if prob_default < limit:
        return "approve", f"{figures[0]} is below {figures[1]} {terms}.", "cut-off"
    return "decline", f"{figures[0]} is {'above' if prob_default > limit else 'at'} {figures[1]} {terms}.", "cut-off"


def _number(value: object) -> float | None:
    number = float(value) if isinstance(value, Real) else nan
    return None if isnan(number) else number


def _days(days: float) -> str:
    return f"{days:.0f} day{'' if round(days) == 1 else 's'}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _points(share: float) -> str:
    return f"{100 * share:.1f} percentage points"
