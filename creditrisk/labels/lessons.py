"""What is learned from: what was known of each labelled applicant on the day the label's window had not begun.

Nothing leaves this room that the leakage guard has not seen: clock, names and figures.
"""

from pandas import DataFrame, concat

from creditrisk import features, leakage
from creditrisk.errors import NothingYet
from creditrisk.labels.shelf import LabelSet, cohorts_of, get, label_features, rows_of, what_was_known
from creditrisk.store import Store


def training_set(store: Store, label_set_id: str, *, unlabelled: bool = False) -> DataFrame:
    """Return applicant_id, as_of, every schema feature, bad, weight and source of the labelled rows, by applicant and date.

    An applicant of several cohorts has several rows: a split keeps them together. With `unlabelled`, the thin rows and the
    grey zone come too; their `bad` is null.
    Raises Leakage where a predictor knows what it is to foresee, TamperedArtefact where the labels are not those that were made.
    """
    chosen = get(store, label_set_id)
    if chosen.is_foreign:
        raise NothingYet(
            f"Label set {label_set_id} came with a model from another workspace; the features of its applicants stayed there, so nothing "
            "can be learned from it here. Choose a label set made here."
        )
    labelled = rows_of(store, chosen)
    joined = what_was_known(store, labelled).merge(
        labelled[["snapshot_id", "applicant_id", "bad", "weight", "source"]], on=["snapshot_id", "applicant_id"]
    )
    joined = joined.sort_values(["applicant_id", "as_of"], ignore_index=True)
    _nothing_foreknown(store, chosen, joined)
    joined = joined.drop(columns="snapshot_id").assign(bad=joined["bad"].astype("boolean"))
    if unlabelled:
        return joined
    certain = joined.dropna(subset=["bad"]).reset_index(drop=True)
    return certain.assign(bad=certain["bad"].astype(bool))


def _nothing_foreknown(store: Store, chosen: LabelSet, joined: DataFrame) -> None:
    """Hold what is to be learned from against the names, the clock and the figures; raises Leakage naming the feature."""
    predictors = store.schema.predictors
    leakage.names(predictors)
    for name in chosen.report.get("sets", []):  # those put together each have windows of their own
        part = get(store, name)
        own = {cohort["snapshot_id"] for cohort in cohorts_of(part)}
        _nothing_foreknown(store, part, joined[joined["snapshot_id"].isin(own) & (joined["source"] == part.source)])
    if chosen.report.get("performance_days") is not None:
        _windows_apart(store, chosen, joined)
    if not chosen.circular:
        leakage.figures(joined, joined["bad"], predictors)


def _windows_apart(store: Store, chosen: LabelSet, joined: DataFrame) -> None:
    """Refuse predictors that end after the label's window begins, and those that rank as its figures do."""
    days, predictors = chosen.report["performance_days"], store.schema.predictors
    used = label_features(store, chosen) if chosen.method == "kmeans" else []
    leakage.windows(used, days)
    known, seen = [], []
    for cohort in cohorts_of(chosen):
        table = features.table(store, cohort["performance_snapshot_id"]).set_index("applicant_id")
        known.append(joined[joined["snapshot_id"] == cohort["snapshot_id"]])
        seen.append(table.reindex(known[-1]["applicant_id"]).reset_index())
    before, after = (concat(parts, ignore_index=True) for parts in (known, seen))
    held = DataFrame({"applicant_id": before["applicant_id"], "known": before["as_of"], "seen": after["as_of"]})
    leakage.days(held, predictors, days + chosen.report.get("gap_days", 0))
    leakage.copies(before, after, predictors, used)
