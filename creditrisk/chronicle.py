"""What happened to a case, in the order it happened: scored, decided, taken in hand, judged, inspected, learned from, replaced.

Told from the facts themselves, so that nothing is in the story that is not kept, and nothing kept is left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import floor
from typing import Any

from pandas import DataFrame

from creditrisk import blinding
from creditrisk.errors import UnknownThing
from creditrisk.store import Store, now

Row = Mapping[str, Any]
Event = tuple[Any, int, str, str, str]  # happened_at, place among those of one instant, who, kind, what


def of_case(store: Store, prediction_id: str, *, reader: str | None = None, made: Row | None = None) -> DataFrame:
    """Return the story of one prediction: happened_at, who, kind, what (a sentence that goes on after the name).

    While `reader` has the case in hand they are told nothing that others said of it. `made` is the prediction, where it is at hand.
    Raises UnknownThing for a prediction nobody made.
    """
    # Facts are asked for by their tables and worded here: one statement that worded and joined them all took longer to plan than to run.
    scored = made or store.record(SCORED, id=prediction_id) or store.record(SCORED_IN_BATCH, id=prediction_id)
    if scored is None:
        raise UnknownThing("prediction", prediction_id)
    claims, reviews = (store.records(facts, id=prediction_id) for facts in (CLAIMS, REVIEWS))
    own = "" if reader is None else str(reader).strip().lower()
    is_blind = reader is not None and scored["applicant_id"] in blinding.hidden(store, reader)
    mine = is_blind or any(row["claimed_by"].lower() == own and row["how"] is None and row["expires_at"] > now() for row in claims)
    if mine:
        claims = [row for row in claims if row["claimed_by"].lower() == own]
        reviews = [row for row in reviews if row["reviewed_by"].lower() == own]
    events = [_scored(scored, is_blind=is_blind), *_claimed(claims, is_blind=is_blind), *map(_judged, reviews)]
    if not mine:
        events += _others_did(store, prediction_id, scored, {row["review_id"]: row for row in reviews})
    events.sort(key=lambda event: (event[0], event[1], event[4]))
    return DataFrame([(at, who, kind, what) for at, _, who, kind, what in events], columns=["happened_at", "who", "kind", "what"])


def _scored(row: Row, *, is_blind: bool) -> Event:
    result = "" if is_blind else f": {floor(row['score'])} points ({row['band']}), {row['recommendation']}"
    return row["scored_at"], 1, row["scored_by"], "scored", f"scored {row['applicant_id']} with {row['model_id']}{result}"


def _claimed(claims: Sequence[Row], *, is_blind: bool) -> Iterator[Event]:
    for row in claims:
        blind = ", to be judged before the score is shown" if row["is_blind"] else ""
        why = "" if is_blind else PROPOSED[row["slot"]]  # near the cut-off, or at odds with its label, says much of a score
        yield row["claimed_at"], 2, row["claimed_by"], "claimed", f"took the case in hand{why}{blind}"
        if row["how"] in LET_GO:
            yield row["ended_at"], 3, row["claimed_by"], row["how"], LET_GO[row["how"]]


def _judged(row: Row) -> Event:
    verdict = f"called the {_side(row)} {row['verdict']}" if row["verdict"] != "cannot judge" else f"could not judge the {_side(row)}"
    right = "" if row["corrected"] is None else f"; right would be {row['corrected']}"
    blind = ", without having seen the score" if row["is_blind"] else ""
    return row["reviewed_at"], 4, row["reviewed_by"], "judged", verdict + right + blind + _comment(row)


def _others_did(store: Store, prediction_id: str, scored: Row, reviews: Mapping[str, Row]) -> Iterator[Event]:
    """Tell what is kept from whoever has the case in hand: inspections, decisions, what was learned, and scores since."""
    inspections = store.records(INSPECTIONS, id=prediction_id) if reviews else []
    for row in inspections:
        review = reviews[row["review_id"]]
        what = f"{row['status']} the verdict of {review['reviewed_by']} on the {_side(review)}: “{row['reason']}”"
        yield row["inspected_at"], 5, row["inspected_by"], "inspected", what
    for row in store.records("select * from decision where prediction_id = $id", id=prediction_id):
        yield row["decided_at"], 5, row["decided_by"], "decided", DECIDED[row["outcome"]] + HOW.get(row["action"], "") + _comment(row)
    if accepted := [row["inspected_at"] for row in inspections if row["status"] == "accepted"]:
        yield from store.rows(TAUGHT, applicant=scored["applicant_id"], since=min(accepted))
    for row in store.records(AGAIN, applicant=scored["applicant_id"], at=scored["scored_at"]):
        what = f"scored the applicant again with {row['model_id']}: {floor(row['score'])} points ({row['band']})"
        yield row["scored_at"], 9, row["scored_by"], "scored again", what


def _side(row: Row) -> str:
    return "recommendation" if row["about"] == "decision" else str(row["about"])


def _comment(row: Row) -> str:
    return f": “{row['comment']}”" if row["comment"] else ""


PROPOSED = {
    "near cut-off": ", proposed because it lies near the cut-off",
    "suspect": ", proposed because its label is suspect",
    "disagreement": ", proposed because the model and its proxy label disagree",
    "exposure": ", proposed because much money is asked for",
    "random": ", drawn at random",
    "second reading": " for a second reading",
    "chosen": ", chosen by hand",
}
LET_GO = {"skipped": "passed the case on unjudged", "released": "gave the case back"}
DECIDED = {"approve": "approved", "decline": "declined", "refer": "referred the case", "ask": "asked for more"}
HOW = {"accept": ", as recommended", "override": ", on their own judgement"}

SCORED = "select applicant_id, model_id, score, band, recommendation, scored_at, scored_by from prediction where prediction_id = $id"
CLAIMS = "select claim.*, how, ended_at from claim left join claim_end using (claim_id) where prediction_id = $id"
REVIEWS = "select * from review where prediction_id = $id"
INSPECTIONS = "select * from inspection where review_id in (select review_id from review where prediction_id = $id)"
AGAIN = "select scored_at, scored_by, model_id, score, band from prediction where applicant_id = $applicant and scored_at > $at"

# one of a batch is called batch_id-row
SCORED_IN_BATCH = """
select coalesce(applicant_id, $id) as applicant_id, model_id, score, band, recommendation, scored_at, created_by as scored_by
from batch_score
join batch using (batch_id)
join batch_part on batch_part.batch_id = batch_score.batch_id and row between first_row and last_row
where batch_score.batch_id = split_part($id, '-', 1) and row = try_cast(split_part($id, '-', 2) as integer)
"""

# Label sets frozen after the first accepted verdict, in which a verdict made the label; what was trained on them, and promoted.
TAUGHT = """
with taught as (
    select label_set.label_set_id, label_set.created_at, label_set.created_by, label.bad
    from label_set
    join label using (label_set_id)
    where label.applicant_id = $applicant and label.source = 'review' and label.bad is not null and label_set.created_at > $since
)
select created_at, 6, created_by, 'learned',
    'froze label set ' || label_set_id || ', in which the applicant counts as ' || if(bad, 'bad', 'good') || ' by accepted verdicts'
from taught
union all
select model.created_at, 7, model.created_by, 'retrained', 'trained ' || model_id || ' on label set ' || label_set_id
from model join taught using (label_set_id)
union all
select happened_at, 8, by_user, 'promoted', 'promoted ' || model_id || ', which learned from this case, to champion'
from model_event join model using (model_id) join taught using (label_set_id)
where status = 'champion'
"""
