"""Bins of a scorecard: where one feature's values are parted, and how much evidence lies in each part.

Weight of evidence (WoE) is the logarithm of a bin's share of all good over its share of all bad, so more of it is safer. Bins are
plain data that a person may edit and hand back. Nobody may break this: every value, known or not, lies in exactly one bin.
"""

import json
import logging
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creditrisk.errors import InvalidInput, NotInstalled

Numbers = NDArray[np.float64]
Places = NDArray[np.intp]
OTHER = "(other)"  # a choice without a column of its own


@dataclass(frozen=True)
class Bins:
    """One feature's bins. Of numbers, bin i holds edges[i - 1] ≤ value < edges[i]; of choices, those of groups[i], and one that is in
    none lies in a last bin. Then comes the bin of what is missing. `count`, `share_bad` and `woe` are per bin; the counts add weights.
    """

    feature: str
    choices: tuple[str, ...] = ()  # () for numbers
    edges: tuple[float, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    count: tuple[float, ...] = ()
    share_bad: tuple[float, ...] = ()
    woe: tuple[float, ...] = ()

    @property
    def names(self) -> list[str]:
        """The bins in words."""
        if self.choices:
            return [*(", ".join(group) for group in self.groups), "any other", "missing"]
        edges = [f"{edge:g}" for edge in self.edges]
        if not edges:
            return ["any value", "missing"]
        between = [f"{low} to < {high}" for low, high in pairwise(edges)]
        return [f"< {edges[0]}", *between, f"≥ {edges[-1]}", "missing"]

    def places(self, part: Numbers) -> Places:
        """Return the bin of each row of the feature's columns of a matrix (rows × 1, or × its choices)."""
        is_missing, n = np.isnan(part[:, 0]), len(self.names)
        if self.choices:
            group_of = {choice: number for number, group in enumerate(self.groups) for choice in group}
            bin_of = np.array([group_of.get(choice, n - 2) for choice in (*self.choices, OTHER)])
            found = bin_of[codes(part)]
        else:
            found = np.searchsorted(np.array(self.edges), part[:, 0], side="right")
        return np.where(is_missing, n - 1, found)

    def weighed(self, part: Numbers, bad: Numbers, weight: Numbers, sign: int) -> "Bins":
        """Return the bins with their evidence, which follows the feature's sign of risk where it has one.

        Each bin is given one row of the usual mixture more than it has, so that an empty one says nothing and none is certain.
        """
        places, n = self.places(part), len(self.names)
        count = np.bincount(places, weight, n)
        n_bad = np.bincount(places, weight * bad, n)
        usual = float(weight @ bad / weight.sum())
        n_bad_more, n_good_more = n_bad + usual, count - n_bad + 1 - usual
        woe = np.log(n_good_more / n_bad_more) - np.log((1 - usual) / usual)
        if sign and len(self.edges):
            from scipy.optimize import isotonic_regression

            woe[:-1] = isotonic_regression(woe[:-1], weights=count[:-1] + 1, increasing=sign < 0).x
        share = np.divide(n_bad, count, out=np.full(n, np.nan), where=count > 0)
        return replace(self, count=tuple(count.tolist()), share_bad=tuple(share.tolist()), woe=tuple(woe.tolist()))


def codes(part: Numbers) -> Places:
    """Return which choice each row states, as a place among the columns; behind them where it is none of these, or missing."""
    known = np.nan_to_num(part)
    places: Places = np.where(known.any(axis=1), known.argmax(axis=1), part.shape[1])
    return places


def found(
    feature: str, choices: Sequence[str], part: Numbers, bad: Numbers, weight: Numbers, *, sign: int, most: int, least: float
) -> Bins:
    """Return the best bins (most information value) of a feature: at most `most` for what is known, none below a share of `least`.

    The share of bad rises or falls along the bins as the sign says; without one it may turn once.
    """
    known = ~np.isnan(part[:, 0])
    values = codes(part)[known].astype(np.float64) if choices else part[known, 0]
    if len(np.unique(values)) < 2 or len(np.unique(bad[known])) < 2:
        return Bins(feature, tuple(choices), groups=(tuple(choices),) if choices else ())
    trend = {1: "ascending", -1: "descending", 0: "auto"}[sign]
    how = {"max_n_bins": most, "min_prebin_size": least, "min_bin_size": least}
    kind = {"dtype": "categorical"} if choices else {"dtype": "numerical", "monotonic_trend": trend}
    binner = _binner()(**kind, **how)
    binner.fit(values, bad[known].astype(int), sample_weight=None if np.ptp(weight) == 0 else weight[known])
    if not choices:
        return Bins(feature, edges=tuple(float(edge) for edge in binner.splits))
    named = (*choices, OTHER)
    return Bins(feature, tuple(choices), groups=tuple(tuple(named[int(code)] for code in sorted(group)) for group in binner.splits))


@cache
def _binner() -> Any:
    """Import OptimalBinning: seconds, so only where a scorecard is fitted.

    It brings OR-Tools and cvxpy, which asks for highspy; the two carry different builds of one library and cannot be loaded together.
    Nothing here is solved by highspy, so while the import lasts it counts as not installed.
    """
    hidden = "highspy" not in sys.modules
    if hidden:
        sys.modules["highspy"] = None  # type: ignore[assignment]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from optbinning import OptimalBinning
    except ImportError as error:
        raise NotInstalled(
            f"Bins cannot be searched in this process ({error}). Train in the background, or hand the scorecard its bins."
        ) from error
    finally:
        if hidden:
            del sys.modules["highspy"]
    logging.getLogger("optbinning").setLevel(logging.ERROR)
    return OptimalBinning


# ── bins as a person hands them in ──────────────────────────────────────────────────────────────────────────────────


def written(bins: Sequence[Bins]) -> str:
    """Return bins as JSON that `read` takes: {feature: [edge, …]} or {feature: [[choice, …], …]}."""
    return json.dumps({part.feature: list(part.groups if part.choices else part.edges) for part in bins}, ensure_ascii=False)


def read(text: object) -> Mapping[str, list[Any]]:
    """Read edited bins; raises InvalidInput naming the feature whose bins are none."""
    try:
        given = json.loads(text) if isinstance(text, str) else None
    except json.JSONDecodeError as error:
        raise InvalidInput(f"The bins are no JSON: {error}.") from error
    if not isinstance(given, dict):
        raise InvalidInput("The bins should be a JSON object that gives each feature its edges or its groups of choices.")
    for feature, parts in given.items():
        if not (_are_edges(parts) or _are_groups(parts)):
            raise InvalidInput(
                f"The bins of {feature} are {json.dumps(parts)}; they should be rising numbers, or lists of choices that stand in one each."
            )
    return given


def edited(feature: str, choices: Sequence[str], given: list[Any]) -> Bins:
    """Return bins as given; raises InvalidInput where numbers are given for choices, or a choice is none of the feature's."""
    if given and isinstance(given[0], list) != bool(choices):
        raise InvalidInput(f"The bins of {feature} are parted by {'choices, not numbers' if choices else 'numbers, not choices'}.")
    strange = {choice for group in given for choice in group} - {*choices, OTHER} if choices else set()
    if strange:
        raise InvalidInput(f"The bins of {feature} name {min(strange)!r}; its choices are {', '.join((*choices, OTHER))}.")
    if choices:
        return Bins(feature, tuple(choices), groups=tuple(tuple(group) for group in given))
    return Bins(feature, edges=tuple(float(edge) for edge in given))


def _are_edges(parts: Any) -> bool:
    if not isinstance(parts, list) or not all(isinstance(edge, int | float) and np.isfinite(edge) for edge in parts):
        return False
    return all(low < high for low, high in pairwise(parts))


def _are_groups(parts: Any) -> bool:
    if not isinstance(parts, list) or not all(isinstance(group, list) and all(isinstance(one, str) for one in group) for group in parts):
        return False
    named = [choice for group in parts for choice in group]
    return len(named) == len(set(named)) and all(parts)
