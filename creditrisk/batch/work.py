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
from pandas import DataFrame, isna
from pyarrow import ipc

from creditrisk import ids, rows, seal, tabular, tranche, vault
from creditrisk.errors import InvalidInput, TamperedArtefact
from creditrisk.pipeline import Pipeline
from creditrisk.schema import Schema, parse
from creditrisk.settings import Intake, Policy, Score

ROWS = 10_000  # of a part
MOST = 1_000_000  # rows of a file


@dataclass(frozen=True)
class Part:
    """A stretch of a file's rows, done, its files written: `scores` as `tranche.columns`, `share` of the file read, digests of
    its files and the one digest of its rows."""

    first: int
    last: int
    n_scored: int
    n_refused: int
    share: float
    sha256: str
    refused_sha256: str | None
    seal: str
    scores: pa.Table
    problems: Sequence[rows.Problem] = ()

    def hand_over(self, folder: Path) -> dict[str, Any]:
        """Write the scores into a folder, for the process that keeps them, and return the line that tells of the part."""
        with ipc.new_file(folder / f"{self.first}.scores", self.scores.schema) as target:
            target.write_table(self.scores)
        return {name: value for name, value in vars(self).items() if name not in ("scores", "problems")}

    @classmethod
    def taken(cls, folder: Path, told: Mapping[str, Any]) -> "Part":
        """Read a part that another process handed over."""
        file = folder / f"{told['first']}.scores"
        with ipc.open_file(file) as source:
            scores = source.read_all()
        file.unlink()
        return cls(**told, scores=scores)


def headings(schema: Schema, block: tabular.Block) -> dict[str, str]:
    """Return what a file's columns are called here: its id as an import takes it; raises InvalidInput for a table that cannot be scored."""
    names = [str(name) for name in block.frame.columns]
    key = ids.column_of(block.frame)
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
    asked = json.loads((folder / vault.ASKED).read_text(encoding="utf-8"))
    schema = parse((folder / vault.SCHEMA).read_text(encoding="utf-8"))
    pipeline = _pipeline(folder, asked["digest"])
    how = {"scale": Score(**asked["scale"]), "rules": Policy(**asked["policy"]), "baseline": asked["baseline"]}
    called: dict[str, str] | None = None
    for block in tabular.blocks(asked["file"], folder / vault.GIVEN, Intake(**asked["limits"]), ROWS, figures(schema)):
        called = headings(schema, block) if called is None else called
        last = block.first + len(block.frame) - 1
        if last > MOST:
            raise InvalidInput(f"{asked['file']} has more than {MOST:,} rows; send it in several files.")
        if last > done:
            yield _part(folder, schema, pipeline, block, called, how)


def problems(schema: Schema, block: tabular.Block, called: Mapping[str, str]) -> list[rows.Problem]:
    """Return what is wrong with some rows of a file, by row."""
    _, wrong = _checked(schema, block, called)
    return [problem for place in sorted(wrong) for problem in wrong[place]]


def _checked(schema: Schema, block: tabular.Block, called: Mapping[str, str]) -> tuple[DataFrame, dict[int, list[rows.Problem]]]:
    """Return rows held against the schema, and what is wrong with which by place; rows are numbered as in their file."""
    table, found = rows.check(schema, block.frame.rename(columns=called), complete=True)
    wrong = {place: [rows.Problem(block.first + place, "", "", f"Row {block.first + place}: {said}.")] for place, said in block.odd.items()}
    for problem in found:
        if problem.row - 1 not in block.odd:
            row = block.first + problem.row - 1
            said = rows.Problem(row, problem.column, problem.value, f"Row {row}: {problem.message.partition(': ')[2]}")
            wrong.setdefault(problem.row - 1, []).append(said)
    return table, wrong


def _part(  # noqa: PLR0917
    folder: Path, schema: Schema, pipeline: Pipeline, block: tabular.Block, called: Mapping[str, str], how: Mapping[str, Any]
) -> Part:
    table, wrong = _checked(schema, block, called)
    frame = block.frame
    number = block.first + np.arange(len(frame))
    good = ~np.isin(np.arange(len(frame)), list(wrong))
    kept = table if good.all() else table[good].reset_index(drop=True)
    made = tranche.score(schema, pipeline, kept, **how)
    held, scores = tranche.values(made, kept, pipeline.names, number[good]), tranche.columns(made, kept, number[good])
    return Part(
        first=block.first,
        last=int(number[-1]),
        n_scored=len(kept),
        n_refused=len(wrong),
        share=block.share,
        sha256=vault.written(held, folder / f"{block.first}{vault.VALUES}"),
        refused_sha256=vault.written(_set_aside(block, wrong), folder / f"{block.first}{vault.REFUSED}") if wrong else None,
        seal=seal.root(vault.leaves(scores, held)),
        scores=scores,
        problems=[problem for place in sorted(wrong) for problem in wrong[place]],
    )


def _set_aside(block: tabular.Block, wrong: Mapping[int, Sequence[rows.Problem]]) -> pa.Table:
    """Return the bad rows: row, the first problem's column and value, what is wrong in sentences, and the cells as they were given."""
    places = sorted(wrong)
    about = {
        "row": [block.first + place for place in places],
        "column": [wrong[place][0].column for place in places],
        "value": [wrong[place][0].value for place in places],
        "message": [" ".join(problem.message for problem in wrong[place]) for place in places],
    }
    given = block.frame.iloc[places]
    cells = {f"{vault.CELL}{name}": [None if isna(cell) else str(cell) for cell in given[name]] for name in given.columns}
    return pa.table({name: pa.array(values, pa.int32() if name == "row" else pa.string()) for name, values in {**about, **cells}.items()})


def _pipeline(folder: Path, digest: str) -> Pipeline:
    import joblib

    content = (folder / vault.PIPELINE).read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise TamperedArtefact(f"{vault.PIPELINE} in {folder} is not the registered model (its SHA-256 differs): it scores nothing.")
    loaded: Pipeline = joblib.load(io.BytesIO(content))
    return loaded
