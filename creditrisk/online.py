"""The online challenger: a logistic regression that learns from one accepted verdict after the other, by stochastic gradient descent.

It begins as the plain risk index, foretells each case before it learns from it, and appends its weights after every step. It stands
in no registry, so nothing can make it score; whoever is kept for the tests of trainings teaches it nothing either.
"""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from creditrisk import features, index, labels, split
from creditrisk.errors import NothingYet
from creditrisk.estimators import inverse_logit, logit
from creditrisk.schema import Feature, Schema
from creditrisk.store import Store, now

Floats = NDArray[np.float64]
RATE, PRIOR = 0.05, 0.01  # the step of a gradient, and how strongly weights are drawn back to nothing (L2)
CONSTANT = ""  # the name of the constant among the weights
BURN_IN = 10  # steps below which an average of foretellings has no interval worth drawing
SAYS = ("the other way", "more", "less", "as at first")  # what came of a weight: that more of it means less risk, …
STEADY = 20  # last steps over which a weight's wandering is told
RATE_AT_FIRST = 0.1  # the share of bad it takes for granted before anybody said anything


def learn(store: Store, *, user: str) -> int:
    """Learn from the accepted verdicts on labels that have not taught it yet, in the order of their inspection; returns how many.

    Raises NothingYet while there is none, or no features to compare values with.
    """
    lessons = _new(store)
    if lessons.empty:
        raise NothingYet("No accepted verdict on a label is left to learn from: judge cases, and have somebody inspect the verdicts.")
    learner = _Learner(store)
    rows = [learner.step(lesson) for lesson in lessons.to_dict("records")]
    facts = {"learned_at": now(), "learned_by": str(user).strip()}
    with store.write(user, "learn", f"{len(rows)} verdicts", n=len(rows)) as cursor:
        cursor.executemany(
            """insert into lesson_online (applicant_id, prediction_id, model_id, bad, pd, champion_pd, snapshot_id, weights, learned_at,
                learned_by)
            values ($applicant_id, $prediction_id, $model_id, $bad, $pd, $champion_pd, $snapshot_id, $weights, $learned_at, $learned_by)""",
            [{**row, **facts} for row in rows],
        )
    return len(rows)


def waiting(store: Store) -> int:
    """Return how many accepted verdicts have not taught it yet."""
    return len(_new(store))


def _new(store: Store) -> DataFrame:
    """Return the verdicts to learn from: applicant_id, prediction_id, model_id, inputs, pd (said live), bad; in the order of inspection."""
    rows = store.read(
        """select applicant_id, prediction_id, prediction.model_id, prediction.inputs, prediction.pd
        from verdict
        join prediction using (prediction_id, applicant_id)
        where status = 'accepted' and about = 'label' and verdict in ('correct', 'incorrect')
            and prediction.schema_fingerprint = $fingerprint
            and applicant_id not in (select applicant_id from lesson_online)
        qualify row_number() over (partition by applicant_id order by inspected_at, reviewed_at) = 1
        order by inspected_at, reviewed_at, applicant_id""",
        fingerprint=store.schema.fingerprint,
    )
    asked = store.settings.training
    teaches = rows[~split.held_out(rows["applicant_id"], asked.test_size, asked.seed)]
    return teaches.merge(labels.judged(store), on="applicant_id")


class _Learner:
    """The model as it stands after the last step kept, and one step further with each lesson."""

    def __init__(self, store: Store):
        from sklearn.linear_model import SGDClassifier

        last = store.record("select snapshot_id, weights from lesson_online order by step desc limit 1")
        found = last["snapshot_id"] if last else features.latest_snapshot(store)
        if found is None:
            raise NothingYet("There are no features yet to compare values with: compute them first.")
        self.snapshot_id = int(found)
        self.read, self.schema = signed(store.schema), store.schema
        self.reference = features.table(store, self.snapshot_id)
        weights = json.loads(last["weights"]) if last else _plain_index(self.read)
        self.model = SGDClassifier(loss="log_loss", penalty="l2", alpha=PRIOR, learning_rate="constant", eta0=RATE, shuffle=False)
        self.model.partial_fit(np.zeros((1, len(self.read))), [0], classes=[0, 1])  # makes room for the weights that follow
        self.model.coef_[:] = [[weights.get(feature.name, 0.0) for feature in self.read]]
        self.model.intercept_[:] = weights[CONSTANT]

    def step(self, lesson: dict[Any, Any]) -> dict[str, Any]:
        """Foretell a case, then learn from it; returns the row to keep."""
        values = DataFrame([json.loads(lesson["inputs"])])
        z = index.signed_z(values, self.read, self.reference).to_numpy(float)
        foretold = float(inverse_logit(z @ self.model.coef_[0] + self.model.intercept_)[0])
        self.model.partial_fit(z, [int(lesson["bad"])])
        weights = dict(zip((feature.name for feature in self.read), self.model.coef_[0].tolist(), strict=True))
        return {
            **{name: lesson[name] for name in ("applicant_id", "prediction_id", "model_id")},
            "bad": bool(lesson["bad"]),
            "pd": foretold,
            "champion_pd": float(lesson["pd"]),
            "snapshot_id": self.snapshot_id,
            "weights": json.dumps({**weights, CONSTANT: float(self.model.intercept_[0])}),
        }


