"""A figure made of other figures: `loan_amnt / person_income`, read once, never executed as a program.

Only names, numbers, + - * / ( ) and the functions `least`, `greatest` and `coalesce` mean anything; a name that is no plain word
stands in double quotes. A part that is missing, or a division by nothing, gives a missing value.
"""

import ast
import re
from collections.abc import Callable, Mapping
from functools import cache, reduce
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creditrisk.errors import InvalidInput

Numbers = NDArray[np.float64]
LONGEST = 500

OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.USub: np.negative,
    ast.UAdd: np.positive,
}


def _coalesce(first: Any, *others: Any) -> Any:
    return reduce(lambda known, other: np.where(np.isnan(known), other, known), others, first)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "least": lambda first, *others: reduce(np.fmin, others, first),
    "greatest": lambda first, *others: reduce(np.fmax, others, first),
    "coalesce": _coalesce,
}


def parts(formula: str) -> tuple[str, ...]:
    """Return the names a formula reads, in order of appearance; raises InvalidInput for what is no formula.

    >>> parts('"PAY AMT" / greatest(income, 1)')
    ('PAY AMT', 'income')
    """
    tree, names = _tree(formula)
    found = [names.get(node.id, node.id) for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id not in FUNCTIONS]
    return tuple(sorted(set(found), key=formula.index))


def value(formula: str, columns: Mapping[str, ArrayLike]) -> Numbers:
    """Return a formula's value for every row of its columns (floats, NaN where missing); NaN where it has none."""
    tree, names = _tree(formula)

    def of(node: ast.AST) -> Any:
        if isinstance(node, ast.BinOp):
            return OPERATORS[type(node.op)](of(node.left), of(node.right))
        if isinstance(node, ast.UnaryOp):
            return OPERATORS[type(node.op)](of(node.operand))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return FUNCTIONS[node.func.id](*(of(argument) for argument in node.args))
        if isinstance(node, ast.Name):
            return np.asarray(columns[names.get(node.id, node.id)], np.float64)
        return np.float64(ast.literal_eval(node))  # nothing else is left by _check

    with np.errstate(all="ignore"):
        found = np.asarray(of(tree), np.float64)
    return np.where(np.isfinite(found), found, np.nan)


@cache
def _tree(formula: str) -> tuple[ast.expr, dict[str, str]]:
    """Return the checked syntax tree and the quoted names by the plain word that stands for each in it."""
    quoted: dict[str, str] = {}

    def stand_in(found: re.Match[str]) -> str:
        quoted[f"quoted_{len(quoted)}_"] = found[1]
        return f" {list(quoted)[-1]} "

    try:
        if len(formula) > LONGEST:
            raise ValueError(f"it is longer than {LONGEST} characters")
        tree = ast.parse(re.sub(r'"([^"]+)"', stand_in, formula).strip(), mode="eval").body
        _check(tree)
    except (SyntaxError, ValueError, RecursionError) as error:
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        allowed = f"names, numbers, + - * / ( ), {', '.join(FUNCTIONS)}"
        raise InvalidInput(f"The formula {formula[:80]!r} cannot be read ({said}); it may have {allowed}.") from error
    return tree, quoted


def _check(node: ast.AST) -> None:
    if isinstance(node, ast.BinOp | ast.UnaryOp):
        if type(node.op) not in OPERATORS:
            raise ValueError(f"{type(node.op).__name__} is not arithmetic")
        children: list[ast.AST] = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.operand]
    elif isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS or node.keywords or not node.args:
            raise ValueError("there is no such function")
        children = list(node.args)
    elif isinstance(node, ast.Name) or (isinstance(node, ast.Constant) and type(node.value) in (int, float)):
        children = []
    else:
        raise ValueError(f"{type(node).__name__} is not arithmetic")
    for child in children:
        _check(child)
