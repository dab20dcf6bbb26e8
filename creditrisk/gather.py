"""Several rows of one applicant become one, by functions somebody declared for each column: loans to their sum, arrears to their worst.

Nothing is added up unasked: a file with several rows per key is refused until its columns have functions. How many rows there were is
always kept, 0 for those who have none; a figure of no rows is not known.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from pandas import DataFrame, Series

from creditrisk import inference
from creditrisk.errors import InvalidInput

FUNCTIONS = ("sum", "mean", "min", "max", "distinct")
Plan = Mapping[str, Sequence[str]]  # column → functions


def plan(said: Sequence[str]) -> dict[str, list[str]]:
    """Read declarations like 'amount=sum,max'; raises InvalidInput for what is none.

    >>> plan(["amount=sum,max", "dpd=max"])
    {'amount': ['sum', 'max'], 'dpd': ['max']}
    """
    found: dict[str, list[str]] = {}
    for text in said:
        column, _, names = text.rpartition("=")
        functions = [name.strip() for name in names.split(",") if name.strip()]
        if not column or not functions or set(functions) - set(FUNCTIONS):
            raise InvalidInput(f"{text!r} says not how rows become one: COLUMN=FUNCTION,FUNCTION with {', '.join(FUNCTIONS)}.")
        found.setdefault(column, []).extend(functions)
    return found


def gathered(file: str, table: DataFrame, key: str, asked: Plan) -> DataFrame:
    """Return one row per key: the key, `<file>_rows`, and `<column>_<function>` of every column asked for, in the table's order.

    Raises InvalidInput where a number is wanted and a cell has none, naming row, column and value.
    """
    groups = table.groupby(key, sort=False)
    made: dict[str, Series] = {rows_of(file): groups.size().astype(float)}
    for column in (column for column in table.columns if column in asked):
        for function in dict.fromkeys(asked[column]):
            name = f"{column}_{function}"
            if function == "distinct":
                made[name] = groups[column].nunique().astype(float)
                continue
            values = _numbers(file, table[column], str(column)).groupby(table[key], sort=False)
            made[name] = values.sum(min_count=1) if function == "sum" else values.agg(function)
    return DataFrame(made).rename_axis(key).reset_index()


def rows_of(file: str) -> str:
    """Return the name of the column that counts a file's rows.

    >>> rows_of("loans 2026.csv")
    'loans_2026_rows'
    """
    stem = file.rpartition(".")[0] or file
    return "".join(letter if letter.isalnum() else "_" for letter in stem) + "_rows"


def _numbers(file: str, column: Series, name: str) -> Series:
    read = inference.numbers(column)
    texts = column.astype(object).where(column.notna(), "").map(lambda value: str(value).strip())
    odd = np.flatnonzero(np.isnan(read) & ~texts.str.lower().isin({"", *inference.NO_NUMBER}).to_numpy())
    if len(odd):
        place = int(odd[0])
        raise InvalidInput(
            f"{file}, row {place + 1}: {name} is {texts.iloc[place]!r}; it should be a number to be added up (in {len(odd):,} rows). "
            f"Correct it, or ask for {name}=distinct. Nothing was stored."
        )
    return Series(read, index=column.index)
