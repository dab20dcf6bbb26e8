"""A text cut into cells: what a strict CSV reader would cut, proven and therefore fast, a few megabytes at a time.

No cell is interpreted. A line keeps its physical number, however long or short it is. A column is held as its distinct texts and,
for every row, the place of its own among them: what is decided on a text is decided once.
"""

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv as arrow

from creditrisk.errors import UnreadableFile

CODED = pa.dictionary(pa.int32(), pa.string())
PIECE = 8_000_000  # bytes cut at once
BATCH = 50_000  # rows of the strict reader held as Python objects
END, QUOTE = ord("\n"), ord('"')
BLANKS = np.zeros(256, bool)
BLANKS[list(b" \t\x0b\x0c")] = True
MARK = b"\xef\xbb\xbf"

Flags = NDArray[np.bool_]
Row = tuple[int, list[str]]


@dataclass
class Grid:
    """The rows of a delimited file: `columns` the wanted ones by place, `lines` physical lines, `widths` cells in each row."""

    columns: dict[int, pa.DictionaryArray]
    lines: NDArray[np.int32]
    widths: NDArray[np.int32]
    spills: NDArray[np.int32]  # rows with something in a cell beyond the heading


@dataclass(frozen=True)
class _Part:
    """Rows in the order of their lines; `spilled` says which have something beyond the heading."""

    columns: dict[int, list[pa.DictionaryArray]]
    lines: NDArray[np.int32]
    widths: NDArray[np.int32]
    spilled: Flags

    def in_order_with(self, other: "_Part") -> "_Part":
        """Return these rows and those of another part by line."""
        lines = np.concatenate([self.lines, other.lines])
        order = np.argsort(lines)
        columns = {place: [_one(column + other.columns[place]).take(pa.array(order))] for place, column in self.columns.items()}
        widths, spilled = np.concatenate([self.widths, other.widths]), np.concatenate([self.spilled, other.spilled])
        return _Part(columns, lines[order], widths[order], spilled[order])


class _SpansLinesError(Exception):
    """A cell goes on in the next line, or a quotation mark is out of place."""


def cut(file: str, content: bytes, delimiter: str, *, first: int, width: int, places: Sequence[int], piece: int = PIECE) -> Grid:
    """Cut UTF-8 text below the heading into cells; `first` is the physical line of the first row, `width` the cells of the heading.

    Lines are cut where the delimiter stands, if they are as many cells wide as most and every quotation mark encloses a whole cell:
    there a strict reader has no choice. It gets the other lines one by one, and all of them where a cell spans lines. Raises
    UnreadableFile at an unterminated or misplaced quote.
    """
    knife = _Knife(delimiter, width, tuple(places))
    try:
        parts = [knife.part(lines, numbers) for lines, numbers in _pieces(content, first, piece)]
    except _SpansLinesError:
        parts = list(knife.strictly(file, content, first))
    columns = {place: _one([column for part in parts for column in part.columns.pop(place)]) for place in places}
    none = np.zeros(0, np.int32)
    lines, widths = (np.concatenate([none, *found]) for found in ([p.lines for p in parts], [p.widths for p in parts]))
    spilled = np.concatenate([np.zeros(0, bool), *(part.spilled for part in parts)])
    return Grid(columns, lines, widths, np.flatnonzero(spilled).astype(np.int32))


def lines_of(content: bytes, wanted: Collection[int]) -> dict[int, str]:
    """Return some lines of a text by their physical numbers.

    >>> lines_of(b"a\\r\\nb\\nc", [2, 3])
    {2: 'b', 3: 'c'}
    """
    found: dict[int, str] = {}
    for lines, numbers in _pieces(content, 1, PIECE):
        first = int(numbers[0])
        here = [number for number in wanted if first <= number < first + len(numbers)]
        texts = lines.split(b"\n") if here else []
        found |= {number: texts[number - first].decode() for number in here}
    return found


def _one(columns: list[pa.Array]) -> pa.DictionaryArray:
    """Return columns one after the other, each text once among the distinct ones."""
    return pa.concat_arrays(columns or [pa.array([], CODED)])


def _pieces(content: bytes, first: int, size: int) -> Iterator[tuple[bytes, NDArray[np.int32]]]:
    """Yield the text from physical line `first` on in pieces of whole lines, which line feeds end, and the numbers of these lines."""
    starts = chain([len(MARK) if content.startswith(MARK) else 0], (end.end() for end in re.finditer(rb"\r\n|\r|\n", content)))
    start = next(islice(starts, first - 1, None), len(content))
    while start < len(content):
        stop = _line_end(content, start, start + size)
        lines = content[start:stop]
        if b"\r" in lines:
            lines = lines.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        n = int(np.count_nonzero(np.frombuffer(lines, np.uint8) == END)) + (not lines.endswith(b"\n"))
        yield lines, np.arange(first, first + n, dtype=np.int32)
        first, start = first + n, stop


