"""The transactions of a known interface on their way into rows: replaced and removed ones, balances, missing pages."""

import re
from collections import Counter
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from creditrisk import lexicon
from creditrisk.errors import UnreadableFile
from creditrisk.formats.bankjson import berlin, values
from creditrisk.formats.bankjson.document import Listed, Object
from creditrisk.formats.bankjson.entry import Entry, Shape
from creditrisk.settings import Intake
from creditrisk.statement import Found, Movements, Problem, Stated, merged


class Reader:
    """The transactions of one document on their way into rows."""

    def __init__(self, file: str, shape: Shape, limits: Intake):
        self.file, self.shape, self.limits = file, shape, limits
        self.moves = Movements(file, max_amount=limits.max_amount)
        self.entries: dict[int, Entry] = {}  # by ordinal
        self.ids: dict[str, int] = {}
        self.n, self.replaced, self.contrary = 0, 0, 0
        self.aside: Counter[str] = Counter()
        self.stated: Stated = {}

    def take(self, listed: Listed, shape: Shape) -> None:
        """Read every transaction of a list. Raises UnreadableFile for the first that cannot be read."""
        before = self.n
        for item in listed.items:
            self.n += 1
            if not isinstance(item, dict):
                raise UnreadableFile(
                    self.file, f"{str(item)[:80]!r} stands where a transaction should be.", line=self.n, value=str(item)[:80]
                )
            if not shape.is_one(item):
                what = f"transaction {self.n} has not the keys of one of {shape.name}, as those before it have."
                raise UnreadableFile(self.file, what, line=self.n)
            try:
                entry = shape.entry(item, listed)
            except values.Unread as unread:
                raise values.unreadable(self.file, self.n, unread) from unread
            values.check_text(self.file, self.n, entry.text, self.limits)
            self.contrary += shape.name == "TrueLayer" and _contradicts(entry.amount, item.get("transaction_type"))
            known = values.text(item.get("transaction_id")) if shape.name == "Plaid" else ""
            place = self.ids.get(known) if known else None
            if place is not None and (listed.key == "modified" or (self.entries[place] == entry and place <= before)):
                self.replaced += 1  # a later page says what became of it, or says it again
                self.entries[place] = entry
                continue
            if known:
                self.ids[known] = self.n
            self.entries[self.n] = entry

    def note_balances(self, node: Object) -> None:
        """Take opening and closing balances where the interface states booked ones."""
        for key in ("balances", "Balance"):
            listed = node.get(key)
            for item in listed if isinstance(listed, list) else ():
                if isinstance(item, dict):
                    self._note_balance(item, berlin.account_of(Listed(key, [], (node,))))

    def _note_balance(self, item: Object, account: str) -> None:
        kind = values.text(values.first(item, "balanceType", "Type")).lower().replace("_", "")
        is_opening = kind in ("openingbooked", "opbd", "previouslyclosedbooked", "prcd")
        if not is_opening and kind not in ("closingbooked", "clbd"):
            return
        try:
            if inner := values.inner(item, "balanceAmount"):
                money = values.money(inner, "amount")
            else:
                money = values.signed(
                    values.money(values.inner(item, "Amount"), "Amount"), item.get("CreditDebitIndicator"), "CreditDebitIndicator"
                )
        except values.Unread as unread:
            what = f"{unread.value!r} in {unread.key!r} of the {kind} balance {unread.what}."
            raise UnreadableFile(self.file, what, value=unread.value) from unread
        account = values.text(item.get("AccountId")) or account
        merged(self.stated, account, *((money, None) if is_opening else (None, money)))
        if is_opening and self.stated[account][0] is None:
            self.stated[account] = (money, self.stated[account][1])

    def found(self, outer: list[Object]) -> Found:
        """Return the rows, what was set aside, and what must be said."""
        removed = self._removed(outer)
        pending = 0
        stem = PurePath(self.file).stem
        for number, entry in self.entries.items():
            if entry.state == "pending":
                pending += 1
            elif entry.state != "booked":
                self.aside[entry.state] += 1
            else:
                account = entry.account if not entry.account.startswith(" ") else stem + entry.account
                self.moves.add(
                    account=account, currency=entry.currency, booked_on=values.day_of(self.file, number, entry.day), amount=entry.amount,
                    text=entry.text, code=entry.code, line=number, balance=entry.balance,
                )  # fmt: skip
        counted = self.n - self.replaced - removed - sum(self.aside.values())
        dialect: Object = {"interface": self.shape.name, "sign": self.shape.sign, "line": "transaction", "set_aside": dict(self.aside)}
        stated = self._stated()
        notes = self._notes(outer)
        return Found(self.moves.table(), dialect, notes, [], stated, counted, pending)

    def _removed(self, outer: list[Object]) -> int:
        """Take out what Plaid says is no longer there; return how many."""
        before = len(self.entries)
        if self.shape.name == "Plaid":
            for node in outer:
                gone = node.get("removed")
                for item in gone if isinstance(gone, list) else ():
                    known = item.get("transaction_id") if isinstance(item, dict) else item
                    self.entries.pop(self.ids.get(values.text(known), 0), None)
        return before - len(self.entries)

    def _stated(self) -> Stated:
        """Name the one account of a document as its rows do."""
        accounts = {row[0] for row in self.moves.rows}
        if len(accounts) == 1 and len(self.stated) == 1 and not accounts & self.stated.keys():
            return {accounts.pop(): next(iter(self.stated.values()))}
        return self.stated

    def _notes(self, outer: list[Object]) -> list[Problem]:
        said = [f"{count} transactions with the status {state} moved no money and were set aside." for state, count in self.aside.items()]
        if self.contrary:
            said.append(f"{self.contrary} amounts have a sign that contradicts their transaction_type; the sign was believed.")
        total = max((_whole(node.get("total_transactions")) for node in outer), default=0)
        if total > self.n:
            said.append(f"the interface had {total} transactions and the file holds {self.n} of them; the other pages are missing.")
        pages = [node["has_more"] for node in outer if isinstance(node.get("has_more"), bool)]
        if pages and pages[-1]:
            said.append("the interface had more transactions than the file holds (has_more is true); the next pages are missing.")
        more = [node for node in outer if isinstance(links := node.get("Links") or node.get("_links"), dict) and _next(links)]
        if more and len(more) == len([node for node in outer if node.get("Links") or node.get("_links")]):
            said.append("the interface offered a next page that the file does not hold.")
        return [Problem(None, None, None, f"{self.file}: {sentence}") for sentence in said]


def _next(links: Object) -> bool:
    return bool(links.get("Next") or links.get("next"))


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, str) and re.fullmatch(r"\d{1,9}", value) else 0


def _contradicts(amount: Decimal, kind: Any) -> bool:
    return bool(amount) and isinstance(kind, str) and lexicon.side(kind) not in (None, "-" if amount < 0 else "+")
