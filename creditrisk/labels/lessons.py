"""What is learned from: what was known of each labelled applicant on the day the label's window had not begun.

Nothing leaves this room that the leakage guard has not seen: clock, names and figures.
"""

from pandas import DataFrame, concat

from creditrisk import features, leakage
from creditrisk.labels.shelf import LabelSet, get, label_features, rows_of, what_was_known
from creditrisk.store import Store


def training_set(store: Store, label_set_id: str, *, unlabelled: bool = False) -> DataFrame:
    """Return applicant_id, as_of, every schema feature, bad, weight and source of the labelled rows, by applicant and date.

    An applicant of several cohorts has several rows: a split keeps them together. With `unlabelled`, the thin rows and the
    grey zone come too; their `bad` is null.
    Raises Leakage where a predictor knows what it is to foresee, TamperedArtefact where the labels are not those that were made.
    """
    chosen = get(store, label_set_id)
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
