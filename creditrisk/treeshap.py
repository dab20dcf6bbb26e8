"""Exact path-dependent SHAP values of trees (Lundberg 2018), looked up instead of computed.

What a leaf adds to each feature depends only on which tests on the way to it a row passes. So leaves are taken in small groups that
share their tests, and for every outcome of a group's tests what each feature gets is written down once, in a table. Nobody may
break this: a row's values are added in the same order whoever else is asked about, so alone and among others they have the same bits.
Importing this room costs Numba's start; who only wants trees takes `trees`.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from creditrisk.trees import Numbers, Places, Trees

TESTS = 7  # of a group; more make fewer look-ups, in tables that no longer lie in the fastest memory
DEEPEST = 12  # tests on the way to a leaf, beyond which even a table of its own is too large
MOST_CELLS = 16_000_000  # numbers in all tables together: 128 MB
BLOCK = 512  # rows walked together
MANY = 5_000  # rows from which two threads share the work


class TooLarge(ValueError):
    """Trees too deep or too many for tables."""


class Ragged(NamedTuple):
    """Lists behind each other: list i is `item[start[i]:start[i + 1]]`."""

    start: Places
    item: Places


class Tables(NamedTuple):
    """Trees ready to explain rows: which groups and tests a tree has, which tests and features a group has, and its tables."""

    groups: Places  # those of tree i are groups[i] … groups[i + 1]
    tests: Ragged  # nodes of each tree
    bits: Ragged  # each group's tests, as places among those of its tree
    gets: Ragged  # the features of each group
    start: Places  # where a group's tables begin, one of 2 ** tests numbers per feature
    cell: Numbers


class Explainer(NamedTuple):
    """Trees, their tables, and the mean of their sum over the training table as they know it."""

    trees: Trees
    tables: Tables
    expected: float

    def split(self, matrix: Numbers) -> tuple[Numbers, float]:
        """Return what each column adds (rows × columns) and the expected value: together they are the trees' sum."""
        columns = np.ascontiguousarray(matrix.T, dtype=np.float64)
        added = np.empty(columns.shape)
        if len(matrix) < MANY:
            _walk(columns, added, 0, len(matrix), self.trees, self.tables)
        else:
            half = len(matrix) // 2
            with ThreadPoolExecutor(2) as pool:
                parts = [(0, half), (half, len(matrix))]
                list(pool.map(lambda part: _walk(columns, added, *part, self.trees, self.tables), parts))
        return added.T, self.expected


