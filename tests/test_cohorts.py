"""Cohorts: everybody on several dates, predictors before each, the label's window after it, and nothing beyond the statements."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest

from creditrisk import cohorts, features, labels
from creditrisk.cohorts import Windows
from creditrisk.errors import InvalidInput, NotEnoughData
from creditrisk.settings import Labels
from creditrisk.store import Store

R = "two groups, as planted"


@pytest.fixture
def quick(filled: Store) -> Store:
    """The small bank, where few clusters and few resamples are tried."""
    filled.settings = replace(filled.settings, labels=Labels(k_max=3, bootstraps=5))
    return filled


def test_windows_that_cannot_be_are_refused() -> None:
    assert Windows(90, 30).ahead == 120
    for wrong, said in (
        ({"performance_days": 0}, "between 1 and 3,650 days, not 0"),
        ({"performance_days": 90, "gap_days": -1}, "A gap has between 0"),
        ({"gap_days": 30}, "A gap needs a performance window"),
        ({"dates": (date(2026, 1, 1),)}, "Cohorts need a performance window"),
    ):
        with pytest.raises(InvalidInput, match=said):
            Windows(**wrong)  # type: ignore[arg-type]


def test_every_so_many_days_fits_into_the_statements(store: Store, quick: Store) -> None:
    dates = cohorts.every(quick, 60, Windows(90, 10))
    first, last = quick.rows("select min(first_on), max(last_on) + 1 from statement_account")[0]
    assert dates[-1] + timedelta(days=100) == last
    assert {(later - earlier).days for earlier, later in pairwise(dates)} == {60}
    assert first + timedelta(days=180) <= dates[0] < first + timedelta(days=240)
    with pytest.raises(NotEnoughData, match="leave no date"):
        cohorts.every(quick, 60, Windows(3_000))
    with pytest.raises(NotEnoughData, match="there are none in this workspace"):
        cohorts.every(store, 60, Windows(90))


def test_an_applicant_is_looked_at_once_for_each_cohort_and_stays_one_person(quick: Store) -> None:
    latest = features.latest_snapshot(quick)
    days = cohorts.every(quick, 120, Windows(90, 15))
    made = labels.kmeans(quick, user="ann", performance_days=90, gap_days=15, cohorts=days, k=2, reason=R)
    assert features.latest_snapshot(quick) == latest  # looking back never says what is known now
    held = made.report["cohorts"]
    assert [cohort["as_of"] for cohort in held] == [day.isoformat() for day in days]
    for cohort, day in zip(held, days, strict=True):
        known = features.table(quick, cohort["snapshot_id"])["as_of"]
        seen = features.table(quick, cohort["performance_snapshot_id"])["as_of"]
        assert {when.date() for when in known} == {day}
        assert {when.date() for when in seen} == {day + timedelta(days=105)}
    rows = labels.members(quick, made.label_set_id)
    assert not rows.duplicated(["applicant_id", "as_of"]).any()
    assert rows["applicant_id"].duplicated().any()
    assert set(rows["snapshot_id"]) == {cohort["snapshot_id"] for cohort in held}
    learned = labels.training_set(quick, made.label_set_id)
    assert len(learned) == made.report["n_bad"] + made.report["n_good"]
    assert {when.date() for when in learned["as_of"]} == set(days)
    shares = labels.by_cohort(quick, made.label_set_id)
    assert shares["cohort"].tolist() == [day.isoformat() for day in days]
    assert shares["n_bad"].sum() == made.report["n_bad"]
    assert (shares["low"] <= shares["share"]).all()


def test_the_order_in_which_cohorts_are_named_changes_no_label(quick: Store) -> None:
    days = cohorts.every(quick, 120, Windows(90))[-2:]
    one, other = (
        labels.members(quick, labels.kmeans(quick, user="ann", performance_days=90, cohorts=order, k=2, reason=R).label_set_id)
        for order in (days, (*reversed(days), days[0]))
    )
    columns = ["applicant_id", "as_of", "segment", "bad"]
    assert one[columns].equals(other[columns])


def test_a_cohort_judged_by_days_that_nobody_has_seen_is_refused(quick: Store) -> None:
    (last,) = quick.rows("select max(last_on) from statement_account")[0]
    before = quick.value("select count(*) from snapshot")
    with pytest.raises(InvalidInput, match="the last statement ends before"):
        labels.kmeans(quick, user="ann", performance_days=90, cohorts=[last - timedelta(days=80)])
    assert quick.value("select count(*) from snapshot") == before
