"""Which category a short text looks like: character n-grams, ridge regression, confidences measured on texts it was not fitted on.

A text that shares little with what the model has seen gets little confidence, and below the threshold none: UNKNOWN. The same
training data give the same answers, and a text is judged alike alone and among others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

UNKNOWN = "UNKNOWN"
LONGEST = 60  # characters of a text that are looked at: what something is stands at its beginning
RIDGE = 0.3
FOLDS = 5
BLOCK = 256  # rows of a matrix mirrored at once
TEMPERATURES = np.geomspace(2, 40, 40)


@dataclass(frozen=True)
class Learned:
    """What a fit takes its time for: `dual`, what every text gives to every category, and how scores become confidences.

    `truth`, `said` (places among the categories) and `confidence` are of the texts that are like those asked about: what a model
    without a text's family made of it. `threshold` is the smallest confidence from which on enough of those answers are right.
    """

    dual: NDArray[np.float32]
    temperature: float
    threshold: float
    truth: NDArray[np.int64]
    said: NDArray[np.int64]
    confidence: Floats


@dataclass(frozen=True)
class Model:
    """A fitted model: weights of the n-grams it has seen, and what was learned with them."""

    categories: tuple[str, ...]
    seen: NDArray[np.int64]
    idf: Floats
    rarest: float
    weights: Floats
    learned: Learned


def fit(texts: Sequence[str], categories: Sequence[str], **more: Any) -> Model:
    """Return the model of texts and their categories; `more` is that of `learn`."""
    return model(texts, categories, learn(texts, categories, **more))


def model(texts: Sequence[str], categories: Sequence[str], learned: Learned) -> Model:
    """Return the model of texts and their categories, of which it was `learned` what takes its time."""
    names, _ = _named(categories)
    seen, idf, rarest, known = _known(texts)
    return Model(names, seen, idf, rarest, (known.T @ learned.dual).astype(float), learned)


def learn(
    texts: Sequence[str],
    categories: Sequence[str],
    *,
    weights: Sequence[float] | None = None,
    families: Sequence[str] | None = None,
    asked: Sequence[bool] | None = None,
    precision: float,
) -> Learned:
    """Return what a model of texts and their categories is made of.

    `weights` say how much a text counts; texts of one family (by default of one first word) are held out together. `asked` marks
    the texts that are like those the model will be asked about: on these alone confidences are measured (by default on all).
    `precision` is the share of answers on them that must be right above the threshold; UNKNOWN is a category that is no answer.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    names, truth = _named(categories)
    wanted = np.zeros((len(truth), len(names)), np.float32)
    wanted[np.arange(len(truth)), truth] = 1
    known = _known(texts)[-1]
    heavy = np.ones(len(truth)) if weights is None else np.asarray(weights, float)
    with threadpool_limits(1):  # one thread: the same bits on every machine, whatever its cores
        inverse = _inverse((known @ known.T).toarray(), RIDGE / heavy)
        dual = inverse @ wanted
        blind = _without_their_own(inverse, dual, wanted, _folds(families or [text.split(" ")[0] for text in texts]))
    if asked is not None and any(asked):
        blind, truth = blind[np.asarray(asked)], truth[np.asarray(asked)]
    temperature = _temperature(blind, truth)
    said, confidence = _answers(blind, temperature)
    return Learned(dual, temperature, _threshold(said, confidence, truth, names, precision), truth, said, confidence)


