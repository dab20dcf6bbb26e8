"""Where good and bad come from, and how far they can be believed: proxy labels from K-Means, observed outcomes, verdicts.

A label set is immutable and carries its quality report. A cluster is never called a default: it gives a segment
(0 = safest) and a proxy label. Row order, row names, seed and cluster numbering do not change a label.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, Series

from creditrisk import clusters, features, metrics, pipeline, policy
from creditrisk import store as stores
from creditrisk.clusters import GAP, RULE, SHARE_HIGH, SHARE_LOW, STABLE, Clusters
from creditrisk.errors import InvalidInput, NotEnoughData, NothingYet, UnknownThing
from creditrisk.schema import Feature, Schema
from creditrisk.settings import Policy
from creditrisk.store import Store

Floats = NDArray[np.float64]

PROXIES = ("cluster", "rfm")
MIN_FEATURES = 2  # fewer label features that vary than this are not an index
IN_ORDER = 0.80  # share of the label features that must be worse in the riskiest cluster
VERIFIED, VERIFIED_BAD = 30, 10  # from this many outcomes (and bad ones among them) the label is held against them


@dataclass(frozen=True)
class LabelSet:
    """One immutable set of labels; `share_risky` counts the grey zone in, `report` holds scan, profiles and gates."""

    label_set_id: str
    method: str
    source: str
    snapshot_id: int
    k: int | None
    n: int
    share_risky: float | None
    passed: bool
    circular: bool
    report: dict[str, Any]
    created_at: datetime
    created_by: str

    @property
    def is_proxy(self) -> bool:
        """Whether nobody has verified these labels."""
        return self.source in PROXIES


# --- making label sets ---------------------------------------------------------------------------------------------


def kmeans(
    store: Store, *, user: str, k: int | None = None, snapshot_id: int | None = None, performance_days: int | None = None
) -> LabelSet:
    """Cluster a snapshot's applicants on the schema's index features and call the riskiest cluster bad (by proxy).

    With `performance_days` time is parted in two: label features that look no further back than so many days make the label,
    and predictors come from a snapshot of their own that ends where those days begin. Without, both read the same window,
    and the set is circular. `k` None = the number of clusters is chosen by `RULE`. Applicants who lack more than half of
    the label features, and the grey zone at the border of the riskiest cluster, stay unlabelled (`bad` null).
    Raises NothingYet without a snapshot, NotEnoughData where nothing can be told apart, InvalidInput for a `k` not tried
    or a window no label feature fits.
    """
    snapshot, table = _snapshot(store, snapshot_id)
    declared = _within(store.schema.index_features, performance_days)
    matrix, used, left_out, enough = _label_matrix(table, declared)
    points = matrix[enough]
    chosen, scan = clusters.scan(points, store.settings.labels, k)
    members = _members(table, store.schema, enough, chosen, clusters.grey_zone(points, chosen.centres))
    found = _against_outcomes(store, members, snapshot)
    gates = _cluster_gates(table, members, chosen, used) + _outcome_gates(found)
    shared = [feature.name for feature in used if feature.role == "predictor" and performance_days is None]
    report = {
        "performance_days": performance_days,
        "performance_snapshot_id": None if performance_days is None else snapshot,
        "rule": RULE if k is None else f"The number of clusters, {k}, was asked for by {user}.",
        "scan": [fit.row() for fit in scan],
        "label_features": [feature.name for feature in used],
        "centres": chosen.centres.tolist(),
        "left_out": left_out + [feature.name for feature in store.schema.index_features if feature not in declared],
        "profiles": _profiles(table, members, used),
        "gates": gates,
        "n_bad": int(members["bad"].eq(True).sum()),
        "n_good": int(members["bad"].eq(False).sum()),
        "n_unlabelled": int(members["bad"].isna().sum()),
        "n_thin": int((~enough).sum()),
        "shared_columns": shared,
        **found.report(),
    }
    passed = all(gate["passed"] for gate in gates)
    read = snapshot if performance_days is None else _observation(store, snapshot, performance_days, user)
    share, at = chosen.share_risky, stores.now()
    made = LabelSet("", "kmeans", "cluster", read, chosen.k, len(members), share, passed, bool(shared), report, at, user)
    return _keep(store, made, members)


def observed(store: Store, *, user: str, snapshot_id: int | None = None) -> LabelSet:
    """Label a snapshot's applicants by what really happened to their loans; those without an outcome are left out.

    Raises NotEnoughData unless outcomes of both kinds are there.
    """
    snapshot, table = _snapshot(store, snapshot_id)
    members = table[["applicant_id"]].assign(segment=None, risk_index=risk_index(table, store.schema), weight=1.0)
    members = members.merge(_outcomes(store, snapshot), on="applicant_id").rename(columns={"observed_bad": "bad"})
    n, n_bad = len(members), int(members["bad"].sum())
    if n_bad in (0, n):
        what = "no outcome is recorded for them" if n == 0 else f"all {n} recorded outcomes are {'bad' if n_bad else 'good'}"
        raise NotEnoughData(f"Observed labels need good and bad outcomes of the {len(table)} applicants of this snapshot; {what}.")
    gates = [
        _gate("outcomes", n, VERIFIED, n >= VERIFIED, f"{n} outcomes are recorded; at least {VERIFIED} are needed."),
        _gate("bad outcomes", n_bad, VERIFIED_BAD, n_bad >= VERIFIED_BAD, f"{n_bad} of them are bad; at least {VERIFIED_BAD} are needed."),
    ]
    bad, values = members["bad"].to_numpy(bool), members["risk_index"].to_numpy(float)
    index = _Held(bad, values, bad.astype(float)).interval("index")
    report = {"gates": gates, "n_bad": n_bad, "n_good": n - n_bad, "shared_columns": [], "index_auc_vs_observed": index}
    passed = all(gate["passed"] for gate in gates)
    made = LabelSet("", "observed", "observed", snapshot, None, n, n_bad / n, passed, False, report, stores.now(), user)
    return _keep(store, made, members)


def risk_index(frame: DataFrame, schema: Schema) -> Series:
    """Return the plain signed risk index of each row (nothing learned, higher = riskier), in robust standard deviations."""
    return Series(pipeline.risk_index(frame, schema.index_features), index=frame.index, name="risk_index")


# --- reading label sets --------------------------------------------------------------------------------------------


def sets(store: Store) -> DataFrame:
    """Return one row per label set, newest first, without the report and the labels."""
    return store.read(
        """select label_set_id, method, source, snapshot_id, k, n, share_risky, passed, circular, created_at, created_by
        from label_set order by label_set_id desc"""
    )


def newest(store: Store) -> str | None:
    """Return the id of the label set made last."""
    name: str | None = store.value("select max(label_set_id) from label_set")
    return name


def get(store: Store, label_set_id: str) -> LabelSet:
    """Return a label set with its report; raises UnknownThing."""
    row = store.record("select * from label_set where label_set_id = $id", id=label_set_id)
    if row is None:
        raise UnknownThing("label set", label_set_id, "Make one on the labels page or with `label kmeans`.")
    return LabelSet(**{**row, "report": json.loads(row["report"])})


def members(store: Store, label_set_id: str) -> DataFrame:
    """Return one row per applicant of a label set: applicant_id, segment, risk_index, bad (null = unlabelled), weight."""
    get(store, label_set_id)
    return store.read(
        "select applicant_id, segment, risk_index, bad, weight from label where label_set_id = $id order by applicant_id", id=label_set_id
    )


def training_set(store: Store, label_set_id: str, *, unlabelled: bool = False) -> DataFrame:
    """Return applicant_id, as_of, every schema feature, bad and weight of the labelled applicants, by applicant_id.

    With `unlabelled`, the thin rows and the grey zone come too; their `bad` is null.
    """
    chosen = get(store, label_set_id)
    labels = members(store, label_set_id)[["applicant_id", "bad", "weight"]]
    joined = features.table(store, chosen.snapshot_id).merge(labels, on="applicant_id").sort_values("applicant_id", ignore_index=True)
    if unlabelled:
        return joined.assign(bad=joined["bad"].astype("boolean"))
    certain = joined.dropna(subset=["bad"]).reset_index(drop=True)
    return certain.assign(bad=certain["bad"].astype(bool))


def of_clusters(store: Store, label_set_id: str, frame: DataFrame) -> Series:
    """Return the proxy label that the clusters of a set give to rows that had no part in it (null where thin or in the grey zone).

    Raises InvalidInput for a set whose clusters lie in another window than its predictors, or that has no clusters.
    """
    made = get(store, label_set_id)
    if "centres" not in made.report or made.report.get("performance_days") is not None:
        raise InvalidInput(f"Label set {label_set_id} has no clusters in the figures that models read; only such a set labels other rows.")
    used = [store.schema[name] for name in made.report["label_features"]]
    real = features.table(store, made.snapshot_id).sort_values("applicant_id", ignore_index=True)
    points = pipeline.signed_z(frame, used, real)[[feature.name for feature in used]].to_numpy(float)
    centres = np.array(made.report["centres"])
    thin = frame[[feature.name for feature in used]].isna().to_numpy().mean(axis=1) > 0.5
    bad = Series(clusters.nearest(points, centres) == len(centres) - 1, index=frame.index, dtype="boolean")
    return bad.mask(clusters.grey_zone(points, centres) | thin)


def by_source(store: Store, snapshot_id: int) -> dict[str, DataFrame]:
    """Return verified labels of a snapshot's applicants by source ('observed', 'review'): applicant_id, bad.

    A verdict on a label says whether the applicant was rightly called bad: by the model's own label where there is one,
    else by the cut-off. Reviewers who cancel each other out give no label.
    """
    here = set(store.read("select applicant_id from applicant where snapshot_id = $id", id=snapshot_id)["applicant_id"])
    found = {"observed": _outcomes(store, snapshot_id).rename(columns={"observed_bad": "bad"}), "review": _reviewed(store)}
    return {source: frame[frame["applicant_id"].isin(here)].reset_index(drop=True) for source, frame in found.items()}


def banner(label_set: LabelSet) -> str | None:
    """Return the warning that pages, cards and the API show with everything learned from a label set, or None."""
    if not label_set.is_proxy:
        return None
    said = "Learned from a proxy label (clusters of applicants, not real outcomes): figures show agreement with the proxy label."
    if days := label_set.report.get("performance_days"):
        clusters_of = f"clusters of how accounts went over {days} days, not real outcomes"
        said = f"Learned from a proxy label ({clusters_of}): figures show agreement with the proxy label."
    if label_set.circular:
        shared = len(label_set.report.get("shared_columns", []))
        said = (
            f"This model re-learns the clusters: the {shared} columns that made the proxy label are among its predictors, "
            "so its figures show agreement with the proxy label, not how well it foresees real outcomes."
        )
    failed = [gate["name"] for gate in label_set.report.get("gates", []) if not gate["passed"]]
    return said if not failed else f"{said} The label set fails {len(failed)} of its quality checks ({', '.join(failed)})."


def to_json(label_set: LabelSet) -> dict[str, Any]:
    """Return what the command line prints of a label set."""
    report = label_set.report
    return {
        "label_set": label_set.label_set_id,
        "method": label_set.method,
        "k": label_set.k,
        "n": label_set.n,
        "share_risky": label_set.share_risky,
        "gates": report.get("gates", []),
        "auc_vs_observed": report.get("auc_vs_observed"),
        "index_auc_vs_observed": report.get("index_auc_vs_observed"),
        "passed": label_set.passed,
        "circular": label_set.circular,
    }


def _snapshot(store: Store, snapshot_id: int | None) -> tuple[int, DataFrame]:
    chosen = features.latest_snapshot(store) if snapshot_id is None else snapshot_id
    if chosen is None:
        raise NothingYet("There are no features yet: ingest statements and run `features` first.")
    return chosen, features.table(store, chosen).sort_values("applicant_id", ignore_index=True)


def _keep(store: Store, made: LabelSet, members: DataFrame) -> LabelSet:
    """Store a set and its members in one transaction; returns it under the id it got."""
    name = store.value("select printf('L%04d', nextval('label_set_seq'))")
    row = {**asdict(made), "label_set_id": name, "report": stores.to_json(made.report)}
    with store.write(made.created_by, "label", name, method=made.method, k=made.k, n=made.n, passed=made.passed) as cursor:
        cursor.execute(
            """insert into label_set values ($label_set_id, $method, $source, $snapshot_id, $k, $n, $share_risky, $passed, $circular,
            $report, $created_at, $created_by)""",
            row,
        )
        cursor.register("labelled", members.astype({"segment": "Int32", "bad": "boolean"}))
        cursor.execute("insert into label select $id, applicant_id, segment, risk_index, bad, weight from labelled", {"id": name})
        cursor.unregister("labelled")
    return get(store, name)


# --- from clusters to labels ---------------------------------------------------------------------------------------


def _within(declared: list[Feature], performance_days: int | None) -> list[Feature]:
    """Return the label features that read nothing before the performance window begins."""
    if performance_days is None:
        return declared
    fitting = [feature for feature in declared if feature.window_days is not None and feature.window_days <= performance_days]
    if not fitting:
        shortest = min((feature.window_days for feature in declared if feature.window_days is not None), default=None)
        need = f"the shortest needs {shortest}" if shortest else "none of them has a window"
        raise InvalidInput(f"No label feature fits into a performance window of {performance_days} days; {need}.")
    return fitting


def _observation(store: Store, snapshot_id: int, performance_days: int, user: str) -> int:
    """Make the snapshot of what was known of the same people when the performance window of each began; returns its id."""
    as_of = store.value("select as_of from snapshot where snapshot_id = $id", id=snapshot_id)
    return features.build(store, user=user, as_of=as_of, days_before=performance_days, of_snapshot=snapshot_id)


def _label_matrix(table: DataFrame, declared: list[Feature]) -> tuple[Floats, list[Feature], list[str], NDArray[np.bool_]]:
    """Return robust z-values (higher = riskier) of the label features that vary, those features, the others' names, who has enough."""
    z = pipeline.signed_z(table, declared)
    used = [feature for feature in declared if z[feature.name].nunique() > 1]
    left_out = [feature.name for feature in declared if feature not in used]
    if len(used) < MIN_FEATURES:
        raise NotEnoughData(
            f"Clusters need at least {MIN_FEATURES} label features that differ between applicants; of the {len(declared)} declared "
            f"{len(used)} do (missing or the same for everybody: {', '.join(left_out) or 'none'})."
        )
    names = [feature.name for feature in used]
    return z[names].to_numpy(float), used, left_out, table[names].isna().to_numpy().mean(axis=1) <= 0.5


