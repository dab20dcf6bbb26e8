"""The command line: every verb of the library. Asks for an id or a file, calls one library function, prints what comes back.

Exit 0: done. 1: some inputs were refused, each with its sentence on stderr. 2: one sentence, and nothing was changed.
With `--json` stdout holds one JSON object a line and a last `{"summary": …}`; whatever else there is to say goes to stderr.
"""

import argparse
import getpass
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from creditrisk import __version__
from creditrisk.errors import CreditRiskError, InvalidInput, NothingYet
from creditrisk.settings import Settings, load

if TYPE_CHECKING:  # the rooms themselves are imported by the commands that need them, so that `--help` answers at once
    from pandas import DataFrame

    from creditrisk.corrections import Affected, Preview
    from creditrisk.ingest import Reading
    from creditrisk.scoring import Prediction
    from creditrisk.store import Store
    from creditrisk.tables import Table

Options = argparse.Namespace
Command = Callable[..., Callable[..., Any]]  # name, what runs, what it is about → what adds an argument
CHUNK = 5_000  # rows scored and stored at a time
SHOWN = 20  # problems said one by one without --json


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    out = Out(as_json="--json" in given)
    try:
        options = _parser().parse_args(given)
        options.run(options, out)
    except CreditRiskError as error:
        return out.fail(str(error))
    except BrokenPipeError:  # whoever read our output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return out.fail(f"{error.filename or 'A file'}: {(error.strerror or str(error)).lower()}.")
    except KeyboardInterrupt:
        return out.fail("Stopped. What was not finished is not stored.")
    return 1 if out.refused else 0


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
        if not self.as_json:
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
        if self.as_json:
            self._print_json({"summary": {"error": sentence}})
        print(sentence, file=sys.stderr)
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


# --- commands ------------------------------------------------------------------------------------------------------


def _demo(options: Options, out: Out) -> None:
    from creditrisk import demo, scoring

    with _open(options) as store:
        made = demo.fill(store, applicants=options.applicants, seed=options.seed, progress=out.progress)
        for prediction in scoring.latest(store, 10):
            out.result(prediction.to_json(), _in_words(prediction))
    out.summary(made, f"The demo bank of {options.applicants:,} applicants lies in {_settings(options).data}; `make run` shows it.")


def _inspect(options: Options, out: Out) -> None:
    from creditrisk import ingest

    readings = []
    for reading in _readings(options, _settings(options), out):
        readings.append(reading)
        out.result(ingest.to_json(reading), _about(reading))
    _summarise(readings, out, {}, "Nothing was stored.")


def _ingest(options: Options, out: Out) -> None:
    from creditrisk import ingest

    with _open(options) as store:
        readings = list(_readings(options, store.settings, out))
        saved = ingest.save(store, readings, user=_user(options, store.settings), applicant_id=options.applicant)
        for done in saved:
            out.result(
                ingest.to_json(done.reading, done), f"{_about(done.reading)}; {done.n_new:,} new, {done.n_duplicate:,} known already"
            )
        counts = {"n_new": sum(done.n_new for done in saved), "n_duplicate": sum(done.n_duplicate for done in saved)}
        _summarise(readings, out, counts, f"{counts['n_new']:,} new transactions stored.")


def _import(options: Options, out: Out) -> None:
    from creditrisk import tables

    with _open(options) as store:
        table = _joined(options, store.settings)
        said = _content(options.schema).decode("utf-8", errors="replace") if options.schema else None
        origin = options.schema.name if options.schema else "schema"
        proposal = tables.wanted(store, table, target=options.target, as_of=options.as_of, said=said, origin=origin)
        schema, findings = proposal.schema, proposal.findings
        made = tables.save(store, table, schema, user=_user(options, store.settings), target=options.target, as_of=options.as_of)
    out.warn([*table.notes, *(finding.sentence for finding in findings)])
    out.refuse([f"{table.parts[0].file}: {problem.message}" for problem in made.problems])
    for place, part in enumerate(table.parts):
        mine = made.problems if place == 0 else []  # rows are those of the first file, to which the others add columns
        record = {**vars(part), "rejected": len({problem.row for problem in mine}), "problems": [_problem(problem) for problem in mine]}
        out.result(record, f"{part.file}: {part.rows:,} rows, {part.matched:,} matched, {part.unmatched:,} not")
    record = {"snapshot": made.snapshot_id, "applicants": made.n, "outcomes": made.n_outcomes, "schema": schema.name}
    record |= {"fingerprint": schema.fingerprint, "features": len(schema.features), "findings": [vars(finding) for finding in findings]}
    told = f" and {made.n_outcomes:,} outcomes" if made.n_outcomes else ""
    out.summary(
        record, f"{made.n:,} applicants{told} kept as snapshot {made.snapshot_id}, {len(schema.predictors)} features to learn from."
    )


