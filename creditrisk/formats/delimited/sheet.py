"""The cells of one delimited file and what has been found out about them so far, which every later step is told.

No cell is interpreted here; a problem names line, heading and value.
"""

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from creditrisk import banks, cells, layouts, lexicon
from creditrisk.formats.delimited import phrases
from creditrisk.grid import Grid
from creditrisk.statement import Problem

SHOWN = 50  # problems listed of one file; the rest are counted


class Sheet:
    """One delimited file on its way from cells to transactions."""

    def __init__(self, file: str, layout: layouts.Layout, grid: Grid, declared: banks.Profile | None, limit: int):
        self.file, self.layout, self.grid, self.declared, self.limit = file, layout, grid, declared, min(limit, 10**14 - 1)
        self.stated_opening: Decimal | None = None
        self.stated_closing: Decimal | None = None
        self.decimals: dict[str, str] = {}
        self.sign_rule = ""
        self.fees = False  # there are some, and nothing says whether the amounts hold them
        self.form = ""
        self.named = np.zeros(0, bool)
        self.like_total = np.zeros(0, bool)
        self.problems: list[Problem] = []
        self.bare: dict[int, list[str]] = {}  # all cells of the rows without words in the columns of words
        self.said: list[Problem] = []
        self.left_out: list[Problem] = []  # rows set aside one by one, each with its reason
        self.n = len(grid.lines)

    def column(self, role: str) -> pa.DictionaryArray:
        """Return the cells of a role's only column, each distinct text once."""
        return self.grid.columns[self.layout.columns[role][0]]

    def has(self, role: str) -> bool:
        """Say whether the file has a column for the role."""
        return role in self.layout.columns

    def name(self, role: str) -> str:
        """Return the heading of a role's column."""
        return self.layout.names[self.layout.columns[role][0]]

    def headings(self) -> tuple[str, ...]:
        """Return the headings the bank's next file is known by; none where the file has none."""
        return self.layout.names if self.layout.has_header else ()

    def problem(self, row: int, role: str, value: str, what: str) -> None:
        """Note what is wrong with one cell."""
        line = int(self.grid.lines[row])
        sentence = f"{self.file}, line {line}: {what}"
        self.problems.append(Problem(line, self.name(role), value, sentence))

    def words(self, row: int) -> list[str]:
        """Return what the words of a row say: its day, text, code and account, where they are filled."""
        places = [place for role in ("date", "text", "code", "account") for place in self.layout.columns.get(role, ())]
        found = [self.grid.columns[place][row].as_py().strip() for place in places]
        return [word for word in found if word]

    def money_text(self, row: int) -> str:
        """Return what the money cells of a row say."""
        return " ".join(self.column(role)[row].as_py().strip() for role in ("amount", "debit", "credit") if self.has(role)).strip()

    def line_of(self, column: pa.DictionaryArray, text: str) -> int:
        """Return the line on which one of a column's texts stands first."""
        place = pc.index(column.dictionary, text).as_py()
        return int(self.grid.lines[int(np.argmax(cells.places(column) == place))])

    def unbooked(self) -> NDArray[Any]:
        """Say which rows the bank itself marks as pending, declined or taken back."""
        if not self.has("status"):
            return np.zeros(self.n, bool)
        coded = self.column("status")
        marked = [phrases.NOT_BOOKED.search(lexicon.folded(text)) is not None for text in coded.dictionary.to_pylist()]
        return np.asarray(np.array(marked, bool)[cells.places(coded)])

    def doubted_states(self, where: NDArray[Any]) -> list[Problem]:
        """Doubt rows whose state is in words nobody knows, beside rows in another state: they may not be booked."""
        if not self.has("status"):
            return []
        coded = self.column("status")
        texts, counts = coded.dictionary.to_pylist(), np.bincount(cells.places(coded)[where], minlength=len(coded.dictionary))
        found = {text: int(count) for text, count in zip(texts, counts, strict=True) if count}
        unknown = {text: count for text, count in found.items() if text.strip() and not phrases.BOOKED.fullmatch(lexicon.folded(text))}
        if not unknown or len(found) == 1:
            return []
        said = ", ".join(f"{text!r} ({count} rows)" for text, count in list(unknown.items())[:SHOWN])
        what = f"whether a row is booked is not told by these words of column {self.name('status')!r}: {said}; all are taken as booked."
        return [Problem(None, self.name("status"), next(iter(unknown)), f"{self.file}: {what}")]


def flags(column: pa.Array) -> NDArray[Any]:
    """Return a column of yes and no as an array."""
    return np.asarray(column.to_numpy(zero_copy_only=False), bool)