def _members(table: DataFrame, schema: Schema, enough: NDArray[np.bool_], chosen: Clusters, grey: NDArray[np.bool_]) -> DataFrame:
    """Return applicant_id, segment, risk_index, bad, weight of every applicant; thin rows and the grey zone have no label."""
    bad = Series(chosen.risky, dtype="boolean").mask(Series(grey))
    found = DataFrame({"segment": Series(chosen.assigned, dtype="Int32"), "bad": bad}).set_index(table.index[enough])
    found = found.reindex(table.index).assign(applicant_id=table["applicant_id"], risk_index=risk_index(table, schema), weight=1.0)
    return found[["applicant_id", "segment", "risk_index", "bad", "weight"]]


# --- the quality report --------------------------------------------------------------------------------------------


def _profiles(table: DataFrame, members: DataFrame, used: Sequence[Feature]) -> list[dict[str, Any]]:
    """Describe each segment, safest first: size, share, mean index, mean of each label feature in its own unit."""
    known = int(members["segment"].notna().sum())
    found = []
    for segment in sorted(members["segment"].dropna().unique()):
        rows = (members["segment"] == segment).fillna(False).to_numpy(bool)
        means = {feature.name: float(table.loc[rows, feature.name].mean()) for feature in used}
        index = float(members.loc[rows, "risk_index"].mean())
        found.append({"segment": int(segment), "n": int(rows.sum()), "share": rows.sum() / known, "risk_index": index, "means": means})
    return found


