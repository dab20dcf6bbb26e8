"""What every command needs of the terminal: words to say, files to read and write, whose workspace, who acts."""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from creditrisk.errors import InvalidInput
from creditrisk.settings import Settings, load

if TYPE_CHECKING:  # the rooms themselves are imported by the commands that need them, so that `--help` answers at once
    from pandas import DataFrame

    from creditrisk.store import Store

Options = argparse.Namespace
ParserOf = Callable[..., argparse.ArgumentParser]  # name, what runs, what it is about → the parser that takes its arguments
BOARD = ["model_id", "algorithm", "status", "label_source", "auc", "auc_low", "auc_high", "cv_auc", "auc_observed", "brier", "n", "seconds"]
SHOWN = 20  # problems said one by one without --json


@dataclass
class Out:
    """Where words go: results to stdout, as JSON lines or as text; problems and progress to stderr."""

    as_json: bool
    refused: int = 0
    refused_rows: int = 0
    _bar: bool = field(default=False, repr=False)

    def result(self, record: Mapping[str, Any], text: str | None = None) -> None:
        """Print one result: its record with --json, else its sentence."""
        self._clear()
        if self.as_json:
            self._print_json(record)
        elif text is not None:
            print(text)

    def table(self, frame: "DataFrame") -> None:
        """Print a table for people."""
        self._clear()
        if not self.as_json and not frame.empty:
            print(frame.to_string(index=False, na_rep="", float_format=lambda value: f"{value:.4g}"))

    def summary(self, record: Mapping[str, Any], sentence: str) -> None:
        """Print the last line."""
        self._clear()
        if self.as_json:
            self._print_json({"summary": record})
        else:
            print(sentence)

    def refuse(self, sentences: Sequence[str]) -> None:
        """Say what was refused; the exit code becomes 1."""
        self._clear()
        self.refused += len(sentences)
        for sentence in sentences[:SHOWN]:
            print(sentence, file=sys.stderr)
        if len(sentences) > SHOWN:
            print(f"… and {len(sentences) - SHOWN:,} more.", file=sys.stderr)

    def warn(self, sentences: Sequence[str]) -> None:
        """Say what was noticed about inputs that were taken all the same."""
        self._clear()
        for sentence in sentences[:SHOWN]:
            print(sentence, file=sys.stderr)

    def fail(self, sentence: str) -> int:
        """Say why nothing was done and return the exit code for it."""
        self._clear()
        print(sentence, file=sys.stderr)
        if self.as_json:
            with suppress(OSError):  # stdout itself may be what failed; and no import, which may be what was interrupted
                print(json.dumps({"summary": {"error": sentence}}, ensure_ascii=False))
        return 2

    def progress(self, share: float, what: str) -> None:
        """Draw how far the work is; only where somebody looks at a terminal."""
        if sys.stderr.isatty():
            self._bar = True
            print(f"\r\x1b[K{'█' * round(24 * share):░<24} {share:4.0%} {what[:60]}", end="", file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if self._bar:
            self._bar = False
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _print_json(self, record: Mapping[str, Any]) -> None:
        from creditrisk.store import to_json

        print(to_json({name: value.isoformat() if isinstance(value, date) else value for name, value in record.items()}))


def files_of(given: Sequence[str]) -> list[Path]:
    """Return the files asked for; folders and patterns are searched. Raises InvalidInput where nothing is found."""
    found: list[Path] = []
    for name in given:
        path = Path(name)
        if path.is_dir():
            found += sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
        elif any(sign in name for sign in "*?[") and not path.exists():
            found += sorted(file for file in Path(path.anchor).glob(str(path.relative_to(path.anchor))) if file.is_file())
        else:
            found.append(path)
    if not found:
        raise InvalidInput(f"No file is to be found in {', '.join(given)}.")
    return found


def content_of(file: Path) -> bytes:
    """Return the bytes of a file; raises InvalidInput where it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {(error.strerror or str(error)).lower()}. Nothing was stored.") from error


def problem_of(problem: Any) -> dict[str, Any]:
    """Return a problem of a row as it is printed."""
    return {"row": problem.row, "column": problem.column, "value": problem.value, "message": problem.message}


def target_of(file: Path | None, *kinds: str) -> Path | None:
    """Return where to write, made sure of before anything else is done."""
    allowed = kinds or (".csv", ".parquet", ".pq")
    if file is not None and file.suffix.lower() not in allowed:
        said = ", ".join(kind for kind in allowed if kind != ".pq")
        raise InvalidInput(f"{file} should end in {' or '.join(said.rsplit(', ', 1))}.")
    if file is not None and not file.parent.is_dir():
        raise InvalidInput(f"There is no folder {file.parent} to write {file.name} to.")
    return file


def write(frame: "DataFrame", target: Path) -> None:
    """Write a frame to a .csv (formulas made harmless) or .parquet: the whole file or none."""
    from creditrisk import cells

    part = target.with_name(f".{target.name}.part")
    try:
        if target.suffix.lower() == ".csv":
            cells.harmless(frame).to_csv(part, index=False)
        else:
            frame.to_parquet(part, index=False)
        part.replace(target)
    except OSError as error:
        raise InvalidInput(f"{target} cannot be written: {error.strerror or error}.") from error


@contextmanager
def opened(options: Options) -> "Iterator[Store]":
    """Open the workspace asked for, for who may see it, and close it. Raises NotAllowed for who may not."""
    from creditrisk.store import open_workspace

    store = open_workspace(settings_of(options))
    try:
        user = user_of(options, store.settings)
        store.require(user, "read", "the command line")
        yield store.seen_by(user)
    finally:
        store.close()


def settings_of(options: Options) -> Settings:
    """Return the settings with the folders asked for."""
    return load(data=options.data, models=options.models)


def user_of(options: Options, settings: Settings) -> str:
    """Return who acts: `--user`, else CREDITRISK_USER, else the account's name, else the default of the settings."""
    named = options.user or os.environ.get("CREDITRISK_USER")
    if named:
        return str(named)
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, as in some containers
        return settings.people.default


class Parser(argparse.ArgumentParser):
    """Answers a wrong command line like any other refusal: with a sentence and exit code 2."""

    def error(self, message: str) -> NoReturn:
        raise InvalidInput(f"{message[:1].upper()}{message[1:]}. See `{self.prog} --help`.")


def common() -> Parser:
    """Options that may stand before or after the command."""
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--data", type=Path, metavar="DIR", help="folder of the workspace (else CREDITRISK_DATA, else data)")
    common.add_argument("--models", type=Path, metavar="DIR", help="folder of its models (else CREDITRISK_MODELS, else models)")
    common.add_argument("--user", metavar="NAME", help="who acts (else CREDITRISK_USER, else your account)")
    common.add_argument("--json", action="store_true", help="one JSON object a line, a summary last")
    return common


def instant(text: str) -> datetime:
    """Read a time in UTC as an argument."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} should be a time (UTC) like 2026-01-31 02:00") from error
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def day(text: str) -> date:
    """Read a date as an argument."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} should be a date like 2026-01-31") from error
