"""Statement files into the store: whole files or nothing, exact, reconciled, idempotent.

`read` says what a file holds and never raises for a bad one; `save` appends what the workspace does not have yet.
A movement is known by account, day, amount, description and its number among equal ones within its file, so the same file
twice adds nothing and overlapping exports give their union.
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pandas import DataFrame

from creditrisk import banks, categories, cells
from creditrisk.cells import BAD, BLANK, READ, Marks, Units
from creditrisk.errors import UnreadableFile
from creditrisk.settings import Settings
from creditrisk.store import Store, now, to_json as as_json

Reconciliation = Literal["ok", "mismatch", "not stated"]
SHOWN = 50  # problems listed of one file; the rest are counted
PENDING = re.compile(r"pending|vorgemerkt|en attente|a venir|pendiente|in attesa|oczekuj|gereserveerd|reserverat", re.IGNORECASE)
OPENING = re.compile(
    r"opening balance|(balance )?brought forward|balance forward|previous balance|start(ing)? balance|anfangssaldo|alter kontostand|"
    r"beginsaldo|solde (initial|precedent)|ancien solde|saldo (inicial|anterior|iniziale|poczatkowe)|nyitó egyenleg",
    re.IGNORECASE,
)
CLOSING = re.compile(
    r"closing balance|ledger balance|(balance )?carried forward|new balance|current balance|end(ing)? balance|endsaldo|"
    r"(neuer )?kontostand|eindsaldo|solde (final|actuel)|nouveau solde|saldo (final|actual|finale|koncowe)|záró egyenleg",
    re.IGNORECASE,
)
TOTAL = re.compile(r"\b(sub)?total(s|e|en)?\b|\bsum(m[ae]|a)?\b|gesamt|totaal|celkem|összesen|итого|balance|saldo|solde|kontostand", re.IGNORECASE)


@dataclass(frozen=True)
class Problem:
    """What is wrong, and where: `line` is the physical line of the file, `column` its heading; `message` is the whole sentence."""

    line: int | None
    column: str | None
    value: str | None
    message: str


@dataclass(frozen=True)
class AccountBalance:
    """One account of a file: balances as printed or derived from printed ones, and whether they add up."""

    opening: Decimal | None
    closing: Decimal | None
    reconciliation: Reconciliation


@dataclass(frozen=True)
class Reading:
    """What a file holds. `rows` has the columns account, currency, booked_on, amount, balance, text, code, line in file order."""

    file: str
    sha256: str
    content: bytes
    format: str
    dialect: dict[str, Any]
    status: Literal["accepted", "warned", "rejected"]
    problems: list[Problem]
    rows: pa.Table | None = None
    n_transactions: int = 0
    sum_amount: Decimal = Decimal(0)
    opening: Decimal | None = None
    closing: Decimal | None = None
    currency: str | None = None
    accounts: list[str] = field(default_factory=list)
    reconciliation: Reconciliation = "not stated"
    balances: dict[str, AccountBalance] = field(default_factory=dict)


@dataclass(frozen=True)
class Saved:
    """What became of a reading: rows the workspace did not have, and rows it had; no id where nothing was stored."""

    reading: Reading
    n_new: int = 0
    n_duplicate: int = 0
    statement_id: int | None = None


class _Refused(Exception):
    """Carries the problems of a file out of the reader; never leaves this room."""

    def __init__(self, problems: list[Problem]):
        self.problems = problems


# ------------------------------------------------------------------------------------------------------------------ read


def read(name: str, content: bytes, *, profile: str | None = None, settings: Settings) -> Reading:
    """Read one file; a bad file is a Reading with status 'rejected' and its problems. Raises UnknownThing for an unknown profile."""
    file = Path(name).name
    declared = banks.profile(profile, settings.data / "banks") if profile else None
    digest = hashlib.sha256(content).hexdigest()
    try:
        return _recognised(file, content, digest, declared, settings)
    except _Refused as refused:
        problems = refused.problems
    except UnreadableFile as error:
        problems = [Problem(error.line, error.column, error.value, str(error))]
    return Reading(file, digest, content, "csv", {"profile": profile}, "rejected", problems)


def _recognised(file: str, content: bytes, digest: str, declared: banks.Profile | None, settings: Settings) -> Reading:
    """Ask each format whether the content is its own; delimited text is what is left."""
    if not content.strip(b"\xef\xbb\xbf \t\r\n"):
        raise UnreadableFile(file, "the file is empty.")
    if len(content) > settings.intake.max_file_mb * 1_000_000:
        raise UnreadableFile(file, f"the file is larger than {settings.intake.max_file_mb} MB; split it, or raise max_file_mb in [intake].")
    if what := banks.recognise(content):
        raise UnreadableFile(file, f"this is {what}, whatever its name says; statements are read from CSV files.")
    return _read_csv(file, content, digest, declared, settings)


@dataclass
class _Grid:
    """The rows of a delimited file: `columns` the wanted ones by place, `lines` physical lines, `widths` cells in each row."""

    columns: dict[int, pa.Array]
    lines: NDArray[np.int32]
    widths: NDArray[np.int32]
    spills: NDArray[np.int32]  # rows with something in a cell beyond the heading


def _read_csv(file: str, content: bytes, digest: str, declared: banks.Profile | None, settings: Settings) -> Reading:
    text, encoding = banks.decode(file, content, declared.encoding if declared else None)
    if "\x00" in text:
        raise UnreadableFile(file, "this is a binary file (it contains NUL characters), not text.")
    layout = banks.layout(file, text, declared)
    if len(layout.names) > settings.intake.max_columns:
        raise UnreadableFile(file, f"the heading has {len(layout.names)} columns, more than the {settings.intake.max_columns} allowed.")
    grid = _grid(file, text, layout, settings.intake.max_field_length)
    sheet = _Sheet(file, layout, grid, declared, settings.intake.max_amount)
    rows, notes, aside, dialect = sheet.transactions(ends_open=not text.endswith(("\n", "\r")))
    status, balances, warnings = _reconcile(file, rows, sheet.stated_opening, sheet.stated_closing)
    if status != "ok":
        notes += sheet.one_sided(rows)
    problems = [Problem(None, None, None, f"{file}: {guess}") for guess in layout.guesses] + notes + warnings
    accounts = list(balances)
    currencies = pc.unique(rows["currency"]).to_pylist()
    one = balances[accounts[0]] if len(accounts) == 1 else None
    dialect = banks.to_dict(layout, encoding=encoding, profile=declared.name if declared else None, **dialect, set_aside=aside)
    return Reading(
        file, digest, content, "csv", dialect, "warned" if problems else "accepted", problems, rows, rows.num_rows,
        cells.total(cells.from_money(rows["amount"].combine_chunks())), one.opening if one else None, one.closing if one else None,
        currencies[0] if len(currencies) == 1 and currencies[0] else None, accounts, status, balances,
    )  # fmt: skip


def _grid(file: str, text: str, layout: banks.Layout, longest: int) -> _Grid:
    """Cut the text below the heading into cells; raises UnreadableFile at an unterminated or misplaced quote.

    Lines are cut where the delimiter stands. That is what a strict reader would do for a line without quotes or with whole cells
    quoted and no delimiter in them; other lines go to the strict reader one by one, and to it all together where a cell spans lines.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    every = pc.split_pattern(pa.array([text], pa.large_string()), "\n").values.cast(pa.string()).slice(layout.first - 1)
    filled = np.flatnonzero(~_flags(pc.or_(pc.equal(every, ""), pc.utf8_is_space(every))))
    lines, rows = (filled + layout.first).astype(np.int32), every.take(pa.array(filled))
    quoted = '"' in text
    odd = np.flatnonzero(~_plainly_quoted(rows, layout.delimiter)) if quoted else np.array([], np.int64)
    strict: list[list[str]] = []
    try:
        strict = list(csv.reader(rows.take(pa.array(odd)).to_pylist(), delimiter=layout.delimiter, strict=True))
    except csv.Error:
        strict = []
    if len(strict) != len(odd):
        return _checked(file, layout, longest, *_strictly(file, every.to_pylist(), layout))
    cut = pc.split_pattern(rows, layout.delimiter)
    offsets, values = cut.offsets.to_numpy(), cut.values
    widths = np.diff(offsets).astype(np.int32)

    def column(place: int) -> pa.Array:
        found = values.take(pa.array(np.where(place < widths, offsets[:-1] + place, 0), mask=place >= widths))
        found = pc.fill_null(found, "")
        found = pc.utf8_trim(found, '"') if quoted else found
        if len(odd):
            mask = np.zeros(len(rows), bool)
            mask[odd] = True
            found = pc.replace_with_mask(found, pa.array(mask), pa.array([row[place] if place < len(row) else "" for row in strict], pa.string()))
        return found

    columns = {place: column(place) for places in layout.columns.values() for place in places}
    natural = widths.max(initial=0)
    widths[odd] = [len(row) for row in strict]
    spilled = np.zeros(len(rows), bool)
    for place in range(len(layout.names), max(int(natural), int(widths.max(initial=0)))):
        spilled |= _flags(pc.not_equal(pc.utf8_trim_whitespace(column(place)), ""))
    return _checked(file, layout, longest, columns, lines, widths, spilled)


