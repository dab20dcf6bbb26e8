"""What single values of a transaction say: strict amounts, words, codes, and the day as printed."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from creditrisk import dates, lexicon
from creditrisk.errors import UnreadableFile
from creditrisk.formats.bankjson.document import Listed, Number, Object
from creditrisk.settings import Intake

MONEY = re.compile(r"[+-]?\d{1,18}(?:\.\d+)?(?:[eE][+-]?\d{1,3})?")


def money(item: Object, key: str) -> Decimal:
    """Read one amount strictly; raises ValueError with the text that is none."""
    value = item.get(key)
    if not isinstance(value, str) or not MONEY.fullmatch(value.strip()):
        raise Unread(key, value, "is not an amount")
    return tidy(Decimal(value.strip()), isinstance(value, Number))


def tidy(money: Decimal, is_number: bool) -> Decimal:
    """Take off what binary arithmetic left behind (12.340000000000002), which no bank means."""
    exponent = money.as_tuple().exponent
    if is_number and isinstance(exponent, int) and exponent < -9 and abs(money) < 10**15:
        near = round(money, 4)
        return near if near and abs(near - money) < Decimal("1e-9") else money
    return money


class Unread(Exception):
    """A value of a transaction that cannot be read."""

    def __init__(self, key: str, value: Any, what: str):
        self.key, self.value, self.what = key, "" if value is None else str(value)[:80], what


def signed(amount: Decimal, indicator: Any, key: str) -> Decimal:
    """Give an amount the sign its indicator states."""
    side = lexicon.side(str(indicator))
    if side is None:
        raise Unread(key, indicator, "does not say whether money came in or went out")
    if amount < 0 and side == "+":
        raise Unread(key, indicator, f"contradicts the amount {amount}")
    return abs(amount) if side == "+" else -abs(amount)


def text(value: Any) -> str:
    """Return the words of a text, a list of texts, or an object of texts."""
    if isinstance(value, Mapping):
        return " ".join(filter(None, (text(part) for part in value.values())))
    if isinstance(value, list):
        return " ".join(filter(None, map(text, value)))
    return value.strip() if isinstance(value, str) and value.strip().upper() not in ("NOTPROVIDED", "NULL") else ""


def said(*parts: Any) -> str:
    """Join words, leaving out what is said already."""
    found: list[str] = []
    for part in map(text, parts):
        if part and not any(part.casefold() in said.casefold() for said in found):
            found = [said for said in found if said.casefold() not in part.casefold()] + [part]
    return " ".join(found)


def inner(item: Object, key: str) -> Object:
    """Return the object under a key, or the first of a list of them; an empty one where there is none."""
    value = item.get(key)
    value = value[0] if isinstance(value, list) and value else value
    return value if isinstance(value, dict) else {}


def first(item: Object, *keys: str) -> Any:
    """Return the value of the first key that has one."""
    return next((value for key in keys if (value := item.get(key)) not in (None, "", [], {})), None)


def around(listed: Listed, *keys: str) -> str:
    """Return the first of the keys that an object around the list has as text."""
    for outer in listed.around:
        value = first(outer, *keys)
        if isinstance(value, str):
            return value
    return ""


def iso_code(value: Any) -> str:
    """Return an ISO 20022 bank transaction code as `ISO PMNT-RCDT-ESCT`."""
    return f"ISO {value.strip()}" if isinstance(value, str) and re.fullmatch(r"\s*[A-Z]{4}(-[A-Z]{4}){1,2}\s*", value) else ""


def mcc(value: Any) -> str:
    """Return a merchant's category as `MCC 5411`."""
    return f"MCC {int(value):04}" if isinstance(value, str) and re.fullmatch(r"\d{3,4}", value) and int(value) else ""


def unreadable(file: str, number: int, unread: Unread) -> UnreadableFile:
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
    found = iso_day(value) if isinstance(value, str) else None
    if found is None:
        said = "nothing" if value is None else repr(str(value)[:40])
        raise UnreadableFile(file, f"transaction {number} has {said} for a date of the calendar.", line=number, value=str(value)[:40])
    return found


@lru_cache(8192)
def iso_day(text: str) -> date | None:
    """Return the day an ISO date or time stamp prints."""
    return dates.reader("%Y-%m-%d")(text) if re.match(r"\d{4}-\d\d-\d\d(?:$|[T ])", text) else None
