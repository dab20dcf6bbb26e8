"""One digest for many rows, and the proof that a row is among them: a tree of SHA-256, as in RFC 6962.

Whoever holds a row, its proof and the digest that was on record needs nothing else, and learns nothing of the other rows.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date

LEAF, NODE = b"\0", b"\1"  # told apart, so that no pair of digests passes for a row
BETWEEN = "\x1f"
BATCH = ("scored_at", "scored_by", "model_id", "channel", "baseline")  # what predictions made together have in common
PREDICTION = (  # what is sealed of a prediction, in this order: all but whose it is, so that it stays proven when a person is erased
    *("prediction_id", "as_of", "snapshot_id", "model_id", "digest", "schema_fingerprint", "label_source", "is_proxy", "inputs", "margin"),
    *("pd", "score", "band", "recommendation", "because", "base", "baseline", "contributions", "reasons", "scale", "policy", "channel"),
    *("scored_at", "scored_by"),
)


def leaf(values: Iterable[object]) -> str:
    """Return the digest of a row: its values as text, one after another.

    >>> leaf(["a", None, 0.1]) == leaf(["a", None, 0.1]) != leaf(["a", 0.1, None])
    True
    """
    return hashlib.sha256(LEAF + BETWEEN.join(map(_text, values)).encode()).hexdigest()


def packed(texts: Iterable[str], numbers: bytes) -> str:
    """Return the digest of a row of a batch: its texts one after another, a zero byte, its numbers as doubles, least byte first."""
    return hashlib.sha256(LEAF + BETWEEN.join(texts).encode("utf-8", "surrogatepass") + b"\0" + numbers).hexdigest()


def root(leaves: Sequence[str]) -> str:
    """Return the one digest of leaves in order; of none, that of nothing.

    >>> row = leaf(["x"])
    >>> root([row]) == row
    True
    """
    level = list(leaves) or [hashlib.sha256(b"").hexdigest()]
    while len(level) > 1:
        level = _above(level)
    return level[0]


def proof(leaves: Sequence[str], place: int) -> list[tuple[str, str]]:
    """Return what leads from a leaf to the root: ('left' or 'right', digest) of each neighbour on the way up.

    >>> leaves = [leaf([number]) for number in range(5)]
    >>> all(follow(leaves[place], proof(leaves, place)) == root(leaves) for place in range(5))
    True
    """
    level, steps = list(leaves), []
    while len(level) > 1:
        beside = place ^ 1
        if beside < len(level):
            steps.append(("left" if beside < place else "right", level[beside]))
        level, place = _above(level), place // 2
    return steps


def follow(digest: str, steps: Iterable[Sequence[str]]) -> str:
    """Return the root that a leaf and its proof lead to."""
    for side, beside in steps:
        digest = _pair(beside, digest) if side == "left" else _pair(digest, beside)
    return digest


def _above(level: list[str]) -> list[str]:
    """Return the digests of neighbours; a last one without a neighbour goes up as it is."""
    pairs = [_pair(level[place], level[place + 1]) for place in range(0, len(level) - 1, 2)]
    return pairs + level[len(level) - len(level) % 2 :]


def _pair(left: str, right: str) -> str:
    return hashlib.sha256(NODE + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else repr(value)
