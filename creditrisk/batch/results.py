"""What a batch hands out: its scores as a table to download again, the rows set aside, how its scores lie, and what moved since training.

Nothing here writes to the workspace. A text that a spreadsheet would calculate is made harmless in whatever a spreadsheet opens.
"""

import io
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pandas import DataFrame, concat
from pyarrow import parquet

from creditrisk import blinding, cells, certainty, features, registry, scorecard, scoring, stability, tranche, vault
from creditrisk.batch import keep, workbook
from creditrisk.errors import CreditRiskError, InvalidInput
from creditrisk.estimators import Numbers
from creditrisk.scoring import Prediction
from creditrisk.settings import Score
from creditrisk.store import Store

Kind = Literal["csv", "xlsx", "parquet"]
AT_ONCE = 2_000  # rows in words at a time
BIN = 20  # points
MOVED, FAR = 0.10, 0.25  # the usual marks of a PSI, which chance alone must not explain
CALLED = {"row": "row", "column": "column", "value": "value", "message": "what is wrong"}


def predictions(store: Store, batch_id: str, first: int = 1, last: int = 10**9) -> Iterator[Prediction]:
    """Yield the predictions of a batch in the order of its file; raises UnknownThing."""
    keep.get(store, batch_id)
    return (Prediction(**row) for row in tranche.records(store, batch_id, first, last))


def frames(store: Store, batch_id: str, reader: str | None = None) -> Iterator[DataFrame]:
    """Yield the table of results, as `scoring.results` has it, some thousand rows at a time; empty what `reader` may not read now."""
    made, found = predictions(store, batch_id), certainty.known(store, keep.get(store, batch_id)["model_id"])
    while several := list(islice(made, AT_ONCE)):
        part = scoring.results(several, found)
        yield part if reader is None else blinding.covered(store, reader, part)


def write(store: Store, batch_id: str, file: Path, kind: Kind, *, reader: str | None = None) -> int:
    """Write the results of a batch to a file, part by part; returns its rows. Raises InvalidInput where nothing is scored yet."""
    found = keep.get(store, batch_id)
    if not found["n_scored"]:
        raise InvalidInput(f"Batch {batch_id} has no score to hand out yet.")
    if kind == "xlsx" and found["n_scored"] > workbook.MOST:
        raise InvalidInput(f"A workbook holds {workbook.MOST:,} rows below its heading; take CSV or Parquet for {found['n_scored']:,}.")
    parts, n = frames(store, batch_id, reader), 0
    if kind == "parquet":
        schema: pa.Schema | None = None
        with file.open("wb") as target:
            writer = None
            for part in parts:
                table = pa.Table.from_pandas(part, preserve_index=False)
                schema = schema or _open(table.schema)
                writer = writer or parquet.ParquetWriter(target, schema)
                writer.write_table(table.cast(schema))
                n += len(part)
            if writer:
                writer.close()
        return n
    if kind == "xlsx":
        return workbook.write(file, (cells.harmless(part) for part in parts))
    with file.open("w", encoding="utf-8", newline="") as text:
        for part in parts:
            cells.harmless(part).to_csv(text, index=False, header=not n)
            n += len(part)
    return n


def _open(schema: pa.Schema) -> pa.Schema:
    """Return a schema in which a column that had no value yet may hold a text later."""
    return pa.schema([field.with_type(pa.string()) if pa.types.is_null(field.type) else field for field in schema])


def refused(store: Store, batch_id: str, most: int | None = None) -> DataFrame:
    """Return the rows set aside, at most `most`: row, column and value of the first problem, what is wrong, and the cells as given."""
    keep.get(store, batch_id)
    found: list[DataFrame] = []
    for first, digest in store.rows(
        "select first_row, refused_sha256 from batch_part where batch_id = $id and refused_sha256 is not null order by first_row",
        id=batch_id,
    ):
        content = vault.verified(vault.folder(store, batch_id) / f"{first}{vault.REFUSED}", digest)
        found.append(parquet.read_table(io.BytesIO(content)).to_pandas())
        if most is not None and sum(map(len, found)) >= most:
            break
    whole = concat(found, ignore_index=True) if found else DataFrame(columns=list(CALLED))
    return whole.iloc[:most].rename(columns=CALLED)


def refused_csv(store: Store, batch_id: str) -> bytes:
    """Return all rows set aside as CSV, for a spreadsheet."""
    return cells.harmless(refused(store, batch_id)).to_csv(index=False).encode("utf-8-sig")


def first(store: Store, batch_id: str, most: int = 500) -> DataFrame:
    """Return the figures of the first rows scored: row, applicant_id, score, band, pd, recommendation."""
    return store.read(
        """select row, coalesce(applicant_id, batch_id || '-' || row) as applicant_id, score, band, pd, recommendation
        from batch_score where batch_id = $id order by row limit $most""",
        id=batch_id,
        most=most,
    )


def summary(store: Store, batch_id: str) -> dict[str, Any]:
    """Return how a batch came out: n, bands and recommendations (name: how many), mean_pd, quartiles of the score, refused."""
    found = keep.get(store, batch_id)
    n, mean, quartiles = store.rows(
        "select count(*), avg(pd), quantile_cont(score, [0.25, 0.5, 0.75]) from batch_score where batch_id = $id", id=batch_id
    )[0]
    counts = {
        name: dict(store.rows(f"select {name}, count(*) from batch_score where batch_id = $id group by 1 order by 2 desc", id=batch_id))
        for name in ("band", "recommendation")
    }
    return {"n": n, "refused": found["n_refused"], "mean_pd": mean, "quartiles": quartiles, **counts}


