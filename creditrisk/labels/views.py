"""Looking into a label set: on a map, over cohorts, by protected group, applicant by applicant, beside another set. Nothing is stored."""

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, concat

from creditrisk import clusters, features, index, quality
from creditrisk.cohorts import dated
from creditrisk.errors import InvalidInput
from creditrisk.labels.shelf import (
    LabelSet,
    cohorts_of,
    engaged,
    get,
    label_features,
    members,
    protected_features,
    risky_segments,
    rows_of,
    what_was_known,
)
from creditrisk.quality import Comparison
from creditrisk.schema import Feature
from creditrisk.store import Store

Floats = NDArray[np.float64]


def points(store: Store, label_set_id: str, most: int = 2_000) -> DataFrame:
    """Return label set members on the map of their label features: applicant_id, as_of, x, y, segment, bad, risk_index.

    x and y are the first two principal components of the robust signed label features (`axes` says what they are); riskier lies
    right. Of more than `most` rows an even selection over segments and index. Unclustered rows (too thin) are not on it.
    """
    drawn, cloud, _ = _cloud(store, get(store, label_set_id))
    centred, directions, _ = _components(cloud)
    at = centred @ directions.T
    drawn = drawn.assign(x=at[:, 0], y=at[:, 1]).sort_values(["segment", "risk_index", "applicant_id", "as_of"], kind="stable")
    chosen = drawn.iloc[np.unique(np.linspace(0, len(drawn) - 1, min(most, len(drawn))).astype(int))] if len(drawn) else drawn
    columns = ["applicant_id", "as_of", "x", "y", "segment", "bad", "risk_index"]
    return chosen[columns].sort_values(["applicant_id", "as_of"], ignore_index=True)


def axes(store: Store, label_set_id: str) -> DataFrame:
    """Return what the two directions of `points` are: axis ('x', 'y'), share (of the variance), feature, title, loading; largest first."""
    _, cloud, used = _cloud(store, get(store, label_set_id))
    _, directions, shares = _components(cloud)
    rows = [
        (axis, shares[place], feature.name, feature.title, float(directions[place, number]))
        for place, axis in enumerate("xy")
        for number, feature in enumerate(used)
    ]
    found = DataFrame(rows, columns=["axis", "share", "feature", "title", "loading"])
    return found.sort_values(["axis", "loading"], key=lambda each: -each.abs() if each.name == "loading" else each, ignore_index=True)


def by_cohort(store: Store, label_set_id: str) -> DataFrame:
    """Return the share of bad labels over time: cohort (its date, else the month), n, n_bad, share, low, high; no row without dates."""
    grouped = dated(members(store, label_set_id)).groupby("cohort")["bad"]
    rows = [{"cohort": cohort, **quality.share(bad)} for cohort, bad in grouped]
    return DataFrame(rows, columns=["cohort", "n", "n_bad", "share", "low", "high"])


def by_group(store: Store, label_set_id: str) -> DataFrame:
    """Return the share of bad labels by group of every protected column; columns as in `quality.by_group`."""
    rows = rows_of(store, get(store, label_set_id))
    table = rows[["snapshot_id", "applicant_id", "bad"]].merge(what_was_known(store, rows), on=["snapshot_id", "applicant_id"])
    return quality.by_group(table, table["bad"], protected_features(store))


def examples(store: Store, label_set_id: str, segment: int, n: int = 5) -> DataFrame:
    """Return applicants to open: the `n` most typical of a segment, then the `n` nearest to the border between risky and not.

    Columns: kind ('typical', 'border'), applicant_id, as_of, segment, bad, risk_index, distance (to the centre, or to the border).
    """
    made = get(store, label_set_id)
    if "centres" not in made.report:
        raise InvalidInput(f"Label set {label_set_id} has no segments: it was not made of clusters.")
    if not 0 <= segment < (made.k or 0):
        raise InvalidInput(f"Label set {label_set_id} has the segments 0 (safest) to {(made.k or 0) - 1}, not {segment}.")
    drawn, cloud, _ = _cloud(store, made)
    centres, inside = np.array(made.report["centres"]), drawn["segment"].eq(segment).fillna(False).to_numpy(bool)
    measured = {
        "typical": np.sqrt(((cloud - centres[segment]) ** 2).sum(axis=1)),
        "border": np.abs(clusters.margins(cloud, centres, risky_segments(made))),
    }
    parts = [
        drawn[inside].assign(kind=kind, distance=distance[inside]).sort_values(["distance", "applicant_id"], kind="stable").head(n)
        for kind, distance in measured.items()
    ]
    return concat(parts, ignore_index=True)[["kind", "applicant_id", "as_of", "segment", "bad", "risk_index", "distance"]]


