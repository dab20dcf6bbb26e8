"""Whether a population is still the one it was: shares of bins before and after, no I/O.

Bins are open at both ends and have one for missing values, so nothing can lie outside them. What is undefined is NaN, and a gate must
treat it as a refusal.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]
NAN = float("nan")


def psi(expected: ArrayLike, actual: ArrayLike, bins: int = 10) -> float:
    """Return the population stability index of two sets of numbers.

    Bins are quantiles of `expected`, open at both ends, and one for missing values; an empty bin counts as half a row.
    0.10 and 0.25 are the usual marks; `psi_critical` says what chance alone does at these sizes.

    >>> psi([1, 2, 3, 4], [4, 3, 2, 1], bins=4)
    0.0
    """
    before, after = np.asarray(expected, dtype=np.float64), np.asarray(actual, dtype=np.float64)
    if np.isnan(before).all() or not len(after):
        return NAN
    edges = quantile_edges(before, bins)
    counts = [binned(values, edges) for values in (before, after)]
    return psi_of_counts(*counts)


def quantile_edges(expected: ArrayLike, bins: int = 10) -> Numbers:
    """Return where bins of as many known values each end, but for the last; fewer where values repeat.

    >>> quantile_edges([1, 2, 3, 4], bins=2).tolist()
    [2.5]
    """
    values = np.asarray(expected, dtype=np.float64)
    known = values[~np.isnan(values)]
    return np.unique(np.quantile(known, np.arange(1, bins) / bins)) if len(known) else np.zeros(0)


def binned(actual: ArrayLike, edges: Numbers) -> NDArray[np.intp]:
    """Return counts per bin: up to each edge, above the last, and missing.

    >>> binned([1, 2.5, 3, float("nan")], quantile_edges([1, 2, 3, 4], bins=2)).tolist()
    [2, 1, 1]
    """
    values = np.asarray(actual, dtype=np.float64)
    missing = np.isnan(values)
    counts = np.bincount(np.searchsorted(edges, values[~missing], side="left"), minlength=len(edges) + 1)
    return np.append(counts, missing.sum())


def psi_of_counts(expected: ArrayLike, actual: ArrayLike) -> float:
    """Return the PSI of counts or shares per bin; a bin empty on one side counts as half a row of that side.

    >>> round(psi_of_counts([100] * 10, [50, 50, 100, 100, 100, 100, 100, 100, 150, 150]), 6)
    0.109861
    """
    before, after = np.asarray(expected, dtype=np.float64), np.asarray(actual, dtype=np.float64)
    seen = (before > 0) | (after > 0)
    if not (before.sum() and after.sum()):
        return NAN
    shares = [np.where(counts > 0, counts, 0.5)[seen] / counts.sum() for counts in (before, after)]
    return float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))


def psi_critical(n: int, m: int, bins: int = 10) -> float:
    """Return the PSI that two samples of one population stay below 95 times in 100: (1/n + 1/m) * chi2(0.95, bins - 1).

    >>> round(psi_critical(500, 200, 10), 6)
    0.118433
    """
    from scipy.special import chdtri

    return float((1 / n + 1 / m) * chdtri(bins - 1, 0.05)) if min(n, m) > 0 and bins > 1 else NAN
