"""How sure a probability is: the calibration of a model, drawn again and again from applicants it had not seen.

Every learning row was foreseen once by a fit that had not seen it. A line of log-odds is refitted to resamples of those rows, and what
the lines say at a score is its interval. It holds the chance of those who score so, not the fate of one person.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from creditrisk import registry
from creditrisk.estimators import inverse_logit
from creditrisk.store import Store

Numbers = NDArray[np.float64]
DRAWS, SEED = 200, 7
CELLS = 400  # margins are held together in so many groups, so that a draw costs the same whatever the number of rows
STEPS = 12  # of Newton; a line with two parameters is found in about five
LEVEL = (2.5, 97.5)


@dataclass(frozen=True)
class Lines:
    """A model's calibration and its resamples: intercepts and slopes in the model's own log-odds; n and n_bad of the rows behind them."""

    intercept: Numbers
    slope: Numbers
    n: int
    n_bad: int

    def interval(self, margin: float) -> tuple[float, float]:
        """Return the 95 % interval of the probability at a margin (log-odds); it always holds the probability itself."""
        shift = (self.intercept[1:] - self.intercept[0]) + (self.slope[1:] - self.slope[0]) * margin
        low, high = np.percentile(shift, LEVEL)
        ends = inverse_logit(np.array([margin + min(low, 0.0), margin + max(high, 0.0)]))
        return float(ends[0]), float(ends[1])


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
    return Lines(intercept, slope, len(bad), int(bad.sum()))


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


def said(interval: Sequence[float], found: Lines) -> str:
    """Say how an interval was come by."""
    return (
        f"95 % interval: the calibration refitted to {DRAWS} resamples of {found.n:,} applicants ({found.n_bad:,} bad) whom the model "
        f"had not seen when it foresaw them. Of those who score like this one, {100 * interval[0]:.1f} to {100 * interval[1]:.1f} % "
        "are expected to be bad."
    )
