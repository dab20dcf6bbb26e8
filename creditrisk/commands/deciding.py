"""Decisions: a person decides on a score; the record of a case goes out as a file."""

from pathlib import Path

from creditrisk.commands.terminal import Options, Out, ParserOf, opened, target_of, user_of


def declare(parser_of: ParserOf) -> None:
    """Add the commands of this room."""
    add = parser_of("decide", _decide, "decide on a score: accept the recommendation, override it, refer the case, ask").add_argument
    add("prediction", metavar="ID", help="a prediction's id: the applicant's newest")
    add("action", choices=("accept", "override", "refer", "ask"))
    add("--outcome", choices=("approve", "decline"), help="with override: what is decided")
    add("--comment", default="", metavar="TEXT", help="why; at least ten characters with override and refer")
    add("--because", action="append", default=[], metavar="REASON", help="with override: a reason of your own, at most four")
    add("--for", dest="asked", action="append", default=[], metavar="WHAT", help="with ask: what the applicant is asked for")
    add("--after", type=int, metavar="N", help="the last decision you know of, where there is one")

    add = parser_of("record", _record, "write the record of a case, or the draft of its notice").add_argument
    add("prediction", metavar="ID", help="a prediction's id")
    add("--out", type=Path, required=True, metavar="FILE", help=".html or .pdf for the record, .txt for the notice")


def _decide(options: Options, out: Out) -> None:
    from creditrisk import decisions, desk

    said = decisions.Said(options.action, options.outcome, options.comment, options.because, options.asked, options.after)
    with opened(options) as store:
        made = decisions.decide(store, options.prediction, said, user=user_of(options, store.settings))
    out.summary(desk.plain(made), f"Decision {made.decision_id}: {made.decided_by} {made.in_words()}.")


def _record(options: Options, out: Out) -> None:
    from creditrisk import notice, record

    target: Path = options.out
    target_of(target, ".html", ".pdf", ".txt")
    with opened(options) as store:
        if target.suffix == ".pdf":
            content = record.pdf(store, options.prediction)
        else:
            write = notice.draft if target.suffix == ".txt" else record.html
            content = write(store, options.prediction).encode()
    target.write_bytes(content)
    out.summary({"out": str(target), "bytes": len(content)}, f"Written to {target}.")
