"""A schema for a table nobody has described: types, units, bounds, signs and roles read off names and values, to be looked at by a person.

Nothing here is believed further than it can be seen: each guess that matters is a `Finding` in words. What is protected by law is kept
from models, what looks as if it were known only after the fact is shown and not learned from.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, Series, to_numeric

from creditrisk import metrics
from creditrisk.errors import InvalidInput, NotEnoughData
from creditrisk.schema import Feature, Schema, protects

Kind = Literal[
    "protected",
    "proxy",
    "leak",
    "afterwards",
    "constant",
    "text",
    "mixed",
    "day",
    "code",
    "empty",
    "sign",
    "stranger",
    "spelling",
    "reserved",
    "actionable",
    "target",
]
Numbers = NDArray[Any]

MOST_CHOICES = 60
NO_NUMBER = {"na", "n/a", "nan", "null", "none"}  # what people write where there is no number
IS_NUMBER = 0.95  # a column with at least this share of numbers is a column of numbers with mistakes in it
TELLS_ALL = 0.98  # a single column that orders good and bad this well (AUC) knows the outcome
AGREES = 0.52  # a sign guessed from a name counts only where outcomes do not speak against it
OLDEST = 110.0  # years
SLACK = 10  # bounds lie this many times further out than all but a thousandth of the values
LABEL_FEATURES = 6
STANDS_FOR = re.compile(r"(^|_)(zip|postcode|plz|cap|first_?name|last_?name|surname|street|neighbou?rhood)(_|$)|zip_?code|post(al)?_?code")
RESERVED = ("applicant_id", "as_of", "snapshot_id")  # the workspace's own columns beside the features
NEAR = 0.8  # how alike (difflib, 0 to 1) a rare choice is to a frequent one to be perhaps a slip of the pen
RARE = 0.02
AFTERWARDS = re.compile(  # words for what only the end of a loan tells; none of them is known when somebody applies
    r"recover|collection|charged?_?off|written_?off|write_?off|settlement|repossess|foreclos|total_(rec|pymnt|paid)|out_prncp"
    r"|(last|next)_(pymnt|payment)|(default|bad|npl)_?(date|day|on)(_(?!file)|$)|date_of_default|days_to_default|(dpd|past_?due|arrears|late)\w*_after"
    r"|_after_(grant|loan|approval|origination|disburs|booking)|post_(loan|default|origination)|loan_status|repay(ment)?_status|outcome"
    r"|(paid|repaid)_(back|off|to_date)|share_(re)?paid|(re)?paid_share|(amount|sum|total)_repaid"
    r"|closed_(on|date)|lgd|loss_given|hardship|fully_paid|npl_flag|(^|_)bad_\d+m(_|$)|observed_(bad|on)",
    re.IGNORECASE,
)
OUTCOME = re.compile(  # what tables call the column that says how it went
    r"^(target|outcome|loan_status|creditability|good_?bad|(is_)?bad(_flag|_loan)?|(is_|loan_|will_)?default(ed)?(_flag)?"
    r"|default_(payment_)?next_month|serious_?dlqin\w*|charged_?off)$"
)
UNITS = (
    ("share", r"ratio|util|share|percent|pct|rate$"),
    ("days", r"days?$|dpd$"),
    ("months", r"months?$|month$"),
    ("years", r"(^|_)years?(_|$)|(^|_)age(_in_years)?$|_length$"),
    ("times", r"^(no|num|number|count|times?)_|_(count|times)$|^number"),
    ("money", r"income|salary|amount|amnt|amt|balance|_bal$|bill|limit|debt$|payment|instal"),
)
MORE_RISK = (
    r"delinq|dpd|past_?due|late|default|arrear|enquir|inquir|util|overdraft|debt_?ratio|bad|bankrupt|int_rate|^pay_?\d|"
    r"(percent|ratio|share)\w*income|(debt|loan)_?to_?income|(^|_)dti(_|$)"
)
LESS_RISK = r"income|salary|savings?(?!.*account)|balance|years_at|emp_?length|tenure|cred_hist|score|limit_bal|property_value"
ASKED_FOR = (
    r"(^|_)(loan|credit|requested)_(amount|amnt|amt)$|^(amount|amt)_(requested|asked)$|^((loan_)?(term|duration|tenure))(_in)?(_months?)?$"
)
CHANGED_SOON = r"util|debt_?ratio|(debt|loan)_?to_?income|(^|_)dti(_|$)|(percent|ratio|share)\w*income"
PAST = r"hist|delinq|dpd|past_?due|late(_|$)|default|arrear|bankrupt|enquir|inquir|closed|ever(_|$)|previous|prior"
SHORT = {  # what a column's name shortens, written out: reasons are read by applicants
    **dict.fromkeys(("amt", "amnt"), "amount"),
    **dict.fromkeys(("num", "nbr"), "number of"),
    **dict.fromkeys(("pct", "perc"), "per cent"),
    **dict.fromkeys(("util", "utilization"), "utilisation"),
    **dict.fromkeys(("inq", "inquiries"), "enquiries"),
    **dict.fromkeys(("yrs", "yr"), "years"),
    **dict.fromkeys(("mths", "mth", "mos"), "months"),
    **{"emp": "employment", "int": "interest", "hist": "history", "cred": "credit", "cb": "credit bureau", "bal": "balance"},
    **{"dpd": "days past due", "dti": "debt to income", "dlq": "delinquency", "dlqin": "delinquency in", "delinq": "delinquencies"},
    **{"pymnt": "payment", "pmt": "payment", "acc": "account", "acct": "account", "max": "highest", "min": "lowest", "avg": "average"},
    **{"ltv": "loan to value", "annual": "yearly", "inc": "income", "installment": "instalment", "purp": "purpose", "addr": "address"},
}
CODES = (-9, -8, -7, -99, -999, -9999, 96, 97, 98, 99, 996, 997, 998, 999, 9999, 99999, 999999)
A_CODE = "a code for no value"  # why, where nobody has said why


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
        if str(column).lower() in RESERVED:
            way = "`--as-of as_of` says that it is the day the figures describe" if column == "as_of" else "rename it to keep it"
            what = f"{column} is a name the workspace uses itself, so the column was left out; {way}."
            findings.append(Finding(str(column), "reserved", what))
            continue
        feature, found = _describe(str(column), table[column], outcome)
        findings += found
        if feature is not None:
            features.append(feature)
    if not features:
        raise NotEnoughData(f"No column of {name} can be a feature: {' '.join(finding.sentence for finding in findings)}")
    chosen = _indexed(features, table)
    concepts = tuple(dict.fromkeys((feature.concept, titled(feature.concept).lower()) for feature in chosen))
    return Proposal(Schema(name, tuple(chosen), concepts), findings)


def correct(proposed: Schema, corrections: dict[str, dict[str, object]]) -> dict[str, object]:
    """Return the proposal as a TOML-shaped declaration with single keys of single features replaced; `drop = true` leaves one out, and
    a key that is None is no longer said.

    A guess that a feature can be influenced gives way where its corrections no longer let it (no sign, not scored, computed).
    Raises InvalidInput for a feature the table does not have, unless it has a formula of its own.
    """
    declared = {feature.name: {key: value for key, value in asdict(feature).items() if value is not None} for feature in proposed}
    for name, keys in corrections.items():
        if name not in declared and not keys.get("formula"):
            raise InvalidInput(f"The schema corrects {name!r}, which the table does not have; it has {', '.join(declared)}.")
        said = {"name": name, "title": titled(name), "concept": name, **declared.get(name, {}), **keys}
        entry = {key: value for key, value in said.items() if value is not None}
        if declared.get(name, {}).get("actionable") and not _may_be_moved(entry):
            entry["actionable"] = False
        declared[name] = entry
    kept = [entry for entry in declared.values() if not entry.pop("drop", False)]
    concepts = {str(entry["concept"]): titled(str(entry["concept"])).lower() for entry in kept}
    return {"name": proposed.name, "feature": kept, "concepts": concepts}


def _may_be_moved(entry: Mapping[str, object]) -> bool:
    scored = entry.get("role", "predictor") == "predictor" and entry.get("type") != "choice"
    return bool(scored and entry.get("risk") and not entry.get("formula"))


def numbers(column: Series) -> Numbers:
    """Return a column as floats, NaN for what is no finite number."""
    read = to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return np.where(np.isfinite(read), read, np.nan)


def _describe(name: str, column: Series, outcome: Numbers | None) -> tuple[Feature | None, list[Finding]]:
    filled = column[column.notna() & (column.astype(str).str.strip() != "")]
    if filled.empty:
        return None, [Finding(name, "empty", f"{name} is empty in every row and was left out.")]
    if filled.dtype.kind in "iufb":
        return _number(name, column, outcome)
    texts = filled.astype(str).str.strip()
    stated = texts[~texts.str.lower().isin(NO_NUMBER) & ~texts.str.startswith("#")]
    share = float(np.isfinite(numbers(stated)).mean()) if len(stated) else 0.0
    if share >= IS_NUMBER:
        return _number(name, column, outcome)
    feature, findings = _choice(name, filled, column, outcome)
    odd = stated[~np.isfinite(numbers(stated))].head(1).tolist()
    is_figure = bool(len(stated)) and float(stated.str.contains(r"\d").mean()) > 0.5
    if share >= 0.5 or (is_figure and float(stated.str.fullmatch(r"[^\w\s]?\s*-?\d[\d.,' ]*\s*[^\w\s]?").mean()) >= IS_NUMBER):
        seen = f"{name} is a number in {share:.0%} of rows and a text like {odd[0]!r} in others"
        what = f"{seen if share else f'{name} writes numbers like {odd[0]!r}'}, so it is no column of numbers; "
        findings = [*findings, Finding(name, "mixed", what + "write plain numbers, or an empty cell, to have it read as one.")]
    return feature, findings


def _choice(name: str, filled: Series, column: Series, outcome: Numbers | None) -> tuple[Feature | None, list[Finding]]:
    texts = filled.astype(str).str.strip()
    spellings = _spellings(texts.value_counts())
    texts = texts.replace(spellings) if spellings else texts
    counts = texts.value_counts()
    if texts.head(200).str.fullmatch(r"\d{4}-\d{2}-\d{2}([T ].*)?|\d{1,2}[./]\d{1,2}[./]\d{4}").mean() > IS_NUMBER:
        said = f"{name} holds dates, which are no feature; `--as-of {name}` says that it is the day the figures describe."
        return None, [Finding(name, "day", said)]
    if len(counts) > MOST_CHOICES:
        said = f"{name} has {len(counts):,} different texts, more than the {MOST_CHOICES} a choice may have, and was left out."
        return None, [Finding(name, "text", said)]
    if len(counts) == 1:
        return None, [Finding(name, "constant", f"{name} is {counts.index[0]!r} in every row and was left out.")]
    written = column.astype(str).str.strip()
    rates = Series(np.nan if outcome is None else outcome, index=column.index).groupby(written).mean()
    role, findings = _role(name, written.map(rates).to_numpy(float), outcome)
    if spellings:
        merged = ", ".join(f"{one!r} as {meant!r}" for one, meant in list(spellings.items())[:5])
        what = f"{name} writes the same in several ways, apart only in case or blanks: {merged} is how they are read."
        findings = [*findings, Finding(name, "spelling", what)]
    feature = Feature(
        name,
        titled(name),
        "choice",
        choices=tuple(sorted(counts.index)),
        spellings=spellings,
        role=role,
        concept=_family(name),
        meaning=f"{titled(name)}, as the lender's table states it.",
        reason=f"{titled(name)} is {{value}} (reference {{reference}})",
    )
    return feature, findings


def _spellings(counts: Series) -> dict[str, str]:
    """Return the writings that differ from a more frequent one in case and blanks only, each with that one; `counts` by text."""
    first: dict[str, str] = {}
    for text in counts.index:  # most frequent first
        first.setdefault(_folded(text), text)
    return {text: first[_folded(text)] for text in counts.index if first[_folded(text)] != text}


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def alike(counts: Mapping[str, int]) -> dict[str, str]:
    """Return the rare texts that look like slips of the pen, each with the frequent one it is perhaps; a guess for a person to judge.

    >>> alike({"mortgage": 900, "rent": 800, "mortage": 3, "other": 20})
    {'mortage': 'mortgage'}
    """
    most = RARE * sum(counts.values())
    frequent = [text for text, n in counts.items() if n > most]
    near = {text: get_close_matches(text, frequent, n=1, cutoff=NEAR) for text, n in counts.items() if n <= most and not text.isdigit()}
    return {text: found[0] for text, found in near.items() if found}


def _number(name: str, column: Series, outcome: Numbers | None) -> tuple[Feature | None, list[Finding]]:
    read = numbers(column)
    codes = _codes(read)
    values = np.where(np.isin(read, list(codes)), np.nan, read)
    known = values[np.isfinite(values)]
    if len(np.unique(known)) < 2:
        return None, [Finding(name, "constant", f"{name} is the same in every row and was left out.")]
    whole = bool((known == np.floor(known)).all())
    flag = set(np.unique(known)) <= {0.0, 1.0}
    unit = "" if flag else next((unit for unit, pattern in UNITS if re.search(pattern, snake(name)) and _may_have(unit, known, whole)), "")
    low, high = (None, None) if flag else _bounds(known, whole, unit)
    role, findings = _role(name, values, outcome)
    sign, doubts = _sign(name, values, outcome) if role == "predictor" else (0, [])
    actionable = bool(sign) and _is_actionable(name)
    if codes:
        said = ", ".join(f"{code:g}" for code in codes)
        what = f"{name} holds {said}, far from its other values: taken as codes for a missing value, not as amounts."
        findings = [*findings, Finding(name, "code", what)]
    feature = Feature(
        name,
        titled(name),
        "flag" if flag else "integer" if whole else "number",
        unit=unit,
        low=low,
        high=high,
        risk=sign,
        role=role,
        concept=_family(name),
        missing={f"{code:g}": A_CODE for code in codes},
        meaning=f"{titled(name)}, as the lender's table states it.",
        reason=f"{titled(name)}: {{value}} (reference {{reference}})",
        is_binding=False,
        actionable=actionable,
    )
    if actionable:
        way = "less" if sign > 0 else "more"
        said = f"{name} is taken as something an applicant can change ({way} of it helps), so that guidance may name it: untick it if not."
        doubts = [*doubts, Finding(name, "actionable", said)]
    return feature, findings + doubts


def _may_have(unit: str, known: Numbers, whole: bool) -> bool:
    """Say whether values can be of a unit that their name suggests: a share is no percentage, and nobody is 5,000 years old."""
    most = float(np.quantile(np.abs(known), 0.99))
    return {"share": not whole and most <= 3, "years": most <= OLDEST}.get(unit, True)


def _role(name: str, values: Numbers, outcome: Numbers | None) -> tuple[Literal["predictor", "protected", "report"], list[Finding]]:
    if word := protects(name):
        what = f"{name} says {word}, a trait the law protects: it is kept and shown, and no model reads it unless somebody gives a reason."
        return "protected", [Finding(name, "protected", what)]
    if outcome is None and OUTCOME.search(snake(name)):
        what = (
            f"{name} is called like how it went: say so (“How it went” on the page, --target {name} on the command line), and models "
            "learn from it. Until then it is kept and shown, and no model reads it."
        )
        return "report", [Finding(name, "target", what)]
    if AFTERWARDS.search(snake(name)):
        what = f"{name} sounds like something known only after the loan was granted: it is kept and shown, and no model reads it."
        return "report", [Finding(name, "afterwards", what)]
    area = _area(values, outcome)
    if area is not None and max(area, 1 - area) >= TELLS_ALL:
        what = f"{name} alone orders good and bad with an AUC of {max(area, 1 - area):.3f}: it knows the outcome, so no model reads it."
        return "report", [Finding(name, "leak", what)]
    if STANDS_FOR.search(snake(name)):
        what = f"{name} can stand for a trait the law protects (where somebody lives, what they are called): look at fairness before use."
        return "predictor", [Finding(name, "proxy", what)]
    return "predictor", []


def _sign(name: str, values: Numbers, outcome: Numbers | None) -> tuple[int, list[Finding]]:
    """Return the sign a name suggests, 0 where outcomes do not agree with it."""
    plain = snake(name)
    sign = 1 if re.search(f"{MORE_RISK}|{ASKED_FOR}", plain) else -1 if re.search(LESS_RISK, plain) else 0
    area = _area(values, outcome)
    if not sign or area is None or (area if sign > 0 else 1 - area) >= AGREES:
        return sign, []
    what = (
        f"{name} sounds as if more of it meant {'more' if sign > 0 else 'less'} risk; the outcomes do not show it, so no sign is claimed."
    )
    return 0, [Finding(name, "sign", what)]


def _is_actionable(name: str) -> bool:
    """Say whether a signed figure is one that its applicant can change within months and that may be advised on.

    Those are what is asked for (amount and term: ask for less), and what is owed against a limit or an income (pay down, or ask for less).
    Income is not: it does not rise by wanting, and guidance to state more of it would be guidance to lie. Nor is what lies in the past
    (delinquencies, enquiries, the length of a history), which only time mends, nor what somebody is: their age, work, home or family.
    A name is a guess: the schema's table shows each for a person to untick, and none holds without a sign that outcomes bear out.
    """
    plain = snake(name)
    return bool(re.search(f"{ASKED_FOR}|{CHANGED_SOON}", plain)) and not re.search(PAST, plain)


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
        high = OLDEST
    return (float(np.floor(low)), float(np.ceil(high))) if whole else (low, high)


def _indexed(features: Sequence[Feature], table: DataFrame) -> list[Feature]:
    """Put the fullest signed features, one of each family, into the risk index; what was asked for says nothing of who asks."""
    signed = [f for f in features if f.risk and f.role == "predictor" and not re.search(ASKED_FOR, snake(f.name))]
    fullest = sorted(signed, key=lambda feature: -float(np.isfinite(numbers(table[feature.name])).mean()))
    first = {feature.concept: feature.name for feature in reversed(fullest)}
    chosen = {name for _, name in sorted(first.items(), key=lambda item: [f.name for f in fullest].index(item[1]))[:LABEL_FEATURES]}
    return [replace(feature, in_index=feature.name in chosen) for feature in features]


def _family(name: str) -> str:
    """Return the name without the number of a month or window at its end: PAY_0 and PAY_6 measure one thing."""
    return re.sub(r"[_ ]?\d+$", "", name) or name


def snake(name: str) -> str:
    """Return a column's name in small letters with an underscore between words."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()).strip("_")


def titled(name: str) -> str:
    """Say a column's name as a title, its abbreviations written out; numbers stand apart from words.

    >>> titled("person_emp_length"), titled("NumberOfTimes90DaysLate"), titled("PAY_AMT2"), titled("loan_int_rate")
    ('Person employment length', 'Number of times 90 days late', 'Pay amount 2', 'Loan interest rate')
    """
    apart = re.sub(r"(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])", "_", snake(name))
    words = " ".join(SHORT.get(word, word) for word in apart.split("_")).replace(" of of ", " of ")
    return words[:1].upper() + words[1:]
