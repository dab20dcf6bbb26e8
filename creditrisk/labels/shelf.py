"""Label sets as they are kept: immutable, known by a digest of their members, each with its source and its quality report.

There is no way to change one. What is read back is held against the digest before anything is learned from it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

import numpy as np
from pandas import DataFrame, Series, concat

from creditrisk import features, index, quality
from creditrisk import rfm as engagement
from creditrisk import store as stores
from creditrisk.errors import NothingYet, TamperedArtefact, UnknownThing
from creditrisk.schema import Feature, Schema
from creditrisk.store import Store

PROXIES = ("cluster", "rfm")
FOREIGN = 0  # the snapshot of labels that came with a model: none of this workspace's
MEMBERS = ["snapshot_id", "applicant_id", "source", "segment", "risk_index", "bad", "weight"]
RFM = (
    Feature("recency_days", "Days since the last movement", unit="days", risk=1),
    Feature("frequency", "Movements", type="integer", risk=-1),
    Feature("monetary", "Money moved", unit="money", risk=-1),
)


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
    def is_foreign(self) -> bool:
        """Whether it came with a model from another workspace, where the features of its applicants stayed."""
        return self.snapshot_id == FOREIGN

    @property
    def is_proxy(self) -> bool:
        """Whether nobody has verified these labels, or some of them."""
        return self.source in PROXIES or any(self.report.get("by_source", {}).get(source) for source in PROXIES)


def sets(store: Store) -> DataFrame:
    """Return one row per label set made here, newest first, without the report and the labels."""
    return store.read(
        """select label_set_id, method, source, snapshot_id, k, n, share_risky, passed, circular, created_at, created_by
        from label_set where snapshot_id <> $foreign order by label_set_id desc""",
        foreign=FOREIGN,
    )


def newest(store: Store) -> str | None:
    """Return the id of the label set made last, here."""
    name: str | None = store.value("select max(label_set_id) from label_set where snapshot_id <> $foreign", foreign=FOREIGN)
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


def banner(label_set: LabelSet) -> str | None:
    """Return the warning that pages, cards and the API show with everything learned from a label set, or None."""
    if not label_set.is_proxy:
        return None
    said = f"Learned from a proxy label ({_what(label_set)}, not real outcomes): figures show agreement with the proxy label."
    if label_set.circular:
        said = f"{_circle(label_set)}, so its figures show agreement with the proxy label, not how well it foresees real outcomes."
    failed = quality.failed(label_set.report.get("gates", []))
    return said if not failed else f"{said} The label set fails {len(failed)} of its quality checks ({', '.join(failed)})."


def _circle(label_set: LabelSet) -> str:
    shared = len(label_set.report.get("shared_columns", []))
    if label_set.source == "rfm":
        return "This model re-learns engagement, not credit: its proxy label counts movements of the same days that its predictors read"
    if shared:
        return f"This model re-learns the clusters: the {shared} columns that made the proxy label are among its predictors"
    return "This model re-learns the clusters: three questions about its predictors give the proxy label back"


def warnings(label_set: LabelSet) -> list[str]:
    """Return what a person should look at before believing a set, beside its gates: a label that gives itself away, groups hit harder."""
    tree = label_set.report.get("tree")
    said = [tree["sentence"]] if tree and tree["alarm"] else []
    for group in label_set.report.get("groups", []):
        if group["warned"]:
            times = "everybody else's share is none" if group["ratio"] is None else f"{group['ratio']:.2g} times everybody else's share"
            said.append(
                f"{group['title']} {group['group']}: {100 * group['share']:.1f} % of {group['n']:,} are labelled bad (95 % confidence "
                f"{100 * group['low']:.1f} to {100 * group['high']:.1f} %), {times}; chance does not explain it (p = {group['p']:.2g})."
            )
    return said


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
        **{name: report[name] for name in ("proxy_mass", "proxy_weight") if name in report},
    }


def label_features(store: Store, label_set: LabelSet) -> list[Feature]:
    """Return the features that made a label set's clusters; for a set without clusters those of the plain risk index."""
    if label_set.method == "rfm":
        return [feature for feature in RFM if feature.name in label_set.report["label_features"]]
    names = label_set.report.get("label_features")
    return store.schema.index_features if names is None else [store.schema[name] for name in names]