def distribution(store: Store, batch_id: str) -> DataFrame:
    """Return how scores lie beside those the model gave its test applicants: low (edge of 20 points), share, share_trained, n."""
    found = keep.get(store, batch_id)
    held = store.read(
        "select least(floor(score / $bin) * $bin, $last) as low, count(*) as n from batch_score where batch_id = $id group by 1",
        id=batch_id,
        bin=BIN,
        last=scorecard.HIGHEST - BIN,
    )
    low = np.arange(scorecard.LOWEST, scorecard.HIGHEST, BIN)
    counts = held.set_index("low")["n"].reindex(low, fill_value=0).to_numpy()
    before = _trained_scores(store, found["model_id"], batch_id)
    trained = np.bincount(np.minimum((before - scorecard.LOWEST) // BIN, len(low) - 1).astype(int), minlength=len(low))
    shares = {"share": counts / max(counts.sum(), 1), "share_trained": trained / max(trained.sum(), 1)}
    return DataFrame({"low": low, **shares, "n": counts})


def drift(store: Store, batch_id: str) -> DataFrame:
    """Return how far each figure moved since training, the furthest first, the score itself among them.

    Columns: feature ("" for the score), title, psi, critical (what chance stays below 95 times in 100 at these sizes), n, n_trained,
    missing and missing_trained (shares), moved ("far", "moved" or "", where the PSI is past the usual mark and chance does not
    explain it). Empty where the model's training table is not in this workspace.
    """
    found = keep.get(store, batch_id)
    model = registry.get(store, found["model_id"])
    schema = registry.schema(store, found["model_id"])
    try:
        trained = features.table(store, model["snapshot_id"])
    except CreditRiskError:  # a model that came from elsewhere
        return DataFrame(columns=[*DRIFT])
    names = [feature.name for feature in schema.predictors if feature.name in trained]
    edges = {name: _edges(trained[name]) for name in names}
    counts: dict[str, Any] = dict.fromkeys(names, 0)
    for table in _values(store, batch_id, names):
        for name in names:
            counts[name] = counts[name] + _counted(table[name], edges[name])
    rows = []
    for name in names:
        before = _counted(trained[name], edges[name])
        rows.append((name, schema[name].title, *_moved(before, counts[name])))
    before = _trained_scores(store, found["model_id"], batch_id)
    marks = stability.quantile_edges(before)
    now = store.read("select score from batch_score where batch_id = $id", id=batch_id)["score"].to_numpy()
    rows.append(("", "Score", *_moved(stability.binned(before, marks), stability.binned(now, marks))))
    made = DataFrame(rows, columns=[*DRIFT])
    return made.sort_values("psi", ascending=False, kind="stable", na_position="last").reset_index(drop=True)


DRIFT = ("feature", "title", "psi", "critical", "n", "n_trained", "missing", "missing_trained", "moved")


def _moved(before: Any, after: Any) -> tuple[Any, ...]:
    """Return PSI, what chance explains, sizes, missing shares (the last count) and whether it moved, of counts per bin."""
    n, m = int(np.sum(after)), int(np.sum(before))
    psi = stability.psi_of_counts(before, after)
    critical = stability.psi_critical(n, m, int(np.count_nonzero(np.asarray(before) + np.asarray(after))))
    said = "far" if psi > max(critical, FAR) else "moved" if psi > max(critical, MOVED) else ""
    return psi, critical, n, m, after[-1] / max(n, 1), before[-1] / max(m, 1), said


def _edges(column: Any) -> Any:
    """Return what parts a column into bins: quantiles of numbers, the choices of texts."""
    return stability.quantile_edges(column) if column.dtype.kind in "fiub" else sorted(column.dropna().unique())


def _counted(column: Any, edges: Any) -> Any:
    """Return counts per bin, missing values last."""
    if isinstance(edges, list):
        known = column.dropna()
        return np.array([*(int((known == choice).sum()) for choice in edges), int((~known.isin(edges)).sum()), int(column.isna().sum())])
    return stability.binned(column.to_numpy(dtype=np.float64, na_value=np.nan), edges)


def _values(store: Store, batch_id: str, names: list[str]) -> Iterator[DataFrame]:
    """Yield the values that were scored, a part at a time."""
    for first, digest in store.rows("select first_row, sha256 from batch_part where batch_id = $id order by first_row", id=batch_id):
        content = vault.verified(vault.folder(store, batch_id) / f"{first}{vault.VALUES}", digest)
        yield parquet.read_table(io.BytesIO(content), columns=names).to_pandas()


def _trained_scores(store: Store, model_id: str, batch_id: str) -> Numbers:
    """Return the scores the model gave its test applicants, on the scale of the batch."""
    scale = Score(**json.loads(store.value("select scale from batch where batch_id = $id", id=batch_id)))
    given: Numbers = scorecard.score(registry.table(store, model_id, "test")["pd"].to_numpy(np.float64), scale)
    return given
