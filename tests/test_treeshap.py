"""Contributions looked up are those computed: by the library, by shap, and by the definition."""

import subprocess
import sys
from itertools import chain, combinations
from math import factorial
from pathlib import Path

import lightgbm
import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier

from creditrisk import trees, treeshap
from creditrisk.trees import Trees
from tests.conftest import ROOT


def table(n: int = 600, m: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows with gaps, a whole-numbered column and one that is a half of another; 0 or 1 for each."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(n, m))
    matrix[:, 2] = np.round(2 * matrix[:, 2])
    matrix[:, 3] = matrix[:, 1] / 2
    bad = (matrix[:, 0] * matrix[:, 1] + matrix[:, 2] + random.normal(size=n) > 0.5).astype(int)
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    return matrix, bad


def hostile(matrix: np.ndarray) -> np.ndarray:
    """The rows of a table, some with many gaps, one of nothing else, some of zeros and of huge values."""
    rows = matrix[:200].copy()
    rows[np.random.default_rng(1).random(rows.shape) < 0.3] = np.nan
    return np.concatenate([rows, np.full((1, rows.shape[1]), np.nan), np.zeros((1, rows.shape[1])), np.full((1, rows.shape[1]), 1e30)])


def boosted(matrix: np.ndarray, bad: np.ndarray, **how: object) -> xgboost.Booster:
    rounds = int(how.pop("rounds", 30))
    how = {"objective": "binary:logistic", "max_depth": 4, "learning_rate": 0.3, "nthread": 1} | how
    return xgboost.train(how, xgboost.DMatrix(matrix, bad, nthread=1), rounds)


@pytest.mark.parametrize(
    "how",
    [
        *({"max_depth": depth} for depth in (1, 2, 3, 5, 8)),
        {"base_score": 0.02},
        {"base_score": 0.00001},
        {"base_score": 0.99999},
        {"base_score": 0.9, "min_child_weight": 20},
        {"grow_policy": "lossguide", "max_leaves": 12, "max_depth": 0},
        {"gamma": 3.0},
        {"gamma": 1e6, "rounds": 3},
        {"monotone_constraints": "(1,0,1,0,0,0)", "subsample": 0.7},
    ],
    ids=str,
)
def test_xgboost_computes_the_same(how):
    matrix, bad = table()
    booster, rows = boosted(matrix, bad, **how), hostile(matrix)
    theirs = booster.predict(xgboost.DMatrix(rows, nthread=1), pred_contribs=True)
    ours, base = treeshap.explainer(trees.of_xgboost(booster)).split(rows)
    assert np.abs(ours - theirs[:, :-1]).max() < 1e-5
    assert base == pytest.approx(theirs[0, -1], abs=1e-5)
    assert np.abs(ours.sum(axis=1) + base - booster.inplace_predict(rows, predict_type="margin")).max() < 1e-5


def test_a_part_of_a_booster_and_values_on_a_limit():
    matrix, bad = table()
    booster = boosted(matrix, bad)[:7]
    grown = trees.of_xgboost(booster)
    limits = np.nextafter(grown.threshold[grown.left >= 0].astype(np.float32), np.float32(np.inf)).astype(float)
    rows = np.repeat(limits[:, None], 6, axis=1)  # what XGBoost itself calls the limit: the first value that goes right
    theirs = booster.predict(xgboost.DMatrix(rows, nthread=1), pred_contribs=True)
    ours, _ = treeshap.explainer(grown).split(rows)
    assert np.abs(ours - theirs[:, :-1]).max() < 1e-5


@pytest.mark.parametrize(
    "how",
    [
        {"num_leaves": 2},
        {"num_leaves": 31, "max_depth": 5},
        {"num_leaves": 15, "max_depth": 10},
        {"bagging_fraction": 0.6, "bagging_freq": 1},
        {"use_missing": False, "max_depth": 6},
        {"min_data_in_leaf": 500},
    ],
    ids=str,
)
def test_lightgbm_computes_the_same(how):
    matrix, bad = table()
    matrix[:, 0] = np.nan_to_num(matrix[:, 0])  # nothing missing while learning, some later
    how = {"objective": "binary", "verbosity": -1, "num_threads": 1} | how
    booster = lightgbm.train(how, lightgbm.Dataset(matrix, bad), 25)
    rows = hostile(matrix)
    theirs = booster.predict(rows, pred_contrib=True)
    ours, base = treeshap.explainer(trees.of_lightgbm(booster)).split(rows)
    assert np.abs(ours - theirs[:, :-1]).max() < 1e-9
    assert base == pytest.approx(theirs[0, -1], abs=1e-9)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # shap draws its colour maps with a call Matplotlib means to retire
def test_shap_computes_the_same_of_every_kind():
    from shap import TreeExplainer

    matrix, bad = table(300)
    whole = np.nan_to_num(matrix).astype(np.float32)
    forest = RandomForestClassifier(20, max_depth=5, random_state=0).fit(whole, bad)
    theirs = TreeExplainer(forest, feature_perturbation="tree_path_dependent").shap_values(whole, check_additivity=False)[:, :, 1]
    ours, base = treeshap.explainer(trees.of_forest(forest)).split(whole)
    assert np.abs(ours - theirs).max() < 1e-9
    assert np.abs(ours.sum(axis=1) + base - forest.predict_proba(whole)[:, 1]).max() < 1e-9
    booster = boosted(matrix, bad)
    theirs = TreeExplainer(booster, feature_perturbation="tree_path_dependent").shap_values(matrix)
    ours, _ = treeshap.explainer(trees.of_xgboost(booster)).split(matrix)
    assert np.abs(ours - theirs).max() < 1e-5


# ── trees nobody grew ───────────────────────────────────────────────────────────────────────────────────────────────


def drawn(seed: int, features: int, deepest: int) -> Trees:
    """Three random trees, features repeated along their ways, some leaves at once."""
    random = np.random.default_rng(seed)
    nodes: list[dict[str, float]] = []
    roots = []

    def grow(depth: int, cover: float) -> int:
        here = len(nodes)
        nodes.append({"left": -1, "right": -1, "cover": cover, "value": random.normal(), "feature": 0, "threshold": 0, "missing": 0})
        if depth < deepest and random.random() < 0.85:
            share = random.uniform(0.05, 0.95)
            nodes[here] |= {"feature": random.integers(features), "threshold": random.normal(), "missing": random.random() < 0.5}
            nodes[here]["left"] = grow(depth + 1, cover * share)
            nodes[here]["right"] = grow(depth + 1, cover * (1 - share))
        return here

    for _ in range(3):
        roots.append(len(nodes))
        grow(0, 100.0)
    column = {name: np.array([node[name] for node in nodes]) for name in nodes[0]}
    places = (column[name].astype(np.int64) for name in ("left", "right", "feature"))
    numbers = (column["threshold"].astype(float), column["missing"].astype(bool), column["value"], column["cover"])
    return Trees(np.array(roots), *places, *numbers, base=random.normal(), single=False)


def expectation(grown: Trees, row: np.ndarray, known: frozenset[int], node: int) -> float:
    """What a tree says of a row of which only some features are known: the others go both ways, by cover."""
    left, right = grown.left[node], grown.right[node]
    if left < 0:
        return float(grown.value[node])
    value = row[grown.feature[node]]
    if grown.feature[node] in known:
        goes_left = grown.missing_left[node] if np.isnan(value) else value <= grown.threshold[node]
        return expectation(grown, row, known, left if goes_left else right)
    ways = [grown.cover[child] / grown.cover[node] * expectation(grown, row, known, child) for child in (left, right)]
    return sum(ways)


def shapley(grown: Trees, row: np.ndarray, feature: int) -> float:
    """The definition: the mean over all orders of what it changes to learn a feature."""
    others = [other for other in range(len(row)) if other != feature]
    total = 0.0
    for known in chain.from_iterable(combinations(others, size) for size in range(len(row))):
        weight = factorial(len(known)) * factorial(len(others) - len(known)) / factorial(len(row))
        for root in grown.root:
            with_it, without = (expectation(grown, row, frozenset(set_), root) for set_ in ({*known, feature}, known))
            total += weight * (with_it - without)
    return total


def rows_for(seed: int, n: int, features: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(n, features))
    matrix[random.random(matrix.shape) < 0.2] = np.nan
    return matrix


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(0, 8))
def test_it_is_the_definition_of_shapley_values(seed, features, deepest):
    grown, rows = drawn(seed, features, deepest), rows_for(seed, 3, features)
    ours, base = treeshap.explainer(grown).split(rows)
    for row, parts in zip(rows, ours, strict=True):
        assert parts.tolist() == pytest.approx([shapley(grown, row, feature) for feature in range(features)], abs=1e-9)
        told = grown.base + sum(expectation(grown, row, frozenset(range(features)), root) for root in grown.root)
        assert parts.sum() + base == pytest.approx(told, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 1_200))
