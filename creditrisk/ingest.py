"""Statement files into the store: whole files or nothing, exact, reconciled, idempotent.

`read` says what a file holds and never raises for a bad one; `save` appends what the workspace does not have yet.
A movement is known by account, day, amount, description and its number among equal ones within its file, so the same file
twice adds nothing and overlapping exports give their union.
"""

import hashlib
import io
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path, PureWindowsPath
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pandas import DataFrame

from creditrisk import banks, categories, cells, formats, pairs
from creditrisk.errors import UnknownThing, UnreadableFile
from creditrisk.reconcile import AccountBalance, Key, State, overall, reconcile
from creditrisk.settings import Settings
from creditrisk.statement import ROWS, Found, Problem, Question, Refused, Unclear
from creditrisk.store import Store, now
from creditrisk.store import to_json as as_json

BLANK = b"\xef\xbb\xbf \t\r\n"
_saving = threading.Lock()  # what is stored already is asked and answered for one caller at a time: two may bring the same file


@dataclass(frozen=True)
class Reading:
    """What a file holds. `rows` has the columns account, currency, booked_on, amount, balance, text, code, line in file order.

    `questions` are what the file leaves open, `profile` and `answers` what it was read with: keys of a bank profile.
    """

    file: str
    sha256: str
    content: bytes
    format: str
    dialect: dict[str, Any]
    status: Literal["accepted", "warned", "rejected"]
    problems: list[Problem]
    rows: pa.Table = field(default_factory=ROWS.empty_table)
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


@dataclass(frozen=True)
class Saved:
    """What became of a reading: rows the workspace did not have, and rows it had; no id where nothing was stored."""

    reading: Reading
    n_new: int = 0
    n_duplicate: int = 0
    statement_id: int | None = None


# ------------------------------------------------------------------------------------------------------------------ read


def read(name: str, content: bytes, *, profile: str | None = None, answers: Mapping[str, Any] | None = None, settings: Settings) -> Reading:
    """Read one file; a bad file is a Reading with status 'rejected' and its problems.

    `answers` are keys of a bank profile beside (and before) those of `profile`. What the file leaves open without them is answered by
    the one profile that `matches` its headings. Raises UnknownThing for an unknown profile, InvalidInput for one that is none.
    """
    file, folder = _plain_name(name), settings.data / "banks"
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
            raise UnreadableFile(file, f"this is {banks.recognise(content)}, whatever its name says; a statement is {formats.titles()}.")
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


def _plain_name(name: str) -> str:
    """Return the last part of a path of whatever system, as one printable line that a sentence can begin with."""
    last = PureWindowsPath(Path(name).name).name
    return "".join(letter if letter.isprintable() else " " for letter in last)[:200].strip(" .") or "statement"


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
    balances, broken, line = reconcile(found.rows, found.stated)
    state = overall(balances)
    problems = found.notes + (found.doubts if state != "ok" else [])
    if found.pending:
        aside = f"{file}: {found.pending} rows that are not booked (pending, declined or reverted) were set aside."
        problems.append(Problem(None, None, None, aside))
    currencies = sorted(pc.unique(found.rows["currency"]).to_pylist())
    if len(currencies) > 1:
        named = ", ".join(name or "none named" for name in currencies)
        aside = f"{file}: several currencies ({named}): each is kept as an account of its own; the sum adds them as mere numbers."
        problems.append(Problem(None, None, None, aside))
    if broken is not None:
        where = f"; the first break is at line {line}" if line else ""
        problems.append(Problem(line or None, None, None, f"{file}: the balances{broken} do not add up with the amounts{where}."))
    only = next(iter(balances.values())) if len(balances) == 1 else AccountBalance(None, None, state)
    return Reading(
        file=file,
        sha256=digest,
        content=content,
        format=what,
        dialect=found.dialect,
        status="warned" if problems else "accepted",
        problems=problems,
        rows=found.rows,
        n_transactions=found.rows.num_rows,
        sum_amount=cells.total(cells.from_money(found.rows["amount"].combine_chunks())),
        opening=only.opening,
        closing=only.closing,
        currency=currencies[0] if len(currencies) == 1 and currencies[0] else None,
        accounts=list(dict.fromkeys(account for account, _ in balances)),
        reconciliation=state,
        balances=balances,
        questions=found.questions if state != "ok" else [],
    )


