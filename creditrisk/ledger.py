"""What is stored of some applicants, fetched once as columns in order: files of their accounts, movements, what those are held to be.

The database only fetches, in few plain queries, so that one applicant costs milliseconds; whatever is made of it goes over arrays that
know no database. Nothing booked on or after `as_of` is handed on. Days are whole numbers from 1970, money is whole ten-thousandths.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection, connect
from pandas import DataFrame, factorize

from creditrisk import balances, categories
from creditrisk.balances import Days
from creditrisk.coverage import Coverage
from creditrisk.groups import Column, Integers, groups, order, places
from creditrisk.store import statement
from creditrisk.turnover import NOTHING, Booked

Table = dict[str, Column]
MOST_ROWS, MOST_APPLICANTS = 1_000_000, 2_000  # of a block: what is held in memory at a time
FAR = 365
NEVER = -(2**31)
EPOCH = date(1970, 1, 1).toordinal()


JUDGED_AGAIN = "select 1 from correction union all select 1 from judgement limit 1"  # to plan the view takes longer than to ask
CORRECTED = "select transaction_id, category from correction_current where transaction_id between $first and $last"


@dataclass(frozen=True)
class Ledger:
    """Movements of some applicants before `as_of`.

    `booked` are those of the last 365 days; of each `transaction_id`, and in `kind` what it is shown as.
    """

    coverage: Coverage
    days: Days
    booked: Booked
    transaction_id: Integers


@cache
def purposes() -> Table:
    """What is true of each category, in order of its number: `sql/features/purpose.sql`, which no statement changes."""
    known = categories.taxonomy().values()
    said = [(kind.code, number, kind.group, kind.direction, kind.protected) for number, kind in enumerate(known)]
    kinds = DataFrame(said, columns=["code", "number", "class", "direction", "protected"])
    with connect() as apart:
        apart.register("category", kinds)
        return _fetched(apart, f"{statement('features', 'purpose')} order by number")


@cache
def _numbers() -> dict[str, int]:
    return {str(code): int(number) for code, number in zip(purposes()["code"], purposes()["number"], strict=True)}


@dataclass(frozen=True)
class Asked:
    """Who is looked at, and as of when.

    As of `as_of` where given, else the day of the newest application, else the day after the last transaction; `days_before` that. With
    `of_snapshot`: that snapshot's applicants only, and of each the day it has there, whatever has arrived since.
    """

    as_of: date | None = None
    applicant_ids: list[str] | None = None
    days_before: int = 0
    of_snapshot: int | None = None


def files(cursor: DuckDBPyConnection, asked: Asked, standing_for: str = "", given: Mapping[str, Any] | None = None) -> Table:
    """Return the rows of `sql/features/file.sql` that begin before `as_of`, by applicant and account, with it and `who` from 0.

    `standing_for` begins the query with terms that stand for its tables, such as accounts taken for applicants; `given` are their values.
    """
    ids = {"ids": asked.applicant_ids}
    fetched = _fetched(cursor, f"{standing_for} {statement('features', 'file')}", {**ids, **(given or {})})
    rows = np.lexsort((fetched["account_id"], fetched["applicant_id"]))
    found = {name: column[rows] for name, column in fetched.items()}
    its = groups(found["applicant_id"])
    people, day = its.first(found["applicant_id"]), its.max(found["last_on"]) + 1
    if asked.of_snapshot is not None:
        known = _days(cursor, "looked", of_snapshot=asked.of_snapshot)
        day = np.array([known.get(name, NEVER) for name in people], np.int64)
    elif asked.as_of is not None:
        day = np.full(len(people), asked.as_of.toordinal() - EPOCH)
    else:
        known = _days(cursor, "applied", **ids)
        day = np.array([known.get(name, last) for name, last in zip(people, day.tolist(), strict=True)], np.int64)
    found["as_of"] = np.repeat(day - asked.days_before, its.size)
    seen = found["first_on"] < found["as_of"]
    kept = {name: column[seen] for name, column in found.items()}
    return {"who": groups(kept["applicant_id"]).of_row, **kept}


def _fetched(cursor: DuckDBPyConnection, query: str, given: Mapping[str, Any] | None = None) -> Table:
    """Return the columns of an answer, masked where a value is missing."""
    return {
        name: np.ma.asarray(column) if np.ma.isMaskedArray(column) else np.asarray(column)
        for name, column in cursor.execute(query, given).fetchnumpy().items()
    }


def _days(cursor: DuckDBPyConnection, step: str, **given: Any) -> dict[str, int]:
    found = _fetched(cursor, statement("features", step), given)
    return dict(zip(found["applicant_id"].tolist(), found["as_of"].tolist(), strict=True))


def blocks(files: Table) -> list[Table]:
    """Cut files into those of so many applicants as are computed at a time; `who` counts from 0 in each."""
    its = groups(files["who"])
    before = np.cumsum(its.sum(files["n_transactions"].astype(np.int64)))
    block = np.maximum(before // MOST_ROWS, np.arange(len(its)) // MOST_APPLICANTS)
    cuts = its.at[1:][np.diff(block) > 0]
    parts = zip(np.append(0, cuts), np.append(cuts, len(files["who"])), strict=True) if len(its) else ()
    cut = ({name: column[first:last] for name, column in files.items()} for first, last in parts)
    return [{**part, "who": part["who"] - part["who"][0]} for part in cut]


def moved(cursor: DuckDBPyConnection, coverage: Coverage) -> Table:
    """Return the movements of the accounts held: account (its place), age, booked_on, amount, transaction_id, description_id."""
    accounts = coverage.account_id.tolist()
    found = _fetched(cursor, statement("features", "moved"), {"accounts": accounts})
    account = places(coverage.account_id, found.pop("account_id"))
    age = coverage.as_of[coverage.owner[account]] - found["booked_on"]
    past = {name: column if (age > 0).all() else column[age > 0] for name, column in {"account": account, "age": age, **found}.items()}
    rows = order(past["account"], past["booked_on"])
    return {name: column[rows] for name, column in past.items()}


def days(movements: Table) -> Days:
    """Add up movements by account and day."""
    return balances.days(movements["account"], movements["booked_on"], movements["amount"])


def read(cursor: DuckDBPyConnection, coverage: Coverage, spoken: Table | None = None) -> Ledger:
    """Fetch the movements behind some files; `spoken` is what `described` says of all descriptions, where it has been asked already."""
    movements = moved(cursor, coverage)
    words = described(cursor, np.unique(movements["description_id"])) if spoken is None else spoken
    place = places(words["description_id"], movements["description_id"])
    kind, event, counted_as = _held_to_be(cursor, movements, words["kind"][place], coverage)
    is_near = movements["age"] <= FAR
    near = slice(None) if is_near.all() else np.flatnonzero(is_near)
    booked = Booked(
        account=movements["account"][near],
        age=movements["age"][near],
        amount=movements["amount"][near],
        kind=kind[near],
        event=event[near],
        counted_as=counted_as[near],
        merchant=words["merchant"][place[near]],
        is_direct_debit=words["is_direct_debit"][place[near]],
        names_savings=words["names_savings"][place[near]],
    )
    return Ledger(coverage, days(movements), booked, movements["transaction_id"][near])


def described(cursor: DuckDBPyConnection, description_ids: Integers | None = None) -> Table:
    """Return of descriptions (all, where none are given) description_id, kind, merchant, is_direct_debit, names_savings.

    Descriptions with the same words are of one merchant, the first of them, whatever way the money went; those without words are told
    apart by category.
    """
    if description_ids is None:
        description_ids = _fetched(cursor, "select description_id from description")["description_id"]
    held = "description_current" if cursor.execute(JUDGED_AGAIN).fetchall() else "description"
    cursor.register("spoken", pa.table({"description_id": description_ids}))
    found = _fetched(cursor, f"with held as (from {held}) {statement('features', 'described')}")
    cursor.unregister("spoken")
    category, words = found.pop("category"), found.pop("cleaned")
    its, distinct = factorize(np.where(words == "", "\0" + category, words))
    first = np.zeros(len(distinct), np.int64)
    first[its[::-1]] = found["description_id"][::-1]  # of rows that meet, numpy keeps the last: here the first
    return {**found, "kind": _number(category), "merchant": first[its]}


def _number(codes: Column) -> Integers:
    """The numbers of categories."""
    its, distinct = factorize(codes)
    return np.array([_numbers()[code] for code in distinct], np.int64)[its]


def _held_to_be(cursor: DuckDBPyConnection, movements: Table, said: Integers, coverage: Coverage) -> tuple[Integers, Integers, Integers]:
    """Return of movements what each is shown as, what it is as an event, and what it counts as.

    A person's word about this very movement stands before its pair, and that before what its description says. A pair is known once both
    of its movements are booked; before that each is what it seemed to be. A fee that was paid back is no event, and neither is a payment
    that the bank returned. Money that comes back counts against what it was spent on, so that a refunded purchase is no spending and a
    reversed fee no fee; where nobody knows what was bought it is a refund.
    """
    ids = movements["transaction_id"]
    if not len(ids):
        return said, said, said
    cursor.register("asked", pa.table({"transaction_id": ids}))
    paired = _fetched(cursor, statement("features", "paired"))
    cursor.unregister("asked")
    corrected = _fetched(cursor, CORRECTED, {"first": int(ids.min()), "last": int(ids.max())})
    if not len(corrected["category"]) + len(paired["kind"]):
        return said, said, said
    by_id = np.argsort(ids)

    def place(asked: Integers) -> Integers:
        return by_id[np.minimum(np.searchsorted(ids, asked, sorter=by_id), len(ids) - 1)]

    kind, is_own = said.copy(), np.zeros(len(ids), bool)
    own = place(corrected["transaction_id"])
    is_here = ids[own] == corrected["transaction_id"]
    own = own[is_here]
    kind[own], is_own[own] = _number(corrected["category"][is_here]), True
    event, counted_as, seemed = kind.copy(), kind.copy(), kind.copy()

    row = place(paired["transaction_id"])
    is_known = (paired["known_on"] < coverage.as_of[coverage.owner[movements["account"][row]]]) & ~is_own[row]
    row, why = row[is_known], paired["kind"][is_known]
    is_shown = ~np.ma.getmaskarray(paired["category"])[is_known]
    kind[row[is_shown]] = _number(np.ma.getdata(paired["category"])[is_known][is_shown])
    is_undone = (why == "reversed fee") | ((why == "returned item") & ~is_shown)
    event[row] = np.where(is_undone, NOTHING, kind[row])
    partner = paired["partner_id"][is_known]
    bought = np.where(ids[place(partner)] == partner, seemed[place(partner)], _numbers()["UNKNOWN"])
    bought = np.where(bought == _numbers()["UNKNOWN"], _numbers()["REFUND"], bought)
    came_back = is_shown & (why != "own transfer")
    counted_as[row] = np.where(came_back, bought, kind[row])
    return kind, event, counted_as
