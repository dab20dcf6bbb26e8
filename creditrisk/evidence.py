"""Everything that proves one decision, in one document that somebody else can check without this program.

Its seal leads from the stored row to the audit entry that was written when it was made; that entry follows from the one before it.
"""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

from creditrisk import chronicle, inspections, labels, privacy, registry, reviews, scoring, seal
from creditrisk import store as stores
from creditrisk.custody import Mark
from creditrisk.errors import CreditRiskError, InvalidInput, NotAllowed
from creditrisk.scoring import COLUMNS
from creditrisk.store import Store, now

ENTRY = ("seq", "happened_at", "user", "action", "subject", "detail")  # what the hash of an audit entry covers
HOW = (
    "The seal: join the values of `prediction`, without applicant_id, in the order of `sealed`, as text (empty for null, dates ISO, "
    "numbers as Python writes them) by the character U+001F; SHA-256 of a zero byte and that is the leaf. With each step of "
    "`seal.proof`, SHA-256 of a one byte, the left and the right digest (32 bytes each) leads to `seal.root`, which the audit entry "
    "of the score names. An audit entry's hash is SHA-256 of the hash before it and the JSON of seq, happened_at (with a blank for "
    "the T), user, action, subject, detail. The model's digest is the SHA-256 of its pipeline.joblib."
)


def of_case(store: Store, prediction_id: str, *, reader: str | None = None) -> dict[str, Any]:
    """Return the document, JSON-ready: prediction, model, label set, story, verdicts, inspections, replay, seal, audit entries.

    Raises UnknownThing for a prediction nobody made, NotAllowed while `reader` has the case in hand: it holds what others said.
    """
    if reader is not None and reviews.held(store, reader, prediction_id):
        raise NotAllowed("You have this case in hand, and what proves it holds what others said of it: give your verdict first.")
    kept = store.record(f"select {', '.join(COLUMNS)} from prediction where prediction_id = $id", id=prediction_id)
    prediction = scoring.get(store, prediction_id)
    model = registry.get(store, prediction.model_id)
    label_set = labels.get(store, model["label_set_id"])
    sealed = scoring.sealed(store, prediction_id)
    found: dict[str, Any] = {
        "prediction": _plain(kept or {}),
        "sealed": seal.PREDICTION,
        "seal": sealed,
        "model": {**model, "damage": registry.damage(store, prediction.model_id)},
        "label_set": {**vars(label_set), "report": {"digest": label_set.report.get("digest"), "gates": label_set.report.get("gates", [])}},
        "replay": _replayed(store, prediction_id),
        "erased": privacy.said(store, prediction.applicant_id),
        "story": chronicle.of_case(store, prediction_id).to_dict("records"),
        "verdicts": reviews.history(store, prediction_id).to_dict("records"),
        "inspections": inspections.history(store, prediction_id).to_dict("records"),
        "made_at": now(),
        "how_to_check": HOW,
    }
    found["audit"] = _entries(store, prediction_id, sealed, [prediction.model_id, label_set.label_set_id])
    return found


def _replayed(store: Store, prediction_id: str) -> dict[str, Any]:
    """Say whether the decision comes out the same from what is kept, and what cannot be done any more."""
    try:
        stored, again = scoring.replay(store, prediction_id)
    except CreditRiskError as refusal:
        return {"same": None, "why_not": str(refusal)}
    return {"same": stored == again, "pd": again.pd, "score": again.score, "recommendation": again.recommendation}


def _entries(store: Store, prediction_id: str, found: dict[str, Any] | None, names: list[str]) -> list[dict[str, Any]]:
    """Return the audit entries that speak of the case, its model and its labels, each with the hash before it and its own."""
    rows = store.rows(
        """with chain as (select *, lag(hash, 1, '') over (order by seq) as before from audit)
        select seq, happened_at, user_name, action, subject, detail::varchar, before, hash
        from chain
        where subject = $id or seq = $seq or list_has_any(string_split(subject, ', '), $names)
        order by seq""",
        id=prediction_id,
        seq=found["seq"] if found else None,
        names=names,
    )
    return [_plain(dict(zip((*ENTRY, "before", "hash"), row, strict=True))) for row in rows]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose instants and days are texts, as they are sealed."""
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}


def faults(document: dict[str, Any]) -> list[str]:
    """Return what does not fit in a document as it was written to a file, a sentence each; it needs no workspace."""
    kept, sealed_as, said = document["prediction"], document["seal"], []
    if sealed_as is None:
        said.append("This prediction was made before predictions were sealed: nothing proves that its row was not altered.")
    else:
        leaf = seal.leaf(kept[name] for name in document["sealed"])
        if leaf != sealed_as["leaf"] or seal.follow(leaf, sealed_as["proof"]) != sealed_as["root"]:
            said.append("The prediction is not the one that was sealed.")
        entry = next((entry for entry in document["audit"] if entry["seq"] == sealed_as["seq"]), None)
        if entry is None or json.loads(entry["detail"]).get("seal") != sealed_as["root"]:
            said.append("No audit entry names this seal.")
    for entry in document["audit"]:
        row = {name: entry[name] for name in ENTRY} | {"happened_at": datetime.fromisoformat(entry["happened_at"])}
        if stores.link(Mark(0, entry["before"]), row) != entry["hash"] and privacy.GONE not in entry["subject"] + entry["detail"]:
            said.append(f"Audit entry {entry['seq']} does not follow from the one before it.")
    if kept["digest"] != document["model"]["digest"]:
        said.append("The model is not the one that scored.")
    return said


def write(document: dict[str, Any], target: Path) -> None:
    """Write a document to a file, whole or not at all; raises InvalidInput where it cannot be written."""
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_text(stores.to_json(document), encoding="utf-8")
        part.replace(target)
    except OSError as error:
        raise InvalidInput(f"{target} cannot be written: {error.strerror or error}.") from error


def read(file: Path) -> dict[str, Any]:
    """Return a document from its file; raises InvalidInput for what is none."""
    try:
        document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return {name: document[name] for name in ("prediction", "sealed", "seal", "model", "audit")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{file} is not what `story --out` wrote.") from error
