"""Statements as the interfaces of banks give them: Plaid, Berlin Group (GoCardless), UK Open Banking, TrueLayer, and plain lists.

Numbers stay text until they are money, a day is the one printed, and every list of transactions in the document is read or named.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import PurePath
from typing import Any

import pyarrow as pa

from creditrisk import banks, cells
from creditrisk.errors import UnreadableFile
from creditrisk.settings import Intake
from creditrisk.statement import Found, Movements, Problem, Stated, merged

TITLE = "JSON"
BEGINNING = re.compile(r"(?:[{\[]\s*)+(?:[\"{\[\]}]|[\d\-NIntf][^:]*$)")
MONEY = re.compile(r"[+-]?\d{1,18}(?:\.\d+)?(?:[eE][+-]?\d{1,3})?")
Object = dict[str, Any]


class Number(str):
    """A number as its digits stand in the file."""

    __slots__ = ()


@dataclass(frozen=True)
class Entry:
    """One transaction; `state` is booked, pending, or why it is none."""

    day: Any
    amount: Decimal
    text: str
    currency: str = ""
    account: str = ""
    code: str = ""
    balance: Decimal | None = None
    state: str = "booked"


@dataclass(frozen=True)
class Listed:
    """A list of transactions: the key it stands under, and the objects around it, the nearest first."""

    key: str
    items: list[Any]
    around: tuple[Object, ...]


@dataclass(frozen=True)
class Shape:
    """One interface: how its transactions are known and read, and what its signs mean."""

    name: str
    sign: str
    is_one: Callable[[Object], bool]
    entry: Callable[[Object, Listed], Entry]


def recognises(content: bytes) -> str:
    """A JSON document begins with a bracket and a text or another bracket."""
    start = content[:4096]
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        words = start[: len(start) // 2 * 2].decode("utf-16", errors="replace")
    else:
        words = start.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    return "json" if BEGINNING.match(words.lstrip()) else ""


def read(file: str, content: bytes, profile: banks.Profile | None, limits: Intake) -> Found:
    """Read every list of transactions of the document. Raises UnreadableFile."""
    documents = _parsed(file, content, limits)
    lists, outer = _lists(documents)
    known = [(listed, shape) for listed in lists if (shape := _shape(listed))]
    if not known:
        return _generic(file, lists, profile, limits)
    shapes = {shape.name for _, shape in known}
    if len(shapes) > 1:
        raise UnreadableFile(file, f"the document mixes transactions of {' and '.join(sorted(shapes))}; give each a file of its own.")
    reader = _Reader(file, known[0][1], limits)
    for listed, shape in known:
        reader.take(listed, shape)
    for node in outer:
        reader.note_balances(node)
    return reader.found(outer)


# ---------------------------------------------------------------------------------------------------------- the document


def _parsed(file: str, content: bytes, limits: Intake) -> list[Any]:
    """Return the documents of a file, one as a rule, one a line in JSON lines; numbers as text."""
    try:
        text = content.decode(json.detect_encoding(content))
    except UnicodeDecodeError as error:
        raise UnreadableFile(file, f"the file is not {error.encoding} text: byte {error.start + 1} is damaged.") from error
    text = text.removeprefix("\ufeff")
    try:
        documents = [_loaded(file, text)]
    except json.JSONDecodeError as error:
        documents = _by_line(file, text, error)
    except RecursionError as error:
        raise UnreadableFile(file, f"lists and objects are nested deeper than {limits.max_depth}.") from error
    for depth, _ in _nodes(documents):
        if depth > limits.max_depth + 1:
            raise UnreadableFile(file, f"lists and objects are nested deeper than {limits.max_depth}.")
    return documents


def _by_line(file: str, text: str, error: json.JSONDecodeError) -> list[Any]:
    lines = [line for line in text.splitlines() if line.strip()]
    if error.msg == "Extra data" and len(lines) > 1:
        try:
            return [_loaded(file, line) for line in lines]
        except json.JSONDecodeError:
            pass
    at_end = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
    what = "the document ends before it is complete: the file is cut off." if at_end else f"this is no valid JSON ({error.msg})."
    raise UnreadableFile(file, what, line=error.lineno, column=f"character {error.colno}") from error


def _loaded(file: str, text: str) -> Any:
    def constant(word: str) -> Any:
        raise UnreadableFile(file, f"{word} is not a number of money.", value=word)

    def unique(pairs: list[tuple[str, Any]]) -> Object:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
            raise UnreadableFile(file, f"an object has the key {twice[:80]!r} twice, so it says two things.", column=twice[:80])
        return found

    return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=constant, object_pairs_hook=unique)


def _nodes(documents: list[Any]) -> Iterator[tuple[int, Any]]:
    """Walk objects and lists in document order, with their depth."""
    waiting: list[tuple[int, Any]] = [(1, documents)]
    while waiting:
        depth, node = waiting.pop()
        yield depth, node
        inner = list(node.values()) if isinstance(node, dict) else node
        waiting.extend((depth + 1, value) for value in reversed(inner) if isinstance(value, dict | list))


def _lists(documents: list[Any]) -> tuple[list[Listed], list[Object]]:
    """Return the lists of objects that may be transactions, and the objects around them; nothing inside a transaction is looked at."""
    lists: list[Listed] = []
    outer: list[Object] = []
    waiting: list[tuple[str, Any, tuple[Object, ...]]] = [("", documents, ())]
    while waiting:
        key, node, around = waiting.pop()
        if isinstance(node, list):
            listed = Listed(key, node, around)
            if any(isinstance(item, dict) for item in node) and _may_be(listed):
                lists.append(listed)
            else:
                waiting.extend((key, item, around) for item in reversed(node) if isinstance(item, dict | list))
                if not node and _says_transactions(key):
                    lists.append(listed)
        else:
            outer.append(node)
            inner = (node, *around)
            waiting.extend((name, value, inner) for name, value in reversed(node.items()) if isinstance(value, dict | list))
    return lists, outer


def _says_transactions(key: str) -> bool:
    return bool(re.search(r"transaction|booked|entries|movements|^added$|^results$|feeditems", key, re.IGNORECASE))


def _may_be(listed: Listed) -> bool:
    return _shape(listed) is not None or _columns(listed) is not None


def _shape(listed: Listed) -> Shape | None:
    if "balance" in listed.key.lower():
        return None
    first = next((item for item in listed.items if isinstance(item, dict)), {})
    return next((shape for shape in SHAPES if shape.is_one(first)), None)


# -------------------------------------------------------------------------------------------------------------- the parts


def _money(item: Object, key: str) -> Decimal:
    """Read one amount strictly; raises ValueError with the text that is none."""
    value = item.get(key)
    if not isinstance(value, str) or not MONEY.fullmatch(value.strip()):
        raise _Unread(key, value, "is not an amount")
    return _tidy(Decimal(value.strip()), isinstance(value, Number))


def _tidy(money: Decimal, is_number: bool) -> Decimal:
    """Take off what binary arithmetic left behind (12.340000000000002), which no bank means."""
    exponent = money.as_tuple().exponent
    if is_number and isinstance(exponent, int) and exponent < -9 and abs(money) < 10**15:
        near = round(money, 4)
        return near if near and abs(near - money) < Decimal("1e-9") else money
    return money


class _Unread(Exception):
    """A value of a transaction that cannot be read."""

    def __init__(self, key: str, value: Any, what: str):
        self.key, self.value, self.what = key, "" if value is None else str(value)[:80], what


def _signed(amount: Decimal, indicator: Any, key: str) -> Decimal:
    """Give an amount the sign its indicator states."""
    side = banks.side(str(indicator))
    if side is None:
        raise _Unread(key, indicator, "does not say whether money came in or went out")
    if amount < 0 and side == "+":
        raise _Unread(key, indicator, f"contradicts the amount {amount}")
    return abs(amount) if side == "+" else -abs(amount)


def _text(value: Any) -> str:
    """Return the words of a text, a list of texts, or an object of texts."""
    if isinstance(value, Mapping):
        return " ".join(filter(None, (_text(part) for part in value.values())))
    if isinstance(value, list):
        return " ".join(filter(None, map(_text, value)))
    return value.strip() if isinstance(value, str) and value.strip().upper() not in ("NOTPROVIDED", "NULL") else ""


def _said(*parts: Any) -> str:
    """Join words, leaving out what is said already."""
    found: list[str] = []
    for part in map(_text, parts):
        if part and not any(part.casefold() in said.casefold() for said in found):
            found = [said for said in found if said.casefold() not in part.casefold()] + [part]
    return " ".join(found)


def _object(item: Object, key: str) -> Object:
    value = item.get(key)
    value = value[0] if isinstance(value, list) and value else value
    return value if isinstance(value, dict) else {}


def _first(item: Object, *keys: str) -> Any:
    return next((value for key in keys if (value := item.get(key)) not in (None, "", [], {})), None)


def _around(listed: Listed, *keys: str) -> str:
    """Return the first of the keys that an object around the list has as text."""
    for outer in listed.around:
        value = _first(outer, *keys)
        if isinstance(value, str):
            return value
    return ""


def _iso_code(value: Any) -> str:
    return f"ISO {value.strip()}" if isinstance(value, str) and re.fullmatch(r"\s*[A-Z]{4}(-[A-Z]{4}){1,2}\s*", value) else ""


def _mcc(value: Any) -> str:
    return f"MCC {int(value):04}" if isinstance(value, str) and re.fullmatch(r"\d{3,4}", value) and int(value) else ""


# ---------------------------------------------------------------------------------------------------------- the interfaces


def _is_plaid(item: Object) -> bool:
    if "amount" not in item or isinstance(item["amount"], dict):
        return False
    own = {"iso_currency_code", "unofficial_currency_code", "personal_finance_category", "pending_transaction_id", "payment_channel"}
    return bool(own & item.keys()) or bool({"date_posted", "date_transacted"} & item.keys())


def _plaid(item: Object, listed: Listed) -> Entry:
    """https://plaid.com/docs/api/products/transactions: a positive amount left the account."""
    if {"security_id", "investment_transaction_id"} & item.keys():
        raise _Unread(
            "security_id", item.get("security_id"), "shows that these are dealings in securities, not movements of a bank account"
        )
    category = item.get("personal_finance_category")
    detailed = _text(category.get("detailed") or category.get("primary")) if isinstance(category, dict) else ""
    return Entry(
        day=_first(item, "date_posted", "date", "date_transacted", "authorized_date"),
        amount=-_money(item, "amount"),
        text=_said(_first(item, "original_description", "name", "description"), item.get("merchant_name")),
        currency=_text(_first(item, "iso_currency_code", "unofficial_currency_code", "currency")),
        account=_text(item.get("account_id")) or _around(listed, "account_id") or _sandbox_account(listed),
        code=_mcc(_first(item, "mcc", "merchant_category_code")) or (f"PFC {detailed}" if detailed else ""),
        state="pending" if item.get("pending") is True else "booked",
    )


