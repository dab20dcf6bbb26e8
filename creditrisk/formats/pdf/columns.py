"""The columns of a printed table: where dates begin transactions, where amounts stand below each other, what headings name them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from creditrisk import lexicon
from creditrisk.errors import UnreadableFile
from creditrisk.formats.pdf.words import Line, Money, Word, phrases, stacked

MONEY_ROLES = ("debit", "credit", "amount", "balance")


@dataclass
class Band:
    """A column of amounts."""

    left: float
    right: float
    role: str = ""
    n: int = 0


class Columns:
    """Where the dates and the amounts of a table stand: `starts` are the lines that begin a transaction, `bands` the columns of amounts."""

    def __init__(self, file: str, lines: Sequence[Line]):
        """Raises UnreadableFile where no line has a date and an amount."""
        self.file, self.lines = file, lines
        self.starts = self._aligned()
        self.bands = self._bands(self.starts)
        self._headings()

    def _aligned(self) -> list[Line]:
        """Return the lines that begin a transaction: their date stands where most dates beside an amount stand."""
        dated = [line for line in self.lines if line.day and line.money]
        if not dated:
            raise UnreadableFile(self.file, "no line of the PDF reads as a transaction (a date, words, and an amount in a column).")
        places = Counter(round(line.day.left / 6) for line in dated if line.day)
        place = max(places, key=lambda at: places[at - 1] + places[at] + places[at + 1]) * 6
        core = [line.day for line in dated if line.day and abs(line.day.left - place) <= 9]
        self.date_left, self.date_right = min(day.left for day in core), max(day.right for day in core)
        return [line for line in self.lines if line.day and line.day.left < self.date_right and line.day.right > self.date_left]

    def _bands(self, aligned: Sequence[Line]) -> list[Band]:
        """Find the columns of amounts: what overlaps from line to line."""
        first = {page: min(line.y for line in aligned if line.page == page) for page in {line.page for line in aligned}}
        last = {page: max(line.y for line in aligned if line.page == page) for page in first}
        inside = [line for line in self.lines if line.page in first and first[line.page] <= line.y <= last[line.page]]
        bands: list[Band] = []
        for money in sorted((money for line in inside for money in line.money), key=lambda money: money.left):
            if bands and money.left < bands[-1].right - 1:
                bands[-1].right = max(bands[-1].right, money.right)
                bands[-1].n += 1
            else:
                bands.append(Band(money.left, money.right, n=1))
        return bands

    def band(self, money: Money) -> int | None:
        """Return the place of the column an amount stands in."""
        return next((place for place, band in enumerate(self.bands) if money.left < band.right and money.right > band.left), None)

    def _headings(self) -> None:
        """Give columns the role their heading names; columns in the middle of words are no columns."""
        for place, line in enumerate(self.lines):
            if line.money:
                continue
            near = [other for other in self.lines[max(0, place - 2) : place + 3] if other.page == line.page and abs(other.y - line.y) < 26]
            near = [other for other in near if not other.money]
            named = {role for phrase in phrases(line) if (role := lexicon.means(phrase.text))}
            if not (named & set(MONEY_ROLES)) or not (named & {"date", "value_date", "text"} or len(named & set(MONEY_ROLES)) > 1):
                continue
            for phrase in stacked(near):
                role = lexicon.means(phrase.text)
                if role in MONEY_ROLES and (band := self._nearest(phrase)) and not band.role:
                    band.role = role
            if any(band.role for band in self.bands):
                break
        rows = max((band.n for band in self.bands), default=0)
        strong = [band for band in self.bands if band.role or band.n >= max(2, 0.15 * rows)] or self.bands
        has_names = any(band.role for band in self.bands)  # where nothing is named, a column may be as rare as its payments
        self.bands = [band for band in self.bands if band in strong or (not has_names and band.left > strong[0].left)]

    def _nearest(self, phrase: Word) -> Band | None:
        def away(band: Band) -> float:
            if phrase.left < band.right and phrase.right > band.left:
                return 0.0
            return min(abs(phrase.left - band.right), abs(phrase.right - band.left))

        best = min(self.bands, key=lambda band: (away(band), abs(phrase.right - band.right)), default=None)
        return best if best and away(best) < 40 else None
