"""Rows of feature values from outside, held against the schema: a table fit to score, and what is wrong by row and column.

A bad value is a `Problem` and empties its cell; columns nobody declared refuse the whole table, for a misspelt feature
would otherwise count as unknown. Numbers written as text are read to the last bit.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from math import isfinite, isnan
from numbers import Real
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pandas import DataFrame, Series

from creditrisk import dates, formula
from creditrisk.errors import InvalidInput
from creditrisk.schema import Feature, Schema

KEYS = ("applicant_id", "as_of")  # columns that say whose values a row holds; every other one is a declared feature
MISSING_WORDS = {"", "na", "n/a", "#n/a", "nan", "null", "none"}
MAX_NAME = 200
VERDICTS = {
    **dict.fromkeys(("1", "1.0", "true", "yes", "y", "bad"), True),
    **dict.fromkeys(("0", "0.0", "false", "no", "n", "good"), False),
}

Rows = Sequence[Mapping[str, object]] | DataFrame
Column = Series | list[object] | None
Reader = Callable[[Any], tuple[Any, str | None]]  # a value becomes what is scored, or a clause that says what is wrong with it


@dataclass(frozen=True)
class Problem:
    """A value that cannot be scored: the row (the first is 1), the column, the value and the rule it breaks."""

    row: int
    column: str
    value: str
    message: str


def outcomes(
    table: DataFrame, *, id_column: str, bad_column: str, date_column: str | None = None, past_due_column: str | None = None
) -> tuple[DataFrame, list[Problem]]:
    """Return observed outcomes (applicant_id, observed_bad, observed_on) of the rows that state one, and what is wrong with the others.

    With `past_due_column` there is days_past_due too, empty where the row does not say.

    `bad_column` is a column of yes and no, or `COLUMN=VALUE,VALUE` that says which of its values are bad; all others are good then.
    Raises InvalidInput for a column the table does not have, and for a value no row has.
    """
    bad_column, verdict = target(table, bad_column)
    wanted = {"applicant_id": (id_column, _name), "observed_bad": (bad_column, verdict), "observed_on": (date_column, day)}
    if past_due_column is not None:
        wanted["days_past_due"] = (past_due_column, _days)
    for column, _ in wanted.values():
        if column is not None and column not in table.columns:
            raise InvalidInput(f"There is no column {column!r}; there are {', '.join(map(str, table.columns))}.")
    problems: list[Problem] = []
    if date_column is not None:
        table = table.assign(**{date_column: days(table[date_column])})
    read = {
        name: _each(str(column), None if column is None else table[column], len(table), how, problems)
        for name, (column, how) in wanted.items()
    }
    for name in ("applicant_id", "observed_bad"):
        empty = {place for place, value in enumerate(read[name]) if value is None} - {problem.row - 1 for problem in problems}
        for place in empty:
            _complain(place, str(wanted[name][0]), "", "is empty", problems)
    kept = DataFrame(read).drop(index=[problem.row - 1 for problem in problems])
    return kept.astype({"observed_bad": bool}).reset_index(drop=True), sorted(problems, key=lambda problem: problem.row)


def check(schema: Schema, rows: Rows, *, complete: bool = False) -> tuple[DataFrame, list[Problem]]:
    """Return rows as a table (applicant_id, as_of, every declared feature in order) and what is wrong with them, by row.

    Everything else as `columns` has it.
    """
    found, problems = columns(schema, rows, complete=complete)
    texts = {feature.name: Series(found[feature.name], dtype="str") for feature in schema if not feature.is_numeric}
    return DataFrame(found | texts), problems


def columns(schema: Schema, rows: Rows, *, complete: bool = False) -> tuple[dict[str, NDArray[Any]], list[Problem]]:
    """Return rows as columns (applicant_id, as_of, every declared feature in order) and what is wrong with them, by row.

    Numbers may be given as text; written codes for a missing value become one, other spellings of a choice the declared one, and a
    feature with a formula is computed. A value with a problem is empty in its column. Raises InvalidInput for columns nobody
    declared and, with `complete`, for those that are declared and not there.
    """
    given = _columns(schema, rows)
    if complete:
        _check_complete(schema, given)
    problems: list[Problem] = []
    found: dict[str, NDArray[Any]] = {}
    for name, read in (("applicant_id", _name), ("as_of", day)):
        found[name] = np.array(_each(name, given.get(name), len(rows), read, problems), dtype=object)
    for feature in schema:
        found[feature.name] = _feature_column(feature, given.get(feature.name), len(rows), problems)
    for feature in schema:
        if feature.formula:
            made = formula.value(feature.formula, found)
            _contradictions(feature, found[feature.name], made, problems)
            found[feature.name] = made
    return found, sorted(problems, key=lambda problem: problem.row)


def _check_complete(schema: Schema, given: Mapping[str, Column]) -> None:
    """A column that is absent was perhaps misspelt or lost; only a present and empty one says that nothing is known."""
    absent = [name for name in needed(schema) if name not in given]
    if absent:
        what = f"columns {', '.join(absent)} are" if len(absent) > 1 else f"column {absent[0]} is"
        raise InvalidInput(f"The {what} not there; give every one a model reads, empty where nothing is known.")


def needed(schema: Schema) -> list[str]:
    """Return the columns a table to score must have, in declared order: what models read, of a computed figure its parts instead."""
    read = {name for feature in schema.predictors for name in (formula.parts(feature.formula) if feature.formula else (feature.name,))}
    return [feature.name for feature in schema if feature.name in read]


def _contradictions(feature: Feature, stated: Any, made: Any, problems: list[Problem]) -> None:
    """Note where a figure that was given is not the one its parts make, beyond what rounding to two digits explains."""
    with np.errstate(invalid="ignore"):
        apart = np.abs(stated - made) > np.maximum(0.01, 0.01 * np.abs(made))
    for place in np.flatnonzero(apart):
        clause = f"is {stated[place]:g}, but {feature.formula} is {made[place]:g} here"
        _complain(int(place), feature.name, stated[place], clause, problems)


def complaint(feature: Feature, value: object) -> str | None:
    """Return what is wrong with one value as a clause, or None; a missing value is never wrong.

    >>> complaint(Feature("age_days", "Age", type="integer", low=0), -1)
    'is -1; the least allowed is 0'
    """
    if _is_missing(value):
        return None
    return (_number if feature.is_numeric else _choice)(feature, value)[1]


def _columns(schema: Schema, rows: Rows) -> dict[str, Column]:
    names = list(rows.columns) if isinstance(rows, DataFrame) else list(dict.fromkeys(name for row in rows for name in row))
    known = {*KEYS, *(feature.name for feature in schema)}
    meant = {name: name if name in known else str(name).removeprefix("'") for name in names}  # a heading as `cells.harmless` writes it
    unknown = [str(name) for name in names if meant[name] not in known]
    if unknown:
        raise InvalidInput(f"Nothing called {', '.join(unknown)} is declared in schema {schema.name!r}; remove or rename it.")
    if isinstance(rows, DataFrame):
        return {meant[name]: rows[name] for name in names}
    return {meant[name]: [row.get(name) for row in rows] for name in names}


def _feature_column(feature: Feature, values: Column, n: int, problems: list[Problem]) -> NDArray[Any]:
    if values is not None and (feature.missing or feature.spellings):
        values = _put_right(feature, values)
    if not feature.is_numeric:
        return np.array(_each(feature.name, values, n, partial(_choice, feature), problems, choices=feature.choices), dtype=object)
    if not (isinstance(values, Series) and values.dtype.kind in "fiu"):
        return np.array(_each(feature.name, values, n, partial(_number, feature), problems), dtype=np.float64)
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    for place in np.flatnonzero(_doubtful(feature, numbers)):
        _, complaint = _number(feature, numbers[place].item())
        _complain(int(place), feature.name, numbers[place], complaint, problems)
        if complaint:
            numbers[place] = np.nan
    return numbers


def codes(feature: Feature) -> set[str]:
    """Return the texts that mean a missing value in a column of this feature: '98' stands for '98.0' too."""
    return set(feature.missing) | {f"{float(code):.1f}" for code in feature.missing if code.lstrip("-").isdigit()}


def plain(value: object) -> str:
    """Return a cell as the text its codes and spellings are compared with."""
    return str(value).strip()


def _put_right(feature: Feature, values: Series | list[object]) -> Series:
    """Return values with codes for a missing one emptied and other spellings put right."""
    column = Series(values)
    if column.dtype.kind in "fiu":
        return column.where(~column.isin([float(code) for code in feature.missing]), np.nan)
    texts = column.astype(object).where(column.notna(), "").map(plain)
    column = column.astype(object).where(~texts.isin(codes(feature)), None)
    return column.where(~texts.isin(list(feature.spellings)), texts.map(feature.spellings))


def _doubtful(feature: Feature, numbers: Any) -> Any:
    """Return where an array holds a value that `Feature.problem` might refuse; missing values are fine."""
    doubtful = np.isinf(numbers)
    if feature.low is not None:
        doubtful |= numbers < feature.low
    if feature.high is not None:
        doubtful |= numbers > feature.high
    if feature.type in ("integer", "flag"):
        doubtful |= (numbers != np.floor(numbers)) & ~np.isnan(numbers)
    return doubtful


def _each(name: str, values: Column, n: int, read: Reader, problems: list[Problem], *, choices: Sequence[str] = ()) -> list[Any]:
    if values is None:
        return [None] * n
    items = values.astype(object).where(values.notna(), None).tolist() if isinstance(values, Series) else values
    kept = []
    for place, value in enumerate(items):
        nothing = _is_missing(value) and value not in choices  # "none" may be a choice: no guarantor
        result, complaint = (None, None) if nothing else read(value)
        _complain(place, name, value, complaint, problems)
        kept.append(None if complaint else result)
    return kept


def _complain(place: int, name: str, value: object, complaint: str | None, problems: list[Problem]) -> None:
    if complaint:
        problems.append(Problem(place + 1, name, str(value), f"Row {place + 1}: {name} {complaint}."))


def _is_missing(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in MISSING_WORDS
    return value is None or (isinstance(value, float) and isnan(value))


def _number(feature: Feature, value: object) -> tuple[float | None, str | None]:
    if isinstance(value, bool) and feature.type != "flag":
        return None, f"is {value}; it should be a number"
    try:
        number = float(value) if isinstance(value, Real | Decimal) or (isinstance(value, str) and "_" not in value) else None
    except ValueError:
        number = None
    except OverflowError:
        return None, "is too large a number"
    if number is None:
        return None, f"is {value!r}; it should be a number"
    if not isfinite(number):
        return None, f"is {value}; it should be a finite number"
    return number, feature.problem(number)


def _choice(feature: Feature, value: object) -> tuple[str | None, str | None]:
    return str(value), feature.problem(value)


def day(value: object) -> tuple[date | None, str | None]:
    """Return the date a value states, or a clause that says what is wrong with it."""
    if isinstance(value, date):
        return value.date() if isinstance(value, datetime) else value, None
    try:
        return datetime.fromisoformat(str(value).strip()).date(), None
    except ValueError:
        return None, f"is {value!r}; it should be a date like 2026-01-31"


def days(values: Series) -> Series:
    """Return a column of days with its texts as dates where one format reads most of them (930705, 31.12.2020), the others as given."""
    texts = values.astype(object).where(values.notna(), "").map(plain)
    known = texts[texts != ""].unique()
    forms = [] if all(day(text)[0] for text in known) else dates.formats(pa.array(known, pa.string()))
    if len(forms) != 1:
        return values
    found = texts.map(dates.reader(forms[0])).astype(object)
    return found.where(found.notna(), values.astype(object))


def _days(value: object) -> tuple[int | None, str | None]:
    """Return the whole days a value states, or a clause that says what is wrong with it."""
    text = str(value).strip().removesuffix(".0")
    return (int(text), None) if text.isdecimal() and len(text) < 6 else (None, f"is {value!r}; it should be a number of days")


def target(table: DataFrame, said: str) -> tuple[str, Reader]:
    """Return the column that says how it went, and what reads its values; `said` is COLUMN or COLUMN=VALUE,VALUE (the bad ones).

    Raises InvalidInput for a column the table does not have, and for a value no row has.
    """
    column, _, named = (said, "", "") if said in table.columns else said.partition("=")
    if column not in table.columns:
        raise InvalidInput(f"There is no column {column!r}; there are {', '.join(map(str, table.columns))}.")
    if not named:
        return column, _verdict
    bad = {value.strip() for value in named.split(",")}
    present = {_whole(value) for value in table[column].dropna().unique()}
    if strange := sorted(bad - present):
        raise InvalidInput(f"No row has {strange[0]!r} in column {column!r}; there are {', '.join(sorted(present)[:20])}.")
    return column, lambda value: (_whole(value) in bad, None)


def _whole(value: object) -> str:
    return plain(value).removesuffix(".0")


def _verdict(value: object) -> tuple[bool | None, str | None]:
    said = VERDICTS.get(str(value).strip().lower())
    return said, None if said is not None else f"is {value!r}; it should be 1 or 0, true or false, yes or no, bad or good"


def _name(value: object) -> tuple[str | None, str | None]:
    name = str(value).strip()
    if len(name) > MAX_NAME or not name.isprintable():
        return None, f"is {name[:40]!r}; it should be at most {MAX_NAME} printable characters"
    return name, None
