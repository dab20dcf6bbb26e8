"""Excel workbooks: each sheet becomes rows of text and is then read as any delimited file is, with the same inference.

A formula is the value it had when the file was saved; nothing is calculated. The library works in a child process only.
"""

from collections import Counter
from dataclasses import replace
from typing import Any

import pyarrow as pa

from creditrisk import banks, layouts
from creditrisk.errors import UnreadableFile
from creditrisk.formats import delimited
from creditrisk.formats.guard import extract
from creditrisk.settings import Intake
from creditrisk.statement import Found, Problem, merged

TITLE = "Excel"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def recognises(content: bytes) -> str:
    """A ZIP archive with a folder `xl/` is a workbook; a file of the older kind says so in its first eight bytes."""
    if content.startswith(OLE):
        return "xls"
    return "xlsx" if content.startswith(b"PK\x03\x04") and b"xl/" in content else ""


def read(file: str, content: bytes, profile: banks.Profile | None, limits: Intake) -> Found:
    """Read every sheet that holds transactions. Raises UnreadableFile, or Refused with the problems of its rows."""
    sheets = [sheet for sheet in extract(file, content, "sheets", max_rows=limits.max_rows) if sheet["text"].strip()]
    return together(file, sheets, profile, limits)


def together(file: str, sheets: list[dict[str, Any]], profile: banks.Profile | None, limits: Intake) -> Found:
    """Read sheets (name, visible, text: a line a row, tabs between) as one file. Raises UnreadableFile or Refused."""
    if not sheets:
        raise UnreadableFile(file, "no cell of the workbook is filled.")
    found: dict[str, Found] = {}
    aside: dict[str, str] = {}
    refusals: list[UnreadableFile] = []
    for sheet in sheets:
        name = sheet["name"]
        if not sheet["visible"] and len(sheets) > 1:
            aside[name] = "it is hidden"
            continue
        try:
            one = delimited.read(f"{file}, sheet {name!r}" if len(sheets) > 1 else file, sheet["text"].encode(), _declared(profile), limits)
        except UnreadableFile as error:
            if not _is_no_statement(sheet["text"]):
                raise
            aside[name] = "no row of it reads as a transaction"
            refusals.append(error)
            continue
        repeated = next((other for other, taken in found.items() if _within(one.rows, taken.rows)), None)
        if repeated is not None:
            aside[name] = f"all its transactions stand in the sheet {repeated!r}"
        else:
            found[name] = one
    if not found:
        raise refusals[0] if refusals else UnreadableFile(file, "no sheet that can be seen holds a transaction.")
    return _together(file, found, aside, profile)


def _declared(profile: banks.Profile | None) -> banks.Profile:
    known = profile or banks.Profile(name="")
    return replace(known, delimiter="\t", encoding="utf-8")


def _is_no_statement(text: str) -> bool:
    """Say whether a sheet has nothing that looks like a transaction, rather than something that cannot be read."""
    try:
        layouts.find("", text, _declared(None))
    except UnreadableFile:
        return True
    return False


def _within(rows: pa.Table, others: pa.Table) -> bool:
    keys = ("account", "currency", "booked_on", "amount", "text")
    one, all_ = (Counter(zip(*(table[key].to_pylist() for key in keys), strict=True)) for table in (rows, others))
    return bool(one) and one <= all_


def _together(file: str, found: dict[str, Found], aside: dict[str, str], profile: banks.Profile | None) -> Found:
    """Put the sheets of a workbook together, and say so where there is more than one."""
    first, *others = found.values()
    dialect: dict[str, Any] = {key: value for key, value in first.dialect.items() if key not in ("delimiter", "encoding")}
    dialect |= {"profile": (profile.name or None) if profile else None, "line": "row", "sheets": list(found), "sheets_set_aside": aside}
    notes = [note for one in found.values() for note in one.notes]
    stated = dict(first.stated)
    for one in others:
        for account, (opening, closing) in one.stated.items():
            merged(stated, account, opening, closing)
    if others:
        names = ", ".join(repr(name) for name in found)
        notes.append(Problem(None, None, None, f"{file}: {len(found)} sheets hold transactions ({names}); all of them were read."))
    notes += [
        Problem(None, None, None, f"{file}: the sheet {name!r} was set aside: {why}.") for name, why in aside.items() if why[0] != "n"
    ]
    return Found(
        rows=pa.concat_tables([one.rows for one in found.values()]),
        dialect=dialect,
        notes=notes,
        doubts=[doubt for one in found.values() for doubt in one.doubts],
        stated=stated,
        pending=sum(one.pending for one in found.values()),
    )
