"""How far readers agree beyond what chance makes of it: kappas and alpha over their answers, no I/O; NaN where nothing varies."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

NAN = float("nan")


def kappa(one: ArrayLike, other: ArrayLike) -> float:
    """Return Cohen's kappa of two readers: agreement beyond chance; NaN where chance explains everything.

    >>> round(kappa([1, 1, 0, 0, 1, 0, 1, 0, 1, 1], [1, 1, 0, 0, 0, 0, 1, 1, 1, 1]), 6)
    0.583333
    """
    a, b = np.asarray(one), np.asarray(other)
    if not len(a):
        return NAN
    chance = sum(float((a == value).mean() * (b == value).mean()) for value in np.unique(np.concatenate([a, b])))
    return (float((a == b).mean()) - chance) / (1 - chance) if chance < 1 else NAN


def pabak(one: ArrayLike, other: ArrayLike) -> float:
    """Return the prevalence- and bias-adjusted kappa of two yes/no readers: 2 * agreement - 1.

    >>> round(pabak([1, 1, 0, 0, 1, 0, 1, 0, 1, 1], [1, 1, 0, 0, 0, 0, 1, 1, 1, 1]), 6)
    0.6
    """
    same = np.asarray(one) == np.asarray(other)
    return 2 * float(same.mean()) - 1 if same.size else NAN


def krippendorff(readings: Sequence[Sequence[object]]) -> float:
    """Return Krippendorff's alpha for names (2011): readers × cases, None where a reader did not say; NaN where nothing varies.

    Each pair of answers to one case counts 1 / (answers to it - 1), so cases read three times do not weigh more than their share.

    >>> round(krippendorff([[1, 1, 0, 0, 1], [1, 1, 0, 1, None]]), 6)
    0.533333
    """
    cases = [[answer for answer in case if answer is not None] for case in zip(*readings, strict=True)]
    paired = [case for case in cases if len(case) > 1]
    names = sorted({answer for case in paired for answer in case}, key=repr)
    if len(names) < 2:
        return NAN
    counts = np.array([[case.count(name) for name in names] for case in paired], dtype=np.float64).reshape(-1, len(names))
    answers = counts.sum(axis=1, keepdims=True)
    met = (counts.T / np.maximum(answers - 1, 1).T) @ counts
    met -= np.diag((counts / np.maximum(answers - 1, 1)).sum(axis=0))
    total, by_name = met.sum(), met.sum(axis=0)
    apart, expected = total - np.trace(met), (total**2 - (by_name**2).sum()) / (total - 1)
    return float(1 - apart / expected)
