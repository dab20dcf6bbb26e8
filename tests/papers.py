"""PDF files and workbooks as the tests need them, written by hand: a page is words at places, a workbook is XML in an archive."""

import io
import struct
import zipfile
from collections.abc import Sequence
from html import escape

Put = tuple[float, str]  # where it stands (points from the left; below zero: where it ends) and what
WIDE = 0.6  # Courier: every letter is as wide


def pdf(
    pages: Sequence[Sequence[tuple[float, Sequence[Put]]]], *, size: float = 9, white: Sequence[str] = (), extra: str = "", turn: int = 0
) -> bytes:
    """Write pages of lines: (points from the top, what stands on it). `white` cannot be seen, `extra` goes into the trailer."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>"]
    kids = []
    for page in pages:
        drawn = [f"/F1 {size} Tf"]
        for y, puts in page:
            for x, text in puts:
                left = x if x >= 0 else -x - WIDE * size * len(text)
                escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
                drawn.append(f"{1 if text in white else 0} g 1 0 0 1 {left:.2f} {842 - y:.2f} Tm ({escaped}) Tj")
        stream = f"BT {' '.join(drawn)} ET"
        objects.append(f"<< /Length {len(stream.encode('cp1252'))} >>\nstream\n{stream}\nendstream")
        rotate = f"/Rotate {turn}" if turn else ""
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {rotate} /Contents {len(objects)} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    return assembled(objects, extra)


def assembled(objects: Sequence[str], extra: str = "") -> bytes:
    """Number objects and add the table of where they stand."""
    out = io.BytesIO()
    out.write(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n{body}\nendobj\n".encode("cp1252"))
    start = out.tell()
    out.write(f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n".encode())
    out.writelines(f"{place:010} 00000 n \n".encode() for place in places)
    out.write(f"trailer\n<< /Size {len(places) + 1} /Root 1 0 R {extra} >>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


def table(rows: Sequence[Sequence[str]], ends: Sequence[float], *, top: float = 100, step: float = 14) -> list[tuple[float, list[Put]]]:
    """Lay rows out below each other; a cell ends at minus its place, or begins at it."""
    return [(top + step * number, [(end, cell) for end, cell in zip(ends, row, strict=True) if cell]) for number, row in enumerate(rows)]


CONTENT_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    "</Types>"
)
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><fonts><font/></fonts><fills><fill/></fills><borders><border/></borders><cellStyleXfs><xf/></cellStyleXfs>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
)


def cell(place: str, value: str | float) -> str:
    """Write one cell: text, a number, `day:45000` for a day, `=formula|value` for a formula with the value it had."""
    if isinstance(value, str) and value.startswith("day:"):
        return f'<c r="{place}" s="1"><v>{value[4:]}</v></c>'
    if isinstance(value, str) and value.startswith("=") and "|" in value:
        formula, _, was = value[1:].partition("|")
        return f'<c r="{place}"><f>{formula}</f><v>{was}</v></c>'
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(value, quote=False)}</t></is></c>'
    return f'<c r="{place}"><v>{value!r}</v></c>'


def sheet_xml(rows: Sequence[Sequence[str | float]], *, more: str = "", dimension: str = "") -> str:
    """Write a sheet: rows of cells from A1; `more` is put behind the last row."""
    body = "".join(
        f'<row r="{number}">{"".join(cell(f"{chr(65 + place)}{number}", value) for place, value in enumerate(row) if value != "")}</row>'
        for number, row in enumerate(rows, 1)
    )
    said = f'<dimension ref="{dimension}"/>' if dimension else ""
    return f'<?xml version="1.0"?><worksheet xmlns="{MAIN}">{said}<sheetData>{body}{more}</sheetData></worksheet>'


def workbook(sheets: dict[str, str], *, hidden: Sequence[str] = (), parts: Sequence[tuple[str, str]] = ()) -> bytes:
    """Pack sheets (their XML by name) into a workbook; `parts` are further entries of the archive."""
    listed = "".join(
        f'<sheet name="{name}" sheetId="{number}" r:id="rId{number}"{" state=" + chr(34) + "hidden" + chr(34) if name in hidden else ""}/>'
        for number, name in enumerate(sheets, 1)
    )
    related = "".join(
        f'<Relationship Id="rId{number}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in range(1, len(sheets) + 1)
    )
    entries = [
        ("[Content_Types].xml", CONTENT_TYPES),
        (
            "_rels/.rels",
            f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
            "</Relationships>",
        ),
        ("xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>'),
        (
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{PACKAGE}">{related}<Relationship Id="st" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>',
        ),
        ("xl/styles.xml", STYLES),
        *((f"xl/worksheets/sheet{number}.xml", xml) for number, xml in enumerate(sheets.values(), 1)),
        *parts,
    ]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in entries:
            archive.writestr(name, body)
    return out.getvalue()


def xls(rows: Sequence[Sequence[str | float]]) -> bytes:
    """Pack one sheet into a workbook of the old kind (BIFF8 in an OLE container); `day:45000` is a day."""
    record = lambda kind, body: struct.pack("<HH", kind, len(body)) + body  # noqa: E731
    bof = lambda kind: record(0x809, struct.pack("<HHHHII", 0x600, kind, 0x0DBB, 1996, 0, 6))  # noqa: E731
    styles = b"".join(record(0xE0, struct.pack("<HHHBBBBIIH", 0, form, 0, 0, 0, 0, 0, 0, 0, 0)) for form in (0, 14))
    cells = b""
    for number, row in enumerate(rows):
        for place, value in enumerate(row):
            if isinstance(value, str) and not value.startswith("day:"):
                cells += record(0x204, struct.pack("<HHHHB", number, place, 0, len(value), 0) + value.encode("latin-1"))
            else:
                style = 1 if isinstance(value, str) else 0
                cells += record(0x203, struct.pack("<HHHd", number, place, style, float(str(value).removeprefix("day:"))))
    sheet = bof(0x10) + cells + record(0x0A, b"")
    head, end = bof(5) + record(0x42, struct.pack("<H", 1200)) + styles, record(0x0A, b"")
    bound = lambda at: record(0x85, struct.pack("<IHBB", at, 0, 5, 0) + b"Sheet")  # noqa: E731
    stream = head + bound(len(head + bound(0) + end)) + end + sheet
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")
    blocks = len(stream) // 512
    fat = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, blocks + 2), 0xFFFFFFFE]
    entry = lambda name, kind, child, start, size: (  # noqa: E731
        name.encode("utf-16-le").ljust(64, b"\0")
        + struct.pack("<HBBIII", 2 * len(name) + 2, kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
        + bytes(36)
        + struct.pack("<IQ", start, size)
    )
    folder = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry("Workbook", 2, 0xFFFFFFFF, 2, len(stream)) + bytes(256)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHHHIIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 0, 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    return header + struct.pack("<128I", *fat, *[0xFFFFFFFF] * (128 - len(fat))) + folder + stream