def _sandbox_account(listed: Listed) -> str:
    """Return the number of a sandbox user's account, or which of its accounts it is."""
    for place, outer in enumerate(listed.around):
        if isinstance(numbers := outer.get("numbers"), dict) and (number := _text(numbers.get("account"))):
            return number
        if isinstance(others := outer.get("override_accounts"), list) and len(others) > 1 and place:
            inner = listed.around[place - 1]
            which = next(ordinal for ordinal, other in enumerate(others, 1) if other is inner)
            return f" {_text(inner.get('subtype')) or 'account'} {which}"  # the blank in front asks for the file's name
    return ""


def _is_berlin(item: Object) -> bool:
    return isinstance(item.get("transactionAmount"), dict)


def _berlin(item: Object, listed: Listed) -> Entry:
    """Berlin Group NextGenPSD2 as banks and GoCardless spell it: signed, in lists called booked and pending."""
    money = item["transactionAmount"]
    amount = _money(money, "amount")
    if indicator := _first(item, "creditDebitIndicator", "credit_debit_indicator"):
        amount = _signed(amount, indicator, "creditDebitIndicator")
    names = ("creditorName", "debtorName") if amount < 0 else ("debtorName", "creditorName")
    words = [key for key in item if key.lower().startswith("remittanceinformation")]
    free = [key for key in words if "unstructured" in key.lower()]
    key = listed.key.lower()
    status = _text(_first(item, "bookingStatus", "status", "transactionStatus")).lower()
    balance = _object(item, "balanceAfterTransaction")
    booked = not balance or "available" not in _text(balance.get("balanceType")).lower()
    return Entry(
        day=_first(item, "bookingDate", "bookingDateTime", "valueDate", "valueDateTime", "transactionDate"),
        amount=amount,
        text=_said(
            _first(item, *names), *(item[word] for word in free or words), *([] if words else [_first(item, "additionalInformation")])
        ),
        currency=_text(money.get("currency")),
        account=_berlin_account(listed),
        code=_mcc(_first(item, "merchantCategoryCode")) or _iso_code(_first(item, "bankTransactionCode", "bankTransactionCodeCode")),
        balance=_money(_object(balance, "balanceAmount"), "amount") if booked and _object(balance, "balanceAmount") else None,
        state="pending" if key == "pending" or status in ("pending", "pdng") else "information" if key == "information" else "booked",
    )


