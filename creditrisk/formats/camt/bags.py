"""A bag: the texts of one part of a message by path ('RmtInf/Ustrd'), and what they mean as an amount or a day, or nothing at all."""

import re
from datetime import date
from decimal import Decimal

NUMBER = re.compile(r"\+?(?:0*\d{1,15}(?:\.(\d{0,4})0*)?|\.(\d{1,4})0*)")
Bag = dict[str, list[str]]


def first(bag: Bag, *paths: str) -> str:
    """Return the first text at the first of `paths` that has one."""
    for path in paths:
        if path in bag:
            return bag[path][0]
    return ""


def number(text: str) -> Decimal | None:
    """Read an amount as XML writes it: no sign but a plus, a point, at most four decimals that are not zero.

    >>> number("18.15000"), number("000000000000200000"), number("12..34"), number("-5"), number("1E400"), number("NaN")
    (Decimal('18.15000'), Decimal('200000'), None, None, None, None)
    """
    return Decimal(text) if NUMBER.fullmatch(text) else None


def calendar(text: str) -> date | None:
    """Return the day as printed, without its time and zone.

    >>> calendar("2010-10-18T23:15:00-05:00"), calendar("2024-12-31+01:00"), calendar("2023-02-30")
    (datetime.date(2010, 10, 18), datetime.date(2024, 12, 31), None)
    """
    if not re.match(r"\d{4}-\d{2}-\d{2}(?:$|[TZ+\- ])", text):
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
