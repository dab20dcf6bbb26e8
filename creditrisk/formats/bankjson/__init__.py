"""Statements as the interfaces of banks give them: Plaid, Berlin Group (GoCardless), UK Open Banking, TrueLayer, and plain lists.

Numbers stay text until they are money, a day is the one printed, and every list of transactions in the document is read or named.
"""

import re

from creditrisk import banks
from creditrisk.errors import UnreadableFile
from creditrisk.formats.bankjson import berlin, document, obie, plaid, plain, truelayer
from creditrisk.formats.bankjson.document import Listed
from creditrisk.formats.bankjson.entry import Shape
from creditrisk.formats.bankjson.reader import Reader
from creditrisk.settings import Intake
from creditrisk.statement import Found

TITLE = "JSON"
BEGINNING = re.compile(r"(?:[{\[]\s*)+(?:[\"{\[\]}]|[\d\-NIntf][^:]*$)")
SHAPES = (berlin.SHAPE, obie.SHAPE, truelayer.SHAPE, plaid.SHAPE)


def recognises(content: bytes) -> str:
    """A JSON document begins with a bracket and a text or another bracket."""
    start = content[:4096]
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        words = start[: len(start) // 2 * 2].decode("utf-16", errors="replace")
    else:
        words = start.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    return "json" if BEGINNING.match(words.lstrip()) else ""


def read(file: str, content: bytes, profile: banks.Profile | None, limits: Intake) -> Found:
    """Read every list of transactions of the document. Raises UnreadableFile."""
    documents = document.parsed(file, content, limits)
    lists, outer = document.lists(documents, _may_be)
    known = [(listed, shape) for listed in lists if (shape := _shape(listed))]
    if not known:
        return plain.read(file, lists, profile, limits)
    shapes = {shape.name for _, shape in known}
    if len(shapes) > 1:
        raise UnreadableFile(file, f"the document mixes transactions of {' and '.join(sorted(shapes))}; give each a file of its own.")
    reader = Reader(file, known[0][1], limits)
    for listed, shape in known:
        reader.take(listed, shape)
    for node in outer:
        reader.note_balances(node)
    return reader.found(outer)


def _may_be(listed: Listed) -> bool:
    return _shape(listed) is not None or plain.columns_of(listed) is not None


def _shape(listed: Listed) -> Shape | None:
    if "balance" in listed.key.lower():
        return None
    first = next((item for item in listed.items if isinstance(item, dict)), {})
    return next((shape for shape in SHAPES if shape.is_one(first)), None)
