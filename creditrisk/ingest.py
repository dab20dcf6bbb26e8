"""Statement files into the store: whole files or nothing, exact, reconciled, idempotent.

`read` says what a file holds and never raises for a bad one; `save` appends what the workspace does not have yet.
A movement is known by account, day, amount, words and its number among equal ones within its file, so the same file twice adds
nothing, and overlapping exports give their union, whatever their formats.
"""

import hashlib
import io
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pandas import DataFrame

from creditrisk import banks, categories, cells, formats, pairs, tabular
from creditrisk.cells import Units
from creditrisk.errors import UnknownThing, UnreadableFile
from creditrisk.reconcile import AccountBalance, Key, State, overall, reconcile
from creditrisk.settings import Settings
from creditrisk.statement import CODED, Found, Problem, Question, Refused, Unclear
from creditrisk.store import Store, now, statement
from creditrisk.store import to_json as as_json

CACHED = 1 << 17  # rows hashed at once, so that what they are hashed through stays in the processor's cache
BLANK = b"\xef\xbb\xbf \t\r\n"
_saving = threading.Lock()  # what is stored already is asked and answered for one caller at a time: two may bring the same file


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
    store.require_room(sum(len(reading.content) for reading in fresh), subject)
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
    for pool in (pa.default_memory_pool(), pa.system_memory_pool()):
        pool.release_unused()  # what reading took and gave back is what storing needs
    # A relation, for what is registered under a name stays in memory until the transaction ends.
    arrived = cursor.from_arrow(_arrived(cursor, readings, ids, applicant_id))
    arrived.query("arrived", "insert into transaction by name select * exclude (is_new) from arrived where is_new").fetchall()
    counts = dict(arrived.query("arrived", "select statement_id, count(*) from arrived where is_new group by all").fetchall())
    _append_accounts(cursor, arrived, readings, ids)
    del arrived
    _append_statements(cursor, readings, ids, counts, user)
    pairs.arrived(cursor, ids)
    return {reading.sha256: (number, int(counts.get(number, 0))) for number, reading in zip(ids, readings, strict=True)}


STATEMENT_ACCOUNTS = """
    insert into statement_account
    with covered as (
        select
            statement_id,
            account_id,
            min(booked_on) as first_on,
            max(booked_on) as last_on,
            count(*) as n_transactions,
            count(*) filter (is_new) as n_new,
            sum(amount) as sum_amount
        from arrived
        group by all
    )
    select
        covered.statement_id, covered.account_id, opening, closing, first_on, last_on, n_transactions, n_new, sum_amount,
        coalesce(reconciliation, 'not stated')
    from covered
    join account using (account_id)
    left join stated
        on stated.statement_id = covered.statement_id and stated.account = account.number and stated.currency = account.currency
"""


def _arrived(cursor: Any, readings: list[Reading], ids: list[int], applicant_id: str | Mapping[str, str] | None) -> pa.Table:
    """Return the movements of all files in integers, one row each; `is_new` is false for those the workspace or an earlier file has.

    What is distinct (accounts, descriptions) meets the database once, by its texts; rows meet it by number only.
    """
    rows = pa.concat_tables([reading.rows for reading in readings])
    applicants = cells.whole(pa.chunked_array([_applicant(reading, applicant_id) for reading in readings]))
    text, code, account, currency, booked_on, amount = (
        cells.whole(rows[name]) for name in ("text", "code", "account", "currency", "booked_on", "amount")
    )
    units = cells.from_money(amount)
    account_id, is_known = _accounts(cursor, applicants, account, currency)
    description_id, wording_id = _descriptions(cursor, text, code, units)
    moved = {"account_id": account_id, "booked_on": booked_on, "amount": amount, "wording_id": wording_id}
    statement_id = np.repeat(np.array(ids, np.int32), [reading.n_transactions for reading in readings])
    occurrence, is_new = _occurrences(cursor, moved, statement_id)
    known = np.flatnonzero(is_known & is_new)
    is_new[_stored(cursor, moved, occurrence, known)] = False
    cursor.execute("drop table same_wording")
    del moved["wording_id"]
    [(last,)] = cursor.execute("select coalesce(max(transaction_id), 0) from transaction").fetchall()
    transaction_id = last + np.cumsum(is_new)  # that of a row which is not new is never stored
    more = {"description_id": description_id, "occurrence": occurrence, "balance": rows["balance"], "line": rows["line"]}
    return pa.table({**moved, **more, "transaction_id": transaction_id, "statement_id": statement_id, "is_new": is_new})