def _berlin_account(listed: Listed) -> str:
    for outer in listed.around:
        account = outer.get("account")
        found = _first(account, "iban", "bban", "resourceId", "maskedPan") if isinstance(account, dict) else account
        if found := found or _first(outer, "iban", "account_id", "accountId"):
            return _text(found)
    return ""


def _is_obie(item: Object) -> bool:
    return "CreditDebitIndicator" in item and isinstance(item.get("Amount"), dict) and bool({"BookingDateTime", "Status"} & item.keys())


STATES = {"booked": "booked", "book": "booked", "pending": "pending", "pdng": "pending"}


def _obie(item: Object, listed: Listed) -> Entry:
    """UK Open Banking (OBIE) read/write API: unsigned, with an indicator; only Status Booked moved money."""
    status = _text(item.get("Status")) or "Booked"
    indicator = item.get("CreditDebitIndicator")
    amount = _signed(_money(item["Amount"], "Amount"), indicator, "CreditDebitIndicator")
    merchant = _object(item, "MerchantDetails")
    other = _object(item, "CreditorAccount" if amount < 0 else "DebtorAccount")
    code = _object(item, "BankTransactionCode")
    names = [part for key in ("Domain", "Code", "SubCode") if (part := _text(code.get(key)))]
    after = _object(item, "Balance")
    balance = None
    if _object(after, "Amount") and "available" not in _text(after.get("Type")).lower():
        balance = _signed(
            _money(after["Amount"], "Amount"), _first(after, "CreditDebitIndicator") or "Credit", "Balance.CreditDebitIndicator"
        )
    return Entry(
        day=_first(item, "BookingDateTime", "ValueDateTime"),
        amount=amount,
        text=_said(_first(item, "TransactionInformation"), merchant.get("MerchantName"), other.get("Name"))
        or _said(_first(item, "TransactionReference")),
        currency=_text(item["Amount"].get("Currency")),
        account=_text(item.get("AccountId")) or _around(listed, "AccountId"),
        code=_mcc(merchant.get("MerchantCategoryCode")) or _iso_code("-".join(names)) or (f"OBIE {'-'.join(names)}" if names else ""),
        balance=balance,
        state=STATES.get(status.lower(), status),
    )


