"""The gate fails closed: too few labels, NaN, a lost group or a worse challenger are refused in sentences, and a second person promotes."""

from typing import Any

import numpy as np
import pytest
from pandas import DataFrame

from creditrisk import gate, registry
from creditrisk.errors import NotAllowed
from creditrisk.schema import Feature
from creditrisk.store import Store


def judged(monkeypatch: pytest.MonkeyPatch, store: Store, bad: Any, ours: Any, theirs: Any) -> gate.Judgement:
    """Compare two models whose chances of everybody are given; the verified are the first applicants."""
    everyone = DataFrame({"applicant_id": [f"A{place:04d}" for place in range(len(ours))]})
    chances = {"M1": np.asarray(ours, dtype=float), "M2": np.asarray(theirs, dtype=float)}
    known = DataFrame({"applicant_id": everyone["applicant_id"][: len(bad)], "bad": bad})
    monkeypatch.setattr(gate, "holdout", lambda store, *models: (known, known["bad"]))
    monkeypatch.setattr(gate, "chances_of", lambda store, model_id, table: chances[model_id])
    monkeypatch.setattr(gate.features, "table", lambda store, snapshot_id: everyone)
    return gate.compare(store, {"model_id": "M1", "snapshot_id": 1}, {"model_id": "M2", "snapshot_id": 1})


def world(n: int = 400, seed: int = 3) -> tuple[Any, Any]:
    """Return outcomes and the chances that gave them."""
    random = np.random.default_rng(seed)
    chance = 1 / (1 + np.exp(-random.normal(-1, 1.5, n)))
    return random.random(n) < chance, chance


def failed(found: gate.Judgement) -> list[str]:
    return [each["name"] for each in found.gates if not each["passed"]]


def test_an_equal_challenger_passes(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    bad, chance = world()
    found = judged(monkeypatch, store, bad, chance, chance)
    assert found.passed
    assert found.swaps["n"].sum() == 400
    assert found.swaps["n_bad"].sum() == bad.sum()


def test_too_few_labels_refuse(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    bad, chance = world(29)
    assert "verified" in failed(judged(monkeypatch, store, bad, chance, chance))
    bad, chance = world(200)
    few = np.arange(200) < 9
    assert "verified bad" in failed(judged(monkeypatch, store, few, chance, chance))


def test_no_labels_at_all_refuse_with_every_figure_unknown(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    _, chance = world(100)
    found = judged(monkeypatch, store, np.zeros(0, dtype=bool), chance, chance)
    assert {"verified", "verified bad", "ranks as well", "as close to what happens", "calibrated"} <= set(failed(found))
    assert "0 applicants with a verified outcome taught neither model; at least 30 are asked." in found.refusal


def test_a_worse_challenger_is_refused_with_its_interval(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    bad, chance = world()
    found = judged(monkeypatch, store, bad, np.random.default_rng(1).permutation(chance), chance)
    assert {"ranks as well", "as close to what happens"} <= set(failed(found))
    assert "95 % interval" in found.refusal


def test_a_challenger_on_another_scale_is_refused(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    bad, chance = world()
    found = judged(monkeypatch, store, bad, chance**3, chance)
    assert {"calibrated", "scores alike"} <= set(failed(found))


def test_scores_may_move_where_they_are_surely_closer_to_what_happens(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    """A champion on the scale of a proxy must not keep out the first challenger that is calibrated to what really happens."""
    bad, chance = world(800)
    proxy_scale = np.sqrt(chance)
    found = judged(monkeypatch, store, bad, chance, proxy_scale)
    drift = next(each for each in found.gates if each["name"] == "scores alike")
    assert drift["value"] > gate.MOST_PSI
    assert found.passed
    assert "unless its Brier score is surely better, which it is." in drift["sentence"]
    back = judged(monkeypatch, store, bad, proxy_scale, chance)
    assert "scores alike" in failed(back)
    assert back.refusal.count("which it is") == 0


def test_one_applicant_without_a_figure_refuses(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    bad, chance = world()
    broken = np.where(np.arange(400) == 7, np.nan, chance)
    found = judged(monkeypatch, store, bad, broken, chance)
    assert not found.passed
    assert {"ranks as well", "as close to what happens", "calibrated"} <= set(failed(found))
    assert "an unknown amount" in found.refusal


def test_figures_that_are_not_numbers_refuse(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    bad, chance = world()
    found = judged(monkeypatch, store, bad, np.full(400, np.nan), chance)
    assert {"ranks as well", "as close to what happens", "calibrated", "scores alike"} <= set(failed(found))


def test_a_group_that_cannot_be_told_refuses(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    groups = DataFrame({"sex": ["f"] * 400}, dtype=object)
    feature = Feature(name="sex", title="Sex", type="choice", choices=("f", "m"), role="protected")
    monkeypatch.setattr(store, "schema", [feature])
    _, chance = world()
    (told,) = gate._fairness(store, groups, chance, chance)
    assert not told["passed"]
    assert np.isnan(told["value"])
    assert told["sentence"].startswith("Sex: approvals of the group worst off are unknown of those of the best (now unknown)")


def test_a_group_that_fares_worse_than_before_refuses(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    feature = Feature(name="sex", title="Sex", type="choice", choices=("f", "m"), role="protected")
    monkeypatch.setattr(store, "schema", [feature])
    groups = DataFrame({"sex": ["f"] * 200 + ["m"] * 200}, dtype=object)
    fair = np.full(400, 0.01)
    unfair = np.where(groups["sex"] == "f", np.where(np.arange(400) % 2, 0.9, 0.01), 0.01)
    assert gate._fairness(store, groups, fair, fair)[0]["passed"]
    assert gate._fairness(store, groups, unfair, unfair)[0]["passed"], "no worse than now"
    assert not gate._fairness(store, groups, unfair, fair)[0]["passed"]


def test_whoever_trained_a_model_does_not_promote_it_where_others_work_too(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    promoted: list[str] = []
    monkeypatch.setattr(registry, "get", lambda store, model_id: {"model_id": model_id, "created_by": "dora"})
    monkeypatch.setattr(registry, "hindrance", lambda store, model_id: None)
    monkeypatch.setattr(registry, "promote", lambda store, model_id, **said: promoted.append(said["user"]))
    with store.write("demo reviewer 1", "features", "x"):
        pass
    gate.promote(store, "M0001", user="dora", reason="alone here")
    with store.write("vera", "features", "x"):
        pass
    with pytest.raises(NotAllowed, match="dora trained M0001, and vera works here too"):
        gate.promote(store, "M0001", user="dora", reason="mine")
    with pytest.raises(NotAllowed, match="whoever trained a model does not promote it"):
        gate.promote(store, "M0001", user="Dora ", reason="mine, in another hand")
    gate.promote(store, "M0001", user="vera", reason="looked at it")
    assert promoted == ["dora", "vera"]


def test_a_capital_makes_nobody_a_second_person(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    for name in ("dora", "Dora", " DORA"):
        with store.write(name, "features", "x"):
            pass
    assert registry.others(store, "dora") == []
    monkeypatch.setattr(registry, "get", lambda store, model_id: {"model_id": model_id, "created_by": "dora"})
    assert gate.own_work(store, "M0001", user="DORA") is None, "alone here, under three spellings"
