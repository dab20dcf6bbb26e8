"""Where good and bad come from: proxy labels from clusters, observed outcomes, accepted verdicts, and these together.

A label set is immutable, known by a digest of its members, and carries its quality report. A cluster is never called a
default: it gives a segment (0 = safest) and a proxy label. Row order, row names, seed and cluster numbering do not change a label.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, Series, concat

from creditrisk import clusters, features, leakage, pipeline, policy, quality
from creditrisk import rfm as engagement
from creditrisk import store as stores
from creditrisk.clusters import RULE, Clusters
from creditrisk.cohorts import Cohort, Windows, as_it_went, dated, lay_out
from creditrisk.errors import InvalidInput, NotEnoughData, NothingYet, TamperedArtefact, UnknownThing
from creditrisk.quality import Comparison, Gate, Held
from creditrisk.schema import Feature
from creditrisk.settings import Policy
from creditrisk.store import Store

Floats = NDArray[np.float64]
Progress = Callable[[float, str], None]

PROXIES = ("cluster", "rfm")
MIN_FEATURES = 2  # fewer label features that vary than this are not an index
LEAST_REASON = 10  # letters
PROXY_MASS = 10.0  # verified labels that all proxy labels of a combined set weigh together
RFM = (
    Feature("recency_days", "Days since the last movement", unit="days", risk=1),
    Feature("frequency", "Movements", type="integer", risk=-1),
    Feature("monetary", "Money moved", unit="money", risk=-1),
)
MEMBERS = ["snapshot_id", "applicant_id", "source", "segment", "risk_index", "bad", "weight"]


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
        """Whether nobody has verified these labels, or some of them."""
        return self.source in PROXIES or any(self.report.get("by_source", {}).get(source) for source in PROXIES)


# --- making label sets ---------------------------------------------------------------------------------------------


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
    made_of = lay_out(store, windows, 0 if windows.dates else _snapshot(store, snapshot_id), user=user)
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
    (cohort,) = lay_out(store, windows, 0 if windows.dates else _snapshot(store, snapshot_id), user=user)
    own = cohort.performance_snapshot_id if performance_days or as_of is None else None
    asked = {"as_of": as_of or date.today(), "days": performance_days or days, "direction": direction, "of_snapshot": own}
    table = as_it_went(store, [cohort])
    table = table.drop(columns=[feature.name for feature in RFM], errors="ignore").merge(_engaged(store, asked), on="applicant_id")
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


def _engaged(store: Store, asked: Mapping[str, Any]) -> DataFrame:
    """Return applicant_id and the three figures as they were asked for."""
    day = asked["as_of"] if isinstance(asked["as_of"], date) else date.fromisoformat(asked["as_of"])
    found = engagement.stored(store, day, days=asked["days"], direction=asked["direction"], of_snapshot=asked["of_snapshot"])
    return found.drop(columns="as_of")


def observed(store: Store, *, user: str, rule: int | None = None, snapshot_id: int | None = None) -> LabelSet:
    """Label a snapshot's applicants by what really happened to their loans; those without an outcome are left out.

    `rule` = days past due from which a loan counts as bad, where outcomes say how many; None takes the outcome as recorded.
    An outcome known on or before the day the features end is left out: they could have read it.
    Raises NotEnoughData unless outcomes of both kinds are there.
    """
    snapshot = _snapshot(store, snapshot_id)
    table = features.table(store, snapshot).assign(snapshot_id=snapshot)
    happened = _outcomes(store)
    known = table[["applicant_id", "as_of"]].merge(happened, on="applicant_id")
    early = known["observed_on"].notna() & (known["observed_on"] <= known["as_of"])
    what = f"outcomes are recorded{_left_out(int(early.sum()))}"
    return _verified(store, "observed", table, known[~early], user=user, what=what, about={"rule": rule})


def reviewed(store: Store, *, user: str, snapshot_id: int | None = None) -> LabelSet:
    """Label a snapshot's applicants by the verdicts on labels that an inspector has accepted.

    Raises NothingYet while verdicts are not inspected here, NotEnoughData unless accepted ones of both kinds are there.
    """
    if not _inspected(store):
        raise NothingYet("Verdicts become labels once somebody has inspected and accepted them; none has been inspected yet.")
    snapshot = _snapshot(store, snapshot_id)
    table = features.table(store, snapshot).assign(snapshot_id=snapshot)
    said = table[["applicant_id"]].merge(_reviewed(store, accepted=True), on="applicant_id")
    return _verified(store, "review", table, said, user=user, what="accepted verdicts on labels say what an applicant is", about={})


def combine(store: Store, label_set_ids: Sequence[str], *, user: str, proxy_mass: float = PROXY_MASS) -> LabelSet:
    """Put label sets together: an observed label beats a reviewed one, a verified one every proxy of the same applicant.

    Verified labels weigh 1 each, all proxy labels together `proxy_mass` (0 to 100). Of several proxies for one applicant and
    snapshot the set named first counts. The set passes where every proxy set in it has, and verified labels are enough.
    Raises InvalidInput for fewer than two sets, a set of another schema, or a mass outside its range.
    """
    chosen = [get(store, name) for name in dict.fromkeys(label_set_ids)]
    if len(chosen) < 2:
        raise InvalidInput("Two label sets at least are put together; name each once.")
    if not 0 <= proxy_mass <= 100:
        raise InvalidInput(f"All proxy labels together weigh between 0 and 100 verified ones, not {proxy_mass:g}.")
    ranked = sorted(chosen, key=lambda each: {"observed": 0, "review": 1}.get(each.source, 2))
    rows = concat([_rows(store, each).assign(order=place) for place, each in enumerate(ranked)], ignore_index=True)
    rows = rows.assign(is_proxy=rows["source"].isin(PROXIES), is_known=rows["bad"].notna())
    best = rows.loc[~rows["is_proxy"] & rows["is_known"], ["applicant_id", "order"]].groupby("applicant_id")["order"].min()
    settled = rows["applicant_id"].map(best)
    rows = rows[settled.isna() | (rows["order"] == settled)].sort_values(["is_known", "order"], ascending=[False, True], kind="stable")
    rows = rows.drop_duplicates(["applicant_id", "snapshot_id"]).sort_values(["applicant_id", "snapshot_id"], ignore_index=True)
    proxies = rows["is_proxy"] & rows["bad"].notna()
    rows["weight"] = np.where(rows["is_proxy"], proxy_mass / max(int(proxies.sum()), 1), 1.0)
    by_source = rows[rows["bad"].notna()].groupby("source").size().to_dict()
    sure = rows[~rows["is_proxy"] & rows["bad"].notna()]
    gates = quality.of_verified(len(sure), int(sure["bad"].eq(True).sum()), "verified labels are in it") + _proxies_passed(ranked)
    report = {
        "sets": [each.label_set_id for each in chosen],
        "by_source": by_source,
        "proxy_mass": proxy_mass,
        "gates": gates,
        "cohorts": [cohort for each in ranked for cohort in each.report.get("cohorts", [])],
        "shared_columns": sorted({name for each in ranked for name in each.report.get("shared_columns", [])}),
    }
    passed = not quality.failed(gates)
    circular = any(each.circular for each in ranked)
    newest_snapshot = max(int(rows["snapshot_id"].max()), 0)
    share = quality.share(rows["bad"])["share"]
    made = LabelSet("", "combined", "combined", newest_snapshot, None, len(rows), share, passed, circular, report, stores.now(), user)
    return _keep(store, made, rows)


def _proxies_passed(sets: Sequence[LabelSet]) -> list[Gate]:
    proxies = [each for each in sets if each.is_proxy]
    wrong = [each.label_set_id for each in proxies if not each.passed]
    if not proxies:
        return []
    said = f"; these fail: {', '.join(wrong)}" if wrong else ""
    share = 1 - len(wrong) / len(proxies)
    sentence = f"{len(proxies) - len(wrong)} of {len(proxies)} proxy label sets in it pass their own checks{said}; all are asked to."
    return [quality.gate("proxy sets", share, 1.0, not wrong, sentence)]


def risk_index(frame: DataFrame, schema: "Sequence[Feature] | Any") -> "Series[Any]":
    """Return the plain signed risk index of each row (nothing learned, higher = riskier), in robust standard deviations.

    Of a schema the features that are in its index count; of a list of features all.
    """
    signed = getattr(schema, "index_features", schema)
    return Series(pipeline.risk_index(frame, signed), index=frame.index, name="risk_index")


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
    """Return one row per applicant and cohort of a label set, by applicant and date.

    Columns: applicant_id, as_of (the day its predictors end), snapshot_id, source, segment, risk_index, bad (null = unlabelled), weight.
    """
    get(store, label_set_id)
    return store.read(
        """select applicant_id, applicant.as_of, snapshot_id, label.source, segment, risk_index, bad, weight
        from label
        left join applicant using (snapshot_id, applicant_id)
        where label_set_id = $id
        order by applicant_id, as_of, snapshot_id""",
        id=label_set_id,
    )


def training_set(store: Store, label_set_id: str, *, unlabelled: bool = False) -> DataFrame:
    """Return applicant_id, as_of, every schema feature, bad, weight and source of the labelled rows, by applicant and date.

    An applicant of several cohorts has several rows: a split keeps them together. With `unlabelled`, the thin rows and the
    grey zone come too; their `bad` is null.
    Raises Leakage where a predictor knows what it is to foresee, TamperedArtefact where the labels are not those that were made.
    """
    chosen = get(store, label_set_id)
    labelled = _rows(store, chosen)
    joined = _known(store, labelled).merge(
        labelled[["snapshot_id", "applicant_id", "bad", "weight", "source"]], on=["snapshot_id", "applicant_id"]
    )
    joined = joined.sort_values(["applicant_id", "as_of"], ignore_index=True)
    _nothing_foreknown(store, chosen, joined)
    joined = joined.drop(columns="snapshot_id").assign(bad=joined["bad"].astype("boolean"))
    if unlabelled:
        return joined
    certain = joined.dropna(subset=["bad"]).reset_index(drop=True)
    return certain.assign(bad=certain["bad"].astype(bool))


def of_clusters(store: Store, label_set_id: str, frame: DataFrame) -> "Series[Any]":
    """Return the proxy label that the clusters of a set give to rows that had no part in it (null where thin or in the grey zone).

    Raises InvalidInput for a set whose clusters lie in another window than its predictors, or that has no clusters.
    """
    made = get(store, label_set_id)
    if made.method != "kmeans" or made.report.get("performance_days") is not None:
        raise InvalidInput(f"Label set {label_set_id} has no clusters in the figures that models read; only such a set labels other rows.")
    used = label_features(store, made)
    real = features.table(store, made.snapshot_id).sort_values("applicant_id", ignore_index=True)
    cloud = pipeline.signed_z(frame, used, real)[[feature.name for feature in used]].to_numpy(float)
    centres, called = np.array(made.report["centres"]), _called(made)
    thin = frame[[feature.name for feature in used]].isna().to_numpy().mean(axis=1) > 0.5
    bad = Series(np.isin(clusters.nearest(cloud, centres), called), index=frame.index, dtype="boolean")
    return bad.mask(clusters.grey_zone(cloud, centres, called) | thin)


def by_source(store: Store, snapshot_id: int) -> dict[str, DataFrame]:
    """Return verified labels of a snapshot's applicants by source ('observed', 'review'): applicant_id, bad.

    A verdict on a label says whether the applicant was rightly called bad: by the model's own label where there is one,
    else by the cut-off. Reviewers who cancel each other out give no label.
    """
    here = set(store.read("select applicant_id from applicant where snapshot_id = $id", id=snapshot_id)["applicant_id"])
    found = {"observed": _outcomes(store)[["applicant_id", "bad"]], "review": _reviewed(store)}
    return {source: frame[frame["applicant_id"].isin(here)].reset_index(drop=True) for source, frame in found.items()}


def banner(label_set: LabelSet) -> str | None:
    """Return the warning that pages, cards and the API show with everything learned from a label set, or None."""
    if not label_set.is_proxy:
        return None
    said = f"Learned from a proxy label ({_what(label_set)}, not real outcomes): figures show agreement with the proxy label."
    if label_set.circular:
        shared = len(label_set.report.get("shared_columns", []))
        said = (
            f"This model re-learns the clusters: the {shared} columns that made the proxy label are among its predictors, "
            "so its figures show agreement with the proxy label, not how well it foresees real outcomes."
        )
        if label_set.source == "rfm":
            said = (
                "This model re-learns engagement, not credit: its proxy label counts movements of the same days that its predictors "
                "read, so its figures show agreement with the proxy label, not how well it foresees real outcomes."
            )
        elif not shared:
            said = f"{said} A few questions about the predictors give that label away."
    failed = quality.failed(label_set.report.get("gates", []))
    return said if not failed else f"{said} The label set fails {len(failed)} of its quality checks ({', '.join(failed)})."


def _what(label_set: LabelSet) -> str:
    days = label_set.report.get("performance_days")
    if label_set.source == "combined":
        counts = label_set.report["by_source"]
        n = sum(counts.get(source, 0) for source in PROXIES)
        return f"{n:,} of its {sum(counts.values()):,} labels nobody has verified: they are groups of applicants"
    if label_set.source == "rfm":
        return "groups by how much money moves: engagement, not credit"
    return f"clusters of how accounts went over {days} days" if days else "clusters of applicants"


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


# --- looking into a label set --------------------------------------------------------------------------------------


def label_features(store: Store, label_set: LabelSet) -> list[Feature]:
    """Return the features that made a label set's clusters; for a set without clusters those of the plain risk index."""
    if label_set.method == "rfm":
        return [feature for feature in RFM if feature.name in label_set.report["label_features"]]
    names = label_set.report.get("label_features")
    return store.schema.index_features if names is None else [store.schema[name] for name in names]


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
    rows = _rows(store, get(store, label_set_id))
    table = rows[["snapshot_id", "applicant_id", "bad"]].merge(_known(store, rows), on=["snapshot_id", "applicant_id"])
    return quality.by_group(table, table["bad"], _protected(store))


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
        "border": np.abs(clusters.margins(cloud, centres, _called(made))),
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
    """Return the members that have a place among the clusters (all, without clusters), their signed z-values, the features."""
    used = label_features(store, made)
    names = [feature.name for feature in used]
    rows = members(store, made.label_set_id)
    if made.method == "rfm":
        table = rows.merge(_engaged(store, made.report["rfm"]), on="applicant_id", how="left")
    else:
        ends = {cohort["snapshot_id"]: cohort["performance_snapshot_id"] for cohort in made.report.get("cohorts", [])}
        parts = [
            features.table(store, ends.get(number, number))[["applicant_id", *names]].assign(snapshot_id=number)
            for number in sorted(rows["snapshot_id"].unique().tolist())
        ]
        table = rows.merge(concat(parts, ignore_index=True), on=["snapshot_id", "applicant_id"], how="left")
    cloud = pipeline.signed_z(table, used)[names].to_numpy(float)
    placed = table["segment"].notna().to_numpy(bool) if "centres" in made.report else np.ones(len(table), dtype=bool)
    return table[placed].reset_index(drop=True), cloud[placed], used


