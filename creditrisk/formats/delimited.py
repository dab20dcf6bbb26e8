"""A delimited file, from cells to transactions: whole or not at all, every problem with its line, heading and value.

Rows without a date and an amount (headings, footers, notices, pending) are set aside and counted; a row that has one of them
and not the other, or either unreadable, refuses the file.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from creditrisk import banks, cells
from creditrisk.cells import BAD, BLANK, READ, Marks, Units
from creditrisk.errors import UnreadableFile
from creditrisk.grid import Grid, cut, lines_of
from creditrisk.mend import mended
from creditrisk.reconcile import overall, reconcile
from creditrisk.settings import Intake
from creditrisk.statement import CODED, Choice, Found, Problem, Question, Refused, Unclear, date_question, decimal_question

FEW = 100  # rows without words that are looked at whole
HEAD = 4_000_000  # bytes in which the heading and the first rows stand
BLANKS = r"[\s\p{Z}]{2,}|[\t\n\f\r]|[^ \P{Z}]"  # several, or one that is not the plain one
SHOWN = 50  # problems listed of one file; the rest are counted
# These are held against folded text: lower case, no accents.
PENDING = re.compile(
    r"pending|vorgemerkt|\boffen\b|en attente|a venir|pendient|pendente|in attesa|oczekuj|gereserveerd|in behandeling|reserverat|"
    r"unsettled|ausstehend|"
    r"autoryzac|blokad|blokac|w realizacji|nepotvrz|nezauctov|ceka|vantande|afventer|reservert|varaus|broneeri|rezerv|"
    r"в обработке|в ожидании|"
    r"обрабатывается|холд|заблокирован|ожида|bekleyen|beklemede|处理中|uncleared|not cleared|not booked|non comptabilise|provisional"
)
NOT_BOOKED = re.compile(
    rf"{PENDING.pattern}|revert|declined|failed|cancell?ed|rejected|refused|voided|expired|geweigerd|geannuleerd|odrzucon|"
    r"anulowan|abgelehnt|"
    r"storniert|fehlgeschlagen|refuse\b|annule|rechazad|anulad|cancelad|recusad|rifiutat|annullat|zamitnut|zrusen|avvisad|"
    r"отклонен|отменен|"
    r"ошибка|неуспешно|reddedil|iptal|交易关闭"
)
OPENING = re.compile(
    r"opening (ledger )?balance|initial balance|beginning balance|(balance )?brought forward|balance forward|"
    r"previous balance|start(ing)? balance|"
    r"balance (at )?start( of period)?|balance b f\b|anfangssaldo|alter (kontostand|saldo)|eroffnungssaldo|saldovortrag|"
    r"beginsaldo|vorig saldo|"
    r"solde (initial|precedent|en debut|d ouverture)|ancien solde|saldo (inicial|anterior|iniziale|poczatkow[ey]|precedente|previo)|"
    r"pocatecni zustatek|pociatocny zostatok|pocetno stanje|zacetno stanje|nyito egyenleg|ingaende saldo|inngaende saldo|"
    r"primo saldo|alkusaldo|"
    r"algsaldo|algjaak|sakuma atlikums|likutis pradziai|pradinis likutis|sold initial|acilis bakiyesi|devreden|входящии остаток|"
    r"остаток на начало|вхiднии залишок|期初余额|繰越"
)
CLOSING = re.compile(
    r"closing (ledger )?balance|ledger balance|(balance )?carried forward|new balance|current balance|end(ing)? balance|"
    r"balance (at )?end|"
    r"balance c f\b|endsaldo|schlusssaldo|abschlusssaldo|(neuer )?kontostand|neuer saldo|letzter kontostand|eindsaldo|nieuw saldo|"
    r"solde (final|actuel|en fin|de cloture|crediteur|debiteur)|nouveau solde|saldo (final|actual|finale|koncow[ey]|do dia|"
    r"del dia|disponivel)|"
    r"konecny zustatek|konecny zostatok|zavrsno stanje|koncno stanje|zaro egyenleg|utgaende saldo|loppusaldo|loppsaldo|"
    r"lopsaldo|loppjaak|lopjaak|"
    r"beigu atlikums|likutis pabaigai|galutinis likutis|sold final|kapanis bakiyesi|исходящии остаток|остаток на конец|вихiднии залишок|"
    r"期末余额|s a l d o"
)
TOTAL = re.compile(
    r"\b(sub)?total(s|e|en)?\b|\bsum(m[ae]|a)?\b|gesamt|totaal|celkem|osszesen|итого|合计|balance|saldo|solde|kontostand|likutis|atlikums"
)

BALANCE = re.compile(f"{OPENING.pattern}|{CLOSING.pattern}")
STATED = re.compile(
    rf"({BALANCE.pattern})( (of|vom|per|du|au|del|na|z|on|at|kaive|apgrozijums|period|periode|periodo))*|balance|saldo|solde|"
    r"(total )?(turnover|umsatze|apyvarta|apgrozijums|kaive|obroty|обороты)( (debit|credit|soll|haben))?"
)
TOTALLED = re.compile(
    r"(grand )?(sub ?)?totals?( (general|generale|geral|amount|debits?|credits?|payments?|due))?|(zwischen|gesamt)?summe( gesamt)?|"
    r"gesamtbetrag|sum|summa|som|sub ?tota(a)?l|totaal|totale?|suma( total)?|razem|celkem|soucet|osszesen|yhteensa|toplam|итого|всего"
)
CARD = re.compile(
    r"(auto|e|card |online |internet |mobile |direct debit )?payment\b.*(thank|receiv|credit)|payment received|thank you|auto ?pay|"
    r"pagamento (recebido|efetuado|de fatura)|paiement (recu|de votre)|ihre (zahlung|einzahlung)|zahlung.*dank|su pago|"
    r"pago (recibido|gracias)|"
    r"betaling ontvangen|inbetalning|indbetaling|innbetaling"
)
CARD_HEADING = re.compile(
    r"\bcard\b|card(holder| member)|\bmerchant|purchased by|karte|\bcarte\b|tarjeta|cartao|\bcarta\b|\bkaart|\bkort\b"
)
CENTS = re.compile(r"\b(cents?|pence|minor units?|centimes?|centimos?|centavos?|groszy?|grosze)\b")  # a column of whole hundredths
UNSAID = 0.1  # more rows than this share without a direction, and the sign column is none

TITLE = "CSV"


def recognises(content: bytes) -> str:
    """Text that is nothing else is delimited text."""
    return "" if banks.recognise(content) else "csv"


def read(file: str, content: bytes, declared: banks.Profile | None, limits: Intake) -> Found:
    """Read delimited text; raises UnreadableFile or Refused where it cannot be read whole."""
    text, encoding = banks.utf8(file, content, declared.encoding if declared else None)
    if b"\x00" in text:
        raise UnreadableFile(file, "this is a binary file (it contains NUL characters), not text.")
    head = text[:HEAD].decode("utf-8-sig", errors="ignore")
    layout = _layout(file, head, declared)

    def read_as(way: banks.Layout) -> Found:
        if len(way.names) > limits.max_columns:
            raise UnreadableFile(file, f"the heading has {len(way.names)} columns, more than the {limits.max_columns} allowed.")
        grid, rewritten = _cut(file, text, way)
        _check_lengths(file, way, grid, limits.max_field_length)
        sheet = _Sheet(file, way, grid, declared, limits.max_amount)
        sheet.bare = _bare(text, way, grid)
        found = sheet.found(encoding, ends_open=not text.endswith((b"\n", b"\r")))
        return replace(found, notes=[*found.notes, *rewritten])

    found = read_as(layout)
    return _decided(file, found, layout, read_as, head) if layout.ways else found


def _layout(file: str, text: str, declared: banks.Profile | None) -> banks.Layout:
    """Find out what stands where; raises Unclear where rows hold dates and amounts and nobody can say which column is which."""
    try:
        return banks.layout(file, text, declared)
    except UnreadableFile as error:
        seen = None if declared and declared.columns else banks.sketch(text, declared)
        if seen is None:
            raise
        headings, sample = seen
        sentence = "which column is the date, the amount and the text cannot be told; a bank profile (--profile) with [columns] decides."
        asks = "Which column is which?"
        named = headings if any(headings) else ()
        raise Unclear(file, Question("columns", asks, Problem(None, None, None, sentence), (), named, sample)) from error


def _decided(file: str, found: Found, layout: banks.Layout, read_as: Callable[[banks.Layout], Found], text: str) -> Found:
    """Let the balances say which way the money columns are to be read; where they do not, ask. Raises Unclear where nothing is better."""
    if _adds_up(found):
        return found
    fitting = []
    for way in layout.ways[1:]:
        try:
            other = read_as(replace(layout, columns={**layout.columns, **{role: (place,) for role, place in way.items()}}, guesses=()))
        except (Refused, UnreadableFile):
            continue
        fitting += [other] if _adds_up(other) else []
    if len(fitting) == 1:
        return fitting[0]
    choices = [_choice(layout, way) for way in layout.ways]
    columns = " or ".join(banks.to_toml(choice.declares["columns"]).strip().replace("\n", ", ") for choice in choices)
    what = "which column is the amount" if "amount" in layout.ways[0] else "which column is money out and which money in"
    sentence = f"{what} cannot be told from the file; a bank profile (--profile) with [columns] {columns} decides."
    headings = layout.names if layout.has_header else ()
    seen = banks.sketch(text)
    asks = f"{what.capitalize()}?"
    question = Question("columns", asks, Problem(None, None, None, sentence), tuple(choices), headings, seen[1] if seen else ())
    if layout.is_open:
        raise Unclear(file, question)
    doubt = Problem(None, None, None, f"{file}: {sentence}")
    doubts = [] if layout.guesses else [doubt]  # the guess is said as it is
    return replace(found, doubts=[*found.doubts, *doubts], questions=[*found.questions, replace(question, problem=doubt)])


def _cut(file: str, text: bytes, layout: banks.Layout) -> tuple[Grid, list[Problem]]:
    """Cut a text into cells, lines that a strict reader would cut wrongly as they must be meant; what was rewritten is said."""
    places = sorted({place for places in layout.columns.values() for place in places})
    width = len(layout.names) if layout.has_header else 0

    def strictly(text: bytes) -> Grid:
        return cut(file, text, layout.delimiter, first=layout.first, width=len(layout.names), places=places)

    try:
        grid = strictly(text)
        if not len(grid.spills) or not width:
            return grid, []
    except UnreadableFile:
        grid = None
    written = text.decode("utf-8-sig")
    mended_, lines = mended(written, layout.delimiter, first=layout.first, width=width, key=lambda row: banks.said(row, layout))
    if grid is not None and not lines:
        return grid, []
    grid = strictly(mended_.encode())
    kept = set(grid.lines.tolist())
    shown = [line for line in lines if line in kept]
    what = "a quotation mark or a delimiter stands inside a value; the row was read as it must be meant."
    return grid, [Problem(line, None, None, f"{file}, line {line}: {what}") for line in shown[:SHOWN]]


def _bare(text: bytes, layout: banks.Layout, grid: Grid) -> dict[int, list[str]]:
    """Return the cells of the few rows that have no word where words are expected: some banks put "Closing balance" elsewhere."""
    words = [grid.columns[place] for place in layout.columns.get("text", ())]
    if not words:
        return {}
    empty = [_flags(pc.equal(pc.utf8_trim_whitespace(column.dictionary), "")) for column in words]
    if not all(each.any() for each in empty):
        return {}
    blank = np.logical_and.reduce([each[cells.places(column)] for each, column in zip(empty, words, strict=True)])
    rows = np.flatnonzero(blank)
    if not 0 < len(rows) <= FEW:
        return {}
    lines = lines_of(text, grid.lines[rows].tolist())
    return {int(row): [cell.strip(' "') for cell in lines[int(grid.lines[row])].split(layout.delimiter)] for row in rows}


def _adds_up(found: Found) -> bool:
    return overall(reconcile(found.rows, found.stated)[0]) == "ok"


def _choice(layout: banks.Layout, way: Mapping[str, int]) -> Choice:
    says = {"amount": "the amount", "balance": "the balance", "debit": "money out", "credit": "money in"}
    label = ", ".join(f"{layout.names[place]} is {says[role]}" for role, place in way.items())
    return Choice({"columns": {role: [layout.address(place)] for role, place in way.items()}}, label[:1].upper() + label[1:])


def _check_lengths(file: str, layout: banks.Layout, grid: Grid, longest: int) -> None:
    for place, column in grid.columns.items():
        too_long = _flags(pc.greater(pc.utf8_length(column.dictionary), longest))
        if too_long.any():
            line = int(grid.lines[np.flatnonzero(too_long[cells.places(column)])[0]])
            raise UnreadableFile(file, f"a cell of column {layout.names[place]!r} is longer than {longest} characters.", line=line)


class _Sheet:
    """One delimited file on its way from cells to transactions."""

    def __init__(self, file: str, layout: banks.Layout, grid: Grid, declared: banks.Profile | None, limit: int):
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

    def found(self, encoding: str, *, ends_open: bool) -> Found:
        """Return the transactions, what was inferred, and what must be said. Raises Refused or UnreadableFile."""
        if not self.n:
            raise UnreadableFile(self.file, "there is a heading and no row below it.")
        days, day_state, self.form = self._days()
        units, money_state, marks = self._money()
        unbooked = self._unbooked()
        self.named = self._named_balances()
        is_row = (day_state == READ) & (money_state == READ) & ~unbooked & ~self.named
        aside, joined = self._set_aside(is_row, day_state, money_state, unbooked)
        where = np.flatnonzero(is_row)
        if not len(where) and not self.problems:
            raise UnreadableFile(self.file, "there is no transaction in the file.")
        self._check_whole(where, ends_open)
        units = self._signed(units, marks, where)
        if self.left_out:
            where = where[~np.isin(self.grid.lines[where], np.array([problem.line for problem in self.left_out], np.int32))]
            aside["direction unknown"] = len(self.left_out)
        is_total, strange = self._totals(units, where)
        where, aside["total"] = where[~is_total], aside["total"] + int(is_total.sum())
        balance = self._balance(where, units)
        if self.problems:
            raise Refused(sorted(self.problems, key=lambda problem: problem.line or 0))
        self._from_preamble()
        rows = self._table(where, days, units, balance, joined)
        name = self.declared.name if self.declared else ""
        shown: dict[str, Any] = {"encoding": encoding, "profile": name or None, "date_format": self.form}
        shown |= {"decimal": self.decimals, "sign": self.sign_rule, "set_aside": {kind: count for kind, count in aside.items() if count}}
        notes = [Problem(None, None, None, f"{self.file}: {guess}") for guess in self.layout.guesses]
        notes += self.left_out[:SHOWN] + self.said[:SHOWN]
        questions = self._one_sided(units if len(where) == self.n else units[where], where)
        doubts = [question.problem for question in questions] + strange + self._fees_unsaid()
        accounts = pc.unique(rows["account"]).to_pylist()
        stated = {accounts[0]: (self.stated_opening, self.stated_closing)} if len(accounts) == 1 else {}
        return Found(rows, banks.to_dict(self.layout, **shown), notes, doubts, stated, pending=aside["not booked"], questions=questions)

    def _card(self, units: Units, where: NDArray[Any]) -> list[Question]:
        """Doubt the signs where money out is said to be what a card's owner paid: there purchases have no sign and payments a minus."""
        if self.has("balance"):
            return []
        out = where[units < 0]
        by_words = len(out) * 2 <= len(where) and all(CARD.search(banks.folded(" ".join(self._words(int(row))))) for row in out[:SHOWN])
        by_heading = len(out) * 3 <= len(where) and any(CARD_HEADING.search(banks.folded(name)) for name in self.headings())
        if not (by_words or by_heading):
            return []
        sentence = (
            f"{self.file}: what has a minus in column {self.name('amount')!r} reads like payments to a card; if the amounts without a sign "
            'are purchases, a bank profile with positive = "out" decides.'
        )
        choices = Choice({"positive": "out"}, "Purchases: money out"), Choice({"positive": "in"}, "As printed: money in")
        asks = "Is this a card on which purchases have no sign and payments a minus?"
        return [Question("positive", asks, Problem(None, self.name("amount"), None, sentence), choices, self.headings())]

    def _one_sided(self, units: Units, where: NDArray[Any]) -> list[Question]:
        """Doubt that all money came in, where no amount has a sign and nothing else says which way it went."""
        told = self.declared and self.declared.positive
        if told or self.sign_rule != "signed" or not (units > 0).any():
            return []
        if (units < 0).any():
            return self._card(units, where)
        sentence = (
            f"{self.file}: no amount in column {self.name('amount')!r} has a sign, so all are read as money in; if they are payments, "
            'a bank profile with positive = "out", or with the column that says which way money went, decides.'
        )
        choices = Choice({"positive": "out"}, "Payments: money out"), Choice({"positive": "in"}, "Receipts: money in")
        problem = Problem(None, self.name("amount"), None, sentence)
        return [Question("positive", "No amount has a sign: are these payments or receipts?", problem, choices, self.headings())]

    # dates

    def _days(self) -> tuple[NDArray[np.int32], Marks, str]:
        """Return the day of every row, counted from 1970, what its cell is, and the format of the file's dates."""
        column = cells.each(self.column("date"), _days_only)
        form = self.declared.date_format if self.declared and self.declared.date_format else self._date_format(column)
        days, state = cells.days(column.dictionary, form)
        if _near(days[state == READ]).any():  # some samples have all their dates masked as 1111/11/11
            state[(state == READ) & ~_near(days)] = BAD
        where = cells.places(column)
        return days.astype(np.int32)[where], state[where], form

    def _date_format(self, column: pa.DictionaryArray) -> str:
        """Decide the date format from all rows; where day and month could be swapped, from the order of the rows."""
        forms = cells.date_formats(column)
        if not forms:
            value = next((text for text in column.dictionary.to_pylist() if text), "")
            line = int(self.grid.lines[0])
            raise UnreadableFile(self.file, f"no value of column {self.name('date')!r} is a date (the first is {value!r}).", line=line)
        if len(forms) == 1:
            return forms[0]
        read = {form: _only(*cells.days(column, form)) for form in forms}
        likely = {form: days for form, days in read.items() if _years_fit(days)} or read
        usual = {form: days for form, days in likely.items() if not re.match(r"%y\W", form)} or likely
        if any(_span(days) > 5 * 366 for days in usual.values()) and any(_span(days) <= 2 * 366 for days in likely.values()):
            usual = likely  # 24/03/05, 24/03/28: the year may well stand first
        first = next(iter(usual))
        if all(np.array_equal(usual[first], days) for days in usual.values()):
            return first
        ordered = [form for form, days in usual.items() if _in_order(days)]
        if len(ordered) == 1:
            return ordered[0]
        if (told := self._told_elsewhere(usual)) is not None:
            return told
        sample = next(text for text in column.dictionary.to_pylist() if len({cells.date_reader(form)(text) for form in usual}) > 1)
        line = self._line_of(column, sample)
        raise date_question(self.file, list(usual), line=line, column=self.name("date"), value=sample, headings=self.headings())

    def _told_elsewhere(self, forms: Mapping[str, NDArray[Any]]) -> str | None:
        """Return the one format that other dates of the file, its decimal comma, or the order of its balances leave; None for more."""
        texts = self.column("value_date").dictionary.to_pylist() if self.has("value_date") else []
        words = [word for row in self.layout.preamble for cell in row for word in re.findall(r"[\d./-]{6,}", cell)]
        likely = list(forms)
        for text in [*map(str.strip, texts), *words]:
            fits = [form for form in likely if cells.date_reader(form)(text)]
            likely = fits if fits and set(cells.date_shapes(text)) & set(forms) else likely
        if len(likely) > 1 and ("," in self._marks().values() or self._abroad()):
            likely = [form for form in likely if not form.startswith("%m")] or likely  # no language has both
        if len(likely) > 1 and (newest_first := self._newest_first()) is not None:
            likely = [form for form in likely if (forms[form][0] > forms[form][-1]) == newest_first]
        return likely[0] if len(likely) == 1 else None

    def _abroad(self) -> bool:
        """Say whether amounts carry the sign of a currency in whose countries the day comes first."""
        columns = [self.column(role) for role in ("amount", "debit", "credit", "balance") if self.has(role)]
        return any(pc.any(pc.match_substring_regex(column.dictionary, r"[£₹₽₺₪₴₦]|R\$|zł|Kč|Ft")).as_py() for column in columns)

    def _newest_first(self) -> bool | None:
        """Say by the running balance whether the rows run backwards; None where no balance says so, or they are not in order of days."""
        if not self.has("balance") or not (self.has("amount") or self.has("debit")):
            return None
        units, state, _ = self._money()
        balance = self._amounts("balance")
        both = (state == READ) & (balance.state == READ)
        found, newest_first = cells.agreement(units[both], balance.units[both])
        return newest_first if found and found == int(both.sum()) - 1 else None

    def _line_of(self, column: pa.DictionaryArray, text: str) -> int:
        """Return the line on which one of a column's texts stands first."""
        place = pc.index(column.dictionary, text).as_py()
        return int(self.grid.lines[int(np.argmax(cells.places(column) == place))])

    # money

    def _marks(self) -> dict[str, str]:
        roles = [role for role in ("amount", "debit", "credit", "balance", "fee") if self.has(role)]
        return {role: mark for role in roles if (mark := cells.decimal_mark(self.column(role)))}

    def _money(self) -> tuple[Units, Marks, Marks]:
        """Return units, state and sign mark of every row, from the amount or from the debit and credit columns."""
        roles = [role for role in ("amount", "debit", "credit", "balance", "fee") if self.has(role)]
        found = {
            role: self.declared.decimal if self.declared and self.declared.decimal else cells.decimal_mark(self.column(role))
            for role in roles
        }
        known = next((mark for mark in found.values() if mark), None) or self._mark_above()
        for role, mark in found.items():
            self.decimals[role] = mark or known or "."
            if mark is None and known is None and self._three_decimals():
                self.decimals[role] = "." if pc.any(pc.match_substring(self.column(role).dictionary, ".")).as_py() else ","
            elif mark is None and known is None:
                sample = next(text for text in self.column(role).dictionary.to_pylist() if re.search(r"\d[.,]\d", text))
                line = self._line_of(self.column(role), sample)
                raise decimal_question(self.file, line=line, column=self.name(role), value=sample, headings=self.headings())
        pair = [self._amounts(role) for role in ("debit", "credit") if self.has(role)]
        if self.has("amount"):
            amount = self._amounts("amount")
            if len(pair) < 2 or (amount.units < 0).any() or self.has("sign"):
                self.sign_rule = "signed"
                return self._less_fees(amount), amount.state, amount.mark
        self.sign_rule = "debit and credit columns"
        return self._from_pair()

    def _mark_above(self) -> str | None:
        """Return the decimal mark that balances above the heading tell; None for none."""
        above = [cell for row in self.layout.preamble for cell in row if any(cells.amount(cell, mark) for mark in ".,")]
        return cells.decimal_mark(pa.array(above, pa.string())) or None if above else None

    def _three_decimals(self) -> bool:
        """Say whether the file's only currency is one of a thousand parts."""
        return set(self._currency().dictionary.to_pylist()) <= cells.THREE_DECIMALS

    def _less_fees(self, amount: cells.Amounts) -> Units:
        """Take fees in a column of their own off the amounts, where the running balance shows that the amounts leave them out."""
        self.fees = False
        if not self.has("fee") or self.name("amount").strip().lower().startswith(("net", "total")):
            return amount.units
        fee = self._amounts("fee")
        cost = np.where((fee.state == READ) & (amount.state == READ), np.abs(fee.units), 0)
        if not cost.any():
            return amount.units
        self.fees = True
        less = np.asarray(amount.units - cost, np.int64)
        if self.has("balance"):
            balance = self._amounts("balance")
            both = (amount.state == READ) & (balance.state == READ) & ~self._unbooked()
            counts = [cells.agreement(units[both], balance.units[both])[0] for units in (amount.units, less)]
            self.fees = counts[0] == counts[1]
            return less if counts[1] > counts[0] else amount.units
        return amount.units

    def _fees_unsaid(self) -> list[Problem]:
        if not self.fees:
            return []
        amount, fee = self.name("amount"), self.name("fee")
        sentence = f"{self.file}: fees stand in column {fee!r}; that they are part of the amounts in column {amount!r} is assumed."
        return [Problem(None, fee, None, sentence)]

    def _amounts(self, role: str) -> cells.Amounts:
        read = cells.amounts(self.column(role), self.decimals[role], self.limit)
        if CENTS.search(banks.folded(self.name(role))) and not (read.units % cells.SCALE).any():
            return cells.Amounts(read.units // 100, read.state, read.mark)
        return read

    def _from_pair(self) -> tuple[Units, Marks, Marks]:
        nothing = cells.Amounts(np.zeros(self.n, np.int64), np.full(self.n, BLANK, np.int8), np.zeros(self.n, np.int8))
        debit = self._amounts("debit") if self.has("debit") else nothing
        credit = self._amounts("credit") if self.has("credit") else nothing
        # Some banks print money out already negative; a lone sign against the others is a reversal.
        out = debit.units if (debit.units < 0).sum() > (debit.units > 0).sum() else -debit.units
        into = credit.units if (credit.units > 0).any() or not self.has("debit") else -credit.units
        both = (debit.units != 0) & (credit.units != 0)
        state = np.where((debit.state == READ) | (credit.state == READ), READ, BLANK).astype(np.int8)
        state[(debit.state == BAD) | (credit.state == BAD) | both] = BAD
        return out + into, state, np.ones(self.n, np.int8)

    def _signed(self, units: Units, marks: Marks, where: NDArray[Any]) -> Units:
        """Apply what says which way money went: a sign column, CR marks, or the profile's word on unsigned amounts."""
        if self.sign_rule != "signed":
            return units
        if self.has("sign"):
            return self._by_indicator(units, where)
        own = marks[where]
        if self.declared and self.declared.positive == "out":
            self.sign_rule = "unsigned is money out"
            return _where(marks > 0, units, -units)  # a card's minus is money in: a payment to it, or a refund
        if (own > 0).any() and (own == 0).any() and not (own < 0).any():
            self.sign_rule = "money in is marked"
            return _where(marks == 0, -units, units)
        told = self.declared and self.declared.positive
        return units if told or not self.has("balance") or (units[where] < 0).any() else self._by_balance(units, where)

    def _by_balance(self, units: Units, where: NDArray[Any]) -> Units:
        """Give amounts without a sign the direction in which the running balance moved, where it moved by just these amounts."""
        printed = self._amounts("balance")
        if len(where) < 3 or not (printed.state[where] == READ).all():
            return units
        steps, amounts = np.diff(printed.units[where]), units[where]
        if cells.agreement(amounts, printed.units[where])[0] == len(steps):
            return units
        for moved, rest in ((np.r_[0, steps], 0), (np.r_[-steps, 0], len(where) - 1)):
            same = np.abs(moved) == amounts
            same[rest] = True
            if not same.all() or not (moved < 0).any():
                continue
            self.sign_rule = "by the running balance"
            signed = units.copy()
            signed[where] = np.where(moved < 0, -amounts, amounts)
            if amounts[rest]:
                line, value = int(self.grid.lines[where[rest]]), self.column("amount")[int(where[rest])].as_py()
                what = f"the balance does not tell which way the first amount, {value!r}, went; it is read as money in."
                self.said.append(Problem(line, self.name("amount"), value, f"{self.file}, line {line}: {what}"))
            return signed
        return units

    def _by_indicator(self, units: Units, where: NDArray[Any]) -> Units:
        coded = cells.each(self.column("sign"), pc.utf8_trim_whitespace)
        texts = coded.dictionary.to_pylist()
        declared = self.declared.sign if self.declared else {}
        meaning = [declared.get(text) or (None if declared else banks.side(text)) for text in texts]
        if not declared and len(sides := set(filter(None, meaning))) == 1 and "" in texts and not (units[where] < 0).any():
            other = "-" if sides == {"+"} else "+"  # only the rarer side is marked: CR
            meaning = [side if text else other for side, text in zip(meaning, texts, strict=True)]
        factors = np.array([{"+": 1, "-": -1}.get(side or "", 0) for side in meaning], np.int64)[cells.places(coded)]
        unsaid = where[(factors[where] == 0) & (units[where] != 0)]
        problems = len(self.problems)
        for row in unsaid if len(unsaid) <= UNSAID * len(where) else unsaid[:SHOWN]:
            value = self.column("sign")[int(row)].as_py()
            self.problem(
                int(row), "sign", value, f"{value!r} in column {self.name('sign')!r} does not say whether money came in or went out."
            )
        if not declared and len(unsaid) <= UNSAID * len(where):
            self.left_out = [replace(one, message=f"{one.message} The row was set aside.") for one in self.problems[problems:]]
            del self.problems[problems:]
        self.sign_rule = "sign column"
        if declared or not (units[where] < 0).any():
            return np.asarray(units * factors, np.int64)
        told = where[(units[where] != 0) & (factors[where] != 0)]
        against = told[np.sign(units[told]) * factors[told] < 0]
        if len(against) == len(told):  # a card's own view: what was spent is what is owed
            return np.asarray(np.abs(units) * factors, np.int64)
        noted = len(self.problems)
        for row in against[:SHOWN]:
            value = self.column("amount")[int(row)].as_py()
            self.problem(int(row), "amount", value, f"the sign of the amount {value!r} contradicts column {self.name('sign')!r}.")
        if len(against) <= UNSAID * len(told):
            self.said += [replace(one, message=f"{one.message} The sign was kept.") for one in self.problems[noted:]]
            del self.problems[noted:]
        return units

    def _balance(self, where: NDArray[Any], units: Units) -> pa.Array:
        """Return the printed balance of every row, null where there is none."""
        if not self.has("balance"):
            return cells.no_money(self.n)
        balance = self._amounts("balance")
        for row in where[balance.state[where] == BAD][:SHOWN]:
            value = self.column("balance")[int(row)].as_py()
            self.problem(int(row), "balance", value, f"the balance {value!r} in column {self.name('balance')!r} is not an amount.")
        values = balance.units
        if len(where) > 2 and (balance.state[where] == READ).all():
            after, before = (cells.agreement(units[where], values[where], before=before)[0] for before in (False, True))
            if before == len(where) - 1 > after:  # some banks print the balance a payment found, not the one it left
                values = values + np.where(np.isin(np.arange(self.n), where), units, 0)
        return cells.to_money(values, balance.state == READ)

    # whole files or nothing

    def _set_aside(
        self, is_row: NDArray[Any], day_state: Marks, money_state: Marks, unbooked: NDArray[Any]
    ) -> tuple[dict[str, int], dict[int, str]]:
        """Judge every row that is no transaction: set aside and counted, text of the row above, or a problem."""
        aside = {"not booked": 0, "balance": 0, "total": 0, "other": 0}
        joined: dict[int, str] = {}
        first, last = (int(is_row.argmax()), self.n - 1 - int(is_row[::-1].argmax())) if is_row.any() else (0, self.n)
        above = -2  # the last row whose words went to a transaction above it, and that transaction
        target = summary = -1
        for row in map(int, np.flatnonzero(~is_row)):
            words = " ".join(self._words(row))
            label = banks.folded(" ".join(column[row].as_py() for column in self.grid.columns.values()))
            day = self.column("date")[row].as_py().strip()
            money = self._money_text(row)
            if unbooked[row] or PENDING.search(banks.folded(day)):
                aside["not booked"] += 1
            elif self.named[row] or self._is_balance(row, label, day, (day_state[row], money_state[row]), first < row < last):
                aside["balance"] += 1
                summary = row
                self._note_balance(label, row)
            elif self.like_total[row] and self._sums_up(row, is_row):
                aside["total"] += 1
            elif row - 1 == summary and row > last and not re.search(r"[^\W\d_]", words) and not cells.date_shapes(day):
                aside["balance"] += 1  # the figures below "Opening balance, Total debits, Closing balance"
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

    def _is_balance(self, row: int, label: str, day: str, state: tuple[int, int], inside: bool) -> bool:
        """Say whether a row states a balance or a total; one that could be a payment ("TOTAL FUEL") which lost a cell does not count."""
        if state[0] == READ:
            stated = self.has("balance") and self.column("balance")[row].as_py().strip()
            return state[1] == BLANK and bool(BALANCE.search(label) or (stated and TOTAL.search(label)))
        return bool(BALANCE.search(label) or (not inside and TOTAL.search(label))) and not cells.date_shapes(day)

    def _named_balances(self) -> NDArray[Any]:
        """Say which rows have no words but "Opening balance", "Turnover" or the like: no payment, even with a day and an amount."""
        # Which figures a text has does not matter here, and without them few texts are left.
        coded = cells.each(self._joined("text", " "), lambda texts: pc.replace_substring_regex(texts, r"\d+", "0"))
        bare = [re.sub(r"[\d ]+$", "", banks.folded(text)) for text in coded.dictionary.to_pylist()]
        found = np.array([STATED.fullmatch(text) is not None for text in bare], bool)
        self.like_total = np.array([TOTALLED.fullmatch(text) is not None for text in bare], bool)[cells.places(coded)]
        named = np.array(found[cells.places(coded)], bool)
        for row, cells_ in self.bare.items():
            named[row] |= any(STATED.fullmatch(banks.folded(cell)) for cell in cells_)
        return named

    def _totals(self, units: Units, where: NDArray[Any]) -> tuple[NDArray[Any], list[Problem]]:
        """Say which of the rows are totals: named so and, to the cent, the sum of those above them or of their block, whatever its sign.

        A row named so that is no such sum stays a payment (to a filling station of that name, perhaps), and is doubted.
        """
        is_total = np.zeros(len(where), bool)
        strange: list[Problem] = []
        printed = self.column("balance") if self.has("balance") else None
        sums, counts = np.zeros((2, 3), np.int64), np.zeros((2, 3), np.int64)  # of all above and of the block: whole, out, in
        summed = 0
        for place in map(int, np.flatnonzero(self.like_total[where])):
            row = int(where[place])
            if printed is not None and printed[row].as_py().strip():
                continue
            part, summed = units[where[summed:place]], place
            kinds = part, part[part < 0], part[part > 0]
            sums += [kind.sum() for kind in kinds]
            counts += [len(kind) for kind in kinds]
            if units[row] and (np.abs(sums[counts > 1]) == abs(units[row])).any():
                is_total[place], summed = True, place + 1
                sums[1], counts[1] = 0, 0
            elif len(strange) < SHOWN:
                line, text = int(self.grid.lines[row]), " ".join(self._words(row)[1:])
                what = f"the row is named {text!r} and is not the sum of the rows above, so it is kept as a payment."
                strange.append(Problem(line, None, text, f"{self.file}, line {line}: {what}"))
        return is_total, strange

    def _sums_up(self, row: int, is_row: NDArray[Any]) -> bool:
        """Say whether a row states money out and money in at once, each the sum of its column above."""
        if not (self.has("debit") and self.has("credit")):
            return False
        columns = [self._amounts(role).units for role in ("debit", "credit")]
        return all(units[row] and abs(int(units[:row][is_row[:row]].sum())) == abs(int(units[row])) for units in columns)

    def _unbooked(self) -> NDArray[Any]:
        """Say which rows the bank itself marks as pending, declined or taken back."""
        if not self.has("status"):
            return np.zeros(self.n, bool)
        coded = self.column("status")
        marked = [NOT_BOOKED.search(banks.folded(text)) is not None for text in coded.dictionary.to_pylist()]
        return np.asarray(np.array(marked, bool)[cells.places(coded)])

    def _broken(self, day: str, money: str, money_state: int, inside: bool) -> bool:
        """Say whether a row without a date looks like a transaction that broke, rather than a heading or a footer."""
        shapes = cells.date_shapes(day)
        if money_state == READ or self.form in shapes or (inside and shapes):
            return True
        return inside and bool(re.search(r"\d", day) and re.search(r"\d", money))

    def _complain(self, row: int, day: str, day_state: int, money: str, money_state: int) -> None:
        if day_state == BAD:
            far = cells.date_reader(self.form)(day)
            what = "lies outside the years 1950 to 2100" if far else "is not a date of the calendar"
            self.problem(row, "date", day, f"{day!r} in column {self.name('date')!r} {what}.")
        elif day_state == BLANK:
            self.problem(row, "date", "", f"there is an amount ({money!r}) without a date in column {self.name('date')!r}.")
        else:
            role, value = self._money_cell(row)
            what = "is empty" if money_state == BLANK else "is not an amount"
            read = cells.amount(value, self.decimals[role])
            if read is not None and abs(read[0]) > self.limit:
                what = f"is beyond ± {self.limit:,}"
            elif self.sign_rule.startswith("debit") and money_state == BAD and read is not None:
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
        read = (
            cells.amount(cell, self.decimals["balance"])
            if cell.strip()
            else cells.amount(self._money_text(row), next(iter(self.decimals.values())))
        )
        if read is None:
            return
        value = read[0]
        if self.has("sign") and not cell.strip() and read[1] == 0 and banks.side(self.column("sign")[row].as_py()) == "-":
            value = -value
        if OPENING.search(words):
            self.stated_opening = value
        elif CLOSING.search(words):
            self.stated_closing = value

    def _from_preamble(self) -> None:
        """Take opening and closing balances from the lines above the heading."""
        decimal = next(iter(self.decimals.values()))
        for row in self.layout.preamble:
            amount = next((read for cell in row[1:] if (read := cells.amount(cell, decimal)) is not None), None)
            if amount is not None and OPENING.search(banks.folded(row[0])):
                self.stated_opening = amount[0]
            elif amount is not None and CLOSING.search(banks.folded(row[0])):
                self.stated_closing = amount[0]

    def _check_whole(self, where: NDArray[Any], ends_open: bool) -> None:
        """Refuse a last row that is cut off, and rows in which a delimiter stands inside a value."""
        is_row = np.zeros(self.n, bool)
        is_row[where] = True
        for row in self.grid.spills[:SHOWN] if self.layout.has_header else ():
            if is_row[row]:
                line, widths = int(self.grid.lines[row]), (int(self.grid.widths[row]), len(self.layout.names))
                what = "the row has {} cells where the heading has {}: is there a {!r} inside a value?".format(
                    *widths, self.layout.delimiter
                )
                self.problems.append(Problem(line, None, None, f"{self.file}, line {line}: {what}"))
        last = self.n - 1
        other = is_row.copy()
        other[[last, *self.grid.spills]] = False
        least = int(self.grid.widths.min(where=other, initial=np.iinfo(np.int32).max)) if other.any() else len(self.layout.names)
        looks_cut = is_row[last] or (ends_open and self._money_or_day_begun(last) and not self.named[last])
        if len(where) and self.grid.widths[last] < least and looks_cut:
            line = int(self.grid.lines[last])
            what = f"the last row has {self.grid.widths[last]} cells where the others have {least} or more: the file is cut off."
            self.problems = [problem for problem in self.problems if problem.line != line]  # all of them for this one reason
            self.problems.append(Problem(line, None, None, f"{self.file}, line {line}: {what}"))

        elif is_row[last] and ends_open and (shorter := self._shorter_than_others(where)):
            line = int(self.grid.lines[last])
            what = f"the last row ends in {shorter!r}, with fewer decimals than the rows above and no line end: the file is cut off."
            self.problems.append(Problem(line, None, shorter, f"{self.file}, line {line}: {what}"))

    def _shorter_than_others(self, where: NDArray[Any]) -> str | None:
        """Return the last cell of the file where it is an amount with fewer decimals than all those above it."""
        ends = {places[0]: role for role, places in self.layout.columns.items() if role in ("amount", "debit", "credit", "balance")}
        place = int(self.grid.widths[-1]) - 1
        if place not in ends or len(where) < 3:
            return None
        mark = self.decimals[ends[place]]
        texts = [text.strip() for text in self.grid.columns[place].take(pa.array(where[-100:])).to_pylist() if text.strip()]
        decimals = [len(text.rpartition(mark)[2]) if mark in text else 0 for text in texts]
        return texts[-1] if len(set(decimals[:-1])) == 1 and decimals[-1] < decimals[0] else None

    def _money_or_day_begun(self, row: int) -> bool:
        return bool(re.match(r"\s*\d", self.column("date")[row].as_py()))

    # what is kept

    def _table(self, where: NDArray[Any], days: NDArray[np.int32], units: Units, balance: pa.Array, joined: dict[int, str]) -> pa.Table:
        rows: Any = slice(None) if len(where) == self.n else where  # most files are rows and nothing else
        units = units[rows]
        code, text = self._joined("code", "|"), self._joined("text", " ")
        if joined:
            filled = text.to_pylist()
            for row, more in joined.items():
                filled[row] = f"{filled[row]} {more}".strip()
            text = pa.array(filled, CODED.field("text").type)
        if self.declared and self.declared.descriptions:
            text = _described(code, text, self.declared.descriptions)
        elif self.has("code"):
            code = cells.each(code, _merchant_codes)
        found = {"account": self._account(), "currency": self._currency(), "balance": balance, "text": text, "code": code}
        kept = {name: column.take(pa.array(where)) if len(where) < self.n else column for name, column in found.items()}
        if not units.all():
            kept["code"] = _noticed(kept["code"], units == 0)
        kept |= {
            "booked_on": pa.array(days[rows]).view(pa.date32()),
            "amount": cells.to_money(units),
            "line": pa.array(self.grid.lines[rows]),
        }
        return pa.table({name: kept[name] for name in CODED.names}, schema=CODED)

    def _joined(self, role: str, separator: str) -> pa.DictionaryArray:
        """Return what the columns of a role say together, blanks made one."""
        parts = [self.grid.columns[place] for place in self.layout.columns.get(role, ())]
        if not parts:
            return cells.constant("", self.n)
        number, texts = cells.together(*parts)
        *others, last = [pc.utf8_trim_whitespace(text) for text in texts]
        filled = [pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text) for text in others]
        # The last one is never null: Arrow drops a row of nulls. What it leaves behind where it is empty is the separator.
        whole = pc.binary_join_element_wise(*filled, last, separator, null_handling="skip")
        whole = pc.if_else(pc.equal(last, ""), pc.utf8_slice_codeunits(whole, 0, -1), whole)
        coded = pa.DictionaryArray.from_arrays(pa.array(number), whole)
        return cells.each(coded, lambda texts: pc.replace_substring_regex(texts, BLANKS, " "))

    def _account(self) -> pa.DictionaryArray:
        if self.has("account"):  # a stray quotation mark is no part of a number
            return cells.each(self.column("account"), lambda texts: pc.utf8_trim(texts, " \"'\u00a0"))
        for row in self.layout.preamble:
            line = " ".join(row)
            if found := re.search(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", line):
                return cells.constant(found[0].replace(" ", ""), self.n)
        return cells.constant("", self.n)

    def _currency(self) -> pa.DictionaryArray:
        if self.declared and self.declared.currency:
            return cells.constant(self.declared.currency, self.n)
        if self.has("currency"):
            return _filled(self.column("currency"), cells.currency)
        roles = [role for role in ("amount", "credit", "debit") if self.has(role)]
        heading = re.search(r"\b([A-Z]{3})\b\)?\s*$", self.name(roles[0]))
        if heading and heading[1] in cells.CURRENCIES:
            return cells.constant(heading[1], self.n)
        columns = [cells.each(self.column(role), _without_figures) for role in roles]
        number, texts = cells.together(*columns)
        whole = pc.binary_join_element_wise(*texts, " ")
        return _filled(pa.DictionaryArray.from_arrays(pa.array(number), whole), cells.glued_currency)


def _filled(column: pa.DictionaryArray, how: Callable[[str], str]) -> pa.DictionaryArray:
    """Read the currency of every row; where the file names only one, it is that of the rows without; a lone `$` names none."""
    read = [how(text) for text in column.dictionary.to_pylist()]
    named = sorted(set(read) - {""})
    if len(named) == 1:
        read = [named[0] if named[0] not in "$¥" else ""] * len(read)
    return cells.each(column, lambda _: pa.array(read, pa.string()))


def _days_only(texts: pa.Array) -> pa.Array:
    """Take blanks and the time of day from dates."""
    clock = r"[T ,]+\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp][Mm])?( ?(Z|[A-Z]{3,4}|[+-]\d{2}:?\d{2}))?$"
    return pc.replace_substring_regex(pc.utf8_trim_whitespace(texts), clock, "")


def _without_figures(texts: pa.Array) -> pa.Array:
    """Take from amounts what names no currency, so that few distinct texts are left; a blank parts what stood apart."""
    return pc.replace_substring_regex(texts, r"[\d.,'+\-\s\p{Z}()]+", " ")


def _merchant_codes(codes: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(codes, ""), "", pc.binary_join_element_wise("MCC", codes, " "))


def _noticed(code: pa.DictionaryArray, about_nothing: NDArray[Any]) -> pa.DictionaryArray:
    """Say of rows about no money, where nothing else is said, that each is a notice and not a payment of unknown kind."""
    where, more = cells.places(code), len(code.dictionary)
    unsaid = _flags(pc.equal(code.dictionary, ""))
    texts = pa.concat_arrays([code.dictionary, pa.array(["ZERO"])])
    found = np.where(about_nothing & unsaid[where], np.int32(more), where)
    return cells.each(pa.DictionaryArray.from_arrays(pa.array(found), texts), lambda same: same)


def _described(code: pa.DictionaryArray, text: pa.DictionaryArray, words: Mapping[str, str]) -> pa.DictionaryArray:
    """Put the profile's words for each code before what the row itself says."""
    number, (codes, texts) = cells.together(code, text)
    said = pa.array([words.get(value, value.replace("|", " ")) for value in codes.to_pylist()], pa.string())
    whole = pc.utf8_trim_whitespace(pc.binary_join_element_wise(said, texts, " "))
    return cells.each(pa.DictionaryArray.from_arrays(pa.array(number), whole), lambda same: same)


def _flags(column: pa.Array) -> NDArray[Any]:
    return np.asarray(column.to_numpy(zero_copy_only=False), bool)


def _where(choice: NDArray[Any], yes: Units, no: Units) -> Units:
    return np.asarray(np.where(choice, yes, no), np.int64)


def _only(days: NDArray[Any], state: Marks) -> NDArray[Any]:
    read: NDArray[Any] = days[state == READ]
    return read


def _span(days: NDArray[Any]) -> int:
    return int((days.max() - days.min()).astype(np.int64)) if len(days) else 0


def _years_fit(days: NDArray[Any]) -> bool:
    return bool(len(days)) and bool(_near(days).all())


def _near(days: NDArray[Any]) -> NDArray[Any]:
    """Say which days a bank statement may have; what lies beyond is a slip of the hand (0204, 2204)."""
    return np.asarray((days >= np.datetime64("1950-01-01")) & (days <= np.datetime64("2100-01-01")))


def _in_order(days: NDArray[Any]) -> bool:
    steps = np.diff(days).astype(np.int64)
    return bool((steps >= 0).all() or (steps <= 0).all())
