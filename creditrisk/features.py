"""What was known of an applicant on a date: transactions become one row of declared features.

Nothing booked on or after `as_of` is read. Sums are exact (decimal, integer), so a row is the same bit for bit whether it
is computed alone or among a hundred thousand. The steps in `sql/features/` add up, follow balances and find streams; each
feature's formula over them is in `cashflow`, and nowhere else.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from typing import Any

import numpy as np
from duckdb import DuckDBPyConnection, connect
from pandas import DataFrame

from creditrisk import cashflow, categories
from creditrisk.errors import NotAllowed, NothingYet, UnknownThing
from creditrisk.schema import Feature, built_in
from creditrisk.store import Store, now, quoted, statement

SEEN = ("file", "held", "hole", "coverage")
BOOKED = (*SEEN, "purpose", "described", "restated", "booked")
BALANCE = ("day", "known", "balance")
STREAM = ("payee", "stream")
STEPS = (*BOOKED, *BALANCE, "latest", "tally", "turnover", "basic", "rhythm", "activity", "level", "buffer", *STREAM, "recurring", "lender")
PARAMETER = re.compile(r"\$(\w+)")


def build(
    store: Store,
    *,
    user: str,
    as_of: date | None = None,
    applicant_ids: list[str] | None = None,
    days_before: int = 0,
    of_snapshot: int | None = None,
) -> int:
    """Compute the features of the given (else all) applicants and keep them as a new snapshot; returns its id.

    `as_of` None means: each applicant on the day of the newest application, else the day after the last transaction;
    `days_before` looks from so many days earlier, so that what came after can label what was known; `of_snapshot` counts them
    from the day each applicant has in that snapshot, and takes its applicants only.
    Raises NothingYet where nobody has a transaction before the date, NotAllowed where applicants are a table of the lender's own.
    """
    if store.schema.fingerprint != built_in().fingerprint:
        raise NotAllowed(
            f"The applicants of this workspace are rows of the table {store.schema.name!r}: nothing is computed from statements."
        )
    at = now()  # before the rows are read: a statement that arrives meanwhile must look newer than these features
    rows = _figures(store, as_of, applicant_ids, days_before, of_snapshot)
    if rows.empty:
        raise NothingYet(f"No applicant has a transaction {f'before {as_of}' if as_of else 'yet'}: store bank statements first.")
    columns = ", ".join(quoted(name) for name in ["applicant_id", "as_of", *(feature.name for feature in store.schema)])
    with store.write(user, "features", "snapshot", as_of=as_of, applicants=len(rows)) as cursor:
        facts = {
            "as_of": as_of,
            "days_before": days_before,
            "fingerprint": store.schema.fingerprint,
            "n": len(rows),
            "is_whole": applicant_ids is None,
        }
        made = cursor.execute(
            """insert into snapshot (as_of, days_before, schema_fingerprint, n_applicants, is_whole, created_at, created_by)
            values ($as_of, $days_before, $fingerprint, $n, $is_whole, $at, $user) returning snapshot_id""",
            {**facts, "at": at, "user": user},
        ).fetchall()
        snapshot_id = int(made[0][0])
        cursor.register("computed", rows)
        cursor.execute(f"insert into applicant (snapshot_id, {columns}) select $id, {columns} from computed", {"id": snapshot_id})
    return snapshot_id


def _figures(store: Store, as_of: date | None, applicant_ids: list[str] | None, days_before: int, of_snapshot: int | None) -> DataFrame:
    """Return applicant_id, as_of and every feature of those with transactions before the day, by applicant."""
    with _steps(store, as_of, applicant_ids, STEPS, days_before=days_before, of_snapshot=of_snapshot) as cursor:
        who = cursor.execute("select who, applicant_id, cohort.as_of from cohort join activity using (who) order by who").df()
        if who.empty:
            return who
        found = {step: _columns(cursor.execute(f"from {step}").fetchnumpy()) for step in cashflow.KEPT}
    known = cashflow.figures(found)
    return DataFrame({"applicant_id": who["applicant_id"], "as_of": who["as_of"], **known}).drop(columns="who")


def _columns(fetched: dict[str, Any]) -> dict[str, Any]:
    """Columns with NaN where a value is missing."""
    return {
        name: np.ma.filled(column.astype(np.float64), np.nan) if np.ma.isMaskedArray(column) else column for name, column in fetched.items()
    }


def latest_snapshot(store: Store) -> int | None:
    """Return the newest snapshot of everybody as they are, or None."""
    return store.value("select max(snapshot_id) from snapshot where is_whole and days_before = 0")  # type: ignore[no-any-return]


def table(store: Store, snapshot_id: int | None = None) -> DataFrame:
    """Return the ML-ready table: applicant_id, as_of, then every declared feature (NaN where unknown), by applicant.

    Raises NothingYet where no features have been computed, UnknownThing for a snapshot nobody made.
    """
    chosen = latest_snapshot(store) if snapshot_id is None else snapshot_id
    if chosen is None:
        raise NothingYet("There are no features yet: store bank statements, then compute features.")
    if store.value("select 1 from snapshot where snapshot_id = $id", id=chosen) is None:
        raise UnknownThing("snapshot", str(chosen))
    names = ", ".join(quoted(feature.name) for feature in store.schema)
    rows = store.read(f"select applicant_id, as_of, {names} from applicant where snapshot_id = $id order by applicant_id", id=chosen)
    return rows.copy()  # joins the columns, which came one by one, into blocks: adding to a hundred loose ones is slow


def newest(store: Store, applicant_ids: list[str] | None = None) -> DataFrame:
    """Return each given (else every) applicant's newest row: snapshot_id, applicant_id, as_of, then every declared feature."""
    names = ", ".join(quoted(feature.name) for feature in store.schema)
    return store.read(
        f"""select snapshot_id, applicant_id, as_of, {names} from applicant
        where snapshot_id in (select snapshot_id from snapshot where days_before = 0)
            and ($ids is null or list_contains($ids::varchar[], applicant_id))
        qualify row_number() over (partition by applicant_id order by snapshot_id desc) = 1
        order by applicant_id""",
        ids=applicant_ids,
    )


