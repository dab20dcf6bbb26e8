"""The design matrix: a table of applicants as columns of numbers, one of each numeric feature and one of each choice.

Nobody may break this: what is missing, unknown or infinite is NaN, and what is no value of a feature is refused, never guessed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, Series, notna

from creditrisk.errors import InvalidInput, NotEnoughData, SchemaMismatch
from creditrisk.estimators import Column, Numbers
from creditrisk.schema import Feature

Table = DataFrame | Mapping[str, NDArray[Any]]  # rows as columns by name; of one applicant, a frame takes longer to make than to score
MOST_CHOICES = 30  # choices that get a column of their own; rarer ones share "none of these"
NONE_SEEN = "(none seen)"  # the column of a choice that no row of the training table states


def encode(table: Table, features: Sequence[Feature], columns: Sequence[Column]) -> Numbers:
    """Return the matrix of a table, one column each of `columns`; unknown and infinite values are NaN.

    Raises SchemaMismatch naming features that are no column, InvalidInput naming a value that is not allowed.
    """
    absent = {feature.name for feature in features} - set(table)
    if absent:
        named = ", ".join(feature.name for feature in features if feature.name in absent)
        raise SchemaMismatch(f"The table lacks {named}, which the model reads. Add the column, empty where it is not known.")
    numeric = [feature for feature in features if feature.is_numeric]
    numbers = _numbers(table, numeric)
    if [column.feature for column in columns] == [feature.name for feature in numeric]:  # no choices: the columns are the features
        return numbers
    said = {feature.name: _choices(feature, table[feature.name]) for feature in features if not feature.is_numeric}
    matrix = np.empty((n_rows(table), len(columns)), order="F")
    place = {feature.name: number for number, feature in enumerate(numeric)}
    for position, column in enumerate(columns):
        if column.choice is None:
            matrix[:, position] = numbers[:, place[column.feature]]
        else:
            given = said[column.feature]
            matrix[:, position] = np.where(given == "", np.nan, given == column.choice)
    return matrix


def n_rows(table: Table) -> int:
    """Return how many rows a table has."""
    return len(table) if isinstance(table, DataFrame) else len(next(iter(table.values()), ()))


def _numbers(table: Table, features: Sequence[Feature]) -> Numbers:
    """Return the columns of numeric features (rows × features, column by column in memory): unknown and infinite values are NaN."""
    try:
        numbers = _together(table, [feature.name for feature in features])
    except (TypeError, ValueError) as error:
        raise _not_a_number(table, features) from error
    numbers[np.isinf(numbers)] = np.nan
    return numbers


def _together(table: Table, names: Sequence[str]) -> Numbers:
    if not isinstance(table, DataFrame):
        return np.array([table[name] for name in names], dtype=np.float64).reshape(len(names), n_rows(table)).T
    part = table[list(names)]
    if {dtype.kind for dtype in part.dtypes} & {"M", "m"}:
        raise TypeError("days are no numbers")
    return np.array(part.to_numpy(dtype=np.float64, na_value=np.nan), order="F")


def _not_a_number(table: Table, features: Sequence[Feature]) -> InvalidInput:
    """Return the refusal of the first column that holds something else than numbers."""
    for feature in features:
        values = Series(table[feature.name])
        if values.dtype.kind in "mM":
            return InvalidInput(f"{feature.title} ({feature.name}) holds dates; it should hold numbers.")
        if (odd := _first_odd(values)) is not None:
            return InvalidInput(f"{feature.title} ({feature.name}) holds {odd!r}, which is not a number.")
    return InvalidInput("A column holds something else than numbers.")


def _first_odd(values: "Series[Any]") -> object:
    for value in values:
        try:
            float(value)
        except (TypeError, ValueError):
            if value is not None:
                return value
    return None


def _choices(feature: Feature, values: "Series[Any] | NDArray[Any]") -> NDArray[np.object_]:
    """Return choices as text, "" where missing; raises InvalidInput for one that is not declared."""
    known = np.asarray(notna(values))
    texts = np.array([_text(value) if is_known else "" for value, is_known in zip(values, known, strict=True)], dtype=object)
    odd = {text for text in texts if text} - set(feature.choices) if feature.choices else set()
    if odd:
        raise InvalidInput(f"{feature.title} ({feature.name}) is {min(odd)!r}; it should be one of {', '.join(feature.choices)}.")
    return texts


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def columns_of(frame: DataFrame, features: Sequence[Feature]) -> tuple[Column, ...]:
    """Return the matrix' columns; a feature of many choices gets the most frequent ones."""
    if not features:
        raise NotEnoughData("The schema declares no predictor, so there is nothing to learn from.")
    columns: list[Column] = []
    for feature in features:
        if feature.is_numeric:
            columns.append(Column(feature.name, None, feature.risk, feature.in_index, feature.is_binding))
        elif feature.name in frame.columns:
            seen = sorted(_frequent(_choices(feature, frame[feature.name]))) or [NONE_SEEN]
            columns += [Column(feature.name, choice, 0, False) for choice in seen]
    return tuple(columns)


def _frequent(texts: NDArray[np.object_]) -> list[str]:
    """Return the choices that occur, most frequent first, at most MOST_CHOICES."""
    choices, counts = np.unique(texts[texts != ""].astype(str), return_counts=True)
    return [str(choice) for choice in choices[np.argsort(-counts, kind="stable")[:MOST_CHOICES]]]


def typical(frame: DataFrame, features: Sequence[Feature]) -> dict[str, float | str]:
    """Return what is usual of each feature: the median of the numbers known, the most frequent choice."""
    numeric = [feature for feature in features if feature.is_numeric]
    numbers = {feature.name: column for feature, column in zip(numeric, _numbers(frame, numeric).T, strict=True)}
    return {
        feature.name: _middle(numbers[feature.name])
        if feature.is_numeric
        else next(iter(_frequent(_choices(feature, frame[feature.name]))), float("nan"))
        for feature in features
    }


def _middle(numbers: Numbers) -> float:
    # Where most have none of something the median is 0 and compares nobody with anybody; there the mean is what is usual.
    known = numbers[~np.isnan(numbers)]
    return (float(np.median(known)) or float(np.mean(known))) if len(known) else float("nan")
