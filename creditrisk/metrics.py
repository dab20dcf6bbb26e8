"""How good a model is: arithmetic over labels and probabilities, no I/O.

`bad` is 0 or 1, `p` the probability of default, `weight` how often each row counts. A figure that the data leave
undefined (one class, nothing that varies) is NaN beside its n, never an exception; a gate must treat NaN as a refusal.
"""

from collections.abc import Callable, Mapping
from math import isnan, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pandas import DataFrame

Numbers = NDArray[np.float64]
Metric = Callable[[Numbers, Numbers, Numbers | None], float]
NAN = float("nan")
Z = 1.959963984540054  # a normal variable lies within so many standard deviations 95 times in 100


class Calibration(NamedTuple):
    """Logistic recalibration of bad on the log-odds of p: ideal slope 1, intercept 0; in the large = share bad less mean p.

    The errors are standard errors, of slope and intercept from the curvature of the likelihood (Wald).
    """

    slope: float
    intercept: float
    in_the_large: float
    slope_error: float = NAN
    intercept_error: float = NAN
    in_the_large_error: float = NAN


# ── ranking ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def auc(bad: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return the chance that a bad row has the higher p than a good one, ties counting half.

    >>> auc([0, 0, 0, 0, 0, 0, 1, 1, 1, 1], [0.05, 0.1, 0.15, 0.2, 0.4, 0.6, 0.3, 0.55, 0.7, 0.9])
    0.875
    """
    good_mass, bad_mass = _masses(bad, p, weight)
    pairs = good_mass.sum() * bad_mass.sum()
    below = np.cumsum(good_mass) - good_mass / 2
    return float(bad_mass @ below / pairs) if pairs else NAN


def gini(bad: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return 2 * AUC - 1; above 0.8 on real applicants it usually means leakage."""
    return 2 * auc(bad, p, weight) - 1


