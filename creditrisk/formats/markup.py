"""What banks call a workbook and is a page or XML: HTML tables and SpreadsheetML 2003, as rows of cells read as any delimited file is.

No DTD is ever read: a bare `<!DOCTYPE html>` above a page says nothing and is passed over; one with declarations in it, and any in XML,
refuses the file. A page is scanned once from front to back by a few words of HTML; what is in no cell of a table is not looked at.
"""

import csv
import html
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from math import isfinite
from typing import Any
from xml.parsers import expat

from creditrisk import banks, charset, lexicon
from creditrisk.errors import UnreadableFile
from creditrisk.formats.child import CELLS_IN_ALL, number
from creditrisk.formats.sheet import together
from creditrisk.settings import Intake
from creditrisk.statement import Found

TITLE = "Excel"
PAGE = re.compile(
    r"(?:<\?xml[^>]{0,200}\?>|<!--.{0,2000}?-->|\s)*<(?:!DOCTYPE\s+html|html|head|body|table|meta|style|div)\b", re.IGNORECASE | re.DOTALL
)
BOOK = re.compile(r"<(?:\w{1,10}:)?Workbook\b")
OFFICE = "urn:schemas-microsoft-com:office:spreadsheet"
CHARSET = re.compile(rb"""charset\s*=\s*["']?\s*(utf-?8|windows-125\d|cp125\d|iso-8859-\d{1,2}|us-ascii)""", re.I)
TAG = re.compile(r"/?[a-zA-Z][\w:]*")
SPAN = re.compile(r"""\b(colspan|rowspan)\s*=\s*["']?\s*(\d{1,6})""", re.I)
UNREAD = ("script", "style", "title", "noscript", "xml")
BREAKS = ("br", "br/", "p", "div", "li")
LONGEST_TAG = 20_000

Rows = list[list[str]]


def recognises(content: bytes) -> str:
    """A page with a table in it, or a Workbook of the spreadsheet namespace."""
    words = charset.opening_words(content)
    if words.startswith("<") and BOOK.search(words) and OFFICE in words:
        return "xls-xml"
    return "xls-html" if PAGE.match(words) and re.search(rb"<\0?t\0?a\0?b\0?l\0?e", content, re.I) else ""


def read(file: str, content: bytes, profile: banks.Profile | None, limits: Intake) -> Found:
    """Read every table that holds transactions. Raises UnreadableFile, or Refused with the problems of its rows."""
    if recognises(content) == "xls-xml":
        found = _Book(file, limits).sheets(content)
    else:
        found = {f"table {place}": rows for place, rows in enumerate(_joined(_Page(file, limits).tables(_text(file, content))), 1)}
    texts = {name: _delimited(file, rows) for name, rows in found.items()}
    sheets = [{"name": name, "visible": True, "text": text} for name, text in texts.items() if text.strip()]
    return together(file, sheets, profile, limits)


def _delimited(file: str, rows: Rows) -> str:
    """Write rows as delimited text of one width, so that no line looks cut off; an empty row is an empty line."""
    width = max(map(len, rows), default=0)
    if len(rows) * width > CELLS_IN_ALL:
        raise UnreadableFile(file, f"a table spans {len(rows):,} rows and {width:,} columns; no statement does.")
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t", lineterminator="\n")
    for row in rows:
        writer.writerow(row + [""] * (width - len(row)) if any(row) else [])
    return out.getvalue()


class _Table:
    """A table on its way: rows of texts, with merged cells where they stand. Refuses what no statement has."""

    def __init__(self, file: str, limits: Intake, spent: list[int]):
        self.file, self.limits, self.spent = file, limits, spent  # `spent` counts the cells of all tables of the file
        self.rows: Rows = []
        self.below: dict[int, int] = {}  # columns that a cell from above still covers, and for how many rows

    def row(self) -> None:
        """Begin a row."""
        if len(self.rows) >= self.limits.max_rows:
            raise UnreadableFile(self.file, f"a table has more than the {self.limits.max_rows:,} rows allowed.")
        self.rows.append([])
        self._spend(1)
        self._pass_over()

    def cell(self, text: str, across: int = 1, down: int = 1, at: int | None = None) -> None:
        """Add a cell that spans columns and rows; `at` is its column from 1 where it says so. Its text stands in the first of them."""
        row = self.rows[-1]
        start = len(row) if at is None else at - 1
        if start + across > self.limits.max_columns:
            raise UnreadableFile(self.file, f"a row has more than the {self.limits.max_columns} columns allowed.", line=len(self.rows))
        if len(text) > self.limits.max_field_length:
            what = f"a cell is longer than {self.limits.max_field_length} characters."
            raise UnreadableFile(self.file, what, line=len(self.rows))
        self._spend(max(start - len(row), 0) + across)
        row.extend([""] * (start - len(row)))
        if down > 1:
            self.below |= dict.fromkeys(range(start, start + across), down)
        row.extend([text] + [""] * (across - 1))
        self._pass_over(skip=range(start, start + across))

    def _spend(self, n: int) -> None:
        self.spent[0] += n
        if self.spent[0] > CELLS_IN_ALL:
            raise UnreadableFile(self.file, f"its tables have more than {CELLS_IN_ALL:,} cells; no statement does.")

    def _pass_over(self, skip: Sequence[int] = ()) -> None:
        row = self.rows[-1]
        while (place := len(row)) in self.below and place not in skip:
            row.append("")

    def end_row(self) -> None:
        """End a row: what hangs down from above hangs one row less."""
        self.below = {place: rows - 1 for place, rows in self.below.items() if rows > 1}


