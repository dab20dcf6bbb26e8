"""Scores: an applicant's values and a registered model become a prediction that is kept for ever and can be replayed.

Page, API, command line and batch all come through `_predictions`; nothing else turns values into a probability.
A prediction holds all that gave it: inputs, model digest, schema fingerprint, scale, policy, baseline, contributions.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime
from operator import itemgetter
from typing import Any
from uuid import uuid4

import numpy as np
from pandas import DataFrame

from creditrisk import blinding, certainty, explain, features, labels, policy, registry, scorecard, seal, shadow, tranche, vault
from creditrisk.design import Table, n_rows
from creditrisk.errors import InvalidInput, NotAllowed, NothingYet, SchemaMismatch, TamperedArtefact, UnknownThing
from creditrisk.estimators import inverse_logit
from creditrisk.pipeline import Pipeline
from creditrisk.rows import Rows, columns
from creditrisk.schema import Schema
from creditrisk.settings import Policy, Score
from creditrisk.store import Store, now, statement

HEADS = ("snapshot_id", "applicant_id", "as_of")
TEXTS = ("inputs", "contributions", "reasons", "scale", "policy")  # kept as JSON
FEW = 4  # rows up to which parameters are quicker than a frame


@dataclass(frozen=True)
class Model:
    """A registered model in memory: its facts and its verified pipeline. It never changes, so a face may keep it."""

    model_id: str
    algorithm: str
    digest: str
    schema_fingerprint: str
    label_source: str
    is_proxy: bool
    banner: str | None  # the warning that goes with everything it says, where there is one
    pipeline: Pipeline


@dataclass(frozen=True)
class Prediction:
    """One score with everything that replays it: a row of the table `prediction`."""

    prediction_id: str
    applicant_id: str
    as_of: date | None
    snapshot_id: int | None
    model_id: str
    digest: str
    schema_fingerprint: str
    label_source: str
    is_proxy: bool
    inputs: dict[str, Any]
    margin: float
    pd: float
    score: float
    band: str
    recommendation: str
    because: str
    base: float
    baseline: str
    contributions: dict[str, float]
    reasons: list[dict[str, Any]]
    scale: dict[str, Any]
    policy: dict[str, Any]
    channel: str
    scored_at: datetime
    scored_by: str

    @property
    def missing(self) -> list[str]:
        """The declared features whose value was not given."""
        return [name for name, value in self.inputs.items() if value is None]

    @property
    def is_sure(self) -> bool:
        """Whether there was history enough for its figures to be relied on."""
        return self.recommendation != "insufficient data"

    def to_json(self, found: certainty.Lines | None) -> dict[str, Any]:
        """Return what the faces answer with, in plain values; `base` plus all contributions is the log-odds of `pd`.

        `found` are the lines of its model; `pd_low` to `pd_high` is their 95 % interval, null without lines and for a thin file.
        """
        names = ("applicant_id", "prediction_id", "pd", "score", "band", "recommendation", "model_id", "is_proxy", "base", "contributions")
        low, high = found.interval(self.margin) if found and self.is_sure else (None, None)
        reasons = [{"code": reason["code"], "text": reason["text"]} for reason in self.reasons]
        return {name: getattr(self, name) for name in names} | {"reasons": reasons, "pd_low": low, "pd_high": high}


COLUMNS = tuple(part.name for part in fields(Prediction))
INSERT = f"insert into prediction ({', '.join(COLUMNS)}) values ({', '.join(f'${name}' for name in COLUMNS)})"
Values = dict[str, float | str]


def model(store: Store, model_id: str | None = None) -> Model:
    """Load a registered model, the champion when none is named; its bytes are checked against the registered digest.

    Raises NothingYet without a champion, UnknownThing, TamperedArtefact, and SchemaMismatch where the model was made
    for other features than this workspace declares.
    """
    row = registry.get(store, model_id) if model_id else registry.champion(store)
    if row is None:
        raise NothingYet("No model has been promoted yet: train candidates, compare them, and promote one with a reason.")
    if not fits(store, row):
        raise SchemaMismatch(
            f"Model {row['model_id']} was made for schema {row['schema_fingerprint']}; this workspace declares "
            f"{store.schema.name!r} ({store.schema.fingerprint}). Train a model on the present schema."
        )
    return _loaded(store, row)


def fits(store: Store, row: Mapping[str, Any]) -> bool:
    """Say whether a registered model reads the features that this workspace declares now, so that it can still score."""
    return bool(row["schema_fingerprint"] == store.schema.fingerprint)


def _loaded(store: Store, row: Mapping[str, Any]) -> Model:
    facts = {part.name: row[part.name] for part in fields(Model) if part.name in row}
    warning = labels.banner(labels.get(store, row["label_set_id"]))
    return Model(**facts, banner=warning, pipeline=registry.load(store, row["model_id"]))


def score_applicants(
    store: Store,
    applicant_ids: Sequence[str],
    *,
    user: str,
    channel: str,
    model_id: str | None = None,
    baseline: str = "cut-off",
    keep: bool = True,
    using: Model | None = None,
) -> list[Prediction]:
    """Score applicants of the workspace from their newest features, in the order asked for.

    Features are built where there are none, and where a statement was stored or a category changed since.
    `using` is a model already loaded.
    Raises UnknownThing for an applicant without features and without transactions.
    """
    loaded = using or model(store, model_id)
    wanted = list(dict.fromkeys(applicant_ids))
    behind = _behind(store, wanted)
    if behind:
        features.build(store, user=user, applicant_ids=behind)
    rows = features.newest(store, wanted)
    strangers = sorted(set(wanted) - set(rows["applicant_id"]))
    if strangers:
        raise UnknownThing("applicant", strangers[0], "Store a bank statement of theirs first.")
    if not wanted:
        return []
    rows = rows.set_index("applicant_id").loc[wanted].reset_index()
    return _kept(store, _scored(store, rows, loaded, user=user, channel=channel, baseline=baseline), user, keep)


def score_values(
    store: Store,
    given: Rows,
    *,
    user: str,
    channel: str,
    model_id: str | None = None,
    baseline: str = "cut-off",
    keep: bool = True,
    using: Model | None = None,
    complete: bool | None = None,
) -> list[Prediction]:
    """Score given feature values, one prediction a row; `applicant_id` and `as_of` are optional.

    A batch must have every column models read (`complete`; by default a table must, mappings need not): there a column that is
    absent was lost, while what a single applicant's values leave out is unknown. A row without applicant_id goes under its
    prediction's id. Raises InvalidInput naming row, column, value and rule.
    """
    loaded = using or model(store, model_id)
    table, problems = columns(store.schema, given, complete=isinstance(given, DataFrame) if complete is None else complete)
    if problems:
        more = f" ({len(problems) - 1} more problems)" if len(problems) > 1 else ""
        raise InvalidInput(problems[0].message + more)
    return _kept(store, _scored(store, table, loaded, user=user, channel=channel, baseline=baseline), user, keep)


def get(store: Store, prediction_id: str, *, reader: str | None = None) -> Prediction:
    """Return a kept prediction; raises UnknownThing, and ReadBlind where `reader` has a case of that applicant in hand to be read blind."""
    if (row := store.record(f"select {', '.join(COLUMNS)} from prediction where prediction_id = $id", id=prediction_id)) is not None:
        found = _read(row)
    elif (row := tranche.record(store, prediction_id)) is not None:
        found = Prediction(**row)
    else:
        raise UnknownThing("prediction", prediction_id)
    if reader is not None:
        blinding.require(store, reader, found.applicant_id)
    return found


def latest(store: Store, limit: int = 10) -> list[Prediction]:
    """Return the predictions made last, one per applicant, newest first."""
    # Whose they are is settled by narrow columns: to carry everybody's inputs and reasons through the ranking takes seconds.
    newest = "select prediction_id from prediction_current order by scored_at desc, applicant_id limit $limit"
    found = store.rows(
        f"select {', '.join(COLUMNS)} from prediction where prediction_id in ({newest}) order by scored_at desc, applicant_id", limit=limit
    )
    return [_read(dict(zip(COLUMNS, row, strict=True))) for row in found]


def history(store: Store, applicant_id: str) -> DataFrame:
    """Return an applicant's predictions, newest first: prediction_id, scored_at, as_of, model_id, pd, is_proxy, score, band,
    recommendation, channel, scored_by."""
    return store.read(
        """select prediction_id, scored_at, as_of, model_id, pd, is_proxy, score, band, recommendation, channel, scored_by
        from prediction where applicant_id = $id order by scored_at desc, prediction_id""",
        id=applicant_id,
    )


def replay(store: Store, prediction_id: str) -> tuple[Prediction, Prediction]:
    """Return a kept prediction and the same one computed again from its own inputs, model, schema, scale, policy and baseline.

    Raises TamperedArtefact where the model is no longer the one that made it.
    """
    stored = get(store, prediction_id)
    loaded = _loaded(store, registry.get(store, stored.model_id))
    if loaded.digest != stored.digest:
        raise TamperedArtefact(
            f"Prediction {prediction_id} was made by bytes {stored.digest[:12]}…; model {stored.model_id} is now others."
        )
    table = DataFrame({name: [value] for name, value in (dict.fromkeys(HEADS) | stored.inputs).items()})
    scale, rules = Score(**stored.scale), Policy(**stored.policy)
    given = {"user": stored.scored_by, "channel": stored.channel, "baseline": stored.baseline}
    (again,) = _predictions(declared(store, stored), table, loaded, scale=scale, rules=rules, **given)
    same = ("prediction_id", "applicant_id", "as_of", "snapshot_id", "scored_at")
    return stored, replace(again, **{name: getattr(stored, name) for name in same})


def sealed(store: Store, prediction_id: str) -> dict[str, Any] | None:
    """Return what proves that a kept prediction is the one that was made: leaf, proof, root, and seq of the audit entry that names it.

    Of one made in a batch the row too, as `vault.sealed` has it. None where it was made before predictions
    were sealed, or no longer is what was sealed. Raises UnknownThing.
    """
    get(store, prediction_id)
    if (made := vault.NAME.fullmatch(prediction_id)) is not None:
        return vault.sealed(store, made[1], int(made[2]))
    alike = " and ".join(f"prediction.{name} = it.{name}" for name in seal.BATCH)
    columns = ", ".join(f"prediction.{name}" for name in seal.PREDICTION)
    rows = store.rows(
        f"select {columns} from prediction join prediction as it on {alike} where it.prediction_id = $id order by prediction.prediction_id",
        id=prediction_id,
    )
    leaves = [seal.leaf(row) for row in rows]
    place = next(place for place, row in enumerate(rows) if row[0] == prediction_id)
    found = {"leaf": leaves[place], "proof": seal.proof(leaves, place), "root": seal.root(leaves)}
    seq = store.value("select seq from audit where action = 'score' and detail->>'seal' = $root", root=found["root"])
    return None if seq is None else {**found, "seq": seq}


def declared(store: Store, prediction: Prediction) -> Schema:
    """Return the schema a prediction was made by, which is not the workspace's where that has changed since."""
    return registry.schema(store, prediction.model_id)