def risk_index(frame: DataFrame, schema: Schema) -> "Series[Any]":
    """Return the plain signed risk index of each row (nothing learned, higher = riskier), in robust standard deviations."""
    return Series(index.risk_index(frame, schema.index_features), index=frame.index, name="risk_index")


def keep(store: Store, made: LabelSet, rows: DataFrame) -> LabelSet:
    """Store a set and its members in one transaction; returns it under the id it got."""
    name = store.value("select printf('L%04d', nextval('label_set_seq'))")
    kept, rows = _sealed(replace(made, label_set_id=name), rows)
    detail = {"method": made.method, "k": made.k, "n": made.n, "passed": made.passed, "digest": kept.report["digest"]}
    with store.write(made.created_by, "label", name, **detail) as cursor:
        _insert(cursor, kept, rows)
    return get(store, name)


def named(made: LabelSet, name: str, report: dict[str, Any]) -> LabelSet:
    """Return a set that came with a model, as it stands here: of no snapshot of this workspace."""
    return replace(made, label_set_id=name, snapshot_id=FOREIGN, report=report)


def known(store: Store, label_set_id: str) -> bool:
    """Say whether a set is in this workspace."""
    return store.value("select 1 from label_set where label_set_id = $id", id=label_set_id) is not None


def receive(cursor: Any, made: LabelSet, rows: DataFrame) -> None:
    """Store a set that came with a model, under the id it brings, inside the transaction that registers the model."""
    _insert(cursor, *_sealed(made, rows.assign(snapshot_id=made.snapshot_id)))


def _sealed(made: LabelSet, rows: DataFrame) -> tuple[LabelSet, DataFrame]:
    """Return a set with the digest of its members, and these in order."""
    rows = rows[MEMBERS].astype({"segment": "Int32", "bad": "boolean"}).sort_values(["applicant_id", "snapshot_id"], ignore_index=True)
    return replace(made, report={**made.report, "digest": digest(rows)}), rows


def _insert(cursor: Any, made: LabelSet, rows: DataFrame) -> None:
    cursor.execute(
        """insert into label_set values ($label_set_id, $method, $source, $snapshot_id, $k, $n, $share_risky, $passed, $circular,
        $report, $created_at, $created_by)""",
        {**asdict(made), "report": stores.to_json(made.report)},
    )
    cursor.register("labelled", rows)
    cursor.execute(f"insert into label by name select $id as label_set_id, {', '.join(MEMBERS)} from labelled", {"id": made.label_set_id})
    cursor.unregister("labelled")


def rows_of(store: Store, made: LabelSet) -> DataFrame:
    """Return a set's members as they were kept; raises TamperedArtefact where they are others now."""
    rows = store.read(
        f"select {', '.join(MEMBERS)} from label where label_set_id = $id order by applicant_id, snapshot_id", id=made.label_set_id
    ).astype({"segment": "Int32", "bad": "boolean"})
    kept = made.report.get("digest")
    if kept is not None and digest(rows) != kept:
        raise TamperedArtefact(
            f"The labels of set {made.label_set_id} are not those that were made ({made.n:,} by {made.created_by}): somebody changed the "
            "database by other means. Nothing is learned from them; make the set again."
        )
    return rows


def resealed(cursor: Any, applicant_ids: Sequence[str]) -> dict[str, list[str]]:
    """Give sets in which people got other names the digest of what they hold now; returns the digest before and after, by set.

    Inside the transaction that renamed them, and for nothing else: it is on record there.
    """
    changed: dict[str, list[str]] = {}
    held = "select distinct label_set_id from label where list_contains($ids, applicant_id) order by 1"
    for (name,) in cursor.execute(held, {"ids": list(applicant_ids)}).fetchall():
        rows = cursor.execute(
            f"select {', '.join(MEMBERS)} from label where label_set_id = $id order by applicant_id, snapshot_id", {"id": name}
        ).df()
        after = digest(rows.astype({"segment": "Int32", "bad": "boolean"}))
        report = json.loads(cursor.execute("select report from label_set where label_set_id = $id", {"id": name}).fetchall()[0][0])
        changed[name] = [report.get("digest"), after]
        told = stores.to_json({**report, "digest": after})
        cursor.execute("update label_set set report = $report where label_set_id = $id", {"report": told, "id": name})
    return changed


