"""The declared kinds of movement, as a credit decision needs them; every room that names a category names one of these."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

DECLARED = Path(__file__).parent / "declared"
UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Category:
    """One kind of movement; `title` is short enough for a chart; `protected` ones count in affordability and never as a score input."""

    code: str
    title: str
    group: str
    direction: Literal["in", "out", "both"]
    role: str
    meaning: str
    protected: bool = False


@cache
def taxonomy() -> dict[str, Category]:
    """Return every category by code, in declared order."""
    declared: dict[str, Any] = tomllib.loads((DECLARED / "categories.toml").read_text(encoding="utf-8"))
    return {code: Category(code, **entry) for code, entry in declared.items()}


@cache
def rules() -> dict[str, Any]:
    """Return what `rules.toml` declares, as it stands there."""
    declared: dict[str, Any] = tomllib.loads((DECLARED / "rules.toml").read_text(encoding="utf-8"))
    return declared