def _components(cloud: Floats) -> tuple[Floats, Floats, list[float]]:
    """Return the centred cloud, its first two principal directions, and the share of the variance along each.

    Along the first the index rises; in the second the largest loading is positive: the map does not depend on a sign's whim.
    """
    centred = cloud - cloud.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / max(len(cloud), 1))
    directions = vectors[:, ::-1].T[:2].copy()
    for place in range(2):
        pull = float((centred @ directions[place]) @ centred.mean(axis=1)) if place == 0 else 0.0
        largest = directions[place, np.argmax(np.abs(directions[place]).round(9))]
        if pull < 0 or (pull == 0 and largest < 0):
            directions[place] *= -1
    total = values.sum()
    return centred, directions, [float(value / total) if total > 0 else 0.0 for value in values[::-1][:2]]


# --- keeping -------------------------------------------------------------------------------------------------------


def _snapshot(store: Store, snapshot_id: int | None) -> int:
    chosen = features.latest_snapshot(store) if snapshot_id is None else snapshot_id
    if chosen is None:
        raise NothingYet("There are no features yet: ingest statements and run `features` first.")
    return chosen


def _keep(store: Store, made: LabelSet, rows: DataFrame) -> LabelSet:
    """Store a set and its members in one transaction; returns it under the id it got."""
    rows = rows[MEMBERS].astype({"segment": "Int32", "bad": "boolean"}).sort_values(["applicant_id", "snapshot_id"], ignore_index=True)
    name = store.value("select printf('L%04d', nextval('label_set_seq'))")
    report = {**made.report, "digest": _digest(rows)}
    row = {**asdict(made), "label_set_id": name, "report": stores.to_json(report)}
    detail = {"method": made.method, "k": made.k, "n": made.n, "passed": made.passed, "digest": report["digest"]}
    with store.write(made.created_by, "label", name, **detail) as cursor:
        cursor.execute(
            """insert into label_set values ($label_set_id, $method, $source, $snapshot_id, $k, $n, $share_risky, $passed, $circular,
            $report, $created_at, $created_by)""",
            row,
        )
        cursor.register("labelled", rows)
        cursor.execute(f"insert into label by name select $id as label_set_id, {', '.join(MEMBERS)} from labelled", {"id": name})
        cursor.unregister("labelled")
    return get(store, name)


