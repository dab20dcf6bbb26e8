"""What was known of an applicant on a date: transactions become one row of declared features.

Nothing booked on or after `as_of` is read. Sums are exact (whole numbers), so a row is the same bit for bit whether it is computed
alone or among a hundred thousand. `ledger` fetches; each feature's formula over what was fetched is in `cashflow`, and nowhere else.
"""

import hashlib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection
from pandas import DataFrame

from creditrisk import cashflow, ledger, recurring
from creditrisk.coverage import Coverage
from creditrisk.errors import NotAllowed, NothingYet, UnknownThing
from creditrisk.groups import Column
from creditrisk.ledger import Asked, Ledger
from creditrisk.schema import Feature, built_in
from creditrisk.store import SQL, Store, now, quoted
from creditrisk.turnover import NOTHING

Progress = Callable[[float, str], None]


def version() -> str:
    """Return the digest of what computes features from movements: the SQL that reads and fetches, the formulas over what was fetched."""
    whole = hashlib.sha256()
    for file in (SQL / "intake" / "described.sql", *sorted((SQL / "features").glob("*.sql")), Path(cashflow.__file__)):
        whole.update(f"{file.name}\x1f".encode() + file.read_bytes())
    return whole.hexdigest()[:16]


def build(
    store: Store,
    *,
    user: str,
    as_of: date | None = None,
    applicant_ids: list[str] | None = None,
    days_before: int = 0,
    of_snapshot: int | None = None,
    progress: Progress = lambda _share, _what: None,
) -> int:
    """Compute the features of the given (else all) applicants and keep them as a new snapshot; returns its id.

    `as_of` None means: each applicant on the day of the newest application, else the day after the last transaction;
    `days_before` looks from so many days earlier, so that what came after can label what was known; `of_snapshot` counts them
    from the day each applicant has in that snapshot, and takes its applicants only. `progress` is told the share done and what is done.
    Raises NothingYet where nobody has a transaction before the date, NotAllowed where applicants are a table of the lender's own.
    """
    if store.schema.fingerprint != built_in().fingerprint:
        raise NotAllowed(
            f"The applicants of this workspace are rows of the table {store.schema.name!r}: nothing is computed from statements."
        )
    at = now()  # before the rows are read: a statement that arrives meanwhile must look newer than these features
    rows = compute(store, Asked(as_of, applicant_ids, days_before, of_snapshot), progress)
    if not len(rows):
        raise NothingYet(f"No applicant has a transaction {f'before {as_of}' if as_of else 'yet'}: store bank statements first.")
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
        cursor.register("computed", rows.append_column("snapshot_id", pa.repeat(pa.scalar(snapshot_id, pa.int32()), len(rows))))
        cursor.execute("insert into applicant by name from computed")
        cursor.unregister("computed")
    return snapshot_id


def compute(store: Store, asked: Asked, progress: Progress = lambda _share, _what: None) -> pa.Table:
    """Return applicant_id, as_of and every feature of those with transactions before the day, by applicant, and keep nothing.

    Applicants are taken in parts, so that memory holds one part's movements whatever the size of the bank.
    """
    found = []
    with store.reading() as cursor:
        blocks = ledger.blocks(ledger.files(cursor, asked))
        spoken = ledger.described(cursor) if len(blocks) > 1 else None
        for number, files in enumerate(blocks):
            progress(number / len(blocks), f"Computing the features of applicants: part {number + 1} of {len(blocks)}")
            found.append(_block(ledger.read(cursor, Coverage(files), spoken)))
    return pa.concat_tables(found) if found else pa.table({})


def _block(read: Ledger) -> pa.Table:
    known = cashflow.figures(read.coverage, read.days, read.booked, ledger.purposes())
    who, files = known.pop("who"), read.coverage.files
    first = np.flatnonzero(np.diff(files["who"], prepend=-1))[who]
    as_of = files["as_of"][first].astype("datetime64[D]")
    columns = {"applicant_id": pa.array(files["applicant_id"][first], pa.string()), "as_of": pa.array(as_of)}
    return pa.table({**columns, **{name: pa.array(values, from_pandas=True) for name, values in known.items()}})


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
        # which row is the newest is settled by narrow columns, before the wide ones are read
        f"""with newest as (
            select applicant_id, max(snapshot_id) as snapshot_id from applicant
            where snapshot_id in (select snapshot_id from snapshot where days_before = 0)
                and ($ids is null or list_contains($ids::varchar[], applicant_id))
            group by applicant_id
        )
        select snapshot_id, applicant_id, as_of, {names}
        from applicant
        join newest using (applicant_id, snapshot_id)
        order by applicant_id""",
        ids=applicant_ids,
    )


