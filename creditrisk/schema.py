"""What an applicant is: each feature declared once, in TOML, and rendered everywhere else.

The SQL check, the form, the API model, monotone constraints, the reasons and the documentation all read this
declaration. Its fingerprint is kept with every model; scoring refuses a model made for another schema.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import MISSING, asdict, dataclass, field, fields
from functools import cache, cached_property
from math import isnan
from pathlib import Path
from typing import Any, Literal, get_args
from unicodedata import combining, normalize

from creditrisk import formula
from creditrisk.errors import InvalidInput, UnknownThing

Type = Literal["number", "integer", "choice", "flag"]
Role = Literal["predictor", "protected", "report"]
Behind = Literal["", "out", "net", "stream"]
COUNTED = ("days", "months", "times")  # units that are said behind their number
LEAST_WORDS = 2  # of a reason
BUILT_IN = Path(__file__).parent / "declared" / "schemas"


@dataclass(frozen=True)
class Feature:
    """One declared column of an applicant.

    `risk` is +1 where a higher value means more risk, -1 where it means less, 0 where nothing is claimed; models must keep to it
    where it `is_binding`, and a sign guessed from a name is not: it orders the risk index only.
    `window_days` and `categories` say which transactions stand behind a statement feature ([] = every one).
    `behind` narrows those: 'out' is spending and 'net' all money, both without own transfers; 'stream' is what recurs.
    `in_index` puts the feature into the plain risk index and among the label features of K-Means.
    `missing` says which written values mean that there is none, and why ({"98": "refused to say"}); `spellings` puts other ways of
    writing a choice right; `formula` makes the feature of others (see `formula`), so it is computed and never believed. `why`
    is somebody's reason for letting a model read a column that the law of many countries protects.
    `actionable` says that people can change it by what they do within months, so that guidance may name it: only a scored number with
    a sign, which says which way helps. `at_most` names features that are never less than this one (90 days never
    hold more than 365); one that is not declared binds nobody.
    """

    name: str
    title: str
    type: Type = "number"
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    risk: int = 0
    role: Role = "predictor"
    concept: str = ""
    in_index: bool = False
    window_days: int | None = None
    categories: tuple[str, ...] = ()
    behind: Behind = ""
    meaning: str = ""
    reason: str = ""
    formula: str = ""
    missing: dict[str, str] = field(default_factory=dict, hash=False)
    spellings: dict[str, str] = field(default_factory=dict, hash=False)
    why: str = ""
    is_binding: bool = True
    actionable: bool = False
    at_most: tuple[str, ...] = ()

    def reads(self) -> tuple[Any, ...]:
        """What else a model depends on: what stands between a written value and the one it sees, and whether its sign is free."""
        free = "" if self.is_binding else "free"
        return tuple(part for part in (self.formula, tuple(self.missing.items()), tuple(self.spellings.items()), free) if part)

    @property
    def is_numeric(self) -> bool:
        """Whether values are numbers (flags count as 0 and 1)."""
        return self.type != "choice"

    def say(self, value: object, digits: int | None = None) -> str:
        """Write a value as a person would: 0.123 of a share is '12 %'; `digits` after the point where the usual are too few."""
        if is_missing(value):
            return "not known"
        if not self.is_numeric:
            return str(value)
        if self.type == "flag":
            return "yes" if value else "no"
        usual = 0 if self.unit in ("share", "money", *COUNTED) or self.type == "integer" else 2
        number = (100 if self.unit == "share" else 1) * float(value)  # type: ignore[arg-type]
        text = f"{round(number, digits or usual) + 0.0:,.{digits or usual}f}"  # + 0.0 turns -0.0 into 0.0
        if digits:
            text = text.rstrip("0").rstrip(".")
        text = text.replace("-", "−")
        if self.unit in COUNTED:
            return f"{text} {self.unit.removesuffix('s') if text == '1' else self.unit}"
        return f"{text} %" if self.unit == "share" else text

    def contrast(self, value: object, reference: object) -> tuple[str, str]:
        """Write a value and what it is compared with, with as many digits as it takes to tell them apart (two at most more)."""
        for digits in (None, 1, 2, 3):
            said = self.say(value, digits), self.say(reference, digits)
            if said[0] != said[1]:
                return said
        return self.say(value), self.say(reference)

    def problem(self, value: object) -> str | None:
        """Return what is wrong with a value as a clause, or None; a missing value is never wrong."""
        if is_missing(value):
            return None
        if self.type == "choice":
            return None if str(value) in self.choices else f"is {value!r}; it should be one of {', '.join(self.choices)}"
        if isinstance(value, str) or not isinstance(value, int | float):
            return f"is {value!r}; it should be a number"
        if self.type in ("integer", "flag") and float(value) != int(value):
            return f"is {value}; it should be a whole number"
        if self.low is not None and value < self.low:
            return f"is {value:g}; the least allowed is {self.low:g}"
        if self.high is not None and value > self.high:
            return f"is {value:g}; the most allowed is {self.high:g}"
        return None


@dataclass(frozen=True)
class Schema:
    """The features of a workspace's applicants, in declared order."""

    name: str
    features: tuple[Feature, ...]
    concepts: tuple[tuple[str, str], ...] = ()

    def __iter__(self) -> Iterator[Feature]:
        return iter(self.features)

    def __getitem__(self, name: str) -> Feature:
        if name not in self._by_name:
            raise UnknownThing("feature", name)
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Feature]:
        return {feature.name: feature for feature in self.features}

    @property
    def predictors(self) -> list[Feature]:
        """Features a model may read."""
        return [feature for feature in self if feature.role == "predictor"]

    @property
    def index_features(self) -> list[Feature]:
        """The few signed features that order clusters by risk."""
        return [feature for feature in self if feature.in_index and feature.risk]

    @cached_property
    def fingerprint(self) -> str:
        """A digest of what a model depends on: names, types, choices, roles and signs, in order."""
        facts = [(f.name, f.type, f.choices, f.role, f.risk, *f.reads()) for f in self]
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]

    def concept_title(self, concept: str) -> str:
        """The words for a concept: what related windows measure together."""
        return dict(self.concepts).get(concept, concept)

    def in_words(self, concept: str) -> str:
        """Return a concept as a heading; a feature without one is its own, and is called by its title."""
        said = next((feature.title for feature in self if feature.name == concept), self.concept_title(concept))
        return said[:1].upper() + said[1:]