def test_a_row_has_the_same_bits_alone_in_any_order_and_in_any_block(seed, n):
    explainer, rows = treeshap.explainer(drawn(seed, 5, 6)), rows_for(seed, n, 5)
    whole, _ = explainer.split(rows)
    order = np.random.default_rng(seed).permutation(n)
    assert np.array_equal(explainer.split(rows[order])[0], whole[order])
    assert np.array_equal(explainer.split(rows[-1:])[0][0], whole[-1])
    assert np.array_equal(explainer.split(np.asfortranarray(rows))[0], whole)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_features_that_trade_places_trade_their_contributions(seed):
    grown, rows = drawn(seed, 4, 6), rows_for(seed, 20, 4)
    order = np.random.default_rng(seed).permutation(4)
    turned = grown._replace(feature=np.argsort(order)[grown.feature])
    ours, others = treeshap.explainer(grown).split(rows)[0], treeshap.explainer(turned).split(rows[:, order])[0]
    assert others == pytest.approx(ours[:, order], abs=1e-12)


def test_two_threads_and_one_give_the_same_bits(monkeypatch):
    explainer, rows = treeshap.explainer(drawn(3, 6, 6)), rows_for(3, treeshap.MANY + 7, 6)
    together, _ = explainer.split(rows)
    monkeypatch.setattr(treeshap, "MANY", 10**9)
    assert np.array_equal(explainer.split(rows)[0], together)


