"""The formats statements come in, asked in order; a file is known by what is in it, never by its name.

A format answers two questions: is this yours, and what is in it. None knows another, and none writes anything.
"""

from typing import Protocol

from creditrisk.banks import Profile
from creditrisk.formats import bankjson, camt, delimited, markup, mt940, ofx, pdf, qif, sheet
from creditrisk.settings import Intake
from creditrisk.statement import Found


class Format(Protocol):
    """A module that reads one format."""

    @property
    def TITLE(self) -> str: ...  # noqa: N802  (a constant of the module: how a sentence calls it)

    def recognises(self, content: bytes, /) -> str:
        """Return the format's exact name ('ofx', 'camt.053') where the content is its own, whether or not it is sound; else ''."""

    def read(self, file: str, content: bytes, profile: Profile | None, limits: Intake) -> Found:
        """Return what is in the file, whole. Raises UnreadableFile or Refused."""


# Delimited text has no mark of its own, so it is asked last.
FORMATS: tuple[Format, ...] = (pdf, sheet, ofx, camt, mt940, qif, bankjson, markup, delimited)


def find(content: bytes) -> tuple[Format, str] | None:
    """Return the format whose own the content is, and its exact name; None where it is nobody's."""
    return next(((known, name) for known in FORMATS if (name := known.recognises(content))), None)


def titles() -> str:
    """Return the formats there are, as a sentence names them: 'CSV, OFX or QIF'."""
    *most, last = dict.fromkeys(known.TITLE for known in FORMATS)
    return f"{', '.join(most)} or {last}" if most else last