def is_missing(value: object) -> bool:
    """Whether a value is absent: None, or the NaN by which frames say so."""
    return value is None or (isinstance(value, float) and isnan(value))


def parse(text: str, origin: str = "schema") -> Schema:
    """Read a schema from TOML; raises InvalidInput naming the feature and the key that is wrong."""
    try:
        declared = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{origin} is not valid TOML: {error}.") from error
    return build(declared, origin)


def build(declared: dict[str, Any], origin: str) -> Schema:
    """Return the schema of a declaration that was read already; raises InvalidInput naming the feature and the key that is wrong."""
    features = tuple(_feature(origin, entry) for entry in declared.get("feature", []))
    if not features:
        raise InvalidInput(f"{origin} declares no [[feature]].")
    names = [feature.name for feature in features]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidInput(f"{origin} declares {', '.join(twice)} more than once.")
    made = Schema(declared.get("name", "unnamed"), features, tuple(declared.get("concepts", {}).items()))
    for feature in features:
        _check_formula(origin, feature, made)
    return made


def _check_formula(origin: str, feature: Feature, among: Schema) -> None:
    """A formula reads numbers that are declared and have no formula themselves."""
    for name in formula.parts(feature.formula) if feature.formula else ():
        part = next((other for other in among if other.name == name), None)
        if part is None or not part.is_numeric or part.formula:
            what = "nobody declared" if part is None else "is no number" if not part.is_numeric else "has a formula itself"
            raise InvalidInput(f"{origin}: the formula of {feature.name!r} reads {name!r}, which {what}.")


def dump(schema: Schema) -> str:
    """Write a schema as TOML that `parse` reads back to an equal one."""
    lines = [f"name = {_toml(schema.name)}", "", "[concepts]"]
    lines += [f"{_toml(name)} = {_toml(title)}" for name, title in schema.concepts]
    for feature in schema:
        lines += ["", "[[feature]]"]
        defaults = {part.name: part.default if part.default_factory is MISSING else part.default_factory() for part in fields(Feature)}
        lines += [f"{key} = {_toml(value)}" for key, value in asdict(feature).items() if value is not None and value != defaults[key]]
    return "\n".join(lines) + "\n"


