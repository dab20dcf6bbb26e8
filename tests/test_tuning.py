"""Settings tried on folds: seeded, never worse there than the usual ones, and told as it goes."""

import numpy as np
import pytest

from creditrisk import pipeline, split, tuning
from creditrisk.algorithms import SPACE, Lesson
from creditrisk.plan import Config
from tests.test_pipeline import SCHEMA, applicants


@pytest.fixture
def lesson() -> Lesson:
    frame, bad = applicants(300)
    return pipeline.teach("logistic", frame, bad, None, SCHEMA)[0]


def quiet(_share: float, _what: str) -> None:
    """Hear nothing."""


def test_the_same_seed_tries_the_same_settings_and_another_seed_others(lesson: Lesson) -> None:
    fold = split.parted(lesson.bad, 3, 8)
    one, again, other = (tuning.search("logistic", lesson, fold, Config(tune=6, seed=seed), quiet) for seed in (7, 7, 8))
    assert one == again
    assert one.trials != other.trials
    low, high, _ = SPACE["logistic"]["ridge"]
    assert all(low <= trial["parameters"]["ridge"] <= high for trial in one.trials[1:])


def test_a_search_begins_with_the_usual_settings_and_never_ends_below_them(lesson: Lesson) -> None:
    told: list[tuple[float, str]] = []
    found = tuning.search("logistic", lesson, split.parted(lesson.bad, 3, 8), Config(tune=4), lambda *said: told.append(said))
    assert (len(found.trials), found.trials[0]["parameters"]) == (5, {})
    assert found.auc == max(trial["auc"] for trial in found.trials) >= found.to_dict()["usual_auc"]
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert told[0][1] == "tuning logistic, the usual settings first"
    best = max(trial["auc"] for trial in found.trials[:4])
    assert told[-1][1] == f"tuning logistic, trial 4 of 4, best AUC {best:.4f}"


def test_a_grid_tries_every_combination(lesson: Lesson) -> None:
    config = Config(grid={"logistic": {"ridge": (0.1, 1.0, 10.0)}}, tune=50)
    found = tuning.search("logistic", lesson, split.parted(lesson.bad, 3, 8), config, quiet)
    assert [trial["parameters"] for trial in found.trials] == [{}, {"ridge": 0.1}, {"ridge": 1.0}, {"ridge": 10.0}]
    assert tuning.asked(config, "logistic")
    assert not tuning.asked(config, "xgboost")  # a grid names what is tried
    assert not tuning.asked(Config(tune=5), "constant")


def test_a_budget_in_seconds_ends_a_search(lesson: Lesson) -> None:
    found = tuning.search("logistic", lesson, split.parted(lesson.bad, 3, 8), Config(tune_seconds=0.2), quiet)
    assert 1 <= len(found.trials) < 1_000


def test_settings_somebody_gave_are_left_alone(lesson: Lesson) -> None:
    config = Config(tune=2, parameters={"logistic": {"ridge": 5.0}})
    found = tuning.search("logistic", lesson, split.parted(lesson.bad, 3, 8), config, quiet)
    assert [trial["parameters"] for trial in found.trials] == [{}, {}, {}]
    assert np.ptp([trial["auc"] for trial in found.trials]) == 0
