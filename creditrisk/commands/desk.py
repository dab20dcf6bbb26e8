"""Scores: of one applicant, of everybody, of a file, of an invented bank."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from creditrisk.commands.terminal import Options, Out, ParserOf, opened, problem_of, settings_of, target_of, user_of, write
from creditrisk.errors import InvalidInput, NothingYet

if TYPE_CHECKING:
    from creditrisk.scoring import Prediction
    from creditrisk.store import Store

CHUNK = 5_000  # rows scored and stored at a time


def declare(parser_of: ParserOf) -> None:
    """Add the commands of this room."""
    add = parser_of("demo", _demo, "fill an empty workspace with an invented bank, up to scored applicants").add_argument
    add("--applicants", type=int, default=2_000, metavar="N")
    add("--seed", type=int, default=11, metavar="S")

    add = parser_of("score", _score, "score a file of features, one applicant, or everybody").add_argument
    add("file", type=Path, nargs="?", metavar="FILE", help="CSV or Parquet with applicant_id and columns named as the schema's features")
    add("--applicant", metavar="ID")
    add("--all", action="store_true", help="every applicant of the workspace")
    add("--out", type=Path, metavar="FILE", help="write the scores to this .csv or .parquet; refused rows go to FILE-refused.csv")
    add("--model", metavar="MODEL", help="score with this model (else the champion)")
    add("--baseline", default="cut-off", metavar="GROUP", help="what contributions are held against: cut-off or everyone")


def _demo(options: Options, out: Out) -> None:
    from creditrisk import demo, scoring

    with opened(options) as store:
        try:
            made = demo.fill(store, applicants=options.applicants, seed=options.seed, progress=out.progress)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(demo.standing(store)) from None
        for prediction in scoring.latest(store, 10):
            out.result(prediction.to_json(), _in_words(prediction))
    out.summary(made, f"The demo bank of {options.applicants:,} applicants lies in {settings_of(options).data}; `make run` shows it.")


def _score(options: Options, out: Out) -> None:
    from creditrisk import scoring

    if sum((options.file is not None, options.applicant is not None, options.all)) != 1:
        raise InvalidInput("score needs one of: a FILE of features, --applicant ID, or --all.")
    target, scored, frames = target_of(options.out), 0, []
    with opened(options) as store:
        using = scoring.model(store, options.model)
        asked: dict[str, Any] = {"user": user_of(options, store.settings), "channel": "cli", "baseline": options.baseline, "using": using}
        for made in _from_file(store, options, asked, out) if options.file else _from_workspace(store, options, asked, out):
            scored += len(made)
            frames += [scoring.results(made)] if target else []
            for prediction in made:
                out.result(prediction.to_json(), _in_words(prediction) if options.applicant else _in_short(prediction, bool(target)))
    target = target if frames else None
    if target:
        from pandas import concat

        write(concat(frames, ignore_index=True), target)
    record = {"scored": scored, "refused": out.refused_rows, "model_id": using.model_id, "out": target and str(target)}
    said = f"{scored:,} scored with {using.model_id}{f', {out.refused_rows:,} rows refused' if out.refused_rows else ''}"
    out.summary(record, f"{said}{f', written to {target}' if target else ''}.{f' {using.banner}' if using.banner else ''}")


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
    from creditrisk import rows, scoring, tables, tabular

    given = tabular.load(options.file, store.settings.intake)
    if given.empty:
        raise InvalidInput(f"{options.file.name} has no rows to score.")
    if (key := tables.key_of(given)) and key not in {feature.name for feature in store.schema}:  # as an import takes it
        given = given.rename(columns={key: "applicant_id"})
    _, problems = rows.check(store.schema, given, complete=True)
    bad = {problem.row - 1 for problem in problems}
    out.refused_rows = len(bad)
    out.refuse([f"{options.file.name}: {problem.message}" for problem in problems])
    target = target_of(options.out)
    if target and problems:
        from pandas import DataFrame

        aside = target.with_name(f"{target.stem}-refused.csv")
        write(DataFrame([problem_of(problem) for problem in problems]), aside)
        print(f"The refused rows are in {aside}.", file=sys.stderr)
    good = given.drop(index=list(bad))
    for start in range(0, len(good), CHUNK):
        out.progress(start / len(good), "scoring")
        yield scoring.score_values(store, good.iloc[start : start + CHUNK].reset_index(drop=True), **asked)


def _in_words(prediction: "Prediction") -> str:
    word = "risk (proxy)" if prediction.is_proxy else "PD"
    lines = [
        f"{prediction.applicant_id}: score {int(prediction.score)} ({prediction.band}), {word} {100 * prediction.pd:.1f} %",
        f"  {prediction.recommendation}: {prediction.because}",
    ]
    return "\n".join(lines + [f"  {place}. {reason['text']}" for place, reason in enumerate(prediction.reasons, 1)])


def _in_short(prediction: "Prediction", is_written: bool) -> str | None:
    return None if is_written else _in_words(prediction).replace("\n  ", "; ").split("; 1. ", maxsplit=1)[0]
