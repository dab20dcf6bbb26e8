"""The workspace tells what it holds and what was done, in words."""

from creditrisk import applicants, workspace
from creditrisk.store import Store
from tests.books import keep
from tests.test_applicants import application


def test_an_empty_workspace_counts_nothing(store: Store) -> None:
    counted = workspace.summary(store)
    assert {name: value for name, value in counted.items() if value} == {}
    assert workspace.activity(store).empty
    assert workspace.scores(store).empty


def test_counts_and_history(store: Store) -> None:
    keep(store, "bob", [("2025-06-01", "100", "INC_SALARY"), ("2025-06-03", "-9", "UNKNOWN")])
    applicants.apply(store, application(), user="ana")
    counted = workspace.summary(store)
    assert (counted["n_applicants"], counted["n_statements"], counted["n_transactions"]) == (2, 1, 2)
    newest = workspace.activity(store).iloc[0]
    assert (newest["user_name"], newest["sentence"]) == ("ana", "recorded 1 application")


def test_every_action_of_the_demo_has_its_sentence(filled: Store) -> None:
    told = workspace.activity(filled, limit=10_000)
    assert told["sentence"].notna().all()
    assert not [
        said
        for action, subject, said in zip(told["action"], told["subject"], told["sentence"], strict=True)
        if said == f"{action} {subject}"
    ]
