"""What the codes of banks and card schemes say of a movement: what it is, of what kind, or only how the money moved.

A code is one or several schemes with a value each, as the formats write them: `ISO PMNT-RCDT-SALA PURP SALA`, `SWIFT NTRF GVC 166
RVSL`, `MCC 5411`, `PFC INCOME_WAGES`. What they mean is declared in `rules.toml`.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from creditrisk import taxonomy


@dataclass(frozen=True)
class Said:
    """What a code says of a movement: what it is, only of what kind, or only how the money moved."""

    category: str
    confidence: float
    says: Literal["what", "kind", "how"]
    source: Literal["code", "mcc"] = "code"


@lru_cache(4096)
def _tokens(code: str) -> tuple[tuple[str, str], ...]:
    """Return scheme and value of every part of a code, the one that says most of a purpose first.

    >>> _tokens("SWIFT NTRF GVC 166"), _tokens("ISO PMNT-RCDT-ESCT PURP SALA")
    ((('GVC', '166'), ('SWIFT', 'TRF')), (('PURP', 'SALA'), ('ISO', 'PMNT-RCDT-ESCT')))
    """
    found = []
    for scheme, value in PARTS.findall(code.upper()):
        if scheme == "SWIFT" or (scheme == "BANK" and re.fullmatch(r"N[A-Z]{3}", value)):
            found.append(("SWIFT", value[1:]))
        else:
            found.append(("MCC" if scheme == "SIC" else scheme, value.strip()))
    return tuple(sorted(found, key=lambda part: SCHEMES.index(part[0])))


SCHEMES = ("PURP", "PFC", "MCC", "SIC", "GVC", "ISO", "OBIE", "TRUELAYER", "OFX", "QIF", "SWIFT", "BANK")
PARTS = re.compile(rf"\b({'|'.join(SCHEMES)}) +(.+?)(?= +(?:(?:{'|'.join(SCHEMES)}) |RVSL\b)|$)")


def _keys(scheme: str, value: str) -> list[str]:
    """Return under which names a value may be declared, the nearest first."""
    if scheme == "ISO":
        domain, family, sub = (*value.split("-"), "", "")[:3]
        return [f"*-{sub}", f"{domain}-{family}", domain]
    if scheme == "PFC":
        words = value.split("_")
        return ["_".join(words[:n]) for n in range(len(words), 0, -1)]
    if scheme == "OBIE":
        return [re.sub(r"[^A-Z0-9]", "", part) for part in reversed(value.split("-"))]
    return [value.zfill(4) if scheme == "MCC" else value]


@lru_cache(4096)
def judge(code: str, coming: bool) -> Said | None:
    """Return what a bank's or card scheme's code says, None where it says nothing."""
    if code in (whole := taxonomy.rules()["code"]):
        category, confidence = whole[code]
        return Said(category, confidence, "what")
    if re.search(r"\bRVSL\b", code):  # somebody took money back; where it went out again, the words of the first booking tell nothing
        return (Said("REFUND", 0.85, "what") if paid_by_card(code) > 0 else Said("RETURNED_ITEM", 0.9, "what")) if coming else None
    said = [
        next((known for key in _keys(scheme, value) if (known := structure().get((scheme, key, coming)))), None)
        for scheme, value in _tokens(code)
    ]
    return min((known for known in said if known), key=lambda known: ("what", "kind", "how").index(known.says), default=None)


@lru_cache(4096)
def paid_by_card(code: str) -> int:
    """Return 1 where a code says that a card paid, -1 where it says otherwise, 0 where it does not say."""
    names = {f"{scheme} {key}" for scheme, value in _tokens(code) for key in _keys(scheme, value)} | {scheme for scheme, _ in _tokens(code)}
    card = taxonomy.rules()["card"]
    return 1 if names & set(card["always_codes"]) else -1 if names & set(card["never_codes"]) else 0


@cache
def structure() -> dict[tuple[str, str, bool], Said]:
    """Return what is declared of codes, by scheme, code and whether the money came in."""
    found: dict[tuple[str, str, bool], Said] = {}
    for scheme, entries in taxonomy.rules()["structure"].items():
        for entry in entries:
            for coming in (True, False):
                category = _one_way(entry["category"], coming) if "category" in entry else entry.get("in" if coming else "out")
                if category:
                    said = Said(category, entry["confidence"], entry["says"], "mcc" if scheme == "MCC" else "code")
                    for code in _spread(entry["codes"]) if scheme == "MCC" else entry["codes"].split():
                        found.setdefault((scheme, code, coming), said)
    return found


def _one_way(category: str, coming: bool) -> str | None:
    """Return what a category is when the money went this way; None where that makes no sense."""
    kind = taxonomy.taxonomy()[category]
    if kind.direction in ("both", "in" if coming else "out"):
        return category
    other = taxonomy.rules()["other_way"].get(category)
    return str(other) if other else "REFUND" if coming else None


def _spread(codes: str) -> list[str]:
    found = []
    for part in codes.split():
        first, _, last = part.partition("-")
        found += [f"{number:04d}" for number in range(int(first), int(last or first) + 1)]
    return found