def _gate(name: str, value: float, threshold: float, passed: bool, sentence: str) -> dict[str, Any]:
    return {"name": name, "value": float(value), "threshold": float(threshold), "passed": bool(passed), "sentence": sentence}


def _cluster_gates(table: DataFrame, members: DataFrame, chosen: Clusters, used: Sequence[Feature]) -> list[dict[str, Any]]:
    """State what must be true of useful clusters; a figure that is NaN compares false and so refuses."""
    right, wrong = _signed_order(table, members, chosen.k, used)
    ordered = len(right) / (len(right) + len(wrong)) if right or wrong else float("nan")
    stable, gap, share = chosen.stability, chosen.gap, chosen.share_risky
    against = f"; against it: {', '.join(wrong)}" if wrong else ""
    size = f"The riskiest cluster holds {100 * share:.1f} % of the applicants"
    return [
        _gate(
            "stability",
            stable,
            STABLE,
            stable >= STABLE,
            f"Clusters found again in resamples agree with these at {stable:.2f} (adjusted Rand index); at least {STABLE} is asked.",
        ),
        _gate(
            "index gap",
            gap,
            GAP,
            gap >= GAP,
            f"The riskiest cluster lies {gap:.2f} standard deviations of the risk index above the next; at least {GAP:.0f} is asked.",
        ),
        _gate(
            "signs",
            ordered,
            IN_ORDER,
            ordered >= IN_ORDER,
            f"{len(right)} of {len(right) + len(wrong)} label features are worse in the riskiest cluster than elsewhere{against}; "
            f"at least {100 * IN_ORDER:.0f} % is asked.",
        ),
        _gate("share at least", share, SHARE_LOW, share >= SHARE_LOW, f"{size}; at least {100 * SHARE_LOW:.0f} % is asked."),
        _gate("share at most", share, SHARE_HIGH, share <= SHARE_HIGH, f"{size}; at most {100 * SHARE_HIGH:.0f} % is asked."),
    ]