def _is_truelayer(item: Object) -> bool:
    return "amount" in item and "timestamp" in item and bool({"transaction_type", "transaction_category"} & item.keys())


def _truelayer(item: Object, listed: Listed) -> Entry:
    """TrueLayer Data API v1: the amount has its sign; transaction_type is what a bank's interface said, and is often wrong."""
    merchant = _first(item, "merchant_name")
    running = _object(item, "running_balance")
    category = _text(item.get("transaction_category"))
    return Entry(
        day=item.get("timestamp"),
        amount=_money(item, "amount"),
        text=_said(item.get("description"), merchant),
        currency=_text(item.get("currency")),
        account=_text(item.get("account_id")) or _around(listed, "account_id"),
        code=f"TRUELAYER {category}" if category else "",
        balance=_money(running, "amount") if running else None,
        state="pending" if _text(item.get("status")).lower() == "pending" or listed.key.lower() == "pending" else "booked",
    )


SHAPES = (
    Shape("Berlin Group", "signed", _is_berlin, _berlin),
    Shape("UK Open Banking", "CreditDebitIndicator", _is_obie, _obie),
    Shape("TrueLayer", "signed", _is_truelayer, _truelayer),
    Shape("Plaid", "a positive amount is money out", _is_plaid, _plaid),
)