def _joined(options: Options, settings: Settings) -> "Table":
    from creditrisk import tables

    files = _files(options.files)
    names = [file.name for file in files]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InvalidInput(f"Two files are called {twice}: rename one, so that each can be told from the other.")
    return tables.join({file.name: tables.read(file.name, _content(file), settings) for file in files}, key=options.id, on=options.on)


def _outcomes(options: Options, out: Out) -> None:
    from creditrisk import applicants, rows

    table = rows.read_table(options.file)
    observed, problems = rows.outcomes(table, id_column=options.id, bad_column=options.bad, date_column=options.date)
    with _open(options) as store:
        counts = applicants.record_outcomes(store, observed, user=_user(options, store.settings))
    record = {"file": options.file.name, "rows": len(table), **counts, "rejected": len({problem.row for problem in problems})}
    out.refuse([f"{options.file.name}: {problem.message}" for problem in problems])
    out.result(record | {"problems": [_problem(problem) for problem in problems]})
    said = f"{counts['matched']:,} outcomes recorded; {counts['unmatched']:,} of people this workspace does not know were left out"
    out.summary(record, f"{said}; {record['rejected']:,} rows refused.")


def _features(options: Options, out: Out) -> None:
    from creditrisk import dictionary, features, schema

    target = _target(options.out, ".csv", ".parquet", ".pq", ".duckdb")
    with _open(options) as store:
        if store.schema.fingerprint == schema.built_in().fingerprint:
            snapshot_id: int | None = features.build(store, user=_user(options, store.settings), as_of=options.as_of)
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
    from creditrisk import rfm, rows

    target = _target(options.out)
    problems: list[Any] = []
    asked = {"days": options.days, **({"direction": options.direction} if options.direction else {})}
    with _open(options) as store:
        if options.file is None:
            found = rfm.stored(store, options.as_of, **asked)
        else:
            table, named = rows.read_table(options.file), {"id": options.id, "day": options.date, "amount": options.amount}
            found, problems = rfm.of_table(store, table, options.as_of, **named, **asked)
    if target:
        _write(found, target)
    out.refuse([f"{options.file.name}: {problem.message}" for problem in problems])
    for row in found.to_dict("records"):
        out.result({str(name): value.date() if name == "as_of" else value for name, value in row.items()})
    if not target:
        out.table(found)
    record: dict[str, Any] = {"as_of": options.as_of, "applicants": len(found), "problems": [_problem(problem) for problem in problems]}
    out.summary(record | {"out": target and str(target)}, f"{len(found):,} applicants moved money in the {options.days} days before.")


def _augment(options: Options, out: Out) -> None:
    from creditrisk import augment, schema

    if options.remove == (options.to is not None):
        raise InvalidInput("augment needs one of: --to N, or --remove.")
    target = _target(options.out)
    with _open(options) as store:
        user = _user(options, store.settings)
        if options.remove:
            n = augment.remove(store, user=user)
            out.summary({"removed": n}, f"{n:,} invented applicants removed; the register of who was invented stays.")
            return
        n = augment.invent(store, options.to, user=user, seed=options.seed)
        found = augment.likeness(store)
        if target:
            _write(augment.table(store, with_real=True), target)
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
        "pair": list(found.pair),
        "out": target and str(target),
    }
    said = f"{n:,} applicants invented, {found.n_invented:,} beside {found.n_real:,} real ones. {found.sentence}"
    out.summary(facts, f"{said}{f' All of them are in {target}.' if target else ''}")


