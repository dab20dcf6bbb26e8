"""Everything that proves one decision, in one document that somebody else can check without this program.

Its seal leads from the stored row to the audit entry that was written when it was made; that entry follows from the one before it.
"""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

from creditrisk import chronicle, inspections, labels, privacy, registry, reviews, scoring, seal, vault
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
OF_BATCH = (
    "Of a prediction made in a batch the leaf is SHA-256 of a zero byte, the texts of `seal.row` joined by U+001F, a zero byte and its "
    "numbers as IEEE doubles, the least byte first (null as 00 00 00 00 00 00 f8 7f); `contribution: x` is what x added. What its scores "
    "share is `batch`: its values, as text and joined like those above, are the leaf that the first audit entry of the batch names as "
    "`facts`."
)
IN_ROW = ("margin", "pd", "score")  # numbers of a prediction that its row in a batch says too


def of_case(store: Store, prediction_id: str, *, reader: str | None = None) -> dict[str, Any]:
    """Return the document, JSON-ready: prediction, model, label set, story, verdicts, inspections, replay, seal, audit entries.

    Raises UnknownThing for a prediction nobody made, NotAllowed while `reader` has the case in hand: it holds what others said.
    """
    if reader is not None and reviews.held(store, reader, prediction_id):
        raise NotAllowed("You have this case in hand, and what proves it holds what others said of it: give your verdict first.")
    kept = store.record(f"select {', '.join(COLUMNS)} from prediction where prediction_id = $id", id=prediction_id)
    prediction = scoring.get(store, prediction_id, reader=reader)
    made = vault.NAME.fullmatch(prediction_id)
    batch = store.record(f"select {', '.join(vault.FACTS)} from batch where batch_id = $id", id=made[1]) if made else None
    model = registry.get(store, prediction.model_id)
    label_set = labels.get(store, model["label_set_id"])
    sealed = scoring.sealed(store, prediction_id)
    found: dict[str, Any] = {
        "prediction": _plain(kept or vars(prediction)),
        "batch": _plain(batch) if batch else None,
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
        "how_to_check": f"{HOW} {OF_BATCH}" if batch else HOW,
    }
    found["audit"] = _entries(store, prediction_id, sealed, [prediction.model_id, label_set.label_set_id, *([made[1]] if made else [])])
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
        leaf = vault.leaf(sealed_as["row"]) if document["batch"] else seal.leaf(kept[name] for name in document["sealed"])
        if leaf != sealed_as["leaf"] or seal.follow(leaf, sealed_as["proof"]) != sealed_as["root"]:
            said.append("The prediction is not the one that was sealed.")
        entry = next((entry for entry in document["audit"] if entry["seq"] == sealed_as["seq"]), None)
        if entry is None or json.loads(entry["detail"]).get("seal") != sealed_as["root"]:
            said.append("No audit entry names this seal.")
        if document["batch"]:
            said += _faults_of_batch(kept, sealed_as["row"], document["batch"], document["audit"])
    for entry in document["audit"]:
        row = {name: entry[name] for name in ENTRY} | {"happened_at": datetime.fromisoformat(entry["happened_at"])}
        if stores.link(Mark(0, entry["before"]), row) != entry["hash"] and privacy.GONE not in entry["subject"] + entry["detail"]:
            said.append(f"Audit entry {entry['seq']} does not follow from the one before it.")
    if kept["digest"] != document["model"]["digest"]:
        said.append("The model is not the one that scored.")
    return said


def _faults_of_batch(kept: dict[str, Any], row: dict[str, Any], batch: dict[str, Any], audit: list[dict[str, Any]]) -> list[str]:
    """Return where a prediction is not what its sealed row and its batch say."""
    texts, numbers = row["texts"], row["numbers"]
    same = {name: numbers[name] for name in IN_ROW} | {name: texts[name] for name in ("band", "recommendation")}
    same |= {name: batch[name] for name in ("model_id", "digest", "schema_fingerprint", "label_source", "is_proxy", "base", "baseline")}
    same |= {name: json.loads(batch[name]) for name in ("scale", "policy")} | {"channel": batch["channel"]}
    same |= {"prediction_id": f"{batch['batch_id']}-{texts['row']}", "as_of": texts["as_of"] or None}
    same |= {"contributions": {name: numbers[f"{vault.ADDED}{name}"] for name in kept["contributions"]}}
    same |= {"inputs": {name: numbers[name] if name in numbers else texts[name] or None for name in kept["inputs"]}}
    said = [f"The {name} of the prediction is not what was sealed." for name, value in same.items() if kept[name] != value]
    if not any(json.loads(entry["detail"]).get("facts") == vault.facts(batch) for entry in audit if entry["subject"] == batch["batch_id"]):
        said.append("No audit entry knows the batch as it is here.")
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
        return {name: document[name] for name in ("prediction", "sealed", "seal", "batch", "model", "audit")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{file} is not what `story --out` wrote.") from error
