"""What reads workbooks and PDF files in a process of its own: standard input to standard output, nothing else, within hard limits.

It stands alone (`python -I child.py KIND LIMITS`) and imports nothing of the house, so it starts fast and small; a library that crashes,
loops or swallows memory takes only this process with it. Its answer is one JSON document: what was found, or {"refused": sentence}.
"""

import csv
import io
import json
import math
import re
import resource
import signal
import struct
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

MEMORY = 1 << 30
SECONDS = 20
OUTPUT = 128_000_000
ENTRIES, UNPACKED, RATIO = 1_000, 100_000_000, 200
COLUMNS_IN_ALL, CELLS_IN_ALL = 1_000, 10_000_000
PAGES, LETTERS = 400, 1_000_000
REFERENCE = re.compile(rb"""<(?:\w+:)?(?:c|row)\s(?:[^<>]{0,400}?\s)?r\s*=\s*["']([A-Z]{0,9})(\d{1,9})["'][^<>]{0,400}?(/?)>""")
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class Refused(Exception):
    """Why a file is not read, as the end of a sentence that begins with its name."""


def main() -> int:
    """Read standard input as `KIND`; the exit code is 0 whenever there is an answer."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT, OUTPUT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it, and a write that fails would look like any other mishap
    kind, limits = sys.argv[1], json.loads(sys.argv[2])
    content = sys.stdin.buffer.read()
    try:
        answer = sheets(content, limits) if kind == "sheets" else pages(content)
    except Refused as refused:
        answer = {"refused": str(refused)}
    except MemoryError:
        answer = {"refused": "reading it takes more than 1 GB of memory, as no statement does."}
    with open(1, "w", encoding="utf-8", errors="replace", closefd=False) as out:
        json.dump(answer, out, ensure_ascii=False)
    return 0


# --------------------------------------------------------------------------------------------------------------- workbooks


def sheets(content: bytes, limits: dict[str, int]) -> dict[str, Any]:
    """Return {"sheets": [{name, visible, text}]}, a line a row, tabs between; a formula is its value, a day ISO, a number plain digits."""
    from python_calamine import CalamineError, CalamineWorkbook

    if content.startswith(OLE):
        _check_ole(content)
    else:
        _check_zip(content, limits)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        found = []
        for about in book.sheets_metadata:
            if "WorkSheet" not in str(about.typ):
                continue
            sheet = book.get_sheet_by_name(about.name)
            _check_extent(about.name, sheet.total_height, sheet.total_width, limits)
            first = (sheet.start or (0, 0))[0]
            found.append(
                {"name": about.name, "visible": str(about.visible).endswith("Visible"), "text": "\n" * first + _text(sheet.iter_rows())}
            )
    except CalamineError as error:
        said = str(error)
        if re.search(r"password|encrypt", said, re.IGNORECASE):
            raise Refused("the workbook is protected with a password; save it without one.") from error
        raise Refused(f"the workbook is damaged or cut off ({said[:200]}).") from error
    if not found:
        raise Refused("the workbook is damaged: there is no sheet in it.")
    return {"sheets": found}


def _text(rows: Iterator[list[Any]]) -> str:
    """Write rows of cells as delimited text of one width, so that no line looks cut off; a row without words is an empty line."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t", lineterminator="\n")
    for row in rows:
        found = [_cell(value) for value in row]
        writer.writerow(found if any(found) else [])
    return out.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    if isinstance(value, int | float):
        return number(value)
    return (
        "" if value is None else value.isoformat() if isinstance(value, date | time) else str(value) if isinstance(value, timedelta) else ""
    )


def number(value: float) -> str:
    """Write a number as its author sees it: no binary dust, no exponent, and never three decimals, which look like thousands (1.234)."""
    if not math.isfinite(value):
        return "#NUM!"
    near = round(value, 4)
    digits = f"{Decimal(repr(near if abs(near - value) <= 1e-12 * max(1.0, abs(value)) else value)):f}"
    if digits.endswith(".0"):
        digits = digits[:-2]
    whole, _, part = digits.partition(".")
    return f"{whole}.{part}0" if len(part) in (1, 3) else digits


def _check_extent(name: str, height: int, width: int, limits: dict[str, int]) -> None:
    if width > COLUMNS_IN_ALL or height * width > CELLS_IN_ALL:
        raise Refused(f"the sheet {name[:40]!r} spans {height:,} rows and {width:,} columns; no statement does.")
    if height > limits["rows"]:
        raise Refused(f"the sheet {name[:40]!r} has {height:,} rows, more than the {limits['rows']:,} allowed.")


