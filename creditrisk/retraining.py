"""What feedback is worth here: when another training is proposed, what one has changed, and how one version follows another.

Everything is measured on people nobody learned from, with intervals. Nothing starts a training or promotes a model: a person does.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from creditrisk import features, gate, labels, metrics, plan, registry, stability, standing
from creditrisk.errors import InvalidInput, SchemaMismatch
from creditrisk.store import Store

Floats = NDArray[np.float64]
NAN = float("nan")
Z = 1.959963984540054  # standard deviations on either side of a 95 % interval
LEAST = 20  # cases drawn at random below which nothing is said of a version
MEASURES = (("auc", metrics.auc, 1), ("ks", metrics.ks, 1), ("brier", metrics.brier, -1), ("log_loss", metrics.log_loss, -1))
BOOTSTRAPS, SEED = 500, 7


# --- when to train again ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Proposal:
    """Whether another training is proposed, and why, in a sentence; `psi` says how far the champion's scores have moved since."""

    is_due: bool
    sentence: str
    n_new: int
    psi: float


def proposal(store: Store) -> Proposal | None:
    """Propose a training where enough verdicts on labels were accepted since the champion learned, or its scores have moved.

    Returns None without a champion: then there is nothing to train again. A person starts it.
    """
    champion = registry.champion(store)
    if champion is None:
        return None
    asked = store.settings.training
    n_new = int(
        store.value(
            """select count(distinct applicant_id) from verdict
            where status = 'accepted' and about = 'label' and verdict in ('correct', 'incorrect') and inspected_at > coalesce(
                (select created_at from label_set where label_set_id = $labels), $trained)""",
            labels=champion["label_set_id"],
            trained=champion["created_at"],
        )
    )
    before = registry.table(store, champion["model_id"], "test")["pd"].to_numpy(float)
    now = store.read("select pd from prediction_current where model_id = $id", id=champion["model_id"])["pd"].to_numpy(float)
    psi, chance = stability.psi(before, now), stability.psi_critical(len(before), len(now))
    has_moved = psi > max(asked.propose_psi, chance)
    enough = n_new >= asked.propose_after
    name = champion["model_id"]
    said = f"{n_new:,} applicants were judged and the verdicts accepted since {name} learned"
    said += (
        f" ({asked.propose_after} are asked): another training is worth starting."
        if enough
        else f"; from {asked.propose_after} on another training is proposed."
    )
    if has_moved:
        said += f" The scores it gives have moved: PSI {psi:.2f}, above {asked.propose_psi:.2f} and beyond chance for {len(now):,} scores."
    return Proposal(enough or has_moved, said, n_new, psi)