def test_too_deep_or_too_many_is_said():
    def spine(n: int) -> Trees:
        inner, leaves = np.arange(n), np.arange(n, 2 * n + 1)
        left, right = np.append(leaves[:n], np.full(n + 1, -1)), np.concatenate([inner[1:], leaves[n:], np.full(n + 1, -1)])
        cover = np.concatenate([2.0**-inner, 0.5 * 2.0**-inner, [0.5 * 2.0 ** -inner[-1]]])
        size = 2 * n + 1
        zeros = np.zeros(size)
        return Trees(np.array([0]), left, right, np.arange(size) % n, zeros, zeros > 0, np.arange(float(size)), cover, 0.0, False)

    treeshap.explainer(spine(12))
    with pytest.raises(treeshap.TooLarge, match="more than 12 tests"):
        treeshap.explainer(spine(13))


def test_too_many_numbers_is_said(monkeypatch):
    monkeypatch.setattr(treeshap, "MOST_CELLS", 10)
    with pytest.raises(treeshap.TooLarge, match="more than 10"):
        treeshap.explainer(drawn(1, 5, 6))


def test_categories_are_refused():
    matrix, bad = table(200)
    matrix[:, 0] = np.arange(200) % 4
    bad = (matrix[:, 0] % 2).astype(int)
    kinds = xgboost.DMatrix(matrix, bad, feature_types=["c", *"qqqqq"], enable_categorical=True, nthread=1)
    with pytest.raises(ValueError, match="split by categories"):
        trees.of_xgboost(xgboost.train({"max_cat_to_onehot": 1, "nthread": 1}, kinds, 5))
    how = {"objective": "binary", "verbosity": -1, "num_threads": 1, "min_data_per_group": 5}
    kinds = lightgbm.Dataset(matrix, bad, categorical_feature=[0], params={"verbosity": -1})
    with pytest.raises(ValueError, match="split by categories"):
        trees.of_lightgbm(lightgbm.train(how, kinds, 5))
    with pytest.raises(ValueError, match="zero for missing"):
        trees.of_lightgbm(lightgbm.train(how | {"zero_as_missing": True}, lightgbm.Dataset(*table(200)), 5))


def test_a_folder_that_cannot_be_written_is_no_obstacle(tmp_path: Path):
    """Numba compiles anew where it can keep nothing; here only the decorator is tried, since compiling takes seconds."""
    program = (
        "import numba.core.caching as caching\n"
        "caching.CacheImpl._locator_classes = []\n"
        "from creditrisk import treeshap\n"
        "print(type(treeshap._walk).__name__, type(treeshap._walk._cache).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["CPUDispatcher", "NullCache"]
