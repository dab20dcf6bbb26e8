"""The record of one case: what was known, which model said what and why, which rule and which person decided, and that nobody edited it.

Written from the facts as they are kept, never from today's settings; everything that came from outside is escaped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from creditrisk import applicants, card, certainty, decisions, labels, policy, registry, scoring
from creditrisk.decisions import Decision
from creditrisk.errors import TamperedArtefact
from creditrisk.schema import is_missing
from creditrisk.scorecard import shown
from creditrisk.scoring import Prediction
from creditrisk.settings import Policy, Score
from creditrisk.store import Store

COMPONENTS = {"model": "the model", "policy": "a rule of the lender's policy", "person": "the person who decided"}
OUTCOMES = {"approve": "Approved", "decline": "Declined", "refer": "Referred to a person", "ask": "More information asked for"}
ADVICE = {"approve": "to approve", "decline": "to decline", "refer": "to refer the case to a person"}
HOW = {
    "accept": "as recommended",
    "override": "otherwise than recommended",
    "refer": "by referring the case",
    "ask": "by asking for information",
}
GROUPS = {"cut-off": "applicants near the cut-off", "everyone": "all applicants"}
UNITS = {"points": "Points", "contribution": "Log-odds"}
SAME = 1e-9  # how far a replay may be off
NUMBERS = ("Value", "Reference", "Points", "Log-odds")  # columns that stand against the right
STYLE = """
body{font:15px/1.45 system-ui,sans-serif;max-width:58rem;margin:2rem auto;padding:0 1rem;color:#1c2430;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.1rem;margin-top:1.8rem;border-bottom:1px solid #ccd3dc}table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.25rem .8rem .25rem 0;border-bottom:1px solid #e6eaef;overflow-wrap:anywhere}
th{font-weight:600}td:first-child{width:34%}table.listed td:first-child{width:auto}p.note{color:#56606e}
.number{text-align:right;white-space:nowrap;padding:.25rem 0 .25rem 1.2rem;font-variant-numeric:tabular-nums}
p.lead{font-size:1.1rem;border-left:4px solid #17877d;padding-left:.8rem}
@page{size:A4;margin:16mm}@media print{body{font-size:10.5px;margin:0;max-width:none}h2{break-after:avoid}tr,p{break-inside:avoid}}
"""


@dataclass(frozen=True)
class Part:
    """One part of a record: its heading, rows of cells (the first is the heading row where `has_header`), and a sentence below."""

    title: str
    rows: Sequence[Sequence[str]]
    has_header: bool = False
    note: str = ""


def parts(store: Store, prediction_id: str) -> list[Part]:
    """Return the record of a prediction; raises UnknownThing for one nobody made."""
    prediction = scoring.get(store, prediction_id)
    return [
        _case(store, prediction),
        *_decided(decisions.of_case(store, prediction_id)),
        _advice(store, prediction),
        _reasons(prediction),
        _policy(store, prediction),
        _model(store, prediction),
        *_inputs(store, prediction),
        _proof(store, prediction),
    ]


def title(prediction: Prediction) -> str:
    """Return what a record is headed with."""
    return f"Decision record of {prediction.applicant_id}"


def lead(store: Store, prediction: Prediction) -> str:
    """Say in a few sentences how the case stands: who decided what, the score, the recommendation."""
    word = "risk (proxy)" if prediction.is_proxy else "probability of default"
    score = f"The score is {shown(prediction.score)} points ({prediction.band}), the {word} {100 * prediction.pd:.1f} %"
    if not prediction.is_sure:
        advice = "there was too little history for the lender's policy to recommend anything"
    else:
        advice = f"the lender's policy recommended {ADVICE[prediction.recommendation]}"
    made = decisions.of_case(store, prediction.prediction_id)
    if not made:
        return f"Nobody has decided yet. {score}; {advice}."
    last = made[0]
    return f"{OUTCOMES[last.outcome]} by {last.decided_by} on {_day(last.decided_at)}, {HOW[last.action]}. {score}; {advice}."


def html(store: Store, prediction_id: str) -> str:
    """Return the record as one page of HTML that needs nothing else."""
    prediction = scoring.get(store, prediction_id)
    heading = escape(title(prediction))
    body = "".join(_html(part) for part in parts(store, prediction_id))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{heading}</title><style>{STYLE}</style></head>'
        f'<body><h1>{heading}</h1><p class="lead">{escape(lead(store, prediction))}</p>{body}</body></html>'
    )


def pdf(store: Store, prediction_id: str) -> bytes:
    """Return the record as a PDF of A4 pages."""
    prediction = scoring.get(store, prediction_id)
    lines = [f"# {title(prediction)}", "", _cell(lead(store, prediction)), ""]
    for part in parts(store, prediction_id):
        lines += [f"## {part.title}", ""]
        for place, row in enumerate(part.rows):
            if part.has_header:
                lines.append("| " + " | ".join(_cell(text, WIDE if len(row) < 4 else CELL) for text in row) + " |")
                lines += ["|" + "---|" * len(row)] if place == 0 else []
            else:
                lines.append(f"- {_cell(': '.join(text for text in row if text))}")
        lines += ["", *([_cell(part.note), ""] if part.note else [])]
    return card.pdf("\n".join(lines))


CELL, WIDE = 44, 78  # characters of a cell on paper, and where a table has few columns


def _cell(text: str, most: int | None = None) -> str:
    """Return a text on one line that the layout of the paper cannot take for its own signs."""
    plain = " ".join(text.split()).replace("|", "¦").replace("**", "* *").replace("`", "'")
    return plain if most is None or len(plain) <= most else f"{plain[: most - 1]}…"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _day(at: datetime) -> str:
    return f"{at.day} {at:%B %Y}"


def _signed(value: float, digits: int) -> str:
    text = f"{value:+.{digits}f}"
    return text.lstrip("+-") if not text.strip("+-0.") else text.replace("-", "−")


def _html(part: Part) -> str:
    rows, headings = [], part.rows[0] if part.has_header else ()
    kinds = [' class="number"' if heading in NUMBERS else "" for heading in headings] or [""] * 2
    for place, row in enumerate(part.rows):
        tag = "th" if part.has_header and place == 0 else "td"
        rows.append("<tr>" + "".join(f"<{tag}{kind}>{escape(text)}</{tag}>" for text, kind in zip(row, kinds, strict=True)) + "</tr>")
    note = f'<p class="note">{escape(part.note)}</p>' if part.note else ""
    table = '<table class="listed">' if headings else "<table>"
    return f"<h2>{escape(part.title)}</h2>{table}{''.join(rows)}</table>{note}"


def _case(store: Store, prediction: Prediction) -> Part:
    rows = [("Applicant", prediction.applicant_id)]
    known = store.value("select 1 from application where applicant_id = $id limit 1", id=prediction.applicant_id)
    if known:
        person = applicants.person(store, prediction.applicant_id)
        asked = (
            "not stated"
            if is_missing(person["amount"])
            else f"{person['amount']:,.2f} {person['currency'] or ''}".rstrip() + f" over {person['term_months']} months"
        )
        rows += [("Name", person["name"] or "not stated"), ("Applied on", f"{person['applied_on']}"), ("Asked for", asked)]
        rows += [("Purpose", person["purpose"])] if person["purpose"] else []
    rows += [
        ("Figures as of", str(prediction.as_of or "not stated")),
        ("Scored", f"{prediction.scored_at:%Y-%m-%d %H:%M:%S} UTC by {prediction.scored_by} ({prediction.channel})"),
        ("Prediction", prediction.prediction_id),
    ]
    return Part("The case", rows)


def _decided(found: Sequence[Decision]) -> list[Part]:
    if not found:
        return [Part("Decision", [("Decision", "Nobody has decided yet; the program only recommends.")])]
    return [Part("Decision" if not place else "An earlier decision", _decision(each)) for place, each in enumerate(found)]


def _decision(made: Decision) -> list[tuple[str, str]]:
    rows = [
        ("Decision", OUTCOMES[made.outcome]),
        ("By", made.decided_by),
        ("At", f"{made.decided_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("How", HOW[made.action]),
        ("What decided", COMPONENTS[made.component]),
    ]
    rows += [(f"Reason {place}", reason) for place, reason in enumerate(made.reasons, 1)]
    rows += [(f"Asked for {place}", asked) for place, asked in enumerate(made.asked, 1)]
    return rows + ([("Comment", made.comment)] if made.comment else [])


def _advice(store: Store, prediction: Prediction) -> Part:
    word = "Risk (proxy)" if prediction.is_proxy else "Probability of default"
    advice = decisions.advice(prediction)
    found = certainty.known(store, prediction.model_id) if prediction.is_sure else None
    chance = f"{100 * prediction.pd:.2f} %"
    note = "" if prediction.is_sure else "Too little history: no figure here is one to rely on."
    if found:
        low, high = found.interval(prediction.margin)
        chance += f" ({100 * low:.2f} to {100 * high:.2f} %)"
        note = certainty.said(prediction.margin, found)
    rows = [
        ("Score", f"{shown(prediction.score)} points, {prediction.band}"),
        (word, chance),
        ("Recommendation", prediction.recommendation),
        ("Because", _sentence(prediction.because)),
        ("Rule", f"{advice.rule}; the cut-off lies at {100 * advice.cutoff:.2f} %"),
    ]
    return Part("What was recommended", rows, note=note)


def _reasons(prediction: Prediction) -> Part:
    rows = [("Code", "Reason", "Points")]
    for reason in prediction.reasons:
        points = reason.get("points")
        rows.append((reason["code"], reason["text"], "" if points is None else _signed(points, 0)))
    return Part("What the model counted against the applicant", rows, has_header=True, note=_against(prediction))


def _against(prediction: Prediction) -> str:
    none = "No figure counted against the applicant by a point or more. " if not prediction.reasons else ""
    return f"{none}Against {GROUPS[prediction.baseline]}; the parts of all figures add up to the score."


def _policy(store: Store, prediction: Prediction) -> Part:
    told = policy.rules(Policy(**prediction.policy), scoring.declared(store, prediction))
    return Part("The lender's policy then", [(rule, sentence) for rule, sentence in told])


def _model(store: Store, prediction: Prediction) -> Part:
    row = registry.get(store, prediction.model_id)
    warning = labels.banner(labels.get(store, row["label_set_id"])) or ""
    promoted = store.record(
        """select by_user, happened_at, reason from model_event
        where model_id = $id and status = 'champion' and happened_at <= $at order by seq desc limit 1""",
        id=prediction.model_id,
        at=prediction.scored_at,
    )
    rows = [
        ("Model", f"{prediction.model_id}, {row['algorithm'].replace('_', ' ')}"),
        ("Learned from", f"{prediction.label_source} labels{' (a proxy, not repayments)' if prediction.is_proxy else ''}"),
        ("SHA-256 of its file", prediction.digest),
        ("Schema", prediction.schema_fingerprint),
        ("Scale", _scale(Score(**prediction.scale))),
    ]
    if promoted:
        rows.append(("Promoted", f"{promoted['happened_at']:%Y-%m-%d %H:%M} UTC by {promoted['by_user']}: {promoted['reason']}"))
    return Part("The model", rows, note=warning)


def _scale(scale: Score) -> str:
    if scale.scale == "linear":
        return "linear: from 900 points at 0 % to 300 at 100 %"
    odds = f"{scale.anchor_score:g} points at odds of {scale.anchor_odds:g} good to 1 bad"
    return f"log-odds: {odds}, {scale.points_to_double_odds:g} more where the odds double"


def _inputs(store: Store, prediction: Prediction) -> list[Part]:
    """Return the figures that were scored, the heaviest first, and those that were only kept."""
    schema, steps = scoring.declared(store, prediction), scoring.waterfall(store, prediction, len(prediction.contributions))
    unit = "points" if steps["points"].notna().all() else "contribution"
    told = {row["feature"]: row for row in steps.to_dict("records")}
    heaviest = sorted((f for f in schema if f.name in told), key=lambda f: -abs(told[f.name][unit]))
    scored = [(f.title, f.say(prediction.inputs[f.name]), str(told[f.name]["reference"]), _signed(told[f.name][unit], 1)) for f in heaviest]
    kept = [(f.title, f.say(prediction.inputs[f.name])) for f in schema if f.name not in told]
    note = f"The heaviest first, against {GROUPS[prediction.baseline]}."
    parts = [Part("Every figure that was scored", [("Figure", "Value", "Reference", UNITS[unit]), *scored], has_header=True, note=note)]
    if kept:
        said = "No model read these figures for this score."
        parts.append(Part("Figures that were kept and not scored", [("Figure", "Value"), *kept], has_header=True, note=said))
    return parts


def _proof(store: Store, prediction: Prediction) -> Part:
    rows = [("Scored again from this record", _replayed(store, prediction))]
    for row in decisions.sealed(store, prediction.prediction_id).to_dict("records"):
        what = f"{row['action']} by {row['user_name']}, {row['happened_at']:%Y-%m-%d %H:%M:%S} UTC"
        rows.append((f"Audit row {row['seq']}", f"{what}; {row['hash']}"))
    return Part(
        "That nobody edited it",
        rows,
        note="Each row of the audit chain holds the hash of the one before; `check` verifies the chain. Rows of a batch stand under it.",
    )


def _replayed(store: Store, prediction: Prediction) -> str:
    try:
        _, again = scoring.replay(store, prediction.prediction_id)
    except TamperedArtefact as error:
        return str(error)
    same = abs(again.score - prediction.score) <= SAME and abs(again.pd - prediction.pd) <= SAME
    return "the same score" if same else f"{again.score:.6f} instead of {prediction.score:.6f}: somebody changed something"
