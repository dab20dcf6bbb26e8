"""What must not be known in advance: predictors read what came before a date, labels what came after, and nothing reads both.

Three witnesses, none trusted alone: what the columns are called, on which days they end, and what the figures give away.
The first that finds something fails the run and names the feature.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, Series

from creditrisk import metrics
from creditrisk.errors import Leakage
from creditrisk.schema import Feature

Floats = NDArray[np.float64]

GIVEN_AWAY = 0.995  # lower end of the 95 % interval of a single predictor's AUC against the label: so much nobody knows beforehand
SAME = 0.995  # rank correlation of a predictor with a figure of the label's own window
LEAST_OF_A_CLASS = 10
RANGES, TREE_ROWS = 6, 10_000
UNLIKE = 30  # rows whose figure is not the commonest one
AFTERWARDS = re.compile(  # surely known only at the end of a loan; what only sounds so is kept out at import, by `inference`
    r"(^|_)(recover(y|ies|ed)|charged?_?offs?|chargeoffs?|writ(e|ten)_?offs?|out_prncp|total_(rec|pymnt)|(last|next)_pymnt|settlement|hardship"
    r"|loan_status|loan_outcome|default_(date|day)|date_of_default|observed_(bad|on)|fully_paid|npl_flag|bad_\d+m|loss_given_default)(_|$)"
)


def names(predictors: Sequence[Feature]) -> None:
    """Refuse a predictor whose name says that it is known afterwards only, unless its declaration says `why` it is not.

    >>> names([Feature("total_rec_prncp", "Principal received to date")])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    creditrisk.errors.Leakage: The predictor Principal received to date (total_rec_prncp) ... tell...
    """
    for feature in predictors:
        if not feature.why and AFTERWARDS.search(re.sub(r"\W+", "_", feature.name.lower())):
            raise Leakage(
                f"The predictor {feature.title} ({feature.name}) is called as something that only the end of a loan can tell, so a model "
                'would read the answer. Give it role = "report" in the schema, or why = "…" with what it is and since when it is known.'
            )


def days(rows: DataFrame, predictors: Sequence[Feature], ahead: int) -> None:
    """Refuse predictors that end after the label's window begins: columns applicant_id, known (their date), seen (the window's end).

    `ahead` = days from the date of the predictors to the end of the performance window, gap and all.
    """
    known, seen = (rows[name].to_numpy("datetime64[D]") for name in ("known", "seen"))
    late = np.flatnonzero(~(known + np.timedelta64(ahead, "D") <= seen))
    if len(late) and predictors:
        first = rows.iloc[int(late[0])]
        begins = seen[late[0]] - np.timedelta64(ahead, "D")
        raise Leakage(
            f"The predictor {predictors[0].title} ({predictors[0].name}), and every other of that snapshot, reads up to "
            f"{known[late[0]]} for applicant {first['applicant_id']}, and what must not be known before the label begins on {begins} "
            f"({len(late):,} of {len(rows):,} applicants). Label again: predictors are then computed as of the day before."
        )


def windows(label_features: Sequence[Feature], performance_days: int) -> None:
    """Refuse a label feature that looks back further than the performance window is long: it would read the predictors' days."""
    for feature in label_features:
        if feature.window_days is None or feature.window_days > performance_days:
            reach = "no declared window" if feature.window_days is None else f"a window of {feature.window_days} days"
            raise Leakage(
                f"The label feature {feature.title} ({feature.name}) has {reach} and the performance window {performance_days}: it reads "
                "the same days as the predictors. Take a longer performance window or leave the feature out of the index."
            )


def copies(known: DataFrame, seen: DataFrame, predictors: Sequence[Feature], label_features: Sequence[Feature]) -> None:
    """Refuse a predictor that ranks applicants exactly as a figure of the performance window does; both frames row by row.

    A figure of which too few have another value than most says nothing: who never was overdrawn often is not overdrawn again.
    """
    able = [feature for feature in label_features if _unlike(seen[feature.name]) >= UNLIKE]
    later = {feature.name: _ranks(seen[feature.name]) for feature in able}
    for feature in predictors:
        if not feature.is_numeric:
            continue
        ranks = _ranks(known[feature.name])
        for label_feature in able:
            if abs(_correlation(ranks, later[label_feature.name])) > SAME:
                raise Leakage(
                    f"The predictor {feature.title} ({feature.name}) ranks the applicants as {label_feature.title} "
                    f"({label_feature.name}) of the performance window does: it reads the days that it is to foresee. "
                    "Compute it up to the cohort's date, or take it out of the predictors."
                )


