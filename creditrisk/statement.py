"""What every reader of statements hands over: transactions in one shape, balances as stated, and what must be said.

A problem is a value that names line and column; money is exact or the file is refused; what is not booked is counted, never a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa

from creditrisk import cells, dates
from creditrisk.errors import UnreadableFile

ROWS = pa.schema(
    [
        ("account", pa.string()),
        ("currency", pa.string()),
        ("booked_on", pa.date32()),
        ("amount", cells.MONEY),
        ("balance", cells.MONEY),
        ("text", pa.string()),
        ("code", pa.string()),
        ("line", pa.int32()),
    ]
)

TEXT = pa.dictionary(pa.int32(), pa.string())
CODED = pa.schema([field.with_type(TEXT) if field.type == pa.string() else field for field in ROWS])  # each distinct text once

Stated = dict[str, tuple[Decimal | None, Decimal | None]]


@dataclass(frozen=True)
class Problem:
    """What is wrong, and where: `line` is the physical line of the file, `column` its heading; `message` is the whole sentence."""

    line: int | None
    column: str | None
    value: str | None
    message: str


@dataclass(frozen=True)
class Choice:
    """One answer to a question: the keys of a bank profile that give it, and how a person says it."""

    declares: dict[str, Any]
    label: str


@dataclass(frozen=True)
class Question:
    """What a file leaves open. `key` is the profile's key that decides, `problem` where it arose and the whole sentence, `asks` the same
    as a question to a person; `headings` are those of the file, by which the bank's next file is known (none: ()).

    Where columns are asked about, `sample` are the first rows, so that each role can be given its column; there may be no `choices`.
    """

    key: str
    asks: str
    problem: Problem
    choices: tuple[Choice, ...] = ()
    headings: tuple[str, ...] = ()
    sample: tuple[tuple[str, ...], ...] = ()


class Refused(Exception):
    """Carries the problems of a file out of a reader to `ingest`, which makes them a rejected reading."""

    def __init__(self, problems: list[Problem]):
        self.problems = problems


class Unclear(UnreadableFile):
    """A file that could be read more than one way; an answer to its question decides."""

    def __init__(self, file: str, question: Question):
        problem = question.problem
        super().__init__(file, problem.message, line=problem.line, column=problem.column, value=problem.value)
        self.question = replace(question, problem=replace(problem, message=str(self)))


def date_question(file: str, forms: Sequence[str], *, line: int, column: str, value: str, headings: Sequence[str] = ()) -> Unclear:
    """Return the refusal to guess between date formats."""
    keys = " or ".join(f'date_format = "{form}"' for form in forms)
    sentence = (
        f"the dates can be read in more than one way (for example {value!r}) and nothing in the file decides; "
        f"a bank profile (--profile) with {keys} does."
    )
    days = {form: dates.reader(form)(value) for form in forms}
    choices = [Choice({"date_format": form}, f"{value} is {day.day} {day:%B %Y}" if day else form) for form, day in days.items()]
    asks = "In which order do day and month stand?"
    return Unclear(file, Question("date_format", asks, Problem(line, column, value, sentence), tuple(choices), tuple(headings)))


def decimal_question(file: str, *, line: int, column: str, value: str, headings: Sequence[str] = ()) -> Unclear:
    """Return the refusal to guess whether a mark begins decimals or thousands."""
    sentence = (
        f"amounts such as {value!r} can be read with the mark as decimals or as thousands and nothing in the file decides; "
        'a bank profile (--profile) with decimal = "." or decimal = "," does.'
    )
    read = {mark: cells.amount(value, mark) for mark in ",."}
    choices = [
        Choice({"decimal": mark}, f"decimals: {value} is {found[0]:,}" if mark in value else f"thousands: {value} is {found[0]:,.2f}")
        for mark, found in read.items()
        if found
    ]
    asks = "Does the mark begin decimals, or thousands?"
    return Unclear(file, Question("decimal", asks, Problem(line, column, value, sentence), tuple(choices), tuple(headings)))


@dataclass(frozen=True)
class Found:
    """What a reader of one format found in a file. `rows` has the columns of ROWS (or CODED) in file order; `doubts` and `questions`
    hold only while no balance confirms the rows; `stated` is (opening, closing) by account as the file states them outside its rows;
    `count` is how many transactions the file has, pending ones included, counted without reading them; `pending` are those kept out
    of the rows.

    `line` is the physical line, and `dialect["encoding"]` reads it; where lines mean nothing it is the number of the transaction
    and `dialect["line"]` is "transaction".
    """

    rows: pa.Table
    dialect: dict[str, Any]
    notes: list[Problem] = field(default_factory=list)
    doubts: list[Problem] = field(default_factory=list)
    stated: Stated = field(default_factory=dict)
    count: int | None = None
    pending: int = 0
    questions: list[Question] = field(default_factory=list)


class Movements:
    """Transactions as they are read, one by one; `add` refuses money beyond the limits, `table` gives the columns of ROWS."""

    def __init__(self, file: str, *, max_amount: int):
        self.file, self.limit = file, min(max_amount, 10**14 - 1)
        self.rows: list[tuple[str, str, date, Decimal, Decimal | None, str, str, int]] = []

    def add(
        self,
        *,
        account: str,
        currency: str,
        booked_on: date,
        amount: Decimal,
        text: str,
        code: str,
        line: int,
        balance: Decimal | None = None,
    ) -> None:
        """Take one transaction; a movement of nothing without a code is marked as a notice. Raises UnreadableFile."""
        for money in (amount, balance):
            if money is not None and not self._exact(money):
                what = f"the amount {money} is not a sum of money within ± {self.limit:,} with at most four decimals."
                raise UnreadableFile(self.file, what, line=line, value=str(money))
        self.rows.append((account, currency, booked_on, amount, balance, " ".join(text.split()), code or ("" if amount else "ZERO"), line))

    def _exact(self, money: Decimal) -> bool:
        return money.is_finite() and abs(money) <= self.limit and money == round(money, 4)

    def table(self) -> pa.Table:
        """Return what was added, in that order."""
        columns = zip(*self.rows, strict=True) if self.rows else [()] * len(ROWS)
        return pa.table([pa.array(column, shape.type) for column, shape in zip(columns, ROWS, strict=True)], schema=ROWS)


def merged(stated: Stated, account: str, opening: Decimal | None, closing: Decimal | None) -> None:
    """Note the balances of one more statement of an account, which follows those before: the first opening, the last closing."""
    before = stated.get(account)
    stated[account] = (opening, closing) if before is None else (before[0], closing if closing is not None else before[1])
