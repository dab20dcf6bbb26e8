"""A file becomes a table: CSV in whatever dialect, Parquet or the one filled sheet of a workbook, the same way for every command and page.

Every cell of a text is its text; nothing is guessed but the dialect, and what that guess changed is said in `frame.attrs["notes"]`.
A file that says two things, or is no table, is refused whole in a sentence.
"""

import csv
import io
import mmap
import re
from collections import Counter
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pandas import DataFrame
from pyarrow import parquet

from creditrisk import cells, charset, grid
from creditrisk.errors import UnreadableFile
from creditrisk.formats import sheet
from creditrisk.formats.guard import extract
from creditrisk.settings import Intake

PARQUET = b"PAR1"
MOST_COLUMNS = 1_000
LONGEST = 200  # characters of a heading
HEAD = 400_000  # bytes in which the heading and the first rows stand
SEPARATORS = ",;\t|"
LINE_END = re.compile(rb"\r\n|\r|\n")
NUMBER = r"^-?(\d{1,300}(\.\d{0,300})?|\.\d{1,300})([eE][-+]?\d{1,2})?$"
FIGURE = re.compile(r"([-+]?\d[\d.,'\u00a0 ]*)(?:[eE][-+]?\d{1,3})?")  # how a number may be written


@dataclass(frozen=True)
class Block:
    """Some rows of a file: the number of the first (1 stands below the heading), the share of the file read with them, and, of
    those that are no row of the table, what is wrong by place; a text's cells are texts, of which a column of figures is numbers."""

    frame: DataFrame
    first: int
    share: float
    odd: dict[int, str] = field(default_factory=dict)


def plain_name(name: str) -> str:
    """Return the last part of a path of whatever system, as one printable line that a sentence can begin with."""
    last = PureWindowsPath(Path(name).name).name
    return "".join(letter if letter.isprintable() else " " for letter in last)[:200].strip(" .") or "statement"


