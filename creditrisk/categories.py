"""What a movement of money was: the declared taxonomy, and rules from a bank's words to one of its categories.

Structure (bank codes, merchant codes) decides before words, words are judged on cleaned descriptions and only in the direction
the money went, and every answer carries a confidence; what no rule decides is UNKNOWN with confidence 0, never a guess.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pandas import DataFrame

DECLARED = Path(__file__).parent / "declared"
UNKNOWN = "UNKNOWN"
SPENT = ("essential", "discretionary", "housing", "committed")
REFUND_BELOW = 500  # a credit from a merchant that is larger is more likely pay than a refund


@dataclass(frozen=True)
class Category:
    """One kind of movement; `title` is short enough for a chart; `protected` ones count in affordability and never as a score input."""

    code: str
    title: str
    group: str
    direction: Literal["in", "out", "both"]
    role: str
    meaning: str
    protected: bool = False


@dataclass(frozen=True)
class Rule:
    """Words that decide a category for one direction; the first rule that matches wins."""

    category: str
    confidence: float
    pattern: str
    direction: str | None = None
    unless: str | None = None


@cache
def taxonomy() -> dict[str, Category]:
    """Return every category by code, in declared order."""
    declared: dict[str, Any] = tomllib.loads((DECLARED / "categories.toml").read_text(encoding="utf-8"))
    return {code: Category(code, **entry) for code, entry in declared.items()}


def clean(text: str) -> str:
    """Reduce a description to its words: no accents, card numbers, dates, references, terminal ids, payment wrappers.

    >>> clean("SQ *Café Müller 4711  12.03.2024"), clean("CARD 1234 TESCO STORES 3297 LONDON GBR")
    ('CAFE MULLER', 'TESCO STORES LONDON')
    """
    return str(_cleaned(pa.array([text]))[0].as_py())


MONTHS = "JAN|FEB|MAR|MRZ|APR|MAY|MAI|JUN|JUL|AUG|SEP|OCT|OKT|NOV|DEC|DEZ"
CLEANING = (
    (r"\p{Mn}", ""),  # accents, once letters are taken apart
    (r"//.*$", " "),  # German card payments: place and time behind two slashes
    (r"\b(SQ|SP|TST|IZ|ZTL|SUMUP|ZETTLE|PAYPAL|PP|PYPL|GOOGLE|CKO|DRI|WPY|FS|EB|LS)\s?[*_]\s*", " "),
    (r"\b[A-Z]{2}\d{2}[ ]?(?:[A-Z0-9]{4}[ ]?){2,7}[A-Z0-9]{0,3}\b", " "),  # IBAN
    (r"[X*#.]{2,}\s?\d{2,6}\b|\b\d{4,6}[X*#]{2,}\d{2,6}\b|\bCARD(?: NO| NR| ENDING)?\.? ?\d{3,6}\b", " "),
    (r"\b\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\.?|\b\d{1,2}[.:]\d{2}(?:[.:]\d{2})?\b", " "),  # dates and times
    (rf"\b\d{{1,2}} ?(?:{MONTHS})[A-Z]* ?(?:20\d\d|\d\d)?\b|\b(?:{MONTHS}) ?(?:20\d\d|\d\d)\b", " "),
    (r"\b(?:REF|REFERENCE|MANDATE|MANDAT|EREF|MREF|CRED|TRN|TXN|TRX|AUTH|INVOICE NO|ID|NR|NO)[ .:+#]*[A-Z0-9/-]*\d[A-Z0-9/-]*", " "),
    (r"\b[A-Z]*\d+[A-Z]+\d[A-Z0-9]*\b|\b[A-Z0-9-]*\d{4,}[A-Z0-9-]*\b|#\s?\d+", " "),  # references and terminal ids
    (r"[^A-Z0-9]+", " "),
    (r"\b\d{1,3}(?: \d{1,3})+\b", " "),
    (r"\b(?:CARD PAYMENT(?: TO)?|(?:DEBIT )?CARD PURCHASE|(?:POS|VISA) PURCHASE|POS DEBIT|CONTACTLESS|KARTENZAHLUNG)\b", " "),
    (r" (?:GBR|USA|DEU|FRA|ESP|NLD|POL|AUT|IRL|ITA|GB|UK|US|DE|FR|NL|PL|AT|IE)\s*$", ""),  # country at the end
)


def classify(descriptions: DataFrame) -> DataFrame:
    """Judge descriptions: columns text, code, direction ('in'/'out') and amount (one example) in; cleaned, category, confidence,
    source ('code', 'mcc', 'words', 'none') out, on the same index. Each distinct cleaned description is judged once."""
    cleaned = _cleaned(pa.array(descriptions["text"], pa.string()))
    coming = np.asarray(descriptions["direction"] == "in")
    amount = np.abs(np.asarray(descriptions["amount"], float)) if "amount" in descriptions else np.zeros(len(descriptions))
    coded = cleaned.dictionary_encode()
    where = coded.indices.to_numpy(zero_copy_only=False)
    words, confidence = _by_words(coded.dictionary, where, coming, amount)
    source = np.where(words == UNKNOWN, "none", "words").astype(object)
    for place, code in enumerate(descriptions["code"]):
        if code and (judged := _by_code(str(code), bool(coming[place]))):
            words[place], confidence[place], source[place] = judged
    answer = {"cleaned": cleaned.to_pylist(), "category": words, "confidence": confidence, "source": source}
    return DataFrame(answer, index=descriptions.index)


def _cleaned(texts: pa.Array) -> pa.Array:
    found = pc.utf8_normalize(pc.utf8_upper(texts), "NFKD")
    for letter, plain in (("ß", "SS"), ("Ł", "L"), ("Ø", "O"), ("Æ", "AE")):
        found = pc.replace_substring(found, letter, plain)
    for pattern, by in CLEANING:
        found = pc.replace_substring_regex(found, pattern, by)
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(found, r"\s+", " "))


def _by_words(texts: pa.Array, where: NDArray[Any], coming: NDArray[Any], amount: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return category and confidence of every row; rules run over distinct texts, separately for money in and money out."""
    category = np.full(len(where), UNKNOWN, object)
    confidence = np.zeros(len(where))
    for direction, rows in (("in", np.flatnonzero(coming)), ("out", np.flatnonzero(~coming))):
        used, back = np.unique(where[rows], return_inverse=True)
        winner = _first_rule(texts.take(pa.array(used)), direction)
        category[rows] = np.array([UNKNOWN, *(rule.category for rule in rules())], object)[winner[back] + 1]
        confidence[rows] = np.array([0.0, *(rule.confidence for rule in rules())])[winner[back] + 1]
    open_ = np.flatnonzero(coming & (category == UNKNOWN) & (amount > 0) & (amount < REFUND_BELOW))
    if len(open_):
        used, back = np.unique(where[open_], return_inverse=True)
        winner = _first_rule(texts.take(pa.array(used)), "out")[back]
        spent = np.array([rule.category == UNKNOWN or taxonomy()[rule.category].group in SPENT for rule in rules()])
        refunds = open_[(winner >= 0) & spent[winner]]
        category[refunds], confidence[refunds] = "REFUND", 0.55
    return category, confidence