# ----------------------------------------------------------------------------------------------------------------- reading


class _Reader:
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
            except _Unread as unread:
                raise unreadable(self.file, self.n, unread) from unread
            check_text(self.file, self.n, entry.text, self.limits)
            self.contrary += shape.name == "TrueLayer" and _contradicts(entry.amount, item.get("transaction_type"))
            known = _text(item.get("transaction_id")) if shape.name == "Plaid" else ""
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
                    self._note_balance(item, _berlin_account(Listed(key, [], (node,))))

    def _note_balance(self, item: Object, account: str) -> None:
        kind = _text(_first(item, "balanceType", "Type")).lower().replace("_", "")
        is_opening = kind in ("openingbooked", "opbd", "previouslyclosedbooked", "prcd")
        if not is_opening and kind not in ("closingbooked", "clbd"):
            return
        try:
            if inner := _object(item, "balanceAmount"):
                money = _money(inner, "amount")
            else:
                money = _signed(_money(_object(item, "Amount"), "Amount"), item.get("CreditDebitIndicator"), "CreditDebitIndicator")
        except _Unread as unread:
            what = f"{unread.value!r} in {unread.key!r} of the {kind} balance {unread.what}."
            raise UnreadableFile(self.file, what, value=unread.value) from unread
        account = _text(item.get("AccountId")) or account
        merged(self.stated, account, *((money, None) if is_opening else (None, money)))
        if is_opening and self.stated[account][0] is None:
            self.stated[account] = (money, self.stated[account][1])

    def found(self, outer: list[Object]) -> Found:
        """Return the rows, what was set aside, and what must be said."""
        removed = self._removed(outer)
        pending = 0
        stem = PurePath(self.file).stem
        for number, entry in self.entries.items():
            day = day_of(self.file, number, entry.day)
            if entry.state == "pending":
                pending += 1
            elif entry.state != "booked":
                self.aside[entry.state] += 1
            else:
                account = entry.account if not entry.account.startswith(" ") else stem + entry.account
                self.moves.add(
                    account=account, currency=entry.currency, booked_on=day, amount=entry.amount, text=entry.text, code=entry.code,
                    line=number, balance=entry.balance,
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
                    self.entries.pop(self.ids.get(_text(known), 0), None)
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
    return bool(amount) and isinstance(kind, str) and banks.side(kind) not in (None, "-" if amount < 0 else "+")


def unreadable(file: str, number: int, unread: _Unread) -> UnreadableFile:
    """Say which transaction has which value that cannot be read."""
    what = f"{unread.value!r} in {unread.key!r} of transaction {number} {unread.what}."
    return UnreadableFile(file, what, line=number, column=unread.key, value=unread.value)


def check_text(file: str, number: int, text: str, limits: Intake) -> None:
    """Refuse words longer than any bank writes."""
    if len(text) > limits.max_field_length:
        what = f"the words of transaction {number} are longer than {limits.max_field_length} characters."
        raise UnreadableFile(file, what, line=number, value=text[:40])


def day_of(file: str, number: int, value: Any) -> date:
    """Return the day an ISO date or time stamp prints; never moved to another zone. Raises UnreadableFile."""
    found = _iso_day(value) if isinstance(value, str) else None
    if found is None:
        said = "nothing" if value is None else repr(str(value)[:40])
        raise UnreadableFile(file, f"transaction {number} has {said} for a date of the calendar.", line=number, value=str(value)[:40])
    return found


@lru_cache(8192)
def _iso_day(text: str) -> date | None:
    return cells.date_reader("%Y-%m-%d")(text) if re.match(r"\d{4}-\d\d-\d\d(?:$|[T ])", text) else None


# ------------------------------------------------------------------------------------------------------------- plain lists

ROLES = {
    role: words.split()
    for role, words in {
        "date": "booking_date posted_date posting_date date made_on transaction_date timestamp datetime created value_date "
        "transaction_time booked completed_date",
        "amount": "amount transaction_amount value betrag sum",
        "text": "description narrative details text name memo merchant_name payee counterparty counterparty_name counter_party_name "
        "remittance_information reference purpose note",
        "sign": "credit_debit_indicator transaction_type debit_credit direction base_type dc indicator type",
        "currency": "currency currency_code iso_currency_code",
        "account": "iban account_id account_number account_uid account account_guid",
        "mcc": "mcc merchant_category_code",
    }.items()
}
MINOR = {"minorUnits", "minor_units", "local_amount", "amountInMinorUnits"}


def _plain(key: str) -> str:
    return banks.folded(key).replace(" ", "_")


def _columns(listed: Listed) -> dict[str, str] | None:
    """Return the keys of date, amount and more in the objects of a list, None where they are no transactions."""
    first = next((item for item in listed.items if isinstance(item, dict)), {})
    keys = {_plain(key): key for key in first if isinstance(key, str)}
    found = {role: keys[name] for role, names in ROLES.items() for name in reversed(names) if name in keys}
    if not {"date", "amount"} <= found.keys() or re.search(r"balance|rate|holding|security|securities", listed.key, re.IGNORECASE):
        return None
    return found if isinstance(first[found["date"]], str) else None


def _generic(file: str, lists: list[Listed], profile: banks.Profile | None, limits: Intake) -> Found:
    """Read a plain list of objects with a date and an amount; what its keys were taken for is said."""
    full = [listed for listed in lists if listed.items]
    named = [listed for listed in full if _says_transactions(listed.key)] or full
    if not named:
        if lists:
            return Found(Movements(file, max_amount=limits.max_amount).table(), {"line": "transaction"}, count=0)
        raise UnreadableFile(file, "there is no list of transactions (objects with a date and an amount) in the document.")
    if len({listed.key for listed in named}) > 1 and not all(_says_transactions(listed.key) for listed in named):
        keys = ", ".join(dict.fromkeys(repr(listed.key) for listed in named))
        raise UnreadableFile(file, f"the document has several lists that could be the transactions ({keys}) and nothing decides.")
    reader = _Plain(file, profile, limits)
    for listed in named:
        reader.take(listed)
    return reader.found()


class _Plain:
    """Plain lists on their way into rows."""

    def __init__(self, file: str, profile: banks.Profile | None, limits: Intake):
        self.file, self.profile, self.limits = file, profile, limits
        self.moves = Movements(file, max_amount=limits.max_amount)
        self.n, self.pending, self.unsigned = 0, 0, 0
        self.columns: dict[str, str] = {}
        self.stated: Stated = {}
        self.aside = 0

    def take(self, listed: Listed) -> None:
        """Read one list. Raises UnreadableFile."""
        self.columns = columns = _columns(listed) or {}
        items = [item for item in listed.items if isinstance(item, dict)]
        if len(items) < len(listed.items):
            raise UnreadableFile(self.file, f"something else than an object stands in the list {listed.key!r}.")
        form = self._date_format(items, columns["date"])
        sided = "sign" in columns and all(banks.side(_text(item.get(columns["sign"]))) for item in items)
        account = ""
        for item in items:
            self.n += 1
            try:
                amount = self._amount(item, columns, sided)
            except _Unread as unread:
                raise unreadable(self.file, self.n, unread) from unread
            state = banks.folded(_text(_first(item, "status", "state", "Status"))) or listed.key.lower()
            if item.get("pending") is True or state in ("pending", "pdng", "authorised", "authorized") or item.get("settled") == "":
                self.pending += 1
                continue
            if re.fullmatch(r"rejected|rjct|declined|failed|cancell?ed|reverted|future|futr|information|info|scheduled", state) or item.get(
                "decline_reason"
            ):
                self.aside += 1
                continue
            account = _text(item.get(columns.get("account", ""))) or _around(
                listed, *ROLES["account"], "accountNumber", "accountId", "account_no"
            )
            words = _said(item.get(columns.get("text", "")))
            check_text(self.file, self.n, words, self.limits)
            self.moves.add(
                account=account, currency=self._currency(item, columns, listed), booked_on=self._day(item, columns["date"], form),
                amount=amount, text=words, code=_mcc(item.get(columns.get("mcc", ""))), line=self.n,
            )  # fmt: skip
        self._note_balances(listed, account)

    def _amount(self, item: Object, columns: dict[str, str], sided: bool) -> Decimal:
        key = columns["amount"]
        value = item[key]
        if isinstance(value, dict):
            inner = next((name for name in ("amount", "value", "minorUnits", "minor_units", "Amount") if name in value), "amount")
            amount = _money(value, inner)
        else:
            inner, amount = key, _money(item, key)
        if inner in MINOR or MINOR & item.keys():  # whole pence
            amount = amount.scaleb(-2)
        if sided:
            return _signed(amount, item[columns["sign"]], columns["sign"])
        self.unsigned += amount > 0
        return -amount if self.profile and self.profile.positive == "out" else amount

    def _currency(self, item: Object, columns: dict[str, str], listed: Listed) -> str:
        value = item[columns["amount"]]
        inside = _text(_first(value, "currency", "currencyCode", "Currency")) if isinstance(value, dict) else ""
        return (inside or _text(item.get(columns.get("currency", ""))) or _around(listed, "currency", "currencyCode")).upper()

    def _date_format(self, items: Sequence[Object], key: str) -> str:
        if self.profile and self.profile.date_format:
            return self.profile.date_format
        texts = pa.array([_text(item.get(key)) for item in items], pa.string())
        forms = [form for form in cells.date_formats(texts) if not re.match(r"%y\W", form)]
        days = {tuple(cells.days(texts, form)[0].tolist()): form for form in forms}
        if len(days) > 1:
            sample = texts[0].as_py()
            raise UnreadableFile(self.file, _undecided(sample, list(days.values())), column=key, value=sample)
        return next(iter(days.values()), "%Y-%m-%d")

    def _day(self, item: Object, key: str, form: str) -> date:
        text = _text(item.get(key))
        found = _iso_day(text) or cells.date_reader(form)(text)
        return found or day_of(self.file, self.n, item.get(key))

    def _note_balances(self, listed: Listed, account: str) -> None:
        """Take opening and closing balance from the object the list stands in."""
        outer = {_plain(key): value for key, value in (listed.around[0] if listed.around else {}).items()}
        both = [_text(_first(outer, f"{word}_balance", f"{word}")) for word in ("opening", "closing")]
        money = [Decimal(text) if MONEY.fullmatch(text) else None for text in both]
        if any(value is not None for value in money):
            merged(self.stated, account, money[0], money[1])

    def found(self) -> Found:
        """Return the rows, and what the keys were taken for."""
        taken = ", ".join(f"{role} from {key!r}" for role, key in self.columns.items())
        said = f"the interface is not one that is known; {taken}; a positive amount is taken as money in."
        if self.moves.rows and all(row[3] >= 0 for row in self.moves.rows) and self.unsigned:
            said += ' No amount is negative; where they are payments, a bank profile with positive = "out" decides.'
        doubts = [Problem(None, None, None, f"{self.file}: {said}")]
        notes = []
        if self.aside:
            notes.append(Problem(None, None, None, f"{self.file}: {self.aside} transactions that moved no money were set aside."))
        dialect = {
            "interface": None,
            "columns": self.columns,
            "line": "transaction",
            "profile": self.profile.name if self.profile else None,
        }
        return Found(self.moves.table(), dialect, notes, doubts, self.stated, self.n - self.aside, self.pending)


def _undecided(sample: str, forms: list[str]) -> str:
    keys = " or ".join(f'date_format = "{form}"' for form in forms)
    return (
        f"the dates can be read in more than one way (for example {sample!r}) and nothing in the file decides; "
        f"a bank profile (--profile) with {keys} does."
    )