# ------------------------------------------------------------------------------------------------------------------ pages


def _text(file: str, content: bytes) -> str:
    declared = CHARSET.search(content[:4096])
    if declared and not content.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        try:
            return content.decode(declared[1].decode())
        except (UnicodeDecodeError, LookupError):
            pass  # pages often claim an encoding that they are not written in
    return charset.decode(file, content)[0]


@dataclass
class _Open:
    """A table that has begun and not ended: the words of its open cell (None between cells), and how far that one spans."""

    table: _Table
    words: list[str] | None = None
    span: tuple[int, int] = (1, 1)

    def close_cell(self) -> None:
        """Give the open cell to the table."""
        if self.words is not None:
            self.table.cell(" ".join(html.unescape("".join(self.words)).split()), *self.span)
        self.words = None

    def close_row(self) -> None:
        """End the row, where one has begun."""
        self.close_cell()
        if self.table.rows:
            self.table.end_row()

    def begin_cell(self, attributes: str) -> None:
        """Begin a cell, of the first row where none has begun."""
        self.close_cell()
        if not self.table.rows:
            self.table.row()
        spans = {name.lower(): int(value) for name, value in SPAN.findall(attributes)}
        self.words, self.span = [], (max(spans.get("colspan", 1), 1), max(spans.get("rowspan", 1), 1))


class _Page:
    """The tables of a page in the order they begin; a table within a cell is a table of its own."""

    def __init__(self, file: str, limits: Intake):
        self.file, self.limits = file, limits
        self.found: list[_Table] = []
        self.spent = [0]
        self.open: list[_Open] = []

    def tables(self, text: str) -> list[Rows]:
        """Return the rows of every table. Raises UnreadableFile where the page breaks off or declares entities."""
        for data, tag, attributes in self._tokens(text):
            if self.open and self.open[-1].words is not None and data:
                self.open[-1].words.append(data)
            if tag == "table":
                self._begin_table()
            elif self.open:
                self._within(self.open[-1], tag, attributes)
        if self.open:
            raise UnreadableFile(self.file, "a table begins and never ends; the file is cut off or damaged.")
        return [table.rows for table in self.found if table.rows]

    def _begin_table(self) -> None:
        if len(self.open) >= self.limits.max_depth:
            raise UnreadableFile(self.file, f"tables are nested deeper than {self.limits.max_depth} levels.")
        self.found.append(_Table(self.file, self.limits, self.spent))
        self.open.append(_Open(self.found[-1]))

    def _within(self, here: _Open, tag: str, attributes: str) -> None:
        if tag == "/table":
            here.close_row()
            self.open.pop()
        elif tag == "tr":
            here.close_row()
            here.table.row()
        elif tag in ("td", "th"):
            here.begin_cell(attributes)
        elif tag in ("/td", "/th", "/tr"):
            here.close_cell()
        elif tag in BREAKS and here.words is not None:
            here.words.append(" ")

    def _tokens(self, text: str) -> Iterator[tuple[str, str, str]]:
        """Cut a page into (words before a tag, its name with "/" where it closes, its attributes), looking at no letter twice."""
        place = 0
        while (here := text.find("<", place)) >= 0:
            named = TAG.match(text, here + 1)
            tag, end = named[0].lower() if named else "", here + 1
            if text.startswith("<!--", here):
                end = self._after(text, "-->", here + 4)
            elif named:
                end = self._tag_end(text, here)
            elif text.startswith(("<!", "<?"), here):
                end = self._after(text, ">", here)
                self._check_declaration(text[here : min(end, here + LONGEST_TAG)].upper())
            yield text[place : end if end == here + 1 else here], tag, text[named.end() : end - 1] if named else ""
            if tag in UNREAD and text[end - 2] != "/":
                end = self._after(text, f"</{text[here + 1 : here + 1 + len(tag)]}", end)
            place = end

    def _check_declaration(self, said: str) -> None:
        if (said.startswith("<!DOCTYPE") and "[" in said) or said.startswith(("<!ENTITY", "<!ELEMENT", "<!ATTLIST")):
            raise UnreadableFile(self.file, "the file declares a document type of its own (<!DOCTYPE); such files are not read.")

    def _tag_end(self, text: str, here: int) -> int:
        end = self._after(text, ">", here)
        while text.count('"', here, end) % 2 and end - here <= LONGEST_TAG:
            end = self._after(text, ">", end)
        if end - here > LONGEST_TAG:
            raise UnreadableFile(self.file, f"a tag is longer than {LONGEST_TAG:,} characters, as none is; the file is damaged.")
        return end

    def _after(self, text: str, mark: str, start: int) -> int:
        end = text.find(mark, start)
        if end < 0:
            raise UnreadableFile(self.file, "it breaks off inside a tag; the file is cut off or damaged.")
        return end + len(mark)


