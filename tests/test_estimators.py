"""Estimators on a bare matrix: parts add up to the raw output, a row alone is the row among others, signs are kept."""

import pickle
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditrisk import balance, estimators, metrics, trees, treeshap
from creditrisk.algorithms import FITS, Lesson
from creditrisk.estimators import Boosted, Column, Estimator, Forest, Light, Linear, Scorecard

COLUMNS = (
    Column("income", None, -1, True),
    Column("overdrawn", None, 1, True),
    Column("home", "rent", 0, False),
    Column("same", None, 1, False),
    Column("empty", None, -1, False),
)
# XGBoost adds in single precision; what adds in double precision must be exact.
EXACT = {
    "xgboost": 1e-5,
    "lightgbm": 1e-9,
    "scorecard": 1e-9,
    "random_forest": 1e-9,
    "logistic": 1e-9,
    "risk_index": 1e-9,
    "constant": 1e-9,
}
every = pytest.mark.parametrize("algorithm", list(FITS))


def lesson(n: int, seed: int = 0) -> Lesson:
    random = np.random.default_rng(seed)
    risk = random.normal(size=n)
    rent = (random.random(n) < 0.4).astype(float)
    matrix = np.stack([random.normal(size=n) - risk, np.floor(np.exp(risk)), rent, np.ones(n), np.full(n, np.nan)], axis=1)
    matrix[random.random(n) < 0.1, 0] = np.nan
    bad = (random.random(n) < 1 / (1 + np.exp(1.8 - 1.3 * risk - rent))).astype(float)
    return Lesson(matrix, bad, np.ones(n), COLUMNS, 7)


@cache
def fitted(algorithm: str) -> Estimator:
    return estimators.checked(FITS[algorithm](lesson(300)), lesson(300).matrix)


@every
def test_parts_and_base_are_the_raw_output(algorithm):
    matrix = lesson(80, 1).matrix
    matrix[:5] = np.nan
    parts, base = fitted(algorithm).parts(matrix)
    assert parts.shape == matrix.shape
    assert np.abs(parts.sum(axis=1) + base - fitted(algorithm).raw(matrix)).max() < EXACT[algorithm]


@every
def test_a_row_alone_is_the_row_among_others_bit_for_bit(algorithm):
    matrix = lesson(40, 2).matrix
    raw, (parts, base) = fitted(algorithm).raw(matrix), fitted(algorithm).parts(matrix)
    for place in (0, 7, 8, 39):
        alone = matrix[place : place + 1].copy()
        assert fitted(algorithm).raw(alone)[0] == raw[place]
        assert fitted(algorithm).parts(alone)[0][0].tolist() == parts[place].tolist()
        assert fitted(algorithm).parts(alone)[1] == base


def test_a_forest_says_to_the_bit_what_its_library_says():
    forest, rows = fitted("random_forest"), lesson(500, 3).matrix
    assert isinstance(forest, Forest)
    assert np.array_equal(forest.raw(rows), forest.forest.predict_proba(forest.seen(rows))[:, 1])


@every
def test_no_rows_no_output_and_the_same_base(algorithm):
    nobody = lesson(3).matrix[:0]
    parts, base = fitted(algorithm).parts(nobody)
    assert fitted(algorithm).raw(nobody).shape == (0,)
    assert parts.shape == (0, len(COLUMNS))
    assert base == fitted(algorithm).parts(lesson(3).matrix)[1]


@every
def test_what_is_saved_gives_the_same_bits(algorithm):
    matrix = lesson(30, 3).matrix
    fitted(algorithm).parts(matrix)  # an explainer built meanwhile must not travel along
    again = pickle.loads(pickle.dumps(fitted(algorithm)))
    assert np.array_equal(again.raw(matrix), fitted(algorithm).raw(matrix))
    assert not {"explainer", "tables"} & set(vars(again))


@every
def test_signs_of_the_columns_are_kept(algorithm):
    steps = np.tile(lesson(1, 4).matrix, (21, 1))
    steps[:, 1] = np.linspace(-2, 12, 21)
    assert (np.diff(fitted(algorithm).raw(steps)) >= -1e-6).all()
    steps[:, 0] = np.linspace(-4, 4, 21)
    steps[:, 1] = 1
    assert (np.diff(fitted(algorithm).raw(steps)) <= 1e-6).all()


@pytest.mark.parametrize("algorithm", ["xgboost", "lightgbm", "random_forest", "logistic", "scorecard"])
def test_a_column_that_says_nothing_adds_nothing(algorithm):
    parts, _ = fitted(algorithm).parts(lesson(50, 5).matrix)
    assert np.abs(parts[:, 3:]).max() == pytest.approx(0, abs=1e-9)


