"""The parts of batches as they lie: files beside the database, each known by its digest, and the seal of a part's rows on record.

A batch's folder holds the files of parts that were kept and, until its last row is done, what it needs to go on; a crash may leave more,
which start-up takes away.
"""

import hashlib
import io
import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import date, datetime
from json import loads
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pandas import DataFrame
from pyarrow import parquet

from creditrisk import custody, seal, tabular
from creditrisk.errors import CreditRiskError, TamperedArtefact
from creditrisk.settings import Intake
from creditrisk.store import Store, now

NAME = re.compile(r"(B\d{4,9})-([1-9]\d{0,8})")  # of a prediction made in a batch: whose, and which row of its file
VALUES, REFUSED = ".parquet", ".refused.parquet"  # behind the first row of a part: its files
ADDED = "contribution: "
CELL = "given: "  # before the name of a cell's column, among the rows set aside
GIVEN, SCHEMA, PIPELINE, ASKED = NEEDED = ("given", "schema.toml", "pipeline.joblib", "asked.json")
FACTS = (  # what is sealed of a batch, in this order: all but what its file was called, which may name a person
    *("batch_id", "sha256", "n_bytes", "n_rows", "model_id", "digest", "schema_fingerprint", "label_source", "is_proxy", "base"),
    *("baseline", "typical", "predictors", "scale", "policy", "channel", "created_at", "created_by"),
)
ROWS = """
    select row, as_of, margin, pd, score, band, recommendation, reasons, worth
    from batch_score where batch_id = $id and row between $first and $last order by row
"""
KEPT = """
    select first_row, last_row, n_scored, n_refused, sha256, refused_sha256, detail->>'seal' as root, audit.seq
    from batch_part
    left join audit on action = 'score' and subject = batch_id and (detail->>'first')::integer = first_row
    where batch_id = $id order by first_row
"""
Without = Callable[[str], str]


def folder(store: Store, batch_id: str) -> Path:
    """Return where the files of a batch lie."""
    return store.settings.data / "batches" / batch_id


