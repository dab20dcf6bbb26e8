"""A SWIFT file cut into fields, whatever envelope it comes in: each with its tag, its lines, and the line on which it begins.

Nobody may break this: a line belongs to one field, and none is longer than allowed, so that no file can make us hold it twice.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from creditrisk.errors import UnreadableFile

TAG = re.compile(r"[\s\x01\x03\ufeff]*:(13[CD]?|20|21|25P?|28C?|34F|60[FM]|61|62[FM]|64|65|86|90[CD]|NS):")
END = re.compile(r"\s*-[X\x03]*")
CLOCK = re.compile(r":[0-5]\d:[0-5]\d(?:\D|$)")
WRAPPED = frozenset({"61", "86", "NS", "25"})


@dataclass(frozen=True)
class Field:
    """One field: its tag, '{' for an envelope or '-' for the end of a message; `line` is that of the tag."""

    tag: str
    line: int
    lines: list[str]

    @property
    def value(self) -> str:
        return self.lines[0].strip() if self.lines else ""


def fields(file: str, text: str, longest: int) -> Iterator[Field]:
    """Cut a file into fields; what stands before the first and after the end of a message is a bank's own header."""
    here: Field | None = None
    size = 0
    for number, line in _lines(file, text, longest):
        mark = "{" if line.startswith("{1:") else "-" if line.startswith("-}") or END.fullmatch(line) else ""
        tag = TAG.match(line)
        if tag and here and here.tag in ("86", "61") and _is_clock(here.lines[-1], line):
            tag = None
        if here and (mark or tag):
            yield here
            here = None
        if mark:
            yield Field(mark, number, [line])
        elif tag:
            here = Field(tag[1], number, [line[tag.end() :]])
            size = len(line)
        elif here and here.tag in WRAPPED:
            here.lines.append(line)
            size += len(line)
            if size > longest:
                raise UnreadableFile(file, f"the field :{here.tag}: is longer than {longest} characters.", line=here.line)
    if here:
        yield here


def _lines(file: str, text: str, longest: int) -> Iterator[tuple[int, str]]:
    """Return the lines with their numbers; one in which a message ends or begins comes in parts."""
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        if not line:
            continue
        if len(line) > longest:
            raise UnreadableFile(file, f"the line is longer than {longest} characters.", line=number)
        if "{" in line or "-}" in line:
            yield from ((number, part) for part in re.split(r"(?=-\})|(?=\{1:)|(?<=\{4:)", line) if part)
        else:
            yield number, line.rstrip("\x03 \t")


def _is_clock(before: str, line: str) -> bool:
    """Say whether a line that looks like a field is the rest of a time that was wrapped: '…T13' and ':20:11'."""
    return bool(CLOCK.match(line)) and bool(re.search(r"(?:^|[T \-])\d\d$", before))
