"""What a named person decided on a score: accepted, overridden, referred, or more was asked for. The program only recommends.

Decisions are appended; the present one is the last. The reasons kept are those of the component that decided: of the model, of the rule
of the policy, or the person's own. A decision is taken on the newest score, and by somebody who knows of every decision before.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from pandas import DataFrame

from creditrisk import policy, scoring
from creditrisk.errors import InvalidInput, Overtaken, UnknownThing
from creditrisk.policy import Recommendation
from creditrisk.schema import Schema, protects
from creditrisk.scoring import Prediction
from creditrisk.settings import Policy
from creditrisk.store import Store, now

Action = Literal["accept", "override", "refer", "ask"]
Outcome = Literal["approve", "decline", "refer", "ask"]
Component = Literal["model", "policy", "person"]
FINAL = ("approve", "decline")
LEAST_COMMENT = 10  # characters
MOST_REASONS = 4
LONGEST = 2_000
RECENT = 2_000  # newest predictions on which the effect of a policy is told


@dataclass(frozen=True)
class Decision:
    """One decision as it is kept: a row of the table `decision`."""

    decision_id: int
    prediction_id: str
    action: Action
    outcome: Outcome
    component: Component
    reasons: list[str]
    asked: list[str]
    comment: str
    decided_at: datetime
    decided_by: str

    def in_words(self) -> str:
        """Return what was done, to go on after the person's name."""
        if self.action == "ask":
            return f"asked for more: {'; '.join(self.asked)}"
        if self.action == "refer":
            return f"referred the case: {self.comment}"
        done = {"approve": "approved", "decline": "declined"}[self.outcome]
        return f"{done}, as recommended" if self.action == "accept" else f"{done} on their own judgement: {self.comment}"


@dataclass(frozen=True)
class Said:
    """What a person says on one score; `after` is the last decision they know of (None: there was none).

    Who declines as recommended, but for reasons of their own, overrides: the notice must not list the model's.
    """

    action: str
    outcome: str | None = None
    comment: str = ""
    reasons: Sequence[str] = ()
    asked: Sequence[str] = ()
    after: int | None = None


def decide(store: Store, prediction_id: str, said: Said, *, user: str) -> Decision:
    """Record a decision; returns it as kept.

    Raises InvalidInput for what `check` complains of, UnknownThing, NotAllowed without the role, ReadBlind, and Overtaken where there is
    a newer score or a decision the person did not know of.
    """
    prediction = scoring.get(store, prediction_id, reader=user)
    if wrong := check(said, prediction, scoring.declared(store, prediction)):
        raise InvalidInput(wrong)
    outcome = said.outcome if said.action == "override" else prediction.recommendation if said.action == "accept" else said.action
    component, reasons = _reasons(said, prediction)
    with store.write(user, "decide", prediction_id, how=said.action, outcome=outcome, component=component) as cursor:
        _require_present(cursor, prediction, said)
        facts: dict[str, Any] = {
            "prediction_id": prediction_id,
            "action": said.action,
            "outcome": outcome,
            "component": component,
            "reasons": json.dumps(reasons, ensure_ascii=False),
            "asked": json.dumps(_lines(said.asked), ensure_ascii=False),
            "comment": said.comment.strip(),
            "decided_at": now(),
            "decided_by": str(user).strip(),
        }
        names = ", ".join(facts)
        marks = ", ".join(f"${name}" for name in facts)
        made = cursor.execute(f"insert into decision ({names}) values ({marks}) returning decision_id", facts).fetchall()
    return _read({"decision_id": made[0][0], **facts})


def check(said: Said, prediction: Prediction, schema: Schema) -> str | None:
    """Return what is wrong with what a person says, in a sentence, or None."""
    if said.action not in get_args(Action):
        return f"A decision is one of {', '.join(get_args(Action))}; not {said.action!r}."
    long = next((text for text in (said.comment, *said.reasons, *said.asked) if len(text) > LONGEST), None)
    if long:
        return f"“{long[:40]}…” has {len(long):,} characters; at most {LONGEST:,} are kept."
    if said.action == "accept":
        return _cannot_accept(prediction)
    if said.action == "ask":
        return None if _lines(said.asked) else "Say what the applicant is asked for: a document, a figure, an explanation."
    if len(said.comment.strip()) < LEAST_COMMENT:
        what = "An override" if said.action == "override" else "A referral"
        return f"{what} needs a comment of at least {LEAST_COMMENT} characters that somebody can read next year."
    return _cannot_override(said, prediction, schema) if said.action == "override" else None


def advice(prediction: Prediction) -> Recommendation:
    """Return the recommendation of a kept prediction again, with the rule that gave it, from the policy it was made under."""
    return policy.recommend(prediction.pd, prediction.inputs, Policy(**prediction.policy), is_proxy=prediction.is_proxy)


def component(prediction: Prediction) -> Component:
    """Return what a recommendation comes from: the model at the cut-off, the policy at every other rule."""
    return "model" if advice(prediction).rule == "cut-off" else "policy"


def current(store: Store, prediction_id: str) -> Decision | None:
    """Return the decision that stands on a prediction, or None."""
    row = store.record("select * from decision_current where prediction_id = $id", id=prediction_id)
    return None if row is None else _read(row)


def of_case(store: Store, prediction_id: str) -> list[Decision]:
    """Return every decision on a prediction, newest first; raises UnknownThing for a prediction nobody made."""
    made = taken(store, prediction_id)
    if not made and store.value("select 1 from prediction where prediction_id = $id", id=prediction_id) is None:
        raise UnknownThing("prediction", prediction_id)
    return made


