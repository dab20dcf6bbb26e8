"""Points and bands: how a probability of default is said on the 300–900 axis.

Bands are read off the unrounded score and the display floors, so that what is shown never lies above what was decided.
Scores are points, probabilities and money shares lie in [0, 1], odds are good : bad.
"""

from math import floor, log
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creditrisk.errors import InvalidInput
from creditrisk.settings import Score

Numbers = NDArray[np.float64]
LOWEST, HIGHEST = 300.0, 900.0
DEFAULT = Score()


class Band(NamedTuple):
    """A named stretch of the axis: `low` belongs to it, `high` to the next one (the last band includes 900)."""

    name: str
    low: float
    high: float
    label: str


BANDS = (
    Band("Poor", 300, 500, "High risk"),
    Band("Average", 500, 650, "Medium risk"),
    Band("Good", 650, 750, "Low risk"),
    Band("Excellent", 750, 900, "Approved"),
)


def factor(settings: Score = DEFAULT) -> float:
    """Points per unit of log-odds.

    >>> round(factor(), 4)
    72.1348
    """
    return settings.points_to_double_odds / log(2)


def offset(settings: Score = DEFAULT) -> float:
    """Points at even odds.

    >>> round(offset(), 4)
    433.9036
    """
    return settings.anchor_score - factor(settings) * log(settings.anchor_odds)


@overload
def score(prob_default: float, settings: Score = DEFAULT) -> float: ...
@overload
def score(prob_default: Numbers, settings: Score = DEFAULT) -> Numbers: ...
def score(prob_default: float | Numbers, settings: Score = DEFAULT) -> float | Numbers:
    """Return points in [300, 900], unrounded; not a number stays so.

    >>> round(score(0.02), 2), round(score(0.05), 1), score(0.0), score(1.0)
    (714.64, 646.3, 900.0, 300.0)
    >>> score(0.25, Score(scale="linear"))
    750.0
    """
    p = np.asarray(prob_default, dtype=np.float64)
    if settings.scale == "linear":
        points = LOWEST + (1 - p) * (HIGHEST - LOWEST)
    else:
        with np.errstate(divide="ignore"):
            points = offset(settings) + factor(settings) * (np.log1p(-p) - np.log(p))
    # Nine decimals: a PD of exactly 1 in 21 must reach 650 whatever the last bit of the logarithm says.
    return _as_given(np.clip(np.round(points, 9), LOWEST, HIGHEST))


@overload
def prob_default(points: float, settings: Score = DEFAULT) -> float: ...
@overload
def prob_default(points: Numbers, settings: Score = DEFAULT) -> Numbers: ...
def prob_default(points: float | Numbers, settings: Score = DEFAULT) -> float | Numbers:
    """Return the probability a score stands for: the inverse of `score` where that was not clipped.

    >>> round(prob_default(650.0), 6) == round(1 / 21, 6)
    True
    """
    values = np.asarray(points, dtype=np.float64)
    if settings.scale == "linear":
        return _as_given(1 - (values - LOWEST) / (HIGHEST - LOWEST))
    return _as_given(1 / (1 + np.exp((values - offset(settings)) / factor(settings))))


@overload
def points(contribution: float, settings: Score = DEFAULT) -> float: ...
@overload
def points(contribution: Numbers, settings: Score = DEFAULT) -> Numbers: ...
def points(contribution: float | Numbers, settings: Score = DEFAULT) -> float | Numbers:
    """Return what a contribution in log-odds of default does to the score, before clipping; more risk is fewer points.

    On the linear scale log-odds have no fixed worth in points, so the answer is not a number.

    >>> round(points(0.6931471805599453), 6)
    -50.0
    """
    worth = float("nan") if settings.scale == "linear" else -factor(settings)
    return _as_given(worth * np.asarray(contribution, dtype=np.float64))


def band(points: float) -> Band:
    """Return the band of an unrounded score; the lower edge belongs to the band.

    Raises InvalidInput for a score off the axis or not a number.

    >>> band(499.99).name, band(500).name, band(900).label
    ('Poor', 'Average', 'Approved')
    """
    if not LOWEST <= points <= HIGHEST:
        raise InvalidInput(f"A score of {points:g} has no band; scores lie between {LOWEST:g} and {HIGHEST:g}.")
    return next(entry for entry in reversed(BANDS) if points >= entry.low)


def band_names(points: ArrayLike) -> NDArray[np.object_]:
    """Return the name of the band of each score, None where the score is not a number.

    >>> band_names([300, 649.9, 650, float("nan")]).tolist()
    ['Poor', 'Average', 'Good', None]
    """
    values = np.asarray(points, dtype=np.float64)
    names = np.array([entry.name for entry in BANDS], dtype=np.object_)
    found: NDArray[np.object_] = names[
        np.clip(np.searchsorted([entry.low for entry in BANDS], values, side="right") - 1, 0, len(BANDS) - 1)
    ]
    found[np.isnan(values)] = None
    return found


def shown(points: float) -> int:
    """Return the whole points to display: floored, so that 499.5 never looks like the 500 it did not reach.

    >>> shown(499.5)
    499
    """
    return floor(points)


@overload
def prior_shift(prob_default: float, share_trained: float, share_true: float) -> float: ...
@overload
def prior_shift(prob_default: Numbers, share_trained: float, share_true: float) -> Numbers: ...
def prior_shift(prob_default: float | Numbers, share_trained: float, share_true: float) -> float | Numbers:
    """Move probabilities from the share of bad trained on to the true one: logit p + logit true - logit trained.

    >>> round(prior_shift(0.7, 0.4, 0.05), 6)
    0.155556
    """
    if not (0 < share_trained < 1 and 0 < share_true < 1):
        raise InvalidInput(f"Both shares of bad must lie between 0 and 1; they are {share_trained:g} and {share_true:g}.")
    p = np.asarray(prob_default, dtype=np.float64)
    bad = p * share_true / share_trained
    good = (1 - p) * (1 - share_true) / (1 - share_trained)
    return _as_given(bad / (bad + good))


def cost_cutoff(margin: float, lgd: float) -> float:
    """Return the probability of default from which on a loan loses money: approve while PD is below it.

    >>> round(cost_cutoff(0.08, 0.45), 6), round(cost_cutoff(0.12, 0.6), 6)
    (0.150943, 0.166667)
    """
    if not (margin >= 0 and lgd >= 0 and margin + lgd > 0):
        raise InvalidInput(f"Margin and loss given default must not be negative nor both zero; they are {margin:g} and {lgd:g}.")
    return margin / (margin + lgd)


def _as_given(values: Numbers) -> float | Numbers:
    return float(values) if values.ndim == 0 else values
