"""A movement as it is written, and what it says of itself: free text, numbered parts (`?20`), or a `:NS:` field.

Nobody may break this: words that a bank wrapped in their middle come back whole, and its own reference stands in only for silence.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

STRUCTURED = re.compile(r"(?P<gvc>\d{3})?(?P<mark>[?>~<^|@])\d\d")
WIDTH, PART = 60, 27  # lines and `?20` parts this long were wrapped by the bank in the middle of a word


@dataclass
class Row:
    line: int
    booked_on: date
    mark: str
    amount: str
    type: str
    reference: str
    extra: list[str]
    words: list[str] = field(default_factory=list)
    coded: list[str] = field(default_factory=list)
    length: int = 0


def code(row: Row) -> str:
    structured = STRUCTURED.match(row.words[0].lstrip()) if row.words else None
    parts = [f"SWIFT {row.type}"] if len(row.type) > 1 else []
    if structured and structured["gvc"] and structured["gvc"] != "000":
        parts.append(f"GVC {structured['gvc']}")
    if row.mark.startswith("R"):
        parts.append("RVSL")
    return " ".join(parts)


def text(row: Row) -> str:
    """Return what a movement says of itself; the bank's own reference only where it says nothing else."""
    words = _structured(row.words) if row.words and STRUCTURED.match(row.words[0].lstrip()) else _joined(row.words)
    said = " ".join(part for part in (words, _coded(row.coded)) if part)
    name = re.search(r"\s{3,}(\S.*)", row.reference)  # some banks put the other side behind the reference
    for more in (name[1] if name else "", " ".join(line.strip() for line in row.extra if line.strip())):
        if more not in said:
            said = f"{said} {more}".strip()
    return said or row.reference.partition("//")[0].replace("NONREF", "").strip()


def _joined(lines: list[str]) -> str:
    """Join wrapped lines: a full one was cut in the middle of a word, a short one was not."""
    said = ""
    for line in lines:
        said += line if len(line) >= WIDTH else f"{line} "
    return said.strip()


def _structured(lines: list[str]) -> str:
    """Return posting text, name and purpose of a description in numbered parts ('166?00GUTSCHRIFT?20EREF+1?32NAME')."""
    whole = _joined(lines)
    mark = STRUCTURED.match(whole.lstrip())
    parts = re.split(rf"{re.escape(mark['mark'] if mark else '?')}(\d\d)", whole)[1:]
    said: dict[str, str] = defaultdict(str)
    for number, part in zip(parts[::2], parts[1::2], strict=True):
        kind = "0" if number == "00" else "1" if number in ("32", "33") else "2" if number[0] in "26" else ""
        said[kind] += part if len(part) >= PART else f"{part} "
    return " ".join(said[kind].strip() for kind in "012" if said[kind].strip())


def _coded(lines: list[str]) -> str:
    """Return posting text, name and purpose of a `:NS:` field, whose lines begin with the number of their part."""
    if not lines:
        return ""
    found = [(line[:2], line[2:].strip()) for line in lines if re.match(r"\d\d", line)]
    order = ("17", "15", "16", *(f"{number:02}" for number in range(1, 15)))
    return " ".join(text for wanted in order for number, text in found if number == wanted and text)