def _rows(store: Store, made: LabelSet) -> DataFrame:
    """Return a set's members as they were kept; raises TamperedArtefact where they are others now."""
    rows = store.read(
        f"select {', '.join(MEMBERS)} from label where label_set_id = $id order by applicant_id, snapshot_id", id=made.label_set_id
    ).astype({"segment": "Int32", "bad": "boolean"})
    kept = made.report.get("digest")
    if kept is not None and _digest(rows) != kept:
        raise TamperedArtefact(
            f"The labels of set {made.label_set_id} are not those that were made ({made.n:,} by {made.created_by}): somebody changed the "
            "database by other means. Nothing is learned from them; make the set again."
        )
    return rows


def _digest(rows: DataFrame) -> str:
    """Return the SHA-256 of members in order: who, when, which segment, which label, which weight."""
    whole = hashlib.sha256(
        "\x1f".join(f"{name}\x1f{source}" for name, source in zip(rows["applicant_id"], rows["source"], strict=True)).encode()
    )
    for name, kind in (("snapshot_id", "<i4"), ("segment", "<i4"), ("bad", "<i4"), ("weight", "<f8"), ("risk_index", "<f8")):
        empty = np.nan if kind == "<f8" else -1
        whole.update(np.ascontiguousarray(rows[name].to_numpy(dtype=kind, na_value=empty)).tobytes())
    return whole.hexdigest()


