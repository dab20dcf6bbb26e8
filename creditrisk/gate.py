"""What must be true before a model may score: a gate that fails closed, and a person who is not the one who trained it.

A challenger is held against the champion on applicants whose outcome is verified (observed or reviewed) and from whom neither
has learned. Each condition is a value, a limit and a sentence; whatever is not surely met, NaN included, is a refusal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, concat

from creditrisk import features, labels, metrics, policy, quality, registry, stability
from creditrisk.errors import NotAllowed
from creditrisk.estimators import inverse_logit
from creditrisk.people import same
from creditrisk.quality import Gate, gate
from creditrisk.store import Store

Floats = NDArray[np.float64]
LEAST, LEAST_BAD = 30, 10  # verified applicants, and bad ones among them, below which nothing is compared
AUC_LOSS, BRIER_LOSS = 0.01, 0.0
SLOPE = (0.8, 1.2)
MOST_PSI = 0.25
FOUR_FIFTHS, RATIO_LOSS = 0.8, 0.02
BOOTSTRAPS, SEED = 500, 7


@dataclass(frozen=True)
class Judgement:
    """A challenger beside the champion: gates {name, value, threshold, passed, sentence}, and who would change sides.

    `swaps` has one row per pair of sides: champion, challenger ('approve'/'decline'), n, n_bad, share_bad of the verified among them.
    """

    model_id: str
    champion_id: str | None
    n: int
    n_bad: int
    gates: list[Gate]
    swaps: DataFrame

    @property
    def passed(self) -> bool:
        """Whether nothing stands against the promotion."""
        return all(each["passed"] for each in self.gates)

    @property
    def refusal(self) -> str:
        """The sentences of the conditions that are not met."""
        return " ".join(each["sentence"] for each in self.gates if not each["passed"])


def judge(store: Store, model_id: str) -> Judgement:
    """Hold a model against the present champion; against nothing where there is none. Raises UnknownThing, TamperedArtefact."""
    challenger, champion = registry.get(store, model_id), registry.champion(store)
    if champion is None or champion["model_id"] == model_id:
        return Judgement(model_id, None, 0, 0, [], _no_swaps())
    return compare(store, challenger, champion)


def compare(store: Store, challenger: Mapping[str, Any], champion: Mapping[str, Any]) -> Judgement:
    """Hold one registered model against another on the verified applicants from whom neither has learned."""
    snapshot_id = challenger["snapshot_id"] or features.latest_snapshot(store) or 0  # one that came from elsewhere has none here
    everyone = features.table(store, snapshot_id)
    table, verified = holdout(store, snapshot_id, challenger, champion)
    ours, theirs = (chances_of(store, model["model_id"], everyone) for model in (challenger, champion))
    place = everyone.reset_index().set_index("applicant_id")["index"].loc[table["applicant_id"]].to_numpy(int)
    bad = verified.to_numpy(float)
    n, n_bad = len(bad), int(bad.sum())
    closer = paired(metrics.brier, bad, ours[place], theirs[place])
    gates = [
        gate("verified", n, LEAST, n >= LEAST, f"{n} applicants with a verified outcome taught neither model; at least {LEAST} are asked."),
        gate(
            "verified bad",
            n_bad,
            LEAST_BAD,
            min(n_bad, n - n_bad) >= LEAST_BAD,
            f"{n_bad} of them went bad and {n - n_bad} did not; at least {LEAST_BAD} of each are asked.",
        ),
        *_accuracy(bad, ours[place], theirs[place], closer),
        _drift(ours, theirs, is_surely_closer=closer[2] < 0),
        *_fairness(store, everyone, ours, theirs),
    ]
    outcome = np.full(len(everyone), np.nan)
    outcome[place] = bad
    swaps = _swaps(ours, theirs, policy.cutoff(store.settings.policy), outcome)
    return Judgement(challenger["model_id"], champion["model_id"], n, n_bad, gates, swaps)


def promote(store: Store, model_id: str, *, user: str, reason: str) -> Judgement:
    """Make a model the champion in a person's name, once nothing stands against it; returns what it was judged by.

    Raises NotAllowed with the conditions that are not met, and for the person who trained it where others work here too.
    """
    store.require(user, "promote", model_id)
    registry.require_reason(reason, f"Promoting {model_id}")
    if (said := registry.hindrance(store, model_id) or own_work(store, model_id, user=user)) is not None:
        raise NotAllowed(said)
    judged = judge(store, model_id)
    if not judged.passed:
        raise NotAllowed(f"{model_id} may not take the place of {judged.champion_id}. {judged.refusal}")
    registry.promote(store, model_id, user=user, reason=reason)
    return judged


def own_work(store: Store, model_id: str, *, user: str) -> str | None:
    """Return why somebody else has to promote a model, in a sentence: its trainer does not where others work here too; else None."""
    trainer = registry.get(store, model_id)["created_by"]
    others = registry.others(store, trainer)
    if not same(trainer, user) or not others:
        return None
    return f"{user} trained {model_id}, and {others[0]} works here too: whoever trained a model does not promote it. Ask somebody else to."


def holdout(store: Store, snapshot_id: int, *models: Mapping[str, Any]) -> tuple[DataFrame, Any]:
    """Return the verified applicants (applicant_id, bad) of a snapshot from whom none of the models learned."""
    found = labels.by_source(store, snapshot_id)
    known = concat([found["observed"], found["review"]]).drop_duplicates("applicant_id")  # what happened outweighs what was thought
    for model in models:
        known = known[~known["applicant_id"].isin(learned_from(store, model))]
    kept = known.sort_values("applicant_id", ignore_index=True)
    return kept, kept["bad"]


def learned_from(store: Store, model: Mapping[str, Any], *, verified: bool = False) -> set[str]:
    """Return the applicants a model learned from; with `verified` those only whose label somebody or something had verified."""
    members = labels.members(store, model["label_set_id"])
    taught = members["bad"].notna() & ~(members["source"].isin(labels.PROXIES) & verified)
    return set(members[taught]["applicant_id"]) - set(registry.table(store, model["model_id"], "test")["applicant_id"])


def chances_of(store: Store, model_id: str, table: DataFrame) -> Floats:
    found: Floats = inverse_logit(registry.load(store, model_id).margin(table))
    return found


def _accuracy(bad: Floats, ours: Floats, theirs: Floats, squared: tuple[float, float, float]) -> list[Gate]:
    """Return the gates that need outcomes; where a class is missing their figures are NaN, and they refuse."""
    ranked = paired(metrics.auc, bad, ours, theirs)
    slope = metrics.calibration(bad, ours).slope if 0 < bad.sum() < len(bad) else float("nan")
    low, high = SLOPE
    return [
        gate(
            "ranks as well",
            ranked[0],
            -AUC_LOSS,
            ranked[0] >= -AUC_LOSS and ranked[2] >= 0,
            f"Its AUC differs from the champion's by {_difference(ranked, 3)}; it may lose at most {AUC_LOSS}, and not surely.",
        ),
        gate(
            "as close to what happens",
            squared[0],
            BRIER_LOSS,
            squared[0] <= BRIER_LOSS or (squared[1] <= 0 <= squared[2] and squared[0] <= 0.005),
            f"Its Brier score differs by {_difference(squared, 4)}; less is better, and a difference of more than 0.005, or one that is "
            "surely worse, refuses.",
        ),
        gate(
            "calibrated",
            slope,
            low,
            low <= slope <= high,
            f"Its calibration slope is {_figure(slope)}; between {low} and {high} is asked (below: too bold, above: too timid).",
        ),
    ]


def paired(metric: Any, bad: Floats, ours: Floats, theirs: Floats) -> tuple[float, float, float]:
    """Return ours minus theirs and its 95 % interval over resamples within good and within bad, the same for both; NaN for one class."""
    if not 0 < bad.sum() < len(bad):
        return (float("nan"),) * 3
    random = np.random.default_rng(SEED)
    groups = [np.flatnonzero(bad == value) for value in (0, 1)]
    found = []
    for _ in range(BOOTSTRAPS):
        rows = np.concatenate([random.choice(group, len(group)) for group in groups])
        found.append(metric(bad[rows], ours[rows]) - metric(bad[rows], theirs[rows]))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(metric(bad, ours) - metric(bad, theirs)), float(low), float(high)


def _figure(value: float) -> str:
    return "unknown" if np.isnan(value) else f"{value:.2f}"


def _difference(found: tuple[float, float, float], digits: int) -> str:
    value, low, high = (f"{each:+.{digits}f}".replace("-", "−") for each in found)
    return "an unknown amount" if np.isnan(found[0]) else f"{value} (95 % interval {low} to {high})"


def _drift(ours: Floats, theirs: Floats, *, is_surely_closer: bool) -> Gate:
    """Ask for scores that keep their meaning; where they move because they are surely closer to what happens, they gain one."""
    value = stability.psi(theirs, ours)
    said = f"The PSI of its scores against the champion's, over {len(ours):,} applicants, is {value:.2f}; at most {MOST_PSI} is asked, "
    said += "so that cut-offs and bands keep their meaning, unless its Brier score is surely better"
    moved = ", which it is" if is_surely_closer else ""
    passed = value <= MOST_PSI or (is_surely_closer and value > MOST_PSI)
    return gate("scores alike", value, MOST_PSI, passed, f"{said}{moved}.")


def _fairness(store: Store, table: DataFrame, ours: Floats, theirs: Floats) -> list[Gate]:
    """Return one gate per protected column: the approval rate of the group worst off, as a share of the best, is not worse than it was."""
    cutoff, gates = policy.cutoff(store.settings.policy), []
    for feature in (each for each in store.schema if each.role == "protected"):
        groups, _ = quality.groups_of(feature, table[feature.name])
        before, after = (_impact(groups, chances < cutoff) for chances in (theirs, ours))
        said = f"{feature.title}: approvals of the group worst off are {_figure(after)} of those of the best (now {_figure(before)})"
        gates.append(
            gate(
                f"fair by {feature.title.lower()}",
                after,
                FOUR_FIFTHS,
                after >= FOUR_FIFTHS or after >= before - RATIO_LOSS,
                f"{said}; at least {FOUR_FIFTHS} is asked, or no worse than now.",
            )
        )
    return gates


def _impact(groups: Any, approved: NDArray[np.bool_]) -> float:
    """Return the lowest approval rate of a group as a share of the highest; groups of fewer than `LEAST` are too small to tell."""
    counts = groups.value_counts()
    rates = [float(approved[(groups == name).to_numpy()].mean()) for name in counts[counts >= LEAST].index]
    return min(rates) / max(rates) if len(rates) > 1 and max(rates) > 0 else float("nan")


def _swaps(ours: Floats, theirs: Floats, cutoff: float, outcome: Floats) -> DataFrame:
    sides = np.array(["approve", "decline"])
    champion, challenger = sides[(theirs >= cutoff).astype(int)], sides[(ours >= cutoff).astype(int)]
    grouped = DataFrame({"champion": champion, "challenger": challenger, "bad": outcome}).groupby(["champion", "challenger"])["bad"]
    counted = grouped.agg(n="size", n_verified="count", n_bad="sum").reset_index()
    return counted.assign(share_bad=counted["n_bad"] / counted["n_verified"])


def _no_swaps() -> DataFrame:
    return DataFrame(columns=["champion", "challenger", "n", "n_verified", "n_bad", "share_bad"])