def one(store: Store, applicant_id: str) -> dict[str, Any] | None:
    """Return an applicant's newest row as a dictionary (snapshot_id, applicant_id, as_of, features), or None."""
    rows = newest(store, [applicant_id]).to_dict("records")
    return {str(name): value for name, value in rows[0].items()} if rows else None


def evidence(store: Store, applicant_id: str, as_of: date, feature: Feature) -> DataFrame:
    """Return the transactions behind a figure, newest first: booked_on, text, category, amount, account, file_name, line, confidence,
    source, transaction_id.

    A figure in whole times or days counts events; any other adds amounts, where money that came back stands with what it was spent on.
    """
    if feature.window_days is None:
        return _everything(store, applicant_id, as_of)
    where = {
        "out": "not counted.is_own and (booked.amount < 0 or counted.is_spending)",
        "net": "not counted.is_own",
        "stream": f"{OF_CATEGORIES} and {IN_STREAM}",
        "": OF_CATEGORIES,
    }[feature.behind]
    return _over(
        store,
        as_of,
        [applicant_id],
        (*BOOKED, *STREAM) if feature.behind == "stream" else BOOKED,
        f"""select movement.booked_on, movement.text, shown.code as category, booked.amount::double as amount, movement.account,
            statement.file_name, movement.line, movement.confidence, movement.source, transaction_id
        from booked
        join movement using (transaction_id)
        join statement using (statement_id)
        join purpose as shown on shown.number = booked.kind
        join purpose as counted on counted.number = booked.counted_as
        left join purpose as happened on happened.number = booked.event
        where booked.age <= $days and {where}
        order by movement.booked_on desc, statement.file_name, movement.line""",
        days=feature.window_days,
        categories=list(feature.categories),
        is_events=feature.type == "integer",
    )


OF_CATEGORIES = """(len($categories::varchar[]) = 0 or list_contains($categories::varchar[], happened.code)
    or (not $is_events::boolean and list_contains($categories::varchar[], counted.code)))"""
