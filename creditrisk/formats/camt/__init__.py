"""ISO 20022 bank-to-customer messages: CAMT.052 reports, CAMT.053 statements and CAMT.054 notifications, whatever their version.

One transaction per entry (`Ntry`); a batch is opened into its details only where they add up to the entry. The file is read as a
stream with the parser of the standard library, which sees no DOCTYPE, no entity but the five of XML, and no other file.
"""

import re

from creditrisk import banks
from creditrisk.errors import UnreadableFile
from creditrisk.formats.camt.reader import KINDS, Reader
from creditrisk.settings import Intake
from creditrisk.statement import Found

TITLE = "CAMT"
BEGINNING = 65_536

MESSAGE = re.compile(rb"<(?:[\w.-]+:)?(BkToCstmrAcctRpt|BkToCstmrStmt|BkToCstmrDbtCdtNtfctn)")
NAMESPACE = re.compile(rb"camt\.05[234]\b")


def recognises(content: bytes) -> str:
    """Return 'camt.052', 'camt.053' or 'camt.054' by the message's name, else its namespace; 'camt' for a document that is none."""
    start = content[:BEGINNING]
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        start = start.decode("utf-16", errors="replace").encode()
    if not re.match(rb"(?:\xef\xbb\xbf)?\s*<", start) or re.match(rb"(?:\xef\xbb\xbf)?\s*<(?:!DOCTYPE\s+)?html", start, re.IGNORECASE):
        return ""
    if found := MESSAGE.search(start):
        return KINDS[found[1].decode()]
    if found := NAMESPACE.search(start):
        return found[0].decode()
    return "camt" if re.search(rb"<(?:[\w.-]+:)?Document[\s>/]", start) else ""


def read(file: str, content: bytes, profile: banks.Profile | None, limits: Intake) -> Found:
    """Read every statement of a message; raises UnreadableFile or Refused where it cannot be read whole."""
    if re.search(rb"<!DOCTYPE", content, re.IGNORECASE):
        raise UnreadableFile(file, "the file declares a document type (<!DOCTYPE); such files are not read.")
    reader = Reader(file, limits, profile.currency if profile else None)
    reader.parse(content)
    return reader.found(recognises(content))
