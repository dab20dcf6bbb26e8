"""The fields of transactions as rows: amounts with the bank's sign, days as printed, words and codes.

Nobody may break this: an amount that reads in two ways is a problem, never a guess.
"""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from creditrisk import banks, cells, dates, lexicon
from creditrisk.formats.ofx import tags
from creditrisk.settings import Intake
from creditrisk.statement import ROWS, Problem, Stated, merged

DAY = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)")
MILS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])  # currencies of three decimals
CENTS = re.compile(r"[+-]?\d+(?:[.,]\d{1,2})?")
BALANCE = re.compile(
    r"s a l d o|saldo( (total|anterior|inicial|final|atual|dispon\w*|bloqueado|em|conta|corrente|do|no|dia|periodo))*"
    r"|(opening|closing|previous|starting) balance"
)
OUT = frozenset(["DEBIT", "PAYMENT", "CHECK", "ATM", "POS", "FEE", "SRVCHG", "DIRECTDEBIT", "CASH", "REPEATPMT"])
SHOWN = 50


class Reader:
    """The statements of one file on their way from fields to transactions."""

    def __init__(self, file: str, ends: Any, limits: Intake, profile: banks.Profile | None):
        self.file, self.ends, self.limits, self.profile = file, ends, limits, profile
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []
        self.doubts: list[Problem] = []
        self.stated: Stated = {}

    def table(self, statement: tags.Statement) -> pa.Table:
        """Return the transactions of one statement, and note its balance, its problems and what is doubtful."""
        booked = statement.booked
        lines = np.searchsorted(self.ends, np.array(statement.places, np.int64), side="right").astype(np.int32) + 1
        account, currency = tags.account(statement), statement.head.get("CURDEF", "")[:3].upper()
        amount = self._amounts(booked, lines, currency)
        days, states = dates.days(pa.array(_distinct(_day, [_posted(one) for one in booked]), pa.string()), "%Y%m%d")
        for row in np.flatnonzero(states != cells.READ)[:SHOWN]:
            value = _posted(booked[row])
            self.problem(int(lines[row]), "DTPOSTED", value, f"the transaction's date {value!r} (DTPOSTED) is not a date of the calendar.")
        n = len(booked)
        texts = _texts(booked)
        codes = self._with_balances(texts, amount, _codes(booked, amount))
        rows = pa.table(
            {
                "account": pa.array([account] * n, pa.string()),
                "currency": pa.array([_currency(one, currency) for one in booked], pa.string()),
                "booked_on": pa.array(days, pa.date32()),
                "amount": cells.to_money(amount),
                "balance": pa.nulls(n, cells.MONEY),
                "text": pa.array(texts, pa.string()),
                "code": pa.array(codes, pa.string()),
                "line": pa.array(lines),
            },
            schema=ROWS,
        )
        self._balance(statement, account, days)
        self._doubt(statement, amount)
        return rows

    def problem(self, line: int | None, column: str, value: str, what: str) -> None:
        """Note what is wrong with one value."""
        if len(self.problems) < SHOWN:
            where = self.file if line is None else f"{self.file}, line {line}"
            self.problems.append(Problem(line, column, value, f"{where}: {what}"))

    def _amounts(self, booked: list[dict[str, str]], lines: Any, currency: str) -> Any:
        texts = [one.get("TRNAMT", "").strip() for one in booked]
        if bare := sum(text in (".", ",") for text in texts):
            what = "transactions state a mark and no amount ('.'), as lines about the day's balance do; they are read as notices of 0."
            self.notes.append(Problem(None, "TRNAMT", None, f"{self.file}: {bare} {what}"))
        texts = ["0" if text in (".", ",") else text for text in texts]
        mark = self.profile.decimal if self.profile else None
        if not mark and any("," in text for text in texts) and all(CENTS.fullmatch(text) for text in texts):
            # Some write both marks in one file; before two digits at the end each is the decimal one.
            texts = [text.replace(",", ".") for text in texts]
        column = pa.array(texts, pa.string())
        if not mark and currency not in MILS and cells.decimal_mark(column) is None:
            value = next(text for text in texts if re.search(r"\d[.,]\d", text))
            what = f"amounts such as {value!r} have three digits behind their only mark and nothing says whether it is the decimal one; "
            what += "it is read so, as the standard has it; if it parts thousands, a bank profile (--profile) with decimal decides."
            self.doubts.append(Problem(int(lines[texts.index(value)]), "TRNAMT", value, f"{self.file}: {what}"))
        mark = mark or _mark(column)
        found = cells.amounts(column, mark, min(self.limits.max_amount, 10**14 - 1))
        for row in np.flatnonzero(found.state != cells.READ)[:SHOWN]:
            value = column[int(row)].as_py()
            read = cells.amount(value, mark)
            what = "is not an amount" if read is None else f"is beyond ± {self.limits.max_amount:,}"
            self.problem(int(lines[row]), "TRNAMT", value, f"the transaction's amount {value!r} (TRNAMT) {what}.")
        # Some card issuers write purchases without a sign and payments with a minus; only a profile can know.
        return -found.units if self.profile and self.profile.positive == "out" else found.units

    def _with_balances(self, texts: list[str], amount: Any, codes: list[str]) -> list[str]:
        """Mark the rows whose words are those of a balance: some banks list it among the transactions, where it is no income."""
        said = _distinct(lambda text: "yes" if BALANCE.fullmatch(lexicon.folded(text).rstrip(" 0123456789")) else "", texts)
        found = [bool(is_one and money) for is_one, money in zip(said, amount.tolist(), strict=True)]
        if any(found):
            first = texts[found.index(True)]
            what = f"{sum(found)} rows ({first!r} for example) read as balances that stand among the transactions; they are kept as rows."
            self.notes.append(Problem(None, "MEMO", first, f"{self.file}: {what}"))
        ways = ("IN" if money > 0 else "OUT" for money in amount.tolist())
        return [f"OFX BALANCE {way}" if is_one else code for is_one, way, code in zip(found, ways, codes, strict=True)]

    def _balance(self, statement: tags.Statement, account: str, days: Any) -> None:
        value = statement.head.get("BALAMT", "")
        if not value:
            merged(self.stated, account, None, None)
            return
        read = cells.amount(value, _mark(pa.array([value])))
        if read is None or abs(read[0]) > self.limits.max_amount:
            self.problem(None, "BALAMT", value, f"the ledger balance {value!r} (BALAMT) is not an amount.")
            return
        merged(self.stated, account, None, read[0])
        told = dates.reader("%Y%m%d")(_day(statement.head.get("DTASOF", "")))
        if told and len(days) and np.datetime64(told, "D") < days.max():
            what = f"the ledger balance is that of {told}, before the last transaction."
            self.doubts.append(Problem(None, "DTASOF", str(told), f"{self.file}: {what}"))

    def _doubt(self, statement: tags.Statement, amount: Any) -> None:
        if statement.kind == "INVSTMTRS":
            what = "an investment account: its cash transactions were read, trades in securities are not shown."
            self.notes.append(Problem(None, None, None, f"{self.file}: {tags.account(statement) or 'one statement'} is {what}"))
        if mended := [one for one in statement.booked if one.get("CORRECTFITID", "").strip()]:
            which = mended[0]["CORRECTFITID"].strip()
            what = f"{len(mended)} transactions replace or delete earlier ones (CORRECTFITID {which!r} for example); both are counted."
            self.doubts.append(Problem(None, "CORRECTFITID", which, f"{self.file}: {what}"))
        kinds = [one.get("TRNTYPE", "").strip().upper() for one in statement.booked]
        out = [value for kind, value in zip(kinds, amount, strict=True) if kind in OUT and value]
        if out and min(out) > 0:
            what = (
                f"all {len(out)} payments (TRNTYPE DEBIT and the like) have positive amounts, so they are read as money in; "
                'if they are not, a bank profile (--profile) with positive = "out" decides.'
            )
            self.doubts.append(Problem(None, "TRNAMT", None, f"{self.file}: {what}"))


