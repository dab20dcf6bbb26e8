"""Retraining: feedback joins a run, whoever is tested never teaches, a training is proposed only, versions are measured honestly."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pandas import DataFrame, isna

from creditrisk import gate, inspections, labels, registry, retraining, reviews, scoring, shadow, split, suspects, training
from creditrisk import store as stores
from creditrisk.errors import InvalidInput, NotAllowed, NothingYet
from creditrisk.plan import Config
from creditrisk.settings import Labels, Reviews, Settings, Training, load
from creditrisk.store import Store
from tests.test_labels import happened, people, put

QUICK = Config(algorithms=("logistic",), folds=2)
NAMES = {True: "bad", False: "good"}


FEW = Training(bootstraps=20, folds=2, propose_after=10)
N = 400


def small(folder: Path) -> Settings:
    whole = replace(load(), data=folder / "data", models=folder / "models")
    return replace(whole, labels=Labels(k_max=3, bootstraps=10), training=FEW, reviews=Reviews(twice=0, blind=0))


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Applicants labelled by proxy, a champion trained on them, everybody scored by it: a folder to copy."""
    folder = tmp_path_factory.mktemp("ground")
    with closing(stores.open_workspace(small(folder))) as store:
        put(store, people(N, share=0.15, strength=1.5)[0])
        labels.kmeans(store, user="ann")
        (name, *_) = training.train(store, QUICK, user="ann")
        registry.promote(store, name, user="ann", reason="the first one")
        scoring.score_applicants(store, [f"A{number:05d}" for number in range(N)], user="ann", channel="test")
    return folder


@pytest.fixture
def truth() -> np.ndarray:
    """Who of these applicants is in trouble."""
    return people(N, share=0.15, strength=1.5)[1]


@pytest.fixture
def store(ground: Path, tmp_path: Path) -> Iterator[Store]:
    """A workspace of one's own with a champion and its scores."""
    shutil.copytree(ground, tmp_path / "ground")
    with closing(stores.open_workspace(small(tmp_path / "ground"))) as opened:
        yield opened


def judged(store: Store, truth: np.ndarray, count: int) -> list[str]:
    """Have that many cases proposed, judged as they are, and accepted by somebody else; returns whose."""
    names = []
    while len(names) < count:
        taken = reviews.claim(store, user="rita")
        assert taken is not None
        case = scoring.get(store, taken.prediction_id)
        right = NAMES[bool(truth[int(case.applicant_id[1:])])]
        labelled = labels.members(store, "L0001").set_index("applicant_id")["bad"][case.applicant_id]
        if not isna(labelled) and NAMES[bool(labelled)] == right:
            reviews.add(store, case.prediction_id, "correct", "label", "", user="rita", seconds=40)
        else:
            reviews.add(store, case.prediction_id, "incorrect", "label", "it says so", user="rita", corrected=right, seconds=40)
        names.append(case.applicant_id)
    inspections.decide(store, inspections.waiting(store, "ivan")["review_id"].tolist(), "accepted", "read beside it", user="ivan")
    return names


def test_a_run_with_feedback_learns_from_verdicts_and_never_from_whom_it_tests(store: Store, truth: np.ndarray) -> None:
    names = judged(store, truth, 40)
    before = registry.table(store, "M0001", "test")["applicant_id"].tolist()
    (name, *_) = training.train(store, replace(QUICK, label_set_id="L0001", proxy_mass=10), user="ann")
    model = registry.get(store, name)
    members = labels.members(store, model["label_set_id"]).set_index("applicant_id")
    assert set(members[members["source"] == "review"].index) == set(names)
    assert members.loc[names, "bad"].astype(bool).tolist() == [bool(truth[int(each[1:])]) for each in names]
    assert members.loc[names, "weight"].eq(1).all()
    weight = members[members["bad"].notna() & (members["source"] == "cluster")]["weight"].sum()
    assert weight == pytest.approx(10 * 40 / 30), "ten for every thirty verified"
    assert labels.weighing(store, "L0001", 10).weight == pytest.approx(weight), "what the page foretells"
    assert labels.get(store, model["label_set_id"]).report["proxy_said"] == labels.weighing(store, "L0001", 10).sentence
    assert set(before) == set(registry.table(store, name, "test")["applicant_id"]), "the same people are kept from every training"
    taught = gate.learned_from(store, model)
    assert not taught & set(before)
    assert gate.learned_from(store, model, verified=True) == set(names) - set(before)
    held = split.held_out(names, store.settings.training.test_size, store.settings.training.seed)
    assert set(np.array(names)[held]) == set(names) & set(before)


