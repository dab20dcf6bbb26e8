"""What is declared of an invented bank: the kinds of movement on a day, how each is worded, and the people who live by them."""

import tomllib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class World:
    """What is declared of the bank: kinds of movement (rows of every day's book) with their texts, and personas."""

    kinds: tuple[str, ...]
    categories: tuple[str, ...]
    category_codes: Ints  # of each kind, into `categories`
    sides: Ints
    texts: tuple[str, ...]
    first_text: Ints
    n_texts: Ints
    facts: dict[str, dict[str, Any]]
    personas: tuple[dict[str, Any], ...]
    words: dict[str, list[str]]

    @cached_property
    def at(self) -> dict[str, int]:
        """The row of each kind in a day's book."""
        return {kind: row for row, kind in enumerate(self.kinds)}

    def trait(self, name: str) -> NDArray[Any]:
        """One trait, persona by persona."""
        return np.array([persona[name] for persona in self.personas])


def parse(text: str) -> World:
    """Read the declaration of a bank (`declared/demo.toml` says how it is written)."""
    declared = tomllib.loads(text)
    words: dict[str, list[str]] = declared["words"]
    rows: list[tuple[str, str, int, list[str]]] = []
    for kind in declared["kind"]:
        if kind["name"] == "unpaid_fee":  # a bank books the return first, then its fee
            rows += [
                (f"returned {debit['name']}", "RETURNED_ITEM", 1, [f"RETURNED {text}" for text in _texts(debit, words)])
                for debit in declared["kind"]
                if debit.get("returns")
            ]
        rows.append((kind["name"], kind["category"], kind["side"], _texts(kind, words)))
    names, categories, sides, texts = zip(*rows, strict=True)
    counts = np.array([len(each) for each in texts])
    return World(
        kinds=names,
        categories=tuple(sorted(set(categories))),
        category_codes=np.unique(categories, return_inverse=True)[1],
        sides=np.array(sides),
        texts=tuple(text for each in texts for text in each),
        first_text=np.cumsum(counts) - counts,
        n_texts=counts,
        facts={kind["name"]: kind for kind in declared["kind"]},
        personas=tuple(declared["persona"]),
        words=words,
    )


def _texts(kind: dict[str, Any], words: dict[str, list[str]]) -> list[str]:
    """Write the variants of a kind: each word of the template walks its list at its own pace.

    >>> _texts({"text": "CARD {shop} {town}", "variants": 3}, {"shop": ["A", "B"], "town": ["X", "Y", "Z"]})
    ['CARD A X', 'CARD B Y', 'CARD A Z']
    """
    made = []
    for i in range(kind.get("variants", 1)):
        chosen = {name: each[i % len(each)] for name, each in words.items()}
        made.append(kind["text"].format(no=11 + i * 2_791 % 4_973, **chosen))
    return list(dict.fromkeys(made))