def waterfall(store: Store, prediction: Prediction, top: int = 9, typical: Values | None = None, schema: Schema | None = None) -> DataFrame:
    """Return the steps from the reference to a prediction, strongest first, the features after the first `top` as one last step.

    `typical` and `schema` are what `reference` and `declared` return, where that is known already.
    Columns: feature ("" for the rest), title, value and reference in words, contribution (log-odds), points (NaN on the linear scale).
    The contributions and `prediction.base` add up to the margin.
    """
    known, scale = typical or reference(store, prediction), Score(**prediction.scale)
    return explain.steps(prediction.inputs, prediction.contributions, schema or declared(store, prediction), known, top, scale=scale)


def supports(
    store: Store, prediction: Prediction, top: int = 4, typical: Values | None = None, schema: Schema | None = None
) -> list[dict[str, Any]]:
    """Return what speaks for the applicant, strongest first, with the keys of `reasons`; `typical` and `schema` as for `waterfall`."""
    known, scale = typical or reference(store, prediction), Score(**prediction.scale)
    return explain.strengths(prediction.inputs, prediction.contributions, schema or declared(store, prediction), known, top, scale=scale)


def results(predictions: Sequence[Prediction], found: certainty.Lines | None) -> DataFrame:
    """Return predictions of one model as a table to hand out: one row each, reasons as reason_1 … reason_4, `contribution_…` per feature.

    `found` are the lines of the model, for pd_low and pd_high as `Prediction.to_json` has them.
    """
    facts = ("score", "band", "recommendation", "because", "model_id", "label_source", "is_proxy", "margin", "base")
    low, high = found.intervals(np.array([one.margin for one in predictions])) if found else np.full((2, len(predictions)), np.nan)
    rows: list[dict[str, Any]] = []
    for place, prediction in enumerate(predictions):
        reasons = [reason["text"] for reason in prediction.reasons] + [None] * 4
        ends = (low[place], high[place]) if prediction.is_sure else (np.nan, np.nan)
        rows.append(
            {name: getattr(prediction, name) for name in ("applicant_id", "as_of", "prediction_id", "pd")}
            | dict(zip(("pd_low", "pd_high"), map(float, ends), strict=True))
            | {name: getattr(prediction, name) for name in facts}
            | {f"reason_{number}": reasons[number - 1] for number in range(1, 5)}
            | {f"contribution_{name}": value for name, value in prediction.contributions.items()}
        )
    return DataFrame(rows)