def ks(bad: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return the greatest distance between the distributions of p among good and bad.

    >>> round(ks([0, 0, 0, 0, 0, 0, 1, 1, 1, 1], [0.05, 0.1, 0.15, 0.2, 0.4, 0.6, 0.3, 0.55, 0.7, 0.9]), 6)
    0.666667
    """
    good_mass, bad_mass = _masses(bad, p, weight)
    if not (good_mass.sum() and bad_mass.sum()):
        return NAN
    return float(np.max(np.abs(np.cumsum(good_mass) / good_mass.sum() - np.cumsum(bad_mass) / bad_mass.sum())))


def roc(bad: ArrayLike, p: ArrayLike) -> DataFrame:
    """Return the ROC curve from (0, 0) to (1, 1): cutoff, false_positive_rate, true_positive_rate; no rows with one class."""
    good_mass, bad_mass = _masses(bad, p, None)
    if not (good_mass.sum() and bad_mass.sum()):
        return DataFrame({"cutoff": [], "false_positive_rate": [], "true_positive_rate": []}, dtype=np.float64)
    rates = [np.append(0, np.cumsum(mass[::-1])) / mass.sum() for mass in (good_mass, bad_mass)]
    cutoffs = np.append(np.inf, np.unique(np.asarray(p, dtype=np.float64))[::-1])
    return DataFrame({"cutoff": cutoffs, "false_positive_rate": rates[0], "true_positive_rate": rates[1]})


def pr_auc(bad: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return average precision: the mean share of bad among those at least as risky, over the bad; chance gives the share of bad.

    >>> round(pr_auc([0, 0, 0, 0, 0, 0, 1, 1, 1, 1], [0.05, 0.1, 0.15, 0.2, 0.4, 0.6, 0.3, 0.55, 0.7, 0.9]), 6)
    0.854167
    """
    good_mass, bad_mass = (mass[::-1] for mass in _masses(bad, p, weight))
    if not (good_mass.sum() and bad_mass.sum()):
        return NAN
    caught = np.cumsum(bad_mass)
    declined = np.cumsum(good_mass) + caught
    return float(bad_mass @ (caught / np.where(declined, declined, 1.0)) / bad_mass.sum())


def auc_error(bad: ArrayLike, p: ArrayLike) -> float:
    """Return the standard error of the AUC after DeLong (1988); NaN with fewer than two rows of a class.

    >>> round(auc_error([0, 0, 0, 0, 0, 0, 1, 1, 1, 1], [0.05, 0.1, 0.15, 0.2, 0.4, 0.6, 0.3, 0.55, 0.7, 0.9]), 6)
    0.116865
    """
    labels, values = _pair(bad, p)
    risky, safe = np.sort(values[labels == 1]), np.sort(values[labels == 0])
    if min(len(risky), len(safe)) < 2 or np.isnan(values).any():
        return NAN
    below = (np.searchsorted(safe, risky, "left") + np.searchsorted(safe, risky, "right")) / (2 * len(safe))
    above = 1 - (np.searchsorted(risky, safe, "left") + np.searchsorted(risky, safe, "right")) / (2 * len(risky))
    return sqrt(float(below.var(ddof=1)) / len(risky) + float(above.var(ddof=1)) / len(safe))


def cross_validated(bad: ArrayLike, p: ArrayLike, fold: ArrayLike) -> dict[str, Any]:
    """Return the AUC over folds, each row's p from a fit that had not seen its fold; rows of fold -1 were held out of none.

    Keys: mean, sd (of the folds; NaN with one), low, high (95 %, from the error of each fold: LeDell, Petersen, van der Laan
    2015), folds (the AUC of each), k, n, n_bad. The interval is of the rows drawn: it says nothing of another split.
    """
    labels, values = _pair(bad, p)
    parts = np.asarray(fold, dtype=np.intp)
    rows = [parts == number for number in range(int(parts.max(initial=-1)) + 1)]
    areas = np.array([auc(labels[part], values[part]) for part in rows])
    error = sqrt(sum(auc_error(labels[part], values[part]) ** 2 for part in rows)) / len(rows) if rows else NAN
    mean = _mean(areas)
    return {
        "mean": mean,
        "sd": float(areas.std(ddof=1)) if len(areas) > 1 else NAN,
        "low": max(0.0, mean - Z * error) if error == error else NAN,  # noqa: PLR0124
        "high": min(1.0, mean + Z * error) if error == error else NAN,  # noqa: PLR0124
        "folds": areas.tolist(),
        "k": len(areas),
        "n": int((parts >= 0).sum()),
        "n_bad": int(labels[parts >= 0].sum()),
    }


def lift_table(bad: ArrayLike, p: ArrayLike, bins: int = 10) -> DataFrame:
    """Return one row per tenth of the applicants, riskiest first.

    Columns: bin, n, n_bad, mean_pd, share_bad, lift (share bad over the overall share), gain (share of all bad caught so far).
    """
    labels, values = _pair(bad, p)
    parts = np.array_split(np.argsort(-values, kind="stable"), bins)
    rows = [(len(part), labels[part].sum(), _mean(values[part]), _mean(labels[part])) for part in parts]
    table = DataFrame(rows, columns=["n", "n_bad", "mean_pd", "share_bad"])
    table.insert(0, "bin", np.arange(1, bins + 1))
    total = labels.sum()
    table["lift"] = table["share_bad"] / (_mean(labels) if total else NAN)
    table["gain"] = table["n_bad"].cumsum() / (total if total else NAN)
    return table


def classification(bad: ArrayLike, p: ArrayLike, cutoff: float) -> dict[str, Any]:
    """Return the classification report of declining from `cutoff` on: for 'good' and 'bad' precision, recall, f1 and n, then
    accuracy and balanced_accuracy.

    >>> report = classification([0, 0, 1, 1], [0.1, 0.6, 0.6, 0.2], 0.5)
    >>> report["bad"], report["balanced_accuracy"]
    ({'precision': 0.5, 'recall': 0.5, 'f1': 0.5, 'n': 2}, 0.5)
    """
    cells = confusion(bad, p, cutoff)
    kinds = {}
    for kind, other in (("good", "bad"), ("bad", "good")):
        hit, alarm, missed = cells[f"true_{kind}"], cells[f"false_{kind}"], cells[f"false_{other}"]
        kinds[kind] = {
            "precision": _share(hit, hit + alarm),
            "recall": _share(hit, hit + missed),
            "f1": _share(2 * hit, 2 * hit + alarm + missed),
            "n": hit + missed,
        }
    return {**kinds, "accuracy": cells["accuracy"], "balanced_accuracy": (kinds["good"]["recall"] + kinds["bad"]["recall"]) / 2}


def confusion(bad: ArrayLike, p: ArrayLike, cutoff: float) -> dict[str, float]:
    """Return what declining from `cutoff` on would do: counts of the four cells and the rates made of them.

    >>> cells = confusion([0, 0, 1, 1], [0.1, 0.6, 0.6, 0.2], 0.5)
    >>> cells["true_bad"], cells["false_bad"], cells["true_good"], cells["false_good"], cells["recall"]
    (1, 1, 1, 1, 0.5)
    """
    labels, values = _pair(bad, p)
    declined = values >= cutoff
    hit, alarm = int(labels[declined].sum()), int((1 - labels[declined]).sum())
    missed, passed = int(labels[~declined].sum()), int((1 - labels[~declined]).sum())
    return {
        "true_bad": hit,
        "false_bad": alarm,
        "true_good": passed,
        "false_good": missed,
        "accuracy": _share(hit + passed, len(labels)),
        "precision": _share(hit, hit + alarm),
        "recall": _share(hit, hit + missed),
        "specificity": _share(passed, passed + alarm),
        "share_approved": _share(passed + missed, len(labels)),
        "bad_among_approved": _share(missed, passed + missed),
    }


# ── probabilities ───────────────────────────────────────────────────────────────────────────────────────────────────


def brier(bad: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return the mean squared distance between p and what happened.

    >>> round(brier([0, 0, 0, 0, 0, 0, 1, 1, 1, 1], [0.05, 0.1, 0.15, 0.2, 0.4, 0.6, 0.3, 0.55, 0.7, 0.9]), 6)
    0.13875
    """
    labels, values = _pair(bad, p)
    return _mean((labels - values) ** 2, weight)


def brier_skill(bad: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return the share of the base rate's Brier score that p takes away: 1 is perfect, 0 no better than the base rate."""
    labels, values = _pair(bad, p)
    plain = brier(labels, np.full(len(labels), _mean(labels, weight)), weight)
    return 1 - brier(labels, values, weight) / plain if plain else NAN


def log_loss(bad: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return the mean surprise in nats; p is held within 1e-15 of the ends.

    >>> round(log_loss([0, 0, 0, 0, 0, 0, 1, 1, 1, 1], [0.05, 0.1, 0.15, 0.2, 0.4, 0.6, 0.3, 0.55, 0.7, 0.9]), 9)
    0.423327791
    """
    labels, values = _pair(bad, p)
    values = np.clip(values, 1e-15, 1 - 1e-15)
    return _mean(-np.where(labels == 1, np.log(values), np.log1p(-values)), weight)


def calibration(bad: ArrayLike, p: ArrayLike) -> Calibration:
    """Return slope and intercept of the logistic recalibration, and calibration in the large.

    Slope and intercept are NaN with one class, with one value of p, and where p parts good from bad perfectly.
    """
    labels, values = _pair(bad, p)
    in_the_large = _mean(labels) - _mean(values)
    error = float((labels - values).std(ddof=1)) / sqrt(len(labels)) if len(labels) > 1 else NAN
    held = np.clip(values, 1e-12, 1 - 1e-12)
    x = np.log(held) - np.log1p(-held)
    parted = auc(labels, x)  # NaN with one class or a missing figure
    if isnan(parted) or parted in (0.0, 1.0) or x.min() == x.max():
        return Calibration(NAN, NAN, in_the_large, in_the_large_error=error)
    slope, intercept, slope_error, intercept_error = _newton(x, labels)
    return Calibration(slope, intercept, in_the_large, slope_error, intercept_error, error)


def calibration_table(bad: ArrayLike, p: ArrayLike, bins: int = 10) -> DataFrame:
    """Return bins of equal mass, lowest p first: bin, n, n_bad, mean_pd, share_bad, low, high (Wilson, 95 %)."""
    labels, values = _pair(bad, p)
    parts = [part for part in np.array_split(np.argsort(values, kind="stable"), bins) if len(part)]
    rows = [
        (number + 1, len(part), int(labels[part].sum()), _mean(values[part]), _mean(labels[part]), *wilson(labels[part].sum(), len(part)))
        for number, part in enumerate(parts)
    ]
    return DataFrame(rows, columns=["bin", "n", "n_bad", "mean_pd", "share_bad", "low", "high"])


def ece(bad: ArrayLike, p: ArrayLike, bins: int = 10) -> float:
    """Return the expected calibration error: mean distance of share bad and mean p over bins of equal mass."""
    table = calibration_table(bad, p, bins)
    return _mean((table["share_bad"] - table["mean_pd"]).abs().to_numpy(), table["n"].to_numpy())


# ── evidence ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def woe(good: ArrayLike, bad: ArrayLike, smoothing: float = 0.5) -> tuple[Numbers, float]:
    """Return the weight of evidence per bin, ln(share of good / share of bad), and the information value.

    `smoothing` is added to every count so that an empty cell stays finite; IV above 0.5 is suspicious.

    >>> evidence, value = woe([200, 300, 400], [40, 30, 10], smoothing=0)
    >>> evidence.round(4).tolist(), round(value, 6)
    ([-0.8109, -0.1178, 1.2685], 0.635385)
    """
    goods, bads = np.asarray(good, dtype=np.float64) + smoothing, np.asarray(bad, dtype=np.float64) + smoothing
    if not (goods.sum() and bads.sum()):
        return np.full(goods.shape, NAN), NAN
    share_good, share_bad = goods / goods.sum(), bads / bads.sum()
    with np.errstate(divide="ignore"):
        evidence = np.log(share_good) - np.log(share_bad)
    return evidence, float((share_good - share_bad) @ evidence)


# ── intervals ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def wilson(k: float, n: float, z: float = Z) -> tuple[float, float]:
    """Return Wilson's interval (95 %) for a share of k in n.

    >>> [round(end, 4) for end in wilson(5, 10)]
    [0.2366, 0.7634]
    """
    if not n > 0:
        return NAN, NAN
    share, spread = k / n, z * z / n
    middle, half = share + spread / 2, z * sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, float((middle - half) / (1 + spread))), min(1.0, float((middle + half) / (1 + spread)))


def bootstrap(metric: Metric, bad: ArrayLike, p: ArrayLike, n: int = 500, seed: int = 7) -> tuple[float, float]:
    """Return the 95 % percentile interval of a metric over `n` resamples within good and within bad.

    A resample is a weight per row, so the rows are sorted once; NaN where the metric itself is undefined.
    """
    return _intervals({"it": metric}, bad, p, n, seed)["it"]


def _intervals(wanted: Mapping[str, Metric], bad: ArrayLike, p: ArrayLike, n: int = 500, seed: int = 7) -> dict[str, tuple[float, float]]:
    """Return the 95 % percentile interval of several metrics over the same resamples (see `bootstrap`)."""
    labels, values = _pair(bad, p)
    order = np.argsort(values, kind="stable")
    labels, values = labels[order], values[order]
    found = dict.fromkeys(wanted, (NAN, NAN))
    known = {name: metric for name, metric in wanted.items() if n >= 1 and not isnan(metric(labels, values, None))}
    if not known:
        return found
    random = np.random.default_rng(seed)
    groups = [np.flatnonzero(labels == value) for value in (0, 1)]
    drawn = (_resample(random, groups, len(labels)) for _ in range(n))
    figures = np.array([[metric(labels, values, weight) for metric in known.values()] for weight in drawn])
    ends = np.quantile(figures, [0.025, 0.975], axis=0)
    return found | {name: (float(low), float(high)) for name, low, high in zip(known, *ends, strict=True)}


def report(bad: ArrayLike, p: ArrayLike, *, bootstraps: int = 500, seed: int = 7) -> dict[str, Any]:
    """Return every headline figure.

    Keys: n, n_bad; auc and brier as {value, low, high}; gini, ks, pr_auc, brier_skill, log_loss, ece, calibration_slope,
    calibration_intercept and calibration_in_the_large, each with _low and _high. Undefined figures are NaN. Intervals are
    bootstrapped, those of the calibration line Wald's; `sentences` says in words why a figure is missing.
    """
    labels, values = _pair(bad, p)
    measured: dict[str, Metric] = {
        **{"auc": auc, "brier": brier, "ks": ks, "pr_auc": pr_auc, "brier_skill": brier_skill, "log_loss": log_loss},
        "ece": _ece_of_sorted,
    }
    ends = _intervals(measured, labels, values, bootstraps, seed)
    line = calibration(labels, values)
    plain = {name: measured[name](labels, values, None) for name in measured if name != "ece"} | {"ece": ece(labels, values)}
    found: dict[str, Any] = {"n": len(labels), "n_bad": int(labels.sum())}
    for name in ("auc", "brier"):
        found[name] = {"value": plain.pop(name), "low": ends[name][0], "high": ends[name][1]}
    low, high = ends["auc"]
    found |= {"gini": 2 * found["auc"]["value"] - 1, "gini_low": 2 * low - 1, "gini_high": 2 * high - 1}
    for name, value in plain.items():
        found |= {name: value, f"{name}_low": ends[name][0], f"{name}_high": ends[name][1]}
    for name in ("slope", "intercept", "in_the_large"):
        value, error = getattr(line, name), getattr(line, f"{name}_error")
        found |= {f"calibration_{name}": value, f"calibration_{name}_low": value - Z * error, f"calibration_{name}_high": value + Z * error}
    return found | {"sentences": _missing(found, labels)}


def _missing(found: Mapping[str, Any], labels: Numbers) -> list[str]:
    """Say why a figure of a report is missing."""
    n, n_bad = len(labels), int(labels.sum())
    if isnan(found["auc"]["value"]):
        what = "no row was measured" if not n else f"all {n} rows measured are {'bad' if n_bad else 'good'}"
        return [f"Nothing can be said of the ranking: {what}, or a probability is missing."]
    if isnan(found["calibration_slope"]):
        return ["The calibration line has no slope: the model gives everybody one probability, or parts good from bad without an error."]
    return []


# ── pieces ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _pair(bad: ArrayLike, p: ArrayLike) -> tuple[Numbers, Numbers]:
    return np.asarray(bad, dtype=np.float64), np.asarray(p, dtype=np.float64)


def _masses(bad: ArrayLike, p: ArrayLike, weight: ArrayLike | None) -> tuple[Numbers, Numbers]:
    """Return the weight of good and of bad at each distinct p, lowest first."""
    labels, values = _pair(bad, p)
    weights: Numbers = np.ones(len(labels)) if weight is None else np.asarray(weight, dtype=np.float64)
    if np.isnan(labels).any() or np.isnan(values).any():
        return np.zeros(1), np.zeros(1)
    if (values[1:] < values[:-1]).any():
        order = np.argsort(values, kind="stable")
        labels, values, weights = labels[order], values[order], weights[order]
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1])) if len(values) else np.zeros(0, dtype=np.intp)
    if not len(starts):
        return np.zeros(1), np.zeros(1)
    bads = weights * labels
    return np.add.reduceat(weights - bads, starts), np.add.reduceat(bads, starts)


def _resample(random: np.random.Generator, groups: list[NDArray[np.intp]], n: int) -> Numbers:
    drawn = [group[random.integers(len(group), size=len(group))] for group in groups if len(group)]
    return np.bincount(np.concatenate(drawn), minlength=n).astype(np.float64)


def _newton(x: Numbers, labels: Numbers) -> tuple[float, float, float, float]:
    """Return slope and intercept of logistic regression on one column, and their errors; NaN where fifty steps do not settle."""
    line = np.array([1.0, 0.0])
    design = np.stack([x, np.ones(len(x))], axis=1)
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ line, -500, 500)))
        curvature = design.T @ (design * (p * (1 - p))[:, None])
        if np.linalg.det(curvature) <= 0:
            break
        step = np.linalg.solve(curvature, design.T @ (labels - p))
        line = line + step * min(1.0, 5 / float(np.max(np.abs(step)) or 1.0))
        if np.max(np.abs(step)) < 1e-10:
            errors = np.sqrt(np.diag(np.linalg.inv(curvature)))
            return float(line[0]), float(line[1]), float(errors[0]), float(errors[1])
    return NAN, NAN, NAN, NAN


def _ece_of_sorted(labels: Numbers, values: Numbers, weight: ArrayLike | None) -> float:
    """Return the ECE over ten bins of as many rows each, of rows already sorted by p, each counted `weight` times."""
    if not len(values):
        return NAN
    counted = np.ones(len(values)) if weight is None else np.asarray(weight, dtype=np.float64)
    starts = [part[0] for part in np.array_split(np.arange(len(values)), 10) if len(part)]
    return float(np.abs(np.add.reduceat(counted * (labels - values), starts)).sum() / counted.sum())


def _mean(values: Numbers, weight: ArrayLike | None = None) -> float:
    if not len(values):
        return NAN
    return float(values.mean() if weight is None else np.average(values, weights=np.asarray(weight, dtype=np.float64)))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else NAN
