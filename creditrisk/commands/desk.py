"""Scores: of one applicant, of everybody, of a file, of an invented bank."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from creditrisk.commands.terminal import Options, Out, ParserOf, opened, settings_of, target_of, user_of, write
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
    add(
        "file",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="CSV, Parquet or Excel with applicant_id and columns named as the schema's features",
    )
    add("--applicant", metavar="ID")
    add("--all", action="store_true", help="every applicant of the workspace")
    add("--batch", metavar="BATCH", help="a file scored before: go on where it was broken off, and hand out its scores again")
    add("--out", type=Path, metavar="FILE", help="write the scores to this .csv, .xlsx or .parquet; refused rows go to FILE-refused.csv")
    add("--model", metavar="MODEL", help="score with this model (else the champion)")
    add("--baseline", default="cut-off", metavar="GROUP", help="what contributions are held against: cut-off or everyone")


def _demo(options: Options, out: Out) -> None:
    from creditrisk import certainty, demo, scoring

    with opened(options) as store:
        try:
            made = demo.fill(store, applicants=options.applicants, seed=options.seed, progress=out.progress)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(demo.reached(store)) from None
        for prediction in scoring.latest(store, 10):
            found = certainty.known(store, prediction.model_id)
            record = prediction.to_json(found)
            out.result(record, _in_words(prediction, record))
    out.summary(made, f"The demo bank of {options.applicants:,} applicants lies in {settings_of(options).data}; `make run` shows it.")


def _score(options: Options, out: Out) -> None:
    if sum((options.file is not None, options.applicant is not None, options.all, options.batch is not None)) != 1:
        raise InvalidInput("score needs one of: a FILE of features, --applicant ID, --all, or --batch BATCH.")
    (_score_file if options.file or options.batch else _score_workspace)(options, out)


def _score_workspace(options: Options, out: Out) -> None:
    from creditrisk import certainty, scoring

    target, scored, frames = target_of(options.out), 0, []
    with opened(options) as store:
        using = scoring.model(store, options.model)
        found = certainty.known(store, using.model_id)
        asked: dict[str, Any] = {"user": user_of(options, store.settings), "channel": "cli", "baseline": options.baseline, "using": using}
        for made in _from_workspace(store, options, asked, out):
            scored += len(made)
            frames += [scoring.results(made, found)] if target else []
            for prediction in made:
                record = prediction.to_json(found)
                out.result(record, _in_words(prediction, record) if options.applicant else _in_short(prediction, record, bool(target)))
    if target:
        from pandas import concat

        write(concat(frames, ignore_index=True), target)
    record = {"scored": scored, "refused": 0, "model_id": using.model_id, "out": target and str(target)}
    said = f"{scored:,} scored with {using.model_id}{f', written to {target}' if target else ''}."
    out.summary(record, f"{said}{f' {using.banner}' if using.banner else ''}")


def _score_file(options: Options, out: Out) -> None:
    """Score a file part by part; say what is wrong with bad rows and set them aside. A batch that was broken off goes on."""
    from creditrisk import blinding, certainty, labels, registry
    from creditrisk.batch import keep, results

    target = target_of(options.out, ".csv", ".xlsx", ".parquet")
    with opened(options) as store:
        user = user_of(options, store.settings)
        name = options.batch or keep.begin(
            store, options.file.name, options.file, user=user, channel="cli", model_id=options.model, baseline=options.baseline
        )
        if keep.get(store, name)["state"] != "done":
            for part in keep.here(store, name, user=user):
                out.progress(part.share, f"scoring, {part.last:,} rows")
                out.refuse([f"{keep.get(store, name)['file']}: {problem.message}" for problem in part.problems])
        batch = keep.get(store, name)
        out.refused_rows = batch["n_refused"]
        if out.as_json or not target:
            found = certainty.known(store, batch["model_id"])
            hidden = blinding.hidden(store, user)
            for prediction in results.predictions(store, name):
                if prediction.applicant_id in hidden:
                    continue
                record = prediction.to_json(found)
                out.result(record, _in_short(prediction, record, bool(target)))
        if target and batch["n_scored"]:
            _handed_out(store, name, target, user)
        if target and batch["n_refused"]:
            aside = target.with_name(f"{target.stem}-refused.csv")
            write(results.refused(store, name), aside)
            print(f"The refused rows are in {aside}.", file=sys.stderr)
        banner = labels.banner(labels.get(store, registry.get(store, batch["model_id"])["label_set_id"]))
    target = target if batch["n_scored"] else None
    record = {"scored": batch["n_scored"], "refused": batch["n_refused"], "model_id": batch["model_id"], "out": target and str(target)}
    said = f"{batch['n_scored']:,} scored with {batch['model_id']}"
    said += f", {batch['n_refused']:,} rows refused" if batch["n_refused"] else ""
    out.summary(record | {"batch": name}, f"{said}{f', written to {target}' if target else ''}.{f' {banner}' if banner else ''}")


def _handed_out(store: "Store", name: str, target: Path, user: str) -> None:
    """Write the results of a batch to a file: the whole file or none."""
    from creditrisk.batch import results

    part = target.with_name(f".{target.name}.part")
    try:
        kind: Any = target.suffix.lower().removeprefix(".")
        results.write(store, name, part, kind, reader=user)
        part.replace(target)
    except OSError as error:
        raise InvalidInput(f"{target} cannot be written: {error.strerror or error}.") from error


def _from_workspace(store: "Store", options: Options, asked: Mapping[str, Any], out: Out) -> "Iterator[list[Prediction]]":
    """Score applicants of the workspace, some thousand at a time."""
    from creditrisk import blinding, features, scoring

    names = [options.applicant] if options.applicant is not None else features.newest(store)["applicant_id"].tolist()
    if not names:
        raise NothingYet("There is nobody to score: store bank statements, then compute features.")
    blinding.require(store, asked["user"], *names)
    for start in range(0, len(names), CHUNK):
        out.progress(start / len(names), "scoring")
        yield scoring.score_applicants(store, names[start : start + CHUNK], **asked)


def _in_words(prediction: "Prediction", record: Mapping[str, Any]) -> str:
    word, low, high = "risk (proxy)" if prediction.is_proxy else "PD", record["pd_low"], record["pd_high"]
    sure = f"{100 * low:.1f} to {100 * high:.1f} %" if low is not None else "no interval" if prediction.is_sure else "insufficient data"
    lines = [
        f"{prediction.applicant_id}: score {int(prediction.score)} ({prediction.band}), {word} {100 * prediction.pd:.1f} % ({sure})",
        f"  {prediction.recommendation}: {prediction.because}",
    ]
    return "\n".join(lines + [f"  {place}. {reason['text']}" for place, reason in enumerate(prediction.reasons, 1)])


def _in_short(prediction: "Prediction", record: Mapping[str, Any], is_written: bool) -> str | None:
    return None if is_written else _in_words(prediction, record).replace("\n  ", "; ").split("; 1. ", maxsplit=1)[0]