def written(table: pa.Table, file: Path) -> str:
    """Write a table to a file that survives what comes, and return its SHA-256."""
    held = io.BytesIO()
    parquet.write_table(table, held, compression="lz4", use_dictionary=False)
    content = held.getvalue()
    with file.open("wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())
    return hashlib.sha256(content).hexdigest()


def verified(file: Path, digest: str) -> bytes:
    """Return the bytes of a part's file; raises TamperedArtefact unless they are those that were kept."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise TamperedArtefact(
            f"{file} cannot be read ({error.strerror}), so what it held is not shown. Restore it from a backup."
        ) from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise TamperedArtefact(f"{file} is not the file that was kept (its SHA-256 differs). Restore it from a backup.")
    return content


# --- what proves a row --------------------------------------------------------------------------------------------------


def leaves(scores: pa.Table, values: pa.Table) -> list[str]:
    """Return the digest of each row of a part, of its `scores` (their applicants left out) and `values`, as its files hold them."""
    texts, numbers = _apart(scores, values)
    block = np.column_stack([*numbers.values()]).astype("<f8") if numbers else np.empty((len(scores), 0), "<f8")
    block[np.isnan(block)] = np.nan  # one of the many ways to write that there is no number
    return [seal.packed(words, row.tobytes()) for words, row in zip(zip(*texts.values(), strict=True), block, strict=True)]


def sealed(store: Store, batch_id: str, row: int) -> dict[str, Any] | None:
    """Return what proves a row of a batch: row (its texts and numbers, as they are sealed), leaf, proof, root, and seq of the audit entry.

    None where the part was kept before parts were sealed, or is no longer what was sealed. Raises TamperedArtefact.
    """
    for part in _parts(store, batch_id):
        if part["first_row"] <= row <= part["last_row"]:
            scores, values = _read(store, batch_id, part)
            made, place = leaves(scores, values), scores["row"].to_pylist().index(row)
            if seal.root(made) != part["root"]:
                return None
            texts, numbers = _apart(scores.slice(place, 1), values.slice(place, 1))
            said = {
                "texts": {name: column[0] for name, column in texts.items()},
                "numbers": {name: None if np.isnan(column[0]) else float(column[0]) for name, column in numbers.items()},
            }
            return {"row": said, "leaf": made[place], "proof": seal.proof(made, place), "root": part["root"], "seq": part["seq"]}
    return None


def leaf(row: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the digest of a row as `sealed` returned it."""
    numbers = np.array([np.nan if value is None else value for value in row["numbers"].values()], dtype="<f8")
    return seal.packed(row["texts"].values(), numbers.tobytes())


def facts(batch: Mapping[str, Any]) -> str:
    """Return the digest of what all scores of a batch share."""
    return seal.leaf(batch[name] for name in FACTS)


def faults(store: Store) -> Iterator[str]:
    """Yield what of batches is not as it was kept, a sentence each."""
    for (batch_id,) in store.rows("select batch_id from batch order by batch_id"):
        batch = store.record("select * from batch where batch_id = $id", id=batch_id) or {}
        said = store.value("select detail->>'facts' from audit where action = 'score' and subject = $id order by seq limit 1", id=batch_id)
        if said is not None and said != facts(batch):
            yield f"What was asked of batch {batch_id} is not what was put on record: it was altered."
        lost = store.value(
            """select min((detail->>'first')::integer) from audit where action = 'score' and subject = $id
            and (detail->>'first')::integer not in (select first_row from batch_part where batch_id = $id)""",
            id=batch_id,
        )
        if lost is not None:
            yield f"The part of batch {batch_id} that begins with row {lost:,} is no longer there."
        for part in _parts(store, batch_id):
            yield from _faults_of(store, batch_id, part)


def _faults_of(store: Store, batch_id: str, part: Mapping[str, Any]) -> Iterator[str]:
    name = f"Rows {part['first_row']:,} to {part['last_row']:,} of batch {batch_id}"
    try:
        if part["refused_sha256"]:
            verified(folder(store, batch_id) / f"{part['first_row']}{REFUSED}", part["refused_sha256"])
        scores, values = _read(store, batch_id, part)
    except TamperedArtefact as error:
        yield f"{name}: {error}"
        return
    alike = scores["row"].to_pylist() == values["row"].to_pylist() and len(scores) == part["n_scored"]
    if not alike or (part["root"] is not None and seal.root(leaves(scores, values)) != part["root"]):
        yield f"{name} do not have the scores that were made: altered, removed or added to."


def _parts(store: Store, batch_id: str) -> list[dict[str, Any]]:
    names = ("first_row", "last_row", "n_scored", "n_refused", "sha256", "refused_sha256", "root", "seq")
    return [dict(zip(names, row, strict=True)) for row in store.rows(KEPT, id=batch_id)]


def _read(store: Store, batch_id: str, part: Mapping[str, Any]) -> tuple[pa.Table, pa.Table]:
    """Return the scores and values of a part."""
    values = parquet.read_table(io.BytesIO(verified(folder(store, batch_id) / f"{part['first_row']}{VALUES}", part["sha256"])))
    with store.reading() as cursor:
        asked = {"id": batch_id, "first": part["first_row"], "last": part["last_row"]}
        return cursor.sql(ROWS, params=asked).to_arrow_table(), values


def _apart(scores: pa.Table, values: pa.Table) -> tuple[dict[str, list[str]], dict[str, NDArray[np.float64]]]:
    """Return rows as columns of texts and columns of numbers, by name, in the order in which they are sealed."""
    texts = {name: _texts(scores[name]) for name in ("row", "as_of", "band", "recommendation")}
    texts |= {f"reason {place}": _texts(pa.array(column)) for place, column in enumerate(_spread(scores["reasons"]), 1)}
    numbers = {name: _numbers(scores[name]) for name in ("margin", "pd", "score")}
    numbers |= {f"worth {place}": column.astype(np.float64) for place, column in enumerate(_spread(scores["worth"]), 1)}
    for name in values.column_names[1:]:
        if pa.types.is_floating(values[name].type) or pa.types.is_integer(values[name].type):
            numbers[name] = _numbers(values[name])
        else:
            texts[name] = _texts(values[name])
    return texts, numbers


def _texts(column: Any) -> list[str]:
    return [value.isoformat() if isinstance(value, date) else "" if value is None else str(value) for value in column.to_pylist()]


def _numbers(column: Any) -> NDArray[np.float64]:
    return np.asarray(column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy(), dtype=np.float64)


def _spread(lists: Any) -> list[NDArray[Any]]:
    """Return a column of lists, all as long, as columns."""
    flat = pa.compute.list_flatten(lists).to_numpy()
    return list(flat.reshape(len(lists), -1).T) if len(lists) else []


# --- what a crash leaves, and what an erasure takes -----------------------------------------------------------------------


def sweep(store: Store, batch_id: str) -> int:
    """Take away what is neither of a part that was kept nor needed to go on; returns how many files. Nobody works on the batch."""
    here = folder(store, batch_id)
    parts, state = _parts(store, batch_id), _state(store, batch_id)
    for part in parts:
        again = here / f".{part['first_row']}{REFUSED}.part"
        if again.exists() and hashlib.sha256(again.read_bytes()).hexdigest() == part["refused_sha256"]:
            again.replace(here / f"{part['first_row']}{REFUSED}")
    wanted = {f"{part['first_row']}{ending}" for part in parts for ending in (VALUES, *([REFUSED] if part["refused_sha256"] else []))}
    if state != "done" and (here / GIVEN).exists():
        wanted |= set(NEEDED)
    others = [file for file in here.iterdir() if file.name not in wanted] if here.is_dir() else []
    for file in others:
        file.unlink()
    return len(others)


def recover(store: Store) -> list[str]:
    """Take away what a crash left of batches; returns what was done, a sentence. For start-up only."""
    parent, n = folder(store, ""), 0
    known = {name for (name,) in store.rows("select batch_id from batch")}
    for path in sorted(parent.iterdir()) if parent.is_dir() else []:
        if path.name in known:
            n += sweep(store, path.name)
        else:  # being prepared, or placed before its row was: nobody was told of it
            shutil.rmtree(path)
            n += 1
    return [f"What was not kept of batches was removed: {n:,} files or folders."] if n else []


def named(store: Store) -> dict[str, datetime]:
    """Return who is named in what batches keep on disk, among rows set aside or in files that are not done, and when they came last."""
    found: dict[str, datetime] = {}
    declared = {"as_of", *(feature.name for feature in store.schema)}  # what is left holds ids
    for batch_id, at in store.rows("select batch_id, created_at from batch order by created_at"):
        for table in _tables(store, batch_id):
            for column in (name for name in table.columns if str(name).removeprefix(CELL) not in declared):
                found |= dict.fromkeys((str(cell).strip() for cell in table[column].dropna().unique()), at)
    return found


def _tables(store: Store, batch_id: str) -> Iterator[DataFrame]:
    """Yield the cells that were given of rows set aside, and the rows of a file that is not done."""
    here = folder(store, batch_id)
    for part in _parts(store, batch_id):
        if part["refused_sha256"]:
            aside = parquet.read_table(io.BytesIO(verified(here / f"{part['first_row']}{REFUSED}", part["refused_sha256"])))
            yield aside.select([name for name in aside.column_names if name.startswith(CELL)]).to_pandas()
    if (here / GIVEN).exists():
        with suppress(CreditRiskError), closing(_blocks(here)) as blocks:  # one that cannot be read names nobody here
            yield from (block.frame for block in blocks)


def unnamed(store: Store, cursor: Any, without: Without, user: str) -> tuple[int, list[Path]]:
    """Take people out of what batches keep on disk, inside the transaction that erases them; `without` takes them out of a text.

    Returns of how many batches the file was taken away (it names them, and is not done yet), and the files of rows set aside that were
    written anew: whoever commits then calls `settled` with them. Rows that were set aside keep what was wrong, and nobody's name.
    """
    away, anew = 0, []
    for (batch_id,) in cursor.execute("select batch_id from batch order by batch_id").fetchall():
        here = folder(store, batch_id)
        if (here / GIVEN).exists() and _names(here, without):
            (here / GIVEN).unlink()
            away += 1
            if _state(store, batch_id) != "running":  # who runs it takes the rest away
                sweep(store, batch_id)
            cursor.execute(
                "insert into batch_event (batch_id, happened_at, state, message, by_user) values ($id, $at, 'stopped', $said, $user)",
                {"id": batch_id, "at": now(), "said": "Its file named a person who was erased, and was removed.", "user": user},
            )
        for first, digest in cursor.execute(
            "select first_row, refused_sha256 from batch_part where batch_id = $id and refused_sha256 is not null", {"id": batch_id}
        ).fetchall():
            file = here / f"{first}{REFUSED}"
            table = parquet.read_table(io.BytesIO(verified(file, digest)))
            said = _said_without(table, without)
            if not said.equals(table):
                part = file.with_name(f".{file.name}.part")
                fresh = {"digest": written(said, part), "id": batch_id, "first": first}
                cursor.execute("update batch_part set refused_sha256 = $digest where batch_id = $id and first_row = $first", fresh)
                anew.append(part)
    return away, anew


def _said_without(table: pa.Table, without: Without) -> pa.Table:
    """Return rows set aside as they may stay: of a row that speaks of somebody the other cells that were given go too."""
    columns = {name: table[name].to_pylist() for name in table.column_names[1:]}
    rest = {name: [None if text is None else without(text) for text in column] for name, column in columns.items()}
    speaks = [row != other for row, other in zip(zip(*columns.values(), strict=True), zip(*rest.values(), strict=True), strict=True)]
    said = table.select(["row"])
    for name, column in rest.items():
        kept = [None if gone and name.startswith(CELL) and text == was else text
                for text, was, gone in zip(column, columns[name], speaks, strict=True)]  # fmt: skip
        said = said.append_column(name, pa.array(kept, pa.string()))
    return said


def settled(anew: Sequence[Path]) -> None:
    """Put files that were written anew in the place of the former ones."""
    for part in anew:
        part.replace(part.with_name(part.name.removeprefix(".").removesuffix(".part")))
        custody.sync(part.parent)


def _names(here: Path, without: Without) -> bool:
    """Say whether the file of a batch speaks of somebody; one that cannot be read is held to."""
    said = (here / ASKED).read_text(encoding="utf-8")
    if without(said) != said:
        return True
    try:
        with closing(_blocks(here)) as blocks:
            return any(_speaks(block.frame, without) for block in blocks)
    except CreditRiskError:
        return True


def _blocks(here: Path) -> Generator[tabular.Block]:
    asked = loads((here / ASKED).read_text(encoding="utf-8"))
    yield from tabular.blocks(asked["file"], here / GIVEN, Intake(**asked["limits"]), 10_000, ())


def _speaks(frame: Any, without: Without) -> bool:
    cells = (str(cell) for name in frame.columns if frame[name].dtype.kind not in "fb" for cell in frame[name].dropna().unique())
    return any(without(cell) != cell for cell in cells)


def _state(store: Store, batch_id: str) -> str | None:
    found = store.value("select state from batch_event where batch_id = $id order by seq desc limit 1", id=batch_id)
    return None if found is None else str(found)
