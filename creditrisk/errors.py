"""What can go wrong, as nouns. Each error is one sentence for the person who must act: what, where, what to do.

A bad *row* is a value (see `ingest.Problem`); a bad *request* is one of these. Only the three faces translate them:
a page into a message, the API into a status, the command line into an exit code.
"""


class CreditRiskError(Exception):
    """Something the caller can mend; its text is the sentence to show."""

    status = 400


class UnreadableFile(CreditRiskError):
    """A file that cannot be read as what it claims to be; names file, line and value where they are known."""

    status = 422

    def __init__(self, file: str, what: str, *, line: int | None = None, column: str | None = None, value: str | None = None):
        self.file, self.what, self.line, self.column, self.value = file, what, line, column, value
        super().__init__(f"{file}{'' if line is None else f', line {line}'}: {what}")


class InvalidInput(CreditRiskError):
    """A value or option outside what is declared."""

    status = 422


class UnknownThing(CreditRiskError):
    """An id nobody has."""

    status = 404

    def __init__(self, kind: str, name: str, hint: str = ""):
        super().__init__(f"There is no {kind} {name!r} in this workspace.{' ' + hint if hint else ''}")


class NothingYet(CreditRiskError):
    """A step asked for before the step it builds on."""

    status = 409


class NotEnoughData(CreditRiskError):
    """Too few rows, one class only, nothing that varies: no honest answer can be computed."""

    status = 409


class NotAllowed(CreditRiskError):
    """The acting user is unnamed or may not do this."""

    status = 403


class ReadBlind(NotAllowed):
    """A score asked for by who is about to judge its case without having seen it."""


class NotSignedIn(CreditRiskError):
    """Nobody: no sign-in and no key, or one that no longer holds."""

    status = 401


class Leakage(CreditRiskError):
    """A predictor that knows what it is asked to foresee; nothing is learned from it."""

    status = 409


class Overtaken(CreditRiskError):
    """What a person acts on is no longer the present state: somebody was quicker, or there is something newer."""

    status = 409


class NotInstalled(CreditRiskError):
    """Something of the machine's own that a step needs and does not find."""

    status = 503


class StoreInUse(CreditRiskError):
    """Another process holds the DuckDB file."""

    status = 503


class StoreDamaged(CreditRiskError):
    """The DuckDB file cannot be opened or is not what this version wrote."""

    status = 500


class NoRoom(CreditRiskError):
    """The disk is full or cannot be written."""

    status = 507


class TamperedArtefact(CreditRiskError):
    """A model file whose bytes are not the registered ones; it is never loaded."""

    status = 500


class SchemaMismatch(CreditRiskError):
    """A model and the workspace disagree about what an applicant is."""

    status = 409


class Repeated(CreditRiskError):
    """A key that names another request already."""

    status = 409


class JobBusy(CreditRiskError):
    """One training at a time, and one is under way."""

    status = 409
