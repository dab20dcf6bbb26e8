"""How far readers agree, held against published figures."""

from math import isnan

import pytest

from creditrisk import accord


def test_kappa_golden():
    one, other = [1, 1, 0, 0, 1, 0, 1, 0, 1, 1], [1, 1, 0, 0, 0, 0, 1, 1, 1, 1]
    assert accord.kappa(one, other) == pytest.approx(0.5833333333333333)
    assert accord.pabak(one, other) == pytest.approx(0.6)
    assert isnan(accord.kappa([1, 1], [1, 1]))
    assert isnan(accord.kappa([], []))
