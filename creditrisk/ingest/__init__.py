"""Statement files into the store: whole files or nothing, exact, reconciled, idempotent.

`read` says what a file holds and never raises for a bad one; `save` appends what the workspace does not have yet.
A movement is known by account, day, amount, words and its number among equal ones within its file, so the same file twice adds
nothing, and overlapping exports give their union, whatever their formats.
"""

from creditrisk.ingest.archive import held, lines, statements, stored
from creditrisk.ingest.keeping import Saved, save, to_json
from creditrisk.ingest.reading import Reading, covered, read

__all__ = ["Reading", "Saved", "covered", "held", "lines", "read", "save", "statements", "stored", "to_json"]