# ------------------------------------------------------------------------------------------------------------------ save


def save(store: Store, readings: Sequence[Reading], *, user: str, applicant_id: str | Mapping[str, str] | None = None) -> list[Saved]:
    """Store the readings that were not rejected, all in one transaction, and say of each what was new.

    The applicant of an account is `applicant_id` (one for all, or by file name), else the account number, else the file's stem.
    """
    with _saving:
        known = dict(store.rows("select sha256, statement_id from statement"))
        fresh: dict[str, Reading] = {}
        for reading in readings:
            if reading.status != "rejected" and reading.sha256 not in known:
                fresh.setdefault(reading.sha256, reading)
        stored = _store(store, list(fresh.values()), user, applicant_id) if fresh else {}
    saved = []
    for reading in readings:
        if reading.status == "rejected":
            saved.append(Saved(reading))
        elif reading.sha256 in known:
            said = _said_again(store, reading, int(known[reading.sha256]), applicant_id)
            saved.append(Saved(said, 0, reading.n_transactions, int(known[reading.sha256])))
        else:
            number, new = stored[reading.sha256]
            saved.append(Saved(reading, new, reading.n_transactions - new, number))
            known[reading.sha256] = number
    return saved


def _store(store: Store, fresh: list[Reading], user: str, applicant_id: str | Mapping[str, str] | None) -> dict[str, tuple[int, int]]:
    """Append files nobody has stored in one transaction; return statement id and number of new rows by digest."""
    subject = fresh[0].file if len(fresh) == 1 else f"{len(fresh)} files"
    with store.write(user, "ingest", subject, files=[[reading.file, reading.sha256] for reading in fresh]) as cursor:
        return _append(cursor, fresh, user, applicant_id)


def _said_again(store: Store, reading: Reading, statement_id: int, applicant_id: str | Mapping[str, str] | None) -> Reading:
    """Warn where a file that is stored already comes again for somebody else."""
    given = _given(reading, applicant_id) or (None if any(reading.accounts) else Path(reading.file).stem)
    owners = store.rows(
        "select distinct applicant_id from statement_account join account using (account_id) where statement_id = $id", id=statement_id
    )
    if given is None or (given,) in owners:
        return reading
    whose = ", ".join(owner for (owner,) in owners[:3])
    message = f"{reading.file}: this file is stored already, as statement {statement_id} for {whose}; nothing was stored for {given}."
    return replace(reading, status="warned", problems=[*reading.problems, Problem(None, None, None, message)])


def _given(reading: Reading, applicant_id: str | Mapping[str, str] | None) -> str | None:
    return applicant_id if isinstance(applicant_id, str) else (applicant_id or {}).get(reading.file)


def _append(cursor: Any, readings: list[Reading], user: str, applicant_id: str | Mapping[str, str] | None) -> dict[str, tuple[int, int]]:
    """Insert statements, accounts, descriptions and movements; return statement id and number of new rows by digest."""
    ids = [number for (number,) in cursor.execute("select nextval('statement_seq') from range($n)", {"n": len(readings)}).fetchall()]
    parts = [
        reading.rows.append_column("statement_id", pa.array(np.full(reading.n_transactions, number, np.int32))).append_column(
            "applicant_id", _applicant(reading, applicant_id)
        )
        for number, reading in zip(ids, readings, strict=True)
    ]
    cursor.register("arrived", pa.concat_tables(parts))
    _describe(cursor)
    cursor.execute(ACCOUNTS)
    cursor.execute(STAGE)
    cursor.execute(FRESH)
    counts = dict(cursor.execute("select statement_id, count(*) from fresh group by all").fetchall())
    cursor.execute("insert into transaction by name select * from fresh")
    _append_statements(cursor, readings, ids, counts, user)
    pairs.arrived(cursor, ids)
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
    select *, (select coalesce(max(transaction_id), 0) from transaction) + row_number() over () as transaction_id
    from staged
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
    left join stated
        on stated.statement_id = staged.statement_id and stated.account = account.number and stated.currency = account.currency
    group by staged.statement_id, staged.account_id