def figures(frame: DataFrame, bad: "Series[Any]", predictors: Sequence[Feature]) -> None:
    """Refuse a predictor that by itself parts bad from good all but perfectly, where there are applicants enough to say so."""
    known = bad.notna().to_numpy(bool)
    labels = bad[known].to_numpy(bool)
    if min(labels.sum(), len(labels) - labels.sum()) < LEAST_OF_A_CLASS:
        return
    for feature in predictors:
        area = _alone(feature, frame.loc[known, feature.name], labels)
        area = max(area, 1 - area)
        low = area - 1.96 * _error(area, int(labels.sum()), int((~labels).sum()))
        if low > GIVEN_AWAY:
            raise Leakage(
                f"The predictor {feature.title} ({feature.name}) alone tells good from bad with AUC {area:.3f} (at least {low:.3f}) "
                f"on {len(labels):,} applicants; above {GIVEN_AWAY} it must have read the answer. Take it out of the predictors "
                '(role = "report" in the schema), or compute it up to the date of application.'
            )


def _alone(feature: Feature, values: "Series[Any]", bad: NDArray[np.bool_]) -> float:
    """Return the AUC of one predictor; a missing number counts as a value between, a choice as its share of bad.

    A number may tell by being given at all, or by lying between two limits as well as beyond one.
    """
    if not feature.is_numeric:
        few = values.nunique() * LEAST_OF_A_CLASS <= len(bad)  # a choice of one's own parts everybody from everybody
        return (
            metrics.auc(bad, DataFrame({"value": values.fillna(""), "bad": bad}).groupby("value")["bad"].transform("mean")) if few else 0.5
        )
    numbers = values.to_numpy(float, na_value=np.nan)
    unknown = np.isnan(numbers)
    if unknown.all():
        return 0.5
    by_value = metrics.auc(bad, np.where(unknown, np.nanmedian(numbers), numbers))
    by_absence = metrics.auc(bad, unknown.astype(float))  # filled in for those who went bad only
    return max(by_value, by_absence, _in_ranges(numbers, bad), key=lambda area: abs(area - 0.5))


def _in_ranges(numbers: Floats, bad: NDArray[np.bool_]) -> float:
    """Return the AUC of the share of bad in a few ranges of a number, found by a tree on at most `TREE_ROWS` rows."""
    from sklearn.tree import DecisionTreeClassifier

    some = np.unique(np.linspace(0, len(bad) - 1, min(TREE_ROWS, len(bad))).astype(int))
    x, y = numbers[some, None], bad[some]
    if y.all() or not y.any():
        return 0.5
    tree = DecisionTreeClassifier(max_leaf_nodes=RANGES, min_samples_leaf=LEAST_OF_A_CLASS, random_state=0)
    return metrics.auc(y, tree.fit(x, y).predict_proba(x)[:, 1])


def _unlike(values: "Series[Any]") -> int:
    """Return how many rows have another value than the commonest."""
    return int(values.notna().sum()) - int(values.value_counts().max() if values.notna().any() else 0)


def _error(area: float, n_bad: int, n_good: int) -> float:
    """Return the standard error of an AUC (Hanley and McNeil 1982)."""
    one, two = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (n_bad - 1) * (one - area**2) + (n_good - 1) * (two - area**2)
    return float(np.sqrt(max(spread, 0.0) / (n_bad * n_good)))


def _ranks(values: "Series[Any]") -> Floats:
    """Return ranks of mean 0 and length 1, all 0 where nothing varies or few are known."""
    ranked = values.rank().fillna((values.notna().sum() + 1) / 2).to_numpy(dtype=np.float64)
    ranks: Floats = np.asarray(ranked - ranked.mean())
    length = float(np.sqrt((ranks**2).sum()))
    return np.asarray(ranks / length) if length and values.notna().mean() > 0.5 else np.zeros(len(ranks))


def _correlation(one: Floats, other: Floats) -> float:
    return float(one @ other)