def test_each_algorithm_is_of_its_kind():
    kinds = {
        "xgboost": Boosted,
        "lightgbm": Light,
        "random_forest": Forest,
        "logistic": Linear,
        "scorecard": Scorecard,
        "risk_index": Linear,
        "constant": Linear,
    }
    assert {algorithm: type(fitted(algorithm)) for algorithm in FITS} == kinds


def test_many_rows_use_more_threads_and_the_same_bits():
    matrix = lesson(5_200, 8).matrix
    model = fitted("xgboost")
    assert np.array_equal(model.raw(matrix)[:50], model.raw(matrix[:50].copy()))
    assert np.array_equal(model.parts(matrix)[0][:50], model.parts(matrix[:50].copy())[0])


def test_many_rows_without_a_sign_to_keep_get_deeper_trees_and_as_many_as_help():
    random = np.random.default_rng(4)
    matrix = random.normal(size=(12_000, 3))
    bad = (random.random(12_000) < 1 / (1 + np.exp(1 - 2 * np.sign(matrix[:, 0]) * matrix[:, 1]))).astype(float)
    free = tuple(Column(name, None, 1, False, is_binding=False) for name in "abc")
    kept = (*free[:2], Column("c", None, 1, False))
    deep, again, shallow = (FITS["xgboost"](Lesson(matrix, bad, np.ones(12_000), columns, 7)) for columns in (free, free, kept))
    depth, rounds = (lambda model: model.booster.trees_to_dataframe()["ID"].str.split("-").str[1].astype(int).max()), 300
    assert np.array_equal(deep.raw(matrix), again.raw(matrix))
    assert deep.booster.num_boosted_rounds() < rounds == shallow.booster.num_boosted_rounds()
    assert depth(deep) > depth(shallow)
    parts, base = deep.parts(matrix[:50])
    assert np.abs(parts.sum(axis=1) + base - deep.raw(matrix[:50])).max() < EXACT["xgboost"]


def test_probability_of_one_element_is_that_of_the_array():
    margins = np.random.default_rng(0).normal(scale=4, size=300)
    alone = [estimators.inverse_logit(margins[place : place + 1].copy())[0] for place in range(300)]
    assert estimators.inverse_logit(margins).tolist() == alone


@given(st.floats(-700, 700))
def test_probability_and_log_odds_are_inverse(margin):
    p = estimators.inverse_logit(np.array([margin]))[0]
    assert 0 <= p <= 1
    if abs(margin) < 30:
        assert estimators.logit(p) == pytest.approx(margin, abs=1e-2 if margin > 15 else 1e-6)


def test_tables_that_differ_or_cannot_be_made_are_not_used_and_that_is_said(monkeypatch):
    model, matrix, usual = FITS["xgboost"](lesson(300)), lesson(300).matrix, trees.of_xgboost
    assert estimators.checked(model, matrix).fallback is None
    monkeypatch.setattr(trees, "of_xgboost", lambda booster: usual(booster)._replace(value=1.01 * usual(booster).value))
    wrong = estimators.checked(model, matrix)
    assert "differ from the library's contributions by" in wrong.fallback
    assert np.array_equal(wrong.parts(matrix)[0], model.slowly(matrix)[0])
    monkeypatch.setattr(treeshap, "MOST_CELLS", 1)
    assert "cannot be written as tables" in estimators.checked(model, matrix).fallback


def test_evidence_that_is_a_rounding_error_does_not_drown_the_rest():
    random = np.random.default_rng(3)
    n = 150
    matrix = np.column_stack([random.normal(size=(n, 3)), np.full((n, 8), 0.3)])
    bad = (random.random(n) < 1 / (1 + np.exp(1.2 - 2 * matrix[:, 0]))).astype(float)
    columns = tuple(Column(f"f{place}", None, 0, False) for place in range(matrix.shape[1]))
    for draw in range(6):  # equal weights of the classes make the evidence of an only bin a few units in the last place, not 0
        rows = random.choice(n, 90, replace=False)
        part = balance.balanced(Lesson(matrix[rows], bad[rows], np.ones(90), columns, draw), "weights")
        card = FITS["scorecard"](part)
        assert metrics.auc(bad, card.raw(matrix)) > 0.8
        assert np.abs(card.parts(matrix)[0][:, 3:]).max() == pytest.approx(0, abs=1e-9)
