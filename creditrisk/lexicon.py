"""The words banks use, in any language: above their columns, and for money in and money out. All of them are declared, none is here.

Nobody may break this: a word is compared folded (lower case, without accents and punctuation), on both sides.
"""

import re
import tomllib
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

DECLARED = Path(__file__).parent / "declared"
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
NO_WORD = re.compile(r"[\W_]+")
LETTERS = str.maketrans(
    {
        "ß": "ss",
        "ł": "l",
        "Ł": "l",
        "ø": "o",
        "Ø": "o",
        "æ": "ae",
        "Æ": "ae",
        "œ": "oe",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ı": "i",
        "і": "i",
        "І": "i",
    }
)


@lru_cache(4096)
def side(value: str) -> str | None:
    """Say what an indicator cell means: '+' money in, '-' money out, None for anything else.

    >>> side("Af"), side("CRDT"), side("EUR")
    ('-', '+', None)
    """
    word, sides = folded(value), _sides()
    return "-" if word in sides["out"] or value.strip() == "-" else "+" if word in sides["in"] or value.strip() == "+" else None


def folded(text: str) -> str:
    """Lower-case a heading, drop accents, split camel case, keep letters and digits: 'Début (€)' → 'debut'."""
    plain = CAMEL.sub(" ", text)
    if not plain.isascii():
        letters = unicodedata.normalize("NFKD", plain)
        plain = "".join(letter for letter in letters if not unicodedata.combining(letter)).translate(LETTERS)
    return NO_WORD.sub(" ", plain.lower()).strip()


@cache
def _sides() -> dict[str, frozenset[str]]:
    return {side: frozenset(words) for side, words in tomllib.loads((DECLARED / "sides.toml").read_text(encoding="utf-8")).items()}


@cache
def _headings() -> dict[str, tuple[tuple[str, ...], frozenset[str]]]:
    declared = tomllib.loads((DECLARED / "headers.toml").read_text(encoding="utf-8"))
    return {
        role: (tuple(dict.fromkeys(map(folded, entry["words"]))), frozenset(entry.get("never", ()))) for role, entry in declared.items()
    }


@lru_cache(8192)
def claims(heading: str) -> dict[str, int]:
    """Return how well a heading names each role (1000 down); roles it does not name are absent."""
    if not heading or len(heading) > 60:
        return {}
    plain = folded(re.sub(r"\(?\b[A-Z]{3}\b\)?$", "", heading.strip())) or folded(heading)
    found = {}
    for role, (words, never) in _headings().items():
        if plain in words:
            found[role] = 1000 - words.index(plain)
        elif not never & set(plain.split()):
            within = [place for place, word in enumerate(words) if len(word) > 3 and f" {word} " in f" {plain} "]
            if within:
                found[role] = 500 - within[0]
    return found


def means(heading: str) -> str | None:
    """Return the role a heading names best, None where it names none.

    >>> means("Money out (£)"), means("Saldo"), means("Page 1")
    ('debit', 'balance', None)
    """
    found = claims(heading)
    return max(found, key=lambda role: found[role]) if found else None