def _applicant(reading: Reading, applicant_id: str | Mapping[str, str] | None) -> pa.DictionaryArray:
    """Return whose each movement of a file is."""
    account = cells.whole(reading.rows["account"])
    given, stem = _given(reading, applicant_id), Path(reading.file).stem
    return cells.each(account, lambda numbers: pa.array([given or number or stem for number in numbers.to_pylist()], pa.string()))


def _accounts(cursor: Any, *columns: pa.DictionaryArray) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Return the account of every row by applicant, number and currency, made where there is none, and whether there was one."""
    place, distinct = cells.together(*columns)
    names = ("place", "applicant_id", "number", "currency")
    cursor.register("holder", pa.table([pa.array(np.arange(len(distinct[0]))), *distinct], names))
    found = "from holder join account using (applicant_id, number, currency)"
    known = np.zeros(len(distinct[0]), bool)
    known[cursor.execute(f"select place {found}").fetchnumpy()["place"]] = True
    cursor.execute(
        """
        insert into account (applicant_id, number, currency)
        select applicant_id, number, currency from holder anti join account using (applicant_id, number, currency) order by all
        """
    )
    account_id = cursor.execute(f"select account_id {found} order by place").fetchnumpy()["account_id"]
    cursor.unregister("holder")
    return np.asarray(account_id, np.int32)[place], known[place]


def _descriptions(
    cursor: Any, text: pa.DictionaryArray, code: pa.DictionaryArray, units: Units
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the description of every row by text, code and direction, and the first one with these words, whatever its code.

    Those nobody has seen yet are classified, once each. `same_wording` keeps the first one of all that have the words of an arrived one.
    """
    direction = pa.DictionaryArray.from_arrays(pa.array((units < 0).view(np.int8)), pa.array(["in", "out"]))
    place, distinct = cells.together(text, code, direction)
    largest = np.full(len(distinct[0]), np.iinfo(np.int64).min)
    np.maximum.at(largest, place, units)
    names = ("place", "text", "code", "direction", "amount")
    cursor.register("said", pa.table([pa.array(np.arange(len(largest))), *distinct, pa.array(largest / cells.SCALE)], names))
    unseen = cursor.execute(
        "select text, code, direction, amount from said anti join description using (text, code, direction) order by all"
    ).df()
    if not unseen.empty:
        lessons = cursor.execute("select text, direction, category from lesson order by correction_id desc").df()
        judged = categories.classify(unseen, lessons)
        cursor.register("unseen", unseen[["text", "code", "direction"]].join(judged))
        cursor.execute(f"insert into description by name {statement('intake', 'described')}")
        cursor.unregister("unseen")
    cursor.execute(SAME_WORDING)
    found = cursor.execute(
        """
        select description_id, wording_id
        from said
        join description using (text, code, direction)
        join same_wording using (description_id)
        order by place
        """
    ).fetchnumpy()
    cursor.unregister("said")
    return np.asarray(found["description_id"], np.int32)[place], np.asarray(found["wording_id"], np.int32)[place]


SAME_WORDING = """
    create temporary table same_wording as
    select description_id, min(description_id) over (partition by letters, direction) as wording_id
    from wording
    semi join (
        select letters, wording.direction
        from said
        join description using (text, code, direction)
        join wording using (description_id)
    ) as arrived using (letters, direction)
"""


OCCURRENCES = """
    with numbered as (
        select
            *,
            row_number() over (partition by statement_id, account_id, booked_on, amount, wording_id order by place) as occurrence
        from alike
    )
    select
        place,
        occurrence::integer as occurrence,
        row_number() over (partition by account_id, booked_on, amount, wording_id, occurrence order by statement_id) = 1 as is_first
    from numbered
"""