def _label(options: Options, out: Out) -> None:
    from creditrisk import labels

    with _open(options) as store:
        user = _user(options, store.settings)
        if options.method == "kmeans":
            made = labels.kmeans(store, user=user, k=options.k, performance_days=options.performance_days)
        else:
            made = labels.observed(store, user=user)
    record = labels.to_json(made)
    out.result(record, "\n".join(f"  {'passed' if gate['passed'] else 'FAILED'}  {gate['sentence']}" for gate in record["gates"]))
    said = f"Label set {made.label_set_id} ({made.method}): {made.n:,} applicants labelled, {100 * (made.share_risky or 0):.1f} % risky."
    warning = labels.banner(made)
    out.summary({"label_set": made.label_set_id, "passed": made.passed}, f"{said} {warning}" if warning else said)


def _train(options: Options, out: Out) -> None:
    from creditrisk import registry, training

    asked = {"label_set_id": options.labels, "split": options.split, "test_size": options.test_size, "folds": options.cv}
    asked["invented"] = options.invented or None
    if options.algorithms:
        asked["algorithms"] = tuple(name.strip() for name in options.algorithms.split(",") if name.strip())
    with _open(options) as store:
        config = replace(training.defaults(store), **{name: value for name, value in asked.items() if value is not None})
        made = training.train(store, config, user=_user(options, store.settings), progress=out.progress)
        for model_id in made:
            out.result(training.to_json(registry.get(store, model_id)))
        board = training.leaderboard(store)
    out.table(board[board["model_id"].isin(made)][BOARD])
    out.summary({"models": made}, f"{len(made)} candidates registered. Nothing scores with them until somebody promotes one.")


BOARD = ["model_id", "algorithm", "status", "label_source", "auc", "auc_low", "auc_high", "auc_observed", "brier", "n", "seconds"]


def _models(options: Options, out: Out) -> None:
    from creditrisk import registry, training

    with _open(options) as store:
        board = training.leaderboard(store)
        models = [registry.get(store, model_id) for model_id in sorted(board["model_id"], reverse=True)]
    for model in models:
        out.result(training.to_json(model, "models"))
    if models:
        out.table(board[BOARD])
    champion = next((model["model_id"] for model in models if model["status"] == "champion"), None)
    said = f"{len(models)} models; {champion or 'none'} is champion."
    out.summary({"models": len(models), "champion": champion}, said)


def _promote(options: Options, out: Out) -> None:
    from creditrisk import registry, training

    with _open(options) as store:
        model_id = _best(store) if options.model == "best" else options.model
        registry.promote(store, model_id, user=_user(options, store.settings), reason=options.reason)
        out.result(training.to_json(registry.get(store, model_id), "models"))
    out.summary({"champion": model_id}, f"{model_id} is champion and scores from now on.")


def _score(options: Options, out: Out) -> None:
    from creditrisk import scoring

    if sum((options.file is not None, options.applicant is not None, options.all)) != 1:
        raise InvalidInput("score needs one of: a FILE of features, --applicant ID, or --all.")
    target, scored, frames = _target(options.out), 0, []
    with _open(options) as store:
        using = scoring.model(store, options.model)
        asked: dict[str, Any] = {"user": _user(options, store.settings), "channel": "cli", "baseline": options.baseline, "using": using}
        for made in _from_file(store, options, asked, out) if options.file else _from_workspace(store, options, asked, out):
            scored += len(made)
            frames += [scoring.results(made)] if target else []
            for prediction in made:
                out.result(prediction.to_json(), _in_words(prediction) if options.applicant else _in_short(prediction, bool(target)))
    target = target if frames else None
    if target:
        from pandas import concat

        _write(concat(frames, ignore_index=True), target)
    record = {"scored": scored, "refused": out.refused_rows, "model_id": using.model_id, "out": target and str(target)}
    said = f"{scored:,} scored with {using.model_id}{f', {out.refused_rows:,} rows refused' if out.refused_rows else ''}"
    out.summary(record, f"{said}{f', written to {target}' if target else ''}.{f' {using.banner}' if using.banner else ''}")


