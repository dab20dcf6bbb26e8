"""The plain risk index: how far an applicant lies from the middle of the others, feature by feature, signed so that more is riskier.

Nobody may break this: what is missing counts as typical, and nothing counts for more than WINSOR_Z spreads.
"""

from collections.abc import Sequence

import numpy as np
from pandas import DataFrame

from creditrisk.design import encode
from creditrisk.estimators import Column, Linear, Numbers
from creditrisk.schema import Feature

WINSOR_Z = 3.0


def index_of(matrix: Numbers, columns: Sequence[Column]) -> Linear:
    """Return the risk index: equal weights on the index columns, or on all signed ones where the schema names none."""
    signs = np.array([column.sign for column in columns], dtype=np.float64)
    chosen = signs * np.array([column.in_index for column in columns])
    signs = chosen if chosen.any() else signs
    centre, scale = np.array([_robust(values) for values in matrix.T]).T
    return Linear(centre - WINSOR_Z * scale, centre + WINSOR_Z * scale, centre, scale, signs / max(np.abs(signs).sum(), 1.0))


def _robust(values: Numbers) -> tuple[float, float]:
    """Return median and spread: the quartile range as a standard deviation, that itself where half the values are equal, or 1."""
    known = values[~np.isnan(values)]
    if not len(known):
        return 0.0, 1.0
    low, centre, high = np.quantile(known, [0.25, 0.5, 0.75])
    return float(centre), float((high - low) / 1.349 or known.std() or 1.0)


def risk_index(frame: DataFrame, features: Sequence[Feature], reference: DataFrame | None = None) -> Numbers:
    """Return the plain risk index of each row: the mean of the features' robust z-values, signed so that more is riskier.

    Medians and spreads come from `reference` (default: the frame itself). A z-value is held within three, a missing
    one counts as typical, so that a short history looks neither good nor bad. Without features every row is typical.
    """
    if not features:
        return np.zeros(len(frame))
    z = signed_z(frame, features, reference)
    return np.asarray(sum(z[feature.name].to_numpy() for feature in features) / max(len(features), 1), dtype=np.float64)


def signed_z(frame: DataFrame, features: Sequence[Feature], reference: DataFrame | None = None) -> DataFrame:
    """Return the robust z-value of each feature times its risk sign, within three; 0 where missing. Index as the frame's."""
    columns = [Column(feature.name, None, feature.risk, True) for feature in features]
    scaler = index_of(encode(frame if reference is None else reference, features, columns), columns)
    z = scaler.z(encode(frame, features, columns)) * np.array([column.sign for column in columns])
    return DataFrame(z, columns=[column.feature for column in columns], index=frame.index)
