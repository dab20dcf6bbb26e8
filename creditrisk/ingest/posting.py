"""Movements of many files appended to their accounts in one transaction, each known by account, day, amount, words and number.

Nobody may break this: what the workspace or an earlier file has is never appended again, whatever the format it came in.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from creditrisk import categories, cells, pairs
from creditrisk.cells import Units
from creditrisk.ingest.reading import Reading
from creditrisk.store import now, statement, to_json

CACHED = 1 << 17  # rows hashed at once, so that what they are hashed through stays in the processor's cache


def given(reading: Reading, applicant_id: str | Mapping[str, str] | None) -> str | None:
    """Return the applicant a file was said to be of, None where nobody said."""
    return applicant_id if isinstance(applicant_id, str) else (applicant_id or {}).get(reading.file)


def append(cursor: Any, readings: list[Reading], user: str, applicant_id: str | Mapping[str, str] | None) -> dict[str, tuple[int, int]]:
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
    owner, stem = given(reading, applicant_id), Path(reading.file).stem
    return cells.each(account, lambda numbers: pa.array([owner or number or stem for number in numbers.to_pylist()], pa.string()))


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
            "dialect": to_json(reading.dialect),
            "status": reading.status,
            "n_transactions": reading.n_transactions,
            "n_new": counts.get(number, 0),
            "n_duplicate": reading.n_transactions - counts.get(number, 0),
            "sum_amount": reading.sum_amount,
            "currency": reading.currency,
            "reconciliation": reading.reconciliation,
            "problems": to_json([vars(problem) for problem in reading.problems]),
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
