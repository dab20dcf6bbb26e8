"""Decisions: what if figures were others; a person decides on a score; the record of a case goes out as a file."""

from math import isfinite, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from creditrisk.commands.terminal import Options, Out, ParserOf, opened, target_of, user_of
from creditrisk.errors import InvalidInput

if TYPE_CHECKING:
    from creditrisk.schema import Schema


def declare(parser_of: ParserOf) -> None:
    """Add the commands of this room."""
    add = parser_of("what-if", _what_if, "ask a score's model about other figures, and what would reach the next band").add_argument
    add("prediction", metavar="ID", help="a prediction's id")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="a figure and the value it would have; empty for not known")

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


def _what_if(options: Options, out: Out) -> None:
    from creditrisk import counterfactual, scoring

    with opened(options) as store:
        user = user_of(options, store.settings)
        prediction = scoring.get(store, options.prediction, reader=user)
        changes = dict(_change(store.schema, said) for said in options.set)
        using = counterfactual.ready(store, prediction.model_id)
        wish = counterfactual.Wish(changes, guidance=True)
        said = counterfactual.answer(store, prediction, wish, using, user=user)
        titles = {feature.name: feature for feature in store.schema}
    now, then, helps = said["now"], said["then"], said["guidance"]
    lines = [f"{row['title']}: {row['now']} instead of {row['before']}" for row in said["moved"] if row["feature"] in changes]
    lines += [
        f"Would reach {helps['next_band']}: "
        + " and ".join(f"{titles[step['feature']].title} {titles[step['feature']].say(step['to'])}" for step in way["changes"])
        for way in helps["ways"]
    ]
    out.result(said, "\n".join([*lines, *([helps["why_not"]] if helps["why_not"] else [])]) or None)
    record = {"score": then["score"], "points": then["score"] - now["score"], "recommendation": then["recommendation"]}
    out.summary(
        record, f"{now['score']:.0f} points now, {then['score']:.0f} then ({then['band']}, {then['recommendation']}). Nothing was kept."
    )


def _change(schema: "Schema", said: str) -> tuple[str, Any]:
    """Return the name and the value of NAME=VALUE; raises InvalidInput, UnknownThing."""
    name, sign, text = said.partition("=")
    if not sign:
        raise InvalidInput(f"--set {said!r} should be NAME=VALUE, like --set days_negative_90d=0.")
    if not text or not schema[name.strip()].is_numeric:
        return name.strip(), text or None
    try:
        number = float(text)
    except ValueError:
        number = nan
    if not isfinite(number):
        raise InvalidInput(f"{name} is {text!r}; it should be a number.")
    return name.strip(), number


def _decide(options: Options, out: Out) -> None:
    from creditrisk import decisions, desk

    said = decisions.Said(options.action, options.outcome, options.comment, options.because, options.asked, options.after)
    with opened(options) as store:
        made = decisions.decide(store, options.prediction, said, user=user_of(options, store.settings))
    out.summary(desk.plain(made), f"Decision {made.decision_id}: {made.decided_by} {made.in_words()}.")


def _record(options: Options, out: Out) -> None:
    from creditrisk import notice, record, scoring

    target: Path = options.out
    target_of(target, ".html", ".pdf", ".txt")
    with opened(options) as store:
        scoring.get(store, options.prediction, reader=user_of(options, store.settings))
        if target.suffix == ".pdf":
            content = record.pdf(store, options.prediction)
        else:
            write = notice.draft if target.suffix == ".txt" else record.html
            content = write(store, options.prediction).encode()
    target.write_bytes(content)
    out.summary({"out": str(target), "bytes": len(content)}, f"Written to {target}.")
