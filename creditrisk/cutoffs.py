"""What a cut-off does: whom it declines, what that catches, what it costs. One table over all cut-offs moves every figure together.

A cut-off is chosen on validation rows and its consequences are told on test rows: never both on the same ones. Declined is
p >= cutoff. Profit is what the approved bring, per unit asked for: `margin` for each good one, less `lgd` for each bad one.
"""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pandas import DataFrame

from creditrisk import metrics
from creditrisk.errors import InvalidInput, NotEnoughData

Numbers = NDArray[np.float64]
Rule = Literal["policy", "profit", "recall", "approval"]
STEPS = 200  # rows of a table at most: as many as a slider has places
RECALL, APPROVAL = 0.96, 0.80  # what is told of every model without being asked


def consequences(
    bad: ArrayLike, p: ArrayLike, cutoff: float, *, margin: float, lgd: float, weight: ArrayLike | None = None
) -> dict[str, Any]:
    """Return what declining from `cutoff` on would have done to these rows.

    Keys: cutoff, n, n_bad, the confusion matrix (true_bad, false_bad, true_good, false_good: sums of weights), recall, precision,
    specificity, share_approved, bad_among_approved, profit (in sum) and profit_each (over all rows, approved or not).

    >>> cells = consequences([0, 0, 1, 1], [0.1, 0.6, 0.6, 0.2], 0.5, margin=0.1, lgd=0.5)
    >>> cells["true_bad"], cells["share_approved"], cells["bad_among_approved"], cells["profit"]
    (1.0, 0.5, 0.5, -0.4)
    """
    row = _consequences(np.array([cutoff]), bad, p, (margin, lgd), weight).iloc[0]
    return {str(name): float(value) for name, value in row.items()}


def table(
    bad: ArrayLike,
    p: ArrayLike,
    *,
    margin: float,
    lgd: float,
    weight: ArrayLike | None = None,
    steps: int = STEPS,
    at: ArrayLike | None = None,
) -> DataFrame:
    """Return the consequences of at most `steps` cut-offs, lowest first: the columns of `consequences`, a row each.

    The first declines everybody and the last, above every p, nobody; those between part the rows into equal shares. Or of the
    cut-offs `at`, chosen on other rows.
    """
    if at is not None:
        return _consequences(np.asarray(at, dtype=np.float64), bad, p, (margin, lgd), weight)
    values = np.sort(np.asarray(p, dtype=np.float64))
    places = np.unique(np.linspace(0, len(values) - 1, steps - 1).round().astype(np.intp)) if len(values) else np.zeros(0, dtype=np.intp)
    return _consequences(_with_nobody(np.unique(values[places])), bad, p, (margin, lgd), weight)


def choose(rule: Rule, bad: ArrayLike, p: ArrayLike, *, margin: float, lgd: float, target: float | None = None) -> float:
    """Return the cut-off a rule chooses on validation rows.

    'policy' is margin / (margin + lgd), whatever the rows say; 'profit' the one that would have earned most on them; 'recall' the
    highest that still catches the share `target` of the bad; 'approval' the one that approves the share `target`, ties declined.
    Raises NotEnoughData without rows of both kinds, InvalidInput for a target that is no share.
    """
    if rule == "policy":
        return margin / (margin + lgd)
    labels, values = np.asarray(bad, dtype=np.float64), np.asarray(p, dtype=np.float64)
    if np.isnan(values).any() or not 0 < labels.sum() < len(labels):
        raise NotEnoughData("A cut-off is chosen on applicants of both kinds, good and bad, each with a probability.")
    if rule == "profit":
        every = _with_nobody(np.unique(values))
        return float(every[int(_consequences(every, labels, values, (margin, lgd), None)["profit"].to_numpy().argmax())])
    if target is None or not 0 < target <= 1:
        raise InvalidInput(f"A target is a share above 0 and up to 1, like 0.96; not {target}.")
    if rule == "recall":
        risky = np.sort(values[labels == 1])[::-1]
        return float(risky[int(np.ceil(round(target * len(risky), 9))) - 1])
    return float(_with_nobody(np.sort(values))[round(target * len(values))])