def compare(store: Store, one: str, other: str) -> Comparison:
    """Hold two label sets against each other: on the same applicants and dates where they share any, else on each one's newest label.

    `moved` has applicant_id, as_of, one, other (their labels), one_segment, other_segment, risk_index, riskiest first.
    """
    left, right = (members(store, name).rename(columns={"bad": "bad_"}) for name in (one, other))
    keys = ["applicant_id", "as_of"]
    if left.merge(right, on=keys).empty:
        keys = ["applicant_id"]
        left, right = (frame.drop_duplicates("applicant_id", keep="last") for frame in (left, right))
    joined = left.merge(right, on=keys, suffixes=("", "_other"))
    shown = DataFrame(
        {
            "applicant_id": joined["applicant_id"],
            "as_of": joined["as_of"],
            "one": joined["bad_"].astype("boolean"),
            "other": joined["bad__other"].astype("boolean"),
            "one_segment": joined["segment"],
            "other_segment": joined["segment_other"],
            "risk_index": joined["risk_index"],
        }
    )
    return quality.compare(shown.sort_values(["risk_index", "applicant_id"], ascending=[False, True], kind="stable"))


def _cloud(store: Store, made: LabelSet) -> tuple[DataFrame, Floats, list[Feature]]:
    """Return the members that have a place among the clusters (all, without clusters), their signed z-values, the features.

    Nobody has a place where no feature says which of its sides is the riskier.
    """
    used = label_features(store, made)
    names = [feature.name for feature in used]
    rows = members(store, made.label_set_id)
    if not used:
        return rows.iloc[:0], np.empty((0, 0)), used
    if made.method == "rfm":
        table = rows.merge(engaged(store, made.report["rfm"]), on="applicant_id", how="left")
    else:
        ends = {cohort["snapshot_id"]: cohort["performance_snapshot_id"] for cohort in cohorts_of(made)}
        parts = [
            features.table(store, ends.get(number, number))[["applicant_id", *names]].assign(snapshot_id=number)
            for number in sorted(rows["snapshot_id"].unique().tolist())
        ]
        table = rows.merge(concat(parts, ignore_index=True), on=["snapshot_id", "applicant_id"], how="left")
    cloud = index.signed_z(table, used)[names].to_numpy(float)
    placed = table["segment"].notna().to_numpy(bool) if "centres" in made.report else np.ones(len(table), dtype=bool)
    return table[placed].reset_index(drop=True), cloud[placed], used


def _components(cloud: Floats) -> tuple[Floats, Floats, list[float]]:
    """Return the centred cloud, its first two principal directions, and the share of the variance along each.

    Along the first the index rises; in the second the largest loading is positive: the map does not depend on a sign's whim.
    """
    centred = cloud - cloud.mean(axis=0) if len(cloud) else cloud
    values, vectors = np.linalg.eigh(centred.T @ centred / max(len(cloud), 1))
    found = vectors[:, ::-1].T[:2]
    directions = np.vstack([found, np.zeros((2 - len(found), cloud.shape[1]))])  # one feature has one direction
    for place in range(len(found)):
        pull = float((centred @ directions[place]) @ centred.mean(axis=1)) if place == 0 else 0.0
        largest = directions[place, np.argmax(np.abs(directions[place]).round(9))]
        if pull < 0 or (pull == 0 and largest < 0):
            directions[place] *= -1
    total = values.sum()
    shares = [float(value / total) if total > 0 else 0.0 for value in values[::-1][:2]]
    return centred, directions, [*shares, 0.0, 0.0][:2]
