"""Plain tagged text cut into statements and the fields of their transactions, each with the place at which it begins.

Nobody may break this: what opens closes before the next opens, or the file is refused with the line on which it does not.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creditrisk.errors import UnreadableFile

ESCAPED = re.compile(r"&(?:amp;)?(?:(amp|lt|gt|quot|apos|nbsp)|#(\d{1,6})|#[xX]([0-9A-Fa-f]{1,5}));")
ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": " "}
BOUNDS = re.compile(r"<(/?)(OFX|STMTRS|CCSTMTRS|INVSTMTRS|BANKTRANLISTP?)>")
FIELD = re.compile(r"<([A-Z][A-Z0-9.]*)>([^<]*)")
STATEMENTS = ("STMTRS", "CCSTMTRS", "INVSTMTRS")


@dataclass
class Statement:
    """One STMTRS: what stands outside its transactions, and their fields with the place in the text where each begins."""

    kind: str
    head: dict[str, str]
    booked: list[dict[str, str]]
    places: list[int]
    n_pending: int


def statements(file: str, plain: str, ends: Any) -> Iterator[Statement]:
    """Cut the text at statements and transactions, each of which must close before the next opens. Raises UnreadableFile."""
    kind, begun = "", 0
    open_: list[tuple[str, int]] = []
    for tag in BOUNDS.finditer(plain):
        closes, name = tag.groups()
        if not closes:
            if name in [other for other, _ in open_] or (name in STATEMENTS and kind):
                raise _cut(file, *open_[-1], ends)
            open_.append((name, tag.start()))
            kind, begun = (name, tag.end()) if name in STATEMENTS else (kind, begun)
        else:
            if name in STATEMENTS and _is_left_open(open_, plain, tag.start()):
                open_.pop()
            if name in STATEMENTS and open_ and open_[-1][0] == kind:
                name = kind  # a bank closes its card's statement as one of an account
            if not open_ or open_[-1][0] != name:
                raise _cut(file, *(open_[-1] if open_ else (name, tag.start())), ends)
            open_.pop()
            if name in STATEMENTS:
                yield _statement(file, kind, plain[begun : tag.start()], begun, ends)
                kind = ""
    if open_:
        raise _cut(file, *open_[-1], ends)


def _is_left_open(open_: list[tuple[str, int]], plain: str, end: int) -> bool:
    """Say whether a bank forgot to close its list: after a whole transaction comes the balance, then the end of the statement."""
    if not open_ or open_[-1][0] != "BANKTRANLIST":
        return False
    last = plain.rfind("STMTTRN>", open_[-1][1], end)
    return last > 0 and plain[last - 2 : last] == "</" and plain.find("<LEDGERBAL>", last, end) > 0


def _statement(file: str, kind: str, text: str, place: int, ends: Any) -> Statement:
    """Cut one statement into its transactions and what stands outside them; `place` is where it begins in the file."""
    first, *pieces = text.split("<STMTTRN>")
    if "</STMTTRN>" in first:
        raise _cut(file, "STMTTRN", place + first.index("</STMTTRN>"), ends, what="closes here and was not opened")
    outside, booked, places = [first], [], []
    place += len(first)
    for piece in pieces:
        inside, closed, after = piece.partition("</STMTTRN>")
        if not closed or "</BANKTRANLIST" in inside or "</STMTTRN>" in after:
            raise _cut(file, "STMTTRN", place, ends)
        if inside.count("<TRNAMT>") > 1:
            raise _cut(file, "STMTTRN", place, ends, what="opens here and holds two amounts")
        booked.append(dict(FIELD.findall(inside)))
        places.append(place)
        outside.append(after)
        place += 9 + len(piece)
    rest = "".join(outside)
    if rest.count("<TRNAMT>") > rest.count("<STMTTRNP>"):
        raise _cut(file, "STMTTRN", place, ends, what="is missing around an amount above")
    return Statement(kind, _head(rest), booked, places, rest.count("<STMTTRNP>"))


def line_ends(text: str) -> NDArray[np.int64]:
    """Return where each line ends, whether by line feed, carriage return or both."""
    letters = np.frombuffer(text.encode("ascii"), np.uint8) if text.isascii() else np.frombuffer(text.encode("utf-32-le"), np.uint32)
    ends = np.flatnonzero(letters == 10)
    if "\r" in text:
        returns = np.flatnonzero(letters == 13)
        ends = np.union1d(ends, returns[letters[np.minimum(returns + 1, len(letters) - 1)] != 10])
    return np.asarray(ends, np.int64)


def _cut(file: str, name: str, place: int, ends: NDArray[np.int64], what: str = "opens here and does not close") -> UnreadableFile:
    line = int(np.searchsorted(ends, place)) + 1
    return UnreadableFile(file, f"<{name}> {what}: the file is cut off or damaged.", line=line, value=name)


def _head(text: str) -> dict[str, str]:
    """Return the values outside the transactions that say whose money it is and how much was there."""
    ledger = re.search(r"<LEDGERBAL>(.*?)(?:</LEDGERBAL>|<AVAILBAL>|$)", text, re.DOTALL)
    origin = re.search(r"<(?:BANK|CC|INV)ACCTFROM>(.*?)(?:</(?:BANK|CC|INV)ACCTFROM>|<BANKTRANLIST|<LEDGERBAL>|$)", text, re.DOTALL)
    found = {name: value.strip() for name, value in reversed(FIELD.findall(text)) if name in ("CURDEF", "CURSYM")}
    found |= {name: value.strip() for name, value in FIELD.findall(ledger[1])} if ledger else {}
    found |= {name: value.strip() for name, value in reversed(FIELD.findall(origin[1]))} if origin else {}
    return found


def account(statement: Statement) -> str:
    return " ".join(unescaped(statement.head.get("ACCTID", "")).split())


def unescaped(text: str) -> str:
    """Resolve the escapes OFX allows; an ampersand that escapes nothing stays.

    >>> unescaped("H&amp;M &#x26; Co, R&D &amp;lt; AT&T;")
    'H&M & Co, R&D < AT&T;'
    """
    return ESCAPED.sub(_letter, text) if "&" in text else text


def _letter(found: re.Match[str]) -> str:
    if found[1]:
        return ENTITIES[found[1]]
    number = int(found[2]) if found[2] else int(found[3], 16)
    return chr(number) if 32 <= number < 0xD800 or 0xE000 <= number < 0x110000 else " "
