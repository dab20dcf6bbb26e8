"""Transactions from printed lines: a date begins one, words below continue it; lines that state a balance or a total are none."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from creditrisk import lexicon
from creditrisk.formats.delimited.phrases import CLOSING, OPENING
from creditrisk.formats.pdf.columns import MONEY_ROLES, Columns
from creditrisk.formats.pdf.words import Line, Money, phrases, size

OUT = re.compile(
    r"(total|sum|gesamt|totaal|summe).*\b(debits?|withdrawals?|out|payments?|charges|belastungen|soll|debet|debits|af|lastschriften)\b"
)
INTO = re.compile(r"(total|sum|gesamt|totaal|summe).*\b(credits?|deposits?|in|receipts|gutschriften|haben|bij|paid in)\b")
MONEY_OUT = re.compile(r"^(money|paid|payments) out\b")
MONEY_IN = re.compile(r"^(money|paid|payments) in\b")


@dataclass
class Entry:
    """A transaction on its way: printed day, words, amounts by column."""

    line: Line
    day: str
    words: list[str]
    money: dict[int, Money]
    last_y: float


class Rows:
    """The transactions of the table, and what the lines between them state: balances, totals, and what is doubtful."""

    def __init__(self, lines: Sequence[Line], columns: Columns):
        self.lines, self.columns, self.bands = lines, columns, columns.bands
        self.opening: Decimal | None = None
        self.closing: Decimal | None = None
        self.totals: dict[str, Decimal] = {}
        self.doubts: list[str] = []
        self.lost: list[str] = []  # what only a balance or a total of the whole statement makes good
        self.entries = self._entries(columns.starts)

    def _entries(self, aligned: Sequence[Line]) -> list[Entry]:
        """Follow the lines down the pages: a date begins a transaction, words below it continue it."""
        starts = {id(line) for line in aligned}
        entries: list[Entry] = []
        current: Entry | None = None
        page, filled = 0, 0
        edge = -1e9  # how far down the table is known to reach on this page
        for line in self.lines:
            if line.page != page:
                page, current, edge = line.page, None, -1e9
            reaches = line.y - edge < 4 * size(line)
            money = {place: one for one in line.money if (place := self.columns.band(one)) is not None}
            loose = [one.text for one in line.money if self.columns.band(one) is None]
            label = lexicon.folded(line.text)
            if self._is_summary(line, label, money):
                current = None
                edge = line.y if money else edge
            elif id(line) in starts and line.day:
                current = Entry(line, line.day.text, [line.text, *loose], money, line.y)
                entries.append(current)
            elif current and money and not current.money and line.y - current.last_y < 3 * size(line):
                current.money, current.last_y = money, line.y
                current.words += [line.text, *loose]
            elif entries and money and line.words and self._moves(money) and reaches:
                current = Entry(line, entries[-1].day, [line.text, *loose], money, line.y)
                entries.append(current)
                filled += 1
            elif current and line.words and not money and line.y - current.last_y < 2.4 * size(line) and self._below(line):
                current.words.append(" ".join([line.whole, *loose]))
                current.last_y = line.y
            elif not line.money and any(lexicon.means(phrase.text) in MONEY_ROLES for phrase in phrases(line)):
                edge = line.y
            edge = current.last_y if current else edge
        if filled:
            self.doubts.append(f"{filled} lines with an amount have no date of their own; they were taken to be of the day above them.")
        empty = [entry for entry in entries if not self._moves(entry.money)]
        if empty and (entries := [entry for entry in entries if self._moves(entry.money)]):
            where = ", ".join(f"{entry.day!r} on page {entry.line.page}" for entry in empty[:3])
            self.lost.append(f"{len(empty)} lines with a date have no amount and were set aside ({where}).")
        return entries

    def _moves(self, money: dict[int, Money]) -> bool:
        return any(self.bands[place].role != "balance" for place in money)

    def _below(self, line: Line) -> bool:
        left = min((band.left for band in self.bands), default=1e9)
        return line.words[0].left >= self.columns.date_left - 3 and line.words[0].left < left

    def _is_summary(self, line: Line, label: str, money: dict[int, Money]) -> bool:
        """Take note of a line that states a balance or a total."""
        if not line.money:
            return False
        values = [one.value for one in line.money]
        is_opening = bool(OPENING.search(label))
        is_closing = not is_opening and bool(CLOSING.search(label))
        moved = [place for place in money if self.bands[place].role in ("debit", "credit")]
        if (is_opening or is_closing) and len(values) == 1:
            if is_opening and self.opening is None and values[0] != self.closing:  # else a page takes up what the one before carried
                self.opening = values[0]
            elif is_closing:
                self.closing = values[0]
            return True
        if (is_opening or is_closing) and not line.day:
            return True
        for side, pattern, plain in (("out", OUT, MONEY_OUT), ("in", INTO, MONEY_IN)):
            if len(values) == 1 and not line.day and (pattern.search(label) or plain.search(label)):
                self.totals.setdefault(side, abs(values[0]))
                return True
        if re.match(r"(grand )?(sub)?totals?\b|summen?\b|totaal\b|gesamt", label) and not line.day:
            for place in moved if len(moved) == 2 else ():
                self.totals["out" if self.bands[place].role == "debit" else "in"] = abs(money[place].value)
            return True
        return False
