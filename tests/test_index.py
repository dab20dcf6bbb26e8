"""The plain risk index: signed robust z-values, weighed equally."""

import numpy as np
import pytest
from pandas import DataFrame

from creditrisk import index
from creditrisk.design import encode
from creditrisk.estimators import Column
from creditrisk.index import index_of
from tests.test_estimators import COLUMNS, lesson
from tests.test_pipeline import SCHEMA, applicants, fitted


def test_the_risk_index_is_the_mean_of_signed_robust_z_values():
    frame = DataFrame({"income": [1.0, 2, 3, 4, 100], "overdrawn": [0, 0, 0, np.nan, 5.0]})
    features = SCHEMA.index_features
    z = index.signed_z(frame, features)
    assert z["income"].tolist() == pytest.approx([2 / (2 / 1.349), 1 / (2 / 1.349), 0, -1 / (2 / 1.349), -3])
    assert z["overdrawn"].iloc[3] == 0
    assert z["overdrawn"].iloc[4] > 0
    assert index.risk_index(frame, features).tolist() == pytest.approx(((z["income"] + z["overdrawn"]) / 2).tolist())
    assert index.risk_index(frame.iloc[:2], features, frame)[0] == index.risk_index(frame, features)[0]


def test_the_risk_index_algorithm_ranks_as_the_index_does():
    (frame, _), model = applicants(400), fitted("risk_index")
    assert np.allclose(model.estimator.raw(encode(frame, model.features, model.columns)), index.risk_index(frame, SCHEMA.index_features))


def test_the_index_weighs_its_columns_equally_or_all_signed_ones_where_none_is_named():
    matrix = lesson(60).matrix
    assert index_of(matrix, COLUMNS).weights.tolist() == [-0.5, 0.5, 0, 0, 0]
    unnamed = [Column(column.feature, column.choice, column.sign, False) for column in COLUMNS]
    assert index_of(matrix, unnamed).weights.tolist() == [-0.25, 0.25, 0, 0.25, -0.25]


def test_robust_scaling_by_hand():
    line = index_of(np.array([[1.0], [2.0], [3.0], [4.0], [100.0], [np.nan]]), COLUMNS[1:2])
    assert (line.centre[0], line.scale[0]) == (3, pytest.approx(2 / 1.349))
    assert line.raw(np.array([[3.0], [np.nan], [100.0], [-100.0]])).tolist() == pytest.approx([0, 0, 3, -3])
