"""Proxy labels: clusters of how accounts went, or of how much money moves, judged before they are kept.

A cluster is never called a default: it gives a segment (0 = safest) and a proxy label. Row order, row names, seed and cluster
numbering do not change a label.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, Series

from creditrisk import clusters, features, index, quality
from creditrisk import rfm as engagement
from creditrisk import store as stores
from creditrisk.clusters import RULE, Clusters
from creditrisk.cohorts import Windows, as_it_went, lay_out
from creditrisk.errors import InvalidInput, NotEnoughData, NothingYet
from creditrisk.labels.shelf import (
    RFM,
    LabelSet,
    against_outcomes,
    engaged,
    get,
    groups_of,
    keep,
    label_features,
    risk_index,
    risky_segments,
    snapshot_of,
    what_was_known,
)
from creditrisk.schema import Feature
from creditrisk.store import Store

Floats = NDArray[np.float64]
Progress = Callable[[float, str], None]

MIN_FEATURES = 2  # fewer label features that vary than this are not an index
LEAST_REASON = 10  # letters


def kmeans(
    store: Store,
    *,
    user: str,
    k: int | None = None,
    risky: Sequence[int] | None = None,
    reason: str | None = None,
    snapshot_id: int | None = None,
    performance_days: int | None = None,
    gap_days: int = 0,
    cohorts: Sequence[date] | None = None,
    progress: Progress | None = None,
) -> LabelSet:
    """Cluster applicants on the schema's index features and call the riskiest cluster bad (by proxy).

    With `performance_days` time is parted in two: label features that look no further back than so many days make the label,
    and predictors come from a snapshot of their own that ends `gap_days` before those days begin. `cohorts` are the dates on which
    predictors end, every applicant once for each; without, each applicant has a day of their own. Without `performance_days`,
    both read the same window, and the set is circular.
    `k` None = the number of clusters is chosen by `RULE`; `risky` = which clusters count as bad, 0 the safest. A person who
    chooses either gives a `reason`, which is kept. Applicants who lack more than half of the label features, and the grey
    zone at the border of the risky clusters, stay unlabelled (`bad` null).
    Raises NothingYet without a snapshot, NotEnoughData where nothing can be told apart, InvalidInput for a `k` not tried
    or a window no label feature fits.
    """
    choice = _choice(k, risky, reason, user)
    windows = Windows(performance_days, gap_days, tuple(cohorts or ()))
    declared = _within(store.schema.index_features, performance_days)
    say = progress or (lambda _share, _what: None)
    snapshot = 0 if windows.dates else snapshot_of(store, snapshot_id)
    made_of = lay_out(store, windows, snapshot, user=user, progress=lambda done, what: say(0.5 * done, what))
    table = as_it_went(store, made_of)
    report = {
        "rule": choice or RULE,
        "performance_days": performance_days,
        "gap_days": gap_days,
        "cohorts": [cohort.row() for cohort in made_of],
        "performance_snapshot_id": None if performance_days is None else made_of[-1].performance_snapshot_id,
    }
    shared = [feature.name for feature in declared if feature.role == "predictor" and performance_days is None]
    return _cluster(store, "kmeans", table, declared, about=report, shared=shared, k=k, risky=risky, user=user, progress=progress)


def rfm(
    store: Store,
    *,
    user: str,
    as_of: date | None = None,
    days: int = engagement.DAYS,
    direction: engagement.Direction = "out",
    k: int | None = None,
    risky: Sequence[int] | None = None,
    reason: str | None = None,
    snapshot_id: int | None = None,
    performance_days: int | None = None,
    gap_days: int = 0,
    progress: Progress | None = None,
) -> LabelSet:
    """Cluster applicants on recency, frequency and monetary value of their movements; the least engaged count as risky.

    It measures engagement, not credit, so its clusters are held against the plain risk index like any other's. Days are counted
    back from `as_of`, else from the day each applicant has in `snapshot_id` (else the newest). With `performance_days` so many days
    before it make the label and predictors end before them; without, the last `days` make it, and the set is circular. The rest
    as in `kmeans`.
    """
    choice = _choice(k, risky, reason, user)
    before = Windows(performance_days, gap_days)
    windows = replace(before, dates=(as_of - timedelta(days=before.ahead),)) if as_of and performance_days else before
    (cohort,) = lay_out(store, windows, 0 if windows.dates else snapshot_of(store, snapshot_id), user=user)
    own = cohort.performance_snapshot_id if performance_days or as_of is None else None
    asked = {"as_of": as_of or date.today(), "days": performance_days or days, "direction": direction, "of_snapshot": own}
    table = as_it_went(store, [cohort])
    table = table.drop(columns=[feature.name for feature in RFM], errors="ignore").merge(engaged(store, asked), on="applicant_id")
    if table.empty:
        raise NothingYet("RFM looks at movements, and these applicants have none in the window: store bank statements first.")
    report = {
        "rule": choice or RULE,
        "performance_days": performance_days,
        "gap_days": gap_days,
        "cohorts": [cohort.row()],
        "performance_snapshot_id": cohort.performance_snapshot_id if performance_days else None,
        "rfm": asked,
    }
    shared = [] if performance_days else [feature.name for feature in RFM]
    return _cluster(store, "rfm", table, list(RFM), about=report, shared=shared, k=k, risky=risky, user=user, progress=progress)


def of_clusters(store: Store, label_set_id: str, frame: DataFrame) -> "Series[Any]":
    """Return the proxy label that the clusters of a set give to rows that had no part in it (null where thin or in the grey zone).

    Raises InvalidInput for a set whose clusters lie in another window than its predictors, or that has no clusters.
    """
    made = get(store, label_set_id)
    if made.method != "kmeans" or made.report.get("performance_days") is not None:
        raise InvalidInput(f"Label set {label_set_id} has no clusters in the figures that models read; only such a set labels other rows.")
    used = label_features(store, made)
    real = features.table(store, made.snapshot_id).sort_values("applicant_id", ignore_index=True)
    cloud = index.signed_z(frame, used, real)[[feature.name for feature in used]].to_numpy(float)
    centres, called = np.array(made.report["centres"]), risky_segments(made)
    thin = frame[[feature.name for feature in used]].isna().to_numpy().mean(axis=1) > 0.5
    bad = Series(np.isin(clusters.nearest(cloud, centres), called), index=frame.index, dtype="boolean")
    return bad.mask(clusters.grey_zone(cloud, centres, called) | thin)


def _choice(k: int | None, risky: Sequence[int] | None, reason: str | None, user: str) -> str | None:
    """Return who chose what, and why, in a sentence; None where nobody chose. Raises InvalidInput for a choice without a reason."""
    if k is None and risky is None:
        return None
    if k is None:
        raise InvalidInput("Which clusters are risky can be said of a known number of clusters: say how many there are to be.")
    said = (reason or "").strip()
    if len(said) < LEAST_REASON:
        raise InvalidInput(
            "Whoever chooses the number of clusters, or which of them are risky, says why in a few words "
            f"(at least {LEAST_REASON} letters): it is kept with the label set."
        )
    which = f", and clusters {', '.join(map(str, sorted(set(risky))))} as risky" if risky is not None else ""
    return f"{user} chose {k} clusters{which}: {said}"


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


def _cluster(
    store: Store,
    method: str,
    table: DataFrame,
    declared: list[Feature],
    *,
    about: dict[str, Any],
    shared: list[str],
    k: int | None,
    risky: Sequence[int] | None,
    user: str,
    progress: Progress | None,
) -> LabelSet:
    """Cluster a table of label features, judge the clusters, keep the set."""
    say = progress or (lambda _share, _what: None)
    matrix, used, left_out, enough = _label_matrix(table, declared)
    cloud = matrix[enough]
    chosen, tried = clusters.scan(cloud, store.settings.labels, k, lambda done, what: say(0.5 + 0.4 * done, what))
    if risky is not None:
        chosen = clusters.calling(cloud, chosen, risky)
    source = "cluster" if method == "kmeans" else "rfm"
    index = risk_index(table, store.schema)
    judged = used
    if method == "rfm":  # signs of engagement prove nothing about credit: what is known to be risk has to agree
        judged = [feature for feature in store.schema.index_features if table[feature.name].nunique() > 1]
        chosen = replace(chosen, gap=clusters.gap_of(index.to_numpy(float)[enough], chosen))
    rows = _members(table, index, enough, chosen, clusters.grey_zone(cloud, chosen.centres, chosen.bad)).assign(source=source)
    say(0.9, "holding the clusters against outcomes and predictors")
    found = against_outcomes(store, rows.assign(as_of=table["as_of"]))
    gates = quality.of_clusters(table, rows, chosen, judged) + found.gates()
    tree = _given_away(store, rows)
    report = {
        **about,
        "risky": list(chosen.bad),
        "scan": [fit.row() for fit in tried],
        "label_features": [feature.name for feature in used],
        "centres": chosen.centres.tolist(),
        "left_out": left_out + [feature.name for feature in store.schema.index_features if method == "kmeans" and feature not in declared],
        "profiles": quality.profiles(table, rows, used),
        "gates": gates,
        "tree": tree,
        "groups": groups_of(store, rows),
        "n_bad": int(rows["bad"].eq(True).sum()),
        "n_good": int(rows["bad"].eq(False).sum()),
        "n_unlabelled": int(rows["bad"].isna().sum()),
        "n_thin": int((~enough).sum()),
        "shared_columns": [name for name in shared if name in {feature.name for feature in used}],
        **found.report(),
    }
    passed, circular = not quality.failed(gates), bool(report["shared_columns"]) or tree["alarm"]
    newest_snapshot, share = about["cohorts"][-1]["snapshot_id"], chosen.share_risky
    at = stores.now()
    return keep(store, LabelSet("", method, source, newest_snapshot, chosen.k, len(rows), share, passed, circular, report, at, user), rows)


def _label_matrix(table: DataFrame, declared: list[Feature]) -> tuple[Floats, list[Feature], list[str], NDArray[np.bool_]]:
    """Return robust z-values (higher = riskier) of the label features that vary, those features, the others' names, who has enough."""
    z = index.signed_z(table, declared)
    used = [feature for feature in declared if z[feature.name].nunique() > 1]
    left_out = [feature.name for feature in declared if feature not in used]
    if len(used) < MIN_FEATURES:
        raise NotEnoughData(
            f"Clusters need at least {MIN_FEATURES} label features that differ between applicants; of the {len(declared)} declared "
            f"{len(used)} do (missing or the same for everybody: {', '.join(left_out) or 'none'})."
        )
    names = [feature.name for feature in used]
    return z[names].to_numpy(float), used, left_out, table[names].isna().to_numpy().mean(axis=1) <= 0.5


