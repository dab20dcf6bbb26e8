"""Rows that look like other rows: each column's values as often as before, and columns as bound to each other as before.

A Gaussian copula on ranks: a row is drawn from correlated normals, each of which picks a value at its quantile among those seen. Whether
a value is missing is a column of its own. No row is copied; the same rows and seed give the same draw.
"""

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, Series

Numbers = NDArray[np.float64]
ROUNDS = 4  # corrections of the normals' correlation, each by what the draw before it missed
TRIAL = 20_000
LARGE = 20_000  # rows that say as much of ranks as all do


def draw(frame: DataFrame, n: int, seed: int) -> DataFrame:
    """Return `n` rows with the columns of `frame`: numbers (NaN where missing) or texts (None where missing)."""
    random = np.random.default_rng(seed)
    known = frame if len(frame) <= LARGE else frame.iloc[np.sort(random.choice(len(frame), LARGE, replace=False))]
    coded, words = _coded(known)
    wanted = correlations(coded)
    pools = {str(name): np.sort(coded[name].dropna().to_numpy(np.float64)) for name in coded}
    latent = wanted.copy()
    for _ in range(ROUNDS):
        trial = _values(latent, pools, min(n, TRIAL) if n > 2_000 else 2_000, random)
        latent = np.clip(latent + wanted - correlations(trial), -0.999, 0.999)
        np.fill_diagonal(latent, 1.0)
    drawn = _values(latent, pools, n, random)
    made = {}
    for name in frame.columns:
        values = drawn[name].mask(drawn[_gone(name)] > 0) if _gone(name) in drawn else drawn[name]
        if name in words:
            texts = np.array([*words[name], None], dtype=object)
            made[name] = Series(texts[values.fillna(len(words[name])).to_numpy(int)], dtype=object)
        else:
            made[name] = values
    return DataFrame(made)


def correlations(frame: DataFrame) -> Numbers:
    """Return Spearman's rank correlation of every pair of columns of numbers, over the rows that have both; 0 where it is not defined."""
    found = frame.rank().corr().to_numpy(np.float64, copy=True)
    found[~np.isfinite(found)] = 0.0
    np.fill_diagonal(found, 1.0)
    return found


def codes(column: Series, words: list[str]) -> Series:
    """Return the place of each text among `words`, NaN where it is missing."""
    places = {word: float(place) for place, word in enumerate(words)}
    return column.map(places).astype(np.float64)


def order(frame: DataFrame) -> dict[str, list[str]]:
    """Return the texts of each column of texts, ordered by the mean rank of the column of numbers that differs most between them."""
    ranks = frame.select_dtypes("number").rank(pct=True)
    return {name: _ordered(frame[name].astype(object), ranks) for name in frame.columns if name not in ranks.columns}


def _ordered(texts: Series, ranks: DataFrame) -> list[str]:
    counts = texts.value_counts().sort_index()
    if ranks.empty or counts.empty:
        return counts.index.tolist()
    means = ranks.groupby(texts).mean()
    apart = ((means - ranks.mean()) ** 2).mul(counts, axis=0).sum() / ranks.var().where(ranks.var() > 0)
    return means.sort_values(str(apart.fillna(0).idxmax()), kind="stable").index.tolist()


def _coded(frame: DataFrame) -> tuple[DataFrame, dict[str, list[str]]]:
    """Return the columns as numbers, one more for each that has gaps (1 where it has one), and the texts in the order of their numbers."""
    words = order(frame)
    columns = {name: codes(frame[name], words[name]) if name in words else frame[name].astype(np.float64) for name in frame.columns}
    gaps = {_gone(name): frame[name].isna().astype(np.float64) for name in frame.columns if frame[name].isna().any()}
    return DataFrame({**columns, **gaps}), words


def _gone(name: str) -> str:
    return f"{name}\x00is missing"


def _values(latent: Numbers, pools: dict[str, Numbers], n: int, random: np.random.Generator) -> DataFrame:
    """Draw rows: correlated normals, then of each column the value seen at that quantile; a column without values stays empty."""
    from scipy.special import ndtr

    sizes, turned = np.linalg.eigh(latent)
    root = turned * np.sqrt(np.clip(sizes, 1e-9, None))
    root /= np.linalg.norm(root, axis=1, keepdims=True)  # variances of one, after what was no correlation matrix was made one
    shares = ndtr(random.standard_normal((n, len(root))) @ root.T)
    made = {}
    for place, (name, pool) in enumerate(pools.items()):
        taken = np.minimum((shares[:, place] * len(pool)).astype(np.intp), len(pool) - 1)
        made[name] = pool[taken] if len(pool) else np.full(n, np.nan)
    return DataFrame(made)
