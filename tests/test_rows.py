"""Rows from outside: typed to the last bit, or refused with row, column, value and rule."""

import math
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas import DataFrame, Series

from creditrisk import cells
from creditrisk.errors import InvalidInput
from creditrisk.rows import check, columns, complaint, outcomes
from creditrisk.schema import Feature, Schema, built_in

SCHEMA = Schema(
    "small",
    (
        Feature("income", "Income", low=0),
        Feature("months", "Months", type="integer", low=0, high=6),
        Feature("purpose", "Purpose", type="choice", choices=("car", "home")),
        Feature("owner", "Owner", type="flag"),
    ),
)


def test_a_row_becomes_every_declared_feature_in_order() -> None:
    table, problems = check(SCHEMA, [{"owner": True, "months": 3, "applicant_id": " A1 ", "as_of": "2026-01-31"}])
    assert problems == []
    assert list(table.columns) == ["applicant_id", "as_of", "income", "months", "purpose", "owner"]
    assert table["applicant_id"].tolist() == ["A1"]
    assert table["as_of"].tolist() == [date(2026, 1, 31)]
    assert math.isnan(table["income"][0])
    assert table[["months", "owner"]].to_numpy().tolist() == [[3.0, 1.0]]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("income", "12,5", "Row 2: income is '12,5'; it should be a number."),
        ("income", "1_000", "Row 2: income is '1_000'; it should be a number."),
        ("income", -1, "Row 2: income is -1; the least allowed is 0."),
        ("income", float("inf"), "Row 2: income is inf; it should be a finite number."),
        ("income", "1e999", "Row 2: income is 1e999; it should be a finite number."),
        ("income", 10**400, "Row 2: income is too large a number."),
        ("income", True, "Row 2: income is True; it should be a number."),
        ("income", [1], "Row 2: income is [1]; it should be a number."),
        ("months", 2.5, "Row 2: months is 2.5; it should be a whole number."),
        ("months", 7, "Row 2: months is 7; the most allowed is 6."),
        ("purpose", "boat", "Row 2: purpose is 'boat'; it should be one of car, home."),
        ("as_of", "31.02.2026", "Row 2: as_of is '31.02.2026'; it should be a date like 2026-01-31."),
        ("applicant_id", "A\x00", "Row 2: applicant_id is 'A\\x00'; it should be at most 200 printable characters."),
    ],
)
def test_a_bad_value_is_named(column: str, value: object, message: str) -> None:
    table, problems = check(SCHEMA, [{"applicant_id": "A1"}, {column: value}])
    assert [problem.message for problem in problems] == [message]
    assert (problems[0].row, problems[0].column) == (2, column)
    assert len(table) == 2


def test_a_frame_is_checked_like_single_rows() -> None:
    frame = DataFrame({"income": [1.0, np.inf, -2.0, np.nan], "months": [1, 2, 3, 9]})
    found = [problem.message for problem in check(SCHEMA, frame)[1]]
    assert check(SCHEMA, frame)[0]["income"].isna().tolist() == [False, True, True, True]
    alone = [problem.message for problem in check(SCHEMA, frame.to_dict("records"))[1]]
    assert found == alone
    assert len(found) == 3


def test_what_nobody_declared_refuses_the_table() -> None:
    with pytest.raises(InvalidInput, match="Nothing called incme is declared in schema 'small'"):
        check(SCHEMA, [{"incme": 3}])


@pytest.mark.parametrize("missing", [None, "", "NA", "nan", "NULL", float("nan"), np.float64("nan")])
def test_missing_has_many_spellings(missing: object) -> None:
    table, problems = check(SCHEMA, [{"income": missing, "purpose": missing, "applicant_id": missing}])
    assert problems == []
    assert table[["income", "purpose"]].isna().all(axis=None)
    assert table["applicant_id"].tolist() == [None]


def test_numbers_of_other_kinds_are_numbers() -> None:
    table, problems = check(SCHEMA, [{"income": value} for value in (Decimal("2.5"), np.int64(3), np.float32(0.5), "4", 5)])
    assert problems == []
    assert table["income"].tolist() == [2.5, 3.0, 0.5, 4.0, 5.0]


@given(st.lists(st.floats(0, allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_text_is_read_to_the_last_bit(values: list[float]) -> None:
    table, problems = check(SCHEMA, DataFrame({"income": [repr(value) for value in values]}, dtype=str))
    assert problems == []
    assert table["income"].tolist() == values


def test_a_complaint_is_the_same_as_in_a_table() -> None:
    feature = built_in()["days_negative_90d"]
    assert complaint(feature, None) is None
    assert complaint(feature, 91) == "is 91; the most allowed is 90"


def test_outcomes_are_read_and_the_doubtful_set_aside() -> None:
    frame = DataFrame({"who": ["A", "B", "C", "", "E"], "bad": ["1", "no", "maybe", "0", ""], "day": ["2026-01-01", "", "", "", ""]})
    observed, problems = outcomes(frame, id_column="who", bad_column="bad", date_column="day")
    assert observed.to_dict("records") == [
        {"applicant_id": "A", "observed_bad": True, "observed_on": date(2026, 1, 1)},
        {"applicant_id": "B", "observed_bad": False, "observed_on": None},
    ]
    assert [problem.message for problem in problems] == [
        "Row 3: bad is 'maybe'; it should be 1 or 0, true or false, yes or no, bad or good.",
        "Row 4: who is empty.",
        "Row 5: bad is empty.",
    ]
    with pytest.raises(InvalidInput, match="There is no column 'worse'; there are who, bad, day"):
        outcomes(frame, id_column="who", bad_column="worse")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (["930705", "961231"], [date(1993, 7, 5), date(1996, 12, 31)]),
        ([930705, 961231], [date(1993, 7, 5), date(1996, 12, 31)]),
        (["31.12.2020", None, "1.2.2021"], [date(2020, 12, 31), None, date(2021, 2, 1)]),
        (["31/12/2020", "01/02/2021", "soon"], [date(2020, 12, 31), date(2021, 2, 1)]),
        (["01/02/2021", "03/04/2021"], []),  # the day or the month first: nobody can tell
    ],
)
def test_days_of_outcomes_are_read_in_the_one_format_their_column_leaves(written: list[object], read: list[date | None]) -> None:
    frame = DataFrame({"who": ["A", "B", "C"][: len(written)], "bad": 1, "day": Series(written, dtype=object)})
    observed, problems = outcomes(frame, id_column="who", bad_column="bad", date_column="day")
    assert observed["observed_on"].astype(object).where(observed["observed_on"].notna(), None).tolist() == read
    assert len(problems) == len(written) - len(read)
    assert all("it should be a date like 2026-01-31" in problem.message for problem in problems)


def test_a_day_may_come_as_an_instant() -> None:
    table, _ = check(SCHEMA, [{"as_of": datetime(2026, 1, 31, 12)}])
    assert table["as_of"].tolist() == [date(2026, 1, 31)]


def test_a_heading_comes_back_as_an_export_wrote_it() -> None:
    schema = Schema("odd", (Feature("=1+1", "Sum", type="number"),))
    written = cells.harmless(DataFrame({"applicant_id": ["a"], "=1+1": [2.0]}))
    assert list(written) == ["applicant_id", "'=1+1"]
    found, problems = columns(schema, written)
    assert (found["=1+1"].tolist(), problems) == ([2.0], [])
