"""How far a label can be believed: arithmetic over labelled applicants, no I/O. Every judgement is a gate with its figures in a sentence.

A gate states what must be true; whatever else comes, NaN included, is a refusal. Nothing here looks at how a model fares on
its own label: that figure tells a useless label from a useful one no better than chance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pandas import DataFrame, Series, crosstab, cut

from creditrisk import accord, metrics
from creditrisk.clusters import GAP, SHARE_HIGH, SHARE_LOW, STABLE, Clusters
from creditrisk.schema import Feature

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Gate = dict[str, Any]

IN_ORDER = 0.80  # share of the label features that must be worse in the risky clusters
VERIFIED, VERIFIED_BAD = 30, 10  # from this many outcomes (and bad ones among them) the label is held against them
REPRODUCED = 0.95  # balanced accuracy from which three questions about the predictors give the label away
TREE_ROWS = 10_000
ONE_SIDED = (0.8, 1.25)  # a group's share of bad over everybody else's, outside of which it is looked at
BY_CHANCE = 0.05
BANDS = 4  # groups that the numbers of a protected column are cut into
RESAMPLES = 500


def gate(name: str, value: float, threshold: float, passed: bool, sentence: str) -> Gate:
    """Return a gate as the report keeps it."""
    return {"name": name, "value": float(value), "threshold": float(threshold), "passed": bool(passed), "sentence": sentence}


def of_clusters(table: DataFrame, members: DataFrame, chosen: Clusters, used: Sequence[Feature]) -> list[Gate]:
    """State what must be true of useful clusters: found again, apart on the index, signs in order, neither few nor many."""
    right, wrong = _signed_order(table, members, chosen.bad, used)
    ordered = len(right) / (len(right) + len(wrong)) if right or wrong else float("nan")
    stable, gap, share = chosen.stability, chosen.gap, chosen.share_risky
    against = f"; against it: {', '.join(wrong)}" if wrong else ""
    risky, lies, holds = (
        ("The riskiest cluster", "lies", "holds") if chosen.bad == (chosen.k - 1,) else ("The clusters called risky", "lie", "hold")
    )
    size = f"{risky} {holds} {100 * share:.1f} % of the applicants"
    return [
        gate(
            "stability",
            stable,
            STABLE,
            stable >= STABLE,
            f"Clusters found again in resamples agree with these at {stable:.2f} (adjusted Rand index); at least {STABLE} is asked.",
        ),
        gate(
            "index gap",
            gap,
            GAP,
            gap >= GAP,
            f"{risky} {lies} {gap:.2f} standard deviations of the risk index above the next; at least {GAP:.0f} is asked.",
        ),
        gate(
            "signs",
            ordered,
            IN_ORDER,
            ordered >= IN_ORDER,
            f"{len(right)} of {len(right) + len(wrong)} label features are worse there than elsewhere{against}; "
            f"at least {100 * IN_ORDER:.0f} % is asked.",
        ),
        gate("share at least", share, SHARE_LOW, share >= SHARE_LOW, f"{size}; at least {100 * SHARE_LOW:.0f} % is asked."),
        gate("share at most", share, SHARE_HIGH, share <= SHARE_HIGH, f"{size}; at most {100 * SHARE_HIGH:.0f} % is asked."),
    ]


def of_verified(n: int, n_bad: int, what: str) -> list[Gate]:
    """State how many verified labels there must be."""
    return [
        gate("outcomes", n, VERIFIED, n >= VERIFIED, f"{n} {what}; at least {VERIFIED} are needed."),
        gate("bad outcomes", n_bad, VERIFIED_BAD, n_bad >= VERIFIED_BAD, f"{n_bad} of them are bad; at least {VERIFIED_BAD} are needed."),
    ]


def doubt(bad: ArrayLike, prob_default: ArrayLike) -> Floats:
    """Return by how much (log-odds) each row is surer of the other label than is usual for rows that have that other label.

    Above 0 the label is suspect (confident learning: Northcutt, Jiang and Chuang 2021): `prob_default` comes from fits that had not
    seen the row, and what is usual is its mean over the rows so labelled. Nobody is suspect where a class is missing.

    >>> doubt([0, 0, 0, 1, 1], [0.1, 0.1, 0.9, 0.8, 0.6]).round(2).tolist()
    [-3.04, -3.04, 1.35, -1.93, -0.95]
    """
    labels = np.asarray(bad, dtype=np.float64) == 1
    held = np.clip(np.asarray(prob_default, dtype=np.float64), 1e-9, 1 - 1e-9)
    if not 0 < labels.sum() < len(labels):
        return np.full(len(labels), -np.inf)
    margin = np.log(held) - np.log1p(-held)
    usual = {True: held[labels].mean(), False: held[~labels].mean()}
    edge = {kind: float(np.log(value) - np.log1p(-value)) for kind, value in usual.items()}
    return np.where(labels, edge[False] - margin, margin - edge[True])


def profiles(table: DataFrame, members: DataFrame, used: Sequence[Feature]) -> list[dict[str, Any]]:
    """Describe each segment, safest first: size, share, mean index, mean of each label feature in its own unit."""
    known = int(members["segment"].notna().sum())
    found = []
    for segment in sorted(members["segment"].dropna().unique()):
        rows = (members["segment"] == segment).fillna(False).to_numpy(bool)
        means = {feature.name: float(table.loc[rows, feature.name].mean()) for feature in used}
        index = float(members.loc[rows, "risk_index"].mean())
        found.append({"segment": int(segment), "n": int(rows.sum()), "share": rows.sum() / known, "risk_index": index, "means": means})
    return found


def _signed_order(table: DataFrame, members: DataFrame, bad: Sequence[int], used: Sequence[Feature]) -> tuple[list[str], list[str]]:
    """Split the label features into those whose mean is on the risky side in the risky clusters and the others."""
    risky = members["segment"].isin(bad).fillna(False).to_numpy(bool)
    rest = members["segment"].notna().to_numpy(bool) & ~risky
    right: list[str] = []
    wrong: list[str] = []
    for feature in used:
        difference = table.loc[risky, feature.name].mean() - table.loc[rest, feature.name].mean()
        (right if feature.risk * difference > 0 else wrong).append(feature.name)
    return right, wrong


# --- against what really happened ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """Applicants with a verified outcome, each once: what happened, their index, and their label (0/1)."""

    bad: Flags
    index: Floats
    label: Floats

    @property
    def judged(self) -> bool:
        """Whether there are outcomes enough to hold a label against them."""
        return len(self.bad) >= VERIFIED and int(self.bad.sum()) >= VERIFIED_BAD and not self.bad.all()

    def interval(self, what: str) -> dict[str, float] | None:
        """Return the AUC of 'label' or 'index' against the outcome with its 95 % interval, or None with one class only."""
        if self.bad.all() or not self.bad.any():
            return None
        given = self.label if what == "label" else self.index
        low, high = metrics.bootstrap(metrics.auc, self.bad, given, RESAMPLES, 7)
        return {"value": metrics.auc(self.bad, given), "low": low, "high": high, "n": len(self.bad), "n_bad": int(self.bad.sum())}

    def difference(self) -> tuple[float, float]:
        """Return AUC of the label less that of the index cut at the same share, and the upper end of its 95 % interval.

        A yes-or-no label has one point on its curve; beside it stands the index with one point too, drawn from the same rows.
        """
        cut_off = np.zeros(len(self.index))
        cut_off[np.argsort(-self.index, kind="stable")[: int(self.label.sum())]] = 1.0
        random = np.random.default_rng(7)
        found = []
        for _ in range(RESAMPLES):
            rows = random.integers(0, len(self.bad), len(self.bad))
            if 0 < self.bad[rows].sum() < len(rows):
                found.append(metrics.auc(self.bad[rows], self.label[rows]) - metrics.auc(self.bad[rows], cut_off[rows]))
        highest = float(np.quantile(found, 0.975)) if found else float("nan")
        return metrics.auc(self.bad, self.label) - metrics.auc(self.bad, cut_off), highest

    def report(self) -> dict[str, Any]:
        """Return the figures against observed outcomes as the report keeps them."""
        return {"auc_vs_observed": self.interval("label"), "index_auc_vs_observed": self.interval("index")}

    def gates(self) -> list[Gate]:
        """State what must be true where outcomes are many enough; nothing where they are not."""
        if not self.judged:
            return []
        found = self.interval("label") or {"low": float("nan"), "value": float("nan")}
        lead, most = self.difference()
        return [
            gate(
                "against outcomes",
                found["low"],
                0.5,
                found["low"] > 0.5,
                f"Against {len(self.bad)} observed outcomes the label reaches AUC {found['value']:.2f}, with 95 % confidence at least "
                f"{found['low']:.2f}; more than 0.5 is asked.",
            ),
            gate(
                "beside the index",
                most,
                0.0,
                most >= 0,
                f"Against the same outcomes the label's AUC differs by {lead:+.2f} from the plain risk index cut at the same share "
                f"(95 % confidence: at most {most:+.2f}); it may not be surely below.".replace("-0.", "−0."),
            ),
        ]


# --- does the label give itself away -------------------------------------------------------------------------------


def reproduced(matrix: Floats, bad: Flags, groups: Sequence[str]) -> dict[str, Any]:
    """Say how well three questions about the predictors give the label back: each half is answered by a tree of the other half.

    `matrix` is rows × predictors (NaN where unknown), `groups` whose rows they are: nobody stands in both halves.
    Keys: value (balanced accuracy, 0.5 is chance), threshold, n, alarm, sentence; value is NaN where a half lacks a class.
    """
    from sklearn.tree import DecisionTreeClassifier

    some = np.unique(np.linspace(0, len(bad) - 1, min(TREE_ROWS, len(bad))).astype(int)) if len(bad) else np.zeros(0, int)
    x, y = matrix[some], bad[some]
    _, number = np.unique(np.asarray(groups, dtype=object)[some].astype(str), return_inverse=True)
    half = number % 2 == 0
    value = float("nan")
    if matrix.shape[1] and all(2 <= y[part].sum() <= part.sum() - 2 for part in (half, ~half)):
        given = np.zeros(len(y), dtype=bool)
        for part in (half, ~half):
            tree = DecisionTreeClassifier(max_depth=3, class_weight="balanced", random_state=0, min_samples_leaf=5)
            given[part] = tree.fit(x[~part], y[~part]).predict(x[part])
        value = float((given[y].mean() + (~given[~y]).mean()) / 2)
    alarm = value > REPRODUCED
    said = "cannot be tested: too few labelled applicants of a class" if np.isnan(value) else f"give the label back at {value:.2f}"
    sentence = f"Three questions about the predictors {said} (balanced accuracy); above {REPRODUCED} the model re-learns the label."
    return {"value": value, "threshold": REPRODUCED, "n": len(y), "alarm": bool(alarm), "sentence": sentence}


# --- who is labelled bad ---------------------------------------------------------------------------------------------


def share(bad: "Series[Any]") -> dict[str, float]:
    """Return n, n_bad, share, low, high (Wilson, 95 %) of labels; missing ones do not count."""
    n, n_bad = int(bad.notna().sum()), int(bad.eq(True).sum())
    low, high = metrics.wilson(n_bad, n)
    return {"n": n, "n_bad": n_bad, "share": n_bad / n if n else float("nan"), "low": low, "high": high}


GROUP_COLUMNS = ["feature", "title", "group", "n", "n_bad", "share", "low", "high", "ratio", "p", "warned"]


def by_group(table: DataFrame, bad: "Series[Any]", features: Sequence[Feature]) -> DataFrame:
    """Return the share of bad labels by group of each feature, held against everybody else's.

    Columns: feature, title, group, n, n_bad, share, low, high, ratio (share over that of everybody else), p (Fisher's exact
    test), warned: the ratio lies outside 0.8 to 1.25 and chance does not explain it (p < 0.05). Numbers are cut into quarters.
    """
    from scipy.stats import fisher_exact

    found = []
    known = bad.notna().to_numpy(bool)
    for feature in features:
        groups, names = groups_of(feature, table[feature.name])
        for group in names:
            inside = (groups == group).to_numpy(bool)
            here, others = share(bad[inside & known]), share(bad[~inside & known & groups.notna().to_numpy(bool)])
            ratio = here["share"] / others["share"] if others["share"] else float("inf") if here["n_bad"] else float("nan")
            cells = [[side["n_bad"], side["n"] - side["n_bad"]] for side in (here, others)]
            p = float(fisher_exact(cells)[1]) if min(here["n"], others["n"]) else float("nan")
            warned = bool(p < BY_CHANCE and not ONE_SIDED[0] <= ratio <= ONE_SIDED[1])
            found.append(
                {"feature": feature.name, "title": feature.title, "group": group, **here, "ratio": ratio, "p": p, "warned": warned}
            )
    return DataFrame(found, columns=GROUP_COLUMNS)


def groups_of(feature: Feature, values: "Series[Any]") -> tuple["Series[Any]", list[str]]:
    """Return the group of each row as text, and the groups in order: a choice, yes or no, a number of few, or the band of a number."""
    if feature.is_numeric and values.nunique() > BANDS + 2:
        edges = np.unique(np.nanquantile(values.to_numpy(float), np.arange(1, BANDS) / BANDS))
        said = [feature.say(edge) for edge in edges]
        if len(set(said)) == len(said):
            between = [f"over {low} to {high}" for low, high in pairwise(said)]
            names = [f"up to {said[0]}", *between, f"over {said[-1]}"]
            return cut(values.astype(float), [-np.inf, *edges, np.inf], labels=names).astype(object), names
    texts = {value: feature.say(value) for value in sorted(values.dropna().unique())}
    return values.map(texts), list(dict.fromkeys(texts.values()))


# --- two label sets beside each other --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """Two label sets on the applicants that both hold; `agreement` and kappa are of those that both label.

    `table` is one row per label of the first set ('good', 'bad', 'no label'), one column per label of the second, counts;
    `moved` one row per applicant whom they label differently.
    """

    n_both: int
    n_agree: int
    agreement: float
    kappa: float
    kappa_low: float
    kappa_high: float
    table: DataFrame
    moved: DataFrame


WORDS = ["good", "bad", "no label"]


def compare(joined: DataFrame) -> Comparison:
    """Compare two labels of the same rows: columns one and other (nullable booleans), whatever else `moved` should show."""
    said = {side: joined[side].map({True: "bad", False: "good"}).fillna("no label") for side in ("one", "other")}
    counts = crosstab(said["one"], said["other"]).reindex(index=WORDS, columns=WORDS, fill_value=0)
    counts.index.name, counts.columns.name = "one", None
    both = joined[joined["one"].notna() & joined["other"].notna()]
    one, other = both["one"].to_numpy(bool), both["other"].to_numpy(bool)
    low, high = _kappa_interval(one, other)
    agree = int((one == other).sum())
    return Comparison(
        n_both=len(both),
        n_agree=agree,
        agreement=agree / len(both) if len(both) else float("nan"),
        kappa=accord.kappa(one, other),
        kappa_low=low,
        kappa_high=high,
        table=counts.reset_index(),
        moved=both[one != other].reset_index(drop=True),
    )


def _kappa_interval(one: Flags, other: Flags) -> tuple[float, float]:
    """Return the 95 % interval of kappa over resamples; only four counts matter, so they are drawn directly."""
    if not len(one):
        return float("nan"), float("nan")
    cells = np.bincount(2 * one.astype(int) + other, minlength=4)
    drawn = np.random.default_rng(7).multinomial(len(one), cells / len(one), size=RESAMPLES) / len(one)
    agreed = drawn[:, 0] + drawn[:, 3]
    yes, again = drawn[:, 2] + drawn[:, 3], drawn[:, 1] + drawn[:, 3]
    chance = yes * again + (1 - yes) * (1 - again)
    kappas = (agreed[chance < 1] - chance[chance < 1]) / (1 - chance[chance < 1])
    if not len(kappas):
        return float("nan"), float("nan")
    low, high = np.quantile(kappas, [0.025, 0.975])
    return float(low), float(high)


def failed(gates: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of the gates that did not pass."""
    return [str(each["name"]) for each in gates if not each["passed"]]
