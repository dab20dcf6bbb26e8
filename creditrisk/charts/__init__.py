"""Pictures of frames that other rooms computed: Plotly figures by subject, no arithmetic beyond placing a mark.

A figure's title states the finding, its axes carry units, hovering says the same in words, and a frame without rows gives
a figure that says so.
"""

from creditrisk.charts.account import balance, coverage
from creditrisk.charts.batch import batch_scores, moved
from creditrisk.charts.canvas import AMBER, BRICK, GREY, TEAL, nothing, written
from creditrisk.charts.case import gauge, month, score_history, waterfall
from creditrisk.charts.clusters import cloud, profiles, scan, segments, spread
from creditrisk.charts.explained import beeswarm, confusion, cutoffs, dependence, partial, standings, swaps
from creditrisk.charts.invented import bonds, distances
from creditrisk.charts.labels import against, agreement, cohort_rates, group_rates, windows
from creditrisk.charts.learning import changed, prequential, shadow, versions
from creditrisk.charts.models import ALGORITHMS, calibration, importance, leaderboard, roc, sides, test_scores
from creditrisk.charts.money import KINDS, flows, spending, streams, unknown
from creditrisk.charts.portfolio import bins, correlations, maturity, scores
from creditrisk.charts.readers import readings, reviewers

__all__ = [
    "ALGORITHMS",
    "AMBER",
    "BRICK",
    "GREY",
    "KINDS",
    "TEAL",
    "against",
    "agreement",
    "balance",
    "batch_scores",
    "beeswarm",
    "bins",
    "bonds",
    "calibration",
    "changed",
    "cloud",
    "cohort_rates",
    "confusion",
    "correlations",
    "coverage",
    "cutoffs",
    "dependence",
    "distances",
    "flows",
    "gauge",
    "group_rates",
    "importance",
    "leaderboard",
    "maturity",
    "month",
    "moved",
    "nothing",
    "partial",
    "prequential",
    "profiles",
    "readings",
    "reviewers",
    "roc",
    "scan",
    "score_history",
    "scores",
    "segments",
    "shadow",
    "sides",
    "spending",
    "spread",
    "standings",
    "streams",
    "swaps",
    "test_scores",
    "unknown",
    "versions",
    "waterfall",
    "windows",
    "written",
]
