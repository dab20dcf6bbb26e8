"""The statements of a file, made of its fields one by one and held against their balances and totals.

Nobody may break this: a statement without its end is cut off and refuses the file, and what only lacks a balance says so.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

from creditrisk.errors import UnreadableFile
from creditrisk.formats.mt940.fields import Field
from creditrisk.formats.mt940.narrative import Row, code, text
from creditrisk.formats.mt940.values import booked, calendar, is_garbled, money, number
from creditrisk.settings import Intake
from creditrisk.statement import Found, Movements, Problem, Refused, Stated, merged

SHOWN = 50  # problems listed of one file
BALANCE = re.compile(r"(?P<side>[CD])(?P<day>\d{6})(?P<currency>[A-Z]{3})?(?P<amount>\d[\d.,]*)")
MOVEMENT = re.compile(
    r"\s*(?P<value>\d{6})(?P<entry>\d{4}| {4})? *(?P<mark>R?[CD]|E[CD])[A-Z]? *(?P<amount>[\d.,]+)"
    r" *(?P<type>(?!NONREF)[NFS][A-Z0-9 ]{3})?(?P<reference>.*)"
)
TOTALS = re.compile(r"(?P<count>\d{0,5})(?P<currency>[A-Z]{3})(?P<amount>\d[\d.,]*|,\d+)")


@dataclass
class _Statement:
    """One message; `ended` says that its end was marked, `report` that it is an interim report (MT942)."""

    line: int
    account: str = ""
    currency: str = ""
    opening: Decimal | None = None
    opened_on: date | None = None
    closing: Decimal | None = None
    is_last_page: bool = True
    report: bool = False
    ended: bool = False
    rows: list[Row] = field(default_factory=list)
    totals: dict[str, tuple[int, int, Decimal]] = field(default_factory=dict)


class Reader:
    """Takes the fields of a file one by one and holds what they add up to."""

    def __init__(self, file: str, limits: Intake, currency: str | None, ends_open: bool):
        self.file, self.limits, self.currency, self.ends_open = file, limits, currency, ends_open
        self.moves = Movements(file, max_amount=limits.max_amount)
        self.statements: list[_Statement] = []
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []
        self.doubts: list[Problem] = []
        self.now: _Statement | None = None
        self.row: Row | None = None
        self.expected = 0
        self.envelope: Field | None = None
        self.ends = 0
        self.report = False

    def problem(self, line: int, value: str | None, what: str) -> None:
        """Note why the file is refused."""
        self.problems.append(Problem(line, None, value, f"{self.file}, line {line}: {what}"))
        if len(self.problems) == SHOWN:
            raise Refused(self.problems)

    def note(self, line: int, what: str) -> None:
        """Note what an analyst must know of a file that is read."""
        self.notes.append(Problem(line, None, None, f"{self.file}, line {line}: {what}"))

    def take(self, part: Field) -> None:
        """Take the next field of the file."""
        if part.tag in ("20", "{"):
            self._next(part)
        elif part.tag == "-":
            self.row = self.envelope = None
            self.ends += 1
            if self.now:
                self.now.ended = True
        elif part.tag == "61":
            self._movement(part)
        elif part.tag in ("86", "NS"):
            self._describe(part)
        elif part.tag.startswith("25"):
            self._account(part)
        elif part.tag in ("60F", "60M", "62F", "62M"):
            self._balance(part)
        elif part.tag in ("34F", "13D", "90C", "90D"):
            self._report(part)
        elif part.tag in ("64", "65"):
            self.row = None

    def _next(self, part: Field) -> None:
        self.row = None
        if part.tag == "{":
            self.now, self.envelope = None, part
            self.report = bool(re.search(r"\{2:[IO]942", part.value))
            return
        self.now = _Statement(part.line, report=self.report)
        self.statements.append(self.now)

    def _open(self, part: Field) -> _Statement:
        """Return the statement a field belongs to; fields without a `:20:` begin one of their own."""
        if self.now is None:
            self.now = _Statement(part.line, report=self.report)
            self.statements.append(self.now)
        return self.now

    def _account(self, part: Field) -> None:
        statement = self._open(part)
        if not statement.account and not statement.rows:
            statement.account = part.value
        elif self.row:
            self.note(
                part.line, f"a second account number ({part.value[:20]!r}) follows a movement; it is taken as the movement's description."
            )
            self.row.words.extend(part.lines)

    def _balance(self, part: Field) -> None:
        self.row = None
        found = BALANCE.fullmatch(re.sub(r"\s", "", part.value))
        amount = money(found["amount"], found["currency"] or "") if found else None
        day = calendar(found["day"]) if found else None
        if found is None or amount is None:
            self.problem(part.line, part.value, f"the balance {part.value!r} of :{part.tag}: cannot be read.")
            return
        signed = amount if found["side"] == "C" else -amount
        statement = self._open(part)
        if part.tag.startswith("60"):
            if statement.opening is not None and statement.closing is None:
                self.problem(part.line, part.value, "a second opening balance follows without a closing one before it.")
            elif statement.closing is not None:  # the next page, without a :20: of its own
                self.now = _Statement(part.line, statement.account)
                self.statements.append(self.now)
                statement = self.now
            statement.opening, statement.opened_on = signed, day
        else:
            statement.closing, statement.is_last_page = signed, part.tag == "62F"
        if found["currency"] and statement.currency and statement.currency != found["currency"]:
            self.problem(part.line, found["currency"], f"the balances are in {statement.currency} and in {found['currency']}.")
        statement.currency = statement.currency or found["currency"] or ""

    def _report(self, part: Field) -> None:
        statement = self._open(part)
        statement.report, self.row = True, None
        if part.tag == "34F":
            statement.currency = statement.currency or part.value[:3]
        if part.tag.startswith("90") and (found := TOTALS.fullmatch(part.value)):
            amount = money(found["amount"], found["currency"])
            statement.totals[part.tag[-1]] = (part.line, int(found["count"] or 0), amount or Decimal(0))
            statement.currency = statement.currency or found["currency"]

    def _movement(self, part: Field) -> None:
        statement = self._open(part)
        found, used = MOVEMENT.fullmatch(part.lines[0]), 1
        if found is None and len(part.lines) > 1:
            found, used = MOVEMENT.fullmatch(part.lines[0] + part.lines[1]), 2
        self.row = None
        if found is None or is_garbled(found):
            self.problem(part.line, part.value, f"the movement {part.value!r} cannot be read as date, C or D, and amount.")
            return
        booked_on = booked(found["value"], (found["entry"] or "").strip())
        if booked_on is None:
            dates = found["value"] + (found["entry"] or "")
            self.problem(part.line, dates.strip(), f"{dates.strip()!r} of :61: is not a day of the calendar.")
            return
        if found["mark"].startswith("E"):
            self.expected += 1  # announced, not booked
            return
        statement.ended = statement.ended and statement.closing is not None
        if statement.closing is not None:
            self.note(part.line, "a movement stands after the closing balance of its statement.")
        self.row = Row(
            part.line,
            booked_on,
            found["mark"],
            found["amount"],
            (found["type"] or "").strip(),
            found["reference"].strip(),
            part.lines[used:],
        )
        statement.rows.append(self.row)

    def _describe(self, part: Field) -> None:
        if self.row:
            (self.row.coded if part.tag == "NS" else self.row.words).extend(part.lines)
            self.row.length += sum(map(len, part.lines))
            if self.row.length > self.limits.max_field_length:
                what = f"the description is longer than {self.limits.max_field_length} characters."
                raise UnreadableFile(self.file, what, line=self.row.line)

    # what they add up to

    def found(self, count: int) -> Found:
        """Check every statement and return what is in the file."""
        if self.envelope and (self.now is None or self.ends):
            self.problem(self.envelope.line, None, "the message that begins here has no end (-}): the file is cut off.")
        sound = not self.problems  # what could not be read is also missing; that is said once
        for statement in self.statements:
            if sound:
                self._check_whole(statement)
            self._add(statement)
        if not self.statements:
            raise UnreadableFile(self.file, "there is a message and no statement in it.")
        if self.problems:
            raise Refused(sorted(self.problems, key=lambda problem: problem.line or 0))
        if any(statement.report and statement.opening is None and statement.closing is None for statement in self.statements):
            self.note(self.statements[0].line, "an interim report (MT942) states no balances, so nothing confirms its movements.")
        dialect: dict[str, Any] = {"statements": len(self.statements)}
        return Found(self.moves.table(), dialect, self.notes, self.doubts, self._stated(), count, self.expected)

    def _check_whole(self, statement: _Statement) -> None:
        """Refuse a statement that is cut off; note what is missing of one that is not."""
        if statement.report and statement.opening is None and statement.closing is None:
            if not statement.ended and not statement.totals:
                self.problem(statement.line, None, "the interim report has neither totals (:90D:, :90C:) nor an end: the file is cut off.")
        elif statement.opening is None and statement.closing is None:
            what = "this is a fragment of a statement: it has neither an opening balance (:60F:) nor a closing one (:62F:)."
            self.problem(statement.line, None, what)
        elif statement.closing is None and not statement.ended:
            self.problem(statement.line, None, "the statement has no closing balance (:62F: or :62M:): the file is cut off.")
        elif statement.closing is None:
            self.note(statement.line, "the statement has no closing balance (:62F: or :62M:), so nothing confirms its movements.")
        elif statement.opening is None:
            self.note(statement.line, "the statement has no opening balance (:60F: or :60M:), so nothing confirms its movements.")

    def _add(self, statement: _Statement) -> None:
        """Take the movements of one statement, with its account and currency."""
        statement.currency = statement.currency or self.currency or ""
        statement.account = number(statement.account, statement.currency)
        total = Decimal(0)
        sums = {"C": (0, Decimal(0)), "D": (0, Decimal(0))}
        for row in statement.rows:
            amount = money(row.amount, statement.currency)
            if amount is None:
                self.problem(row.line, row.amount, f"the amount {row.amount!r} cannot be read.")
                continue
            out = row.mark in ("D", "RC")  # a reversed credit leaves the account, a reversed debit comes back
            side = "D" if out else "C"
            sums[side] = (sums[side][0] + 1, sums[side][1] + amount)
            signed = -amount if out else amount
            total += signed
            self.moves.add(
                account=statement.account, currency=statement.currency, booked_on=row.booked_on, amount=signed,
                text=text(row), code=code(row), line=row.line,
            )  # fmt: skip
        for side, (line, count, amount) in statement.totals.items():
            if (count, amount) != sums[side]:
                self.note(line, f"the report counts {count} movements of {amount} where {sums[side][0]} of {sums[side][1]} are listed.")
        if statement.opening is not None and statement.closing is not None and statement.opening + total != statement.closing:
            what = f"{statement.opening} and the movements of {total} do not make the closing balance of {statement.closing}."
            self.doubts.append(Problem(statement.line, None, None, f"{self.file}, line {statement.line}: the opening balance of {what}"))
            if self.ends_open and statement is self.statements[-1]:
                self.problem(
                    statement.line,
                    str(statement.closing),
                    f"the file ends within its closing balance of {statement.closing}: it is cut off.",
                )

    def _stated(self) -> Stated:
        """Return the balances of every account that is kept in one currency; say where its statements do not follow each other."""
        stated: Stated = {}
        accounts: dict[str, list[_Statement]] = defaultdict(list)
        for statement in self.statements:
            accounts[statement.account].append(statement)
        for account, pages in accounts.items():
            if len({page.currency for page in pages}) > 1:
                continue
            if all(page.opened_on for page in pages):
                pages.sort(key=lambda page: page.opened_on or date.min)
            for before, page in pairwise(pages):
                if None not in (before.closing, page.opening) and before.closing != page.opening:
                    what = f"the statement opens with {page.opening} and the one before it closed with {before.closing}: one is missing."
                    self.doubts.append(Problem(page.line, None, None, f"{self.file}, line {page.line}: {what}"))
            for page in pages:
                merged(stated, account, page.opening, page.closing)
            if not pages[-1].is_last_page:
                self.note(pages[-1].line, "the last page closes with an intermediate balance (:62M:); another one follows it.")
        return stated