def signed(schema: Schema) -> list[Feature]:
    """Return the predictors it reads: numbers with a declared direction of risk, so that a weight above 0 is the expected one."""
    return [feature for feature in schema.predictors if feature.is_numeric and feature.risk]


def _plain_index(read: list[Feature]) -> dict[str, float]:
    """Return the weights it begins with: one standard deviation of the plain risk index doubles the odds."""
    return {feature.name: float(np.log(2)) / max(len(read), 1) for feature in read} | {CONSTANT: logit(RATE_AT_FIRST)}


def prequential(store: Store) -> DataFrame:
    """Return how well it foretold each case before it learned from it, beside what was said live.

    Columns: step, learned_at, bad, pd, champion_pd, and the mean squared error so far as brier and champion_brier, each with _low and
    _high, and less (brier less champion_brier, on the same cases) with _low and _high: 95 %, missing for the first BURN_IN steps.
    """
    rows = store.read("select step, learned_at, bad, pd, champion_pd from lesson_online order by step")
    bad = rows["bad"].to_numpy(float)
    ours, theirs = (bad - rows["pd"].to_numpy(float)) ** 2, (bad - rows["champion_pd"].to_numpy(float)) ** 2
    return rows.assign(**_so_far("brier", ours), **_so_far("champion_brier", theirs), **_so_far("less", ours - theirs))


def _so_far(name: str, values: Floats) -> dict[str, Floats]:
    """Return the mean of the values up to each, and the ends of its interval."""
    n = np.arange(1, len(values) + 1)
    mean = np.cumsum(values) / n
    variance = np.maximum(np.cumsum(values**2) / n - mean**2, 0.0) * n / np.maximum(n - 1, 1)
    half = np.where(n >= BURN_IN, 1.96 * np.sqrt(variance / n), np.nan)
    return {name: mean, f"{name}_low": mean - half, f"{name}_high": mean + half}


def snapshots(store: Store) -> DataFrame:
    """Return its weights after every step, newest first: step, learned_at, learned_by, and one column per feature ("constant" the last)."""
    rows = store.read("select step, learned_at, learned_by, weights from lesson_online order by step desc")
    weights = [{("constant" if name == CONSTANT else name): value for name, value in json.loads(text).items()} for text in rows["weights"]]
    return rows.drop(columns="weights").join(DataFrame(weights, index=rows.index))


def weighs(store: Store, most: int = 8) -> DataFrame:
    """Return what weighs most with it now, strongest first: feature, title, odds, low, high, began, wanders and says (in words).

    `odds` is what a robust standard deviation towards more risk multiplies the odds of bad by, `began` the same before it learned
    anything. One line of descent has no interval: `low` and `high` are the ends of the last STEADY steps, over which it wanders; `says`
    is one of SAYS, where that is sure.
    """
    found, read = snapshots(store), {feature.name: feature.title for feature in signed(store.schema)}
    names = [name for name in read if name in found]
    last = found[names].head(STEADY)
    if last.empty or not names:
        return DataFrame(columns=["feature", "title", "odds", "low", "high", "began", "wanders", "says"])
    odds, began = np.exp(last.iloc[0]), float(np.exp(_plain_index(signed(store.schema))[names[0]]))
    table = DataFrame({"feature": names, "title": [read[name] for name in names], "odds": odds.to_numpy()})
    table = table.assign(low=np.exp(last.min()).to_numpy(), high=np.exp(last.max()).to_numpy(), began=began)
    table["wanders"] = [f"{low:.2f} to {high:.2f}" for low, high in zip(table["low"], table["high"], strict=True)]
    table["says"] = np.select([table["high"] < 1, table["low"] > began, table["high"] < began], SAYS[:3], SAYS[3])
    strongest = np.argsort(-np.abs(np.log(table["odds"].to_numpy(float))), kind="stable")[:most]
    return table.take(strongest).reset_index(drop=True)
