"""What is kept of every row that is a transaction: account, currency, words and code, each distinct text once."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from creditrisk import cells
from creditrisk.cells import Units
from creditrisk.formats.delimited.sheet import Sheet, flags
from creditrisk.statement import CODED

BLANKS = r"[\s\p{Z}]{2,}|[\t\n\f\r]|[^ \P{Z}]"  # several, or one that is not the plain one


def table(sheet: Sheet, where: NDArray[Any], days: NDArray[np.int32], units: Units, *, balance: pa.Array, more: dict[int, str]) -> pa.Table:
    rows: Any = slice(None) if len(where) == sheet.n else where  # most files are rows and nothing else
    units = units[rows]
    code, text = joined(sheet, "code", "|"), joined(sheet, "text", " ")
    if more:
        filled = text.to_pylist()
        for row, words in more.items():
            filled[row] = f"{filled[row]} {words}".strip()
        text = pa.array(filled, CODED.field("text").type)
    if sheet.declared and sheet.declared.descriptions:
        text = _described(code, text, sheet.declared.descriptions)
    elif sheet.has("code"):
        code = cells.each(code, _merchant_codes)
    found = {"account": account(sheet), "currency": currency(sheet), "balance": balance, "text": text, "code": code}
    kept = {name: column.take(pa.array(where)) if len(where) < sheet.n else column for name, column in found.items()}
    if not units.all():
        kept["code"] = _noticed(kept["code"], units == 0)
    kept |= {
        "booked_on": pa.array(days[rows]).view(pa.date32()),
        "amount": cells.to_money(units),
        "line": pa.array(sheet.grid.lines[rows]),
    }
    return pa.table({name: kept[name] for name in CODED.names}, schema=CODED)


def joined(sheet: Sheet, role: str, separator: str) -> pa.DictionaryArray:
    """Return what the columns of a role say together, blanks made one."""
    parts = [sheet.grid.columns[place] for place in sheet.layout.columns.get(role, ())]
    if not parts:
        return cells.constant("", sheet.n)
    number, texts = cells.together(*parts)
    *others, last = [pc.utf8_trim_whitespace(text) for text in texts]
    filled = [pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text) for text in others]
    # The last one is never null: Arrow drops a row of nulls. What it leaves behind where it is empty is the separator.
    whole = pc.binary_join_element_wise(*filled, last, separator, null_handling="skip")
    whole = pc.if_else(pc.equal(last, ""), pc.utf8_slice_codeunits(whole, 0, -1), whole)
    coded = pa.DictionaryArray.from_arrays(pa.array(number), whole)
    return cells.each(coded, lambda texts: pc.replace_substring_regex(texts, BLANKS, " "))


def account(sheet: Sheet) -> pa.DictionaryArray:
    if sheet.has("account"):  # a stray quotation mark is no part of a number
        return cells.each(sheet.column("account"), lambda texts: pc.utf8_trim(texts, " \"'\u00a0"))
    for row in sheet.layout.preamble:
        line = " ".join(row)
        if found := re.search(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", line):
            return cells.constant(found[0].replace(" ", ""), sheet.n)
    return cells.constant("", sheet.n)


def currency(sheet: Sheet) -> pa.DictionaryArray:
    if sheet.declared and sheet.declared.currency:
        return cells.constant(sheet.declared.currency, sheet.n)
    if sheet.has("currency"):
        return _filled(sheet.column("currency"), cells.currency)
    roles = [role for role in ("amount", "credit", "debit") if sheet.has(role)]
    heading = re.search(r"\b([A-Z]{3})\b\)?\s*$", sheet.name(roles[0]))
    if heading and heading[1] in cells.CURRENCIES:
        return cells.constant(heading[1], sheet.n)
    columns = [cells.each(sheet.column(role), _without_figures) for role in roles]
    number, texts = cells.together(*columns)
    whole = pc.binary_join_element_wise(*texts, " ")
    return _filled(pa.DictionaryArray.from_arrays(pa.array(number), whole), cells.glued_currency)


def _filled(column: pa.DictionaryArray, how: Callable[[str], str]) -> pa.DictionaryArray:
    """Read the currency of every row; where the file names only one, it is that of the rows without; a lone `$` names none."""
    read = [how(text) for text in column.dictionary.to_pylist()]
    named = sorted(set(read) - {""})
    if len(named) == 1:
        read = [named[0] if named[0] not in "$¥" else ""] * len(read)
    return cells.each(column, lambda _: pa.array(read, pa.string()))


def _without_figures(texts: pa.Array) -> pa.Array:
    """Take from amounts what names no currency, so that few distinct texts are left; a blank parts what stood apart."""
    return pc.replace_substring_regex(texts, r"[\d.,'+\-\s\p{Z}()]+", " ")


def _merchant_codes(codes: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(codes, ""), "", pc.binary_join_element_wise("MCC", codes, " "))


def _noticed(code: pa.DictionaryArray, about_nothing: NDArray[Any]) -> pa.DictionaryArray:
    """Say of rows about no money, where nothing else is said, that each is a notice and not a payment of unknown kind."""
    where, more = cells.places(code), len(code.dictionary)
    unsaid = flags(pc.equal(code.dictionary, ""))
    texts = pa.concat_arrays([code.dictionary, pa.array(["ZERO"])])
    found = np.where(about_nothing & unsaid[where], np.int32(more), where)
    return cells.each(pa.DictionaryArray.from_arrays(pa.array(found), texts), lambda same: same)


def _described(code: pa.DictionaryArray, text: pa.DictionaryArray, words: Mapping[str, str]) -> pa.DictionaryArray:
    """Put the profile's words for each code before what the row itself says."""
    number, (codes, texts) = cells.together(code, text)
    said = pa.array([words.get(value, value.replace("|", " ")) for value in codes.to_pylist()], pa.string())
    whole = pc.utf8_trim_whitespace(pc.binary_join_element_wise(said, texts, " "))
    return cells.each(pa.DictionaryArray.from_arrays(pa.array(number), whole), lambda same: same)