IN_STREAM = """exists (
    from stream
    where stream.merchant = booked.merchant and stream.kind = booked.event and stream.is_debit = (booked.amount < 0)
        and abs(booked.amount) between stream.lowest and stream.highest and stream.n >= 3
)"""


def _everything(store: Store, applicant_id: str, as_of: date, days: int = 730) -> DataFrame:
    return store.read(
        """select booked_on, text, category, amount::double as amount, account, file_name, line, confidence, movement.source,
            transaction_id
        from movement
        join statement using (statement_id)
        where applicant_id = $applicant_id and booked_on < $as_of::date and booked_on >= $as_of::date - $days
        order by booked_on desc, file_name, line""",
        applicant_id=applicant_id,
        as_of=as_of,
        days=days,
    )


def streams(store: Store, applicant_id: str, as_of: date) -> DataFrame:
    """Return what recurs on an applicant's accounts, in their last year before `as_of`; money in first, then the largest.

    Money that need not recur (food, shops, cash, fees …) is shown where three of four due dates were met.

    Columns: name (the merchant's words), category, direction ('in'/'out'), cadence ('weekly', 'biweekly', 'semi-monthly', 'four-weekly',
    'monthly', 'quarterly'), period_days, n, first_on, last_on, next_on, amount (typical, positive), regularity (0-1: due dates met),
    state ('early': two payments yet, 'mature', 'ended'). How they are found stands in `sql/features/stream.sql`.
    """
    return _over(
        store,
        as_of,
        [applicant_id],
        (*BOOKED, *STREAM),
        """select
            coalesce(nullif(description.cleaned, ''), description.text) as name,
            purpose.code as category,
            if(stream.is_debit, 'out', 'in') as direction,
            stream.cadence,
            round(stream.period)::integer as period_days,
            stream.n,
            coverage.as_of - stream.first_age as first_on,
            coverage.as_of - stream.last_age as last_on,
            coverage.as_of - round(stream.next_age)::integer as next_on,
            stream.amount,
            stream.met / stream.expected as regularity,
            stream.state
        from stream
        join coverage using (who)
        join purpose on purpose.number = stream.kind
        join description on description.description_id = stream.merchant
        where purpose.is_standing or (stream.n >= 3 and stream.met >= 0.75 * stream.expected)
        order by direction, stream.amount desc, name, stream.first_age""",
        every=True,
    )


def _over(
    store: Store, as_of: date | None, applicant_ids: list[str] | None, steps: tuple[str, ...], query: str, **values: Any
) -> DataFrame:
    """Run a query that may read the cohort and the named steps."""
    with _steps(store, as_of, applicant_ids, steps, **values) as cursor:
        return cursor.execute(query, {name: values[name] for name in PARAMETER.findall(query)}).df()


@contextmanager
def _steps(
    store: Store, as_of: date | None, applicant_ids: list[str] | None, steps: tuple[str, ...], **values: Any
) -> Iterator[DuckDBPyConnection]:
    """Lend a cursor on which the cohort and the named steps are tables, each computed once and from those before it.

    Every step is a temporary table: its size is known when the next is planned, and its name lives as long as the cursor.
    """
    given = {"as_of": as_of, "ids": applicant_ids, "days_before": 0, "of_snapshot": None, "every": False, **values}
    with store.reading(purposes=_purposes()) as cursor:
        for step in ("cohort", *steps):
            text = "from purposes" if step == "purpose" else statement("features", step)
            cursor.execute(f"create or replace temp table {step} as {text}", {name: given[name] for name in PARAMETER.findall(text)})
        yield cursor


@cache
def _purposes() -> DataFrame:
    """What is true of each category: the step that no statement changes, computed once."""
    known = categories.taxonomy().values()
    facts = [(kind.code, number, kind.group, kind.direction, kind.protected, kind.meaning) for number, kind in enumerate(known)]
    kinds = DataFrame(facts, columns=["code", "number", "class", "direction", "protected", "meaning"])
    with connect() as apart:
        apart.register("category", kinds)
        return apart.execute(statement("features", "purpose")).df()
