"""Clusters of bare points: ordered by risk, the same in any order of rows, and chosen by the rule."""

import numpy as np
import pytest

from creditrisk import clusters
from creditrisk.clusters import Clusters
from creditrisk.errors import InvalidInput, NotEnoughData
from creditrisk.settings import Labels

FEW = Labels(k_max=4, bootstraps=12)


def points(n: int = 300, share: float = 0.1, strength: float = 2.5, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return rows × six signed columns, and which rows are worse on every one of them."""
    random = np.random.default_rng(seed)
    trouble = random.random(n) < share
    return random.normal(size=(n, 6)) + strength * trouble[:, None], trouble


def at(k: int, share: float, gap: float, stability: float) -> Clusters:
    return Clusters(k, np.zeros((k, 1)), np.zeros(1, dtype=np.int64), gap, share, 0.5, 0.5, stability)


def test_the_last_cluster_is_the_riskiest():
    cloud, trouble = points()
    chosen, tried = clusters.scan(cloud, FEW)
    assert (np.diff(chosen.centres.mean(axis=1)) > 0).all()
    assert (chosen.risky == trouble).mean() > 0.98
    assert chosen.share_risky == chosen.risky.mean() == pytest.approx(trouble.mean(), abs=0.03)
    assert chosen.stability > clusters.STABLE
    assert chosen.gap > clusters.GAP
    assert [fit.k for fit in tried] == [2, 3, 4]
    assert tried[chosen.k - 2] is chosen
    assert list(chosen.row()) == ["k", "silhouette", "davies_bouldin", "stability", "index_gap", "share_risky"]


def test_neither_order_nor_seed_moves_a_row():
    cloud, _ = points(strength=1.2)
    turned = np.random.default_rng(3).permutation(len(cloud))
    for k in (2, 3):
        first = clusters.scan(cloud, FEW, k)[0]
        assert np.array_equal(clusters.scan(cloud[turned], FEW, k)[0].assigned, first.assigned[turned])
        assert np.array_equal(clusters.scan(cloud, Labels(k_max=4, bootstraps=12, seed=99), k)[0].assigned, first.assigned)


def test_the_number_asked_for_is_the_number_given():
    cloud, _ = points()
    chosen, tried = clusters.scan(cloud, FEW, 4)
    assert chosen.k == chosen.assigned.max() + 1 == 4
    assert len(tried) == 3


@pytest.mark.parametrize(
    ("scan", "k"),
    [
        ([at(2, 0.50, 3.0, 1.0), at(3, 0.10, 0.2, 0.1)], 3),  # a useful share comes before everything else
        ([at(2, 0.10, 3.0, 0.5), at(3, 0.10, 1.1, 0.9)], 3),  # then how many of stability and gap are passed
        ([at(2, 0.02, 2.0, 0.9), at(3, 0.20, 1.5, 0.9)], 3),  # then gap and size together
        ([at(2, 0.10, 1.5, 0.9), at(3, 0.10, 1.5, 0.9)], 2),  # the smaller number wins a tie
        ([at(2, 0.10, 1.5, np.nan), at(3, 0.10, 1.5, 0.9)], 3),  # what is not a number passes nothing
    ],
)
def test_the_rule(scan, k):
    assert clusters.choose(scan).k == k


def test_without_resamples_stability_is_no_number():
    chosen, _ = clusters.scan(points()[0], Labels(k_max=2, bootstraps=0))
    assert np.isnan(chosen.stability)


def test_planted_groups_are_more_stable_than_a_shapeless_cloud():
    planted, shapeless = (clusters.scan(points(share=share)[0], FEW, 3 if not share else 2)[0].stability for share in (0.2, 0))
    assert planted > 0.9 > shapeless


def test_the_border_is_grey_and_small():
    cloud, _ = points(400, strength=1.2)
    chosen, _ = clusters.scan(cloud, FEW, 2)
    grey = clusters.grey_zone(cloud, chosen.centres)
    distances = np.linalg.norm(cloud[:, None] - chosen.centres, axis=2)
    indifference = np.abs(distances[:, 0] - distances[:, 1]) / distances.sum(axis=1)
    assert 0 < grey.sum() <= 0.05 * len(cloud) + 1
    assert (grey & chosen.risky).sum() <= 0.2 * chosen.risky.sum() + 1
    assert indifference[grey].max() <= indifference[~grey].min()


@pytest.mark.parametrize(
    ("cloud", "sentence"),
    [
        (points(12)[0], "at least 50 applicants with enough history; this snapshot has 12"),
        (np.tile([[0.0, 1], [1, 0], [1, 1]], (30, 1)), "only 3 different sets"),
    ],
)
def test_what_cannot_be_clustered_says_so(cloud, sentence):
    with pytest.raises(NotEnoughData, match=sentence):
        clusters.scan(cloud, FEW)


def test_a_number_that_cannot_be_tried_is_refused():
    with pytest.raises(InvalidInput, match=r"7 clusters cannot be tried here; choose from 2 to 4 \(\[labels\] k_min and k_max\)"):
        clusters.scan(points()[0], FEW, 7)


def test_agreement_of_partitions_by_hand():
    one = np.array([0, 0, 0, 1, 1, 1])
    assert clusters.adjusted_rand(one, 1 - one, 2) == 1
    assert clusters.adjusted_rand(one, np.array([0, 0, 1, 0, 1, 1]), 2) == pytest.approx((2 - 2.4) / (6 - 2.4))
    assert clusters.adjusted_rand(np.zeros(6, dtype=int), np.zeros(6, dtype=int), 2) == 1