def explainer(trees: Trees) -> Explainer:
    """Return the tables of trees; raises TooLarge where they are too deep or too many."""
    ways = _ways(trees)
    is_leaf = (trees.left < 0) & (ways.depth >= 0)
    leaves, internal = np.flatnonzero(is_leaf), np.flatnonzero(trees.left >= 0)
    group, head = _grouped(trees, ways, is_leaf)
    inside = internal[group[internal] >= 0]
    above = [(where, level) for level in range(ways.above.shape[1]) if len(where := np.flatnonzero(ways.depth[head] > level))]
    owner = np.concatenate([*(where for where, _ in above), group[inside]])
    tests = _ragged(owner, np.concatenate([*(ways.above[head[where], level] for where, level in above), inside]), len(head))
    n_tests = np.diff(tests.start)
    pairs = np.unique(np.repeat(np.arange(len(head)), n_tests) * (trees.feature.max() + 2) + trees.feature[tests.item])
    gets = _ragged(pairs // (trees.feature.max() + 2), pairs % (trees.feature.max() + 2), len(head))
    start = np.append(0, np.cumsum(np.diff(gets.start) << n_tests))
    if start[-1] > MOST_CELLS:
        raise TooLarge(f"Their tables would hold {start[-1]:,} numbers, more than {MOST_CELLS:,}.")
    of_tree = _ragged(ways.tree[internal], internal, len(trees.root))
    place = np.zeros(len(is_leaf), dtype=np.int64)
    place[of_tree.item] = np.arange(len(internal)) - np.repeat(of_tree.start[:-1], np.diff(of_tree.start))
    groups = np.searchsorted(ways.tree[head], np.arange(len(trees.root) + 1))
    tables = Tables(groups, of_tree, Ragged(tests.start, place[tests.item]), gets, start, np.zeros(int(start[-1])))
    points, weights = np.polynomial.legendre.leggauss(max(1, (ways.above.shape[1] + 1) // 2))
    _fill(tables, _ragged(group[leaves], leaves, len(head)), trees, ways, np.stack([points + 1, weights]) / 2)
    return Explainer(trees, tables, trees.base + float(np.sum(trees.value[leaves] * ways.share[leaves].prod(axis=1))))


class _Ways(NamedTuple):
    """How each node is reached: its depth (-1 where it was pruned away), its tree, the nodes above it from the root on, and the share of
    those who came past each that went on towards the node; nodes × greatest depth, -1 and 1 beyond a node's own."""

    depth: Places
    tree: Places
    above: Places
    share: Numbers


def _ways(trees: Trees) -> _Ways:
    depth, tree = np.full(len(trees.left), -1), np.zeros(len(trees.left), dtype=np.int64)
    above, share = np.full((len(depth), DEEPEST), -1), np.ones((len(depth), DEEPEST))
    depth[trees.root], tree[trees.root] = 0, np.arange(len(trees.root))
    level, here = 0, trees.root
    while len(here := here[trees.left[here] >= 0]):
        if level == DEEPEST:
            raise TooLarge(f"A way to a leaf has more than {DEEPEST} tests.")
        for child in (trees.left[here], trees.right[here]):
            depth[child], tree[child] = level + 1, tree[here]
            above[child], share[child] = above[here], share[here]
            above[child, level], share[child, level] = here, trees.cover[child] / trees.cover[here]
        level, here = level + 1, np.concatenate([trees.left[here], trees.right[here]])
    return _Ways(depth, tree, np.ascontiguousarray(above[:, :level]), np.ascontiguousarray(share[:, :level]))


def _grouped(trees: Trees, ways: _Ways, is_leaf: NDArray[np.bool_]) -> tuple[Places, Places]:
    """Return the group of each node, -1 for tests shared by several, and the first node of each group, in the trees' order.

    A group is a subtree whose tests, with those on the way to it, fit into a table; one leaf always does.
    """
    below = np.zeros(len(is_leaf), dtype=np.int64)
    for level in range(ways.depth.max(), -1, -1):
        here = np.flatnonzero((ways.depth == level) & ~is_leaf)
        below[here] = 1 + below[trees.left[here]] + below[trees.right[here]]
    head = np.full(len(is_leaf), -1)  # of the group each node belongs to
    for level in range(ways.depth.max() + 1):
        here = np.flatnonzero(ways.depth == level)
        inherited = head[ways.above[here, level - 1]] if level else head[here]
        is_small = is_leaf[here] | (below[here] + level <= TESTS)
        head[here] = np.where(inherited >= 0, inherited, np.where(is_small, here, -1))
    heads, group = np.unique(head[head >= 0], return_inverse=True)  # the nodes of a tree stand together, so its groups do too
    head[head >= 0] = group
    return head, heads


def _ragged(owner: Places, item: Places, n: int) -> Ragged:
    """Gather the items of each of `n` owners, in the order given."""
    order = np.argsort(owner, kind="stable")
    return Ragged(np.append(0, np.cumsum(np.bincount(owner, minlength=n))), item[order])


# ── compiled ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _compiled(work: Any) -> Any:
    """Compile at the first call, kept on disk where a folder for that can be written, else anew in each process."""
    try:
        return njit(cache=True, nogil=True)(work)
    except RuntimeError:  # Numba finds no such folder
        return njit(nogil=True)(work)


@_compiled
def _answer(seen: Numbers, trees: Trees, tables: Tables, tree: int, goes: NDArray[np.int32]) -> None:
    """Write which rows of a block go left at each test of a tree."""
    width, first = seen.shape[1], tables.tests.start[tree]
    for at in range(first, tables.tests.start[tree + 1]):
        node = tables.tests.item[at]
        values, limit, left = seen[trees.feature[node]], trees.threshold[node], goes[at - first]
        if trees.missing_left[node]:
            for row in range(width):
                left[row] = not values[row] > limit
        else:
            for row in range(width):
                left[row] = values[row] <= limit


@_compiled
def _look_up(tables: Tables, group: int, goes: NDArray[np.int32], outcome: NDArray[np.int32], total: Numbers) -> None:
    """Add what a group's tables say of the rows of a block."""
    width, first = len(outcome), tables.bits.start[group]
    n_tests = tables.bits.start[group + 1] - first
    for row in range(width):
        outcome[row] = 0
    for bit in range(n_tests):
        left = goes[tables.bits.item[first + bit]]
        for row in range(width):
            outcome[row] |= left[row] << bit
    begin = tables.start[group]
    for at in range(tables.gets.start[group], tables.gets.start[group + 1]):
        sums, table = total[tables.gets.item[at]], tables.cell[begin : begin + (1 << n_tests)]
        for row in range(width):
            sums[row] += table[outcome[row]]
        begin += 1 << n_tests


@_compiled
def _walk(columns: Numbers, added: Numbers, first: int, last: int, trees: Trees, tables: Tables) -> None:  # noqa: PLR0917
    """Fill `added` (columns × rows) block by block: tree after tree for all its rows, so that a tree's tables are read while near."""
    m, width = len(columns), min(BLOCK, last - first)
    goes = np.empty((np.diff(tables.tests.start).max(), width), np.int32)
    outcome = np.empty(width, np.int32)
    seen, total = np.empty((m, width)), np.empty((m, width))
    for begin in range(first, last, BLOCK):
        rows = min(width, last - begin)  # in the last block the rest are rows of the block before, walked in vain
        for column in range(m):
            total[column] = 0.0
            for row in range(rows):
                value = columns[column, begin + row]
                seen[column, row] = np.float64(np.float32(value)) if trees.single else value
        for tree in range(len(tables.groups) - 1):
            _answer(seen, trees, tables, tree, goes)
            for group in range(tables.groups[tree], tables.groups[tree + 1]):
                _look_up(tables, group, goes, outcome, total)
        for column in range(m):
            for row in range(rows):
                added[column, begin + row] = total[column, row]


@_compiled
def _gain(slot: int, passed: Numbers, share: Numbers, rule: Numbers) -> Any:
    """Return the Shapley value of one of the n features on the way to a leaf that is worth 1.

    The weight of a set S of the n - 1 others is the integral of t^|S| (1 - t)^(n - 1 - |S|) over [0, 1], so their sum is the integral
    of the product of t passed + (1 - t) share over them: Gauss' points, half as many as its degree, give it exactly.
    """
    total = 0.0
    for number in range(rule.shape[1]):
        point, product = rule[0, number], rule[1, number]
        for other in range(len(share)):
            if other != slot:
                product *= point * passed[other] + (1.0 - point) * share[other]
        total += product
    return (passed[slot] - share[slot]) * total


@_compiled
def _fill(tables: Tables, leaves: Ragged, trees: Trees, ways: _Ways, rule: Numbers) -> None:
    """Write the tables: each leaf's gains for every outcome of its group's tests."""
    deepest = ways.above.shape[1]
    feature, table_of, slot_of = np.empty(deepest, np.int64), np.empty(deepest, np.int64), np.empty(deepest, np.int64)
    bit_of, wanted = np.empty(deepest, np.int64), np.empty(deepest, np.int64)
    share, passed = np.empty(deepest), np.empty(deepest)
    for group in range(len(tables.start) - 1):
        bits = tables.bits.item[tables.bits.start[group] : tables.bits.start[group + 1]]
        gets = tables.gets.item[tables.gets.start[group] : tables.gets.start[group + 1]]
        for leaf in leaves.item[leaves.start[group] : leaves.start[group + 1]]:
            first = tables.tests.start[ways.tree[leaf]]
            n, steps = 0, ways.depth[leaf]
            for step in range(steps):  # tests of one feature are one condition
                node = ways.above[leaf, step]
                below = ways.above[leaf, step + 1] if step + 1 < steps else leaf
                wanted[step] = trees.left[node] == below
                for bit in range(len(bits)):
                    if tables.tests.item[first + bits[bit]] == node:
                        bit_of[step] = bit
                slot = 0
                while slot < n and feature[slot] != trees.feature[node]:
                    slot += 1
                if slot == n:
                    feature[slot], share[slot] = trees.feature[node], 1.0
                    table_of[slot] = np.searchsorted(gets, feature[slot])
                    n += 1
                slot_of[step] = slot
                share[slot] *= ways.share[leaf, step]
            for outcome in range(1 << len(bits)):
                passed[:n] = 1.0
                for step in range(steps):
                    if (outcome >> bit_of[step]) & 1 != wanted[step]:
                        passed[slot_of[step]] = 0.0
                for slot in range(n):
                    cell = tables.start[group] + (table_of[slot] << len(bits)) + outcome
                    tables.cell[cell] += trees.value[leaf] * _gain(slot, passed[:n], share[:n], rule)
