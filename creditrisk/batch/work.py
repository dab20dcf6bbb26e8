"""From a prepared folder to scores, part by part, without the database: the same rows whoever asks and wherever it began.

A folder holds the file as it was given, schema.toml, pipeline.joblib and asked.json; nothing in it is believed that is not
the registered model, byte for byte.
"""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pandas import DataFrame, Series
from pyarrow import ipc, parquet

from creditrisk import rows, tables, tabular, tranche
from creditrisk.errors import InvalidInput, TamperedArtefact
from creditrisk.pipeline import Pipeline
from creditrisk.schema import Schema, parse
from creditrisk.settings import Intake, Policy, Score

ROWS = 10_000  # of a part
MOST = 1_000_000  # rows of a file
GIVEN, SCHEMA, PIPELINE, ASKED = "given", "schema.toml", "pipeline.joblib", "asked.json"


@dataclass(frozen=True)
class Part:
    """A stretch of a file's rows, done: `scores` as `tranche.columns`, `inputs` and `refused` Parquet, `share` of the file read."""

    first: int
    last: int
    n_scored: int
    n_refused: int
    share: float
    scores: pa.Table
    inputs: bytes
    refused: bytes | None
    problems: Sequence[rows.Problem] = ()

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the part into a folder and return the line that tells of it."""
        with ipc.new_file(folder / f"{self.first}.arrow", self.scores.schema) as target:
            target.write_table(self.scores)
        (folder / f"{self.first}.inputs").write_bytes(self.inputs)
        if self.refused:
            (folder / f"{self.first}.refused").write_bytes(self.refused)
        return {name: getattr(self, name) for name in ("first", "last", "n_scored", "n_refused", "share")}

    @classmethod
    def taken(cls, folder: Path, told: Mapping[str, Any]) -> "Part":
        """Read a part that another process saved, and remove its files."""
        files = [folder / f"{told['first']}.{kind}" for kind in ("arrow", "inputs", "refused")]
        with ipc.open_file(files[0]) as source:
            scores = source.read_all()
        inputs, refused = files[1].read_bytes(), files[2].read_bytes() if files[2].exists() else None
        for file in files:
            file.unlink(missing_ok=True)
        return cls(**told, scores=scores, inputs=inputs, refused=refused)


def headings(schema: Schema, block: tabular.Block) -> dict[str, str]:
    """Return what a file's columns are called here: its id as an import takes it; raises InvalidInput for a table that cannot be scored."""
    names = [str(name) for name in block.frame.columns]
    key = tables.key_of(block.frame)
    called = {key: "applicant_id"} if key and key not in {feature.name for feature in schema} else {}
    rows.check(schema, DataFrame(columns=[called.get(name, name) for name in names]), complete=True)
    return called


def figures(schema: Schema) -> list[str]:
    """Return the columns of a file that hold numbers and nothing else but numbers."""
    return [feature.name for feature in schema if feature.is_numeric and not feature.missing and not feature.spellings]


def parts(folder: Path, done: int = 0) -> Iterator[Part]:
    """Yield the parts of a prepared folder's file behind its first `done` rows.

    Raises UnreadableFile, InvalidInput for columns nobody declared or that are absent and beyond a million rows, TamperedArtefact.
    """
    asked = json.loads((folder / ASKED).read_text(encoding="utf-8"))
    schema = parse((folder / SCHEMA).read_text(encoding="utf-8"))
    pipeline = _pipeline(folder, asked["digest"])
    how = {"scale": Score(**asked["scale"]), "rules": Policy(**asked["policy"]), "baseline": asked["baseline"]}
    called: dict[str, str] | None = None
    for block in tabular.blocks(asked["file"], folder / GIVEN, Intake(**asked["limits"]), ROWS, figures(schema)):
        called = headings(schema, block) if called is None else called
        last = block.first + len(block.frame) - 1
        if last > MOST:
            raise InvalidInput(f"{asked['file']} has more than {MOST:,} rows; send it in several files.")
        if last > done:
            yield _part(schema, pipeline, block, called, how)


def _part(schema: Schema, pipeline: Pipeline, block: tabular.Block, called: Mapping[str, str], how: Mapping[str, Any]) -> Part:
    frame = block.frame.rename(columns=called)
    table, found = rows.check(schema, frame, complete=True)
    wrong: dict[int, list[rows.Problem]] = {
        place: [rows.Problem(block.first + place, "", "", f"Row {block.first + place}: {said}.")] for place, said in block.odd.items()
    }
    for problem in found:
        if problem.row - 1 not in block.odd:
            row = block.first + problem.row - 1
            said = rows.Problem(row, problem.column, problem.value, f"Row {row}: {problem.message.partition(': ')[2]}")
            wrong.setdefault(problem.row - 1, []).append(said)
    number = block.first + np.arange(len(frame))
    good = ~np.isin(np.arange(len(frame)), list(wrong))
    kept = table if good.all() else table[good].reset_index(drop=True)
    made = tranche.score(schema, pipeline, kept, **how)
    return Part(
        first=block.first,
        last=int(number[-1]),
        n_scored=len(kept),
        n_refused=len(wrong),
        share=block.share,
        scores=tranche.columns(made, kept, number[good]),
        inputs=tranche.inputs(kept, number[good]),
        refused=_set_aside(block, wrong) if wrong else None,
        problems=[problem for place in sorted(wrong) for problem in wrong[place]],
    )


def _set_aside(block: tabular.Block, wrong: Mapping[int, Sequence[rows.Problem]]) -> bytes:
    """Return the bad rows as a Parquet file: row, what is wrong in sentences, the first problem's column and value, the cells as given."""
    places = sorted(wrong)
    about = {
        "row": [block.first + place for place in places],
        "column": [wrong[place][0].column for place in places],
        "value": [wrong[place][0].value for place in places],
        "message": [" ".join(problem.message for problem in wrong[place]) for place in places],
    }
    given = block.frame.iloc[places].reset_index(drop=True)
    cells = {f"given: {name}": Series(given[name]).map(lambda cell: None if cell != cell else str(cell)) for name in given.columns}  # noqa: PLR0124
    held = io.BytesIO()
    columns = {
        **{name: pa.array(values) for name, values in about.items()},
        **{n: pa.array(v, pa.string(), from_pandas=True) for n, v in cells.items()},
    }
    parquet.write_table(pa.table(columns), held)
    return held.getvalue()


def _pipeline(folder: Path, digest: str) -> Pipeline:
    import joblib

    content = (folder / PIPELINE).read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise TamperedArtefact(f"{folder / PIPELINE} is not the registered model (its SHA-256 differs), so nothing is scored with it.")
    loaded: Pipeline = joblib.load(io.BytesIO(content))
    return loaded
