"""Bank profiles: how a bank writes its statements, declared in TOML where a file alone does not say so.

A profile may declare everything, or only the one key that decides what a file leaves open; what it does not say is found in the file.
"""

import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from creditrisk.errors import InvalidInput, UnknownThing

BUILT_IN = Path(__file__).parent / "declared" / "banks"
ROLES = (  # of which code and text may have several columns
    "date", "value_date", "amount", "debit", "credit", "balance", "fee", "currency", "account", "sign", "status", "code", "text",
)  # fmt: skip


@dataclass(frozen=True)
class Profile:
    """A bank's declared way of writing; what is None or empty is inferred from the file.

    `columns` names the heading (or the column's number from 1) of each role: date, amount, debit, credit, balance, currency,
    account, sign, code, text; several columns for code and text. `sign` says what the sign column's values mean: '+' or '-'.
    `positive` = 'out' says that an amount without a sign left the account (card exports), 'in' that it came in. `descriptions` puts
    words to codes. `matches` are the headings by which a file of this bank is known: what it leaves open is answered by this profile.
    """

    name: str
    title: str = ""
    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    skip: int = 0
    date_format: str | None = None
    decimal: str | None = None
    currency: str | None = None
    positive: str | None = None
    matches: tuple[str, ...] = ()
    columns: dict[str, list[str | int]] = field(default_factory=dict)
    sign: dict[str, str] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)


def profiles(folder: Path | None = None) -> dict[str, Profile]:
    """Return the built-in bank profiles and those of a workspace's `banks` folder (which win) by name."""
    files = sorted(BUILT_IN.glob("*.toml")) + (sorted(folder.glob("*.toml")) if folder else [])
    return {found.name: found for found in map(_profile, files)}


def profile(name: str, folder: Path | None = None) -> Profile:
    """Return one bank profile; raises UnknownThing with the names there are."""
    known = profiles(folder)
    if name not in known:
        raise UnknownThing("bank profile", name, f"There are: {', '.join(known)}.")
    return known[name]


def _profile(file: Path) -> Profile:
    try:
        return parse(file.stem, file.read_text(encoding="utf-8"), str(file))
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file} is not valid TOML: {error}") from error


def parse(name: str, text: str, where: str) -> Profile:
    """Return the bank profile a TOML text declares; raises InvalidInput, naming `where` it stands and what is wrong with it."""
    try:
        declared: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{where} is not valid TOML: {error}") from error
    return _declared(name, declared, where)


def declare(base: Profile | None, answers: Mapping[str, Any]) -> Profile | None:
    """Return a profile with more keys declared, as an analyst answers what a file leaves open; raises InvalidInput."""
    if not answers:
        return base
    given = _declared("", dict(answers), "The answer")
    more = {key: getattr(given, key) for key in answers}
    return replace(base or Profile(name=""), **more)


def _declared(name: str, declared: dict[str, Any], where: str) -> Profile:
    known = {part.name for part in fields(Profile)}
    if unknown := set(declared) - known:
        raise InvalidInput(f"{where}: a bank profile has no key {sorted(unknown)[0]!r}; it has {', '.join(sorted(known))}.")
    for key, (fits, wanted) in KEYS.items():
        if key in declared and not fits(declared[key]):
            raise InvalidInput(f"{where}: {key} = {declared[key]!r} should be {wanted}.")
    columns = declared.get("columns", {})
    if wrong := set(columns) - set(ROLES):
        raise InvalidInput(f"{where}: [columns] has no role {sorted(wrong)[0]!r}; the roles are {', '.join(ROLES)}.")
    listed = {role: list(value) if isinstance(value, list | tuple) else [value] for role, value in columns.items()}
    for role, value in ((role, value) for role, values in listed.items() for value in values):
        if not (isinstance(value, str) or (isinstance(value, int) and value > 0)):
            raise InvalidInput(f"{where}: [columns] {role} = {value!r} should be a heading or the column's number from 1.")
    if wrong := set(map(str, declared.get("sign", {}).values())) - {"+", "-"}:
        raise InvalidInput(f'{where}: [sign] gives {sorted(wrong)[0]!r}; it should be "+" (money in) or "-" (money out).')
    return Profile(**{"name": name, **declared, "matches": tuple(declared.get("matches", ())), "columns": listed})


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_format(value: object) -> bool:
    return isinstance(value, str) and all(re.search(f"%[{part}]", value) for part in ("d", "mb")) and not re.search("%[^dmYyb]", value)


KEYS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "name": (_is_text, "a text"),
    "title": (_is_text, "a text"),
    "encoding": (_is_text, "the name of an encoding"),
    "currency": (_is_text, "the code of a currency"),
    "delimiter": (lambda value: isinstance(value, str) and len(value) == 1, "one character"),
    "header": (lambda value: isinstance(value, bool), "true or false"),
    "skip": (lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0, "a number of lines"),
    "date_format": (_is_format, 'built of %d, %m or %b, %Y or %y, like "%d/%m/%Y"'),
    "decimal": (lambda value: value in (".", ","), '"." or ","'),
    "positive": (lambda value: value in ("in", "out"), '"in" or "out"'),
    "matches": (lambda value: isinstance(value, list | tuple) and all(map(_is_text, value)), "a list of headings"),
    **{key: (lambda value: isinstance(value, dict), "a table") for key in ("columns", "sign", "descriptions")},
}


def checked_name(name: str) -> str:
    """Return the name a new profile may have, without blanks around it; raises InvalidInput for what is no plain name."""
    plain = name.strip()
    if not re.fullmatch(r"[^\W_][\w \-]{0,39}", plain):
        raise InvalidInput(f"{name[:60]!r} should be a name of letters, digits, blanks, '-' or '_', 40 characters at most.")
    if (BUILT_IN / f"{plain.lower()}.toml").exists():
        raise InvalidInput(f"{plain!r} is a profile that comes with the program; choose another name.")
    return plain


def to_toml(declared: Mapping[str, Any]) -> str:
    """Write the keys of a profile as TOML; texts, numbers, booleans, lists of them, and tables one deep."""
    plain = {key: value for key, value in declared.items() if not isinstance(value, Mapping)}
    lines = [f"{key} = {_toml(value)}" for key, value in plain.items()]
    for key, table in declared.items():
        if isinstance(table, Mapping):
            lines += ["", f"[{key}]", *(f"{_toml_key(name)} = {_toml(value)}" for name, value in table.items())]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _toml_key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)


def matching(headings: Sequence[str], folder: Path | None) -> list[Profile]:
    """Return the profiles that know a file by exactly these headings."""
    return [known for known in profiles(folder).values() if known.matches and known.matches == tuple(headings)]
