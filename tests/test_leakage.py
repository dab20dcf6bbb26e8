"""Nothing is learned from a predictor that knows what it is to foresee, and the refusal names it."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from pandas import DataFrame, Series

from creditrisk import features, labels, leakage, plan, training
from creditrisk.errors import Leakage
from creditrisk.schema import Feature, Schema
from creditrisk.settings import Labels
from creditrisk.store import Store
from tests.test_labels import happened, people, put

BALANCE = Feature("balance", "Balance", window_days=90)


def two_windows(store: Store) -> labels.LabelSet:
    store.settings = replace(store.settings, labels=Labels(k_max=2, bootstraps=5))
    return labels.kmeans(store, user="ann", performance_days=90, k=2, reason="a small bank has two groups")


@pytest.mark.parametrize("name", ["recoveries", "total_rec_prncp", "loan_status", "ChargedOff".lower(), "observed_bad", "last_pymnt_amnt"])
def test_what_only_the_end_of_a_loan_tells_is_known_by_its_name(name: str) -> None:
    with pytest.raises(Leakage, match=rf"\({name}\) is called as something that only the end of a loan can tell"):
        leakage.names([BALANCE, Feature(name, "A column")])
    leakage.names([Feature(name, "A column", why="of an earlier loan, from the bureau")])


def test_what_is_known_when_somebody_applies_may_be_called_as_it_is(store: Store) -> None:
    leakage.names(store.schema.predictors)
    leakage.names(
        [Feature(name, name) for name in ("cb_person_default_on_file", "NumberOfTime30-59DaysPastDueNotWorse", "PAY_0", "status")]
    )


def test_a_predictor_of_the_day_after_the_label_begins_is_refused() -> None:
    day = np.datetime64("2026-03-01")
    rows = DataFrame({"applicant_id": ["A", "B"], "known": [day, day], "seen": [day + 100, day + 100]})
    leakage.days(rows, [BALANCE], 100)
    with pytest.raises(Leakage, match=r"Balance \(balance\).*reads up to 2026-03-01 for applicant B.*begins on 2026-02-28 \(1 of 2"):
        leakage.days(rows.assign(seen=[day + 100, day + 99]), [BALANCE], 100)
    with pytest.raises(Leakage):
        leakage.days(rows.assign(seen=[day + 100, np.datetime64("nat")]), [BALANCE], 100)


def test_a_label_feature_that_reaches_before_its_window_is_refused() -> None:
    leakage.windows([BALANCE], 90)
    with pytest.raises(Leakage, match=r"Balance \(balance\) has a window of 90 days and the performance window 60"):
        leakage.windows([BALANCE], 60)
    with pytest.raises(Leakage, match="no declared window"):
        leakage.windows([replace(BALANCE, window_days=None)], 60)


def test_one_predictor_that_tells_everything_is_refused_and_a_strong_one_is_not() -> None:
    random = np.random.default_rng(1)
    bad = random.random(600) < 0.2
    strong = random.normal(size=600) + 2.5 * bad
    frame = DataFrame({"balance": strong})
    leakage.figures(frame, Series(bad), [BALANCE])
    far = random.choice([-1.0, 1.0], 600) * random.uniform(1, 2, 600)
    between = np.where(bad, far, random.uniform(-0.9, 0.9, 600))  # too much and too little are bad alike: ranked it tells nothing
    for told in (bad * 1.0, -1.0 * bad, np.where(bad, random.random(600), np.nan), between):
        with pytest.raises(Leakage, match=r"Balance \(balance\) alone tells good from bad"):
            leakage.figures(DataFrame({"balance": told}), Series(bad), [BALANCE])
    paid = Feature("paid", "Paid", type="choice", choices=("yes", "no"))
    with pytest.raises(Leakage, match=r"Paid \(paid\)"):
        leakage.figures(DataFrame({"paid": np.where(bad, "no", "yes")}), Series(bad), [paid])
    few = np.arange(600) < 5  # five bad ones prove nothing
    leakage.figures(DataFrame({"balance": few * 1.0}), Series(few), [BALANCE])


def test_a_planted_predictor_of_the_performance_window_fails_the_run(filled: Store) -> None:
    made = two_windows(filled)
    assert len(labels.training_set(filled, made.label_set_id))
    with filled.write("mallory", "test", "leak") as cursor:  # income of the label's own days, under the name of what was known before
        cursor.execute(
            """update applicant set history_days = later.outflow_to_income_90d
            from applicant as later
            where applicant.snapshot_id = $known and later.snapshot_id = $seen and later.applicant_id = applicant.applicant_id""",
            {"known": made.snapshot_id, "seen": made.report["performance_snapshot_id"]},
        )
    with pytest.raises(Leakage, match=r"\(history_days\) ranks the applicants as .* \(outflow_to_income_90d\) of the performance window"):
        training.train(filled, plan.Config(label_set_id=made.label_set_id, algorithms=("logistic",)), user="ann")


def test_predictors_computed_too_late_fail_the_run(filled: Store) -> None:
    made = two_windows(filled)
    with filled.write("mallory", "test", "leak") as cursor:
        cursor.execute("update applicant set as_of = as_of + 1 where snapshot_id = $known", {"known": made.snapshot_id})
    before = filled.value("select count(*) from model")
    with pytest.raises(Leakage, match="must not be known before the label begins"):
        training.train(filled, plan.Config(label_set_id=made.label_set_id, algorithms=("logistic",)), user="ann")
    assert filled.value("select count(*) from model") == before


def test_an_outcome_that_the_features_could_have_read_is_no_label(filled: Store) -> None:
    rows = features.table(filled)[["applicant_id", "as_of"]]
    seen = DataFrame(
        {
            "applicant_id": rows["applicant_id"],
            "observed_bad": np.arange(len(rows)) // 2 % 4 == 0,
            "observed_on": [day.date() + timedelta(days=30 * (place % 2)) for place, day in enumerate(rows["as_of"])],
        }
    )
    from creditrisk import applicants

    applicants.record_outcomes(filled, seen, user="ann")
    made = labels.observed(filled, user="ann")
    assert made.n == len(rows) // 2
    assert "75 others were known before the features end" in made.report["gates"][0]["sentence"]


def test_a_column_that_holds_the_outcome_fails_the_run_by_name(store: Store) -> None:
    frame, trouble = people()
    frame["ewa_count_90d"] = trouble * 1.0
    put(store, frame)
    happened(store, frame["applicant_id"].tolist(), trouble)
    made = labels.observed(store, user="ann")
    with pytest.raises(Leakage, match=r"\(ewa_count_90d\) alone tells good from bad with AUC 1\.000"):
        labels.training_set(store, made.label_set_id)
    reported = [replace(each, role="report") if each.name == "ewa_count_90d" else each for each in store.schema]
    store.schema = Schema(store.schema.name, tuple(reported))
    assert len(labels.training_set(store, made.label_set_id)) == len(frame)