def _check_ole(content: bytes) -> None:
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise Refused("the workbook is protected with a password; save it without one.")
    if not any(name.encode("utf-16-le") in content for name in ("Workbook", "Book")):
        raise Refused("this is an old Office file without a workbook in it.")


def _check_zip(content: bytes, limits: dict[str, int]) -> None:
    """Look at an archive before anything is unpacked for keeps: entries, sizes, twins, locks, DOCTYPEs, and the farthest cell."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = archive.infolist()
        names = Counter(entry.filename.lower().lstrip("/") for entry in entries)
        twin = next((name for name, count in names.items() if count > 1), None)
        if len(entries) > ENTRIES:
            raise Refused(f"the workbook has {len(entries):,} parts, more than the {ENTRIES:,} any workbook needs.")
        if twin is not None:
            raise Refused(f"the workbook has the part {twin[:80]!r} twice, so it says two things.")
        if any(entry.flag_bits & 1 for entry in entries):
            raise Refused("the workbook is protected with a password; save it without one.")
        unpacked = sum(entry.file_size for entry in entries)
        if unpacked > UNPACKED:
            raise Refused(f"the workbook unpacks to {unpacked // 1_000_000:,} MB, more than the {UNPACKED // 1_000_000} MB allowed.")
        for entry in entries:
            if entry.file_size > 1_000_000 and entry.file_size > RATIO * max(entry.compress_size, 1):
                raise Refused(f"the part {entry.filename[:80]!r} unpacks to more than {RATIO} times its size, as no honest one does.")
        for entry in entries:
            _check_part(archive, entry, limits)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, struct.error, zlib.error) as error:
        raise Refused(f"the workbook is damaged or cut off ({str(error)[:200]}).") from error


def _check_part(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: dict[str, int]) -> None:
    name = entry.filename.lower()
    is_sheet = "worksheets/" in name and name.endswith(".xml")
    last_row, last_column, tail = 0, 0, b""
    with archive.open(entry) as part:
        while piece := part.read(1 << 20):
            chunk = tail + piece
            if name.endswith((".xml", ".rels", ".vml")) and b"<!doctype" in chunk.lower():
                raise Refused(f"the part {entry.filename[:80]!r} has a DOCTYPE, which is never read.")
            for found in REFERENCE.finditer(chunk) if is_sheet else ():
                letters, digits, empty = found.groups()
                if not empty:
                    last_row, last_column = max(last_row, int(digits)), max(last_column, _place(letters))
            tail = chunk[-900:]
    if is_sheet and not tail.rstrip().endswith(b"worksheet>"):
        raise Refused(f"the sheet {entry.filename[:80]!r} is cut off.")
    if last_column > COLUMNS_IN_ALL or last_row * last_column > CELLS_IN_ALL:
        raise Refused(
            f"a cell stands as far as row {last_row:,}, column {last_column:,} of a sheet ({entry.filename[:80]}); no statement does."
        )
    if last_row > limits["rows"]:
        raise Refused(f"a sheet ({entry.filename[:80]}) has {last_row:,} rows, more than the {limits['rows']:,} allowed.")


def _place(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place


# --------------------------------------------------------------------------------------------------------------------- PDF


def pages(content: bytes) -> dict[str, Any]:
    """Return {"pages": [{width, height, words: [[text, left, right, baseline, size, seen]]}]}; points from the top left corner."""
    import pypdfium2 as pdfium
    from pypdfium2 import raw

    try:
        document = pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise Refused("the PDF is protected with a password; ask for a copy without one, or print it to a new PDF.") from error
        raise Refused("the PDF is damaged or cut off.") from error
    if len(document) > PAGES:
        raise Refused(f"the PDF has {len(document):,} pages, more than the {PAGES} allowed.")
    found: list[dict[str, Any]] = []
    letters = 0
    for number in range(len(document)):
        try:
            page = document[number]
            text = page.get_textpage()
        except pdfium.PdfiumError as error:
            raise Refused(f"page {number + 1} of the PDF is damaged.") from error
        letters += text.count_chars()
        if letters > LETTERS:
            raise Refused(f"the PDF has more than {LETTERS:,} letters.")
        width, height = page.get_size()
        box = page.get_cropbox()
        found.append({"width": width, "height": height, "words": list(_words(raw, text, box))})
        text.close()
        page.close()
    return {"pages": found}


Letter = tuple[str, float, float, float, float, bool]  # text, left, right, baseline, size, seen


def _words(raw: Any, text: Any, box: tuple[float, float, float, float]) -> Iterator[list[Any]]:
    """Put the letters of a page into words, line by line from the top; `box` is what of the page is shown."""
    lines: list[tuple[float, list[Letter]]] = []
    for letter in sorted(_letters(raw, text, box), key=lambda letter: letter[3]):
        if lines and letter[3] - lines[-1][0] <= max(0.25 * letter[4], 0.8):
            lines[-1][1].append(letter)
        else:
            lines.append((letter[3], [letter]))
    for baseline, line in lines:
        word: list[Any] = []
        before: Letter | None = None
        for letter in sorted(line, key=lambda letter: (letter[1], letter[2])):
            if before and letter[0] == before[0] and abs(letter[1] - before[1]) < 0.15 * letter[4] and letter[0].strip():
                continue  # printed twice to look bold
            blank = not letter[0].strip()
            if word and (blank or letter[1] - before[2] > 0.22 * letter[4]):  # type: ignore[index]
                yield word
                word = []
            if blank:
                continue
            if not word:
                word = [letter[0], letter[1], letter[2], baseline, letter[4], letter[5]]
            else:
                word[0] += letter[0]
                word[2] = max(word[2], letter[2])
                word[5] = word[5] and letter[5]
            before = letter
        if word:
            yield word


def _letters(raw: Any, text: Any, box: tuple[float, float, float, float]) -> Iterator[Letter]:
    """Return the letters of a page that stand upright when most do, with where they stand and whether they can be seen."""
    import ctypes

    handle = text.raw
    n = text.count_chars()
    turns = [round(math.degrees(raw.FPDFText_GetCharAngle(handle, place)) / 90) % 4 for place in range(n)]
    usual = Counter(turns).most_common(1)[0][0] if turns else 0
    x, y = ctypes.c_double(), ctypes.c_double()
    frame = raw.FS_RECTF()
    colour = [ctypes.c_uint() for _ in range(4)]
    turned = {0: (1, 0, 0, 1), 1: (0, -1, 1, 0), 2: (-1, 0, 0, -1), 3: (0, 1, -1, 0)}[usual]

    def placed(across: float, up: float) -> tuple[float, float]:
        return turned[0] * across + turned[1] * up, turned[2] * across + turned[3] * up

    corners = [placed(box[0], box[1]), placed(box[2], box[3])]
    left_edge, right_edge = sorted(corner[0] for corner in corners)
    bottom, top = sorted(corner[1] for corner in corners)
    for place in range(n):
        code = raw.FPDFText_GetUnicode(handle, place)
        if turns[place] != usual or code in (0, 10, 13, 0xFFFE) or 0xD800 <= code < 0xE000:
            continue
        if not raw.FPDFText_GetCharOrigin(handle, place, x, y) or not raw.FPDFText_GetLooseCharBox(handle, place, frame):
            continue
        ends = sorted(point[0] for point in (placed(frame.left, frame.bottom), placed(frame.right, frame.top)))
        baseline = placed(x.value, y.value)[1]
        if not (left_edge - 1 <= ends[0] <= right_edge + 1 and bottom - 1 <= baseline <= top + 1):
            continue
        seen = True
        if raw.FPDFText_GetFillColor(handle, place, *colour):
            red, green, blue, alpha = (part.value for part in colour)
            seen = alpha > 8 and min(red, green, blue) < 250
        if seen and hasattr(raw, "FPDFText_GetTextObject"):
            holder = raw.FPDFText_GetTextObject(handle, place)
            seen = not holder or raw.FPDFTextObj_GetTextRenderMode(holder) != raw.FPDF_TEXTRENDERMODE_INVISIBLE
        size = raw.FPDFText_GetFontSize(handle, place)
        tall = max(abs(frame.top - frame.bottom), abs(frame.right - frame.left)) if size <= 1.5 else size
        yield chr(code), round(ends[0] - left_edge, 2), round(ends[1] - left_edge, 2), round(top - baseline, 2), round(tall, 2), seen


if __name__ == "__main__":
    sys.exit(main())
