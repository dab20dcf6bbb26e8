"""Verdicts and inspections: what waits goes out as a table, and comes back filled in."""

from pathlib import Path
from typing import TYPE_CHECKING

from creditrisk.commands.terminal import Options, Out, ParserOf, opened, problem_of, target_of, user_of, write
from creditrisk.errors import InvalidInput

if TYPE_CHECKING:
    from creditrisk.feedback import Taken

TABLES = (".csv", ".xlsx", ".parquet")


def declare(parser_of: ParserOf) -> None:
    """Add the commands of this room."""
    add = parser_of("review", _review, "export the cases that wait for a verdict, or import verdicts").add_argument
    add("file", type=Path, nargs="?", metavar="FILE", help="CSV, XLSX or Parquet with prediction_id, verdict, about (corrected, comment)")
    add("--out", type=Path, metavar="FILE", help="write the waiting cases to this .csv or .parquet, to be filled in")
    add("--limit", type=int, metavar="N", help="with --out: the N nearest the cut-off (else all)")
    add("--given", action="store_true", help="with --out: write the verdicts that stand instead")

    add = parser_of("inspect-reviews", _inspect, "export the verdicts that wait for an inspection, or import inspections").add_argument
    add("file", type=Path, nargs="?", metavar="FILE", help="CSV, XLSX or Parquet with review_id, status, reason")
    add("--out", type=Path, metavar="FILE", help="write the waiting verdicts to this .csv or .parquet, to be filled in")

    add = parser_of("story", _story, "tell what happened to a prediction").add_argument
    add("prediction", metavar="ID", help="a prediction's id")
    add("--out", type=Path, metavar="FILE", help="also write all that proves it to this .json, for somebody else to check")
    add("--verify", action="store_true", help="ID is such a file: say whether everything in it fits")


def _review(options: Options, out: Out) -> None:
    from creditrisk import blinding, feedback, reviews, tabular

    target = _one_way(options)
    with opened(options) as store:
        user = user_of(options, store.settings)
        if target:
            found = feedback.given(store) if options.given else feedback.to_judge(store, options.limit)
            write(blinding.covered(store, user, found), target)
            what = "verdicts that stand" if options.given else "waiting cases"
            return out.summary({"written": len(found), "out": str(target)}, f"{len(found):,} {what} written to {target}.")
        if options.file:
            done = feedback.judge(store, tabular.load(options.file, store.settings.intake), user=user)
            return _said(out, done, options.file, "verdict")
        counts = reviews.summary(store) | {"today": reviews.today(store, user)}
    share = f"; {100 * counts['share_incorrect']:.0f} % of {counts['n']:,} judged are incorrect" if counts["n"] else ""
    return out.summary(counts, f"{counts['n_waiting']:,} predictions wait for a verdict{share}.")


def _inspect(options: Options, out: Out) -> None:
    from creditrisk import feedback, inspections, tabular

    target = _one_way(options)
    with opened(options) as store:
        user = user_of(options, store.settings)
        if options.file:
            done = feedback.inspect(store, tabular.load(options.file, store.settings.intake), user=user)
            return _said(out, done, options.file, "inspection")
        found = feedback.to_inspect(store, user)
        agreed = inspections.agreement(store)
    if target:
        write(found, target)
        return out.summary({"written": len(found), "out": str(target)}, f"{len(found):,} waiting verdicts written to {target}.")
    counts = {"n_waiting": len(found), "n_conflicts": int(found["is_conflict"].sum()), "agreement": agreed}
    said = f"{len(found):,} verdicts wait for an inspection, {counts['n_conflicts']:,} of them contradict another."
    return out.summary(counts, f"{said} Two readers agreed on {100 * agreed['share']:.0f} % of {agreed['n']:,}." if agreed["n"] else said)


def _story(options: Options, out: Out) -> None:
    from creditrisk import chronicle, evidence

    if options.verify:
        return _verified(Path(options.prediction), out)
    target = target_of(options.out, ".json")
    with opened(options) as store:
        reader = user_of(options, store.settings)
        if target:
            evidence.write(evidence.of_case(store, options.prediction, reader=reader), target)
        found = chronicle.of_case(store, options.prediction, reader=reader)
    for event in found.to_dict("records"):
        at = event["happened_at"]
        record = {"happened_at": at.isoformat(), "who": event["who"], "kind": event["kind"], "what": event["what"]}
        out.result(record, f"{at:%Y-%m-%d %H:%M} UTC  {event['who']} {event['what']}")
    where = f" All that proves it is in {target}." if target else ""
    out.summary({"events": len(found), "out": target and str(target)}, f"{len(found):,} things happened to this prediction.{where}")
    return None


def _verified(file: Path, out: Out) -> None:
    from creditrisk import evidence

    wrong = evidence.faults(evidence.read(file))
    out.refuse(wrong)
    out.summary({"file": str(file), "faults": wrong}, "It does not fit." if wrong else f"Everything in {file.name} fits.")


def _one_way(options: Options) -> Path | None:
    if options.file is not None and options.out is not None:
        raise InvalidInput("Either a FILE comes in or --out goes out, not both at once.")
    if options.file is not None and options.file.suffix.lower() not in (*TABLES, ".pq", ".txt", ".tsv"):
        raise InvalidInput(f"{options.file} should end in {', '.join(TABLES[:-1])} or {TABLES[-1]}.")
    return target_of(options.out)


def _said(out: Out, done: "Taken", file: Path, what: str) -> None:
    """Say what came of a table, each wrong row by itself."""
    for problem in done.problems:
        out.result(problem_of(problem))
    out.refuse([f"{file.name}: {problem.message}" for problem in done.problems])
    record = {"stored": done.n, "known_already": done.n_known, "empty": done.n_empty, "refused": len(done.problems)}
    more = [f"{n:,} {words}" for n, words in ((done.n_known, "known already"), (done.n_empty, "left empty")) if n]
    told = f"{', '.join([f'{done.n:,} {what}s stored', *more])}."
    out.summary(record, "Nothing was stored: correct these rows and bring the file again." if done.problems else told)
