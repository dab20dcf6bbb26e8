"""What a movement of money was: the declared taxonomy, and the way from a bank's codes and words to one of its categories.

A code that says what a movement is decides before words, words decide before a model, and a code that says only how the money
moved speaks last. All judge the cleaned description and only in the direction the money went, and every answer carries a
confidence; what nothing decides is UNKNOWN with confidence 0, never a guess.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pandas import DataFrame

from creditrisk import codes, ngrams
from creditrisk import taxonomy as declared
from creditrisk.taxonomy import DECLARED, UNKNOWN, Category, taxonomy

__all__ = ["UNKNOWN", "Category", "Rule", "classify", "clean", "model", "rules", "taxonomy"]

SPENT = ("essential", "discretionary", "housing", "committed")
NEARER = 0.8  # words this sure may name a nearer kind than a code that says only the group
PRECISION = 0.9  # of the model's answers on texts held out, so many are right, or it says UNKNOWN
CORRECTED = 4.0  # an analyst's word counts as much as so many examples
REFUND_BELOW = 500  # a credit from a merchant that is larger is more likely pay than a refund


@dataclass(frozen=True)
class Rule:
    """Words that decide a category for one direction; the first rule that matches wins."""

    category: str
    confidence: float
    pattern: str
    direction: str
    unless: str | None = None
    card: bool = False


def clean(text: str) -> str:
    """Reduce a description to its words: no accents, card numbers, dates, references, terminal ids, payment wrappers.

    >>> clean("SQ *Café Müller 4711  12.03.2024"), clean("CARD 1234 TESCO STORES 3297 LONDON GBR")
    ('CAFE MULLER', 'TESCO STORES')
    """
    return str(_cleaned(pa.array([text]))[0].as_py())


MONTHS = "JAN|FEB|MAR|MRZ|APR|MAY|MAI|JUN|JUL|AUG|SEP|OCT|OKT|NOV|DEC|DEZ"
STATES = "AL|AK|AZ|AR|CA|CT|DC|FL|GA|IL|IA|KS|KY|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY"
CLEANING = (
    (r"\p{Mn}", ""),  # accents, once letters are taken apart
    (r"//.*$", " "),  # German card payments: place and time behind two slashes
    (r"\b(SQ|SP|TST|IZ|ZTL|SUMUP|ZETTLE|PAYPAL|PP|PYPL|GOOGLE|CKO|DRI|WPY|FS|EB|LS)\s?[*_]\s*", " "),
    (r"\b[A-Z]{2}\d{2}[ ]?(?:[A-Z0-9]{4}[ ]?){2,7}[A-Z0-9]{0,3}\b", " "),  # IBAN
    (r"\bCREDIT CARD(?: NO| NR| ENDING)?\.? ?[X*#]*\d{3,6}\b", "CREDIT CARD"),
    (r"[X*#.]{2,}\s?\d{2,6}\b|\b\d{4,6}[X*#]{2,}\d{2,6}\b|\bCARD(?: NO| NR| ENDING)?\.? ?\d{3,6}\b", " "),
    (r"\b\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\.?|\b\d{1,2}[.:]\d{2}(?:[.:]\d{2})?\b", " "),  # dates and times
    (rf"\b\d{{1,2}} ?(?:{MONTHS})[A-Z]* ?(?:20\d\d|\d\d)?\b|\b(?:{MONTHS}) ?(?:20\d\d|\d\d)\b", " "),
    (r"\b(?:REF|REFERENCE|MANDATE|MANDAT|EREF|MREF|CRED|TRN|TXN|TRX|AUTH|INVOICE NO|ID|NR|NO)[ .:+#]*[A-Z0-9/-]*\d[A-Z0-9/-]*", " "),
    (r"\b[A-Z]*\d+[A-Z]+\d[A-Z0-9]*\b|\b[A-Z0-9-]*\d{4,}[A-Z0-9-]*\b|#\s?\d+", " "),  # references and terminal ids
    (r"[^A-Z0-9]+", " "),
    (r"\b\d{1,3}(?: \d{1,3})+\b", " "),
    (r"^ *(?:(?:CARD PAYMENT|(?:DEBIT )?CARD PURCHASE|(?:POS|VISA) PURCHASE|POS DEBIT|CONTACTLESS|KARTENZAHLUNG)(?: TO)? +)+", " "),
    (r" (?:GBR|USA|DEU|FRA|ESP|NLD|POL|AUT|IRL|ITA|GB|UK|US|DE|FR|NL|PL|AT|IE)\s*$", ""),  # country at the end
    (rf"( [A-Z]{{3,}}.*) (?:{STATES})\s*$", r"\1"),
)


@dataclass
class Verdicts:
    """What is held of each row so far: category, confidence and where they come from."""

    category: NDArray[Any]
    confidence: NDArray[Any]
    source: NDArray[Any]

    @property
    def open(self) -> NDArray[Any]:
        """Say which rows nothing has decided."""
        return np.asarray(self.category == UNKNOWN)

    def give(self, rows: Any, category: Any, confidence: Any, source: str) -> None:
        """Decide rows."""
        self.category[rows], self.confidence[rows], self.source[rows] = category, confidence, source


def classify(descriptions: DataFrame, corrections: DataFrame | None = None) -> DataFrame:
    """Judge descriptions: columns text, code, direction ('in'/'out') and amount (one example) in; cleaned, category, confidence,
    source ('code', 'mcc', 'words', 'model', 'none') out, on the same index. Each distinct cleaned description is judged once.

    `corrections` is what analysts said in this workspace, latest first: columns text, direction, category; the model learns from it.
    """
    n = len(descriptions)
    cleaned = _cleaned(pa.array(descriptions["text"].to_numpy(object), pa.string()))
    coded = cleaned.dictionary_encode()
    texts, where = coded.dictionary, coded.indices.to_numpy(zero_copy_only=False)
    coming = np.asarray(descriptions["direction"] == "in")
    amount = np.abs(np.asarray(descriptions["amount"], float)) if "amount" in descriptions else np.zeros(n)
    code = [str(said or "") for said in descriptions["code"]]
    held = Verdicts(np.full(n, UNKNOWN, object), np.zeros(n), np.full(n, "none", object))
    card = np.array([codes.paid_by_card(said) for said in code], int)
    _by_words(held, texts, where, coming=coming, card=card, amount=amount)
    modest = _by_codes(held, code, coming)
    _by_model(held, texts, where, coming, corrections)
    for place, said in modest.items():
        if held.category[place] == UNKNOWN:
            held.give(place, said.category, said.confidence, said.source)
    return DataFrame({"cleaned": cleaned.to_pylist()} | vars(held), index=descriptions.index)


def _cleaned(texts: pa.Array) -> pa.Array:
    found = pc.utf8_normalize(pc.utf8_upper(texts), "NFKD")
    for letter, plain in (("ß", "SS"), ("Ł", "L"), ("Ø", "O"), ("Æ", "AE")):
        found = pc.replace_substring(found, letter, plain)
    for pattern, by in CLEANING:
        found = pc.replace_substring_regex(found, pattern, by)
    found = pc.utf8_trim_whitespace(pc.replace_substring_regex(found, r"\s+", " "))
    places = declared.rules()["places"]
    towns = "|".join(places["towns"])
    found = pc.replace_substring_regex(found, rf"\b({'|'.join(places['needed_by'])}) ({towns})$", r"\1 \2_")
    found = pc.replace_substring_regex(found, rf"^(.*[A-Z]{{3}}.*?)(?: (?:{towns}))+$", r"\1")
    return pc.replace_substring(found, "_", "")


def _by_words(
    held: Verdicts, texts: pa.Array, where: NDArray[Any], *, coming: NDArray[Any], card: NDArray[Any], amount: NDArray[Any]
) -> None:
    """Let the rules decide, over distinct texts, apart for each way the money went and moved."""
    kinds = np.array([UNKNOWN, *(rule.category for rule in rules())], object)
    levels = np.array([0.0, *(rule.confidence for rule in rules())])
    spent = np.array([taxonomy()[kind].group in SPENT for kind in kinds])
    for way in (-1, 0, 1):
        for direction, mine in (("in", coming), ("out", ~coming)):
            rows = np.flatnonzero(mine & (card == way))
            winner = _first_rules(texts, where, rows, direction, way)
            held.give(rows[winner >= 0], kinds[winner[winner >= 0] + 1], levels[winner[winner >= 0] + 1], "words")
        back = np.flatnonzero(coming & (card == way) & held.open & (amount > 0) & (amount < REFUND_BELOW))
        winner = _first_rules(texts, where, back, "out", way)
        held.give(back[spent[winner + 1]], "REFUND", 0.55, "words")


def _first_rules(texts: pa.Array, where: NDArray[Any], rows: NDArray[Any], direction: str, card: int) -> NDArray[Any]:
    used, back = np.unique(where[rows], return_inverse=True)
    return _first_rule(texts.take(pa.array(used)), direction, card)[back]


def _first_rule(texts: pa.Array, direction: str, card: int) -> NDArray[np.int64]:
    """Return for each text the place of the first rule of a direction that matches, -1 where none does.

    `card` is 1 where a code says that a card paid, -1 where it says otherwise, 0 where the words must tell.
    """
    winner = np.full(len(texts), -1)
    if not len(texts):
        return winner
    left = np.arange(len(texts))
    shops = np.full(len(texts), card > 0) if card else ~_matches(texts, _pattern(declared.rules()["card"]["never_words"]))
    for place, rule in enumerate(rules()):
        if rule.direction not in (None, direction) or not len(left):
            continue
        here = texts.take(pa.array(left))
        hit = _matches(here, rule.pattern)
        if rule.card:
            hit &= shops[left]
        if rule.unless and hit.any():
            hit &= ~_matches(here, rule.unless)
        winner[left[hit]] = place
        left = left[~hit]
    return winner


def _matches(texts: pa.Array, pattern: str) -> NDArray[Any]:
    return np.asarray(pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False))


def _by_codes(held: Verdicts, code: Sequence[str], coming: NDArray[Any]) -> dict[int, codes.Said]:
    """Let codes decide that say what something is; return by row what they say where words and model may know better."""
    modest = {}
    for place, whole in enumerate(code):
        said = codes.judge(whole, bool(coming[place])) if whole else None
        if said is None:
            continue
        same = taxonomy()[held.category[place]].group == taxonomy()[said.category].group
        if said.says == "how":
            modest[place] = said
        elif not (said.says == "kind" and same and held.confidence[place] >= NEARER):
            held.give(place, said.category, said.confidence, said.source)
    return modest


# ---------------------------------------------------------------------------------------------------------------- model


def _by_model(held: Verdicts, texts: pa.Array, where: NDArray[Any], coming: NDArray[Any], corrections: DataFrame | None) -> None:
    """Ask the model about what neither codes nor words decided."""
    for direction, mine in (("in", coming), ("out", ~coming)):
        rows = np.flatnonzero(mine & held.open)
        used, back = np.unique(where[rows], return_inverse=True)
        asked = texts.take(pa.array(used)).to_pylist()
        if any(asked):
            said, level = ngrams.judge(model(direction, corrections), asked)
            said[[not text for text in asked]] = UNKNOWN
            found = said[back] != UNKNOWN
            held.give(rows[found], said[back][found], level[back][found], "model")


def model(direction: str, corrections: DataFrame | None = None) -> ngrams.Model:
    """Return the model of one direction, made once a process for the same rules, examples and corrections."""
    said: dict[str, str] = {}
    if corrections is not None and len(corrections):
        mine = corrections[corrections["direction"] == direction]
        cleaned = _cleaned(pa.array(mine["text"].to_numpy(object), pa.string())).to_pylist()
        for text, category in zip(cleaned, mine["category"], strict=True):
            said.setdefault(text, category)
    learned = tuple(sorted((text, category) for text, category in said.items() if text))
    return _fitted(direction, learned)


@lru_cache(maxsize=4)
def _fitted(direction: str, learned: tuple[tuple[str, str], ...]) -> ngrams.Model:
    """Return a direction's model; where nobody corrected anything it was fitted once for all, and is read."""
    every = [*((text, category) for text, category in _shipped(direction) if text not in dict(learned)), *learned]
    texts, said = [text for text, _ in every], [category for _, category in every]
    kept = None if learned else _kept(direction)
    return ngrams.model(texts, said, kept or _learn(direction, texts, said, len(learned)))


