"""Lists of no known interface: objects with a date and an amount, whose keys are taken for what their names say."""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pyarrow as pa

from creditrisk import banks, dates, lexicon
from creditrisk.errors import UnreadableFile
from creditrisk.formats.bankjson import values
from creditrisk.formats.bankjson.document import Listed, Object, says_transactions
from creditrisk.settings import Intake
from creditrisk.statement import Found, Movements, Problem, Stated, merged

ROLES = {
    role: words.split()
    for role, words in {
        "date": "booking_date posted_date posting_date post_date posting_date_time booking_date_time date made_on "
        "transaction_date timestamp datetime created value_date transaction_time booked completed_date",
        "amount": "amount transaction_amount value betrag sum",
        "text": "description narrative details text name memo merchant_name payee counterparty counterparty_name counter_party_name "
        "remittance_information remittance_information_unstructured reference purpose note",
        "sign": "credit_debit_indicator transaction_type debit_credit direction base_type dc indicator type",
        "currency": "currency currency_code iso_currency_code",
        "account": "iban account_id account_number account_uid account account_guid",
        "mcc": "mcc merchant_category_code",
    }.items()
}
MINOR = {"minorUnits", "minor_units", "local_amount", "amountInMinorUnits", "is_load"}


def _plain(key: str) -> str:
    return lexicon.folded(key).replace(" ", "_")


def columns_of(listed: Listed) -> dict[str, str] | None:
    """Return the keys of date, amount and more in the objects of a list, None where they are no transactions."""
    first = next((item for item in listed.items if isinstance(item, dict)), {})
    keys = {_plain(key): key for key in first if isinstance(key, str)}
    found = {role: keys[name] for role, names in ROLES.items() for name in reversed(names) if name in keys}
    if not {"date", "amount"} <= found.keys() or re.search(r"balance|rate|holding|security|securities", listed.key, re.IGNORECASE):
        return None
    return found if any(_date_text(item, found["date"]) for item in listed.items if isinstance(item, dict)) else None


def _date_text(item: Object, key: str) -> str:
    """Return the date as it stands under its key, or in an object under it."""
    value = item.get(key)
    return values.text(value.get("date") if isinstance(value, dict) else value)


def read(file: str, lists: list[Listed], profile: banks.Profile | None, limits: Intake) -> Found:
    """Read a plain list of objects with a date and an amount; what its keys were taken for is said."""
    full = [listed for listed in lists if listed.items]
    named = [listed for listed in full if says_transactions(listed.key)] or full
    if not named:
        if lists:
            return Found(Movements(file, max_amount=limits.max_amount).table(), {"line": "transaction"}, count=0)
        raise UnreadableFile(file, "there is no list of transactions (objects with a date and an amount) in the document.")
    if len({listed.key for listed in named}) > 1 and not all(says_transactions(listed.key) for listed in named):
        keys = ", ".join(dict.fromkeys(repr(listed.key) for listed in named))
        raise UnreadableFile(file, f"the document has several lists that could be the transactions ({keys}) and nothing decides.")
    reader = _Reader(file, profile, limits)
    for listed in named:
        reader.take(listed)
    return reader.found()


class _Reader:
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
        self.columns = columns = columns_of(listed) or {}
        items = [item for item in listed.items if isinstance(item, dict)]
        if len(items) < len(listed.items):
            raise UnreadableFile(self.file, f"something else than an object stands in the list {listed.key!r}.")
        form = self._date_format(items, columns["date"])
        sided = "sign" in columns and all(lexicon.side(values.text(item.get(columns["sign"]))) for item in items)
        account = ""
        for item in items:
            self.n += 1
            try:
                amount = self._amount(item, columns, sided)
            except values.Unread as unread:
                raise values.unreadable(self.file, self.n, unread) from unread
            state = lexicon.folded(values.text(values.first(item, "status", "state", "Status"))) or listed.key.lower()
            if item.get("pending") is True or state in ("pending", "pdng", "authorised", "authorized") or item.get("settled") == "":
                self.pending += 1
                continue
            if re.fullmatch(r"rejected|rjct|declined|failed|cancell?ed|reverted|future|futr|information|info|scheduled", state) or item.get(
                "decline_reason"
            ):
                self.aside += 1
                continue
            account = values.text(item.get(columns.get("account", ""))) or values.around(
                listed, *ROLES["account"], "accountNumber", "accountId", "account_no"
            )
            words = values.said(item.get(columns.get("text", "")))
            values.check_text(self.file, self.n, words, self.limits)
            self.moves.add(
                account=account, currency=self._currency(item, columns, listed), booked_on=self._day(item, columns["date"], form),
                amount=amount, text=words, code=values.mcc(item.get(columns.get("mcc", ""))), line=self.n,
            )  # fmt: skip
        self._note_balances(listed, account)

    def _amount(self, item: Object, columns: dict[str, str], sided: bool) -> Decimal:
        key = columns["amount"]
        value = item.get(key)
        if isinstance(value, dict):
            inner = next(
                (name for name in ("amount", "value", "content", "minorUnits", "minor_units", "Amount") if name in value), "amount"
            )
            amount = values.money(value, inner)
        else:
            inner, amount = key, values.money(item, key)
        if inner in MINOR or MINOR & item.keys():  # whole pence
            amount = amount.scaleb(-2)
        if sided:
            return values.signed(amount, item.get(columns["sign"]), columns["sign"])
        self.unsigned += amount > 0
        return -amount if self.profile and self.profile.positive == "out" else amount

    def _currency(self, item: Object, columns: dict[str, str], listed: Listed) -> str:
        value = item.get(columns["amount"])
        inside = values.text(values.first(value, "currency", "currencyCode", "Currency")) if isinstance(value, dict) else ""
        return (inside or values.text(item.get(columns.get("currency", ""))) or values.around(listed, "currency", "currencyCode")).upper()

    def _date_format(self, items: Sequence[Object], key: str) -> str:
        if self.profile and self.profile.date_format:
            return self.profile.date_format
        texts = pa.array([_date_text(item, key) for item in items], pa.string())
        forms = [form for form in dates.formats(texts) if not re.match(r"%y\W", form)]
        days = {tuple(dates.days(texts, form)[0].tolist()): form for form in forms}
        if len(days) > 1:
            sample = texts[0].as_py()
            raise UnreadableFile(self.file, _undecided(sample, list(days.values())), column=key, value=sample)
        return next(iter(days.values()), "%Y-%m-%d")

    def _day(self, item: Object, key: str, form: str) -> date:
        text = _date_text(item, key)
        found = values.iso_day(text) or dates.reader(form)(text)
        return found or values.day_of(self.file, self.n, item.get(key))

    def _note_balances(self, listed: Listed, account: str) -> None:
        """Take opening and closing balance from the object the list stands in."""
        outer = {_plain(key): value for key, value in (listed.around[0] if listed.around else {}).items()}
        both = [values.text(values.first(outer, f"{word}_balance", f"{word}")) for word in ("opening", "closing")]
        money = [Decimal(text) if values.MONEY.fullmatch(text) else None for text in both]
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
            "profile": (self.profile.name or None) if self.profile else None,
        }
        return Found(self.moves.table(), dialect, notes, doubts, self.stated, self.n - self.aside, self.pending)


def _undecided(sample: str, forms: list[str]) -> str:
    keys = " or ".join(f'date_format = "{form}"' for form in forms)
    return (
        f"the dates can be read in more than one way (for example {sample!r}) and nothing in the file decides; "
        f"a bank profile (--profile) with {keys} does."
    )