def _signed_order(table: DataFrame, members: DataFrame, k: int, used: Sequence[Feature]) -> tuple[list[str], list[str]]:
    """Split the label features into those whose mean is on the risky side in the riskiest cluster and the others."""
    risky = (members["segment"] == k - 1).fillna(False).to_numpy(bool)
    rest = (members["segment"] < k - 1).fillna(False).to_numpy(bool)
    right: list[str] = []
    wrong: list[str] = []
    for feature in used:
        difference = table.loc[risky, feature.name].mean() - table.loc[rest, feature.name].mean()
        (right if feature.risk * difference > 0 else wrong).append(feature.name)
    return right, wrong


@dataclass(frozen=True)
class _Held:
    """Applicants with a verified outcome: what happened, their index, and their proxy label (0/1) where there is one."""

    bad: NDArray[np.bool_]
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
        low, high = metrics.bootstrap(metrics.auc, self.bad, given, 500, 7)
        return {"value": metrics.auc(self.bad, given), "low": low, "high": high, "n": len(self.bad), "n_bad": int(self.bad.sum())}

    def difference(self) -> tuple[float, float]:
        """Return AUC of the label less that of the index cut at the same share, and the upper end of its 95 % interval.

        A yes-or-no label has one point on its curve; beside it stands the index with one point too, drawn from the same rows.
        """
        cut = np.zeros(len(self.index))
        cut[np.argsort(-self.index, kind="stable")[: int(self.label.sum())]] = 1.0
        random = np.random.default_rng(7)
        found = []
        for _ in range(500):
            rows = random.integers(0, len(self.bad), len(self.bad))
            if 0 < self.bad[rows].sum() < len(rows):
                found.append(metrics.auc(self.bad[rows], self.label[rows]) - metrics.auc(self.bad[rows], cut[rows]))
        return metrics.auc(self.bad, self.label) - metrics.auc(self.bad, cut), float(np.quantile(found, 0.975)) if found else float("nan")

    def report(self) -> dict[str, Any]:
        """Return the figures against observed outcomes as the report keeps them."""
        return {"auc_vs_observed": self.interval("label"), "index_auc_vs_observed": self.interval("index")}