def reference(store: Store, prediction: Prediction) -> Values:
    """Return the values a prediction was explained against; they belong to its model and baseline, which never change."""
    return registry.load(store, prediction.model_id).references[prediction.baseline].value


def _scored(store: Store, table: Table, loaded: Model, *, user: str, channel: str, baseline: str) -> list[Prediction]:
    if not n_rows(table):
        return []
    scale, rules = store.settings.score, store.settings.policy
    return _predictions(store.schema, table, loaded, scale=scale, rules=rules, user=user, channel=channel, baseline=baseline)


def _predictions(
    schema: Schema, table: Table, loaded: Model, *, scale: Score, rules: Policy, user: str, channel: str, baseline: str
) -> list[Prediction]:
    """Turn rows (applicant_id, as_of, every declared feature in any order, snapshot_id of those that have one) into predictions, not
    kept yet."""
    if not user or not user.strip():
        raise NotAllowed("Every score names the person who asks for it: give a user name.")
    explained = explain.explain(loaded.pipeline, table, schema, baseline)
    chances = inverse_logit(explained.margin)
    points = scorecard.score(chances, scale)
    inputs, contributions = explain.records(table, [feature.name for feature in schema]), explained.records()
    reasons = explain.all_reasons(inputs, explained, schema, scale=scale)
    same: dict[str, Any] = {
        name: getattr(loaded, name) for name in ("model_id", "digest", "schema_fingerprint", "label_source", "is_proxy")
    }
    same |= {"base": float(explained.base), "baseline": baseline, "scale": asdict(scale), "policy": asdict(rules)}
    same |= {"channel": channel, "scored_at": now(), "scored_by": user.strip()}
    made = []
    nobody = np.full(len(inputs), None)
    for place, (snapshot_id, applicant_id, as_of) in enumerate(zip(*(table.get(name, nobody) for name in HEADS), strict=True)):
        values, prediction_id = inputs[place], uuid4().hex
        advice = policy.recommend(float(chances[place]), values, rules, is_proxy=loaded.is_proxy, schema=schema)
        made.append(
            Prediction(
                prediction_id=prediction_id,
                applicant_id=applicant_id or prediction_id,
                as_of=as_of.date() if isinstance(as_of, datetime) else as_of,
                snapshot_id=None if snapshot_id is None else int(snapshot_id),
                inputs=values,
                margin=float(explained.margin[place]),
                pd=float(chances[place]),
                score=float(points[place]),
                band=scorecard.band(points[place]).name,
                recommendation=advice.decision,
                because=advice.because,
                contributions=contributions[place],
                reasons=reasons[place],
                **same,
            )
        )
    return made