def _plainly_quoted(rows: pa.Array, delimiter: str) -> NDArray[Any]:
    """Say which lines have quotation marks, if any, only around whole cells with no delimiter in them."""
    mark = re.escape(delimiter)
    cell = rf'(?:"[^"{mark}]*"|[^"{mark}]*)'
    return _flags(pc.match_substring_regex(rows, rf"^{cell}(?:{mark}{cell})*$"))


def _strictly(file: str, every: list[str], layout: banks.Layout) -> tuple[dict[int, pa.Array], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Cut lines into cells with the strict reader, for files in which a cell spans lines or a quotation mark is out of place."""
    reader = csv.reader((line + "\n" for line in every), delimiter=layout.delimiter, strict=True)
    lines: list[int] = []
    rows: list[list[str]] = []
    before = 0
    try:
        for row in reader:
            if any(cell.strip() for cell in row) or len(row) > 1:
                rows.append(row)
                lines.append(before + layout.first)
            before = reader.line_num
    except csv.Error as error:
        what = "a quotation mark opens here and never closes" if "end of data" in str(error) else f"the row cannot be cut into cells ({error})"
        raise UnreadableFile(file, f"{what}; the file is cut off or damaged.", line=before + layout.first) from error
    places = {place for places in layout.columns.values() for place in places}
    columns = {place: pa.array([row[place] if place < len(row) else "" for row in rows], pa.string()) for place in places}
    spilled = [any(cell.strip() for cell in row[len(layout.names) :]) for row in rows]
    return columns, np.array(lines, np.int32), np.array([len(row) for row in rows], np.int32), np.array(spilled, bool)


def _checked(
    file: str, layout: banks.Layout, longest: int, columns: dict[int, pa.Array], lines: NDArray[Any], widths: NDArray[Any], spilled: NDArray[Any]
) -> _Grid:
    for place, column in columns.items():
        lengths = pc.utf8_length(column)
        if len(column) and pc.max(lengths).as_py() > longest:
            line = int(lines[pc.index(pc.greater(lengths, longest), True).as_py()])
            raise UnreadableFile(file, f"a cell of column {layout.names[place]!r} is longer than {longest} characters.", line=line)
    return _Grid(columns, lines, widths, np.flatnonzero(spilled & layout.has_header).astype(np.int32))


def _flags(column: pa.Array) -> NDArray[Any]:
    return np.asarray(column.to_numpy(zero_copy_only=False))


class _Sheet:
    """One delimited file on its way from cells to transactions."""

    def __init__(self, file: str, layout: banks.Layout, grid: _Grid, declared: banks.Profile | None, limit: int):
        self.file, self.layout, self.grid, self.declared, self.limit = file, layout, grid, declared, min(limit, 10**14 - 1)
        self.stated_opening: Decimal | None = None
        self.stated_closing: Decimal | None = None
        self.decimals: dict[str, str] = {}
        self.sign_rule = ""
        self.problems: list[Problem] = []
        self.n = len(grid.lines)

    def column(self, role: str) -> pa.Array:
        """Return the cells of a role's only column."""
        return self.grid.columns[self.layout.columns[role][0]]

    def has(self, role: str) -> bool:
        """Say whether the file has a column for the role."""
        return role in self.layout.columns

    def name(self, role: str) -> str:
        """Return the heading of a role's column."""
        return self.layout.names[self.layout.columns[role][0]]

    def problem(self, row: int, role: str, value: str, what: str) -> None:
        """Note what is wrong with one cell."""
        line = int(self.grid.lines[row])
        sentence = f"{self.file}, line {line}: {what}"
        self.problems.append(Problem(line, self.name(role), value, sentence))

    def transactions(self, *, ends_open: bool) -> tuple[pa.Table, list[Problem], dict[str, int], dict[str, Any]]:
        """Return the transactions, warnings, counts of what was set aside, and what was inferred. Raises _Refused."""
        if not self.n:
            raise UnreadableFile(self.file, "there is a heading and no row below it.")
        days, day_state, form = self._days()
        units, money_state, marks = self._money()
        is_row = (day_state == READ) & (money_state == READ)
        aside, joined = self._set_aside(is_row, day_state, money_state)
        where = np.flatnonzero(is_row)
        if not len(where) and not self.problems:
            raise UnreadableFile(self.file, "there is no transaction in the file.")
        self._check_whole(where, ends_open)
        units = self._signed(units, marks, where)
        balance, balance_state = self._balance(where)
        self._refuse()
        self._from_preamble()
        rows = self._table(where, days, units, balance, balance_state, joined)
        notes = [self._aside_note(aside)] if aside.get("pending") else []
        return rows, notes, {key: count for key, count in aside.items() if count}, self._inferred(form)

    def one_sided(self, rows: pa.Table) -> list[Problem]:
        """Warn where every amount is positive and nothing in the file says whether money came or went."""
        units = cells.from_money(rows["amount"].combine_chunks())
        if self.sign_rule != "signed" or (units < 0).any() or not (units > 0).any():
            return []
        sentence = (
            f"{self.file}: no amount in column {self.name('amount')!r} has a sign, so all are read as money in; if they are payments, "
            'a bank profile with positive = "out", or with the column that says which way money went, decides.'
        )
        return [Problem(None, self.name("amount"), None, sentence)]

    def _inferred(self, form: str) -> dict[str, Any]:
        return {"date_format": form, "decimal": self.decimals, "sign": self.sign_rule}

    def _aside_note(self, aside: Mapping[str, int]) -> Problem:
        return Problem(None, None, None, f"{self.file}: {aside['pending']} pending rows without a booking date were set aside.")

    # dates

    def _days(self) -> tuple[NDArray[Any], Marks, str]:
        column = pc.utf8_trim_whitespace(self.column("date"))
        if pc.any(pc.match_substring(column, ":")).as_py():
            column = pc.replace_substring_regex(column, r"[T ,]+\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp][Mm])?( ?(Z|[A-Z]{3,4}|[+-]\d{2}:?\d{2}))?$", "")
        form = self.declared.date_format if self.declared and self.declared.date_format else self._date_format(column)
        days, state = cells.days(column, form)
        return days, state, form

    def _date_format(self, column: pa.Array) -> str:
        """Decide the date format from all rows; where day and month could be swapped, from the order of the rows."""
        forms = cells.date_formats(column)
        if not forms:
            value = next((text for text in column.to_pylist() if text), "")
            line = int(self.grid.lines[0])
            raise UnreadableFile(self.file, f"no value of column {self.name('date')!r} is a date (the first is {value!r}).", line=line)
        if len(forms) == 1:
            return forms[0]
        read = {form: _only(*cells.days(column, form)) for form in forms}
        likely = {form: days for form, days in read.items() if _years_fit(days)} or read
        usual = {form: days for form, days in likely.items() if not re.match(r"%y\W", form)} or likely
        first = next(iter(usual))
        if all(np.array_equal(usual[first], days) for days in usual.values()):
            return first
        ordered = [form for form, days in usual.items() if _in_order(days)]
        if len(ordered) == 1:
            return ordered[0]
        sample = next(text for text in column.to_pylist() if len({cells.date_reader(form)(text) for form in usual}) > 1)
        keys = " or ".join(f'date_format = "{form}"' for form in usual)
        raise UnreadableFile(
            self.file,
            f"the dates can be read in more than one way (for example {sample!r}) and nothing in the file decides; "
            f"a bank profile (--profile) with {keys} does.",
            line=int(self.grid.lines[pc.index(column, sample).as_py()]), column=self.name("date"), value=sample,
        )  # fmt: skip

    # money

    def _money(self) -> tuple[Units, Marks, Marks]:
        """Return units, state and sign mark of every row, from the amount or from the debit and credit columns."""
        roles = [role for role in ("amount", "debit", "credit", "balance") if self.has(role)]
        found = {role: self.declared.decimal if self.declared and self.declared.decimal else cells.decimal_mark(self.column(role)) for role in roles}
        known = next((mark for mark in found.values() if mark), None)
        for role, mark in found.items():
            if mark is None and known is None:
                sample = next(text for text in self.column(role).to_pylist() if re.search(r"\d[.,]\d", text))
                row = pc.index(self.column(role), sample).as_py()
                raise UnreadableFile(
                    self.file,
                    f"amounts such as {sample!r} can be read with the mark as decimals or as thousands and nothing in the file decides; "
                    'a bank profile (--profile) with decimal = "." or decimal = "," does.',
                    line=int(self.grid.lines[row]), column=self.name(role), value=sample,
                )  # fmt: skip
            self.decimals[role] = mark or known or "."
        pair = [self._amounts(role) for role in ("debit", "credit") if self.has(role)]
        if self.has("amount"):
            amount = self._amounts("amount")
            if len(pair) < 2 or (amount.units < 0).any() or self.has("sign"):
                self.sign_rule = "signed"
                return amount.units, amount.state, amount.mark
        self.sign_rule = "debit and credit columns"
        return self._from_pair()

    def _amounts(self, role: str) -> cells.Amounts:
        return cells.amounts(self.column(role), self.decimals[role], self.limit)

    def _from_pair(self) -> tuple[Units, Marks, Marks]:
        nothing = cells.Amounts(np.zeros(self.n, np.int64), np.full(self.n, BLANK, np.int8), np.zeros(self.n, np.int8))
        debit = self._amounts("debit") if self.has("debit") else nothing
        credit = self._amounts("credit") if self.has("credit") else nothing
        # Some banks print money out already negative; a lone minus among positive ones is a reversal.
        out = debit.units if not (debit.units > 0).any() else -debit.units
        both = (debit.units != 0) & (credit.units != 0)
        state = np.where((debit.state == READ) | (credit.state == READ), READ, BLANK).astype(np.int8)
        state[(debit.state == BAD) | (credit.state == BAD) | both] = BAD
        return out + credit.units, state, np.ones(self.n, np.int8)

    def _signed(self, units: Units, marks: Marks, where: NDArray[Any]) -> Units:
        """Apply what says which way money went: a sign column, CR marks, or the profile's word on unsigned amounts."""
        if self.sign_rule != "signed":
            return units
        if self.has("sign"):
            return self._by_indicator(units, where)
        own = marks[where]
        if self.declared and self.declared.positive == "out":
            self.sign_rule = "unsigned is money out"
            return np.where(marks == 0, -units, units)
        if (own > 0).any() and (own == 0).any() and not (own < 0).any():
            self.sign_rule = "money in is marked"
            return np.where(marks == 0, -units, units)
        return units

    def _by_indicator(self, units: Units, where: NDArray[Any]) -> Units:
        coded = pc.utf8_trim_whitespace(self.column("sign")).dictionary_encode()
        texts = coded.dictionary.to_pylist()
        declared = self.declared.sign if self.declared else {}
        meaning = [declared.get(text) or (None if declared else banks.side(text)) for text in texts]
        factors = np.array([{"+": 1, "-": -1}.get(side or "", 0) for side in meaning], np.int64)[coded.indices.to_numpy(zero_copy_only=False)]
        for row in where[(factors[where] == 0) & (units[where] != 0)][:SHOWN]:
            value = self.column("sign")[int(row)].as_py()
            self.problem(int(row), "sign", value, f"{value!r} in column {self.name('sign')!r} does not say whether money came in or went out.")
        self.sign_rule = "sign column"
        if declared or not (units[where] < 0).any():
            return units * factors
        for row in where[np.sign(units[where]) * factors[where] < 0][:SHOWN]:
            value = self.column("amount")[int(row)].as_py()
            self.problem(int(row), "amount", value, f"the sign of the amount {value!r} contradicts column {self.name('sign')!r}.")
        return units

    def _balance(self, where: NDArray[Any]) -> tuple[Units, Marks]:
        if not self.has("balance"):
            return np.zeros(self.n, np.int64), np.full(self.n, BLANK, np.int8)
        balance = self._amounts("balance")
        for row in where[balance.state[where] == BAD][:SHOWN]:
            value = self.column("balance")[int(row)].as_py()
            self.problem(int(row), "balance", value, f"the balance {value!r} in column {self.name('balance')!r} is not an amount.")
        return balance.units, balance.state

    # whole files or nothing

    def _set_aside(self, is_row: NDArray[Any], day_state: Marks, money_state: Marks) -> tuple[dict[str, int], dict[int, str]]:
        """Judge every row that is no transaction: set aside and counted, text of the row above, or a problem."""
        aside = {"pending": 0, "balance": 0, "other": 0}
        joined: dict[int, str] = {}
        rows = np.flatnonzero(is_row)
        first, last = (int(rows[0]), int(rows[-1])) if len(rows) else (0, self.n)
        above = -2  # the last row whose words went to a transaction above it, and that transaction
        target = -1
        for row in map(int, np.flatnonzero(~is_row)):
            words = " ".join(self._words(row))
            day = self.column("date")[row].as_py().strip()
            money = self._money_text(row)
            if PENDING.fullmatch(day):
                aside["pending"] += 1
            elif (OPENING.search(words) or CLOSING.search(words) or TOTAL.search(words)) and (day_state[row] != READ or money_state[row] == BLANK):
                aside["balance"] += 1
                self._note_balance(words, row)
            elif day_state[row] == BLANK and money_state[row] == BLANK:
                target = target if row - 1 == above else row - 1
                if words and target >= 0 and is_row[target] and self._only_text(row):
                    joined[target] = f"{joined.get(target, '')} {words}".strip()
                    above = row
                aside["other"] += 1
            elif day_state[row] == BAD and not self._broken(day, money, money_state[row], first < row < last):
                aside["other"] += 1
            elif len(self.problems) < SHOWN:
                self._complain(row, day, day_state[row], money, money_state[row])
        return aside, joined

    def _broken(self, day: str, money: str, money_state: int, inside: bool) -> bool:
        """Say whether a row without a date looks like a transaction that broke, rather than a heading or a footer."""
        if money_state == READ or (inside and cells.date_shapes(day)):
            return True
        return inside and any(map(str.isdigit, day)) and any(map(str.isdigit, money))

    def _complain(self, row: int, day: str, day_state: int, money: str, money_state: int) -> None:
        if day_state == BAD:
            self.problem(row, "date", day, f"{day!r} in column {self.name('date')!r} is not a date of the calendar.")
        elif day_state == BLANK:
            self.problem(row, "date", "", f"there is an amount ({money!r}) without a date in column {self.name('date')!r}.")
        else:
            role, value = self._money_cell(row)
            what = "is empty" if money_state == BLANK else "is not an amount"
            if self.sign_rule.startswith("debit") and money_state == BAD and cells.amount(value, self.decimals[role]) is not None:
                what = "stands beside an amount in the other column, so the row says both money out and money in"
            self.problem(row, role, value, f"the amount {value!r} in column {self.name(role)!r} {what}.")

    def _money_cell(self, row: int) -> tuple[str, str]:
        """Return the role and text of the money cell that is to blame: the first that is not read, else the first filled."""
        roles = [role for role in ("amount", "debit", "credit") if self.has(role) and (role == "amount" or self.sign_rule != "signed")]
        texts = {role: self.column(role)[row].as_py().strip() for role in roles}
        for role, text in texts.items():
            if text and cells.amount(text, self.decimals[role]) is None:
                return role, text
        return next(((role, text) for role, text in texts.items() if text), (roles[0], ""))

    def _money_text(self, row: int) -> str:
        return " ".join(self.column(role)[row].as_py().strip() for role in ("amount", "debit", "credit") if self.has(role)).strip()

    def _words(self, row: int) -> list[str]:
        places = [place for role in ("date", "text", "code", "account") for place in self.layout.columns.get(role, ())]
        found = [self.grid.columns[place][row].as_py().strip() for place in places]
        return [word for word in found if word]

    def _only_text(self, row: int) -> bool:
        text = set(self.layout.columns.get("text", ()))
        return not any(column[row].as_py().strip() for place, column in self.grid.columns.items() if place not in text)

    def _note_balance(self, words: str, row: int) -> None:
        cell = self.column("balance")[row].as_py() if self.has("balance") else ""
        read = cells.amount(cell, self.decimals["balance"]) if cell.strip() else cells.amount(self._money_text(row), next(iter(self.decimals.values())))
        if read is not None and OPENING.search(words):
            self.stated_opening = read[0]
        elif read is not None and CLOSING.search(words):
            self.stated_closing = read[0]

    def _from_preamble(self) -> None:
        """Take opening and closing balances from the lines above the heading."""
        decimal = next(iter(self.decimals.values()))
        for row in self.layout.preamble:
            amount = next((read for cell in row[1:] if (read := cells.amount(cell, decimal)) is not None), None)
            if amount is not None and row and OPENING.search(row[0]):
                self.stated_opening = amount[0]
            elif amount is not None and row and CLOSING.search(row[0]):
                self.stated_closing = amount[0]

    def _check_whole(self, where: NDArray[Any], ends_open: bool) -> None:
        """Refuse a last row that is cut off, and rows in which a delimiter stands inside a value."""
        for row in self.grid.spills[:SHOWN]:
            if row in where:
                line, width = int(self.grid.lines[row]), len(self.layout.names)
                what = f"the row has {self.grid.widths[row]} cells where the heading has {width}: is there a {self.layout.delimiter!r} inside a value?"
                self.problems.append(Problem(line, None, None, f"{self.file}, line {line}: {what}"))
        last = self.n - 1
        others = self.grid.widths[where[where != last]]
        least = int(others.min()) if len(others) else len(self.layout.names)
        looks_cut = last in where or (ends_open and self._money_or_day_begun(last))
        if len(where) and self.grid.widths[last] < least and looks_cut:
            line = int(self.grid.lines[last])
            what = f"the last row has {self.grid.widths[last]} cells where the others have {least} or more: the file is cut off."
            self.problems.append(Problem(line, None, None, f"{self.file}, line {line}: {what}"))

    def _money_or_day_begun(self, row: int) -> bool:
        return self.column("date")[row].as_py().strip()[:1].isdigit()

    def _refuse(self) -> None:
        if self.problems:
            raise _Refused(sorted(self.problems, key=lambda problem: problem.line or 0))

    # what is kept

    def _table(self, where: NDArray[Any], days: NDArray[Any], units: Units, balance: Units, stated: Marks, joined: dict[int, str]) -> pa.Table:
        rows = pa.array(where)
        code = self._joined("code", "|").take(rows)
        text = self._joined("text", " ")
        if joined:
            filled = text.to_pylist()
            for row, more in joined.items():
                filled[row] = f"{filled[row]} {more}".strip()
            text = pa.array(filled, pa.string())
        text = text.take(rows)
        if self.declared and self.declared.descriptions:
            text = _described(code, text, self.declared.descriptions)
        elif self.has("code"):
            code = pc.if_else(pc.equal(code, ""), "", pc.binary_join_element_wise("MCC", code, " "))
        # A row about no money is a notice, not a payment of unknown kind.
        code = pc.if_else(pc.and_(pa.array(units[where] == 0), pc.equal(code, "")), "ZERO", code)
        known = pa.array(stated[where] != READ)
        printed = pc.if_else(known, pa.scalar(None, cells.MONEY), cells.to_money(balance[where]))
        return pa.table(
            {
                "account": self._account().take(rows),
                "currency": self._currency().take(rows),
                "booked_on": pa.array(days[where]),
                "amount": cells.to_money(units[where]),
                "balance": printed,
                "text": text,
                "code": code,
                "line": pa.array(self.grid.lines[where]),
            }
        )

    def _joined(self, role: str, separator: str) -> pa.Array:
        places = self.layout.columns.get(role, ())
        if not places:
            return pa.array([""] * self.n, pa.string())
        parts = [pc.utf8_trim_whitespace(self.grid.columns[place]) for place in places]
        filled = [pc.if_else(pc.equal(part, ""), pa.scalar(None, pa.string()), part) for part in parts]
        whole = pc.binary_join_element_wise(*filled, separator, null_handling="skip") if len(filled) > 1 else parts[0]
        coded = whole.dictionary_encode()
        return pc.replace_substring_regex(coded.dictionary, r"\s+", " ").take(coded.indices)

    def _account(self) -> pa.Array:
        if self.has("account"):
            return pc.utf8_trim(self.column("account"), ' "\u00a0')  # a stray quotation mark is no part of a number
        for row in self.layout.preamble:
            line = " ".join(row)
            if found := re.search(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", line):
                return pa.array([found[0].replace(" ", "")] * self.n, pa.string())
        return pa.array([""] * self.n, pa.string())

    def _currency(self) -> pa.Array:
        if self.declared and self.declared.currency:
            return pa.array([self.declared.currency] * self.n, pa.string())
        if self.has("currency"):
            return pc.utf8_trim_whitespace(self.column("currency"))
        role = next(role for role in ("amount", "credit", "debit") if self.has(role))
        heading = re.search(r"\b([A-Z]{3})\b\)?\s*$", self.name(role))
        glued = cells.glued_currency(text for text in pc.unique(self.column(role)).to_pylist()[:1000] if text)
        return pa.array([(heading[1] if heading else glued) or ""] * self.n, pa.string())


def _described(code: pa.Array, text: pa.Array, words: Mapping[str, str]) -> pa.Array:
    """Put the profile's words for each code before what the row itself says."""
    coded = code.dictionary_encode()
    said = pa.array([words.get(value, value.replace("|", " ")) for value in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)
    return pc.utf8_trim_whitespace(pc.binary_join_element_wise(said, text, " "))


def _only(days: NDArray[Any], state: Marks) -> NDArray[Any]:
    return days[state == READ]


def _years_fit(days: NDArray[Any]) -> bool:
    return bool(len(days)) and bool((days >= np.datetime64("1950-01-01")).all() and (days <= np.datetime64("2100-01-01")).all())


def _in_order(days: NDArray[Any]) -> bool:
    steps = np.diff(days).astype(np.int64)
    return bool((steps >= 0).all() or (steps <= 0).all())


# ------------------------------------------------------------------------------------------------------------- reconcile


def _reconcile(
    file: str, rows: pa.Table, opening: Decimal | None, closing: Decimal | None
) -> tuple[Reconciliation, dict[str, AccountBalance], list[Problem]]:
    """Check opening + movements = closing, row by row where balances are printed, account by account, oldest or newest first."""
    coded = rows["account"].combine_chunks().dictionary_encode()
    names = coded.dictionary.to_pylist()
    amount = cells.from_money(rows["amount"].combine_chunks())
    printed = rows["balance"].combine_chunks()
    stated = np.asarray(printed.is_valid().to_numpy(zero_copy_only=False))
    balance = cells.from_money(pc.fill_null(printed, Decimal(0)))
    days, lines = rows["booked_on"].to_numpy(), rows["line"].to_numpy()
    code = coded.indices.to_numpy(zero_copy_only=False)
    order = np.argsort(code, kind="stable")
    balances: dict[str, AccountBalance] = {}
    broken: list[tuple[str, int]] = []
    for name, places in zip(names, np.split(order, np.flatnonzero(np.diff(code[order])) + 1), strict=True):
        if stated[places].any():
            found, line = _running(amount[places], balance[places], stated[places], days[places], lines[places])
        else:
            found, line = _printed(cells.total(amount[places]), *((opening, closing) if len(names) == 1 else (None, None)))
        balances[name] = found
        if found.reconciliation == "mismatch":
            broken.append((name, line))
    states = {found.reconciliation for found in balances.values()}
    status: Reconciliation = "mismatch" if "mismatch" in states else "ok" if "ok" in states else "not stated"
    return status, balances, _mismatches(file, broken, len(names))


def _mismatches(file: str, broken: list[tuple[str, int]], count: int) -> list[Problem]:
    if not broken:
        return []
    name, line = broken[0]
    which = f" of {len(broken)} of {count} accounts (the first is {name})" if count > 1 else ""
    where = f"; the first break is at line {line}" if line else ""
    return [Problem(line or None, None, None, f"{file}: the balances{which} do not add up with the amounts{where}.")]


def _printed(total: Decimal, opening: Decimal | None, closing: Decimal | None) -> tuple[AccountBalance, int]:
    if opening is None or closing is None:
        start = closing - total if closing is not None else opening
        end = opening + total if opening is not None else closing
        return AccountBalance(start, end, "not stated"), 0
    return AccountBalance(opening, closing, "ok" if opening + total == closing else "mismatch"), 0


def _running(amount: Units, balance: Units, stated: Any, days: Any, lines: Any) -> tuple[AccountBalance, int]:
    """Check running balances in the order that fits: as printed, reversed, or by day; of one account."""
    here = np.arange(len(amount))
    newest_first = len(days) > 1 and days[0] > days[-1]
    tried = [here[::-1], here] if newest_first else [here, here[::-1]]
    tried += [order[np.argsort(days[order], kind="stable")] for order in tried]
    breaks = []
    for order in tried:
        breaks.append(_breaks(amount[order], balance[order], stated[order]))
        if not len(breaks[-1]):
            break
    else:
        if stated.all():
            tried.append(_chained(amount, balance, days, tried[2]))
            breaks.append(_breaks(amount[tried[-1]], balance[tried[-1]], stated))
    best = int(np.argmin([len(found) for found in breaks]))
    order = tried[best]
    sums = np.cumsum(amount[order])
    known = np.flatnonzero(stated[order])
    start = int(balance[order][known[0]] - sums[known[0]])
    end = int(balance[order][known[-1]] + sums[-1] - sums[known[-1]])
    money = [Decimal(value).scaleb(-4) for value in (start, end)]
    bad = breaks[best]
    return AccountBalance(money[0], money[1], "mismatch" if len(bad) else "ok"), int(lines[order][bad[0]]) if len(bad) else 0


def _chained(amount: Units, balance: Units, days: Any, order: NDArray[Any]) -> NDArray[Any]:
    """Order the rows of each day so that every balance follows from the one before, as far as they do."""
    before = balance - amount
    chain: list[int] = []
    for group in np.split(order, np.flatnonzero(np.diff(days[order]).astype(np.int64)) + 1):
        waiting: dict[int, list[int]] = {}
        for row in map(int, group):
            waiting.setdefault(int(before[row]), []).append(row)
        ends = set(balance[group].tolist())
        now_ = int(balance[chain[-1]]) if chain else next((start for start in waiting if start not in ends), int(before[group[0]]))
        while waiting:
            rows = waiting.get(now_) or next(iter(waiting.values()))
            row = rows.pop(0)
            if not rows:
                del waiting[int(before[row])]
            chain.append(row)
            now_ = int(balance[row])
    return np.array(chain)


def _breaks(amount: Units, balance: Units, stated: Any) -> NDArray[Any]:
    """Return the places whose printed balance is not the one before plus the movements since."""
    known = np.flatnonzero(stated)
    steps = np.diff(np.cumsum(amount)[known])
    return known[1:][np.diff(balance[known]) != steps]


# ------------------------------------------------------------------------------------------------------------------ save


def save(store: Store, readings: Sequence[Reading], *, user: str, applicant_id: str | Mapping[str, str] | None = None) -> list[Saved]:
    """Store the readings that were not rejected, all in one transaction, and say of each what was new.

    The applicant of an account is `applicant_id` (one for all, or by file name), else the account number, else the file's stem.
    """
    known = dict(store.rows("select sha256, statement_id from statement"))
    fresh: dict[str, Reading] = {}
    for reading in readings:
        if reading.status != "rejected" and reading.sha256 not in known:
            fresh.setdefault(reading.sha256, reading)
    stored: dict[str, tuple[int, int]] = {}
    if fresh:
        names = [reading.file for reading in fresh.values()]
        subject = names[0] if len(names) == 1 else f"{len(names)} files"
        with store.write(user, "ingest", subject, files=[[reading.file, digest] for digest, reading in fresh.items()]) as cursor:
            stored = _append(cursor, list(fresh.values()), user, applicant_id)
    saved = []
    for reading in readings:
        if reading.status == "rejected":
            saved.append(Saved(reading))
        elif reading.sha256 in known:
            saved.append(Saved(reading, 0, reading.n_transactions, int(known[reading.sha256])))
        else:
            number, new = stored[reading.sha256]
            saved.append(Saved(reading, new, reading.n_transactions - new, number))
            known[reading.sha256] = number
    return saved


def _append(cursor: Any, readings: list[Reading], user: str, applicant_id: str | Mapping[str, str] | None) -> dict[str, tuple[int, int]]:
    """Insert statements, accounts, descriptions and movements; return statement id and number of new rows by digest."""
    ids = [number for (number,) in cursor.execute("select nextval('statement_seq') from range($n)", {"n": len(readings)}).fetchall()]
    parts = [
        reading.rows.append_column("statement_id", pa.array(np.full(reading.n_transactions, number, np.int32))).append_column(
            "applicant_id", _applicant(reading, applicant_id)
        )
        for number, reading in zip(ids, readings, strict=True)
        if reading.rows is not None
    ]
    cursor.register("arrived", pa.concat_tables(parts))
    _describe(cursor)
    cursor.execute(ACCOUNTS)
    cursor.execute(STAGE)
    cursor.execute(FRESH)
    counts = dict(cursor.execute("select statement_id, count(*) from fresh group by all").fetchall())
    cursor.execute("insert into transaction by name select * from fresh")
    _append_statements(cursor, readings, ids, counts, user)
    cursor.execute("drop table staged")
    cursor.execute("drop table fresh")
    cursor.unregister("arrived")
    return {reading.sha256: (number, int(counts.get(number, 0))) for number, reading in zip(ids, readings, strict=True)}


ACCOUNTS = """
    insert into account (applicant_id, number, currency)
    select distinct applicant_id, account, currency from arrived
    where not exists (
        select 1 from account as known
        where known.applicant_id = arrived.applicant_id and known.number = arrived.account and known.currency = arrived.currency
    )
    order by all
"""

STAGE = """
    create temporary table staged as
    select
        account_id,
        booked_on,
        amount,
        description_id,
        row_number() over (partition by statement_id, account_id, booked_on, amount, description_id order by line) as occurrence,
        balance,
        statement_id,
        line
    from arrived
    join account
        on account.applicant_id = arrived.applicant_id and account.number = arrived.account and account.currency = arrived.currency
    join description
        on description.text = arrived.text and description.code = arrived.code
        and description.direction = if(arrived.amount < 0, 'out', 'in')
"""

FRESH = """
    create temporary table fresh as
    select * from staged
    where not exists (
        select 1 from transaction as known
        where known.account_id = staged.account_id and known.booked_on = staged.booked_on and known.amount = staged.amount
            and known.description_id = staged.description_id and known.occurrence = staged.occurrence
    )
    qualify row_number() over (
        partition by account_id, booked_on, amount, description_id, occurrence order by statement_id
    ) = 1
"""

STATEMENT_ACCOUNTS = """
    insert into statement_account
    with new_rows as (select statement_id, account_id, count(*) as n_new from fresh group by all)
    select
        staged.statement_id,
        staged.account_id,
        any_value(stated.opening),
        any_value(stated.closing),
        min(booked_on),
        max(booked_on),
        count(*),
        coalesce(any_value(n_new), 0),
        sum(amount),
        coalesce(any_value(stated.reconciliation), 'not stated')
    from staged
    join account using (account_id)
    left join new_rows using (statement_id, account_id)
    left join stated on stated.statement_id = staged.statement_id and stated.account = account.number
    group by staged.statement_id, staged.account_id
"""


def _applicant(reading: Reading, applicant_id: str | Mapping[str, str] | None) -> pa.Array:
    rows = reading.rows
    assert rows is not None
    given = applicant_id if isinstance(applicant_id, str) else (applicant_id or {}).get(reading.file)
    if given:
        return pa.array([given] * rows.num_rows, pa.string())
    account = rows["account"].combine_chunks()
    return pc.if_else(pc.equal(account, ""), Path(reading.file).stem, account)


def _describe(cursor: Any) -> None:
    """Classify the descriptions nobody has seen yet, once each."""
    unseen = cursor.execute(
        """
        select text, code, if(amount < 0, 'out', 'in') as direction, any_value(amount)::double as amount
        from arrived
        where not exists (
            select 1 from description as known
            where known.text = arrived.text and known.code = arrived.code and known.direction = if(arrived.amount < 0, 'out', 'in')
        )
        group by all
        order by all
        """
    ).df()
    if unseen.empty:
        return
    judged = categories.classify(unseen)
    cursor.register("unseen", unseen[["text", "code", "direction"]].join(judged))
    cursor.execute("insert into description by name select text, code, direction, cleaned, category, confidence, source from unseen")
    cursor.unregister("unseen")


def _append_statements(cursor: Any, readings: list[Reading], ids: list[int], counts: Mapping[int, int], user: str) -> None:
    stored_at = now()
    rows = [
        {
            "statement_id": number,
            "file_name": reading.file,
            "sha256": reading.sha256,
            "format": reading.format,
            "dialect": as_json(reading.dialect),
            "status": reading.status,
            "n_transactions": reading.n_transactions,
            "n_new": counts.get(number, 0),
            "n_duplicate": reading.n_transactions - counts.get(number, 0),
            "sum_amount": reading.sum_amount,
            "currency": reading.currency,
            "reconciliation": reading.reconciliation,
            "problems": as_json([vars(problem) for problem in reading.problems]),
            "source": pa.compress(reading.content, codec="zstd", asbytes=True),
            "stored_at": stored_at,
            "stored_by": user,
        }
        for number, reading in zip(ids, readings, strict=True)
    ]
    stated = [
        {"statement_id": number, "account": account, **vars(balance)}
        for number, reading in zip(ids, readings, strict=True)
        for account, balance in reading.balances.items()
    ]
    money = ("opening", cells.MONEY), ("closing", cells.MONEY)
    shape = pa.schema([("statement_id", pa.int32()), ("account", pa.string()), *money, ("reconciliation", pa.string())])
    cursor.register("stated", pa.Table.from_pylist(stated, shape))
    cursor.register("statements", pa.Table.from_pylist(rows, STATEMENT))
    cursor.execute("insert into statement by name select * from statements")
    cursor.execute(STATEMENT_ACCOUNTS)
    cursor.unregister("statements")
    cursor.unregister("stated")


STATEMENT = pa.schema(
    [
        ("statement_id", pa.int32()), ("file_name", pa.string()), ("sha256", pa.string()), ("format", pa.string()), ("dialect", pa.string()),
        ("status", pa.string()), ("n_transactions", pa.int32()), ("n_new", pa.int32()), ("n_duplicate", pa.int32()),
        ("sum_amount", pa.decimal128(38, 4)), ("currency", pa.string()), ("reconciliation", pa.string()), ("problems", pa.string()),
        ("source", pa.binary()), ("stored_at", pa.timestamp("us")), ("stored_by", pa.string()),
    ]
)  # fmt: skip


# ------------------------------------------------------------------------------------------------------------------ show


def to_json(reading: Reading, saved: Saved | None = None) -> dict[str, Any]:
    """Return the keys of `inspect` and `ingest`; money as text with at least two decimals."""
    return {
        "file": reading.file,
        "format": reading.format,
        "dialect": reading.dialect,
        "status": reading.status,
        "n_transactions": reading.n_transactions,
        "sum_amount": _said(reading.sum_amount),
        "opening": _said(reading.opening),
        "closing": _said(reading.closing),
        "currency": reading.currency,
        "accounts": reading.accounts,
        "reconciliation": reading.reconciliation,
        "n_new": saved.n_new if saved else None,
        "n_duplicate": saved.n_duplicate if saved else None,
        "problems": [vars(problem) for problem in reading.problems],
    }


def _said(money: Decimal | None) -> str | None:
    if money is None:
        return None
    whole, _, part = f"{money:.4f}".partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"


def statements(store: Store) -> DataFrame:
    """Return every stored file, newest first, without its bytes: one row per file, accounts and days it covers beside it."""
    return store.read(
        """
        with covered as (
            select statement_id, count(*) as n_accounts, min(first_on) as first_on, max(last_on) as last_on,
                if(count(*) = 1, any_value(applicant_id), null) as applicant_id
            from statement_account join account using (account_id)
            group by statement_id
        )
        select statement.* exclude (source), n_accounts, first_on, last_on, applicant_id
        from statement left join covered using (statement_id)
        order by statement_id desc
        """
    )


def lines(store: Store, statement_id: int) -> DataFrame:
    """Return the rows a file added: line, printed (the line as it stood in the file), account, booked_on, text, amount, balance,
    category, confidence."""
    found = store.read(
        "select line, account, booked_on, text, amount, balance, category, confidence from movement where statement_id = $id order by line",
        id=statement_id,
    )
    record = store.record("select source, dialect from statement where statement_id = $id", id=statement_id)
    if record is None:
        return found.assign(printed="")
    content = pa.input_stream(pa.BufferReader(record["source"]), compression="zstd").read()
    text = content.decode(json.loads(record["dialect"])["encoding"], errors="replace")
    printed = io.StringIO(text, newline="").readlines()
    found.insert(1, "printed", [printed[line - 1].rstrip("\r\n") for line in found["line"]])
    return found
