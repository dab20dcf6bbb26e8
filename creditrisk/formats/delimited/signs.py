"""Which way money went: signs, marks, a column that says so, or the running balance; and the balances as printed."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from creditrisk import cells, lexicon
from creditrisk.cells import BAD, READ, Marks, Units
from creditrisk.formats.delimited import money, phrases
from creditrisk.formats.delimited.sheet import SHOWN, Sheet
from creditrisk.statement import Choice, Problem, Question

UNSAID = 0.1  # more rows than this share without a direction, and the sign column is none


def _card(sheet: Sheet, units: Units, where: NDArray[Any]) -> list[Question]:
    """Doubt the signs where money out is said to be what a card's owner paid: there purchases have no sign and payments a minus."""
    if sheet.has("balance"):
        return []
    out = where[units < 0]
    by_words = len(out) * 2 <= len(where) and all(
        phrases.CARD.search(lexicon.folded(" ".join(sheet.words(int(row))))) for row in out[:SHOWN]
    )
    by_heading = len(out) * 3 <= len(where) and any(phrases.CARD_HEADING.search(lexicon.folded(name)) for name in sheet.headings())
    if not (by_words or by_heading):
        return []
    sentence = (
        f"{sheet.file}: what has a minus in column {sheet.name('amount')!r} reads like payments to a card; if the amounts without a sign "
        'are purchases, a bank profile with positive = "out" decides.'
    )
    choices = Choice({"positive": "out"}, "Purchases: money out"), Choice({"positive": "in"}, "As printed: money in")
    asks = "Is this a card on which purchases have no sign and payments a minus?"
    return [Question("positive", asks, Problem(None, sheet.name("amount"), None, sentence), choices, sheet.headings())]


def one_sided(sheet: Sheet, units: Units, where: NDArray[Any]) -> list[Question]:
    """Doubt that all money came in, where no amount has a sign and nothing else says which way it went."""
    told = sheet.declared and sheet.declared.positive
    if told or sheet.sign_rule != "signed" or not (units > 0).any():
        return []
    if (units < 0).any():
        return _card(sheet, units, where)
    sentence = (
        f"{sheet.file}: no amount in column {sheet.name('amount')!r} has a sign, so all are read as money in; if they are payments, "
        'a bank profile with positive = "out", or with the column that says which way money went, decides.'
    )
    choices = Choice({"positive": "out"}, "Payments: money out"), Choice({"positive": "in"}, "Receipts: money in")
    problem = Problem(None, sheet.name("amount"), None, sentence)
    return [Question("positive", "No amount has a sign: are these payments or receipts?", problem, choices, sheet.headings())]


def signed(sheet: Sheet, units: Units, marks: Marks, where: NDArray[Any]) -> Units:
    """Apply what says which way money went: a sign column, CR marks, or the profile's word on unsigned amounts."""
    if sheet.sign_rule != "signed":
        return units
    if sheet.has("sign"):
        return _by_indicator(sheet, units, where)
    own = marks[where]
    if sheet.declared and sheet.declared.positive == "out":
        sheet.sign_rule = "unsigned is money out"
        return _where(marks > 0, units, -units)  # a card's minus is money in: a payment to it, or a refund
    if (own > 0).any() and (own == 0).any() and not (own < 0).any():
        sheet.sign_rule = "money in is marked"
        return _where(marks == 0, -units, units)
    told = sheet.declared and sheet.declared.positive
    return units if told or not sheet.has("balance") or (units[where] < 0).any() else _by_balance(sheet, units, where)


def _by_balance(sheet: Sheet, units: Units, where: NDArray[Any]) -> Units:
    """Give amounts without a sign the direction in which the running balance moved, where it moved by just these amounts."""
    printed = money.amounts(sheet, "balance")
    if len(where) < 3 or not (printed.state[where] == READ).all():
        return units
    steps, amounts = np.diff(printed.units[where]), units[where]
    if cells.agreement(amounts, printed.units[where])[0] == len(steps):
        return units
    for moved, rest in ((np.r_[0, steps], 0), (np.r_[-steps, 0], len(where) - 1)):
        same = np.abs(moved) == amounts
        same[rest] = True
        if not same.all() or not (moved < 0).any():
            continue
        sheet.sign_rule = "by the running balance"
        signed = units.copy()
        signed[where] = np.where(moved < 0, -amounts, amounts)
        if amounts[rest]:
            line, value = int(sheet.grid.lines[where[rest]]), sheet.column("amount")[int(where[rest])].as_py()
            what = f"the balance does not tell which way the first amount, {value!r}, went; it is read as money in."
            sheet.said.append(Problem(line, sheet.name("amount"), value, f"{sheet.file}, line {line}: {what}"))
        return signed
    return units


