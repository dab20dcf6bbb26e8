"""Bank statements: read, and kept."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from creditrisk.commands.terminal import Options, Out, ParserOf, content_of, files_of, opened, settings_of, user_of
from creditrisk.settings import Settings

if TYPE_CHECKING:
    from creditrisk.ingest import Reading


def declare(parser_of: ParserOf) -> None:
    """Add the commands of this room."""
    add = parser_of("inspect", _inspect, "read bank statements, in whatever format the bank gives them, without storing them").add_argument
    add("files", nargs="+", metavar="FILE", help="files, folders or patterns")
    add("--profile", metavar="NAME", help="read them as this bank's (else the layout is inferred)")

    add = parser_of("ingest", _ingest, "store bank statements; whole files or nothing, the same file twice adds nothing").add_argument
    add("files", nargs="+", metavar="FILE", help="files, folders or patterns")
    add("--profile", metavar="NAME", help="read them as this bank's (else the layout is inferred)")
    add("--applicant", metavar="ID", help="whose they are (else the account number in the file, else the file's name)")


def _inspect(options: Options, out: Out) -> None:
    from creditrisk import ingest

    readings = []
    for reading in _readings(options, settings_of(options), out):
        readings.append(reading)
        out.result(ingest.to_json(reading), _about(reading))
    _summarise(readings, out, {}, "Nothing was stored.")


def _ingest(options: Options, out: Out) -> None:
    from creditrisk import ingest

    with opened(options) as store:
        readings = list(_readings(options, store.settings, out))
        saved = ingest.save(store, readings, user=user_of(options, store.settings), applicant_id=options.applicant)
        for done in saved:
            out.result(
                ingest.to_json(done.reading, done), f"{_about(done.reading)}; {done.n_new:,} new, {done.n_duplicate:,} known already"
            )
        counts = {"n_new": sum(done.n_new for done in saved), "n_duplicate": sum(done.n_duplicate for done in saved)}
        _summarise(readings, out, counts, f"{counts['n_new']:,} new transactions stored.")


def _readings(options: Options, settings: Settings, out: Out) -> "Iterator[Reading]":
    """Read the files asked for (folders and patterns are searched), one after another."""
    from creditrisk import ingest

    files = files_of(options.files)
    for place, file in enumerate(files):
        out.progress(place / len(files), file.name)
        yield ingest.read(file.name, content_of(file), profile=options.profile, settings=settings)


def _about(reading: "Reading") -> str:
    if reading.status == "rejected":
        return f"{reading.file}: rejected"
    total = f"{reading.n_transactions:,} transactions, sum {reading.sum_amount:,.2f} {reading.currency or ''}".rstrip()
    return f"{reading.file}: {reading.status}, {total}, balance {reading.reconciliation}"


def _summarise(readings: "Sequence[Reading]", out: Out, counts: Mapping[str, int], sentence: str) -> None:
    rejected = [reading for reading in readings if reading.status == "rejected"]
    for reading in readings:
        sentences = [problem.message for problem in reading.problems]
        if reading in rejected:
            out.refuse(sentences)
        else:
            out.warn(sentences)
    record = {"files": len(readings), "rejected": len(rejected), "n_transactions": sum(reading.n_transactions for reading in readings)}
    refused = f" {len(rejected):,} refused." if rejected else ""
    files = f"{len(readings):,} file{'' if len(readings) == 1 else 's'}"
    out.summary({**record, **counts}, f"{record['n_transactions']:,} transactions in {files}.{refused} {sentence}")