def _known(store: Store, rows: DataFrame) -> DataFrame:
    """Return what was known of each member: snapshot_id, applicant_id, as_of, every feature."""
    parts = [features.table(store, number).assign(snapshot_id=number) for number in sorted(rows["snapshot_id"].unique().tolist())]
    return concat(parts, ignore_index=True)


def _protected(store: Store) -> list[Feature]:
    return [feature for feature in store.schema if feature.role == "protected"]


def _called(made: LabelSet) -> list[int]:
    """Return the segments that a set of clusters calls risky."""
    return [int(number) for number in made.report.get("risky", [(made.k or 1) - 1])]


def _nothing_foreknown(store: Store, chosen: LabelSet, joined: DataFrame) -> None:
    """Hold what is to be learned from against the clock, the names and the figures; raises Leakage naming the feature."""
    predictors, report = store.schema.predictors, chosen.report
    leakage.names(predictors)
    days = report.get("performance_days")
    if days is not None and chosen.method == "kmeans":
        used = label_features(store, chosen)
        leakage.windows(used, days)
        here, afterwards = [], []
        for cohort in report["cohorts"]:
            seen = features.table(store, cohort["performance_snapshot_id"]).set_index("applicant_id")
            known = joined[joined["snapshot_id"] == cohort["snapshot_id"]]
            then = seen.loc[known["applicant_id"]].reset_index()
            held = DataFrame({"applicant_id": known["applicant_id"].to_numpy(), "known": known["as_of"].to_numpy(), "seen": then["as_of"]})
            leakage.days(held, predictors, days + report["gap_days"])
            here.append(known)
            afterwards.append(then)
        leakage.copies(concat(here, ignore_index=True), concat(afterwards, ignore_index=True), predictors, used)
    if not chosen.circular:
        leakage.figures(joined, joined["bad"], predictors)