def test_the_same_feedback_makes_no_second_label_set_and_a_rejected_verdict_counts_no_more(store: Store, truth: np.ndarray) -> None:
    with pytest.raises(NothingYet, match="Nothing is verified of the applicants of label set L0001 yet"):
        labels.taught(store, "L0001", user="ann")
    names = judged(store, truth, 6)
    once = labels.taught(store, "L0001", user="ann")
    assert labels.taught(store, "L0001", user="ann") == once
    assert labels.taught(store, once.label_set_id, user="ann") == once, "a set made so is taken back to its origin"
    lighter = labels.taught(store, "L0001", user="ann", proxy_mass=5)
    assert lighter.label_set_id != once.label_set_id
    verdict = reviews.history(store).set_index("applicant_id").loc[names[0], "review_id"]
    inspections.decide(store, [verdict], "rejected", "the statement says otherwise", user="ivan")
    again = labels.taught(store, once.label_set_id, user="ann")
    assert again.report["by_source"]["review"] == 5
    sources = labels.members(store, again.label_set_id).set_index("applicant_id")["source"]
    assert sources[names[0]] == "cluster", "its proxy stands again"


def test_verified_labels_alone_are_learned_from_where_proxies_weigh_nothing(store: Store, truth: np.ndarray) -> None:
    happened(store, [f"A{number:05d}" for number in range(250)], truth[:250])
    (name, *_) = training.train(store, replace(QUICK, label_set_id="L0001", proxy_mass=0), user="ann")
    learned = labels.get(store, registry.get(store, name)["label_set_id"])
    assert learned.report["by_source"] == {"observed": 250}
    assert not learned.is_proxy
    with pytest.raises(InvalidInput, match="between 0 and 100 verified ones, not 101"):
        replace(QUICK, proxy_mass=101)


def test_a_training_is_proposed_in_a_sentence_and_by_nobody_started(store: Store, truth: np.ndarray) -> None:
    judged(store, truth, 4)
    early = retraining.proposal(store)
    assert early is not None
    assert (early.is_due, early.n_new) == (False, 4)
    assert (
        early.sentence == "4 applicants were judged and the verdicts accepted since M0001 learned; from 10 on another training is proposed."
    )
    judged(store, truth, 6)
    due = retraining.proposal(store)
    assert due is not None
    assert due.is_due
    assert "10 applicants were judged" in due.sentence
    assert len(registry.models(store)) == 3, "a rule proposes, a person starts"


def test_scores_that_have_moved_propose_a_training(store: Store, truth: np.ndarray) -> None:
    calm = retraining.proposal(store)
    assert calm is not None
    assert not calm.is_due
    later, _ = people(400, share=0.9, seed=9, strength=2.5)
    names = [f"B{number:05d}" for number in range(400)]
    put(store, later.assign(applicant_id=names))
    scoring.score_applicants(store, names, user="ann", channel="test")
    moved = retraining.proposal(store)
    assert moved is not None
    assert moved.is_due
    assert "The scores it gives have moved: PSI" in moved.sentence


def test_before_and_after_are_measured_on_whom_neither_learned_from(store: Store, truth: np.ndarray) -> None:
    happened(store, [f"A{number:05d}" for number in range(len(truth))], truth)
    assert retraining.latest(store) is None
    (name, *_) = training.train(store, replace(QUICK, label_set_id="L0001", proxy_mass=10), user="ann")
    assert retraining.latest(store) == (name, "M0001")
    found = retraining.changed(store, name, "M0001")
    tested = registry.table(store, name, "test")
    assert found.n == len(tested), "the frozen part, whole"
    assert found.n_bad == sum(truth[int(each[1:])] for each in tested["applicant_id"])
    figures = found.figures.set_index("measure")
    assert figures["low"].le(figures["better"]).all()
    assert figures["better"].le(figures["high"]).all()
    assert figures.loc["auc", "better"] == pytest.approx(figures.loc["auc", "after"] - figures.loc["auc", "before"])
    assert figures.loc["brier", "better"] == pytest.approx(figures.loc["brier", "before"] - figures.loc["brier", "after"])
    with pytest.raises(InvalidInput, match="not with itself"):
        retraining.changed(store, name, name)


