"""The applicants: tables of them, what became of them, their features, and invented ones beside them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from creditrisk.commands.terminal import (
    Options,
    Out,
    ParserOf,
    content_of,
    day,
    files_of,
    opened,
    problem_of,
    settings_of,
    target_of,
    user_of,
    write,
)
from creditrisk.errors import InvalidInput
from creditrisk.settings import Settings

if TYPE_CHECKING:
    from creditrisk.tables import Table


def declare(parser_of: ParserOf) -> None:
    """Add the commands of this room."""
    add = parser_of("import", _import, "keep any table of applicants: CSV, Parquet or Excel, several files joined on a key").add_argument
    add("files", nargs="+", metavar="FILE", help="the first says who is an applicant, the others add columns")
    add("--id", metavar="COL", help="column that names the applicant (else one called like an id, else the row)")
    add("--on", metavar="COL", help="the same in the further files, where it differs")
    add("--gather", action="append", metavar="COL=FUNCTION,…", help="how several rows of one applicant in a further file become one")
    add("--target", metavar="COL", help="column that says how it went, or COL=VALUE,VALUE with its bad values")
    add("--as-of", metavar="COL", help="column with the day the figures describe")
    add("--schema", type=Path, metavar="FILE", help="TOML with [[feature]] tables whose keys replace those proposed")

    add = parser_of("outcomes", _outcomes, "record what really happened to loans").add_argument
    add("file", type=Path, metavar="FILE", help="CSV, Parquet or Excel")
    add("--id", required=True, metavar="COL", help="column that names the applicant")
    add(
        "--bad",
        required=True,
        metavar="COL",
        help="column that says 1 or 0, yes or no, bad or good; or COL=VALUE,VALUE with its bad values",
    )
    add("--date", metavar="COL", help="column with the day it was observed")
    add("--days-past-due", metavar="COL", help="column with the days the loan was past due, for labels by rule")

    add = parser_of("features", _features, "compute the ML-ready table from transactions").add_argument
    add("--as-of", type=day, metavar="DATE", help="read only what was booked before (else each one's application)")
    add("--out", type=Path, metavar="FILE", help="also write it to this .csv, .parquet or .duckdb, with its schema and data dictionary")

    add = parser_of("rfm", _rfm, "compute recency, frequency and monetary value of stored transactions, or of a table of them").add_argument
    add("file", type=Path, nargs="?", metavar="FILE", help="CSV, Parquet or Excel with one row per transaction (else the stored ones)")
    add("--as-of", type=day, required=True, metavar="DATE", help="read only what was booked before")
    add("--days", type=int, default=365, metavar="N", help="how far back")
    add("--direction", choices=("in", "out", "both"), help="which money (else out of stored ones, both of a table)")
    add("--id", default="applicant_id", metavar="COL", help="column that names the applicant")
    add("--date", default="date", metavar="COL", help="column with the day")
    add("--amount", default="amount", metavar="COL", help="column with the amount")
    add("--out", type=Path, metavar="FILE", help="also write it to this .csv or .parquet")

    add = parser_of(
        "augment", _augment, "invent applicants like the real ones; they are marked for ever, and nothing is measured on them"
    ).add_argument
    add("--to", type=int, metavar="N", help="until there are N with the real ones")
    add("--seed", type=int, default=11, metavar="S")
    add("--out", type=Path, metavar="FILE", help="also write all of them, real and invented, to this .csv or .parquet")
    add("--remove", action="store_true", help="take every invented applicant out again")

    add = parser_of("template", _template, "say what a file to score holds, and write one to fill in").add_argument
    add("--out", type=Path, metavar="FILE", help="the .csv to fill in; FILE.columns.csv beside it says what is allowed")

    add = parser_of("schema", _schema, "print the schema: the declared features of an applicant, or one proposed for a table").add_argument
    add("what", choices=("show", "infer"))
    add("files", nargs="*", metavar="FILE", help="with infer: the table, or several to be joined")
    add("--id", metavar="COL", help="column that names the applicant")
    add("--on", metavar="COL", help="the same in the further files, where it differs")
    add("--gather", action="append", metavar="COL=FUNCTION,…", help="how several rows of one applicant in a further file become one")
    add("--target", metavar="COL", help="column that says how it went, or COL=VALUE,VALUE with its bad values")
    add("--as-of", metavar="COL", help="column with the day the figures describe")


def _import(options: Options, out: Out) -> None:
    from creditrisk import tables

    with opened(options) as store:
        table = _joined(options, store.settings)
        said = content_of(options.schema).decode("utf-8", errors="replace") if options.schema else None
        origin = options.schema.name if options.schema else "schema"
        proposal = tables.wanted(store, table, target=options.target, as_of=options.as_of, said=said, origin=origin)
        schema, findings = proposal.schema, proposal.findings
        made = tables.save(
            store, table, schema, user=user_of(options, store.settings), target=options.target, as_of=options.as_of, findings=findings
        )
    out.warn([*table.notes, *(finding.sentence for finding in findings)])
    out.refuse([f"{table.parts[0].file}: {problem.message}" for problem in made.problems])
    for place, part in enumerate(table.parts):
        mine = made.problems if place == 0 else []  # rows are those of the first file, to which the others add columns
        record = {**vars(part), "rejected": len({problem.row for problem in mine}), "problems": [problem_of(problem) for problem in mine]}
        out.result(record, f"{part.file}: {part.rows:,} rows, {part.matched:,} matched, {part.unmatched:,} not")
    record = {"snapshot": made.snapshot_id, "applicants": made.n, "outcomes": made.n_outcomes, "schema": schema.name}
    record |= {"fingerprint": schema.fingerprint, "features": len(schema.features), "findings": [vars(finding) for finding in findings]}
    told = f" and {made.n_outcomes:,} outcomes" if made.n_outcomes else ""
    out.summary(
        record, f"{made.n:,} applicants{told} kept as snapshot {made.snapshot_id}, {len(schema.predictors)} features to learn from."
    )


def _joined(options: Options, settings: Settings) -> "Table":
    from creditrisk import gather, tables, tabular

    files = files_of(options.files)
    given = tables.named((file.name, content_of(file)) for file in files)
    read = {name: tabular.read(name, content, settings.intake) for name, content in given.items()}
    return tables.join(read, key=options.id, on=options.on, gather=gather.plan(options.gather or []))


def _outcomes(options: Options, out: Out) -> None:
    from creditrisk import applicants, rows, tabular

    table = tabular.load(options.file, settings_of(options).intake)
    named = {"id_column": options.id, "bad_column": options.bad, "date_column": options.date, "past_due_column": options.days_past_due}
    observed, problems = rows.outcomes(table, **named)
    with opened(options) as store:
        counts = applicants.record_outcomes(store, observed, user=user_of(options, store.settings))
        ours = store.value("select min(applicant_id) from applicant") or store.value("select min(applicant_id) from account")
    record = {"file": options.file.name, "rows": len(table), **counts, "rejected": len({problem.row for problem in problems})}
    out.refuse([f"{options.file.name}: {problem.message}" for problem in problems])
    out.result(record | {"problems": [problem_of(problem) for problem in problems]})
    if counts["known_already"]:
        what = "observed on or before the day the applicant's figures describe; kept, and nothing is learned from them with those figures."
        out.warn([f"Outcomes known already: {counts['known_already']:,}, {what}"])
    if len(observed) and not counts["matched"]:
        theirs = observed["applicant_id"].iloc[0]
        what = f"column {options.id!r} begins with {theirs!r}, and applicants here are called like {ours!r}"
        out.warn([f"Nobody in {options.file.name} is known here: {what}. Name the right column with --id, or store them first."])
    said = f"{counts['matched']:,} outcomes recorded; {counts['unmatched']:,} of people this workspace does not know were left out"
    out.summary(record, f"{said}; {record['rejected']:,} rows refused.")


def _features(options: Options, out: Out) -> None:
    from creditrisk import dictionary, features, schema

    target = target_of(options.out, ".csv", ".parquet", ".pq", ".duckdb")
    with opened(options) as store:
        if store.schema.fingerprint == schema.built_in().fingerprint:
            snapshot_id: int | None = features.build(store, user=user_of(options, store.settings), as_of=options.as_of)
        else:  # a table of the lender's own is the ML-ready table as it stands
            snapshot_id = features.latest_snapshot(store)
        table = features.table(store, snapshot_id)
        if target:
            dictionary.export(store, target, snapshot_id)
    record = {"as_of": options.as_of, "applicants": len(table), "columns": len(table.columns), "out": target and str(target)}
    out.result(record)
    where = f" and written to {target}" if target else ""
    out.summary(
        {"snapshot": snapshot_id, "applicants": len(table)}, f"Features of {len(table):,} applicants kept as snapshot {snapshot_id}{where}."
    )


def _rfm(options: Options, out: Out) -> None:
    from creditrisk import rfm, tabular

    target = target_of(options.out)
    problems: list[Any] = []
    asked = {"days": options.days, **({"direction": options.direction} if options.direction else {})}
    with opened(options) as store:
        if options.file is None:
            found = rfm.stored(store, options.as_of, **asked)
        else:
            table, named = (
                tabular.load(options.file, store.settings.intake),
                {"id": options.id, "day": options.date, "amount": options.amount},
            )
            found, problems = rfm.of_table(store, table, options.as_of, **named, **asked)
    if target:
        write(found, target)
    out.refuse([f"{options.file.name}: {problem.message}" for problem in problems])
    for row in found.to_dict("records"):
        out.result({str(name): value.date() if name == "as_of" else value for name, value in row.items()})
    if not target:
        out.table(found)
    record: dict[str, Any] = {"as_of": options.as_of, "applicants": len(found), "problems": [problem_of(problem) for problem in problems]}
    out.summary(record | {"out": target and str(target)}, f"{len(found):,} applicants moved money in the {options.days} days before.")


def _augment(options: Options, out: Out) -> None:
    from creditrisk import augment, schema

    if options.remove == (options.to is not None):
        raise InvalidInput("augment needs one of: --to N, or --remove.")
    target = target_of(options.out)
    with opened(options) as store:
        user = user_of(options, store.settings)
        if options.remove:
            n = augment.remove(store, user=user)
            out.summary({"removed": n}, f"{n:,} invented applicants removed; the register of who was invented stays.")
            return
        n = augment.invent(store, options.to, user=user, seed=options.seed)
        found = augment.likeness(store)
        if target:
            write(augment.table(store, with_real=True), target)
        is_built_in = store.schema.fingerprint == schema.built_in().fingerprint
    for record in found.columns.to_dict("records"):
        out.result({str(name): value for name, value in record.items()})
    out.table(found.columns[["title", "psi", "ks", "missing_real", "missing_invented"]])
    if is_built_in:
        out.warn(["Figures were invented, not the statements behind them: `demo --applicants N` generates statements."])
    facts = {"invented": n, "real": found.n_real, "synthetic": found.n_invented, "largest_psi": found.columns["psi"].max()}
    facts |= {
        "largest_ks": found.columns["ks"].max(),
        "largest_change": found.change,
        "pair": found.pairs[["one", "other"]].head(1).to_numpy().ravel().tolist(),
        "out": target and str(target),
    }
    said = f"{n:,} applicants invented, {found.n_invented:,} beside {found.n_real:,} real ones. {found.sentence}"
    out.summary(facts, f"{said}{f' All of them are in {target}.' if target else ''}")


def _template(options: Options, out: Out) -> None:
    from creditrisk import dictionary

    target = target_of(options.out, ".csv")
    with opened(options) as store:
        columns = dictionary.allowed(store)
        beside = dictionary.write_template(store, target) if target else None
    for record in columns.to_dict("records"):
        out.result({str(name): value for name, value in record.items()})
    out.table(columns[["column", "what", "empty"]])
    said = f"{target} is there to fill in, with an example to replace; {beside} says what may stand in it." if target else ""
    out.summary({"columns": len(columns), "out": target and str(target)}, said or f"{len(columns)} columns; --out FILE.csv writes them.")


def _schema(options: Options, out: Out) -> None:
    from dataclasses import asdict

    from creditrisk import schema, tables

    if options.what == "infer":
        if not options.files:
            raise InvalidInput("schema infer needs a FILE to infer it from.")
        proposal = tables.propose(_joined(options, settings_of(options)), target=options.target, as_of=options.as_of)
        declared = proposal.schema
        out.warn([finding.sentence for finding in proposal.findings])
    else:
        with opened(options) as store:
            declared = store.schema
    for feature in declared:
        out.result(asdict(feature))
    out.summary({"schema": declared.name, "fingerprint": declared.fingerprint, "features": len(declared.features)}, schema.dump(declared))