"""


def _applicant(reading: Reading, applicant_id: str | Mapping[str, str] | None) -> pa.Array:
    given = _given(reading, applicant_id)
    if given:
        return pa.array([given] * reading.n_transactions, pa.string())
    account = reading.rows["account"].combine_chunks()
    return pc.if_else(pc.equal(account, ""), Path(reading.file).stem, account)


def _describe(cursor: Any) -> None:
    """Classify the descriptions nobody has seen yet, once each."""
    unseen = cursor.execute(
        """
        select text, code, if(amount < 0, 'out', 'in') as direction, max(amount)::double as amount
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
    judged = categories.classify(unseen, cursor.execute("select text, direction, category from lesson order by correction_id desc").df())
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
        {"statement_id": number, "account": account, "currency": currency, **vars(balance)}
        for number, reading in zip(ids, readings, strict=True)
        for (account, currency), balance in reading.balances.items()
    ]
    money = ("opening", cells.MONEY), ("closing", cells.MONEY)
    whose = ("account", pa.string()), ("currency", pa.string())
    shape = pa.schema([("statement_id", pa.int32()), *whose, *money, ("reconciliation", pa.string())])
    cursor.register("stated", pa.Table.from_pylist(stated, shape))
    cursor.register("statements", pa.Table.from_pylist(rows, STATEMENT))
    cursor.execute("insert into statement by name select * from statements")
    cursor.execute(STATEMENT_ACCOUNTS)
    cursor.unregister("statements")
    cursor.unregister("stated")


STATEMENT = pa.schema(
    [
        ("statement_id", pa.int32()), ("file_name", pa.string()), ("sha256", pa.string()), ("format", pa.string()),
        ("dialect", pa.string()), ("status", pa.string()), ("n_transactions", pa.int32()), ("n_new", pa.int32()),
        ("n_duplicate", pa.int32()), ("sum_amount", pa.decimal128(38, 4)), ("currency", pa.string()), ("reconciliation", pa.string()),
        ("problems", pa.string()), ("source", pa.binary()), ("stored_at", pa.timestamp("us")), ("stored_by", pa.string()),
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
        "accounts": [number for number in reading.accounts if number],
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


def covered(reading: Reading) -> tuple[date | None, date | None]:
    """Return the first and the last day a file has a transaction on."""
    ends = pc.min_max(reading.rows["booked_on"]).as_py()
    return ends["min"], ends["max"]


def stored(store: Store, readings: Sequence[Reading]) -> dict[str, int]:
    """Return the statement that each of these files is already, by digest; files nobody has stored are absent."""
    digests = [reading.sha256 for reading in readings]
    return dict(store.rows("select sha256, statement_id from statement where list_contains($digests, sha256)", digests=digests))


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
    category, confidence, source, transaction_id."""
    found = store.read(
        """select line, account, booked_on, text, amount, balance, category, confidence, source, transaction_id
        from movement where statement_id = $id order by line""",
        id=statement_id,
    )
    record = store.record("select source, dialect from statement where statement_id = $id", id=statement_id)
    if record is None:
        raise UnknownThing("statement", str(statement_id))
    content = pa.input_stream(pa.BufferReader(record["source"]), compression="zstd").read()
    found.insert(1, "printed", _printed(content, json.loads(record["dialect"]), found["line"].tolist()))
    return found


def _printed(content: bytes, dialect: dict[str, Any], lines_: list[int]) -> list[str]:
    """Return the lines as they stood in the file; nothing where the format has no lines."""
    if "encoding" not in dialect or dialect.get("line") == "transaction":
        return [""] * len(lines_)
    text = content.decode(dialect["encoding"], errors="replace")
    whole = io.StringIO(text, newline="").readlines()
    return [whole[line - 1].rstrip("\r\n") for line in lines_]
