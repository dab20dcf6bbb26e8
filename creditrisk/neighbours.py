"""Similar applicants and how they turned out: nearest by what the model made of each figure, among those it never learned from.

Near means that the same figures weigh alike, not that the figures are equal: two incomes that the model treats the same are the same.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from pandas import DataFrame, Series, isna, to_datetime

from creditrisk import registry
from creditrisk.metrics import wilson
from creditrisk.pipeline import Pipeline
from creditrisk.scoring import Prediction
from creditrisk.store import Store

MOST, LEAST = 50, 10
SHARE = 0.1  # of the test applicants at most are neighbours: of few applicants the fiftieth is no neighbour


@dataclass(frozen=True)
class Company:
    """The applicants most like one, nearest first, and what became of them.

    `nearest`: applicant_id, pd, distance (log-odds), bad (None where nobody knows). `n` of them have an answer, `n_bad` a bad one;
    low and high are the 95 % interval (Wilson). `share_all` is the share of bad among all `n_all` applicants they were taken from.
    `is_observed` says that the answers are outcomes or verdicts, not a proxy label.
    """

    nearest: DataFrame
    n: int
    n_bad: int
    low: float
    high: float
    n_all: int
    share_all: float
    is_observed: bool

    @property
    def share(self) -> float:
        """The share of bad among those with an answer."""
        return self.n_bad / self.n if self.n else float("nan")


def of(store: Store, prediction: Prediction, pipeline: Pipeline) -> Company:
    """Return the company of a kept prediction among its model's test applicants; `pipeline` is the prediction's model.

    Observed outcomes count where half of the neighbours have one; else the label the model was measured on. Raises TamperedArtefact
    where a table of the model is missing.
    """
    parts = registry.table(store, prediction.model_id, "contributions")
    test = registry.table(store, prediction.model_id, "test")
    names = [name for name in parts.columns if name not in ("applicant_id", "base")]
    shift = pipeline.references[prediction.baseline].contribution
    mine = np.array([prediction.contributions[name] + shift[name] for name in names])
    distance = np.sqrt(((parts[names].to_numpy(float) - mine) ** 2).sum(axis=1))
    distance[(test["applicant_id"] == prediction.applicant_id).to_numpy()] = np.inf
    n = min(MOST, max(LEAST, round(SHARE * len(test))), int(np.isfinite(distance).sum()))
    near = np.argsort(distance, kind="stable")[:n]
    observed = _observed(store, test)
    is_observed = bool(observed[near].notna().mean() >= 0.5) if n else False
    bad = observed if is_observed else test["bad"].astype(object).where(test["bad"].notna(), None)
    rows = test[["applicant_id", "pd"]].assign(distance=distance, bad=bad).iloc[near].reset_index(drop=True)
    answers = rows["bad"].dropna().astype(bool)
    low, high = wilson(int(answers.sum()), len(answers))
    everybody = bad.dropna().astype(float)
    share_all = float(everybody.mean()) if len(everybody) else float("nan")
    return Company(rows, len(answers), int(answers.sum()), low, high, len(everybody), share_all, is_observed or not prediction.is_proxy)


def _observed(store: Store, test: DataFrame) -> "Series[Any]":
    """Return what was observed of each test applicant after the day their figures describe; None where nothing was."""
    known = {name: (bad, on) for name, bad, on in store.rows("select applicant_id, observed_bad, observed_on from outcome_current")}
    days = [None if isna(day) else to_datetime(day).date() for day in test["as_of"]]
    found = [_after(known.get(name), day) for name, day in zip(test["applicant_id"], days, strict=True)]
    return Series(found, index=test.index, dtype=object)


def _after(known: tuple[bool, date | None] | None, as_of: date | None) -> bool | None:
    if known is None:
        return None
    bad, on = known
    return None if on is not None and as_of is not None and on <= as_of else bad
