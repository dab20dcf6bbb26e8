"""Groups in a cloud of points: K-Means at several numbers of clusters, how far each can be trusted, which one is taken.

Pure arithmetic over rows × signed columns (higher = riskier). Clusters are ordered by their mean, the last is the riskiest.
Nobody may break this: at a given number of clusters, neither the order of the rows nor the seed moves a row to another one.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from creditrisk.errors import InvalidInput, NotEnoughData
from creditrisk.settings import Labels

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Progress = Callable[[float, str], None]

MIN_ROWS = 50  # fewer applicants than this are not clustered
STABLE, GAP, SHARE_LOW, SHARE_HIGH = 0.75, 1.0, 0.02, 0.30
GREY, GREY_OF_RISKY = 0.05, 0.20
SILHOUETTE_ROWS, RESAMPLE_ROWS = 3_000, 10_000
RULE = (
    "Of the numbers of clusters tried: those whose riskiest cluster holds 2 to 30 % of the applicants, if there are any; among them those "
    "that pass most of stability and index gap; among these the one whose riskiest cluster stands out most, index gap x root of share x "
    "(1 - share), since a gap alone grows as the cluster shrinks. The silhouette decides nothing: it does not tell useful from useless."
)


@dataclass(frozen=True)
class Clusters:
    """K-Means at one k; centres and assignment ordered by mean index, so the last cluster is the riskiest."""

    k: int
    centres: Floats  # k × columns
    assigned: Integers  # the cluster of each row, 0 = safest
    gap: float
    share_risky: float
    silhouette: float
    davies_bouldin: float
    stability: float
    called: tuple[int, ...] = ()  # the clusters that a person calls risky; none named: the last

    @property
    def bad(self) -> tuple[int, ...]:
        """The clusters that are called risky."""
        return self.called or (self.k - 1,)

    @property
    def risky(self) -> NDArray[np.bool_]:
        """Which rows lie in a cluster that is called risky."""
        return np.isin(self.assigned, self.bad)

    def row(self) -> dict[str, float]:
        """Return its figures as the table of all numbers of clusters shows them."""
        return {
            "k": self.k,
            "silhouette": self.silhouette,
            "davies_bouldin": self.davies_bouldin,
            "stability": self.stability,
            "index_gap": self.gap,
            "share_risky": self.share_risky,
        }


def scan(
    points: Floats, limits: Labels, wanted: int | None = None, progress: Progress = lambda _share, _what: None
) -> tuple[Clusters, list[Clusters]]:
    """Return the chosen clusters (those of `wanted`, else by `RULE`) and all that were tried.

    A third of the resamples is enough to compare numbers of clusters; the chosen one is held to all of them.
    Raises NotEnoughData where there is nothing to find, InvalidInput for a number that cannot be tried.
    """
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    tried = _tried(points, limits, wanted)
    by_value = points[np.lexsort(points.T)]  # neither the order nor the names of the rows reach a fit
    # One thread: several add up centres in any order, and the last digits would differ between runs. The warning: a
    # resample with fewer different rows than clusters is what the adjusted Rand index is there to punish.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        tries = []
        for number, k in enumerate(tried):
            progress(number / (len(tried) + 1), f"grouping applicants into {k} clusters")
            tries.append(_clusters(by_value, k, -(-limits.bootstraps // 3), limits.seed))
        chosen = next((fit for fit in tries if fit.k == wanted), None) or choose(tries)
        progress(len(tried) / (len(tried) + 1), f"looking for the same {chosen.k} clusters in {limits.bootstraps} resamples")
        stability = _stability(by_value, chosen.centres, chosen.assigned, limits.bootstraps, limits.seed)
    chosen = replace(chosen, stability=stability, assigned=nearest(points, chosen.centres))
    return chosen, [chosen if fit.k == chosen.k else fit for fit in tries]


def choose(scan: Sequence[Clusters]) -> Clusters:
    """Apply `RULE`; the smaller k wins a tie."""

    def merit(fit: Clusters) -> tuple[bool, int, float]:
        share = fit.share_risky
        stands_out = round(fit.gap * float(np.sqrt(share * (1 - share))), 6)
        return SHARE_LOW <= share <= SHARE_HIGH, (fit.stability >= STABLE) + (fit.gap >= GAP), stands_out

    return max(scan, key=merit)


def calling(points: Floats, chosen: Clusters, risky: Sequence[int]) -> Clusters:
    """Return the same clusters with those numbers called risky; the gap lies between them and the riskiest of the others.

    Raises InvalidInput unless some of the clusters are named and some are not.
    """
    called = tuple(sorted(set(risky)))
    if not called or not set(called) < set(range(chosen.k)):
        raise InvalidInput(
            f"Risky clusters are some, not all, of 0 (safest) to {chosen.k - 1} (riskiest); {', '.join(map(str, called)) or 'none'} given."
        )
    named = replace(chosen, called=called)
    return replace(named, gap=gap_of(points.mean(axis=1), named), share_risky=float(named.risky.mean()))


def gap_of(index: Floats, chosen: Clusters) -> float:
    """Return how far the risky clusters lie above the riskiest of the others on any index, in its standard deviations."""
    means = _means(index, chosen.assigned, chosen.k)
    others = max(float(means[number]) for number in range(chosen.k) if number not in chosen.bad)
    spread = float(index.std())
    return (float(index[chosen.risky].mean()) - others) / spread if spread > 0 else float("nan")


def margins(points: Floats, centres: Floats, bad: Sequence[int] = (-1,)) -> Floats:
    """Return how far each row lies from the border between risky clusters and others: 0 on it, 1 on a centre, negative = not risky."""
    is_bad = np.zeros(len(centres), dtype=bool)
    is_bad[list(bad)] = True
    distance = np.sqrt(((points[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2))
    risky, other = distance[:, is_bad].min(axis=1), distance[:, ~is_bad].min(axis=1)
    return np.asarray((other - risky) / np.maximum(risky + other, 1e-12))


def grey_zone(points: Floats, centres: Floats, bad: Sequence[int] = (-1,)) -> NDArray[np.bool_]:
    """Mark the rows nearest to the border of the risky clusters: 5 % of all, at most a fifth of those clusters."""
    side = margins(points, centres, bad)
    margin = np.abs(side)
    if not (side > 0).any():
        return np.zeros(len(points), dtype=bool)
    edge = min(np.quantile(margin, GREY), np.quantile(margin[side > 0], GREY_OF_RISKY))
    near: NDArray[np.bool_] = margin < edge
    return near


def adjusted_rand(one: Integers, other: Integers, k: int) -> float:
    """Return the adjusted Rand index (Hubert and Arabie 1985) of two partitions into at most k groups.

    >>> adjusted_rand(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]), 2)
    1.0
    """
    table = np.bincount(one * k + other, minlength=k * k).reshape(k, k).astype(float)
    pairs, rows, columns = ((counts * (counts - 1) / 2).sum() for counts in (table, table.sum(axis=1), table.sum(axis=0)))
    expected = rows * columns / (len(one) * (len(one) - 1) / 2)
    most = (rows + columns) / 2
    return 1.0 if most == expected else float((pairs - expected) / (most - expected))


def _tried(points: Floats, limits: Labels, wanted: int | None) -> list[int]:
    if len(points) < MIN_ROWS:
        raise NotEnoughData(f"K-Means labels need at least {MIN_ROWS} applicants with enough history; this snapshot has {len(points)}.")
    distinct = len(np.unique(points, axis=0))
    tried = [count for count in range(limits.k_min, limits.k_max + 1) if count <= distinct // 2]
    if not tried:
        raise NotEnoughData(f"The applicants have only {distinct} different sets of label features: there are no clusters to find.")
    if wanted is not None and wanted not in tried:
        raise InvalidInput(f"{wanted} clusters cannot be tried here; choose from {tried[0]} to {tried[-1]} ([labels] k_min and k_max).")
    return tried


def _clusters(points: Floats, k: int, bootstraps: int, seed: int) -> Clusters:
    from sklearn.metrics import davies_bouldin_score, silhouette_score

    some = points[np.unique(np.linspace(0, len(points) - 1, RESAMPLE_ROWS).astype(int))]
    first = min((_lloyd(some, start) for start in _starts(some, k)), key=lambda fit: round(fit[1], 6))[0]
    centres, _ = _lloyd(points, first)
    index = points.mean(axis=1)
    means = _means(index, nearest(points, centres), k)
    centres = centres[np.argsort(means)]
    assigned = nearest(points, centres)
    means = np.sort(means)
    few = np.unique(np.linspace(0, len(points) - 1, SILHOUETTE_ROWS).astype(int))
    several = np.unique(assigned[few]).size > 1
    return Clusters(
        k,
        centres,
        assigned,
        gap=float((means[-1] - means[-2]) / index.std()),
        share_risky=float((assigned == k - 1).mean()),
        silhouette=float(silhouette_score(points[few], assigned[few])) if several else float("nan"),
        davies_bouldin=float(davies_bouldin_score(points, assigned)),
        stability=_stability(points, centres, assigned, bootstraps, seed),
    )


def _starts(points: Floats, k: int) -> list[Floats]:
    """Return the same starting centres for the same points, whatever the seed of the installation."""
    from sklearn.cluster import kmeans_plusplus

    by_index = np.argsort(points.mean(axis=1), kind="stable")
    even = np.array([points[part].mean(axis=0) for part in np.array_split(by_index, k)])
    tail = max(len(points) // 20, 1)
    skewed = [points[part].mean(axis=0) for part in np.array_split(by_index[:-tail], k - 1)] + [points[by_index[-tail:]].mean(axis=0)]
    return [even, np.array(skewed)] + [kmeans_plusplus(points, k, random_state=number)[0] for number in range(6)]


def _lloyd(points: Floats, start: Floats) -> tuple[Floats, float]:
    """Run K-Means from given centres; return centres and inertia per row."""
    from sklearn.cluster import KMeans

    fitted = KMeans(len(start), init=start, n_init=1, max_iter=100).fit(points)
    return fitted.cluster_centers_, float(fitted.inertia_) / len(points)


def nearest(points: Floats, centres: Floats) -> Integers:
    """Return the place of the centre nearest to each row."""
    distances = (centres**2).sum(axis=1) - 2 * points @ centres.T
    found: Integers = distances.argmin(axis=1)
    return found


def _means(values: Floats, groups: Integers, k: int) -> Floats:
    counts = np.bincount(groups, minlength=k)
    return np.bincount(groups, weights=values, minlength=k) / np.maximum(counts, 1)


def _stability(points: Floats, centres: Floats, assigned: Integers, bootstraps: int, seed: int) -> float:
    """Return the mean adjusted Rand index between the clusters and those found again in resamples, on all rows.

    Each resample is fitted from the clusters themselves and from a fresh start, and the better fit counts: the first
    alone would call any local optimum stable.
    """
    from sklearn.cluster import kmeans_plusplus

    random = np.random.default_rng(seed)
    k, found = len(centres), []
    for _ in range(bootstraps):
        again = points[random.integers(0, len(points), min(len(points), RESAMPLE_ROWS))]
        fresh = kmeans_plusplus(again, k, random_state=int(random.integers(2**31)))[0]
        best = min((_lloyd(again, start) for start in (centres, fresh)), key=lambda fit: fit[1])[0]
        found.append(adjusted_rand(assigned, nearest(points, best), k))
    return float(np.mean(found)) if found else float("nan")