def _occurrences(cursor: Any, moved: Mapping[str, Any], statement_id: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Number equal movements of one file from 1, and say which no earlier file has. Few rows have an equal: only those are asked."""
    occurrence, is_first = np.ones(len(statement_id), np.int32), np.ones(len(statement_id), bool)
    places = _alike([_whole_numbers(column) for column in moved.values()])
    if len(places):
        alike = pa.table(dict(moved)).append_column("statement_id", pa.array(statement_id)).take(pa.array(places))
        cursor.register("alike", alike.append_column("place", pa.array(places)))
        found = cursor.execute(OCCURRENCES).fetchnumpy()
        cursor.unregister("alike")
        occurrence[found["place"]], is_first[found["place"]] = found["occurrence"], found["is_first"]
    return occurrence, is_first


def _whole_numbers(column: Any) -> NDArray[Any]:
    if isinstance(column, np.ndarray):
        return column
    return np.asarray(column.view(pa.int64() if column.type == cells.MONEY else pa.int32()).to_numpy())


def _alike(columns: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    """Return the places of rows that may have an equal: those whose columns share a hash; a row that is not there has none.

    >>> _alike([np.array([1, 2, 1, 1]), np.array([5, 5, 5, 6])]).tolist()
    [0, 2]
    """
    n = len(columns[0])
    row = (np.uint64(1) << np.uint64(n.bit_length())) - np.uint64(1)
    mixed = np.empty(n, np.uint64)
    for part in (slice(at, min(at + CACHED, n)) for at in range(0, n, CACHED)):
        hashed = np.zeros(part.stop - part.start, np.uint64)
        for column in columns:
            hashed = (hashed + column[part].astype(np.int64).view(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
            hashed ^= hashed >> np.uint64(29)
        # The hash above, the row below: one sort brings equal hashes together and keeps the rows.
        mixed[part] = hashed * np.uint64(0xBF58476D1CE4E5B9) & ~row | np.arange(part.start, part.stop, dtype=np.uint64)
    mixed.sort()
    starts = range(0, n, CACHED)
    same = np.concatenate(
        [np.flatnonzero((mixed[at + 1 : at + CACHED + 1] ^ mixed[at : at + CACHED][: n - 1 - at]) <= row) + at for at in starts]
    )
    return np.unique(mixed[np.concatenate([same, same + 1])] & row).astype(np.int64)


def _stored(cursor: Any, moved: Mapping[str, Any], occurrence: NDArray[np.int32], known: NDArray[Any]) -> NDArray[Any]:
    """Return which of the rows `known`, those of accounts that were there before, are stored already."""
    if not len(known):
        return known
    asked = pa.table({**moved, "occurrence": occurrence})
    asked = asked if len(known) == asked.num_rows else asked.take(pa.array(known))
    cursor.register("asked", asked.append_column("place", pa.array(known)))
    found = cursor.execute(
        """
        with known as (
            select account_id, booked_on, amount, wording_id, occurrence from transaction join same_wording using (description_id)
        )
        select place from asked semi join known using (account_id, booked_on, amount, wording_id, occurrence)
        """
    ).fetchnumpy()
    cursor.unregister("asked")
    return np.asarray(found["place"])


def _append_accounts(cursor: Any, arrived: Any, readings: list[Reading], ids: list[int]) -> None:
    """Insert what each file covers of each account, of the movements that arrived, with the balances as printed."""
    stated = [
        {"statement_id": number, "account": account, "currency": currency, **vars(balance)}
        for number, reading in zip(ids, readings, strict=True)
        for (account, currency), balance in reading.balances.items()
    ]
    money = ("opening", cells.MONEY), ("closing", cells.MONEY)
    whose = ("account", pa.string()), ("currency", pa.string())
    shape = pa.schema([("statement_id", pa.int32()), *whose, *money, ("reconciliation", pa.string())])
    cursor.register("stated", pa.Table.from_pylist(stated, shape))
    arrived.query("arrived", STATEMENT_ACCOUNTS).fetchall()
    cursor.unregister("stated")


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
            "stored_at": stored_at,
            "stored_by": user,
        }
        for number, reading in zip(ids, readings, strict=True)
    ]
    source = pa.chunked_array([_squeezed(reading.content) for reading in readings])
    statements = pa.Table.from_pylist(rows, STATEMENT).append_column("source", source)
    cursor.from_arrow(statements).query("statements", "insert into statement by name select * from statements").fetchall()


def _squeezed(content: bytes) -> pa.Array:
    """Return a file compressed, as an array of one, without a second copy of it."""
    squeezed = pa.compress(content, codec="zstd")
    return pa.Array.from_buffers(pa.binary(), 1, [None, pa.py_buffer(np.array([0, squeezed.size], np.int32)), squeezed])


STATEMENT = pa.schema(
    [
        ("statement_id", pa.int32()), ("file_name", pa.string()), ("sha256", pa.string()), ("format", pa.string()),
        ("dialect", pa.string()), ("status", pa.string()), ("n_transactions", pa.int32()), ("n_new", pa.int32()),
        ("n_duplicate", pa.int32()), ("sum_amount", pa.decimal128(38, 4)), ("currency", pa.string()), ("reconciliation", pa.string()),
        ("problems", pa.string()), ("stored_at", pa.timestamp("us")), ("stored_by", pa.string()),
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
