"""What a statement file holds, read whole and held against its own balances; a bad file is a reading that says so, never an error.

Nobody may break this: no reader is trusted alone. What was read is what was counted, and nothing is stored here.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from creditrisk import banks, cells, charset, formats, tabular
from creditrisk.errors import UnreadableFile
from creditrisk.reconcile import AccountBalance, Key, State, overall, reconcile
from creditrisk.settings import Settings
from creditrisk.statement import CODED, Found, Problem, Question, Refused, Unclear

BLANK = b"\xef\xbb\xbf \t\r\n"


@dataclass(frozen=True)
class Reading:
    """What a file holds. `rows` has the columns of CODED: account, currency, booked_on, amount, balance, text, code, line in file order.

    `questions` are what the file leaves open, `profile` and `answers` what it was read with: keys of a bank profile.
    """

    file: str
    sha256: str
    content: bytes
    format: str
    dialect: dict[str, Any]
    status: Literal["accepted", "warned", "rejected"]
    problems: list[Problem]
    rows: pa.Table = field(default_factory=CODED.empty_table)
    n_transactions: int = 0
    sum_amount: Decimal = Decimal(0)
    opening: Decimal | None = None
    closing: Decimal | None = None
    currency: str | None = None
    accounts: list[str] = field(default_factory=list)
    reconciliation: State = "not stated"
    balances: dict[Key, AccountBalance] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    profile: str | None = None
    answers: dict[str, Any] = field(default_factory=dict)


def read(name: str, content: bytes, *, profile: str | None = None, answers: Mapping[str, Any] | None = None, settings: Settings) -> Reading:
    """Read one file; a bad file is a Reading with status 'rejected' and its problems.

    `answers` are keys of a bank profile beside (and before) those of `profile`. What the file leaves open without them is answered by
    the one profile that `matches` its headings. Raises UnknownThing for an unknown profile, InvalidInput for one that is none.
    """
    file, folder = tabular.plain_name(name), settings.data / "banks"
    declared = banks.declare(banks.profile(profile, folder) if profile else None, answers or {})
    reading = _read(file, content, declared, settings)
    if reading.questions and not profile:
        reading = _as_known(reading, answers or {}, settings)
    dialect = {**reading.dialect, "answered": dict(answers)} if answers else reading.dialect
    return replace(reading, dialect=dialect, profile=profile, answers=dict(answers or {}))


def _as_known(reading: Reading, answers: Mapping[str, Any], settings: Settings) -> Reading:
    """Answer what a file leaves open, and nothing else, as the one profile that knows its headings does; two of them leave it open."""
    given = dict(answers)
    while reading.questions:
        question = reading.questions[0]
        known = banks.matching(question.headings, settings.data / "banks") if question.headings else []
        answering = [each for each in known if getattr(each, question.key)]
        if len(answering) > 1:
            return _undecided(reading, question, [each.name for each in answering])
        offered = [choice.declares.get(question.key) for choice in question.choices]
        told = getattr(answering[0], question.key) if answering else None
        if not told or question.key in given or not (told in offered or question.key == "columns"):
            return reading
        given[question.key] = told
        again = _read(reading.file, reading.content, banks.declare(None, given), settings)
        reading = replace(again, dialect={**again.dialect, "profile": answering[0].name, "profile_known_by": "its headings"})
    return reading


def _undecided(reading: Reading, question: Question, names: Sequence[str]) -> Reading:
    """Say that several profiles know the headings of a file that leaves something open."""
    what = f" The bank profiles {', '.join(map(repr, names))} all know these headings; --profile says which of them it is."
    told = replace(question.problem, message=question.problem.message + what)
    problems = [told if problem == question.problem else problem for problem in reading.problems]
    return replace(reading, problems=problems, questions=[replace(question, problem=told), *reading.questions[1:]])


def _read(file: str, content: bytes, declared: banks.Profile | None, settings: Settings) -> Reading:
    digest = hashlib.sha256(content).hexdigest()
    what = ""
    questions: list[Question] = []
    try:
        _check_size(file, content, settings)
        known = formats.find(content)
        if known is None:
            raise UnreadableFile(file, f"this is {charset.recognise(content)}, whatever its name says; a statement is {formats.titles()}.")
        reader, what = known
        found = reader.read(file, content, declared, settings.intake)
        _check_count(file, found, settings)
        return _reading(file, digest, content, what, found)
    except Refused as refused:
        problems = refused.problems
    except UnreadableFile as error:
        problems = [Problem(error.line, error.column, error.value, str(error))]
        questions = [error.question] if isinstance(error, Unclear) else []
    dialect = {"profile": declared.name or None if declared else None}
    return Reading(file, digest, content, what or "unknown", dialect, "rejected", problems, questions=questions)


def _check_size(file: str, content: bytes, settings: Settings) -> None:
    if not content[:1000].strip(BLANK) and not content.strip(BLANK):
        raise UnreadableFile(file, "the file is empty.")
    if len(content) > settings.intake.max_file_mb * 1_000_000:
        raise UnreadableFile(file, f"the file is larger than {settings.intake.max_file_mb} MB; split it, or raise max_file_mb in [intake].")


def _check_count(file: str, found: Found, settings: Settings) -> None:
    """No reader is trusted alone: what was read is what was counted, and a file of nothing is no statement."""
    n, most = found.rows.num_rows, settings.intake.max_rows
    if found.count is not None and found.count != n + found.pending:
        raise UnreadableFile(
            file, f"the file has {found.count} transactions and {n + found.pending} of them could be read; none is stored."
        )
    if not n:
        aside = f" that is booked ({found.pending} pending)" if found.pending else ""
        raise UnreadableFile(file, f"the statement holds no transaction{aside}.")
    if n > most:
        what = f"the file has {n:,} transactions, more than the {most:,} allowed; split it, or raise max_rows in [intake]."
        raise UnreadableFile(file, what)


def _reading(file: str, digest: str, content: bytes, what: str, found: Found) -> Reading:
    """Hold what a reader found against its own balances."""
    rows = found.rows.cast(CODED)
    balances, broken, line = reconcile(rows, found.stated)
    state = overall(balances)
    problems = found.notes + (found.doubts if state != "ok" else [])
    if found.pending:
        aside = f"{file}: {found.pending} rows that are not booked (pending, declined or reverted) were set aside."
        problems.append(Problem(None, None, None, aside))
    currencies = sorted(pc.unique(rows["currency"]).to_pylist())
    if len(currencies) > 1:
        named = ", ".join(name or "none named" for name in currencies)
        aside = f"{file}: several currencies ({named}): each is kept as an account of its own; the sum adds them as mere numbers."
        problems.append(Problem(None, None, None, aside))
    if broken is not None:
        where = f"; the first break is at line {line}" if line else ""
        problems.append(Problem(line or None, None, None, f"{file}: the balances{broken} do not add up with the amounts{where}."))
    if still := {one.standing for one in balances.values() if one.standing is not None}:
        said = f"every balance printed is {min(still):,.2f}" if len(still) == 1 else "the balance printed never changes within an account"
        what = f"{file}: {said} though money moves, so it is no running balance; it is kept as printed and nothing is reckoned from it."
        problems.append(Problem(None, None, None, what))
    only = next(iter(balances.values())) if len(balances) == 1 else AccountBalance(None, None, state)
    return Reading(
        file=file,
        sha256=digest,
        content=content,
        format=what,
        dialect=found.dialect,
        status="warned" if problems else "accepted",
        problems=problems,
        rows=rows,
        n_transactions=rows.num_rows,
        sum_amount=cells.total(cells.from_money(cells.whole(rows["amount"]))),
        opening=only.opening,
        closing=only.closing,
        currency=currencies[0] if len(currencies) == 1 and currencies[0] else None,
        accounts=list(dict.fromkeys(account for account, _ in balances)),
        reconciliation=state,
        balances=balances,
        questions=found.questions if state != "ok" else [],
    )


def covered(reading: Reading) -> tuple[date | None, date | None]:
    """Return the first and the last day a file has a transaction on."""
    ends = pc.min_max(reading.rows["booked_on"]).as_py()
    return ends["min"], ends["max"]
