"""What one entry says: who the other side is, what it was for, its codes, and the details of a batch.

Nobody may break this: a batch is opened only where its details add up to the entry.
"""

import re
from decimal import Decimal

from creditrisk.formats.camt.bags import Bag, first, number

GERMAN = re.compile(r"(N[A-Z]{3}|N\d{3})\+(\d{3})")


def opened(details: list[Bag], signed: Decimal, currency: str) -> list[tuple[Decimal, list[Bag]]]:
    """Return the details of a batch with their amounts where they add up to the entry; else nothing."""
    if len(details) < 2:
        return []
    parts: list[tuple[Decimal, list[Bag]]] = []
    for bag in details:
        amount = _detail_amount(bag, currency)
        if amount is None:
            return []
        side = first(bag, "CdtDbtInd").upper()
        out = side == "DBIT" if side else signed < 0
        parts.append((-amount if out else amount, [bag]))
    return parts if sum(amount for amount, _ in parts) == signed else []


def _detail_amount(bag: Bag, currency: str) -> Decimal | None:
    """Return a detail's amount in the currency of its entry."""
    for path in ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt"):
        if first(bag, path) and first(bag, f"{path}@Ccy") in ("", currency):
            return number(first(bag, path))
    return None


def code(bag: Bag, details: list[Bag]) -> str:
    """Return the bank transaction code of an entry, its purpose where it states one, and whether it is a reversal."""
    sources = [*details, bag] if len(details) == 1 else [bag]
    code = next((found for source in sources if (found := _bank_code(source))), "")
    purpose = first(details[0], "Purp/Cd") if len(details) == 1 else ""
    return " ".join(part for part in (code, purpose and f"PURP {purpose}", "RVSL" if _is_reversal(bag) else "") if part)


def _is_reversal(bag: Bag) -> bool:
    """Say whether an entry takes back another; its own direction is stated all the same and holds."""
    return first(bag, "RvslInd").lower() in ("true", "1")


def _bank_code(bag: Bag) -> str:
    parts = [first(bag, f"BkTxCd/Domn/{path}") for path in ("Cd", "Fmly/Cd", "Fmly/SubFmlyCd")]
    proprietary = first(bag, "BkTxCd/Prtry/Cd")
    german = GERMAN.match(proprietary)
    own = f"SWIFT {german[1]} GVC {german[2]}" if german else f"BANK {proprietary}" if proprietary else ""
    return f"ISO {'-'.join(part for part in parts if part)}" if any(parts) else own


def text(bag: Bag, details: list[Bag], amount: Decimal) -> str:
    """Return who the other side is and what it was for; of a batch that stays closed, what the bank says of the whole."""
    said: list[str] = []
    if _is_reversal(bag):
        amount = -amount  # a payment that comes back names the parties of the payment
    if len(details) == 1:
        said = [_other_side(details[0], amount), *_purpose(details[0])]
    whole = bag.get("AddtlNtryInf", [])
    said += [part for part in whole if part]
    if len(details) > 1 and not said:
        said = [part for detail in details[:3] for part in (_other_side(detail, amount), *_purpose(detail))]
    said = said if any(said) else [first(bag, "NtryRef", "AcctSvcrRef")]
    return " ".join(dict.fromkeys(part for part in said if part))


def _other_side(bag: Bag, amount: Decimal) -> str:
    """Return the name of who paid (money in) or was paid (money out), else of whoever is named."""
    sides = ("Dbtr", "Cdtr") if amount > 0 else ("Cdtr", "Dbtr")
    paths = [f"RltdPties/{ultimate}{side}{inner}/Nm" for side in sides for ultimate in ("Ultmt", "") for inner in ("", "/Pty", "/Pty/Pty")]
    return first(bag, *paths, "RltdPties/TradgPty/Nm", "RltdPties/TradgPty/Pty/Nm")


def _purpose(bag: Bag) -> list[str]:
    """Return the remittance information, unstructured before structured, and the bank's own words."""
    paths = ("RmtInf/Ustrd", "RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/CdtrRefInf/CdtrRef", "RmtInf/Strd/AddtlRmtInf", "AddtlTxInf")
    return [text for path in paths for text in bag.get(path, ())]
