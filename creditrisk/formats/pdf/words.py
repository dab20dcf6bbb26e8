"""Words and where they stand, put into printed lines; of each line its date, its amounts and the rest."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pyarrow as pa

from creditrisk import cells, dates

CORE = re.compile(
    r"(?P<sign>[(+−–-]?)[€£$]?[+−–-]?(?:[A-Z]{3})?[€£$]?\d{1,3}(?:[.,'’]?\d{3})*[.,]\d{2}\)?[+−–-]?(?:CR|DR|Cr|Dr|cr|dr|C|D|S|H)?"
)
BEFORE = re.compile(r"[(+−–-]|[€£$]|[+−–-][€£$]|[€£$][+−–-]")
AFTER = re.compile(r"[+−–-]|\)|CR|DR|Cr|Dr|cr|dr|C|D|S|H")
DAY = re.compile(r"(?P<a>\d{1,2})(?P<mark>[./-])(?P<b>\d{1,2})\.?")
DAY_MONTH = re.compile(
    r"(?P<d>\d{1,2})(?:st|nd|rd|th)?[. -]?\s?(?P<b>[^\W\d_]{3,9})\.?|(?P<b2>[^\W\d_]{3,9})\.?\s?(?P<d2>\d{1,2})(?:st|nd|rd|th)?"
)


@dataclass
class Word:
    """Some letters: where they begin and end, how large they are (points), and whether they can be seen."""

    text: str
    left: float
    right: float
    size: float
    seen: bool


@dataclass
class Money(Word):
    """An amount as printed."""

    value: Decimal = Decimal(0)
    mark: int = 0


@dataclass
class Line:
    """One printed line: `y` from the top of its page, `day` the first thing in it that is a date, `words` what is neither day nor money."""

    page: int
    y: float
    words: list[Word]
    money: list[Money] = field(default_factory=list)
    day: Word | None = None

    @property
    def text(self) -> str:
        """The words of the line that are neither its date nor amounts."""
        return " ".join(word.text for word in self.words)

    @property
    def whole(self) -> str:
        """The words of the line with its date."""
        return f"{self.day.text} {self.text}" if self.day else self.text


def lines(pages: Sequence[dict[str, Any]]) -> list[Line]:
    """Put words on one baseline into one line."""
    found: list[Line] = []
    for number, page in enumerate(pages, 1):
        for text, left, right, y, size, seen in page["words"]:
            if not found or found[-1].page != number or abs(found[-1].y - y) > max(0.25 * size, 0.8):
                found.append(Line(number, y, []))
            found[-1].words.append(Word(text, left, right, size, seen))
    for line in found:
        line.words.sort(key=lambda word: word.left)
    return found


def decimal(lines: Sequence[Line]) -> str:
    """Return the decimal mark that all amounts of the paper share."""
    texts = [word.text for line in lines for word in line.words if CORE.fullmatch(word.text)]
    return (cells.decimal_mark(pa.array(texts, pa.string())) if texts else None) or "."


def tokenise(line: Line, decimal: str) -> None:
    """Take the amounts and the first date out of a line's words."""
    words: list[Word] = []
    for word in line.words:
        last = words[-1] if words else None
        gap = word.left - last.right if last else 0.0
        joined = None
        if last and gap < 1.3 * word.size:
            if CORE.fullmatch(word.text) and BEFORE.fullmatch(last.text):
                joined = last.text + word.text
            elif re.match(r"\d{3}(\D|$)", word.text) and re.fullmatch(r"[+−–-]?\d{1,3}( \d{3})*", last.text) and gap < 0.6 * word.size:
                joined = f"{last.text} {word.text}" if CORE.fullmatch(word.text) or re.fullmatch(r"\d{3}", word.text) else None
            elif AFTER.fullmatch(word.text) and CORE.fullmatch(last.text.replace(" ", "")):
                joined = last.text + word.text
        if (
            last
            and joined
            and (BEFORE.fullmatch(last.text) or is_money(joined, decimal) or re.fullmatch(r"[+−–-]?\d{1,3}( \d{3})+", joined))
        ):
            words[-1] = Word(joined, last.left, word.right, word.size, last.seen and word.seen)
        else:
            words.append(word)
    start, count = _date_at(words, decimal)
    if count:
        part = words[start : start + count]
        line.day = Word(" ".join(word.text for word in part), part[0].left, part[-1].right, part[0].size, all(word.seen for word in part))
        words = words[:start] + words[start + count :]
        again, more = _date_at(words[start:], decimal)  # a value date beside it is nobody's words
        words = words[:start] + words[start + more :] if more and not again else words
    line.words = []
    for word in words:
        read_ = cells.amount(word.text, decimal) if is_money(word.text, decimal) else None
        if read_ is None:
            line.words.append(word)
        else:
            line.money.append(Money(word.text, word.left, word.right, word.size, word.seen, *read_))


def is_money(text: str, decimal: str) -> bool:
    """Say whether a word is an amount with two decimals."""
    return bool(CORE.fullmatch(text.replace(" ", ""))) and bool(re.search(rf"{re.escape(decimal)}\d\d(\D|$)", text))


def _date_at(words: Sequence[Word], decimal: str) -> tuple[int, int]:
    """Return where the first date of a line begins and how many words it has; no words for no date."""
    for start in range(min(len(words), 6)):
        for count in (4, 3, 2, 1):
            part = words[start : start + count]
            if len(part) == count and all(b.left - a.right < 1.2 * b.size for a, b in pairwise(part)):
                text = " ".join(word.text for word in part)
                if not is_money(text, decimal) and (is_day(text) or is_short_day(text)):
                    return start, count
    return 0, 0


def is_day(text: str) -> bool:
    """Say whether the words are a date with its year."""
    return 5 < len(text) < 30 and any(dates.reader(form)(text) for form in dates.shapes(text) if re.search("[Yyb]", form))


def is_short_day(text: str) -> bool:
    """Say whether the words are a day and a month."""
    if found := DAY.fullmatch(text):
        first, second = int(found["a"]), int(found["b"])
        return 0 < min(first, second) <= 12 and max(first, second) <= 31
    found = DAY_MONTH.fullmatch(text)
    return bool(found) and (found["b"] or found["b2"]).lower() in dates.MONTH and 1 <= int(found["d"] or found["d2"]) <= 31  # type: ignore[index]


def size(line: Line) -> float:
    """Return the size of a line's largest letters, in points."""
    return max((word.size for word in [*line.words, *line.money]), default=10.0)


def phrases(line: Line) -> list[Word]:
    """Join the words of a line that stand close."""
    found: list[Word] = []
    for word in line.words:
        if found and word.left - found[-1].right < 0.8 * word.size:
            found[-1] = Word(f"{found[-1].text} {word.text}", found[-1].left, word.right, word.size, True)
        else:
            found.append(replace(word))
    return found


def stacked(lines: Iterable[Line]) -> list[Word]:
    """Return the phrases of a heading, alone and joined with the one that stands right below."""
    every = [phrases(line) for line in lines]
    joined = [
        Word(f"{above.text} {below.text}", min(above.left, below.left), max(above.right, below.right), above.size, True)
        for first, second in pairwise(every)
        for above in first
        for below in second
        if above.left < below.right and above.right > below.left
    ]
    return [*joined, *(phrase for phrases in every for phrase in phrases)]