def _kept(store: Store, predictions: list[Prediction], user: str, keep: bool) -> list[Prediction]:
    """Append predictions in one transaction and hand them back."""
    if not predictions or not keep:
        return predictions
    first, n = predictions[0], len(predictions)
    subject = first.prediction_id if n == 1 else f"{n} predictions"
    rows = [_row(prediction) for prediction in predictions]
    one = seal.root([seal.leaf(row[name] for name in seal.PREDICTION) for row in sorted(rows, key=itemgetter("prediction_id"))])
    beside = shadow.foretold(store, [prediction.inputs for prediction in predictions], first.schema_fingerprint)
    with store.write(user, "score", subject, n=n, model_id=first.model_id, channel=first.channel, seal=one) as cursor:
        if n <= FEW:
            for row in rows:
                cursor.execute(INSERT, row)
        else:
            cursor.register("scored", DataFrame(rows))
            cursor.execute("insert into prediction by name select * from scored")
        shadow.keep(cursor, [prediction.prediction_id for prediction in predictions], beside)
    return predictions


def _read(row: dict[str, Any]) -> Prediction:
    return Prediction(**{name: json.loads(value) if name in TEXTS else value for name, value in row.items()})


def _row(prediction: Prediction) -> dict[str, Any]:
    row = {name: getattr(prediction, name) for name in COLUMNS}
    return row | {name: json.dumps(row[name], ensure_ascii=False, allow_nan=False) for name in TEXTS}  # plain values: no NaN left