def _by_indicator(sheet: Sheet, units: Units, where: NDArray[Any]) -> Units:
    coded = cells.each(sheet.column("sign"), pc.utf8_trim_whitespace)
    texts = coded.dictionary.to_pylist()
    declared = sheet.declared.sign if sheet.declared else {}
    meaning = [declared.get(text) or (None if declared else lexicon.side(text)) for text in texts]
    if not declared and len(sides := set(filter(None, meaning))) == 1 and "" in texts and not (units[where] < 0).any():
        other = "-" if sides == {"+"} else "+"  # only the rarer side is marked: CR
        meaning = [side if text else other for side, text in zip(meaning, texts, strict=True)]
    factors = np.array([{"+": 1, "-": -1}.get(side or "", 0) for side in meaning], np.int64)[cells.places(coded)]
    unsaid = where[(factors[where] == 0) & (units[where] != 0)]
    problems = len(sheet.problems)
    for row in unsaid if len(unsaid) <= UNSAID * len(where) else unsaid[:SHOWN]:
        value = sheet.column("sign")[int(row)].as_py()
        sheet.problem(
            int(row), "sign", value, f"{value!r} in column {sheet.name('sign')!r} does not say whether money came in or went out."
        )
    if not declared and len(unsaid) <= UNSAID * len(where):
        sheet.left_out = [replace(one, message=f"{one.message} The row was set aside.") for one in sheet.problems[problems:]]
        del sheet.problems[problems:]
    sheet.sign_rule = "sign column"
    if declared or not (units[where] < 0).any():
        return np.asarray(units * factors, np.int64)
    told = where[(units[where] != 0) & (factors[where] != 0)]
    against = told[np.sign(units[told]) * factors[told] < 0]
    if len(against) == len(told):  # a card's own view: what was spent is what is owed
        return np.asarray(np.abs(units) * factors, np.int64)
    noted = len(sheet.problems)
    for row in against[:SHOWN]:
        value = sheet.column("amount")[int(row)].as_py()
        sheet.problem(int(row), "amount", value, f"the sign of the amount {value!r} contradicts column {sheet.name('sign')!r}.")
    if len(against) <= UNSAID * len(told):
        sheet.said += [replace(one, message=f"{one.message} The sign was kept.") for one in sheet.problems[noted:]]
        del sheet.problems[noted:]
    return units


def balance(sheet: Sheet, where: NDArray[Any], units: Units, day: NDArray[Any]) -> pa.Array:
    """Return the balance after every row, null where none is printed.

    Some banks print the balance a payment found, not the one it left. Read in the other order, that is also what amounts with the
    wrong sign look like, so it is believed only where the days run in the order it needs.
    """
    if not sheet.has("balance"):
        return cells.no_money(sheet.n)
    balance = money.amounts(sheet, "balance")
    for row in where[balance.state[where] == BAD][:SHOWN]:
        value = sheet.column("balance")[int(row)].as_py()
        sheet.problem(int(row), "balance", value, f"the balance {value!r} in column {sheet.name('balance')!r} is not an amount.")
    values = balance.units
    if len(where) > 2 and (balance.state[where] == READ).all():
        after, _ = cells.agreement(units[where], values[where])
        before, newest_first = cells.agreement(units[where], values[where], before=True)
        first, last = day[where[0]], day[where[-1]]
        if before == len(where) - 1 > after and (first > last if newest_first else first < last):
            values = values + np.where(np.isin(np.arange(sheet.n), where), units, 0)
    return cells.to_money(values, balance.state == READ)


def _where(choice: NDArray[Any], yes: Units, no: Units) -> Units:
    return np.asarray(np.where(choice, yes, no), np.int64)
