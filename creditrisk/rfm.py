"""Recency, frequency and monetary value of applicants' movements, as of a date: of stored statements, or of any table of transactions.

Nothing booked on or after the date is read, and amounts are added exactly. Who moved nothing in the window has no row.
"""

from dataclasses import replace
from datetime import date
from typing import Literal, get_args

from pandas import DataFrame

from creditrisk import rows
from creditrisk.errors import InvalidInput
from creditrisk.rows import Problem
from creditrisk.schema import Feature, Schema
from creditrisk.store import Store, statement

Direction = Literal["in", "out", "both"]
TRANSACTIONS = Schema("transactions", (Feature("amount", "Amount"),))
DAYS = 365


def stored(store: Store, as_of: date, *, days: int = DAYS, direction: Direction = "out", of_snapshot: int | None = None) -> DataFrame:
    """Return the figures of everybody with stored movements in the window, own transfers left out.

    Columns: applicant_id, as_of, recency_days, frequency (movements), monetary (their sum, positive). `direction` 'out' is money spent.
    With `of_snapshot` each applicant's days are counted back from the day they have in that snapshot, which takes the place of `as_of`.
    """
    _possible(days, direction)
    with store.reading() as cursor:
        cursor.execute(f"create or replace temp table moved as {statement('rfm', 'stored')}")
        if of_snapshot is not None:
            cursor.execute(
                f"create or replace temp table moved as {statement('rfm', 'shifted')}", {"as_of": as_of, "of_snapshot": of_snapshot}
            )
        return cursor.execute(statement("rfm", "rfm"), {"as_of": as_of, "days": days, "direction": direction}).df()


def of_table(
    store: Store, table: DataFrame, as_of: date, *, id: str, day: str, amount: str, days: int = DAYS, direction: Direction = "both"
) -> tuple[DataFrame, list[Problem]]:
    """Return the same figures of a table of transactions, and what is wrong with the rows that were left out.

    `id`, `day` and `amount` name its columns; a table that writes amounts without sign wants 'both'. Nothing is stored.
    """
    _possible(days, direction)
    named = {id: "applicant_id", day: "as_of", amount: "amount"}
    for column in named:
        if column not in table.columns:
            raise InvalidInput(f"There is no column {column!r}; there are {', '.join(map(str, table.columns))}.")
    read, wrong = rows.check(TRANSACTIONS, table[list(named)].rename(columns=named))
    given = {own: column for column, own in named.items()}
    problems = [
        replace(each, column=given[each.column], message=each.message.replace(f": {each.column} ", f": {given[each.column]} ", 1))
        for each in wrong
    ]
    said = {(problem.row, problem.column) for problem in problems}
    for own, column in given.items():
        empty = [row for row, is_empty in enumerate(read[own].isna(), 1) if is_empty and (row, column) not in said]
        problems += [Problem(row, column, "", f"Row {row}: {column} is empty.") for row in empty]
    moved = read.dropna().rename(columns={"as_of": "booked_on"})
    with store.reading(given=moved) as cursor:
        cursor.execute(
            """create or replace temp table moved as
            select applicant_id::varchar as applicant_id, booked_on::date as booked_on, amount::decimal(18, 4) as amount from given"""
        )
        found = cursor.execute(statement("rfm", "rfm"), {"as_of": as_of, "days": days, "direction": direction}).df()
    return found, sorted(problems, key=lambda problem: problem.row)


def _possible(days: int, direction: str) -> None:
    if direction not in get_args(Direction):
        raise InvalidInput(f"A direction is one of {', '.join(get_args(Direction))}, not {direction!r}.")
    if not 1 <= days <= 3_650:
        raise InvalidInput(f"A window has between 1 and 3,650 days, not {days}.")