def _correct(options: Options, out: Out) -> None:
    from creditrisk import corrections

    scope = "movement" if options.transaction is not None else "merchant" if options.merchant is not None else "words"
    asked: dict[str, Any] = {"scope": scope, "category": options.category, "direction": options.direction}
    asked |= {"transaction_id": options.transaction, "words": options.merchant or options.words}
    with _open(options) as store:
        if options.dry_run:
            whose = options.applicant or corrections.affected(store, **asked).most_of
            if whose is None:
                raise InvalidInput("Nothing would change: these movements have that category already.")
            seen = corrections.preview(store, whose, **asked)
            out.result(seen.to_json(), _foreseen(seen))
            out.summary({"stored": False, "n_movements": seen.affected.n_movements}, "Nothing was stored.")
            return
        done = corrections.correct(store, user=_user(options, store.settings), reason=options.reason, **asked)
    record = {"correction_id": done.correction_id, **corrections.to_json(done.affected), "n_learned": done.n_learned}
    out.result(record, f"{_reach(done.affected)}.")
    learned = f" The model learned from it and takes {done.n_learned:,} other descriptions for something else." if done.n_learned else ""
    out.summary(
        {"stored": True, "n_movements": done.affected.n_movements, "n_applicants": done.affected.n_applicants},
        f"Correction {done.correction_id} is kept.{learned} The next score of those it concerns uses it.",
    )


def _corrections(options: Options, out: Out) -> None:
    from creditrisk import corrections

    with _open(options) as store:
        told = corrections.history(store, options.applicant)
    for record in told.astype(object).where(told.notna(), None).to_dict("records"):
        out.result({str(name): value for name, value in record.items()})
    if len(told):
        out.table(told[["corrected_at", "corrected_by", "scope", "what", "category_before", "category", "n_movements", "reason"]])
    out.summary({"corrections": len(told)}, f"{len(told):,} corrections.")


def _template(options: Options, out: Out) -> None:
    from creditrisk import dictionary

    target = _target(options.out, ".csv")
    with _open(options) as store:
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
        proposal = tables.propose(_joined(options, _settings(options)), target=options.target, as_of=options.as_of)
        declared = proposal.schema
        out.warn([finding.sentence for finding in proposal.findings])
    else:
        with _open(options) as store:
            declared = store.schema
    for feature in declared:
        out.result(asdict(feature))
    out.summary({"schema": declared.name, "fingerprint": declared.fingerprint, "features": len(declared.features)}, schema.dump(declared))


# --- pieces of commands --------------------------------------------------------------------------------------------


def _readings(options: Options, settings: Settings, out: Out) -> "Iterator[Reading]":
    """Read the files asked for (folders and patterns are searched), one after another."""
    from creditrisk import ingest

    files = _files(options.files)
    for place, file in enumerate(files):
        out.progress(place / len(files), file.name)
        yield ingest.read(file.name, _content(file), profile=options.profile, settings=settings)


def _files(given: Sequence[str]) -> list[Path]:
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


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {(error.strerror or str(error)).lower()}. Nothing was stored.") from error


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


def _best(store: "Store") -> str:
    """Return the candidate at the top of the newest label set's leaderboard, baselines left out."""
    from creditrisk import training

    for line in training.leaderboard(store).to_dict("records"):
        if line["status"] == "candidate" and line["algorithm"] not in training.BASELINES:
            return str(line["model_id"])
    raise NothingYet("There is no candidate to promote: train models first.")


def _from_workspace(store: "Store", options: Options, asked: Mapping[str, Any], out: Out) -> "Iterator[list[Prediction]]":
    """Score applicants of the workspace, some thousand at a time."""
    from creditrisk import features, scoring

    names = [options.applicant] if options.applicant is not None else features.newest(store)["applicant_id"].tolist()
    if not names:
        raise NothingYet("There is nobody to score: store bank statements, then compute features.")
    for start in range(0, len(names), CHUNK):
        out.progress(start / len(names), "scoring")
        yield scoring.score_applicants(store, names[start : start + CHUNK], **asked)


