"""Fitted trees as plain arrays, whichever library grew them.

Nobody may break this: a row walks these arrays to the very leaves its library would have sent it to.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]
_LINE = re.compile(r"^(\w+)=(.*)$", re.MULTILINE)


class Trees(NamedTuple):
    """Trees as arrays over all their nodes, each tree's behind one another; `left` and `right` of a leaf are -1.

    A row goes left where its value is at most `threshold`, or missing and `missing_left`. `single` says that values are compared in
    single precision. `cover` is how much of the training table came past a node; `base` is added to the sum of the leaves reached.
    """

    root: Places
    left: Places
    right: Places
    feature: Places
    threshold: Numbers
    missing_left: NDArray[np.bool_]
    value: Numbers
    cover: Numbers
    base: float
    single: bool


def of_xgboost(booster: Any) -> Trees:
    """Return a booster's trees; raises ValueError where they split by categories."""
    learner = json.loads(booster.save_raw("json"))["learner"]
    trees = learner["gradient_booster"]["model"]["trees"]
    if any(any(tree["split_type"]) for tree in trees):
        raise ValueError("They split by categories.")
    share = np.float32(learner["learner_model_param"]["base_score"].strip("[]"))  # XGBoost takes its log-odds in single precision

    def all_of(name: str) -> Numbers:
        return np.concatenate([np.asarray(tree[name], dtype=np.float64) for tree in trees])

    value = all_of("split_conditions")
    root, left, right = _joined([len(tree["left_children"]) for tree in trees], all_of("left_children"), all_of("right_children"))
    return Trees(
        root,
        left,
        right,
        all_of("split_indices").astype(np.int64),
        # XGBoost goes left below a limit, in single precision: at most the number just before it.
        np.nextafter(value.astype(np.float32), np.float32(-np.inf)).astype(np.float64),
        all_of("default_left").astype(bool),
        value,
        all_of("sum_hessian"),
        base=float(-np.log(1 / share - 1)),
        single=True,
    )


def of_lightgbm(booster: Any) -> Trees:
    """Return a booster's trees; raises ValueError where they split by categories or take zero for missing."""
    trees = [dict(_LINE.findall(block)) for block in booster.model_to_string().split("\nTree=")[1:]]
    if any(tree["num_cat"] != "0" for tree in trees):
        raise ValueError("They split by categories.")

    def all_of(of_test: str, of_leaf: str, otherwise: str) -> Numbers:
        """Return what is said of each tree's tests, then of its leaves, `otherwise` where nothing is."""
        found: list[str] = []
        for tree in trees:
            n = int(tree["num_leaves"])
            for name, size in ((of_test, n - 1), (of_leaf, n)):
                found += tree.get(name, "").split() or [otherwise] * size
        return np.array(found, dtype=np.float64)

    n_leaves = np.array([int(tree["num_leaves"]) for tree in trees])
    sizes = 2 * n_leaves - 1
    tests = np.repeat(n_leaves - 1, sizes)
    is_leaf = np.arange(len(tests)) - np.repeat(np.cumsum(sizes) - sizes, sizes) >= tests
    # Leaves are counted from -1 downwards; here they stand behind the tests.
    ways = [all_of(name, "", "-1") for name in ("left_child", "right_child")]
    root, left, right = _joined(sizes.tolist(), *(np.where(is_leaf, -1, np.where(way < 0, tests - 1 - way, way)) for way in ways))
    kind, threshold = all_of("decision_type", "", "0").astype(np.int64), all_of("threshold", "", "0")
    if ((kind >> 2 & 3) == 1).any():
        raise ValueError("They take zero for missing.")
    return Trees(
        root,
        left,
        right,
        all_of("split_feature", "", "-1").astype(np.int64),
        threshold,
        # A test that saw nothing missing while learning takes it for zero; the others say where it goes.
        np.where(kind >> 2 & 3 == 0, threshold >= 0, kind & 2 > 0),
        all_of("", "leaf_value", "0"),
        all_of("internal_count", "leaf_count", "1"),
        base=0.0,
        single=False,
    )


def of_forest(forest: Any) -> Trees:
    """Return the trees of a random forest of two classes; their sum is the mean share of the second."""
    trees = [member.tree_ for member in forest.estimators_]

    def all_of(name: str) -> Any:
        return np.concatenate([getattr(tree, name) for tree in trees])

    root, left, right = _joined([tree.node_count for tree in trees], all_of("children_left"), all_of("children_right"))
    shares = all_of("value")[:, 0]
    return Trees(
        root,
        left,
        right,
        all_of("feature").astype(np.int64),
        all_of("threshold"),
        all_of("missing_go_to_left").astype(bool),
        shares[:, 1] / shares.sum(axis=1) / len(trees),
        all_of("weighted_n_node_samples"),
        base=0.0,
        single=True,
    )


def _joined(sizes: Sequence[int], left: NDArray[Any], right: NDArray[Any]) -> tuple[Places, Places, Places]:
    """Return the roots of trees behind each other, and their children, which were counted from their own root."""
    root = np.append(0, np.cumsum(sizes)[:-1]).astype(np.int64)
    shift = np.repeat(root, sizes)
    left, right = (np.where(way < 0, -1, way.astype(np.int64) + shift) for way in (left, right))
    return root, left, right
