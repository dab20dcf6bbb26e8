"""A schema for a table nobody has described: types, units, bounds, signs and roles read off names and values, to be looked at by a person.

Nothing here is believed further than it can be seen: each guess that matters is a `Finding` in words. What is protected by law is kept
from models, what looks as if it were known only after the fact is shown and not learned from.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, Series, to_numeric

from creditrisk import metrics
from creditrisk.errors import InvalidInput, NotEnoughData
from creditrisk.schema import Feature, Schema, protects

Kind = Literal["protected", "leak", "afterwards", "constant", "text", "day", "code", "empty", "sign", "stranger"]
Numbers = NDArray[Any]

MOST_CHOICES = 60
IS_NUMBER = 0.95  # a column with at least this share of numbers is a column of numbers with mistakes in it
TELLS_ALL = 0.98  # a single column that orders good and bad this well (AUC) knows the outcome
AGREES = 0.52  # a sign guessed from a name counts only where outcomes do not speak against it
SLACK = 10  # bounds lie this many times further out than all but a thousandth of the values
LABEL_FEATURES = 6
AFTERWARDS = re.compile(
    r"recover|collection|charge_?off|written_?off|settlement|total_(rec|pymnt|paid)|out_prncp|last_(pymnt|payment)|next_pymnt|default_date"
    r"|loan_status|repay_status|outcome|closed_(on|date)",
    re.IGNORECASE,
)
UNITS = (
    ("share", r"ratio|util|share|percent|pct|rate$"),
    ("days", r"days?$|dpd$"),
    ("months", r"months?$|month$"),
    ("years", r"years?|age(_in_years)?$|_length$"),
    ("times", r"^(no|num|number|count|times?)_|_(count|times)$|^number"),
    ("money", r"income|salary|amount|amnt|amt|balance|_bal$|bill|limit|debt$|payment|instal"),
)
MORE_RISK = (
    r"delinq|dpd|past_?due|late|default|arrear|enquir|inquir|util|overdraft|debt_?ratio|bad|bankrupt|int_rate|^pay_?\d|"
    r"(percent|ratio|share)\w*income"
)
LESS_RISK = r"income|salary|savings?(?!.*account)|balance|years_at|emp_?length|tenure|cred_hist|score|limit_bal|property_value"
CODES = (-9, -8, -7, -99, -999, -9999, 96, 97, 98, 99, 996, 997, 998, 999, 9999, 99999, 999999)


@dataclass(frozen=True)
class Finding:
    """Something a person should know of one column before believing the schema."""

    column: str
    kind: Kind
    sentence: str


@dataclass(frozen=True)
class Proposal:
    """A schema, and what was noticed on the way to it."""

    schema: Schema
    findings: list[Finding]


def propose(table: DataFrame, *, name: str, keys: Sequence[str] = (), bad: Sequence[object] | None = None) -> Proposal:
    """Describe every column of a table but its `keys` (id, date, target). `bad` (1, 0 or None a row) is used to find columns that
    know the outcome and to drop signs it speaks against. Raises NotEnoughData where no column is left to describe."""
    outcome = None if bad is None else np.array([np.nan if value is None else float(bool(value)) for value in bad])
    features: list[Feature] = []
    findings: list[Finding] = []
    for column in table.columns:
        if column in keys:
            continue
        feature, found = _describe(str(column), table[column], outcome)
        findings += found
        if feature is not None:
            features.append(feature)
    if not features:
        raise NotEnoughData(f"No column of {name} can be a feature: {' '.join(finding.sentence for finding in findings)}")
    chosen = _indexed(features, table)
    concepts = tuple(dict.fromkeys((feature.concept, _said(feature.concept).lower()) for feature in chosen))
    return Proposal(Schema(name, tuple(chosen), concepts), findings)


def correct(proposed: Schema, corrections: dict[str, dict[str, object]]) -> dict[str, object]:
    """Return the proposal as a TOML-shaped declaration with single keys of single features replaced; `drop = true` leaves one out.

    Raises InvalidInput for a feature the table does not have, unless it has a formula of its own.
    """
    declared = {feature.name: {key: value for key, value in asdict(feature).items() if value is not None} for feature in proposed}
    for name, keys in corrections.items():
        if name not in declared and not keys.get("formula"):
            raise InvalidInput(f"The schema corrects {name!r}, which the table does not have; it has {', '.join(declared)}.")
        declared[name] = {"name": name, "title": _said(name), "concept": name, **declared.get(name, {}), **keys}
    kept = [entry for entry in declared.values() if not entry.pop("drop", False)]
    concepts = {str(entry["concept"]): _said(str(entry["concept"])).lower() for entry in kept}
    return {"name": proposed.name, "feature": kept, "concepts": concepts}


def numbers(column: Series) -> Numbers:
    """Return a column as floats, NaN for what is no finite number."""
    read = to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return np.where(np.isfinite(read), read, np.nan)


def _describe(name: str, column: Series, outcome: Numbers | None) -> tuple[Feature | None, list[Finding]]:
    filled = column[column.notna() & (column.astype(str).str.strip() != "")]
    if filled.empty:
        return None, [Finding(name, "empty", f"{name} is empty in every row and was left out.")]
    read = numbers(filled)
    is_number = filled.dtype.kind in "iufb" or float(np.isfinite(read).mean()) >= IS_NUMBER
    if not is_number:
        return _choice(name, filled, column, outcome)
    return _number(name, column, outcome)


def _choice(name: str, filled: Series, column: Series, outcome: Numbers | None) -> tuple[Feature | None, list[Finding]]:
    texts = filled.astype(str).str.strip()
    counts = texts.value_counts()
    if texts.head(200).str.fullmatch(r"\d{4}-\d{2}-\d{2}([T ].*)?|\d{1,2}[./]\d{1,2}[./]\d{4}").mean() > IS_NUMBER:
        said = f"{name} holds dates, which are no feature; `--as-of {name}` says that it is the day the figures describe."
        return None, [Finding(name, "day", said)]
    if len(counts) > MOST_CHOICES:
        said = f"{name} has {len(counts):,} different texts, more than the {MOST_CHOICES} a choice may have, and was left out."
        return None, [Finding(name, "text", said)]
    if len(counts) == 1:
        return None, [Finding(name, "constant", f"{name} is {counts.index[0]!r} in every row and was left out.")]
    rates = Series(np.nan if outcome is None else outcome, index=column.index).groupby(column.astype(str).str.strip()).mean()
    role, findings = _role(name, column.astype(str).str.strip().map(rates).to_numpy(float), outcome)
    feature = Feature(
        name,
        _said(name),
        "choice",
        choices=tuple(sorted(counts.index)),
        role=role,
        concept=_family(name),
        meaning=f"{_said(name)}, as the lender's table states it.",
        reason=f"{_said(name)} is {{value}} (reference {{reference}})",
    )
    return feature, findings


def _number(name: str, column: Series, outcome: Numbers | None) -> tuple[Feature | None, list[Finding]]:
    read = numbers(column)
    codes = _codes(read)
    values = np.where(np.isin(read, list(codes)), np.nan, read)
    known = values[np.isfinite(values)]
    if len(np.unique(known)) < 2:
        return None, [Finding(name, "constant", f"{name} is the same in every row and was left out.")]
    whole = bool((known == np.floor(known)).all())
    flag = set(np.unique(known)) <= {0.0, 1.0}
    unit = "" if flag else next((unit for unit, pattern in UNITS if re.search(pattern, _snake(name))), "")
    if unit == "share" and (whole or np.quantile(np.abs(known), 0.99) > 3):
        unit = ""  # a percentage, or a rate in units of its own
    low, high = (None, None) if flag else _bounds(known, whole, unit)
    role, findings = _role(name, values, outcome)
    sign, doubts = _sign(name, values, outcome) if role == "predictor" else (0, [])
    if codes:
        said = ", ".join(f"{code:g}" for code in codes)
        what = f"{name} holds {said}, far from its other values: taken as codes for a missing value, not as amounts."
        findings = [*findings, Finding(name, "code", what)]
    feature = Feature(
        name,
        _said(name),
        "flag" if flag else "integer" if whole else "number",
        unit=unit,
        low=low,
        high=high,
        risk=sign,
        role=role,
        concept=_family(name),
        missing={f"{code:g}": "a code for no value" for code in codes},
        meaning=f"{_said(name)}, as the lender's table states it.",
        reason=f"{_said(name)}: {{value}} (reference {{reference}})",
        is_binding=False,
    )
    return feature, findings + doubts


def _role(name: str, values: Numbers, outcome: Numbers | None) -> tuple[Literal["predictor", "protected", "report"], list[Finding]]:
    if word := protects(name):
        what = f"{name} says {word}, a trait the law protects: it is kept and shown, and no model reads it unless somebody gives a reason."
        return "protected", [Finding(name, "protected", what)]
    if AFTERWARDS.search(name):
        what = f"{name} sounds like something known only after the loan was granted: it is kept and shown, and no model reads it."
        return "report", [Finding(name, "afterwards", what)]
    area = _area(values, outcome)
    if area is not None and max(area, 1 - area) >= TELLS_ALL:
        what = f"{name} alone orders good and bad with an AUC of {max(area, 1 - area):.3f}: it knows the outcome, so no model reads it."
        return "report", [Finding(name, "leak", what)]
    return "predictor", []


def _sign(name: str, values: Numbers, outcome: Numbers | None) -> tuple[int, list[Finding]]:
    """Return the sign a name suggests, 0 where outcomes do not agree with it."""
    snake = _snake(name)
    sign = 1 if re.search(MORE_RISK, snake) else -1 if re.search(LESS_RISK, snake) else 0
    area = _area(values, outcome)
    if not sign or area is None or (area if sign > 0 else 1 - area) >= AGREES:
        return sign, []
    what = (
        f"{name} sounds as if more of it meant {'more' if sign > 0 else 'less'} risk; the outcomes do not show it, so no sign is claimed."
    )
    return 0, [Finding(name, "sign", what)]


def _area(values: Numbers, outcome: Numbers | None) -> float | None:
    """Return how well one column alone orders bad above good, None where that cannot be said."""
    if outcome is None:
        return None
    both = np.isfinite(values) & np.isfinite(outcome)
    bad = outcome[both] > 0
    return metrics.auc(bad, values[both]) if 0 < bad.sum() < len(bad) else None


def _codes(read: Numbers) -> list[float]:
    """Return written numbers that stand for 'no value': negative ones among values that cannot be, high ones far above all others."""
    known = read[np.isfinite(read)]
    present, counts = np.unique(known, return_counts=True)
    some = {float(code) for code, n in zip(present, counts, strict=True) if code in CODES and n >= 2}
    others = present[~np.isin(present, list(some))]
    if not some or not len(others) or (others != np.floor(others)).any():
        return []
    below = {code for code in some if code < 0 and others.min() >= 0}
    above = {code for code in some if code > 0 and others.max() > 0 and code >= 3 * others.max()}
    return sorted(below | above)


def _bounds(known: Numbers, whole: bool, unit: str) -> tuple[float | None, float | None]:
    """Return the least and the most a value may be: what nature says where it says something, else the quantiles with slack."""
    least, most = np.quantile(known, 0.001), np.quantile(known, 0.999)
    high = float(SLACK * max(most, -least, 1))
    low = 0.0 if known.min() >= 0 else -high
    if unit == "years":
        high = 110.0
    return (float(np.floor(low)), float(np.ceil(high))) if whole else (low, high)


def _indexed(features: Sequence[Feature], table: DataFrame) -> list[Feature]:
    """Put the fullest signed features, one of each family, into the risk index."""
    signed = [feature for feature in features if feature.risk and feature.role == "predictor"]
    fullest = sorted(signed, key=lambda feature: -float(np.isfinite(numbers(table[feature.name])).mean()))
    first = {feature.concept: feature.name for feature in reversed(fullest)}
    chosen = {name for _, name in sorted(first.items(), key=lambda item: [f.name for f in fullest].index(item[1]))[:LABEL_FEATURES]}
    return [replace(feature, in_index=feature.name in chosen) for feature in features]


def _family(name: str) -> str:
    """Return the name without the number of a month or window at its end: PAY_0 and PAY_6 measure one thing."""
    return re.sub(r"[_ ]?\d+$", "", name) or name


def _snake(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()).strip("_")


def _said(name: str) -> str:
    """Say a column's name as a title: 'person_emp_length' → 'Person emp length'."""
    words = _snake(name).replace("_", " ")
    return words[:1].upper() + words[1:]