def _from_file(store: "Store", options: Options, asked: Mapping[str, Any], out: Out) -> "Iterator[list[Prediction]]":
    """Score the good rows of a file, some thousand at a time; say what is wrong with the others and set that aside in a file."""
    from creditrisk import rows, scoring

    given = rows.read_table(options.file)
    if given.empty:
        raise InvalidInput(f"{options.file.name} has no rows to score.")
    _, problems = rows.check(store.schema, given, complete=True)
    bad = {problem.row - 1 for problem in problems}
    out.refused_rows = len(bad)
    out.refuse([f"{options.file.name}: {problem.message}" for problem in problems])
    target = _target(options.out)
    if target and problems:
        from pandas import DataFrame

        aside = target.with_name(f"{target.stem}-refused.csv")
        _write(DataFrame([_problem(problem) for problem in problems]), aside)
        print(f"The refused rows are in {aside}.", file=sys.stderr)
    good = given.drop(index=list(bad))
    for start in range(0, len(good), CHUNK):
        out.progress(start / len(good), "scoring")
        yield scoring.score_values(store, good.iloc[start : start + CHUNK].reset_index(drop=True), **asked)


def _reach(found: "Affected") -> str:
    said = found.correction
    what = f"movement {said.transaction_id}" if said.scope == "movement" else f"{said.words!r} (money {said.direction})"
    movements = f"{found.n_movements:,} movement{'' if found.n_movements == 1 else 's'}"
    people = f"{found.n_applicants:,} applicant{'' if found.n_applicants == 1 else 's'}"
    return f"{what}: {found.category_before} → {said.category}, {movements} of {people}"


def _foreseen(seen: "Preview") -> str:
    lines = [f"{_reach(seen.affected)}. {seen.applicant_id}:"]
    lines += [f"  {change.title}: {change.said_before} → {change.said_after}" for change in seen.changes] or ["  no figure would move"]
    if seen.before is not None and seen.after is not None:
        word = "risk (proxy)" if seen.after.is_proxy else "PD"
        scores = f"{int(seen.before.score)} ({seen.before.band}) → {int(seen.after.score)} ({seen.after.band})"
        lines.append(f"  score {scores}, {word} {100 * seen.before.pd:.1f} % → {100 * seen.after.pd:.1f} %")
    return "\n".join(lines)


def _in_words(prediction: "Prediction") -> str:
    word = "risk (proxy)" if prediction.is_proxy else "PD"
    lines = [
        f"{prediction.applicant_id}: score {int(prediction.score)} ({prediction.band}), {word} {100 * prediction.pd:.1f} %",
        f"  {prediction.recommendation}: {prediction.because}",
    ]
    return "\n".join(lines + [f"  {place}. {reason['text']}" for place, reason in enumerate(prediction.reasons, 1)])


def _in_short(prediction: "Prediction", is_written: bool) -> str | None:
    return None if is_written else _in_words(prediction).replace("\n  ", "; ").split("; 1. ", maxsplit=1)[0]


def _problem(problem: Any) -> dict[str, Any]:
    return {"row": problem.row, "column": problem.column, "value": problem.value, "message": problem.message}


def _target(file: Path | None, *kinds: str) -> Path | None:
    """Return where to write, made sure of before anything else is done."""
    allowed = kinds or (".csv", ".parquet", ".pq")
    if file is not None and file.suffix.lower() not in allowed:
        said = ", ".join(kind for kind in allowed if kind != ".pq")
        raise InvalidInput(f"{file} should end in {' or '.join(said.rsplit(', ', 1))}.")
    if file is not None and not file.parent.is_dir():
        raise InvalidInput(f"There is no folder {file.parent} to write {file.name} to.")
    return file


def _write(frame: "DataFrame", target: Path) -> None:
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
def _open(options: Options) -> "Iterator[Store]":
    from creditrisk.store import open_workspace

    store = open_workspace(_settings(options))
    try:
        yield store
    finally:
        store.close()


def _settings(options: Options) -> Settings:
    return load(data=options.data, models=options.models)


def _user(options: Options, settings: Settings) -> str:
    """Return who acts: `--user`, else CREDITRISK_USER, else the account's name, else the default of the settings."""
    named = options.user or os.environ.get("CREDITRISK_USER")
    if named:
        return str(named)
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, as in some containers
        return settings.people.default


# --- the words it understands --------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """Answers a wrong command line like any other refusal: with a sentence and exit code 2."""

    def error(self, message: str) -> NoReturn:
        raise InvalidInput(f"{message[:1].upper()}{message[1:]}. See `{self.prog} --help`.")