def _line_end(content: bytes, start: int, near: int) -> int:
    """Return where the last line ends that ends before `near`, or else the first one after."""
    if near >= len(content):
        return len(content)
    before = content.rfind(b"\n", start, near)
    if before < 0:  # no line feed at all: a carriage return ends the line, if no line feed follows
        before = content.rfind(b"\r", start, near - 1)
    if before >= 0:
        return before + 1
    after = content.find(b"\n", near)
    return after + 1 or len(content)


class _Knife:
    """What cuts the lines of one file; `usual` cells are in most rows, at least `width` in the heading."""

    def __init__(self, delimiter: str, width: int, places: tuple[int, ...]):
        self.delimiter, self.width, self.places = delimiter, width, places
        self.mark = ord(delimiter) if delimiter.isascii() and len(delimiter) == 1 else -1

    def part(self, lines: bytes, numbers: NDArray[np.int32]) -> _Part:
        """Cut whole lines that have these numbers."""
        if self.mark >= 0 and not self._may_be_blank(lines):
            quoted = b'"' in lines
            if not quoted or _encloses(np.frombuffer(lines, np.uint8), self.mark):
                found = self._plainly(lines, numbers, quoted=quoted)
                if found:
                    return found
        return self._line_by_line(lines, numbers)

    def _may_be_blank(self, lines: bytes) -> bool:
        """Say whether a line could be nothing but delimiters that are themselves blanks."""
        return self.delimiter.isspace() and any(lines.startswith(one) or b"\n" + one in lines for one in (b"\t", b" ", b"\x0b", b"\x0c"))

    def _plainly(self, lines: bytes, numbers: NDArray[np.int32], *, quoted: bool) -> _Part | None:
        """Cut lines that all have as many cells as the first, two or more; None where they do not."""
        head = lines[: lines.find(b"\n") + 1 or len(lines)].decode()
        try:
            cells = len(next(csv.reader([head], delimiter=self.delimiter, strict=True, skipinitialspace=True), []))
        except csv.Error:
            return None
        if cells < 2:
            return None
        wanted = [place for place in (*self.places, *range(self.width, cells)) if place < cells]
        names = {place: f"f{place}" for place in dict.fromkeys(wanted)}
        try:
            table = arrow.read_csv(
                pa.BufferReader(lines),
                read_options=arrow.ReadOptions(use_threads=False, block_size=len(lines) + 1, autogenerate_column_names=True),
                parse_options=arrow.ParseOptions(delimiter=self.delimiter, quote_char='"' if quoted else False, double_quote=False),
                convert_options=arrow.ConvertOptions(
                    include_columns=list(names.values()), column_types=dict.fromkeys(names.values(), CODED), check_utf8=False
                ),
                memory_pool=pa.system_memory_pool(),  # keeps what is freed for the next piece
            )
        except pa.ArrowInvalid:
            return None
        if table.num_rows != len(numbers):  # a cell spans lines, or a line is empty
            return None
        columns = {place: table[name].chunks for place, name in names.items()}
        return self._kept(columns, numbers, np.broadcast_to(np.int32(cells), len(numbers)))

    def _kept(self, columns: dict[int, list[pa.DictionaryArray]], numbers: NDArray[np.int32], widths: NDArray[np.int32]) -> _Part:
        """Hold rows as a part: the wanted columns, empty where the rows end before them, and whether anything stands beyond the heading."""
        spilled = np.zeros(len(numbers), bool)
        for place in (place for place in columns if place >= self.width):
            column = _one(columns[place])
            spilled |= _flags(pc.not_equal(pc.utf8_trim_whitespace(column.dictionary), ""))[column.indices.to_numpy()]
        wanted = {place: columns[place] if place in columns else [_empty(len(numbers))] for place in self.places}
        return _Part(wanted, numbers, widths, spilled)

    def _line_by_line(self, lines: bytes, numbers: NDArray[np.int32]) -> _Part:
        """Cut together the lines that are plain and as wide as most, every other one by the strict reader."""
        data = np.frombuffer(lines, np.uint8)
        ends = np.flatnonzero(data == END)
        if not lines.endswith(b"\n"):
            ends = np.append(ends, len(data))
        starts = np.concatenate([[0], ends[:-1] + 1])
        blank = np.add.reduceat(~BLANKS[data], starts, dtype=np.int64) == (ends < len(data))  # but for the line end
        plain, cells = _shapes(data, starts, ends, self.mark)
        plain &= ~blank & (cells > 1)
        usual = np.bincount(cells[plain]).argmax() if plain.any() else 0
        plain &= cells == usual
        odd = self._strict_part([(int(numbers[at]), lines[starts[at] : ends[at]].decode()) for at in np.flatnonzero(~plain & ~blank)])
        if not plain.any():
            return odd
        turns = np.flatnonzero(np.diff(plain)) + 1
        runs = [run for run in np.split(np.arange(len(plain)), turns) if plain[run[0]]]
        kept = b"".join(lines[starts[run[0]] : ends[run[-1]] + 1] for run in runs)
        found = self._plainly(kept, numbers[plain], quoted=b'"' in kept)
        if found is None:
            raise _SpansLinesError
        return found.in_order_with(odd) if len(odd.lines) else found

    def _strict_part(self, texts: list[tuple[int, str]]) -> _Part:
        texts = [(at, text) for at, text in texts if text and not text.isspace()]
        try:
            rows = list(self._reader(text for _, text in texts))
        except csv.Error as error:
            raise _SpansLinesError from error
        if len(rows) != len(texts):
            raise _SpansLinesError
        return self._of([(at, row) for (at, _), row in zip(texts, rows, strict=True) if self._is_row(row)])

    def strictly(self, file: str, content: bytes, first: int) -> Iterator[_Part]:
        """Cut all lines with the strict reader, for files in which a cell spans lines or a quotation mark is out of place."""
        texts = (
            line
            for lines, _ in _pieces(content, first, PIECE)
            for line in lines.decode().split("\n")[: -1 if lines.endswith(b"\n") else None]
        )
        reader = self._reader(text + "\n" for text in texts)
        rows: list[Row] = []
        before = 0
        try:
            for row in reader:
                if self._is_row(row):
                    rows.append((before + first, row))
                before = reader.line_num
                if len(rows) >= BATCH:
                    yield self._of(rows)
                    rows = []
        except csv.Error as error:
            what = f"the row cannot be cut into cells ({error})"
            if "end of data" in str(error):
                what = "a quotation mark opens here and never closes"
            raise UnreadableFile(file, f"{what}; the file is cut off or damaged.", line=before + first) from error
        yield self._of(rows)

    def _is_row(self, row: Sequence[str]) -> bool:
        return any(cell.strip() for cell in row) or (len(row) > 1 and not self.delimiter.isspace())

    def _reader(self, texts: Iterator[str]) -> Any:
        return csv.reader(texts, delimiter=self.delimiter, strict=True, skipinitialspace=True)

    def _of(self, rows: Sequence[Row]) -> _Part:
        widths = np.array([len(row) for _, row in rows], np.int32)
        reach = (*self.places, *range(self.width, int(widths.max(initial=0))))
        columns = {place: [pa.array([row[place] if place < len(row) else "" for _, row in rows], CODED)] for place in reach}
        return self._kept(columns, np.array([number for number, _ in rows], np.int32), widths)