# --- what one has changed ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """One model after another on the `n` verified people from whom neither learned.

    `figures` has one row per measure: measure, before, before_low, before_high, after, after_low, after_high, better (after against
    before, + is better), low, high, finding ('better', 'worse' or 'within chance'). All intervals 95 %, from the same resamples.
    """

    before: str
    after: str
    n: int
    n_bad: int
    n_verdicts: int
    figures: DataFrame
    proxies: str | None = None  # what all proxies weighed beside them, in a sentence


def changed(store: Store, after: str, before: str) -> Change:
    """Measure two models on the frozen holdout of reviewed and observed labels. Raises UnknownThing, TamperedArtefact, SchemaMismatch,
    InvalidInput for a model and itself."""
    if after == before:
        raise InvalidInput(f"{after} is compared with another model, not with itself.")
    models = registry.get(store, after), registry.get(store, before)
    for model in models:
        if model["schema_fingerprint"] != store.schema.fingerprint:
            raise SchemaMismatch(f"{model['model_id']} was made for another schema than this workspace has, so it cannot be asked here.")
    snapshot_id = models[0]["snapshot_id"] or features.latest_snapshot(store) or 0
    table, bad = gate.holdout(store, snapshot_id, *models)
    rows = features.table(store, snapshot_id).set_index("applicant_id").loc[table["applicant_id"]].reset_index()
    outcome = bad.to_numpy(float)
    ours, theirs = (gate.chances_of(store, name, rows) if len(rows) else np.zeros(0) for name in (after, before))
    report = labels.get(store, models[0]["label_set_id"]).report
    n_verdicts = int(report.get("by_source", {}).get("review", 0))
    figures = _figures(outcome, ours, theirs)
    return Change(before, after, len(outcome), int(outcome.sum()), n_verdicts, figures, report.get("proxy_said"))


def _figures(bad: Floats, ours: Floats, theirs: Floats) -> DataFrame:
    """Return each measure of both and their difference over resamples within good and within bad; no rows with one class."""
    columns = ["measure", "before", "before_low", "before_high", "after", "after_low", "after_high", "better", "low", "high", "finding"]
    if not 0 < bad.sum() < len(bad):
        return DataFrame(columns=columns)
    random = np.random.default_rng(SEED)
    groups = [np.flatnonzero(bad == value) for value in (0, 1)]
    draws = [np.concatenate([random.choice(group, len(group)) for group in groups]) for _ in range(BOOTSTRAPS)]
    rows = []
    for name, metric, sign in MEASURES:
        value = np.array([metric(bad, theirs), metric(bad, ours)])
        found = np.array([[metric(bad[rows], theirs[rows]), metric(bad[rows], ours[rows])] for rows in draws])
        ends = np.quantile(found, [0.025, 0.975], axis=0)
        low, high = np.quantile(sign * (found[:, 1] - found[:, 0]), [0.025, 0.975])
        finding = "better" if low > 0 else "worse" if high < 0 else "within chance"
        both = [figure for place in (0, 1) for figure in (value[place], *ends[:, place])]
        rows.append((name, *both, sign * (value[1] - value[0]), low, high, finding))
    return DataFrame(rows, columns=columns)


# --- version by version -----------------------------------------------------------------------------------------------


def versions(store: Store) -> DataFrame:
    """Return one row per model that was ever champion or challenger, in the order in which it first was.

    Columns: model_id, algorithm, status, since; n_verdicts and n_outcomes that it learned from; n, n_bad; auc, brier and calibration
    (share gone bad less what was promised), each with _low and _high; n_judged; share_incorrect with _low and _high.
    Measured is on cases drawn at random whose verdict was accepted, but those whose verified label taught it (a proxy of theirs may
    have); missing for fewer than LEAST. The share incorrect is of the verdicts on its own predictions that were drawn at random.
    """
    stood = store.read(
        """select model_id, algorithm, status, min(happened_at) as since, label_set_id, schema_fingerprint
        from model_current join (select model_id, happened_at from model_event where status in ('champion', 'challenger')) using (model_id)
        group by all order by since, model_id"""
    )
    cases, inputs = _drawn_at_random(store)
    wrong = {
        name: (n, incorrect)
        for name, n, incorrect in store.rows(
            """select model_id, count(*), count(*) filter (where verdict = 'incorrect') from verdict
            where slot = 'random' and verdict <> 'cannot judge' group by model_id"""
        )
    }
    return DataFrame(
        [_version(store, {str(key): value for key, value in row.items()}, cases, inputs, wrong) for row in stood.to_dict("records")],
        columns=list(_version(store, NOBODY, cases, inputs, wrong)),
    )


NOBODY: Mapping[str, Any] = dict.fromkeys(("model_id", "algorithm", "status", "since", "label_set_id", "schema_fingerprint"))


def _drawn_at_random(store: Store) -> tuple[DataFrame, DataFrame]:
    """Return the verified cases of the random slice (applicant_id, bad), and the values that were judged."""
    rows = store.read(
        """select applicant_id, prediction.inputs, prediction.schema_fingerprint from verdict
        join prediction using (prediction_id, applicant_id)
        where slot = 'random' and about = 'label' and status = 'accepted' and verdict in ('correct', 'incorrect')
        qualify row_number() over (partition by applicant_id order by reviewed_at desc) = 1
        order by applicant_id"""
    )
    known = rows[rows["schema_fingerprint"] == store.schema.fingerprint].merge(labels.judged(store), on="applicant_id")
    values = DataFrame([json.loads(text) for text in known["inputs"]], columns=[feature.name for feature in store.schema])
    return known[["applicant_id", "bad"]].reset_index(drop=True), values


def _version(
    store: Store, model: Mapping[str, Any], cases: DataFrame, inputs: DataFrame, wrong: Mapping[str, tuple[int, int]]
) -> dict[str, Any]:
    """Measure one version on the cases of the random slice whose verified label did not teach it."""
    counts: Mapping[str, int] = {}
    bad, chances = np.zeros(0), np.zeros(0)
    if model["model_id"] is not None:
        learned = labels.get(store, model["label_set_id"])
        counts = learned.report.get("by_source", {learned.source: learned.n})
        if model["schema_fingerprint"] == store.schema.fingerprint and len(cases):
            taught = gate.learned_from(store, registry.get(store, model["model_id"]), verified=True)
            new = ~cases["applicant_id"].isin(taught).to_numpy(bool)
            bad = cases["bad"].to_numpy(float)[new]
            chances = gate.chances_of(store, model["model_id"], inputs[new]) if new.any() else chances
    n, incorrect = wrong.get(model["model_id"], (0, 0))
    return {
        **{name: model[name] for name in ("model_id", "algorithm", "status", "since")},
        "n_verdicts": int(counts.get("review", 0)),
        "n_outcomes": int(counts.get("observed", 0)),
        "n": len(bad),
        "n_bad": int(bad.sum()),
        **_with_ends("auc", metrics.auc(bad, chances), metrics.auc_error(bad, chances) if len(bad) >= LEAST else NAN, 0.0, 1.0),
        **_mean_with_ends("brier", (bad - chances) ** 2),
        **_mean_with_ends("calibration", bad - chances),
        "n_judged": n,
        "share_incorrect": incorrect / n if n else NAN,
        **dict(zip(("share_incorrect_low", "share_incorrect_high"), metrics.wilson(incorrect, n), strict=True)),
    }


def _with_ends(name: str, value: float, error: float, least: float = -np.inf, most: float = np.inf) -> dict[str, float]:
    """Return a figure with the ends of its interval; one without an error is not known."""
    shown = value if error == error else NAN  # noqa: PLR0124
    return {name: shown, f"{name}_low": max(shown - Z * error, least), f"{name}_high": min(shown + Z * error, most)}


def _mean_with_ends(name: str, values: Floats) -> dict[str, float]:
    n = len(values)
    return _with_ends(name, float(values.mean()) if n else NAN, float(values.std(ddof=1)) / sqrt(n) if n >= LEAST else NAN)


def latest(store: Store) -> tuple[str, str] | None:
    """Return which model came after which last: of those trained since the champion stood, on the newest labels, the best by its folds
    after the champion; else the champion after the former one; None where nothing came after anything."""
    champion, former = registry.champion(store), registry.former(store)
    board = standing.leaderboard(store)
    if champion is None or board.empty:
        return None
    later = board[~board["algorithm"].isin(plan.BASELINES) & (board["created_at"] > champion["status_at"])]
    if len(later):
        newest = later[later["label_set_id"] == later["label_set_id"].max()].sort_values(["cv_auc", "model_id"], ascending=[False, True])
        return str(newest["model_id"].iloc[0]), str(champion["model_id"])
    return (str(champion["model_id"]), former) if former else None
