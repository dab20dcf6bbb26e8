"""What an installation may choose, read once from `creditrisk.toml`; every default stands here and nowhere else."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from creditrisk.errors import InvalidInput


@dataclass(frozen=True)
class Score:
    """How a probability of default becomes points on the 300–900 axis."""

    scale: Literal["logodds", "linear"] = "logodds"
    points_to_double_odds: float = 50
    anchor_score: float = 650
    anchor_odds: float = 20


@dataclass(frozen=True)
class Policy:
    """What the lender wants; money as a share of the amount lent, probabilities in [0, 1]."""

    margin: float = 0.08
    lgd: float = 0.45
    refer_band: float = 0.05
    min_history_days: int = 90
    max_uncategorised_share: float = 0.15
    knock_outs: Mapping[str, str] = field(default_factory=dict)  # feature → what declines by itself: "> 0", "<= 500"


@dataclass(frozen=True)
class Loan:
    """What an instalment is reckoned with where an application does not say; a share a year."""

    yearly_rate: float = 0.09


@dataclass(frozen=True)
class Intake:
    """Limits on what a file may be."""

    max_file_mb: int = 64
    max_amount: int = 1_000_000_000_000
    max_rows: int = 5_000_000
    max_columns: int = 200
    max_depth: int = 50
    max_field_length: int = 10_000
    min_free_mb: int = 200  # on the disk of the workspace; with less, nothing new is taken in
    max_batch_mb: int = 1_000


@dataclass(frozen=True)
class Labels:
    """How clusters are looked for."""

    k_min: int = 2
    k_max: int = 8
    bootstraps: int = 50
    seed: int = 7


@dataclass(frozen=True)
class Training:
    """How candidates are fitted and measured unless a run says otherwise."""

    test_size: float = 0.25
    folds: int = 5
    seed: int = 7
    bootstraps: int = 500
    propose_after: int = 30  # accepted verdicts on labels since the champion learned, from which another training is proposed
    propose_psi: float = 0.25  # or scores that have moved so far, beyond chance


@dataclass(frozen=True)
class People:
    """Who acts when nobody has said so, and who has which role; where no role is given, everybody may do everything."""

    default: str = "analyst"
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # what the sign-in provider calls a group → roles
    name_claim: str = "email"  # which claim of the provider is a person's name here
    roles_claim: str = "groups"  # which claim lists a person's groups or roles


@dataclass(frozen=True)
class Access:
    """How long a sign-in lasts, and how much one caller of the API may ask for."""

    session_hours: float = 10.0
    requests_per_minute: int = 600
    body_mb: int = 8  # of JSON; a file may be as large as the intake allows


@dataclass(frozen=True)
class Reviews:
    """How cases are proposed to reviewers; shares of all cases proposed, in [0, 1]."""

    near_cutoff: float = 0.40
    disagreement: float = 0.15
    exposure: float = 0.10
    suspect: float = 0.05  # what is left of the four is drawn at random
    blind: float = 0.15  # judged before the score is shown
    twice: float = 0.12  # judged once more by somebody else
    claim_minutes: int = 30
    too_fast_seconds: int = 10
    seed: int = 7


@dataclass(frozen=True)
class Privacy:
    """How long a person stays in the workspace after the last thing that happened with them."""

    retention_months: int = 25


@dataclass(frozen=True)
class Settings:
    """All settings, and where the workspace lies."""

    data: Path = Path("data")
    models: Path = Path("models")
    score: Score = field(default_factory=Score)
    policy: Policy = field(default_factory=Policy)
    loan: Loan = field(default_factory=Loan)
    intake: Intake = field(default_factory=Intake)
    labels: Labels = field(default_factory=Labels)
    training: Training = field(default_factory=Training)
    people: People = field(default_factory=People)
    access: Access = field(default_factory=Access)
    reviews: Reviews = field(default_factory=Reviews)
    privacy: Privacy = field(default_factory=Privacy)

    @property
    def database(self) -> Path:
        """The one DuckDB file."""
        return self.data / "creditrisk.duckdb"


def load(file: Path | None = None, *, data: Path | None = None, models: Path | None = None) -> Settings:
    """Return the settings of `file` (defaults where it is absent), the same for every face of one installation.

    `file` None means `creditrisk.toml` in the current folder where there is one, else beside the library; `data` and `models`
    lie beside it. Arguments win over `CREDITRISK_DATA` and `CREDITRISK_MODELS`. Raises InvalidInput for a file that is not
    TOML, for a section or key nobody declared, and for a value outside its range.
    """
    here = Path("creditrisk.toml")
    file = file or (here.absolute() if here.exists() else Path(__file__).parents[1] / here)
    settings = Settings()
    try:
        declared = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} is not valid TOML: {error}. Correct it or remove it to use the defaults.") from error
    for name, values in declared.items():
        if name not in SECTIONS or not isinstance(values, dict):
            raise InvalidInput(f"{file} has a section [{name}] that does not exist; the sections are {', '.join(SECTIONS)}.")
        settings = replace(settings, **{name: _section(file, name, getattr(settings, name), values)})
    return replace(
        settings,
        data=data or Path(os.environ.get("CREDITRISK_DATA") or file.parent / settings.data),
        models=models or Path(os.environ.get("CREDITRISK_MODELS") or file.parent / settings.models),
    )


SECTIONS = [part.name for part in fields(Settings) if part.name not in ("data", "models")]
CHOICES = {"scale": ("logodds", "linear")}
ROLES = ("analyst", "reviewer", "data scientist", "validator", "admin")
LIMIT = re.compile(r"(<=|>=|<|>) *(-?\d+(?:\.\d+)?)")
FRACTIONS = ("points_to_double_odds", "anchor_score", "anchor_odds")
RANGES: dict[str, tuple[float, float]] = {
    "points_to_double_odds": (1, 300),
    "anchor_score": (300, 900),
    "anchor_odds": (0.001, 1_000_000),
    "margin": (0.0001, 10),
    "lgd": (0.0001, 1),
    "refer_band": (0, 0.5),
    "min_history_days": (0, 730),
    "max_uncategorised_share": (0, 1),
    "yearly_rate": (0, 3),
    "max_file_mb": (1, 2_000),  # the file is one cell of the database, which takes 2 GB
    "max_rows": (1, 100_000_000),
    "max_batch_mb": (1, 10_000),
    "max_amount": (1, 1_000_000_000_000),
    "max_columns": (3, 10_000),
    "max_depth": (5, 500),
    "max_field_length": (10, 1_000_000),
    "min_free_mb": (0, 1_000_000),
    "k_min": (2, 30),
    "k_max": (2, 30),
    "bootstraps": (5, 10_000),
    "seed": (0, 2**31 - 1),
    "test_size": (0.05, 0.9),
    "folds": (2, 20),
    "propose_after": (1, 1_000_000),
    "propose_psi": (0.01, 10),
    "near_cutoff": (0, 1),
    "disagreement": (0, 1),
    "exposure": (0, 1),
    "suspect": (0, 1),
    "blind": (0, 1),
    "twice": (0, 1),
    "claim_minutes": (1, 1_440),
    "too_fast_seconds": (0, 600),
    "session_hours": (0.01, 168),
    "requests_per_minute": (1, 1_000_000),
    "body_mb": (1, 2_000),
    "retention_months": (1, 1_200),
}


def _section(file: Path, name: str, default: Any, values: dict[str, Any]) -> Any:
    known = {part.name: getattr(default, part.name) for part in fields(default)}
    for key, value in values.items():
        if key not in known:
            raise InvalidInput(f"{file}: [{name}] has no key {key!r}; it has {', '.join(known)}.")
        if key in ("roles", "groups"):
            values = {**values, key: _roles(file, key, value)}
        elif key == "knock_outs":
            values = {**values, key: _knock_outs(file, value)}
        elif wanted := _misfit(key, known[key], value):
            raise InvalidInput(f"{file}: [{name}] {key} = {value!r} should be {wanted}.")
    made = replace(default, **values)
    if isinstance(made, Reviews) and made.near_cutoff + made.disagreement + made.exposure + made.suspect > 1:
        raise InvalidInput(
            f"{file}: [{name}] near_cutoff + disagreement + exposure + suspect should be at most 1; what is left is drawn at random."
        )
    return made


def _roles(file: Path, key: str, value: object) -> dict[str, tuple[str, ...]]:
    """Read the table of names, or of groups, and their roles."""
    people = value if isinstance(value, dict) else {}
    for name, given in people.items():
        if not isinstance(given, list) or not set(given) <= set(ROLES):
            raise InvalidInput(f"{file}: [people.{key}] {name} = {given!r} should be a list of {', '.join(ROLES)}.")
    if not people:
        raise InvalidInput(f"{file}: [people] {key} should be a table of names, each with a list of {', '.join(ROLES)}.")
    return {str(name): tuple(given) for name, given in people.items()}


def _knock_outs(file: Path, value: object) -> dict[str, str]:
    """Read the table of features and the limits beyond which each declines by itself."""
    if not isinstance(value, dict):
        raise InvalidInput(f'{file}: [policy] knock_outs should be a table of features, each with a limit like "> 0".')
    for name, limit in value.items():
        if not isinstance(limit, str) or not LIMIT.fullmatch(limit):
            raise InvalidInput(f'{file}: [policy.knock_outs] {name} = {limit!r} should be <, <=, > or >= and a number, like "> 0".')
    return {str(name): limit for name, limit in value.items()}


def _misfit(key: str, default: object, value: object) -> str | None:
    """Say what a value should be where it is something else."""
    if isinstance(default, str):
        allowed = CHOICES.get(key, ())
        fits = isinstance(value, str) and (not allowed or value in allowed)
        return None if fits else " or ".join(f'"{choice}"' for choice in allowed) or "a text"
    low, high = RANGES[key]
    whole = isinstance(default, int) and key not in FRACTIONS
    fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool) and low <= value <= high
    return None if fits else f"a {'whole ' if whole else ''}number from {low:,} to {high:,}"