def test_the_gate_lets_nobody_through_without_verified_people_and_says_so(store: Store) -> None:
    (name, *_) = training.train(store, replace(QUICK, label_set_id="L0001"), user="ann")
    with store.write("vera", "features", "looked"):
        pass
    with pytest.raises(NotAllowed, match="whoever trained a model does not promote it"):
        gate.promote(store, name, user="Ann", reason="mine")
    with pytest.raises(NotAllowed) as refused:
        gate.promote(store, name, user="vera", reason="looks good")
    assert "0 applicants with a verified outcome taught neither model; at least 30 are asked." in str(refused.value)
    assert "Its AUC differs from the champion's by an unknown amount" in str(refused.value)
    assert (registry.champion(store) or {})["model_id"] == "M0001"


def test_the_gate_holds_two_trainings_against_each_other_on_the_whole_frozen_part(store: Store, truth: np.ndarray) -> None:
    happened(store, [f"A{number:05d}" for number in range(N)], truth)
    (name, *_) = training.train(store, replace(QUICK, label_set_id="L0001", proxy_mass=10), user="ann")
    judged_now = gate.judge(store, name)
    assert judged_now.n == len(registry.table(store, name, "test"))
    assert judged_now.n == len(registry.table(store, "M0001", "test"))


def test_without_a_verified_person_nothing_is_compared(store: Store) -> None:
    (name, *_) = training.train(store, QUICK, user="ann")
    found = retraining.changed(store, name, "M0001")
    assert (found.n, len(found.figures)) == (0, 0)


def test_versions_are_measured_on_the_random_slice_alone(store: Store, truth: np.ndarray) -> None:
    assert retraining.versions(store)["model_id"].tolist() == ["M0001"]
    store.settings = replace(store.settings, reviews=Reviews(near_cutoff=0.5, disagreement=0, exposure=0, suspect=0, twice=0, blind=0))
    names = judged(store, truth, 60)
    n_random = store.value("select count(*) from verdict where slot = 'random'")
    first = retraining.versions(store).iloc[0]
    assert 0 < first["n"] == first["n_judged"] == n_random < 60
    assert first["share_incorrect_low"] <= first["share_incorrect"] <= first["share_incorrect_high"]
    assert first["brier_low"] <= first["brier"] <= first["brier_high"]
    others = [f"A{number:05d}" for number in range(N) if f"A{number:05d}" not in names][:150]
    happened(store, others, truth[[int(each[1:]) for each in others]])
    (name, *_) = training.train(store, replace(QUICK, label_set_id="L0001", proxy_mass=10), user="ann")
    registry.promote(store, name, user="ann", reason="with feedback")
    both = retraining.versions(store).set_index("model_id")
    assert both.index.tolist() == ["M0001", name]
    assert both.loc[name, ["n_verdicts", "n_outcomes"]].tolist() == [60, 150]
    assert both.loc[name, "n"] < both.loc["M0001", "n"], "cases that taught it do not measure it"
    assert both.loc[name, "n_judged"] == 0


