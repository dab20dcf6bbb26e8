"""What movements of money really were, and what people said of them."""

from typing import TYPE_CHECKING, Any

from creditrisk.commands.terminal import Options, Out, ParserOf, opened, user_of
from creditrisk.errors import InvalidInput

if TYPE_CHECKING:
    from creditrisk.corrections import Affected, Preview


def declare(parser_of: ParserOf) -> None:
    """Add the commands of this room."""
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


def _correct(options: Options, out: Out) -> None:
    from creditrisk import blinding, corrections

    scope = "movement" if options.transaction is not None else "merchant" if options.merchant is not None else "words"
    asked: dict[str, Any] = {"scope": scope, "category": options.category, "direction": options.direction}
    asked |= {"transaction_id": options.transaction, "words": options.merchant or options.words}
    with opened(options) as store:
        if options.dry_run:
            whose = options.applicant or corrections.affected(store, **asked).most_of
            if whose is None:
                raise InvalidInput("Nothing would change: these movements have that category already.")
            blinding.require(store, user_of(options, store.settings), whose)
            seen = corrections.preview(store, whose, **asked)
            out.result(seen.to_json(), _foreseen(seen))
            out.summary({"stored": False, "n_movements": seen.affected.n_movements}, "Nothing was stored.")
            return
        done = corrections.correct(store, user=user_of(options, store.settings), reason=options.reason, **asked)
    record = {"correction_id": done.correction_id, **corrections.to_json(done.affected), "n_learned": done.n_learned}
    out.result(record, f"{_reach(done.affected)}.")
    learned = f" The model learned from it and takes {done.n_learned:,} other descriptions for something else." if done.n_learned else ""
    out.summary(
        {"stored": True, "n_movements": done.affected.n_movements, "n_applicants": done.affected.n_applicants},
        f"Correction {done.correction_id} is kept.{learned} The next score of those it concerns uses it.",
    )


def _corrections(options: Options, out: Out) -> None:
    from creditrisk import corrections

    with opened(options) as store:
        told = corrections.history(store, options.applicant)
    for record in told.astype(object).where(told.notna(), None).to_dict("records"):
        out.result({str(name): value for name, value in record.items()})
    if len(told):
        out.table(told[["corrected_at", "corrected_by", "scope", "what", "category_before", "category", "n_movements", "reason"]])
    out.summary({"corrections": len(told)}, f"{len(told):,} corrections.")


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