def _common() -> _Parser:
    """Options that may stand before or after the command."""
    common = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--data", type=Path, metavar="DIR", help="folder of the workspace (else CREDITRISK_DATA, else data)")
    common.add_argument("--models", type=Path, metavar="DIR", help="folder of its models (else CREDITRISK_MODELS, else models)")
    common.add_argument("--user", metavar="NAME", help="who acts (else CREDITRISK_USER, else your account)")
    common.add_argument("--json", action="store_true", help="one JSON object a line, a summary last")
    return common


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m creditrisk", description="Bank statements in, explained scores out.", parents=[_common()])
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def parser_of(name: str, run: Callable[[Options, Out], None], about: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.", parents=[_common()])
        added.set_defaults(run=run)
        return added

    def command(name: str, run: Callable[[Options, Out], None], about: str) -> Callable[..., Any]:
        return parser_of(name, run, about).add_argument

    _what_comes_in(command)
    _what_is_learned(command)
    _what_is_done_with_it(command)
    _what_is_put_right(parser_of)
    parser.set_defaults(data=None, models=None, user=None)
    return parser


def _what_comes_in(command: Command) -> None:
    add = command("demo", _demo, "fill an empty workspace with an invented bank, up to scored applicants")
    add("--applicants", type=int, default=2_000, metavar="N")
    add("--seed", type=int, default=11, metavar="S")

    add = command("inspect", _inspect, "read bank statements, in whatever format the bank gives them, without storing them")
    add("files", nargs="+", metavar="FILE", help="files, folders or patterns")
    add("--profile", metavar="NAME", help="read them as this bank's (else the layout is inferred)")

    add = command("ingest", _ingest, "store bank statements; whole files or nothing, the same file twice adds nothing")
    add("files", nargs="+", metavar="FILE", help="files, folders or patterns")
    add("--profile", metavar="NAME", help="read them as this bank's (else the layout is inferred)")
    add("--applicant", metavar="ID", help="whose they are (else the account number in the file, else the file's name)")

    add = command("import", _import, "keep any table of applicants: CSV, Parquet or Excel, several files joined on a key")
    add("files", nargs="+", metavar="FILE", help="the first says who is an applicant, the others add columns")
    add("--id", metavar="COL", help="column that names the applicant (else one called like an id, else the row)")
    add("--on", metavar="COL", help="the same in the further files, where it differs")
    add("--target", metavar="COL", help="column that says how it went, or COL=VALUE,VALUE with its bad values")
    add("--as-of", metavar="COL", help="column with the day the figures describe")
    add("--schema", type=Path, metavar="FILE", help="TOML with [[feature]] tables whose keys replace those proposed")

    add = command("outcomes", _outcomes, "record what really happened to loans")
    add("file", type=Path, metavar="FILE", help="CSV or Parquet")
    add("--id", required=True, metavar="COL", help="column that names the applicant")
    add(
        "--bad",
        required=True,
        metavar="COL",
        help="column that says 1 or 0, yes or no, bad or good; or COL=VALUE,VALUE with its bad values",
    )
    add("--date", metavar="COL", help="column with the day it was observed")


def _what_is_learned(command: Command) -> None:
    add = command("features", _features, "compute the ML-ready table from transactions")
    add("--as-of", type=_date, metavar="DATE", help="read only what was booked before (else each one's application)")
    add("--out", type=Path, metavar="FILE", help="also write it to this .csv, .parquet or .duckdb, with its schema and data dictionary")

    add = command("rfm", _rfm, "compute recency, frequency and monetary value of stored transactions, or of a table of them")
    add("file", type=Path, nargs="?", metavar="FILE", help="CSV or Parquet with one row per transaction (else the stored ones)")
    add("--as-of", type=_date, required=True, metavar="DATE", help="read only what was booked before")
    add("--days", type=int, default=365, metavar="N", help="how far back")
    add("--direction", choices=("in", "out", "both"), help="which money (else out of stored ones, both of a table)")
    add("--id", default="applicant_id", metavar="COL", help="column that names the applicant")
    add("--date", default="date", metavar="COL", help="column with the day")
    add("--amount", default="amount", metavar="COL", help="column with the amount")
    add("--out", type=Path, metavar="FILE", help="also write it to this .csv or .parquet")

    add = command("augment", _augment, "invent applicants like the real ones; they are marked for ever, and nothing is measured on them")
    add("--to", type=int, metavar="N", help="until there are N with the real ones")
    add("--seed", type=int, default=11, metavar="S")
    add("--out", type=Path, metavar="FILE", help="also write all of them, real and invented, to this .csv or .parquet")
    add("--remove", action="store_true", help="take every invented applicant out again")

    add = command("label", _label, "make a label set with its quality report")
    add("method", choices=("kmeans", "observed"))
    add("--k", type=int, metavar="N", help="number of clusters (else the best of a scan)")
    add("--performance-days", type=int, metavar="N", help="label by the last N days, predict from before them (else one window)")

    add = command("train", _train, "fit candidates on a label set")
    add("--algorithms", metavar="A,B", help="xgboost, random_forest, logistic")
    add("--labels", metavar="ID", help="label set (else the newest)")
    add("--split", choices=("random", "time"))
    add("--test-size", type=float, metavar="X", help="share of applicants held out")
    add("--cv", type=int, metavar="K", help="folds behind the calibration")
    add("--invented", action="store_true", help="learn from invented applicants too (proxy labels only); none is measured on")


def _what_is_done_with_it(command: Command) -> None:
    command("models", _models, "list the registry")

    add = command("promote", _promote, "make a model the champion")
    add("model", metavar="MODEL", help="a model's id, or `best`: the candidate at the top of the newest label set's leaderboard")
    add("--reason", required=True, metavar="TEXT", help="why; kept for ever")

    add = command("score", _score, "score a file of features, one applicant, or everybody")
    add("file", type=Path, nargs="?", metavar="FILE", help="CSV or Parquet with applicant_id and columns named as the schema's features")
    add("--applicant", metavar="ID")
    add("--all", action="store_true", help="every applicant of the workspace")
    add("--out", type=Path, metavar="FILE", help="write the scores to this .csv or .parquet; refused rows go to FILE-refused.csv")
    add("--model", metavar="MODEL", help="score with this model (else the champion)")
    add("--baseline", default="cut-off", metavar="GROUP", help="what contributions are held against: cut-off or everyone")

    add = command("template", _template, "say what a file to score holds, and write one to fill in")
    add("--out", type=Path, metavar="FILE", help="the .csv to fill in; FILE.columns.csv beside it says what is allowed")

    add = command("schema", _schema, "print the schema: the declared features of an applicant, or one proposed for a table")
    add("what", choices=("show", "infer"))
    add("files", nargs="*", metavar="FILE", help="with infer: the table, or several to be joined")
    add("--id", metavar="COL", help="column that names the applicant")
    add("--on", metavar="COL", help="the same in the further files, where it differs")
    add("--target", metavar="COL", help="column that says how it went, or COL=VALUE,VALUE with its bad values")
    add("--as-of", metavar="COL", help="column with the day the figures describe")


def _what_is_put_right(parser_of: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands that say what movements really were, and what was said."""
    said = parser_of("correct", _correct, "say what movements really were: one of them, all of a merchant, or all with certain words")
    which = said.add_mutually_exclusive_group(required=True)
    which.add_argument("--transaction", type=int, metavar="ID", help="this movement only")
    which.add_argument("--merchant", metavar="TEXT", help="all described so, whatever numbers and dates stand beside it")
    which.add_argument("--words", metavar="TEXT", help="all with these words in a row")
    said.add_argument("--direction", choices=("in", "out"), help="money in or out (else the one there is)")
    said.add_argument("--category", required=True, metavar="CODE", help="what it really was, such as RENT; UNKNOWN where nobody can say")
    said.add_argument("--reason", default="", metavar="TEXT", help="why; kept for ever")
    said.add_argument("--dry-run", action="store_true", help="say which figures and which score would move, and store nothing")
    said.add_argument("--applicant", metavar="ID", help="whose score a dry run shows (else of whom most would change)")
    told = parser_of("corrections", _corrections, "list what people said of movements, newest first")
    told.add_argument("--applicant", metavar="ID", help="those that speak of this applicant's movements")


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} should be a date like 2026-01-31") from error


if __name__ == "__main__":
    sys.exit(main())
