"""The money cells of a delimited file as exact units: decimal marks, debit and credit columns, fees of their own.

A mark that nothing decides is a question, never a guess.
"""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from creditrisk import cells, lexicon
from creditrisk.cells import BAD, BLANK, READ, Marks, Units
from creditrisk.formats.delimited import kept, phrases
from creditrisk.formats.delimited.sheet import Sheet
from creditrisk.statement import Problem, decimal_question


def marks(sheet: Sheet) -> dict[str, str]:
    roles = [role for role in ("amount", "debit", "credit", "balance", "fee") if sheet.has(role)]
    return {role: mark for role in roles if (mark := cells.decimal_mark(sheet.column(role)))}


def read(sheet: Sheet) -> tuple[Units, Marks, Marks]:
    """Return units, state and sign mark of every row, from the amount or from the debit and credit columns."""
    roles = [role for role in ("amount", "debit", "credit", "balance", "fee") if sheet.has(role)]
    found = {
        role: sheet.declared.decimal if sheet.declared and sheet.declared.decimal else cells.decimal_mark(sheet.column(role))
        for role in roles
    }
    known = next((mark for mark in found.values() if mark), None) or _mark_above(sheet)
    for role, mark in found.items():
        sheet.decimals[role] = mark or known or "."
        if mark is None and known is None and _three_decimals(sheet):
            sheet.decimals[role] = "." if pc.any(pc.match_substring(sheet.column(role).dictionary, ".")).as_py() else ","
        elif mark is None and known is None:
            sample = next(text for text in sheet.column(role).dictionary.to_pylist() if re.search(r"\d[.,]\d", text))
            line = sheet.line_of(sheet.column(role), sample)
            raise decimal_question(sheet.file, line=line, column=sheet.name(role), value=sample, headings=sheet.headings())
    pair = [amounts(sheet, role) for role in ("debit", "credit") if sheet.has(role)]
    if sheet.has("amount"):
        amount = amounts(sheet, "amount")
        if len(pair) < 2 or (amount.units < 0).any() or sheet.has("sign"):
            sheet.sign_rule = "signed"
            return _less_fees(sheet, amount), amount.state, amount.mark
    sheet.sign_rule = "debit and credit columns"
    return _from_pair(sheet)


def _mark_above(sheet: Sheet) -> str | None:
    """Return the decimal mark that balances above the heading tell; None for none."""
    above = [cell for row in sheet.layout.preamble for cell in row if any(cells.amount(cell, mark) for mark in ".,")]
    return cells.decimal_mark(pa.array(above, pa.string())) or None if above else None


def _three_decimals(sheet: Sheet) -> bool:
    """Say whether the file's only currency is one of a thousand parts."""
    return set(kept.currency(sheet).dictionary.to_pylist()) <= cells.THREE_DECIMALS


def _less_fees(sheet: Sheet, amount: cells.Amounts) -> Units:
    """Take fees in a column of their own off the amounts, where the running balance shows that the amounts leave them out."""
    sheet.fees = False
    if not sheet.has("fee") or sheet.name("amount").strip().lower().startswith(("net", "total")):
        return amount.units
    fee = amounts(sheet, "fee")
    cost = np.where((fee.state == READ) & (amount.state == READ), np.abs(fee.units), 0)
    if not cost.any():
        return amount.units
    sheet.fees = True
    less = np.asarray(amount.units - cost, np.int64)
    if sheet.has("balance"):
        balance = amounts(sheet, "balance")
        both = (amount.state == READ) & (balance.state == READ) & ~sheet.unbooked()
        counts = [cells.agreement(units[both], balance.units[both])[0] for units in (amount.units, less)]
        sheet.fees = counts[0] == counts[1]
        return less if counts[1] > counts[0] else amount.units
    return amount.units


def fees_unsaid(sheet: Sheet) -> list[Problem]:
    if not sheet.fees:
        return []
    amount, fee = sheet.name("amount"), sheet.name("fee")
    sentence = f"{sheet.file}: fees stand in column {fee!r}; that they are part of the amounts in column {amount!r} is assumed."
    return [Problem(None, fee, None, sentence)]


def amounts(sheet: Sheet, role: str) -> cells.Amounts:
    read = cells.amounts(sheet.column(role), sheet.decimals[role], sheet.limit)
    if phrases.CENTS.search(lexicon.folded(sheet.name(role))) and not (read.units % cells.SCALE).any():
        return cells.Amounts(read.units // 100, read.state, read.mark)
    return read


def _from_pair(sheet: Sheet) -> tuple[Units, Marks, Marks]:
    nothing = cells.Amounts(np.zeros(sheet.n, np.int64), np.full(sheet.n, BLANK, np.int8), np.zeros(sheet.n, np.int8))
    debit = amounts(sheet, "debit") if sheet.has("debit") else nothing
    credit = amounts(sheet, "credit") if sheet.has("credit") else nothing
    # Some banks print money out already negative; a lone sign against the others is a reversal.
    out = debit.units if (debit.units < 0).sum() > (debit.units > 0).sum() else -debit.units
    into = credit.units if (credit.units > 0).any() or not sheet.has("debit") else -credit.units
    both = (debit.units != 0) & (credit.units != 0)
    state = np.where((debit.state == READ) | (credit.state == READ), READ, BLANK).astype(np.int8)
    state[(debit.state == BAD) | (credit.state == BAD) | both] = BAD
    if (debit.units < 0).any() and (debit.units > 0).any():
        out = _as_balances_say(sheet, out, into, state)
    return out + into, state, np.ones(sheet.n, np.int8)


def _as_balances_say(sheet: Sheet, out: Units, into: Units, state: Marks) -> Units:
    """Turn money out round where its signs differ and the running balance moved the other way."""
    if not sheet.has("balance"):
        return out
    balance = amounts(sheet, "balance")
    both = (state == READ) & (balance.state == READ)
    as_read, turned = (cells.agreement((into + way)[both], balance.units[both])[0] for way in (out, -out))
    return -out if turned > as_read else out
