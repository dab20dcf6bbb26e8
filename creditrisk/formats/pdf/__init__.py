"""PDF statements with text: words and where they stand become rows of cells, which are then read as any delimited file is.

A column is where amounts stand below each other; what says which way money went is a heading, a sign, or the running balance, never a
guess. What the statement prints as totals and balances is held against what was read.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pyarrow as pa

from creditrisk import banks, cells
from creditrisk.errors import UnreadableFile
from creditrisk.formats import delimited
from creditrisk.formats.guard import extract
from creditrisk.formats.pdf import signs, words
from creditrisk.formats.pdf.columns import MONEY_ROLES, Columns
from creditrisk.formats.pdf.days import days_of
from creditrisk.formats.pdf.rows import Entry, Rows
from creditrisk.formats.pdf.words import Line, Money
from creditrisk.settings import Intake
from creditrisk.statement import Found, Problem, Refused

TITLE = "PDF"

ACCOUNT = re.compile(
    r"(?:account|konto|a/c|acct|compte|cuenta|conto|rekening)[ -]?(?:number|no|nr|num|nummer|n°|#)?\.?\s*[:#]?\s*"
    r"((?:[\dX*•x][\dX*•x -]{3,30})?\d{3,})",
    re.IGNORECASE,
)
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")


def recognises(content: bytes) -> str:
    """A PDF says so within its first kilobyte."""
    return "pdf" if b"%PDF-" in content[:1024] and not content.lstrip().startswith((b"<", b"{", b"From ")) else ""


def read(file: str, content: bytes, profile: banks.Profile | None, limits: Intake) -> Found:
    """Read a statement whose amounts stand in columns. Raises UnreadableFile or Refused."""
    pages = extract(file, content, "pages", max_rows=limits.max_rows)
    lines = words.lines(pages)
    if not lines:
        raise UnreadableFile(file, "the PDF has no text, only pictures (a scan); ask the bank for the original PDF or a CSV export.")
    decimal = (profile.decimal if profile else None) or words.decimal(lines)
    for line in lines:
        words.tokenise(line, decimal)
    paper = _Paper(file, lines, profile, limits)
    found = paper.found()
    blank = [number for number, page in enumerate(pages, 1) if not page["words"]]
    if blank:
        said = f"{file}: page {', '.join(map(str, blank))} has no text; if it is a picture, its transactions are missing."
        found.doubts.append(Problem(None, None, None, said))
    return found


class _Paper:
    """A printed statement on its way from lines to rows."""

    def __init__(self, file: str, lines: list[Line], profile: banks.Profile | None, limits: Intake):
        self.file, self.lines, self.profile, self.limits = file, lines, profile, limits
        self.notes: list[str] = []
        self.sign = signs.PRINTED

    def found(self) -> Found:
        """Return the transactions. Raises UnreadableFile or Refused."""
        columns = Columns(self.file, self.lines)
        self.bands = columns.bands
        self.rows = Rows(self.lines, columns)
        entries = self.rows.entries
        if not entries:
            raise UnreadableFile(self.file, "no line of the PDF reads as a transaction (a date, words, and an amount in a column).")
        signs.name_columns(self.file, self.bands, entries)
        self._check_seen(entries)
        given = self.profile.positive if self.profile else None
        self.sign = signs.give_signs(self.file, self.rows, self.bands, is_card=not given and signs.is_card(self.lines))
        if self.sign == signs.OWED:
            self.notes.append("this is read as a credit card's statement: plain amounts are money out, those with a minus or CR money in.")
        form = self.profile.date_format if self.profile else None
        days = days_of(self.file, [entry.day for entry in entries], self.lines, form)
        return self._checked(self._through_delimited(entries, days))

    def _check_seen(self, entries: Sequence[Entry]) -> None:
        """Refuse rows written in white: what is printed is not what the text says."""
        hidden = [entry for entry in entries if not all(one.seen for one in entry.money.values())]
        if not hidden:
            return
        if len(hidden) < len(entries):
            entry = hidden[0]
            what = f"a transaction on page {entry.line.page} ({entry.day}) cannot be seen: its text is white or invisible."
            raise UnreadableFile(self.file, what, value=entry.day)
        self.notes.append("the text lies invisibly over the pages, as in a scan that was read by a machine; its figures may be misread.")

    def _through_delimited(self, entries: Sequence[Entry], days: Sequence[str]) -> Found:
        """Write the rows as delimited text and read that; what is said of a line is said of its page."""
        roles = [role for role in MONEY_ROLES if any(band.role == role for band in self.bands)]
        rows = ["\t".join(["Date", "Description", *(role.title() for role in roles)])]
        for entry, day in zip(entries, days, strict=True):
            by_role = {self.bands[place].role: one for place, one in entry.money.items()}
            money = [_printed(by_role[role]) if role in by_role else "" for role in roles]
            text = " ".join(" ".join(entry.words).replace('"', "'").split())
            rows.append("\t".join([day, text or "-", *money]))
        given = self.profile or banks.Profile(name="")
        form = given.date_format if given.date_format and "%y" in given.date_format.lower() else None
        declared = banks.Profile(
            name=given.name,
            encoding="utf-8",
            delimiter="\t",
            decimal=".",
            positive=given.positive,
            currency=given.currency,
            date_format=form,
        )
        try:
            found = delimited.read(self.file, ("\n".join(rows) + "\n").encode(), declared, self.limits)
        except Refused as refused:
            raise Refused([self._on_page(problem, entries) for problem in refused.problems]) from refused
        except UnreadableFile as error:
            raise UnreadableFile(self.file, error.what, column=error.column, value=error.value) from error
        account, currency = self._account(), given.currency or self._currency()
        n = found.rows.num_rows
        table = found.rows.set_column(0, "account", pa.array([account] * n, pa.string()))
        table = table.set_column(1, "currency", pa.array([currency] * n, pa.string()))
        table = table.set_column(7, "line", pa.array(range(1, n + 1), pa.int32())).cast(found.rows.schema)
        kept = {key: value for key, value in found.dialect.items() if key in ("date_format", "set_aside")}
        columns = {band.role: [round(band.left), round(band.right)] for band in self.bands}
        dialect = {**kept, "columns": columns, "sign": self.sign, "line": "transaction", "profile": given.name or None}
        stated = {account: (self.rows.opening, self.rows.closing)} if (self.rows.opening, self.rows.closing) != (None, None) else {}
        return replace(found, rows=table, dialect=dialect, stated=stated, count=len(entries))

    def _on_page(self, problem: Problem, entries: Sequence[Entry]) -> Problem:
        if problem.line is None or not 2 <= problem.line <= len(entries) + 1:
            return problem
        page = entries[problem.line - 2].line.page
        return replace(problem, line=None, message=problem.message.replace(f", line {problem.line}:", f", page {page}:", 1))

    def _checked(self, found: Found) -> Found:
        """Hold the printed totals and balances against the rows."""
        amounts = found.rows["amount"].to_pylist()
        total = sum(amounts, Decimal(0))
        money_in = sum((one for one in amounts if one > 0), Decimal(0))
        sums = {"in": money_in, "out": money_in - total}
        opening, closing, totals = self.rows.opening, self.rows.closing, self.rows.totals
        wrong = [
            f"the statement prints {printed} as its total of money {side}, and the transactions read come to {sums[side]:.2f}."
            for side, printed in totals.items()
            if printed != sums[side]
        ]
        balanced = opening is not None and closing is not None and opening + total == closing
        if None not in (opening, closing) and not balanced:
            wrong.append(f"the statement goes from {opening} to {closing}, and the transactions read come to {total:.2f}.")
        confirmed = balanced or (len(totals) == 2 and not wrong)
        doubts = self.rows.doubts
        if confirmed:
            found = replace(found, doubts=[])
        else:
            wrong += self.rows.lost  # running balances say nothing of a row before the first or behind the last
            doubts = [*doubts, "neither balances nor totals on the statement confirm that every transaction was read."]
        problems = [Problem(None, None, None, f"{self.file}: {sentence}") for sentence in (*self.notes, *wrong)]
        return replace(
            found,
            notes=found.notes + problems,
            doubts=found.doubts + [Problem(None, None, None, f"{self.file}: {said}") for said in doubts],
        )

    def _account(self) -> str:
        for line in self.lines:
            text = line.whole
            if found := IBAN.search(text):
                return found[0].replace(" ", "")
        for line in self.lines:
            if found := ACCOUNT.search(line.text):
                return re.sub(r"[ -]", "", re.sub(r"^\d\d-\d\d-\d\d\s+", "", found[1]))
        return ""

    def _currency(self) -> str:
        glued = {cells.glued_currency(one.text) for line in self.lines for one in line.money} - {"", "$", "¥"}
        if len(glued) == 1:
            return glued.pop()
        codes = Counter(word for line in self.lines for word in re.findall(r"\b[A-Z]{3}\b", line.text) if word in cells.CURRENCIES)
        if codes:
            return next(iter(codes)) if len(codes) == 1 else ""
        symbols = {cells.SYMBOLS[sign] for line in self.lines for sign in "€£" if sign in line.text}
        return symbols.pop() if len(symbols) == 1 else ""


def _printed(one: Money) -> str:
    return f"{'+' if one.mark > 0 else ''}{one.value:f}"
