"""One transaction as an interface of a bank gives it, and how an interface is known and read."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from creditrisk.formats.bankjson.document import Listed, Object


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
class Shape:
    """One interface: how its transactions are known and read, and what its signs mean."""

    name: str
    sign: str
    is_one: Callable[[Object], bool]
    entry: Callable[[Object, Listed], Entry]