def _learn(direction: str, texts: Sequence[str], said: Sequence[str], corrected: int = 0) -> ngrams.Learned:
    """Fit anew; the last `corrected` of the texts are an analyst's."""
    weights = [1.0] * (len(texts) - corrected) + [CORRECTED] * corrected
    asked = _first_rule(pa.array(texts, pa.string()), direction, 0) < 0  # what a rule decides never comes to the model
    return ngrams.learn(texts, said, weights=weights, asked=asked.tolist(), precision=PRECISION)


def keep() -> None:
    """Fit what is learned of the shipped examples and rules, and write it beside them: a second of work no process then has."""
    for direction in ("in", "out"):
        texts, said = zip(*_shipped(direction), strict=True)
        np.savez_compressed(_file(direction), digest=_digest(direction), **vars(_learn(direction, texts, said)))


def _kept(direction: str) -> ngrams.Learned | None:
    """Return what `keep` wrote; None where it is of other examples or rules than these, or cannot be read."""
    found: dict[str, Any]
    try:
        with _file(direction).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            found = dict(file)
    except (OSError, ValueError, BadZipFile):
        return None
    if found.pop("digest", None) != _digest(direction):
        return None
    return ngrams.Learned(**found | {name: float(found[name]) for name in ("temperature", "threshold")})