def taken(store: Store, prediction_id: str) -> list[Decision]:
    """Return every decision on a prediction that is known to have been made, newest first."""
    rows = store.records("select * from decision where prediction_id = $id", id=prediction_id)
    return sorted(map(_read, rows), key=lambda made: -made.decision_id)


def sealed(store: Store, prediction_id: str) -> DataFrame:
    """Return the rows of the audit chain that decisions on a prediction left, oldest first: seq, happened_at, user_name, action, hash."""
    return store.read(
        """select seq, happened_at, user_name, action, hash from audit
        where subject = $id and action in ('decide', 'score') order by seq""",
        id=prediction_id,
    )


def effects(store: Store) -> DataFrame:
    """Return what today's policy does to the newest predictions: rule, sentence, n (decided by this rule), n_all.

    Rules in their order; the two of the data's quality share one count, and so do the knock-outs.
    """
    # Which they are is settled by narrow columns: to carry everybody's figures through the ranking takes seconds.
    newest = "select prediction_id from prediction_current order by scored_at desc, prediction_id limit $n"
    found = store.rows(f"select pd, inputs, is_proxy from prediction where prediction_id in ({newest})", n=RECENT)
    rules, counts = policy.rules(store.settings.policy, store.schema), dict.fromkeys(get_args(policy.Rule), 0)
    for pd, inputs, is_proxy in found:
        counts[policy.recommend(pd, json.loads(inputs), store.settings.policy, is_proxy=is_proxy).rule] += 1
    rows = [(rule, sentence, counts[rule], len(found)) for rule, sentence in rules]
    return DataFrame(rows, columns=["rule", "sentence", "n", "n_all"])


def improper(text: str, schema: Schema) -> str | None:
    """Return why a text must not stand as a reason, as a clause, or None: a raw column's name, a protected trait, the mere score."""
    raw = next((feature.name for feature in schema if "_" in feature.name and feature.name in text), None)
    if raw:
        return f"names the column {raw}: say it in words, such as “{schema[raw].title}”"
    if word := protects(text):
        return f"speaks of {word}, which must not decide about anybody"
    if text.strip(" .!").casefold() in EMPTY:
        return "says nothing specific: a reason names what it rests on"
    return None


EMPTY = {"score too low", "low score", "the score is too low", "internal policy", "internal standards", "insufficient score"}


def _cannot_accept(prediction: Prediction) -> str | None:
    if prediction.recommendation in FINAL:
        is_bare = prediction.recommendation == "decline" and not _reasons(Said("accept"), prediction)[1]
        return (
            "The model names no reason that weighs a point, and nobody is declined without: give reasons of your own." if is_bare else None
        )
    return (
        f"The recommendation is “{prediction.recommendation}”, which leaves the decision to a person: approve or decline with reasons of "
        "your own, refer the case, or ask for information."
    )


def _cannot_override(said: Said, prediction: Prediction, schema: Schema) -> str | None:
    if said.outcome not in FINAL:
        return f"An override approves or declines; not {said.outcome!r}."
    if said.outcome == prediction.recommendation == "approve":
        return "To approve is what is recommended: accept the recommendation instead."
    reasons = _lines(said.reasons)
    if not 1 <= len(reasons) <= MOST_REASONS:
        return f"An override rests on one to {MOST_REASONS} reasons of the person's own, which go into the record and the notice."
    for reason in reasons:
        if len(reason) < LEAST_COMMENT:
            return f"The reason “{reason}” is too short to mean anything to the applicant: at least {LEAST_COMMENT} characters."
        if clause := improper(reason, schema):
            return f"The reason “{reason}” {clause}."
    return None


def _reasons(said: Said, prediction: Prediction) -> tuple[Component, list[str]]:
    """Return what decided and its reasons; an approval on the model's advice needs none."""
    if said.action != "accept":
        return "person", _lines(said.reasons)
    decided = component(prediction)
    if prediction.recommendation == "approve":
        return decided, []
    return decided, [reason["text"] for reason in prediction.reasons] if decided == "model" else [prediction.because]


def _lines(texts: Sequence[str]) -> list[str]:
    return [" ".join(text.split()) for text in texts if text.strip()]


def _require_present(cursor: Any, prediction: Prediction, said: Said) -> None:
    newest = cursor.execute(
        "select prediction_id, scored_at from prediction_current where applicant_id = $id", {"id": prediction.applicant_id}
    ).fetchall()
    if newest[0][0] != prediction.prediction_id:
        raise Overtaken(f"{prediction.applicant_id} was scored again at {newest[0][1]:%Y-%m-%d %H:%M} UTC: decide on the newest score.")
    last = cursor.execute(
        "select decision_id, decided_by, outcome, decided_at from decision_current where prediction_id = $id",
        {"id": prediction.prediction_id},
    ).fetchall()
    if last and last[0][0] != said.after:
        _, who, outcome, at = last[0]
        raise Overtaken(f"{who} decided “{outcome}” at {at:%Y-%m-%d %H:%M} UTC: look at that decision before you take another.")
    if last and last[0][2] in FINAL and len(said.comment.strip()) < LEAST_COMMENT:
        raise InvalidInput(f"This case was decided already: a new decision needs a comment of at least {LEAST_COMMENT} characters.")


def _read(row: dict[str, Any]) -> Decision:
    plain = {name: row[name] for name in Decision.__dataclass_fields__}
    return Decision(**{**plain, "reasons": json.loads(row["reasons"]), "asked": json.loads(row["asked"])})