# --- from clusters to labels ---------------------------------------------------------------------------------------


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
    chosen, tried = clusters.scan(cloud, store.settings.labels, k, lambda done, what: say(0.8 * done, what))
    if risky is not None:
        chosen = clusters.calling(cloud, chosen, risky)
    source = "cluster" if method == "kmeans" else "rfm"
    index = risk_index(table, store.schema)
    judged = used
    if method == "rfm":  # signs of engagement prove nothing about credit: what is known to be risk has to agree
        judged = [feature for feature in store.schema.index_features if table[feature.name].nunique() > 1]
        chosen = replace(chosen, gap=clusters.gap_of(index.to_numpy(float)[enough], chosen))
    rows = _members(table, index, enough, chosen, clusters.grey_zone(cloud, chosen.centres, chosen.bad)).assign(source=source)
    say(0.8, "holding the clusters against outcomes and predictors")
    found = _against_outcomes(store, rows.assign(as_of=table["as_of"]))
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
        "groups": _groups_of(store, rows),
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
    return _keep(store, LabelSet("", method, source, newest_snapshot, chosen.k, len(rows), share, passed, circular, report, at, user), rows)


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


def _members(table: DataFrame, index: "Series[Any]", enough: NDArray[np.bool_], chosen: Clusters, grey: NDArray[np.bool_]) -> DataFrame:
    """Return every applicant's segment, index, label and weight; thin rows and the grey zone have no label."""
    bad = Series(chosen.risky, dtype="boolean").mask(Series(grey))
    found = DataFrame({"segment": Series(chosen.assigned, dtype="Int32"), "bad": bad}).set_index(table.index[enough])
    found = found.reindex(table.index)
    return found.assign(snapshot_id=table["snapshot_id"], applicant_id=table["applicant_id"], risk_index=index, weight=1.0)