@cache
def built_in(name: str = "cashflow") -> Schema:
    """Return a schema that ships with the library."""
    file = BUILT_IN / f"{name}.toml"
    if not file.exists():
        raise UnknownThing("built-in schema", name)
    return parse(file.read_text(encoding="utf-8"), file.name)


def _feature(origin: str, entry: dict[str, Any]) -> Feature:
    known = {part.name for part in fields(Feature)}
    name = entry.get("name", "?")
    for key in entry:
        if key not in known:
            raise InvalidInput(f"{origin}: feature {name!r} has an unknown key {key!r}; known are {', '.join(sorted(known))}.")
    allowed = {"type": get_args(Type), "role": get_args(Role), "behind": get_args(Behind), "risk": (-1, 0, 1)}
    for key, values in allowed.items():
        if key in entry and entry[key] not in values:
            raise InvalidInput(f"{origin}: feature {name!r} has {key} = {entry[key]!r}; it should be one of {values}.")
    missing = {"name", "title"} - entry.keys()
    if missing:
        raise InvalidInput(f"{origin}: feature {name!r} lacks {', '.join(sorted(missing))}.")
    declared: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    feature = Feature(**declared)
    if feature.actionable and not (feature.is_numeric and feature.risk and feature.role == "predictor" and not feature.formula):
        raise InvalidInput(f"{origin}: feature {name!r} is actionable; only a scored number with a sign, computed of nothing else, can be.")
    if feature.role == "predictor" and not feature.why and (word := protects(name)):
        raise InvalidInput(
            f"{origin}: feature {name!r} says {word}, which the law of many countries protects: a model may read it only with a reason. "
            'Give it role = "protected", or why = "…" with the reason.'
        )
    if feature.why and len(re.findall(r"\w{2,}", feature.why)) < LEAST_WORDS:
        raise InvalidInput(f"{origin}: feature {name!r} has why = {feature.why!r}, which is no reason: say in {LEAST_WORDS} words or more.")
    return feature


def protects(name: str) -> str | None:
    """Return the protected trait that a column's name states, or None.

    >>> protects("personal_status_and_sex"), protects("MaritalStatus"), protects("page_views"), protects("Staatsangehörigkeit")
    ('sex', 'marital', None, 'staatsangehor')
    """
    plain = "".join(letter for letter in normalize("NFKD", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)) if not combining(letter)).casefold()
    words = re.findall(r"[a-z]+", plain)
    said = next((word for word in words if word in PROTECTED), None)
    return said or next((stem for stem in PROTECTED_STEMS if stem in "".join(words)), None)


PROTECTED = frozenset(  # the words of a name that state a trait, in the languages lenders' tables are written in
    re.findall(
        r"\w+",
        "sex sexo sexe genre sesso geslacht plec gender male female man woman "
        "age aged ages agegroup ageband edad idade eta alter leeftijd wiek dob yob birth birthdate birthday birthyear geboren "
        "race raza raca ethnicity ethnic skin religion religious religione confession faith caste "
        "marital marriage married divorced widowed zivilstand "
        "nationality nationalite citizenship citizen foreign foreigner immigrant immigration "
        "disability disabled handicap pregnant pregnancy orientation",
    )
)
PROTECTED_STEMS = (  # long enough to mean nothing else, wherever they stand in a name
    "gender",
    "geschlecht",
    "maritalstatus",
    "marital",
    "familienstand",
    "estadocivil",
    "statocivile",
    "etatcivil",
    "burgerlijkestaat",
    "familystatus",
    "personalstatus",
    "civilstatus",
    "dateofbirth",
    "birthdate",
    "geburt",
    "nacimiento",
    "nascita",
    "naissance",
    "nationalit",
    "nacionalidad",
    "staatsangehor",
    "religio",
    "ethnic",
    "etnia",
    "disabilit",
    "pregnan",
)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
