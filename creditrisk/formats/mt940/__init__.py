"""SWIFT MT940 statements and MT942 interim reports: `:61:` movements, each with the `:86:` that follows, between two balances.

Written for what banks send rather than for the rule book: any header, any envelope, either decimal mark, entry dates left blank.
A statement without its closing balance is cut off, and a line that cannot be read refuses the file.
"""

import re

from creditrisk import banks, charset
from creditrisk.errors import UnreadableFile
from creditrisk.formats.mt940.fields import fields
from creditrisk.formats.mt940.reader import Reader
from creditrisk.settings import Intake
from creditrisk.statement import Found

TITLE = "MT940"

BEGINS = re.compile(rb"^[ \t\x01]*(?:\{4:)?:(20|25P?|28C?|34F|60[FM]|61|62[FM]|64|86|NS):|^\{1:[A-Z]\d\d", re.MULTILINE)
REPORT = re.compile(rb"^[ \t]*:(34F|13D|90[CD]):", re.MULTILINE)
CUT = re.compile(r":62[FM]:[CD]\d{6}[A-Z]{0,3}\d+(?:[.,]\d?)?\Z")
BEGUN = re.compile(r"[\r\n](:\d{0,2}[A-Z]?|\{[1-4]?)\Z")


def recognises(content: bytes) -> str:
    """Return 'mt940' or 'mt942' where a SWIFT field stands at the start of one of the first lines."""
    start = content[:8192]
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        start = content = start.decode("utf-16", errors="replace").encode()
    if b"@@:" in start:
        start = content = _unfolded(content.decode("latin-1")).encode("latin-1")
    lines = re.split(rb"\r\n|\n|\r", start.removeprefix(b"\xef\xbb\xbf"))
    if not BEGINS.search(b"\n".join(lines[:25])):
        return ""
    if re.search(rb"\{2:[IO]942", start):
        return "mt942"
    return "mt942" if REPORT.search(content) and not re.search(rb":6[02][FM]:", content) else "mt940"


def read(file: str, content: bytes, profile: banks.Profile | None, limits: Intake) -> Found:
    """Read every statement of a file; raises UnreadableFile or Refused where one of them is not whole."""
    text, encoding = charset.decode(file, content, profile.encoding if profile else None)
    if "\x00" in text:
        raise UnreadableFile(file, "this is a binary file (it contains NUL characters), not text.")
    folded, text = text, _unfolded(text)
    reader = Reader(file, limits, profile.currency if profile else None, CUT.search(text) is not None)
    if begun := BEGUN.search(text):
        what = f"the file ends in {begun[1]!r}, the beginning of a field: it is cut off."
        raise UnreadableFile(file, what, line=len(re.split(r"\r\n|\n|\r", text)), value=begun[1])
    for part in fields(file, text, limits.max_field_length):
        reader.take(part)
    found = reader.found(len(re.findall(r":61:(?=\s*\d{6})", text)))
    found.dialect.update({"encoding": encoding} if text is folded else {"line_end": "@@"})
    return found


def _unfolded(text: str) -> str:
    """Give a file its lines where "@@" stands for the end of each, as in messages that were passed on through German systems."""
    return re.sub(r"@@\s*(?=\S)", "\n", text) if "@@:" in text and not re.search(r"[\r\n]:\d\d", text) else text