def _given_away(store: Store, rows: DataFrame) -> dict[str, Any]:
    """Say whether three questions about the predictors give the label back."""
    labelled = rows[rows["bad"].notna()]
    known = labelled[["snapshot_id", "applicant_id", "bad"]].merge(_known(store, rows), on=["snapshot_id", "applicant_id"])
    predictors = store.schema.predictors
    matrix = np.empty((len(known), len(predictors)))
    for place, feature in enumerate(predictors):
        values = known[feature.name]
        matrix[:, place] = values.to_numpy(float, na_value=np.nan) if feature.is_numeric else values.astype("category").cat.codes
    return quality.reproduced(matrix, known["bad"].to_numpy(bool), known["applicant_id"].tolist())


def _groups_of(store: Store, rows: DataFrame) -> list[dict[str, Any]]:
    protected = _protected(store)
    if not protected:
        return []
    known = rows[["snapshot_id", "applicant_id", "bad"]].merge(_known(store, rows), on=["snapshot_id", "applicant_id"])
    return [
        {str(name): value for name, value in row.items()} for row in quality.by_group(known, known["bad"], protected).to_dict("records")
    ]


def _against_outcomes(store: Store, rows: DataFrame) -> Held:
    """Hold each applicant's newest label against what really happened."""
    labelled = rows.dropna(subset=["bad"]).sort_values("as_of", kind="stable").drop_duplicates("applicant_id", keep="last")
    joined = labelled.merge(_outcomes(store), on="applicant_id", suffixes=("", "_observed")).sort_values("applicant_id")
    return Held(joined["bad_observed"].to_numpy(bool), joined["risk_index"].to_numpy(float), joined["bad"].to_numpy(float))