def told(
    validation: tuple[ArrayLike, ArrayLike],
    test: tuple[ArrayLike, ArrayLike],
    *,
    margin: float,
    lgd: float,
    recall: float = RECALL,
    approval: float = APPROVAL,
) -> list[dict[str, Any]]:
    """Return each rule with the cut-off chosen on `validation` (bad, p), and its consequences there and on `test`.

    Keys: rule, target, cutoff, validation, test, sentence (of the test rows).
    """
    terms = {"margin": margin, "lgd": lgd}
    asked: tuple[tuple[Rule, float | None], ...] = (("policy", None), ("profit", None), ("recall", recall), ("approval", approval))
    found = []
    for rule, target in asked:
        cutoff = choose(rule, *validation, target=target, **terms)
        there, here = (consequences(*rows, cutoff, **terms) for rows in (validation, test))
        line = {"rule": rule, "target": target, "cutoff": cutoff, "validation": there, "test": here}
        found.append(line | {"sentence": sentence(line), "report": metrics.classification(*test, cutoff)})
    return found


def sentence(line: Mapping[str, Any]) -> str:
    """Say what a chosen cut-off does to the test rows."""
    aims = {
        "policy": "The policy's cut-off",
        "profit": "The cut-off that earned most on the validation rows",
        "recall": f"Catching {_percent(line['target'])} of the bad on the validation rows",
        "approval": f"Approving {_percent(line['target'])} on the validation rows",
    }
    here = line["test"]
    return (
        f"{aims[line['rule']]} declines from {_percent(line['cutoff'])} on: of the test applicants it approves "
        f"{_percent(here['share_approved'])}, {_percent(here['bad_among_approved'])} of those bad, catches "
        f"{_percent(here['recall'])} of the bad, turns away {_percent(1 - here['specificity'])} of the good, and earns "
        f"{100 * here['profit_each']:.2f} per 100 asked for."
    )


def _percent(share: float | None) -> str:
    return "an unknown share" if share is None or np.isnan(share) else f"{100 * share:.1f} %"


def _with_nobody(values: Numbers) -> Numbers:
    """Add a cut-off above every value: one that declines nobody."""
    return np.append(values, np.nextafter(values[-1], np.inf)) if len(values) else values


def _consequences(cutoffs: Numbers, bad: ArrayLike, p: ArrayLike, terms: tuple[float, float], weight: ArrayLike | None) -> DataFrame:
    labels, values = np.asarray(bad, dtype=np.float64), np.asarray(p, dtype=np.float64)
    weights = np.ones(len(labels)) if weight is None else np.asarray(weight, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    labels, values, weights = labels[order], values[order], weights[order]
    approved_rows = np.searchsorted(values, cutoffs, side="left")
    sums = [np.append(0.0, np.cumsum(weights * (labels == kind))) for kind in (0, 1)]
    passed, missed = (total[approved_rows] for total in sums)
    alarm, hit = (total[-1] - total[approved_rows] for total in sums)
    margin, lgd = terms
    approved, everyone, profit = passed + missed, passed + missed + alarm + hit, margin * passed - lgd * missed
    return DataFrame(
        {
            "cutoff": cutoffs,
            "n": everyone,
            "n_bad": missed + hit,
            "true_bad": hit,
            "false_bad": alarm,
            "true_good": passed,
            "false_good": missed,
            "recall": _share(hit, hit + missed),
            "precision": _share(hit, hit + alarm),
            "specificity": _share(passed, passed + alarm),
            "share_approved": _share(approved, everyone),
            "bad_among_approved": _share(missed, approved),
            "profit": profit,
            "profit_each": _share(profit, everyone),
        }
    )


def _share(part: Numbers, whole: Numbers) -> Numbers:
    return np.asarray(np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0), dtype=np.float64)