def digest(rows: DataFrame) -> str:
    """Return the SHA-256 of members, by applicant and snapshot: who, when, which segment, which label, which weight."""
    whole = hashlib.sha256(
        "\x1f".join(f"{name}\x1f{source}" for name, source in zip(rows["applicant_id"], rows["source"], strict=True)).encode()
    )
    for name, kind in (("snapshot_id", "<i4"), ("segment", "<i4"), ("bad", "<i4"), ("weight", "<f8"), ("risk_index", "<f8")):
        empty = np.nan if kind == "<f8" else -1
        whole.update(np.ascontiguousarray(rows[name].to_numpy(dtype=kind, na_value=empty)).tobytes())
    return whole.hexdigest()


def what_was_known(store: Store, rows: DataFrame) -> DataFrame:
    """Return what was known of each member: snapshot_id, applicant_id, as_of, every feature."""
    parts = [features.table(store, number).assign(snapshot_id=number) for number in sorted(rows["snapshot_id"].unique().tolist())]
    return concat(parts, ignore_index=True)


def protected_features(store: Store) -> list[Feature]:
    return [feature for feature in store.schema if feature.role == "protected"]


def cohorts_of(made: LabelSet) -> list[dict[str, Any]]:
    """Return the cohorts of a set: snapshot_id of what was known, performance_snapshot_id, as_of (null: days of their own), n."""
    seen = made.report.get("performance_snapshot_id") or made.snapshot_id
    one = {"snapshot_id": made.snapshot_id, "performance_snapshot_id": seen, "as_of": None, "n": made.n}
    return list(made.report.get("cohorts", [one]))


def risky_segments(made: LabelSet) -> list[int]:
    """Return the segments that a set of clusters calls risky."""
    return [int(number) for number in made.report.get("risky", [(made.k or 1) - 1])]


def groups_of(store: Store, rows: DataFrame) -> list[dict[str, Any]]:
    protected = protected_features(store)
    if not protected:
        return []
    known = rows[["snapshot_id", "applicant_id", "bad"]].merge(what_was_known(store, rows), on=["snapshot_id", "applicant_id"])
    return [
        {str(name): value for name, value in row.items()} for row in quality.by_group(known, known["bad"], protected).to_dict("records")
    ]


def outcomes_after(store: Store) -> DataFrame:
    """Return snapshot_id, applicant_id and bad of the outcomes that the figures of a snapshot cannot have known."""
    return store.read("select snapshot_id, applicant_id, observed_bad as bad from outcome_of_snapshot order by snapshot_id, applicant_id")


def against_outcomes(store: Store, rows: DataFrame) -> quality.Held:
    """Hold each applicant's newest label (applicant_id, as_of, snapshot_id, risk_index, bad) against what really happened."""
    labelled = rows.dropna(subset=["bad"]).sort_values("as_of", kind="stable").drop_duplicates("applicant_id", keep="last")
    joined = labelled.merge(outcomes_after(store), on=["snapshot_id", "applicant_id"], suffixes=("", "_observed")).sort_values(
        "applicant_id"
    )
    return quality.Held(joined["bad_observed"].to_numpy(bool), joined["risk_index"].to_numpy(float), joined["bad"].to_numpy(float))


def outcomes(store: Store) -> DataFrame:
    return store.read("select applicant_id, observed_bad as bad, observed_on from outcome_current order by applicant_id")


def engaged(store: Store, asked: Mapping[str, Any]) -> DataFrame:
    """Return applicant_id and the three figures as they were asked for."""
    day = asked["as_of"] if isinstance(asked["as_of"], date) else date.fromisoformat(asked["as_of"])
    found = engagement.stored(store, day, days=asked["days"], direction=asked["direction"], of_snapshot=asked["of_snapshot"])
    return found.drop(columns="as_of")


def snapshot_of(store: Store, snapshot_id: int | None) -> int:
    chosen = features.latest_snapshot(store) if snapshot_id is None else snapshot_id
    if chosen is None:
        raise NothingYet("There are no features yet: ingest statements and run `features` first.")
    return chosen