def _encloses(data: NDArray[np.uint8], mark: int) -> bool:
    """Say whether all quotation marks stand in pairs around whole cells."""
    opens, closes = _borders(data, np.flatnonzero(data == QUOTE), mark)
    return len(opens) % 2 == 0 and bool(opens[::2].all() and closes[1::2].all())


def _borders(data: NDArray[np.uint8], quotes: NDArray[Any], mark: int) -> tuple[Flags, Flags]:
    """Say of each quotation mark whether a cell begins with it, and whether one ends."""
    before, after = data[quotes - 1], data[np.minimum(quotes + 1, len(data) - 1)]
    return (quotes == 0) | (before == mark) | (before == END), (quotes == len(data) - 1) | (after == mark) | (after == END)


def _shapes(data: NDArray[np.uint8], starts: NDArray[Any], ends: NDArray[Any], mark: int) -> tuple[Flags, NDArray[np.int64]]:
    """Say of each line whether its quotation marks enclose whole cells, and return how many cells it then has."""
    n = len(starts)
    if mark < 0:
        return np.zeros(n, bool), np.zeros(n, np.int64)
    plain = np.ones(n, bool)
    marks = np.flatnonzero(data == mark)
    quotes = np.flatnonzero(data == QUOTE)
    if len(quotes):
        line = np.searchsorted(ends, quotes)
        count = np.bincount(line, minlength=n)
        earlier = np.cumsum(count) - count
        second = (np.arange(len(quotes)) - earlier[line]) % 2 == 1
        opens, closes = _borders(data, quotes, mark)
        plain[line[~np.where(second, closes, opens)]] = False
        plain[count % 2 == 1] = False
        within = (np.searchsorted(quotes, marks) - earlier[np.searchsorted(ends, marks)]) % 2 == 1
        marks = marks[~within]
    return plain, np.bincount(np.searchsorted(ends, marks), minlength=n) + 1


def _empty(n: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), pa.array([""]))


def _flags(column: pa.Array) -> Flags:
    return np.asarray(column.to_numpy(zero_copy_only=False), bool)