def _against_outcomes(store: Store, members: DataFrame, snapshot_id: int) -> _Held:
    joined = members.dropna(subset=["bad"]).merge(_outcomes(store, snapshot_id), on="applicant_id")
    return _Held(joined["observed_bad"].to_numpy(bool), joined["risk_index"].to_numpy(float), joined["bad"].to_numpy(float))


def _outcome_gates(held: _Held) -> list[dict[str, Any]]:
    if not held.judged:
        return []
    found = held.interval("label") or {"low": float("nan"), "value": float("nan")}
    lead, most = held.difference()
    return [
        _gate(
            "against outcomes",
            found["low"],
            0.5,
            found["low"] > 0.5,
            f"Against {len(held.bad)} observed outcomes the label reaches AUC {found['value']:.2f}, with 95 % confidence at least "
            f"{found['low']:.2f}; more than 0.5 is asked.",
        ),
        _gate(
            "beside the index",
            most,
            0.0,
            most >= 0,
            f"Against the same outcomes the label's AUC differs by {lead:+.2f} from the plain risk index cut at the same share "
            f"(95 % confidence: at most {most:+.2f}); it may not be surely below.",
        ),
    ]


def _outcomes(store: Store, snapshot_id: int) -> DataFrame:
    """Return applicant_id and observed_bad of those whose outcome was not known yet on the day their figures describe."""
    return store.read(
        "select applicant_id, observed_bad from outcome_of_snapshot where snapshot_id = $id order by applicant_id", id=snapshot_id
    )


def _reviewed(store: Store) -> DataFrame:
    """Return applicant_id and the bad that the reviewers' verdicts on labels imply."""
    verdicts = store.rows(
        """select prediction.applicant_id, review.verdict, label.bad, prediction.pd, prediction.policy
        from review_current as review
        join prediction using (prediction_id)
        join model using (model_id)
        left join label on label.label_set_id = model.label_set_id and label.applicant_id = prediction.applicant_id
        where review.about = 'label' and review.verdict in ('correct', 'incorrect')"""
    )
    implied: dict[str, list[bool]] = {}
    for applicant_id, verdict, labelled, prob_default, rules in verdicts:
        claimed = prob_default >= policy.cutoff(Policy(**json.loads(rules))) if labelled is None else labelled
        implied.setdefault(applicant_id, []).append((verdict == "correct") == claimed)
    settled = {name: sum(said) * 2 > len(said) for name, said in sorted(implied.items()) if sum(said) * 2 != len(said)}
    return DataFrame({"applicant_id": list(settled), "bad": list(settled.values())})
