"""A table as an Excel workbook, written row by row: one sheet, texts as texts, numbers as numbers, no formula ever."""

import zipfile
from collections.abc import Iterable, Iterator
from math import isfinite
from pathlib import Path
from xml.sax.saxutils import escape

from pandas import DataFrame

MOST = 1_048_575  # rows below the heading
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override '
    'PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{OFFICE}/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
    '<sheet name="Scores" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{OFFICE}/worksheet" '
    'Target="worksheets/sheet1.xml"/></Relationships>',
}
CONTROL = {code: None for code in range(32) if code not in (9, 10, 13)}  # what XML 1.0 has no place for


def write(file: Path, frames: Iterable[DataFrame]) -> int:
    """Write frames of the same columns as one sheet under one heading; returns how many rows there are."""
    n = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in PARTS.items():
            archive.writestr(name, HEAD + text)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(f'{HEAD}<worksheet xmlns="{MAIN}"><sheetData>'.encode())
            for frame in frames:
                rows = _rows(frame) if n else (_row(frame.columns), *_rows(frame))
                sheet.write("".join(rows).encode("utf-8", "replace"))
                n += len(frame)
            sheet.write(b"</sheetData></worksheet>")
    return n


def _rows(frame: DataFrame) -> Iterator[str]:
    return map(_row, zip(*(frame[name].tolist() for name in frame.columns), strict=True))


def _row(values: Iterable[object]) -> str:
    return f"<row>{''.join(map(_cell, values))}</row>"


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f"<c><v>{value!r}</v></c>" if isfinite(value) else "<c/>"
    text = "" if value is None or value != value else str(value)  # noqa: PLR0124  (NaT differs from itself)
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(text.translate(CONTROL))}</t></is></c>' if text else "<c/>"
