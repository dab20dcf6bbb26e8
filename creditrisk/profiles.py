"""What makes a group this group: the features in which it lies furthest from everybody, in the schema's words."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pandas import DataFrame

from creditrisk.schema import Feature

ALIKE = 0.25  # standard deviations from everybody within which a group is like everybody


def traits(clusters: Sequence[Mapping[str, Any]], centres: Sequence[Sequence[float]], features: Sequence[Feature]) -> DataFrame:
    """Return one row per group and feature that sets it apart, the strongest of a group first.

    `clusters` (n, means in each feature's own unit) and `centres` (robust standard deviations, higher = riskier, columns as
    `features`) go safest first. Columns: segment, feature, title, value and everybody (means, as a person writes them),
    deviation (from everybody, + is riskier).
    """
    sizes = np.array([row["n"] for row in clusters], dtype=float)
    away = np.asarray(centres, dtype=float)
    away = away - np.average(away, axis=0, weights=sizes)
    found = []
    for segment, row in enumerate(clusters):
        for place in np.argsort(-np.abs(away[segment]), kind="stable"):
            feature, deviation = features[int(place)], float(away[segment, place])
            if abs(deviation) < ALIKE:
                break
            means = np.array([other["means"][feature.name] for other in clusters], dtype=float)
            everybody = float(np.average(means, weights=sizes))
            digits = _digits(feature, [*means.tolist(), everybody])
            said = feature.say(row["means"][feature.name], digits), feature.say(everybody, digits)
            found.append((segment, feature.name, feature.title, *said, deviation))
    return DataFrame(found, columns=["segment", "feature", "title", "value", "everybody", "deviation"])


def _digits(feature: Feature, means: Sequence[float]) -> int | None:
    """Return with how many digits the groups of one feature are told apart, the same for all of them; None: the usual."""
    apart = len(set(means))
    return next((digits for digits in (None, 1, 2, 3) if len({feature.say(mean, digits) for mean in means}) == apart), None)