def _behind(store: Store, applicant_ids: list[str]) -> list[str]:
    """Return those with a statement, or a change in what their movements are held to be, that no features of theirs have seen."""
    rows = store.rows(
        """with seen as (
            select applicant.applicant_id, max(snapshot.created_at) as seen_at
            from applicant join snapshot using (snapshot_id)
            where list_contains($ids::varchar[], applicant.applicant_id) and snapshot.days_before = 0 -- as `features.newest` reads
                and snapshot.schema_fingerprint = $fingerprint -- those of a former schema lack what this one declares
            group by applicant.applicant_id
        )
        select account.applicant_id, seen.seen_at, seen.seen_at is null or max(statement.stored_at) > seen.seen_at as is_behind
        from account
        join statement_account using (account_id)
        join statement using (statement_id)
        left join seen using (applicant_id)
        where list_contains($ids::varchar[], account.applicant_id) and statement_account.n_new > 0
        group by account.applicant_id, seen.seen_at""",
        ids=applicant_ids,
        fingerprint=store.schema.fingerprint,
    )
    seen = {name: seen_at for name, seen_at, is_behind in rows if not is_behind}
    changed = {name for name, at in _changed(store, list(seen), min(seen.values())) if at > seen[name]} if seen else set()
    return sorted(changed | {name for name, _, is_behind in rows if is_behind})


def _changed(store: Store, applicant_ids: list[str], since: datetime) -> list[tuple[str, datetime]]:
    """Return of whom a movement was corrected, judged anew or paired after `since`, and when last."""
    newest = store.value(
        """select greatest(
            (select max(corrected_at) from correction), (select max(judged_at) from judgement), (select max(paired_at) from pair)
        )"""
    )
    if newest is None or newest <= since:
        return []
    return store.rows(statement("changes", "changed"), ids=applicant_ids, since=since)