def _named(categories: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the distinct categories, and the place of each text's among them."""
    names = tuple(sorted(set(categories)))
    return names, np.searchsorted(names, list(categories))


def _known(texts: Sequence[str]) -> tuple[NDArray[np.int64], Floats, float, Any]:
    """Return the n-grams of texts, their weights, that of one never seen, and the texts as rows over them."""
    counts = _counts(texts)
    seen, documents = np.unique(counts.indices, return_counts=True)
    idf, rarest = np.log((1 + len(texts)) / (1 + documents)) + 1, float(np.log(1 + len(texts)) + 1)
    return seen, idf, rarest, _weighed(counts, seen, idf, rarest).astype(np.float32)


def judge(model: Model, texts: Sequence[str]) -> tuple[NDArray[np.object_], Floats]:
    """Return of every text its category and the confidence in it; UNKNOWN and 0 below the model's threshold."""
    scores = _scores(model, texts)
    said, confidence = _answers(scores, model.learned.temperature)
    category = np.array(model.categories, object)[said]
    doubtful = (confidence < model.learned.threshold) | (category == UNKNOWN)
    category[doubtful] = UNKNOWN
    return category, np.where(doubtful, 0.0, confidence)


def _scores(model: Model, texts: Sequence[str]) -> Any:
    return _weighed(_counts(texts), model.seen, model.idf, model.rarest) @ model.weights


def _counts(texts: Sequence[str]) -> Any:
    """Return how often each n-gram of two to four characters stands in each text (rows), within words, their borders as blanks.

    >>> found = _counts(["AB AB"]); sorted(zip([_spelled(number) for number in found.indices], found.data.astype(int).tolist()))
    [(' A', 2), (' AB', 2), (' AB ', 2), ('AB', 2), ('AB ', 2), ('B ', 2)]
    """
    from scipy.sparse import csr_matrix

    padded = [f" {text[:LONGEST]} " for text in texts]
    letters = LETTERS[np.frombuffer("".join(padded).encode("ascii", "replace"), np.uint8)]
    row = np.repeat(np.arange(len(padded)), [len(text) for text in padded])
    rows, grams = [], []
    for n in SIZES:
        windows = np.lib.stride_tricks.sliding_window_view(letters, n) if len(letters) >= n else np.empty((0, n), np.int64)
        first = np.arange(len(windows))
        within = (row[first] == row[first + n - 1]) & (windows[:, 1 : n - 1] > 0).all(axis=1) & (windows > 0).any(axis=1)
        rows.append(row[first[within]])
        grams.append(STARTS[n] + windows[within] @ BASE ** np.arange(n - 1, -1, -1))
    where = np.concatenate(rows), np.concatenate(grams)
    found = csr_matrix((np.ones(len(where[0])), where), shape=(len(texts), STARTS[SIZES[-1] + 1]))
    found.sum_duplicates()
    return found


ALPHABET = " ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
BASE = len(ALPHABET)
SIZES = (2, 3, 4)
STARTS = {2: 0, 3: BASE**2, 4: BASE**2 + BASE**3, 5: BASE**2 + BASE**3 + BASE**4}
LETTERS = np.array([max(ALPHABET.find(chr(byte).upper()), 0) for byte in range(256)])


def _spelled(number: int) -> str:
    """Return the n-gram that has a number."""
    size = max(n for n in SIZES if STARTS[n] <= number)
    digits = [(number - STARTS[size]) // BASE**place % BASE for place in range(size - 1, -1, -1)]
    return "".join(ALPHABET[digit] for digit in digits)


def _weighed(counts: Any, seen: NDArray[np.int64], idf: Floats, rarest: float) -> Any:
    """Return TF-IDF rows of length one over the n-grams seen; those never seen weigh most and count in the length alone."""
    from scipy.sparse import csr_matrix

    place = np.minimum(np.searchsorted(seen, counts.indices), len(seen) - 1)
    known = seen[place] == counts.indices
    value = (1 + np.log(counts.data)) * np.where(known, idf[place], rarest)
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    lengths = np.sqrt(np.bincount(row, value**2, counts.shape[0]))
    ends = np.concatenate([[0], np.cumsum(np.bincount(row[known], minlength=counts.shape[0]))])
    return csr_matrix(((value / lengths[row])[known], place[known], ends), shape=(counts.shape[0], len(seen)))


def _inverse(likeness: NDArray[np.float32], ridge: Floats) -> NDArray[np.float32]:
    """Return (K + D)⁻¹ of a symmetric K and the diagonal D, by Cholesky and in place: half the work of a general inverse."""
    from scipy.linalg import lapack

    likeness[np.diag_indices_from(likeness)] += ridge.astype(np.float32)
    below = lapack.spotri(lapack.spotrf(likeness.T, lower=1, overwrite_a=1)[0], lower=1, overwrite_c=1)[0]
    whole: NDArray[np.float32] = below.T  # in rows, and known above the diagonal: mirrored block by block, which stays in the cache
    for start in range(0, len(whole), BLOCK):
        rows = slice(start, start + BLOCK)
        whole[rows, :start] = whole[:start, rows].T
        corner = np.triu(whole[rows, rows])
        whole[rows, rows] = corner + np.triu(corner, 1).T
    return whole


def _folds(families: Sequence[str]) -> NDArray[np.int64]:
    return np.array([crc32(family.encode()) % FOLDS for family in families])


def _without_their_own(inverse: NDArray[Any], dual: NDArray[Any], wanted: NDArray[Any], folds: NDArray[np.int64]) -> NDArray[Any]:
    """Return the scores a ridge regression gives to each fold when fitted on the others, from the one fit on all of them.

    With G = K + D, the residual of a held-out block F is (G⁻¹)_FF⁻¹ (G⁻¹ y)_F: the block form of the leave-one-out identity.
    """
    blind = np.zeros_like(wanted)
    for fold in np.unique(folds):
        rows = np.flatnonzero(folds == fold)
        blind[rows] = wanted[rows] - np.linalg.solve(inverse[np.ix_(rows, rows)], dual[rows])
    return blind


def _answers(scores: Floats, temperature: float) -> tuple[NDArray[np.int64], Floats]:
    """Return the likeliest category of each row and its probability, rounded to where machines agree."""
    said = scores.argmax(axis=1)
    odds = np.exp(temperature * (scores - scores.max(axis=1, keepdims=True)))
    return said, np.round(1 / odds.sum(axis=1), 4)


def _temperature(scores: Floats, truth: NDArray[np.int64]) -> float:
    """Return the temperature under which the true categories of held-out texts are likeliest."""

    def surprise(temperature: float) -> float:
        shifted = temperature * (scores - scores.max(axis=1, keepdims=True))
        return float(np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(truth)), truth]))

    return float(min(TEMPERATURES, key=surprise))


def _threshold(said: NDArray[np.int64], confidence: Floats, truth: NDArray[np.int64], names: tuple[str, ...], precision: float) -> float:
    """Return the smallest confidence such that of the held-out answers at or above it, `precision` are right; 1 where there is none."""
    answered = np.array([name != UNKNOWN for name in names])[said]
    levels, right = confidence[answered], (said == truth)[answered]
    order = np.argsort(-levels, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    last_of_level = np.append(levels[order][1:] < levels[order][:-1], True)[: len(order)]
    enough = np.flatnonzero((share >= precision) & last_of_level)
    return float(levels[order][enough[-1]]) if len(enough) else 1.0


Measured = dict[Literal["n", "accuracy", "coverage", "precision", "threshold"], float]


def measured(model: Model) -> Measured:
    """Return what the held-out texts say of a model: n and accuracy of all of them, coverage and precision above the threshold."""
    learned = model.learned
    answered = (learned.confidence >= learned.threshold) & np.array([name != UNKNOWN for name in model.categories])[learned.said]
    right = learned.said == learned.truth
    return {
        "n": len(right),
        "accuracy": float(np.mean(right)),
        "coverage": float(answered.mean()),
        "precision": float(np.mean(right[answered])) if answered.any() else float("nan"),
        "threshold": learned.threshold,
    }