def test_suspects_are_ranked_proposed_and_never_pruned(store: Store) -> None:
    frame, trouble = people(400, share=0.2, strength=2.5)
    put(store, frame)
    names = frame["applicant_id"].tolist()
    wrong = np.zeros(len(names), dtype=bool)
    wrong[[7, 8, 9, 10, 11]] = True
    happened(store, names, trouble ^ wrong)
    labels.observed(store, user="ann")
    (name, *_) = training.train(store, QUICK, user="ann")
    kept = store.read("select * from suspect where model_id = $id order by doubt desc", id=name)
    tested = set(registry.table(store, name, "test")["applicant_id"])
    planted = {names[place] for place in np.flatnonzero(wrong)} - tested
    assert planted
    assert planted <= set(kept["applicant_id"])
    assert kept["doubt"].gt(0).all()
    held = registry.table(store, name, "validation")
    assert len(held) == len(names) - len(tested), "a suspect is learned from like anybody"
    assert suspects.ranked(store, name).empty, "an outcome is no matter of opinion"
    assert store.value("select count(*) from suspect where model_id <> $id", id=name) == 0, "a baseline doubts nothing"


def test_a_suspect_is_proposed_in_a_slot_of_its_own(store: Store, truth: np.ndarray) -> None:
    champion, doubted = "M0001", ["A00003", "A00004", "A00005"]
    with store.write("ann", "register", "suspects") as cursor:
        suspects.keep(cursor, champion, DataFrame({"applicant_id": doubted, "bad": True, "pd": 0.02, "doubt": [0.5, 1.5, 1.0]}))
    ranked = suspects.ranked(store, champion)
    assert ranked["applicant_id"].tolist() == ["A00004", "A00005", "A00003"]
    assert ranked["doubt"].is_monotonic_decreasing
    assert ranked["prediction_id"].notna().all()
    store.settings = replace(store.settings, reviews=Reviews(near_cutoff=0, disagreement=0, exposure=0, suspect=1, twice=0, blind=0))
    taken = reviews.claim(store, user="rita")
    assert taken is not None
    assert taken.slot == "suspect"
    case = scoring.get(store, taken.prediction_id)
    assert case.applicant_id in set(ranked["applicant_id"])
    reviews.add(store, taken.prediction_id, "correct", "label", "", user="rita", seconds=30)
    assert case.applicant_id not in set(suspects.ranked(store, champion)["applicant_id"])


def test_a_challenger_says_beside_the_champion_what_it_would_have_said(store: Store, truth: np.ndarray) -> None:
    (name, *_) = training.train(store, replace(QUICK, seed=9), user="ann")
    with pytest.raises(InvalidInput, match="M0001 is champion: a challenger is a candidate first"):
        shadow.watch(store, "M0001", user="ann", reason="no use")
    assert shadow.watch(store, name, user="ann", reason="another seed") == N
    (one,) = scoring.score_applicants(store, ["A00001"], user="ann", channel="test")
    beside = shadow.beside(store, name).set_index("prediction_id")
    assert len(beside) == N + 1
    assert beside.loc[one.prediction_id, "pd_live"] == one.pd
    inputs = DataFrame([one.inputs])
    assert beside.loc[one.prediction_id, "pd"] == registry.load(store, name).prob_default(inputs)[0]
    assert one.model_id == "M0001"
    facts = shadow.summary(beside, store.settings.policy)
    assert facts["n"] == N + 1
    assert facts["low"] <= facts["share_swapped"] <= facts["high"]
    registry.retire(store, name, user="ann", reason="seen enough")
    scoring.score_applicants(store, ["A00002"], user="ann", channel="test")
    assert len(shadow.beside(store, name)) == N + 1


def test_a_challenger_that_cannot_be_asked_keeps_nobody_from_scoring(store: Store) -> None:
    (name, *_) = training.train(store, replace(QUICK, seed=9), user="ann")
    shadow.watch(store, name, user="ann", reason="another seed")
    (store.models / name / registry.ARTEFACT).write_bytes(b"not a model")
    (one,) = scoring.score_applicants(store, ["A00001"], user="ann", channel="test")
    assert scoring.get(store, one.prediction_id) == one
    assert len(shadow.beside(store, name)) == N


def test_a_role_that_makes_no_models_sets_none_beside_the_champion(store: Store) -> None:
    (name, *_) = training.train(store, replace(QUICK, seed=9), user="ann")
    store.settings = replace(store.settings, people=replace(store.settings.people, roles={"rita": ("reviewer",)}))
    with pytest.raises(NotAllowed, match="rita has the role reviewer"):
        shadow.watch(store, name, user="rita", reason="because")
