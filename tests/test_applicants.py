"""Applications and outcomes are appended; strangers are counted, not stored."""

from datetime import date, timedelta

import pytest
from pandas import DataFrame

from creditrisk import applicants, conduct, scoring
from creditrisk.errors import InvalidInput, UnknownThing
from creditrisk.store import Store, now
from tests.books import keep


def application(**changes: object) -> DataFrame:
    facts = {
        "applicant_id": "ann",
        "applied_on": date(2025, 7, 1),
        "name": "Ann Ash",
        "amount": 5000.0,
        "term_months": 24,
        "purpose": "car",
    }
    return DataFrame([{**facts, **changes}])


def test_an_applicant_is_known_by_statement_application_or_both(store: Store) -> None:
    keep(store, "bob", [("2025-06-01", "100", "INC_SALARY")])
    applicants.apply(store, application(), user="tester")
    people = applicants.people(store).set_index("applicant_id")
    assert people.loc["ann", "name"] == "Ann Ash"
    assert people.loc["ann", "n_transactions"] == 0
    assert people.loc["bob", "n_transactions"] == 1
    assert applicants.person(store, "ann")["amount"] == 5000
    (scope,) = conduct.scopes(store, applicant_id="bob", as_of=date(2026, 1, 1))
    assert len(conduct.look(store, scope).movements) == 1


def test_names_that_end_in_numbers_are_listed_in_their_order(store: Store) -> None:
    applicants.apply(store, DataFrame([{**application().iloc[0], "applicant_id": f"row {n}"} for n in (10, 9, 100, 1)]), user="tester")
    assert applicants.people(store)["applicant_id"].tolist() == ["row 1", "row 9", "row 10", "row 100"]


def test_the_same_application_twice_is_one(store: Store) -> None:
    assert applicants.apply(store, application(), user="tester") == 1
    assert applicants.apply(store, application(amount=9999.0), user="tester") == 0
    assert applicants.person(store, "ann")["amount"] == 5000


@pytest.mark.parametrize("wrong", [{"amount": 0.0}, {"term_months": -1}, {"applied_on": None}])
def test_an_impossible_application_is_refused_by_name(store: Store, wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="'ann'"):
        applicants.apply(store, application(**wrong), user="tester")
    assert store.value("select count(*) from application") == 0


def test_outcomes_of_strangers_are_counted_and_left_out(store: Store) -> None:
    applicants.apply(store, application(), user="tester")
    given = DataFrame({"applicant_id": ["ann", "zed"], "observed_bad": [True, False], "observed_on": [date(2026, 1, 1)] * 2})
    assert applicants.record_outcomes(store, given, user="tester") == {"matched": 1, "unmatched": 1, "known_already": 0}
    assert applicants.person(store, "ann")["observed_bad"] is True


def test_the_outcome_recorded_last_counts_and_the_first_is_kept(store: Store) -> None:
    applicants.apply(store, application(), user="tester")
    for bad in (True, False):
        applicants.record_outcomes(store, DataFrame({"applicant_id": ["ann"], "observed_bad": [bad], "observed_on": [None]}), user="tester")
    assert applicants.person(store, "ann")["observed_bad"] is False
    assert store.value("select count(*) from outcome") == 2


def test_of_contradictory_outcomes_in_one_file_bad_counts(store: Store) -> None:
    applicants.apply(store, application(), user="tester")
    given = DataFrame({"applicant_id": ["ann"] * 3, "observed_bad": [False, True, False], "observed_on": [None] * 3})
    applicants.record_outcomes(store, given, user="tester")
    assert applicants.person(store, "ann")["observed_bad"] is True


def test_a_stranger_has_no_page(store: Store) -> None:
    with pytest.raises(UnknownThing, match="applicant 'zed'"):
        applicants.person(store, "zed")


def test_of_scores_of_one_instant_a_person_shows_the_one_that_is_current(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    who = str(filled.value("select min(applicant_id) from applicant"))
    at = now()
    monkeypatch.setattr(scoring, "now", lambda: at)
    for _ in range(5):  # their ids are drawn by lot
        scoring.score_applicants(filled, [who], user="ann", channel="test")
        current = filled.value("select prediction_id from prediction_current where applicant_id = $id", id=who)
        assert applicants.person(filled, who)["prediction_id"] == current
    monkeypatch.setattr(scoring, "now", lambda: at + timedelta(seconds=1))
    (made,) = scoring.score_applicants(filled, [who], user="ann", channel="test")
    assert applicants.person(filled, who)["prediction_id"] == made.prediction_id
