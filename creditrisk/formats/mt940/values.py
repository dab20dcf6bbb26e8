"""What SWIFT writes as amounts, days and account numbers. Nobody may break this: what has two readings has none."""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache

THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


def money(text: str, currency: str = "") -> Decimal | None:
    """Read an amount without a sign: comma or point, no or some decimals; None for anything else or more than one reading.

    >>> money("9,"), money("1.234,50"), money("12.50"), money("1.234"), money("1.234", "KWD")
    (Decimal('9'), Decimal('1234.50'), Decimal('12.50'), None, Decimal('1.234'))
    """
    if re.fullmatch(r"0*\d{1,15}(?:,\d*|\.\d{0,2})?|,\d+", text):
        return Decimal(text.replace(",", "."))
    if re.fullmatch(r"\d{1,15}\.\d{3}", text):
        return Decimal(text) if currency in THREE_DECIMALS else None
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+,\d*", text):
        return Decimal(text.replace(".", "").replace(",", "."))
    return Decimal(text.replace(",", "")) if re.fullmatch(r"\d{1,3}(?:,\d{3})+\.\d*", text) else None


def is_garbled(movement: re.Match[str]) -> bool:
    """Say whether letters stand in an amount: '1E400' and '5O,00', but not '500NTRF' of a bank that leaves out ',00'."""
    return not re.search(r"[.,]", movement["amount"]) and not movement["type"] and bool(movement["reference"].strip())


def calendar(text: str) -> date | None:
    year = 1900 + int(text[:2]) + (100 if int(text[:2]) < 69 else 0)
    try:
        return date(year, int(text[2:4]), int(text[4:]))
    except ValueError:
        return None


@lru_cache(8192)
def booked(value: str, entry: str = "") -> date | None:
    """Return the entry date (MMDD) with the year that brings it nearest to the value date (YYMMDD), else the value date.

    The value date may be the 30 February of a year of twelve equal months, but only where the entry date is there to say the day.

    >>> booked("250102", "1231"), booked("240230", "0301"), booked("240230"), booked("240105")
    (datetime.date(2024, 12, 31), datetime.date(2024, 3, 1), None, datetime.date(2024, 1, 5))
    """
    day = calendar(value)
    if not entry:
        return day
    near = day or (calendar(value[:4] + "28") if value[2:] in ("0229", "0230") else None)
    if near is None:
        return None
    years = [calendar(f"{year % 100:02}{entry}") for year in (near.year - 1, near.year, near.year + 1)]
    return min((found for found in years if found), key=lambda found: abs(found - near), default=None)


def number(account: str, currency: str) -> str:
    """Return an account number without the currency that some banks put behind it."""
    return re.sub(rf"[/ ]?{currency}$", "", account).strip() if currency else account
