"""How sure a probability is: the calibration of a model, drawn again and again from applicants it had not seen.

Every learning row was foreseen once by a fit that had not seen it. A line of log-odds is refitted to resamples of those rows, and the rows
that score nearest say how far the line is off there; an interval holds both. It is of the chance of those who score so, not of one fate.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from creditrisk import registry
from creditrisk.errors import TamperedArtefact
from creditrisk.estimators import inverse_logit, logit
from creditrisk.metrics import wilson
from creditrisk.store import Store

Numbers = NDArray[np.float64]
DRAWS, BEYOND, SEED = 199, 5, 7  # the 5th and the 5th last of 199 are the ends of 95 %: 5 of 200 gaps lie beyond each
CELLS = 400  # margins are held together in so many groups, so that a draw costs the same whatever the number of rows
NEAREST, NEAR = 200, 0.1  # rows and share of them whose outcome is looked at around a score
STEPS = 12  # of Newton; a line with two parameters is found in about five


@dataclass(frozen=True)
class Lines:
    """A model's calibration, its resamples, and the held-out rows by margin.

    `intercept` and `slope` are in the model's own log-odds, the first as fitted, the others of resamples. `at` are the margins of the rows
    in order, `bad` and `foreseen` the sums of bad ones and of their probabilities up to each, from 0 on.
    """

    intercept: Numbers
    slope: Numbers
    at: Numbers
    bad: Numbers
    foreseen: Numbers

    @property
    def n(self) -> int:
        """The held-out rows."""
        return len(self.at)

    @property
    def n_bad(self) -> int:
        """The bad ones among them."""
        return int(self.bad[-1])

    def interval(self, margin: float) -> tuple[float, float]:
        """Return the 95 % interval of the probability at a margin (log-odds); it always holds the probability itself."""
        low, high = self.intervals(np.array([margin]))
        return float(low[0]), float(high[0])

    def intervals(self, margin: Numbers) -> tuple[Numbers, Numbers]:
        """Return the lower and the upper ends at many margins, each the same as alone."""
        moved = (self.intercept[1:] - self.intercept[0]) + np.multiply.outer(margin, self.slope[1:] - self.slope[0])
        drawn = np.sort(moved, axis=1)[:, [BEYOND - 1, -BEYOND]]
        begins, place = np.unique(self._begin(margin), return_inverse=True)
        near = np.array([self._off(begin) for begin in begins.tolist()])[place]
        shifts = np.column_stack([np.zeros(len(margin)), drawn, near])
        return inverse_logit(margin + shifts.min(axis=1)), inverse_logit(margin + shifts.max(axis=1))

    def nearest(self, margin: float) -> tuple[int, int, float]:
        """Return of the rows that score nearest how many there are, how many were bad, and the mean probability foreseen."""
        return self._from(int(self._begin(np.array([margin]))[0]))

    @property
    def _size(self) -> int:
        return min(self.n, max(NEAREST, round(NEAR * self.n)))

    def _begin(self, margin: Numbers) -> NDArray[np.intp]:
        """Return where the rows that score nearest begin."""
        return np.clip(np.searchsorted(self.at, margin) - self._size // 2, 0, self.n - self._size)

    def _from(self, begin: int) -> tuple[int, int, float]:
        size, end = self._size, begin + self._size
        return size, int(self.bad[end] - self.bad[begin]), float(self.foreseen[end] - self.foreseen[begin]) / size

    def _off(self, begin: int) -> tuple[float, float]:
        """Return by how much (log-odds) rows may be off from what was foreseen: Wilson's ends, 0 for one that is 0 or 1."""
        size, bad, foreseen = self._from(begin)
        low, high = wilson(bad, size)
        return logit(low) - logit(foreseen) if bad else 0.0, logit(high) - logit(foreseen) if bad < size else 0.0


def known(store: Store, model_id: str) -> Lines | None:
    """Return a model's lines where they can be had; what scores or writes a record goes on without, the model's own page complains."""
    try:
        return lines(store, model_id)
    except TamperedArtefact:
        return None


def lines(store: Store, model_id: str) -> Lines | None:
    """Return a model's lines, the same at every call; None where its held-out rows are of one kind only.

    Raises UnknownThing, TamperedArtefact where the table of held-out rows is missing.
    """
    return drawn(registry.table(store, model_id, "validation"))


def drawn(held: DataFrame) -> Lines | None:
    """Return the lines of held-out rows (columns bad, margin)."""
    known = held.dropna(subset=["bad", "margin"])
    bad, margin = known["bad"].to_numpy(float), known["margin"].to_numpy(float)
    if not 0 < bad.sum() < len(bad):
        return None
    order = np.argsort(margin, kind="stable")
    parts = np.array_split(order, min(CELLS, len(order)))
    at = np.array([margin[part].mean() for part in parts])
    cells = np.array([[len(part) - bad[part].sum(), bad[part].sum()] for part in parts])
    draws = np.random.default_rng(SEED).multinomial(len(bad), cells.ravel() / len(bad), size=DRAWS).reshape(DRAWS, len(parts), 2)
    intercept, slope = _fitted(at, np.concatenate([cells[None], draws]))
    sums = [np.concatenate([[0.0], np.cumsum(values[order])]) for values in (bad, inverse_logit(margin))]
    return Lines(intercept, slope, margin[order], *sums)


def _fitted(at: Numbers, counts: Numbers) -> tuple[Numbers, Numbers]:
    """Return intercept and slope of each set of counts (sets × cells × (good, bad)), fitted by Newton's steps all at once.

    Half a case of each kind is added to every set, as Platt smooths his targets, so that a draw without overlap has a line too.
    """
    n, n_bad = counts.sum(axis=2), counts[:, :, 1]
    total, bad = n.sum(axis=1), n_bad.sum(axis=1)
    target = n_bad * ((bad + 0.5) / (bad + 1))[:, None] + (n - n_bad) * (0.5 / (total - bad + 1))[:, None]
    a, b = np.zeros(len(counts)), np.ones(len(counts))
    for _ in range(STEPS):
        p = inverse_logit(a[:, None] + b[:, None] * at)
        error, weight = target - n * p, n * p * (1 - p) + 1e-9
        g0, g1 = error.sum(axis=1), error @ at
        h00, h01, h11 = weight.sum(axis=1), weight @ at, weight @ at**2
        free = np.maximum(h00 * h11 - h01**2, 1e-12)
        a = a + np.clip((h11 * g0 - h01 * g1) / free, -2, 2)
        b = np.clip(b + np.clip((h00 * g1 - h01 * g0) / free, -0.5, 0.5), 0.01, 10)
    return a, b


def said(margin: float, found: Lines) -> str:
    """Say how the interval at a margin was come by."""
    size, bad, foreseen = found.nearest(margin)
    return (
        f"95 % interval for those who score like this: the calibration refitted to {DRAWS} resamples of {found.n:,} applicants whom the "
        f"model foresaw without having learned from them, and what became of the {size} of them that score nearest ({bad} bad, "
        f"{100 * foreseen:.1f} % foreseen)."
    )