def _first_rule(texts: pa.Array, direction: str) -> NDArray[np.int64]:
    """Return for each text the place of the first rule of a direction that matches, -1 where none does."""
    winner = np.full(len(texts), -1)
    left = np.arange(len(texts))
    for place, rule in enumerate(rules()):
        if rule.direction not in (None, direction) or not len(left):
            continue
        here = texts.take(pa.array(left))
        hit = _matches(here, rule.pattern)
        if rule.unless and hit.any():
            hit &= ~_matches(here, rule.unless)
        winner[left[hit]] = place
        left = left[~hit]
    return winner


def _matches(texts: pa.Array, pattern: str) -> NDArray[Any]:
    return np.asarray(pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False))


def _by_code(code: str, coming: bool) -> tuple[str, float, str] | None:
    """Return category, confidence and source that a bank's or card scheme's code decides, None where it decides nothing."""
    codes, merchants = _codes()
    if code in codes:
        category, confidence = codes[code]
        return category, confidence, "code"
    if code.startswith("MCC ") and code[4:] in merchants:
        category, confidence = merchants[code[4:]]
        if coming and category == "GAMBLING":
            return "GAMBLING_WIN", confidence, "mcc"
        if coming and taxonomy()[category].direction == "out":
            return "REFUND", 0.8, "mcc"
        return category, confidence, "mcc"
    return None


@cache
def rules() -> tuple[Rule, ...]:
    """Return the declared word rules in the order they are tried."""
    return tuple(
        Rule(
            entry["category"],
            entry["confidence"],
            _pattern(entry["words"]),
            entry.get("direction"),
            _pattern(entry["unless"]) if "unless" in entry else None,
        )
        for entry in _declared_rules()["rule"]
    )


@cache
def _codes() -> tuple[dict[str, tuple[str, float]], dict[str, tuple[str, float]]]:
    declared = _declared_rules()
    merchants: dict[str, tuple[str, float]] = {}
    for entry in declared["mcc"]:
        for codes in entry["codes"]:
            first, _, last = codes.partition("-")
            for number in range(int(first), int(last or first) + 1):
                merchants.setdefault(f"{number:04d}", (entry["category"], entry["confidence"]))
    return {code: (category, confidence) for code, (category, confidence) in declared["code"].items()}, merchants


@cache
def _declared_rules() -> dict[str, Any]:
    declared: dict[str, Any] = tomllib.loads((DECLARED / "rules.toml").read_text(encoding="utf-8"))
    return declared


def _pattern(words: Sequence[str]) -> str:
    """Turn declared words into one expression: `*` at an end of a word leaves that end open."""
    parts = (re.escape(word).replace(r"\*", "[A-Z0-9]*").replace(r"\ ", " ") for word in words)
    return rf"\b(?:{'|'.join(parts)})\b"