# --- verified labels -----------------------------------------------------------------------------------------------


def _verified(store: Store, source: str, table: DataFrame, known: DataFrame, *, user: str, what: str, about: dict[str, Any]) -> LabelSet:
    """Keep a set of labels that somebody or something has verified: `known` has applicant_id and bad."""
    indexed = table.assign(risk_index=risk_index(table, store.schema))[["snapshot_id", "applicant_id", "risk_index"]]
    rows = indexed.merge(known[["applicant_id", "bad"]], on="applicant_id").assign(source=source, segment=None, weight=1.0)
    n, n_bad = len(rows), int(rows["bad"].sum())
    if n_bad in (0, n):
        kind = "outcome" if source == "observed" else "accepted verdict"
        said = f"no {kind} is recorded for them" if n == 0 else f"all {n} recorded {kind}s are {'bad' if n_bad else 'good'}"
        word = "Observed" if source == "observed" else "Reviewed"
        raise NotEnoughData(f"{word} labels need good and bad {kind}s of the {len(table)} applicants of this snapshot; {said}.")
    gates = quality.of_verified(n, n_bad, what)
    bad = rows["bad"].to_numpy(bool)
    index = Held(bad, rows["risk_index"].to_numpy(float), bad.astype(float)).interval("index")
    snapshot = int(table["snapshot_id"].iloc[0])
    report = {
        **about,
        "gates": gates,
        "n_bad": n_bad,
        "n_good": n - n_bad,
        "shared_columns": [],
        "groups": _groups_of(store, rows),
        "cohorts": [Cohort(snapshot, snapshot, None, n).row()],
        "index_auc_vs_observed": index,
    }
    passed = not quality.failed(gates)
    method = "observed" if source == "observed" else "reviewed"
    return _keep(store, LabelSet("", method, source, snapshot, None, n, n_bad / n, passed, False, report, stores.now(), user), rows)


def _left_out(n: int) -> str:
    return f" ({n:,} others were known before the features end)" if n else ""


def _outcomes(store: Store) -> DataFrame:
    return store.read("select applicant_id, observed_bad as bad, observed_on from outcome_current order by applicant_id")


def _inspected(store: Store) -> bool:
    there = store.value("select count(*) from information_schema.tables where table_name = 'inspection_current'")
    return bool(there) and bool(store.value("select count(*) from inspection_current where status = 'accepted'"))


def _reviewed(store: Store, *, accepted: bool = False) -> DataFrame:
    """Return applicant_id and the bad that the reviewers' verdicts on labels imply; `accepted`: only of those an inspector accepted."""
    inspected = "and review_id in (select review_id from inspection_current where status = 'accepted')" if accepted else ""
    verdicts = store.rows(
        f"""select prediction.applicant_id, review.verdict, label.bad, prediction.pd, prediction.policy
        from review_current as review
        join prediction using (prediction_id)
        join model using (model_id)
        left join (
            select label_set_id, applicant_id, max_by(bad, snapshot_id) as bad from label group by label_set_id, applicant_id
        ) as label on label.label_set_id = model.label_set_id and label.applicant_id = prediction.applicant_id
        where review.about = 'label' and review.verdict in ('correct', 'incorrect') {inspected}"""
    )
    implied: dict[str, list[bool]] = {}
    for applicant_id, verdict, labelled, prob_default, rules in verdicts:
        claimed = prob_default >= policy.cutoff(Policy(**json.loads(rules))) if labelled is None else labelled
        implied.setdefault(applicant_id, []).append((verdict == "correct") == claimed)
    settled = {name: sum(said) * 2 > len(said) for name, said in sorted(implied.items()) if sum(said) * 2 != len(said)}
    return DataFrame({"applicant_id": list(settled), "bad": list(settled.values())})