def _file(direction: str) -> Path:
    return DECLARED / f"examples-{direction}.npz"


def _digest(direction: str) -> str:
    """Return what is learned from as one number: the examples, and the rules that say which of them are asked about."""
    what = _shipped(direction), rules(), declared.rules()["card"], PRECISION
    return sha256(repr(what).encode()).hexdigest()


@cache
def _shipped(direction: str) -> tuple[tuple[str, str], ...]:
    """Return what the model learns from everywhere: the declared examples, and the rules' own words (short ones look like
    too much), cleaned, each once."""
    made_up = tomllib.loads((DECLARED / "examples.toml").read_text(encoding="utf-8"))[direction]
    examples = [(text, category) for category, texts in made_up.items() for text in texts]
    words = [
        (word.replace("*", ""), entry[direction])
        for entry in _entries()
        if direction in entry and entry["confidence"] >= NEARER and not entry.get("card")
        for word in entry["words"]
        if len(word) > 7
    ]
    every = [*examples, *words]
    cleaned = _cleaned(pa.array([text for text, _ in every], pa.string())).to_pylist()
    found: dict[str, str] = {}
    for text, (_, category) in zip(cleaned, every, strict=True):
        found.setdefault(text, category)
    return tuple((text, category) for text, category in found.items() if text)


# ------------------------------------------------------------------------------------------------------------- declared


@cache
def rules() -> tuple[Rule, ...]:
    """Return the declared word rules in the order they are tried."""
    return tuple(
        Rule(
            entry[direction],
            entry["confidence"],
            _pattern(entry["words"]),
            direction,
            _pattern(entry["unless"]) if "unless" in entry else None,
            entry.get("card", False),
        )
        for entry in _entries()
        for direction in ("in", "out")
        if direction in entry
    )


@cache
def _entries() -> tuple[dict[str, Any], ...]:
    """Return the declared rules, each with its category under the ways the money may have gone: `in`, `out` or both."""
    found = []
    for entry in declared.rules()["rule"]:
        way = entry.get("direction", taxonomy()[entry["category"]].direction) if "category" in entry else None
        ways = ("in", "out") if way == "both" else (way,) if way else ()
        found.append(entry | dict.fromkeys(ways, entry.get("category")))
    return tuple(found)


def _pattern(words: Sequence[str]) -> str:
    """Turn declared words into one expression: `*` at an end of a word leaves that end open."""
    parts = (re.escape(word).replace(r"\*", "[A-Z0-9]*").replace(r"\ ", " ") for word in words)
    return rf"\b(?:{'|'.join(parts)})\b"
