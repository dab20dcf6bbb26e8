"""Shares of bins before and after: a thing beside itself has not moved, and what left the known range is seen."""

from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from creditrisk import stability

NUMBERS = arrays(np.float64, st.integers(1, 60), elements=st.one_of(st.floats(-1e9, 1e9), st.just(nan)))


def test_psi_golden_and_critical_values():
    assert stability.psi_of_counts([0.1] * 10, [0.05] * 2 + [0.1] * 6 + [0.15] * 2) == pytest.approx(0.10986122886681095)
    for n, m, expected in ((500, 200, 0.11843284323234314), (1000, 1000, 0.0338379552092409), (10000, 2000, 0.01015138656277227)):
        assert stability.psi_critical(n, m, 10) == pytest.approx(expected, rel=1e-9)
    assert isnan(stability.psi_critical(0, 10))


@given(NUMBERS)
def test_psi_of_a_thing_with_itself_is_nought(values):
    found = stability.psi(values, values)
    assert found == 0 or (np.isnan(values).all() and isnan(found))


def test_psi_sees_what_closed_bins_hide():
    incomes = np.random.default_rng(0).lognormal(8, 0.5, 10_000)
    moved = np.where(np.arange(10_000) % 2 == 0, incomes * 20, incomes)
    assert stability.psi(incomes, moved) == pytest.approx(1.08, abs=0.02)
    vanished = np.where(np.arange(10_000) % 2 == 0, nan, incomes)
    assert stability.psi(incomes, vanished) > 1


def test_psi_of_a_count_that_is_mostly_nought():
    assert stability.psi([0] * 95 + [1, 2, 3, 4, 5], [0] * 50 + [1] * 50) > 0.5
