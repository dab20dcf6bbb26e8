"""Groups of rows: the same as counting them one by one, whatever the numbers."""

from fractions import Fraction
from statistics import median

import numpy as np

from creditrisk.groups import groups, order, packed, places

DICE = np.random.default_rng(3)


def test_keys_too_wide_for_one_number_still_sort_as_they_do() -> None:
    keys = [DICE.integers(-(2**60), 2**60, 200), DICE.integers(0, 3, 200), DICE.integers(-(2**61), 2**61, 200)]
    rows = [tuple(int(key[place]) for key in keys) for place in order(*keys)]
    assert rows == sorted(rows)
    assert len(set(packed(*keys).tolist())) == len(set(rows))


def test_rows_in_order_already_are_left_as_they_stand() -> None:
    assert order(np.array([1, 1, 2]), np.array([5, 6, 1])) == slice(None)
    assert order(np.array([], np.int64)) == slice(None)


def test_no_rows_are_no_groups() -> None:
    none = np.array([], np.int64)
    its = groups(none, none)
    assert len(its) == 0
    for answer in (its.sum(none), its.min(none), its.last(none), its.median(none), its.running(none), its.lead(none, 0), its.size):
        assert len(answer) == 0
    assert len(places(none, none)) == 0


def test_every_answer_is_that_of_going_through_the_rows() -> None:
    key, value = np.sort(DICE.integers(0, 20, 300)), DICE.integers(-99, 99, 300)
    runs = [value[key == one].tolist() for one in np.unique(key)]
    its = groups(key)
    assert its.sum(value).tolist() == [sum(run) for run in runs]
    assert its.max(value).tolist() == [max(run) for run in runs]
    assert its.first(value).tolist() == [run[0] for run in runs]
    assert its.last(value).tolist() == [run[-1] for run in runs]
    assert its.median(value).tolist() == [median(run) for run in runs]
    assert its.running(value).tolist() == [sum(run[: n + 1]) for run in runs for n in range(len(run))]
    assert its.lag(value, 7).tolist() == [before for run in runs for before in [7, *run[:-1]]]
    assert its.lead(value, 7).tolist() == [after for run in runs for after in [*run[1:], 7]]


def test_a_spread_of_sums_beyond_sixty_four_bits_is_exact() -> None:
    value, times = DICE.integers(-(2**49), 2**49, 40), DICE.integers(1, 9, 40)
    [found] = groups(np.zeros(40, np.int64)).spread(value, times)
    rows = [int(one) for one, n in zip(value, times, strict=True) for _ in range(int(n))]
    exact = Fraction(len(rows) * sum(one * one for one in rows) - sum(rows) ** 2)
    assert found == float(exact)
