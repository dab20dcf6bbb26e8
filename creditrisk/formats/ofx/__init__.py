"""OFX and QFX, version 1 (SGML) and 2 (XML), bank and card statements: one thin reader of tags for both.

Amounts keep the bank's sign, days are those printed whatever zone stands behind them, and a statement whose tags do not close is
cut off and refused.
"""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from creditrisk import banks, charset
from creditrisk.errors import UnreadableFile
from creditrisk.formats.ofx import plain, tags
from creditrisk.formats.ofx.rows import SHOWN, Reader
from creditrisk.settings import Intake
from creditrisk.statement import ROWS, Found, Refused

TITLE = "OFX"
BEGINNING = re.compile(r"\s*(OFXHEADER\s*:|<\?OFX\b|<OFX\b)", re.IGNORECASE)
WITHIN = re.compile(r"(?:^|>)\s*(OFXHEADER\s*:\s*\d|<\?OFX\b|<(?:\w+:)?OFX\b[^<>]*>)", re.IGNORECASE | re.MULTILINE)


def recognises(content: bytes) -> str:
    """Know OFX by its header, or by its root where the header is missing or something stands before it."""
    start = charset.opening_words(content)
    if BEGINNING.match(start) or (WITHIN.search(start) and not re.match(r"\s*(<!doctype html|<html|[\[{])", start, re.IGNORECASE)):
        return "ofx"
    return ""


def read(file: str, content: bytes, profile: banks.Profile | None, limits: Intake) -> Found:
    """Read every statement of the file. Raises UnreadableFile or Refused."""
    text, encoding = plain.decoded(file, content, profile)
    tagged = plain.tagged(file, text, limits.max_depth)
    ends = tags.line_ends(tagged)
    statements = list(tags.statements(file, tagged, ends))
    if not statements:
        raise UnreadableFile(file, f"there is no bank or card statement in the file{plain.status(tagged)}.")
    if not any(statement.booked or statement.n_pending for statement in statements):
        if any(statement.kind == "INVSTMTRS" for statement in statements):
            raise UnreadableFile(file, "this is an investment statement: it holds securities and no bank or card transaction.")
        raise UnreadableFile(file, "the statement holds no transaction.")
    reader = Reader(file, ends, limits, profile)
    tables = [reader.table(statement) for statement in statements]
    if reader.problems:
        raise Refused(reader.problems)
    rows = pa.concat_tables(tables).combine_chunks()
    longest = max((pc.max(pc.utf8_length(rows[name])).as_py() or 0 for name in ("text", "account", "code")), default=0)
    if longest > limits.max_field_length:
        raise UnreadableFile(file, f"a value is {longest} characters long, more than the {limits.max_field_length} allowed.")
    dialect = {
        "encoding": encoding,
        "version": plain.version(text),
        "statements": [{"kind": one.kind, "account": tags.account(one), "transactions": len(one.booked)} for one in statements[:SHOWN]],
    }
    if len(pc.unique(rows["line"])) < rows.num_rows:  # several to a line: the line says nothing
        rows = rows.set_column(rows.schema.get_field_index("line"), ROWS.field("line"), pa.array(np.arange(rows.num_rows) + 1, pa.int32()))
        dialect["line"] = "transaction"
    pending = sum(statement.n_pending for statement in statements)
    count = tagged.count("<STMTTRN>") + tagged.count("<STMTTRNP>")
    return Found(rows, dialect, reader.notes, reader.doubts, reader.stated, count=count, pending=pending)