def _members(table: DataFrame, index: "Series[Any]", enough: NDArray[np.bool_], chosen: Clusters, grey: NDArray[np.bool_]) -> DataFrame:
    """Return every applicant's segment, index, label and weight; thin rows and the grey zone have no label."""
    bad = Series(chosen.risky, dtype="boolean").mask(Series(grey))
    found = DataFrame({"segment": Series(chosen.assigned, dtype="Int32"), "bad": bad}).set_index(table.index[enough])
    found = found.reindex(table.index)
    return found.assign(snapshot_id=table["snapshot_id"], applicant_id=table["applicant_id"], risk_index=index, weight=1.0)


def _given_away(store: Store, rows: DataFrame) -> dict[str, Any]:
    """Say whether three questions about the predictors give the label back."""
    labelled = rows[rows["bad"].notna()]
    known = labelled[["snapshot_id", "applicant_id", "bad"]].merge(what_was_known(store, rows), on=["snapshot_id", "applicant_id"])
    predictors = store.schema.predictors
    matrix = np.empty((len(known), len(predictors)))
    for place, feature in enumerate(predictors):
        values = known[feature.name]
        matrix[:, place] = values.to_numpy(float, na_value=np.nan) if feature.is_numeric else values.astype("category").cat.codes
    return quality.reproduced(matrix, known["bad"].to_numpy(bool), known["applicant_id"].tolist())
