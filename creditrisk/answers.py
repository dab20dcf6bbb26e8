"""What a person answers where a file leaves something open: each way to read it side by side, and the answer kept as a bank profile.

A kept answer holds the deciding keys and nothing else; a file known by its headings takes from it only what it leaves open itself.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from creditrisk import banks, ingest
from creditrisk.errors import InvalidInput
from creditrisk.ingest import Reading
from creditrisk.settings import Settings
from creditrisk.statement import Choice, Question
from creditrisk.store import Store

SHOWN = ["line", "booked_on", "text", "amount", "balance"]
DECIDES = {"date_format": {"booked_on"}, "decimal": {"amount", "balance"}, "columns": {"amount", "balance"}, "positive": {"amount"}}
DEEPEST = 4  # open questions behind one another before a way is not followed further
MATCHED = 3  # headings at least, by which a bank's file is known


@dataclass(frozen=True)
class Way:
    """A file read with one answer: `rows` its first rows (line, booked_on, text, amount, balance), without the columns that a further
    question decides (`asks` says which)."""

    choice: Choice
    reading: Reading
    rows: list[dict[str, Any]]
    asks: str = ""


def ways(reading: Reading, question: Question, *, settings: Settings, n: int = 5) -> list[Way]:
    """Return a file read with each answer to one of its questions."""
    return [_way(reading, choice, settings, n) for choice in question.choices]


def _way(reading: Reading, choice: Choice, settings: Settings, n: int) -> Way:
    read = again = answered(reading, choice.declares, settings=settings)
    hidden: set[str] = set()
    asks = ""
    for _ in range(DEEPEST):
        further = again.questions[0] if again.status == "rejected" and again.questions else None
        if further is None or not further.choices:
            break
        hidden |= DECIDES[further.key]
        asks = asks or further.asks
        again = answered(again, further.choices[0].declares, settings=settings)
    shown = [name for name in SHOWN if name not in hidden and again.rows[name].null_count < again.n_transactions]
    return Way(choice, read, again.rows.slice(0, n).select(shown).to_pylist(), asks)


def answered(reading: Reading, declares: Mapping[str, Any], *, settings: Settings) -> Reading:
    """Return the file read again with one more answer; raises InvalidInput for an answer that is none."""
    answers = {**reading.answers, **declares}
    return ingest.read(reading.file, reading.content, profile=reading.profile, answers=answers, settings=settings)


def columns(sample: Sequence[Sequence[str]], headings: Sequence[str], places: Mapping[str, int | None]) -> dict[str, Any]:
    """Return the answer that says which column (from 0, None for none) plays which role; raises InvalidInput where one is missing."""
    given = {role: place for role, place in places.items() if place is not None}
    if "date" not in given or "text" not in given or not {"amount", "debit", "credit"} & set(given):
        raise InvalidInput("Choose the column of the date, that of the text, and that of the amount (or those of money out and money in).")
    if len(set(given.values())) < len(given):
        raise InvalidInput("One column is chosen twice; each has one meaning.")
    named = list(headings) if any(headings) else [""] * max(map(len, sample), default=0)
    unique = {place: bool(named[place]) and named.count(named[place]) == 1 for place in given.values()}
    by_name = all(unique.values())
    return {"columns": {role: [named[place] if by_name else place + 1] for role, place in given.items()}}


def remember(
    store: Store, name: str, answers: Mapping[str, Any], *, headings: Sequence[str] = (), user: str, overwrite: bool = False
) -> banks.Profile:
    """Keep answers as the workspace's bank profile `name`; with `headings`, files that have exactly these are known by them.

    Raises InvalidInput for a name or answer that is none, for a name that is taken unless `overwrite`, and where another profile
    knows these headings already.
    """
    plain, folder = banks.checked_name(name), store.settings.data / "banks"
    matches = tuple(headings)
    if matches and (len(matches) < MATCHED or not any(matches)):
        raise InvalidInput(f"A file is known by {MATCHED} headings at least; save the profile without them and choose it by its name.")
    text = banks.to_toml({**({"matches": list(matches)} if matches else {}), **answers})
    made = banks.parse(plain, text, f"The bank profile {plain!r}")
    if not answers:
        raise InvalidInput("There is no answer to keep yet.")
    part = folder / f".{plain}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with store.write(user, "bank profile", plain, matches=list(matches), declares=dict(answers)):
            target = _target(folder, plain, overwrite)
            _check_alone(matches, answers, target.stem, folder)
            part.write_text(f"# Kept from an answer; who gave it, and when, stands in the audit.\n{text}", encoding="utf-8")
            part.replace(target)
    except OSError as error:
        raise InvalidInput(f"The bank profile {plain!r} cannot be written: {(error.strerror or str(error)).lower()}.") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return made


def _target(folder: Path, name: str, overwrite: bool) -> Path:
    """Return the file of a profile; raises InvalidInput where there is one and nobody said to replace it."""
    taken = next((file for file in sorted(folder.glob("*.toml")) if file.stem.lower() == name.lower()), None)
    if taken is not None and not overwrite:
        raise InvalidInput(f"There is a bank profile {taken.stem!r} already; say that it is to be replaced, or choose another name.")
    return taken or folder / f"{name}.toml"


def _check_alone(matches: Sequence[str], answers: Mapping[str, Any], name: str, folder: Path) -> None:
    """Two profiles that know the same headings and answer the same would leave every file open."""
    for other in banks.matching(matches, folder) if matches else []:
        if other.name != name and any(getattr(other, key) for key in answers):
            raise InvalidInput(f"The bank profile {other.name!r} knows these headings already: replace it, or save this one without them.")
