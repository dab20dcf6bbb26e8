"""Recency, frequency and monetary value, by hand."""

from datetime import date

import pytest
from pandas import DataFrame

from creditrisk import rfm
from creditrisk.errors import InvalidInput
from creditrisk.store import Store
from tests.test_conduct import store_file

AS_OF = date(2025, 7, 1)
FILE = """Account,Currency,Date,Description,Amount,Balance
A,EUR,2024-06-30,GROCERS,-50.00,950.00
A,EUR,2025-05-01,SALARY ACME,900.00,1850.00
A,EUR,2025-06-01,GROCERS,-10.10,1839.90
A,EUR,2025-06-21,GROCERS,-20.20,1819.70
A,EUR,2025-07-01,GROCERS,-99.00,1720.70
"""
TABLE = DataFrame(
    {
        "who": ["x", "x", "x", "y", "y", "", "z"],
        "when": ["2025-06-01", "2025-06-21", "2025-07-01", "2025-06-30", "30.06.2025", "2025-06-01", "2024-01-01"],
        "paid": ["10.10", "20.20", "99", "5", "7", "1", "3"],
    }
)


def told(found: DataFrame) -> list[tuple[object, ...]]:
    columns = ["applicant_id", "recency_days", "frequency", "monetary"]
    return [tuple(row) for row in found[columns].astype(object).to_numpy().tolist()]


def test_of_stored_movements_only_what_lies_in_the_window_counts(store: Store) -> None:
    store_file(store, "a.csv", FILE)
    assert told(rfm.stored(store, AS_OF)) == [("ann", 10, 2, 30.3)]
    assert told(rfm.stored(store, AS_OF, direction="both")) == [("ann", 10, 3, 930.3)]
    assert told(rfm.stored(store, AS_OF, direction="in")) == [("ann", 61, 1, 900.0)]
    assert told(rfm.stored(store, AS_OF, days=366)) == [("ann", 10, 3, 80.3)]
    assert told(rfm.stored(store, AS_OF, days=5)) == []


def test_of_any_table_of_transactions_and_its_bad_rows_are_named(store: Store) -> None:
    found, problems = rfm.of_table(store, TABLE, AS_OF, id="who", day="when", amount="paid")
    assert told(found) == [("x", 10, 2, 30.3), ("y", 1, 1, 5.0)]
    assert [problem.message for problem in problems] == [
        "Row 5: when is '30.06.2025'; it should be a date like 2026-01-31.",
        "Row 6: who is empty.",
    ]


def test_the_order_of_the_rows_changes_nothing(store: Store) -> None:
    one, _ = rfm.of_table(store, TABLE, AS_OF, id="who", day="when", amount="paid")
    other, _ = rfm.of_table(store, TABLE[::-1], AS_OF, id="who", day="when", amount="paid")
    assert one.equals(other)


def test_what_cannot_be_asked_is_refused(store: Store) -> None:
    with pytest.raises(InvalidInput, match="There is no column 'sum'; there are who, when, paid"):
        rfm.of_table(store, TABLE, AS_OF, id="who", day="when", amount="sum")
    with pytest.raises(InvalidInput, match="A direction is one of in, out, both"):
        rfm.stored(store, AS_OF, direction="up")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="between 1 and 3,650 days"):
        rfm.stored(store, AS_OF, days=0)
