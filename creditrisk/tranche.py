"""Applicants scored as columns: what `scoring` says of one row, said of ten thousand at once without an object a row, to the same bits.

The database keeps a row's figures and which features were its reasons, a Parquet file beside it, known by its digest, the values and
contributions; the words are made of them when somebody reads, by what makes them for one applicant.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pandas import DataFrame
from pyarrow import parquet

from creditrisk import explain, policy, registry, scorecard, vault
from creditrisk.estimators import Numbers, inverse_logit
from creditrisk.pipeline import Pipeline
from creditrisk.schema import Schema
from creditrisk.settings import Policy, Score
from creditrisk.store import Store


@dataclass(frozen=True)
class Tranche:
    """Rows scored together, in the order given; `reasons` are places among the predictors, `worth` their log-odds, -1 and 0 for none."""

    base: float
    margin: Numbers
    pd: Numbers
    score: Numbers
    band: NDArray[np.object_]
    recommendation: NDArray[np.object_]
    contributions: Numbers
    reasons: NDArray[np.int16]
    worth: Numbers


def score(schema: Schema, pipeline: Pipeline, table: DataFrame, *, scale: Score, rules: Policy, baseline: str) -> Tranche:
    """Score rows (every declared feature, checked) and find their principal reasons.

    Raises SchemaMismatch for a model of another schema, InvalidInput for an unknown baseline.
    """
    explained = explain.explain(pipeline, table, schema, baseline)
    chances = inverse_logit(explained.margin)
    points = scorecard.score(chances, scale)
    names = pipeline.names
    best = explain.principal(table, explained, schema)
    place = {name: number for number, name in enumerate(names)} | {None: -1}
    return Tranche(
        base=float(explained.base),
        margin=explained.margin,
        pd=chances,
        score=points,
        band=scorecard.band_names(points),
        recommendation=policy.decisions(chances, {feature.name: table[feature.name].to_numpy() for feature in schema}, rules),
        contributions=explained.contributions,
        reasons=_places(best.features, place),
        worth=best.amounts,
    )


def columns(made: Tranche, table: DataFrame, rows: NDArray[np.int64]) -> pa.Table:
    """Return scores as they are kept, but for their batch: row, applicant_id, as_of, the figures, reasons and worth."""
    return pa.table(
        {
            "row": pa.array(rows, pa.int32()),
            "applicant_id": pa.array(table["applicant_id"], pa.string(), from_pandas=True),
            "as_of": pa.array(table["as_of"].tolist(), pa.date32(), from_pandas=True),
            **{name: pa.array(getattr(made, name)) for name in ("margin", "pd", "score")},
            "band": pa.array(made.band).dictionary_encode(),
            "recommendation": pa.array(made.recommendation).dictionary_encode(),
            "reasons": _lists(made.reasons),
            "worth": _lists(made.worth),
        }
    )


def values(made: Tranche, table: DataFrame, names: Sequence[str], rows: NDArray[np.int64]) -> pa.Table:
    """Return what was scored and what it added, as it is kept in a file: row, every declared feature, a contribution per predictor."""
    given = {name: pa.array(table[name], from_pandas=True) for name in table.columns if name not in ("applicant_id", "as_of")}
    added = {f"{vault.ADDED}{name}": pa.array(made.contributions[:, place]) for place, name in enumerate(names)}
    return pa.table({"row": pa.array(rows, pa.int32()), **given, **added})


def record(store: Store, prediction_id: str) -> dict[str, Any] | None:
    """Return what a prediction made in a batch is, by the names of the table `prediction`; None where there is none of that id."""
    found = vault.NAME.fullmatch(prediction_id)
    if found is None:
        return None
    batch, row = found[1], int(found[2])
    return next(records(store, batch, row, row), None)


def records(store: Store, batch_id: str, first: int, last: int) -> Iterator[dict[str, Any]]:
    """Yield the predictions a batch made of rows of its file, in their order, as `record` does one; a part of them is held at a time."""
    shared = store.record("select * exclude (file, sha256, n_bytes, n_rows, created_at) from batch where batch_id = $id", id=batch_id)
    if shared is None:
        return
    schema = registry.schema(store, shared["model_id"])
    shared |= {name: json.loads(shared[name]) for name in ("scale", "policy", "typical", "predictors")}
    names, typical, user = shared.pop("predictors"), shared.pop("typical"), shared.pop("created_by")
    rules, tell = Policy(**shared["policy"]), explain.teller(schema, typical, scale=Score(**shared["scale"]))
    same = {name: value for name, value in shared.items() if name != "batch_id"} | {"snapshot_id": None, "scored_by": user}
    for begin, end, digest, scored_at in store.rows(
        """select first_row, last_row, sha256, scored_at from batch_part
        where batch_id = $id and first_row <= $last and last_row >= $first order by first_row""",
        id=batch_id,
        first=first,
        last=last,
    ):
        rows = store.rows(
            """select row, applicant_id, as_of, margin, pd, score, band, recommendation, reasons, worth
            from batch_score where batch_id = $id and row between $first and $last order by row""",
            id=batch_id,
            first=max(first, begin),
            last=min(last, end),
        )
        filters = [("row", ">=", first), ("row", "<=", last)] if first > begin or last < end else None
        content = vault.verified(vault.folder(store, batch_id) / f"{begin}{vault.VALUES}", digest)
        table = parquet.read_table(io.BytesIO(content), filters=filters)
        declared = [name for name in table.column_names if name != "row" and not name.startswith(vault.ADDED)]
        held = zip(_records(table.select(declared)), _records(table.select([f"{vault.ADDED}{name}" for name in names])), strict=True)
        for (given, added), (row, applicant_id, as_of, margin, chance, points, band, advice, places, worth) in zip(held, rows, strict=True):
            name = f"{batch_id}-{row}"
            chosen = [(names[place], amount) for place, amount in zip(places, worth, strict=True) if place >= 0]
            yield same | {
                "prediction_id": name,
                "applicant_id": applicant_id or name,
                "as_of": as_of,
                "inputs": given,
                "margin": margin,
                "pd": chance,
                "score": points,
                "band": band,
                "recommendation": advice,
                "because": policy.recommend(chance, given, rules, is_proxy=shared["is_proxy"], schema=schema).because,
                "contributions": dict(zip(names, added.values(), strict=True)),
                "reasons": tell(given, [name for name, _ in chosen], [amount for _, amount in chosen]),
                "scored_at": scored_at,
            }


def _records(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table as dictionaries, None where there is no value; several times faster than Arrow does."""
    columns = [
        [None if value != value else value for value in column.to_numpy().tolist()]  # noqa: PLR0124  (NaN differs from itself)
        if pa.types.is_floating(column.type)
        else column.to_pylist()
        for column in table.columns
    ]
    names = table.column_names
    return (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))


def _places(names: NDArray[np.object_], place: Mapping[str | None, int]) -> NDArray[np.int16]:
    return np.array([place[name] for name in names.ravel().tolist()], dtype=np.int16).reshape(names.shape)


def _lists(values: NDArray[Any]) -> pa.ListArray:
    n, width = values.shape
    return pa.ListArray.from_arrays(
        pa.array(np.arange(0, n * width + 1, max(width, 1), dtype=np.int32)), pa.array(np.ascontiguousarray(values).ravel())
    )