def one(store: Store, applicant_id: str) -> dict[str, Any] | None:
    """Return an applicant's newest row as a dictionary (snapshot_id, applicant_id, as_of, features), or None."""
    rows = newest(store, [applicant_id]).to_dict("records")
    return {str(name): value for name, value in rows[0].items()} if rows else None


def evidence(store: Store, applicant_id: str, as_of: date, feature: Feature) -> DataFrame:
    """Return the transactions behind a figure, newest first: booked_on, text, category, amount, account, file_name, line,
    transaction_id.

    A figure in whole times or days counts events; any other adds amounts, where money that came back stands with what it was spent on.
    """
    if feature.window_days is None:
        return _everything(store, applicant_id, as_of)
    with store.reading() as cursor:
        read = _ledger_of(cursor, applicant_id, as_of)
        rows = _behind(read, feature)
        codes = ledger.purposes()["code"]
        chosen = {"transaction_id": read.transaction_id[rows], "code": codes[read.booked.kind[rows]]}
        cursor.register("chosen", pa.table(chosen))
        return cursor.execute(
            # What each is held to be is known: to plan `movement`, which says it too, takes twice as long as all of this.
            """select transaction.booked_on, description.text, chosen.code as category, transaction.amount::double as amount,
                account.number as account, statement.file_name, transaction.line, transaction_id
            from transaction
            join chosen using (transaction_id)
            join account using (account_id)
            join description using (description_id)
            join statement using (statement_id)
            order by transaction.booked_on desc, statement.file_name, transaction.line"""
        ).df()


def _ledger_of(cursor: DuckDBPyConnection, applicant_id: str, as_of: date) -> Ledger:
    return ledger.read(cursor, Coverage(ledger.files(cursor, Asked(as_of, [applicant_id]))))


def _behind(read: Ledger, feature: Feature) -> Column:
    """Which of an applicant's movements of the last 365 days a figure is made of."""
    booked, facts = read.booked, ledger.purposes()
    is_recent = booked.age <= (feature.window_days or 0)
    counted = booked.counted_as
    if feature.behind in ("out", "net"):
        is_out = booked.is_debit | facts["is_spending"][counted]
        return is_recent & ~facts["is_own"][counted] & (is_out | (feature.behind == "net"))
    codes = np.isin(np.append(facts["code"], [""] * (NOTHING + 1 - len(facts["code"]))), feature.categories)
    rows = is_recent & (codes[booked.event] | (codes[counted] & (feature.type != "integer")) | (not feature.categories))
    if feature.behind == "stream":
        found = recurring.streams(cashflow.standing(booked, read.coverage, facts), read.coverage)
        its = (booked.merchant[:, None] == found["merchant"]) & (booked.event[:, None] == found["kind"])
        its &= booked.is_debit[:, None] == found["is_debit"]
        amount = np.abs(booked.amount)[:, None]
        rows &= (its & (amount >= found["lowest"]) & (amount <= found["highest"])).any(axis=1)
    return rows


def _everything(store: Store, applicant_id: str, as_of: date, days: int = 730) -> DataFrame:
    return store.read(
        """select booked_on, text, category, amount::double as amount, account, file_name, line, transaction_id
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
    state ('early': two payments yet, 'mature', 'ended'). How they are found stands in `recurring`.
    """
    with store.reading() as cursor:
        read = _ledger_of(cursor, applicant_id, as_of)
        facts = ledger.purposes()
        found = recurring.streams(cashflow.standing(read.booked, read.coverage, facts, every=True), read.coverage, least=2)
        is_standing = facts["is_standing"][found["kind"]]
        shown = is_standing | ((found["n"] >= 3) & (found["met"] >= 0.75 * found["expected"]))
        columns = {name: column[shown] for name, column in found.items()}
        cursor.register("stream", pa.table({**columns, "code": facts["code"][columns["kind"]]}))
        return cursor.execute(
            """select
                coalesce(nullif(description.cleaned, ''), description.text) as name,
                stream.code as category,
                if(stream.is_debit, 'out', 'in') as direction,
                stream.cadence,
                round(stream.period)::integer as period_days,
                stream.n,
                $as_of::date - stream.first_age::integer as first_on,
                $as_of::date - stream.last_age::integer as last_on,
                $as_of::date - round(stream.next_age)::integer as next_on,
                stream.amount,
                stream.met / stream.expected as regularity,
                stream.state
            from stream
            join description on description.description_id = stream.merchant
            order by direction, stream.amount desc, name, stream.first_age""",
            {"as_of": as_of},
        ).df()