def _joined(tables: list[Rows]) -> list[Rows]:
    """Put tables together up to the next that has a heading of its own: what stands above and below belongs to the one between."""
    joined: list[Rows] = []
    has_heading = False
    for rows in tables:
        heading = any(_is_heading(row) for row in rows[:20])
        if not joined or (heading and has_heading):
            joined.append(list(rows))
            has_heading = heading
        else:
            joined[-1] += rows
            has_heading |= heading
    return joined


def _is_heading(row: Sequence[str]) -> bool:
    roles = {lexicon.means(cell) for cell in row if cell}
    return bool(roles & {"date", "value_date"}) and bool(roles & {"amount", "debit", "credit"})


# ------------------------------------------------------------------------------------------------------------------ XML


class _Book:
    """A workbook as XML: every Worksheet by its name."""

    def __init__(self, file: str, limits: Intake):
        self.file, self.limits = file, limits
        self.found: dict[str, _Table] = {}
        self.spent = [0]
        self.table: _Table | None = None
        self.depth = 0
        self.words: list[str] | None = None
        self.kind = ""
        self.place: dict[str, int] = {}

    def sheets(self, content: bytes) -> dict[str, Rows]:
        """Return the rows of every sheet by its name. Raises UnreadableFile."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = self._start, self._end, self._data
        parser.buffer_text = True
        try:
            parser.Parse(content, True)
        except expat.ExpatError as error:
            what = f"the workbook is damaged or cut off ({expat.errors.messages[error.code]})."
            raise UnreadableFile(self.file, what, line=error.lineno) from error
        except (ValueError, LookupError) as error:  # an encoding that Python does not have
            raise UnreadableFile(self.file, f"the workbook is damaged or cut off ({error}).") from error
        return {name: table.rows for name, table in self.found.items()}

    def _doctype(self, *_: object) -> None:
        raise UnreadableFile(self.file, "the file declares a document type (<!DOCTYPE); such files are not read.")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > self.limits.max_depth:
            raise UnreadableFile(self.file, f"the elements are nested deeper than {self.limits.max_depth} levels.")
        own = {key.removeprefix(f"{OFFICE} "): value for key, value in attributes.items()}
        local = name.removeprefix(f"{OFFICE} ")
        if local == "Worksheet":
            name = own.get("Name", f"sheet {len(self.found) + 1}")
            self.table = self.found.setdefault(name, _Table(self.file, self.limits, self.spent))
        elif local == "Row" and self.table is not None:
            if self._index(own) > self.limits.max_rows:
                raise UnreadableFile(self.file, f"a row stands beyond the {self.limits.max_rows:,} rows allowed.")
            for _ in range(self._index(own) - len(self.table.rows) - 1):
                self.table.row()
                self.table.end_row()
            self.table.row()
        elif local == "Cell":
            self.place = {"across": 1 + self._number(own, "MergeAcross"), "down": 1 + self._number(own, "MergeDown")}
            self.place |= {"at": self._index(own)} if "Index" in own else {}
            self.words, self.kind = [], "String"
        elif local == "Data":
            self.words, self.kind = [], own.get("Type", "String")
        elif local == "Comment":
            self.kind = f"{self.kind} and a comment"

    def _end(self, name: str) -> None:
        self.depth -= 1
        local = name.removeprefix(f"{OFFICE} ")
        if local == "Cell" and self.table is not None and self.table.rows:
            self.table.cell(_value("".join(self.words or ()), self.kind.split()[0]), **self.place)
            self.words = None
        elif local == "Row" and self.table is not None and self.table.rows:
            self.table.end_row()
        elif local == "Comment":
            self.kind = self.kind.split()[0]

    def _data(self, text: str) -> None:
        if self.words is not None and not self.kind.endswith("comment"):
            self.words.append(text)

    def _index(self, own: dict[str, str]) -> int:
        return self._number(own, "Index")

    def _number(self, own: dict[str, str], name: str) -> int:
        value = own.get(name, "0")
        if not re.fullmatch(r"\d{1,7}", value):
            raise UnreadableFile(self.file, f"a cell stands at {name} = {value[:40]!r}; the workbook is damaged.")
        return int(value)


def _value(text: str, kind: str) -> str:
    """Write what a cell holds as its author sees it: a number as plain digits, a day as 2024-01-31."""
    plain = " ".join(text.split())
    if kind == "Number" and re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", plain):
        return number(float(plain)) if isfinite(float(plain)) else plain
    if kind == "DateTime":
        return _day(plain)
    return plain


def _day(text: str) -> str:
    try:
        moment: Any = datetime.fromisoformat(text)
    except ValueError:
        return text
    return str(moment.date().isoformat() if moment.time() == time() else moment.isoformat(" ", "seconds"))
