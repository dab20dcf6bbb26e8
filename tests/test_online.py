"""The online challenger: it foretells before it learns, begins again where it stopped, and never scores."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from creditrisk import online, registry, split
from creditrisk.errors import NotAllowed, NothingYet
from creditrisk.store import Store
from tests.test_retraining import ground, judged, store, truth  # noqa: F401


def test_it_foretells_each_case_before_it_learns_from_it(store: Store, truth: np.ndarray) -> None:  # noqa: F811
    with pytest.raises(NothingYet, match="No accepted verdict on a label is left"):
        online.learn(store, user="ann")
    names = judged(store, truth, 40)
    asked = store.settings.training
    taught = np.array(names)[~split.held_out(names, asked.test_size, asked.seed)]
    assert online.waiting(store) == len(taught) == online.learn(store, user="ann")
    kept = store.read("select * from lesson_online order by step")
    assert set(kept["applicant_id"]) == set(taught), "whoever is kept for the tests of trainings teaches nothing"
    assert kept["bad"].tolist() == [bool(truth[int(name[1:])]) for name in kept["applicant_id"]]
    assert kept["learned_by"].eq("ann").all()
    found = online.prequential(store)
    ours = (found["bad"].astype(float) - found["pd"]) ** 2
    assert found["brier"].iloc[-1] == pytest.approx(ours.mean())
    assert found["brier_low"].isna().sum() == online.BURN_IN - 1
    assert found["less"].iloc[-1] == pytest.approx(found["brier"].iloc[-1] - found["champion_brier"].iloc[-1])
    assert online.waiting(store) == 0
    with pytest.raises(NothingYet):
        online.learn(store, user="ann")


def test_in_two_goes_it_becomes_what_it_would_have_become_in_one(store: Store, truth: np.ndarray) -> None:  # noqa: F811
    judged(store, truth, 15)
    online.learn(store, user="ann")
    judged(store, truth, 15)
    online.learn(store, user="ann")
    apart = store.read("select * from lesson_online order by step")
    with store.write("ann", "learn", "once more") as cursor:
        cursor.execute("delete from lesson_online")
    online.learn(store, user="ann")
    whole = store.read("select * from lesson_online order by step")
    assert whole["applicant_id"].tolist() == apart["applicant_id"].tolist()
    assert whole["pd"].to_numpy() == pytest.approx(apart["pd"].to_numpy())
    last = [json.loads(rows["weights"].iloc[-1]) for rows in (apart, whole)]
    assert last[0] == pytest.approx(last[1])
    assert online.snapshots(store)["step"].is_monotonic_decreasing


def test_its_first_weights_are_the_plain_risk_index_and_every_case_moves_them(store: Store, truth: np.ndarray) -> None:  # noqa: F811
    judged(store, truth, 20)
    online.learn(store, user="ann")
    weights = [json.loads(text) for text in store.read("select weights from lesson_online order by step")["weights"]]
    assert all(before != after for before, after in pairwise(weights))
    assert set(weights[0]) == {feature.name for feature in online.signed(store.schema)} | {online.CONSTANT}


def test_what_weighs_most_with_it_is_said_with_how_far_it_wanders(store: Store, truth: np.ndarray) -> None:  # noqa: F811
    assert online.weighs(store).empty
    judged(store, truth, 60)
    online.learn(store, user="ann")
    found = online.weighs(store, most=3)
    assert 0 < len(found) <= 3
    assert (found["low"] <= found["odds"]).all()
    assert (found["odds"] <= found["high"]).all()
    assert np.log(found["odds"]).abs().is_monotonic_decreasing
    newest = online.snapshots(store).iloc[0]
    for row in found.to_dict("records"):
        assert row["odds"] == pytest.approx(np.exp(newest[row["feature"]]))
        assert row["title"] == store.schema[row["feature"]].title
        assert row["says"] in online.SAYS
        assert (row["says"] == "more") == (row["low"] > row["began"] and row["high"] >= 1)


def test_it_stands_in_no_registry(store: Store, truth: np.ndarray) -> None:  # noqa: F811
    judged(store, truth, 12)
    before = registry.models(store)["model_id"].tolist()
    online.learn(store, user="ann")
    assert registry.models(store)["model_id"].tolist() == before
    assert (registry.champion(store) or {})["model_id"] == "M0001"


def test_a_person_who_makes_no_models_teaches_it_nothing(store: Store, truth: np.ndarray) -> None:  # noqa: F811
    judged(store, truth, 12)
    store.settings = replace(store.settings, people=replace(store.settings.people, roles={"rita": ("reviewer",)}))
    with pytest.raises(NotAllowed):
        online.learn(store, user="rita")
    assert online.prequential(store).empty
