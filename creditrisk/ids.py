"""The ids of applicants in a lender's table: which column holds them, and that each row has one of its own.

Nobody may break this: ids are texts, kept as written. One that is empty or that a program has rounded refuses the table; two that
look alike stay apart and are said.
"""

import numpy as np
from pandas import DataFrame, Series

from creditrisk import rows
from creditrisk.errors import InvalidInput

NAMES = (
    "applicant_id", "id", "cust_id", "customer_id", "client_id", "loan_id", "application_id", "member_id", "appl_id", "app_id",
    "borrower_id", "customer_no", "customer_number", "client_no", "sk_id_curr",
)  # fmt: skip
EXACT = 2.0**53  # up to here every whole number has a float of its own
ROUNDED = r"-?\d(\.\d+)?[eE]\+\d+"  # 1.2E+15: an id that a spreadsheet took for a number
LONG_IDS = 2


def column_of(table: DataFrame) -> str | None:
    """Return the column that is called like an id, or None."""
    named = {str(column).lower(): str(column) for column in table.columns}
    return next((named[name] for name in NAMES if name in named), None)


def read(file: str, table: DataFrame, key: str) -> Series:
    """Return the key of every row as text; raises InvalidInput where a row has none, or a spreadsheet has rounded it."""
    if key not in table.columns:
        raise InvalidInput(f"{file} has no column {key!r}; it has {', '.join(map(str, table.columns[:30]))}.")
    column = table[key]
    if column.dtype.kind == "f" and (column.dropna() == np.floor(column.dropna())).all() and (column.abs() < EXACT).all():
        column = column.astype("Int64")
    text = column.astype(object).where(column.notna(), "").map(lambda value: str(value).strip().removesuffix(".0"))
    empty = (text == "").to_numpy().nonzero()[0]
    if len(empty):
        raise InvalidInput(f"{file}, row {empty[0] + 1}: the key {key!r} is empty (in {len(empty)} rows); nothing was stored.")
    odd = np.flatnonzero([not name.isprintable() or len(name) > rows.MAX_NAME for name in text])
    if len(odd):
        what = f"is {text.iloc[odd[0]][:40]!r}; it should be at most {rows.MAX_NAME} printable characters"
        raise InvalidInput(f"{file}, row {odd[0] + 1}: the key {key!r} {what}. Nothing was stored.")
    rounded = text.str.fullmatch(ROUNDED).to_numpy(bool)
    long = text[text.str.fullmatch(r"\d{16,}")]
    if len(long) > LONG_IDS and long.str.endswith("0").all():  # a spreadsheet keeps 15 digits
        rounded = rounded | text.isin(set(long)).to_numpy()
    if rounded.any():
        place = int(rounded.argmax())
        raise InvalidInput(
            f"{file}, row {place + 1}: the key {key!r} is {text.iloc[place]!r}, a number that a program has rounded (in {rounded.sum():,} "
            "rows), so two applicants may look like one. Export the column as text. Nothing was stored."
        )
    return text


def once(file: str, key: str, text: Series, rule: str) -> None:
    """Raise InvalidInput where a key stands twice, with the rows of the first one that does."""
    twice = text.duplicated(keep=False)
    if not twice.any():
        return
    name = text[twice].iloc[0]
    places = (text == name).to_numpy().nonzero()[0] + 1
    also = ", ".join(map(str, places[:5])) + (f" and {len(places) - 5:,} more" if len(places) > 5 else "")
    others = text[twice].nunique() - 1
    more = f" (and so are {others:,} others)" if others else ""
    raise InvalidInput(f"{file}: the key {key!r} is {name!r} in rows {also}{more}; {rule}. Nothing was stored.")


def look_alikes(file: str, key: str, text: Series) -> list[str]:
    """Say which ids differ only in case or blanks; they are kept apart, for nobody but a person knows."""
    folded = text.str.casefold().str.replace(r"\s+", "", regex=True)
    twins = text[folded.duplicated(keep=False)]
    if twins.empty:
        return []
    one, other = twins[folded[twins.index] == folded[twins.index[0]]].iloc[:2]
    return [
        f"{file}: {len(twins):,} values of {key} differ only in case or blanks ({one!r} and {other!r}); they are kept as applicants apart."
    ]


def near_misses(file: str, text: Series, known: set[str]) -> list[str]:
    """Say where keys find no partner only because they are written otherwise: leading zeros, case, blanks."""
    bare = {name.casefold().strip().lstrip("0") for name in known}
    found = text[text.str.casefold().str.strip().str.lstrip("0").isin(bare)]
    if found.empty:
        return []
    return [
        f"{file}: {len(found):,} keys without a partner, {found.iloc[0]!r} first, have one but for leading zeros or case: write both alike."
    ]