def _mark(column: pa.Array) -> str:
    """Return the decimal mark; OFX writes no thousands, so a single mark before three digits is the decimal one."""
    found = cells.decimal_mark(column)
    if found is not None:
        return found or "."
    return "," if pc.any(pc.match_substring(column, ",")).as_py() and not pc.any(pc.match_substring(column, ".")).as_py() else "."


def _distinct(function: Callable[[str], str], texts: list[str]) -> list[str]:
    """Apply a function to each text, once to equal ones: a year has few days and few shops."""
    known = {text: function(text) for text in set(texts)}
    return [known[text] for text in texts]


def _posted(one: dict[str, str]) -> str:
    return one.get("DTPOSTED", "").strip() or one.get("DTUSER", "").strip()


def _day(text: str) -> str:
    """Return the printed day; the clock and the zone behind it shift nothing."""
    found = DAY.match(text)
    return "".join(found.groups()) if found else "?"


def _texts(booked: list[dict[str, str]]) -> list[str]:
    """Join name and memo; many banks begin the memo with the name."""
    names, memos = (_distinct(_words, [one.get(key, "") for one in booked]) for key in ("NAME", "MEMO"))
    return [
        memo if memo.startswith(name) else name if name.endswith(memo) else f"{name} {memo}"
        for name, memo in zip(names, memos, strict=True)
    ]


def _words(text: str) -> str:
    return " ".join(tags.unescaped(text).split())


def _codes(booked: list[dict[str, str]], amount: Any) -> list[str]:
    """Return the merchant's code where there is one, else the type of the transaction; a row about no money is a notice."""
    kinds = _distinct(lambda kind: f"OFX {kind.strip().upper()}".removesuffix("OFX "), [one.get("TRNTYPE", "") for one in booked])
    sics = _distinct(lambda sic: sic.strip() if re.fullmatch(r"\s*(?!0000)\d{4}\s*", sic) else "", [one.get("SIC", "") for one in booked])
    coded = zip(kinds, sics, amount.tolist(), strict=True)
    return [(f"MCC {sic}" if sic else kind) if money else "ZERO" for kind, sic, money in coded]


def _currency(one: dict[str, str], usual: str) -> str:
    """Return the currency of the amount: CURRENCY says it is another, ORIGCURRENCY only what it was converted from."""
    return one["CURSYM"].strip().upper()[:3] if "CURRENCY" in one and one.get("CURSYM") else usual