def load(file: Path, limits: Intake) -> DataFrame:
    """Read a file from disk as `read` reads its bytes; raises UnreadableFile."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UnreadableFile(file.name, f"it cannot be opened: {(error.strerror or str(error)).lower()}.") from error
    return read(file.name, content, limits)


def read(name: str, content: bytes, limits: Intake) -> DataFrame:
    """Return a file's rows under its headings, `attrs["notes"]` saying how it was read.

    A text's cells are texts; decimal commas become points where the whole column shows that they are. Raises UnreadableFile for what
    is no table, too large, has a heading that is empty or stands twice, no row, or a column whose cells are not single values.
    """
    if len(content) > limits.max_file_mb * 1_000_000:
        raise UnreadableFile(name, f"the file is larger than {limits.max_file_mb} MB; raise max_file_mb in [intake].")
    if content.startswith(PARQUET) or name.lower().endswith((".parquet", ".pq")):
        table, notes = _of_parquet(name, content, limits), list[str]()
    elif sheet.recognises(content):
        table, notes = _of_workbook(name, content, limits)
    else:
        table, notes = _of_text(name, content, limits)
    named = _named(name, table)
    named.attrs["notes"] = notes
    return named


def blocks(name: str, file: Path, limits: Intake, size: int, figures: Collection[str]) -> Generator[Block, None, None]:
    """Yield the rows of a file at most `size` at a time, so that a large one is never held whole; `name` is what it is called.

    `figures` are the columns in which numbers are expected; where one holds nothing else in a text, it comes as numbers. A row with
    too many or too few cells is set aside and the others go on. How numbers are written is found from the first megabytes. Raises
    UnreadableFile as `read` does, and where what follows cannot be cut into cells.
    """
    with file.open("rb") as opened:
        head = opened.read(HEAD)
    if head.startswith(PARQUET):
        yield from _blocks_of_parquet(name, file, size)
    elif sheet.recognises(head):
        whole = read(name, file.read_bytes(), limits)
        for at in range(0, len(whole), size):
            part = whole.iloc[at : at + size].reset_index(drop=True)
            yield Block(part, at + 1, min(1.0, (at + size) / len(whole)))
    else:
        yield from _blocks_of_text(name, file, size, figures)


def _blocks_of_parquet(name: str, file: Path, size: int) -> Iterator[Block]:
    try:
        with parquet.ParquetFile(file) as held:
            n, first = held.metadata.num_rows, 1
            schema = pa.schema([_plain(name, column) for column in held.schema_arrow])
            for batch in held.iter_batches(size):
                part: DataFrame = pa.table(batch).cast(schema).to_pandas(ignore_metadata=True)
                yield Block(_named(name, part), first, (first + len(part) - 1) / n)
                first += len(part)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableFile(name, f"it is not a table this program can read: {str(error).strip().splitlines()[0]}") from error
    if first == 1:
        raise UnreadableFile(name, "there is a heading and no row below it.")


def _blocks_of_text(name: str, file: Path, size: int, figures: Collection[str]) -> Iterator[Block]:
    with file.open("rb") as opened:
        if not file.stat().st_size:
            raise UnreadableFile(name, "the file is empty; a header line and one row per applicant were expected.")
        content: mmap.mmap | bytes = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        whole = len(content)
        start = content[:HEAD]
        if whole > HEAD:
            start = start[: start.rfind(b"\n") + 1] or start
        if what := charset.recognise(start):
            raise UnreadableFile(name, f"this is {what}, not a table of comma-separated values, Parquet or Excel.")
        if not charset.utf8(name, start)[1].startswith("utf-8"):
            content = charset.utf8(name, content[:])[0]
            start, whole = content[:HEAD], len(content)
        top, separator, heading = _heading(name, start)
        _named(name, DataFrame([[""] * len(heading)], columns=heading))
        marks: dict[int, str] | None = None
        first = 1
        for piece, share in _pieces(content, top, whole):
            if b"\x00" in piece:
                raise UnreadableFile(name, "this is a binary file (it contains NUL characters), not text.")
            made = grid.cut(name, charset.utf8(name, piece)[0], separator, first=1, width=len(heading), places=range(len(heading)))
            columns = [made.columns[place] for place in range(len(heading))]
            marks = _marks(columns) if marks is None else marks
            held = [_cells(column, marks.get(place), are_figures=heading[place] in figures) for place, column in enumerate(columns)]
            n = len(made.lines)
            wrong = np.flatnonzero((made.widths != len(heading)) & ((made.widths < len(heading)) | np.isin(np.arange(n), made.spills)))
            odd = {int(at): f"has {made.widths[at]} cells, the heading {len(heading)}; it is cut off or misquoted" for at in wrong}
            for at in range(0, n, size):
                frame = DataFrame({str(place): column[at : at + size] for place, column in enumerate(held)}).set_axis(heading, axis=1)
                inside = {place - at: said for place, said in odd.items() if at <= place < at + size}
                yield Block(frame, first + at, share if at + size >= n else share * 0.999, inside)
            first += n
        if first == 1:
            raise UnreadableFile(name, "there is a heading and no row below it.")


def _pieces(content: "mmap.mmap | bytes", top: int, whole: int) -> Iterator[tuple[bytes, float]]:
    """Yield the text below the heading (line `top`, from 0) in pieces of whole rows, and the share of the file read with each."""
    at = 0
    for _ in range(top + 1):
        found = LINE_END.search(content, at)
        at = found.end() if found else whole
    while at < whole:
        stop = _row_end(content, at, min(at + grid.PIECE, whole), whole)
        yield content[at:stop], stop / whole
        at = stop


def _row_end(content: "mmap.mmap | bytes", at: int, near: int, whole: int) -> int:
    """Return where a row ends near a place: at a line end that no quotation mark encloses."""
    stop = whole if near >= whole else content.rfind(b"\n", at, near) + 1 or content.find(b"\n", near) + 1 or whole
    quotes = content[at:stop].count(b'"')
    while quotes % 2 and stop < whole:
        further = content.find(b"\n", stop) + 1 or whole
        quotes += content[stop:further].count(b'"')
        stop = further
    return stop


def _cells(column: pa.DictionaryArray, mark: str | None, *, are_figures: bool) -> NDArray[Any]:
    """Return a column as its texts, decimal commas made points; as numbers where they are expected and nothing else is there."""
    texts = _plainly(column.dictionary, mark) if mark else column.dictionary
    where = column.indices.to_numpy()
    trimmed = pc.utf8_trim_whitespace(texts)
    blank = pc.equal(trimmed, "")
    if are_figures and pc.all(pc.or_(blank, pc.match_substring_regex(trimmed, NUMBER)), min_count=0).as_py():
        numbers = pc.cast(pc.if_else(blank, None, trimmed), pa.float64())
        found: NDArray[Any] = numbers.to_numpy(zero_copy_only=False)[where]
    else:
        found = texts.to_numpy(zero_copy_only=False)[where]
    return found


def _named(file: str, table: DataFrame) -> DataFrame:
    """Refuse a heading that is empty or stands twice: nobody could say which column is meant."""
    names = [str(column).strip() for column in table.columns]
    empty = [place for place, name in enumerate(names, 1) if not name]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if empty:
        said = (
            "; a title or merged cells above the table are no heading: leave one row with the names" if len(empty) * 2 > len(names) else ""
        )
        raise UnreadableFile(file, f"column {empty[0]} has no heading; every column needs a name of its own{said}.", line=1)
    if twice:
        raise UnreadableFile(file, f"the heading {twice[0]!r} stands twice; every column needs a name of its own.", line=1)
    folded = {name.casefold(): name for name in names}
    if len(folded) < len(names):
        one = next(name for name in names if folded[name.casefold()] != name)
        other = folded[one.casefold()]
        raise UnreadableFile(file, f"the headings {one!r} and {other!r} differ only in case, which a database does not tell apart.", line=1)
    if long := next((name for name in names if len(name) > LONGEST), None):
        raise UnreadableFile(file, f"the heading {long[:40]!r} … has {len(long):,} characters, more than the {LONGEST} allowed.", line=1)
    if len(names) > MOST_COLUMNS:
        raise UnreadableFile(file, f"it has {len(names):,} columns, more than the {MOST_COLUMNS:,} allowed; leave out what nobody reads.")
    if unprintable := next((name for name in names if not name.isprintable()), None):
        raise UnreadableFile(file, f"the heading {unprintable!r} holds characters that cannot be printed; rename it.", line=1)
    if table.empty:
        raise UnreadableFile(file, "there is a heading and no row below it.")
    return table.set_axis(names, axis=1)


def _of_parquet(name: str, content: bytes, limits: Intake) -> DataFrame:
    try:
        held = parquet.ParquetFile(io.BytesIO(content))
        if held.metadata.num_rows > limits.max_rows:
            raise UnreadableFile(name, f"it has {held.metadata.num_rows:,} rows, more than the {limits.max_rows:,} allowed.")
        if len(held.schema_arrow) > MOST_COLUMNS:
            raise UnreadableFile(name, f"it has {len(held.schema_arrow):,} columns, more than the {MOST_COLUMNS:,} allowed.")
        table = held.read()
        table = table.cast(pa.schema([_plain(name, field) for field in table.schema], metadata=table.schema.metadata))
        frame: DataFrame = table.to_pandas()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableFile(name, f"it is not a table this program can read: {str(error).strip().splitlines()[0]}") from error
    made: DataFrame = frame.reset_index(drop=frame.index.names == [None])  # a named index is a column like any other
    return made


def _plain(file: str, field: pa.Field) -> pa.Field:
    """Return the type a column is read as; raises UnreadableFile where its cells are no single values."""
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise UnreadableFile(file, f"column {field.name!r} holds {kind}, not one value a row; leave it out or unfold it into columns.")
    return field.with_type(pa.float64() if pa.types.is_decimal(kind) else kind)


def _of_workbook(name: str, content: bytes, limits: Intake) -> tuple[DataFrame, list[str]]:
    filled = [found for found in extract(name, content, "sheets", max_rows=limits.max_rows) if found["text"].strip()]
    seen = [found for found in filled if found["visible"]] or filled
    if len(seen) != 1:
        names = ", ".join(repr(found["name"]) for found in seen) or "none"
        raise UnreadableFile(name, f"a table is the only filled sheet of its workbook; here are {names}. Save the one you mean by itself.")
    notes = [f"the hidden sheet {found['name']!r} was not read." for found in filled if found not in seen]
    above = len(seen[0]["text"]) - len(seen[0]["text"].lstrip("\n"))
    header, *lines = csv.reader(io.StringIO(seen[0]["text"].lstrip("\n")), delimiter="\t")
    lines = [line for line in lines if any(line)] if not any(map(any, lines[-1:])) else lines
    wide = next((place for place, line in enumerate(lines, above + 2) if len(line) > len(header)), None)
    if wide is not None:
        raise UnreadableFile(name, f"the row has more cells than the heading has ({len(header)}).", line=wide)
    return DataFrame([line + [""] * (len(header) - len(line)) for line in lines], columns=header, dtype="str"), notes


def _of_text(name: str, content: bytes, limits: Intake) -> tuple[DataFrame, list[str]]:
    if what := charset.recognise(content):
        raise UnreadableFile(name, f"this is {what}, not a table of comma-separated values, Parquet or Excel.")
    text, encoding = charset.utf8(name, content)
    if b"\x00" in text:
        raise UnreadableFile(name, "this is a binary file (it contains NUL characters), not text.")
    notes = [] if encoding.startswith("utf-8") else [f"it is no UTF-8 and was read as {encoding}."]
    top, separator, heading = _heading(name, text[:HEAD])
    made = grid.cut(name, text, separator, first=top + 2, width=len(heading), places=range(len(heading)))
    if len(made.lines) > limits.max_rows:
        raise UnreadableFile(name, f"it has {len(made.lines):,} rows, more than the {limits.max_rows:,} allowed.")
    odd = np.flatnonzero((made.widths < len(heading)) | np.isin(np.arange(len(made.widths)), made.spills))
    if len(odd):
        cells_there, line = int(made.widths[odd[0]]), int(made.lines[odd[0]])
        raise UnreadableFile(name, f"the row has {cells_there} cells, the heading {len(heading)}; it is cut off or misquoted.", line=line)
    columns = [made.columns[place] for place in range(len(heading))]
    marks = _marks(columns)
    for place, mark in marks.items():
        column = columns[place]
        columns[place] = pa.DictionaryArray.from_arrays(column.indices, _plainly(column.dictionary, mark))
    for mark, what in ((",", "decimal commas became points"), (".", "marks of thousands were left out")):
        if named := [heading[place] for place in marks if marks[place] == mark]:
            notes.append(f"{what} in {', '.join(named)}.")
    texts = {str(place): column.cast(pa.string()) for place, column in enumerate(columns)}
    return pa.table(texts).to_pandas().set_axis(heading, axis=1), notes


def _heading(name: str, start: bytes) -> tuple[int, str, list[str]]:
    """Return on which line (from 0) the heading stands, what parts its cells, and these; raises UnreadableFile where there is none."""
    lines = re.split(r"\r\n|\r|\n", start.decode("utf-8-sig", errors="ignore"), maxsplit=40)[:40]
    top = next((place for place, line in enumerate(lines) if line.strip()), None)
    if top is None:
        raise UnreadableFile(name, "the file is empty; a header line and one row per applicant were expected.")
    separator, heading = _separator(lines[top:])
    if len(heading) > MOST_COLUMNS:
        raise UnreadableFile(name, f"it has {len(heading):,} columns, more than the {MOST_COLUMNS:,} allowed; leave out what nobody reads.")
    return top, separator, heading


def _separator(lines: list[str]) -> tuple[str, list[str]]:
    """Return what parts the cells: what cuts the most first lines into as many cells, and the more of them; and the heading so cut."""
    best: tuple[tuple[int, int], str, list[str]] = ((-1, -1), ",", [])
    for mark in SEPARATORS:
        rows = [row for row in _cut(lines, mark) if row]
        heading = [cell.strip() for cell in rows[0]] if rows else []
        alike = sum(len(row) == len(heading) for row in rows) if len(heading) > 1 else 0
        best = max(best, ((alike, len(heading)), mark, heading), key=lambda found: found[0])
    return best[1], best[2]


def _cut(lines: list[str], mark: str) -> list[list[str]]:
    try:
        return list(csv.reader([f"{line}\n" for line in lines], delimiter=mark))
    except csv.Error:  # a field larger than any: the reading that follows says so
        return []


def _marks(columns: Sequence[pa.DictionaryArray]) -> dict[int, str]:
    """Return the decimal mark of columns of numbers with commas in them; one that shows none has that of the others, where they agree."""
    marks = {place: mark for place, column in enumerate(columns) if (mark := _decimal_mark(column.dictionary))}
    if set(marks.values()) == {","}:
        marks |= {place: "," for place, column in enumerate(columns) if place not in marks and _figures_with_commas(column.dictionary)}
    return marks


def _figures_with_commas(texts: pa.Array) -> bool:
    filled = [text for text in map(str.strip, texts.to_pylist()) if text] if pc.any(pc.match_substring(texts, ",")).as_py() else []
    return bool(filled) and sum(FIGURE.fullmatch(text) is not None for text in filled) >= 0.95 * len(filled)


def _decimal_mark(texts: pa.Array) -> str | None:
    """Return the decimal mark of distinct texts that are numbers with commas in them, None where they are not or nobody can tell."""
    if not pc.any(pc.match_substring(texts, ",")).as_py():
        return None
    filled = [text for text in map(str.strip, texts.to_pylist()) if text]
    fits = [found[1] for text in filled if (found := FIGURE.fullmatch(text))]
    return cells.decimal_mark(pa.array(fits)) or None if len(fits) >= 0.95 * len(filled) else None


def _plainly(texts: pa.Array, mark: str) -> pa.Array:
    """Return numbers with a point before their decimals and no marks of thousands; other texts as they are."""
    bare = str.maketrans({**dict.fromkeys(".,' \u00a0"), mark: "."})
    return pa.array([text.strip().translate(bare) if FIGURE.fullmatch(text.strip()) else text for text in texts.to_pylist()])
