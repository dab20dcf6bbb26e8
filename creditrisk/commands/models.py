"""The registry: what a model says, who is champion, and models that travel."""

from pathlib import Path
from typing import TYPE_CHECKING

from creditrisk.commands.terminal import BOARD, Options, Out, ParserOf, opened, user_of

if TYPE_CHECKING:
    pass


def declare(parser_of: ParserOf) -> None:
    """Add the commands of this room."""
    add = parser_of("explain", _explain, "contributions of every test row, and pictures of them").add_argument
    add("model", metavar="MODEL", help="a model's id, `champion` or `best`")
    add("--out", type=Path, default=Path("explained"), metavar="DIR", help="folder for contributions.parquet and the pictures")
    add("--plots", type=int, default=3, metavar="N", help="waterfalls of the N riskiest test applicants, and dependence on N features")
    add("--pdp", action="append", default=[], metavar="FEATURE", help="how the risk moves with a feature, all else as it is (repeatable)")

    parser_of("models", _models, "list the registry")

    add = parser_of("compare", _compare, "hold one model against another on the same applicants").add_argument
    add("model", metavar="MODEL")
    add("other", metavar="OTHER", help="another model's id")

    add = parser_of("promote", _promote, "make a model the champion").add_argument
    add("model", metavar="MODEL", help="a model's id, or `best`: the candidate at the top of the newest label set's leaderboard")
    add("--reason", required=True, metavar="TEXT", help="why; kept for ever")

    add = parser_of(
        "challenge", _challenge, "set a candidate beside the champion: it says what it would have said, and decides nothing"
    ).add_argument
    add("model", metavar="MODEL", help="a model's id, or `best`")
    add("--reason", required=True, metavar="TEXT", help="why; kept for ever")

    parser_of("learn", _learn, "let the online challenger learn from the accepted verdicts that have not taught it yet")

    parser_of("feedback", _feedback, "say whether another training is worth starting, and how version followed version")

    add = parser_of("retire", _retire, "take a model out of use; a champion leaves nobody in its place").add_argument
    add("model", metavar="MODEL", help="a model's id, or `champion`")
    add("--reason", required=True, metavar="TEXT", help="why; kept for ever")

    add = parser_of("rollback", _rollback, "make the champion before the present one champion again").add_argument
    add("--reason", required=True, metavar="TEXT", help="why; kept for ever")


def _explain(options: Options, out: Out) -> None:
    from creditrisk import album, registry, standing

    with opened(options) as store:
        model_id = standing.meant(store, options.model)
        made = album.explain(store, model_id, options.out, plots=options.plots, partials=options.pdp)
        n = len(registry.table(store, model_id, "test"))
    for line in made:
        out.result({"model_id": model_id, **line}, f"  {line['file']}  {line['title']}")
    summary = {"model_id": model_id, "rows": n, "files": len(made), "out": str(options.out)}
    out.summary(summary, f"{len(made)} files of {model_id} in {options.out}: contributions of {n:,} test rows, and pictures of them.")


def _models(options: Options, out: Out) -> None:
    from creditrisk import registry, standing

    with opened(options) as store:
        board = standing.leaderboard(store)
        models = [registry.get(store, model_id) for model_id in sorted(board["model_id"], reverse=True)]
    for model in models:
        out.result(standing.to_json(model, "models"))
    if models:
        out.table(board[BOARD])
    champion = next((model["model_id"] for model in models if model["status"] == "champion"), None)
    said = f"{len(models)} models; {champion or 'none'} is champion."
    out.summary({"models": len(models), "champion": champion}, said)


def _compare(options: Options, out: Out) -> None:
    from creditrisk import comparison

    with opened(options) as store:
        found = comparison.compare(store, options.model, options.other)
    for line in found.differences.to_dict("records"):
        words = f"  {line['measure']}: {line['value']:+.4f} (95 % interval {line['low']:+.4f} to {line['high']:+.4f}), {line['finding']}"
        out.result({"difference": line}, words)
    for key, frame in (("figure", found.figures), ("swap", found.swaps), ("reason", found.reasons)):
        for line in frame.to_dict("records"):
            out.result({key: line})
        out.table(frame)
    moved = int(found.swaps[found.swaps["champion"] != found.swaps["challenger"]]["n"].sum())
    facts = {"n": found.n, "n_bad": found.n_bad, "n_swapped": moved, "n_declined": found.n_declined, "n_same_first_reason": found.n_same}
    out.summary(
        {"model": found.one, "other": found.other, **facts},
        f"{moved:,} applicants would change sides with {found.one} in the place of {found.other}; {found.n_same:,} of {found.n_declined:,} "
        "whom one of them declines hear the same first reason.",
    )


def _promote(options: Options, out: Out) -> None:
    from creditrisk import gate, registry, standing

    with opened(options) as store:
        model_id = standing.meant(store, options.model)
        gate.promote(store, model_id, user=user_of(options, store.settings), reason=options.reason)
        out.result(standing.to_json(registry.get(store, model_id), "models"))
    out.summary({"champion": model_id}, f"{model_id} is champion and scores from now on.")


def _challenge(options: Options, out: Out) -> None:
    from creditrisk import registry, shadow, standing

    with opened(options) as store:
        model_id = standing.meant(store, options.model)
        n = shadow.watch(store, model_id, user=user_of(options, store.settings), reason=options.reason)
        out.result(standing.to_json(registry.get(store, model_id), "models"))
    said = f"{model_id} stands beside the champion, asked about {n:,} predictions; it decides nothing."
    out.summary({"challenger": model_id, "asked": n}, said)


def _learn(options: Options, out: Out) -> None:
    from creditrisk import online

    with opened(options) as store:
        n = online.learn(store, user=user_of(options, store.settings))
        last = online.prequential(store).iloc[-1]
    facts = {"learned": n, "steps": int(last["step"]), "brier": float(last["brier"]), "champion_brier": float(last["champion_brier"])}
    said = f"Learned from {n:,} verdicts. Foretold before it learned, its mean squared error so far is {facts['brier']:.3f}"
    out.summary(facts, f"{said}; what was said live: {facts['champion_brier']:.3f}.")


def _feedback(options: Options, out: Out) -> None:
    from creditrisk import retraining

    with opened(options) as store:
        said, found = retraining.proposal(store), retraining.versions(store)
        last = retraining.latest(store)
        change = retraining.changed(store, *last) if last else None
    for line in found.to_dict("records"):
        out.result({"version": {**line, "since": line["since"].isoformat()}})
    out.table(found[["model_id", "status", "n_verdicts", "n_outcomes", "n", "n_bad", "auc", "n_judged", "share_incorrect"]])
    if change is not None:
        for line in change.figures.to_dict("records"):
            words = f"  {line['measure']}: {line['before']:.3f} ({change.before}) → {line['after']:.3f} ({change.after}), better by "
            words += f"{line['better']:+.3f} (95 % interval {line['low']:+.3f} to {line['high']:+.3f}), {line['finding']}"
            out.result({"change": line}, words)
    facts: dict[str, object] = {"is_due": bool(said and said.is_due), "new": said.n_new if said else 0, "psi": said.psi if said else None}
    facts["proxies"] = change.proxies if change else None
    out.summary(facts, said.sentence if said else "There is no champion yet, so there is nothing to train again.")


def _retire(options: Options, out: Out) -> None:
    from creditrisk import registry, standing

    with opened(options) as store:
        model_id = standing.meant(store, options.model)
        registry.retire(store, model_id, user=user_of(options, store.settings), reason=options.reason)
        out.result(standing.to_json(registry.get(store, model_id), "models"))
        left = registry.champion(store)
    said = f"{left['model_id']} is champion." if left else "Nothing scores until another model is promoted."
    out.summary({"retired": model_id, "champion": left["model_id"] if left else None}, f"{model_id} is retired. {said}")


def _rollback(options: Options, out: Out) -> None:
    from creditrisk import registry, standing

    with opened(options) as store:
        model_id = registry.rollback(store, user=user_of(options, store.settings), reason=options.reason)
        out.result(standing.to_json(registry.get(store, model_id), "models"))
    out.summary({"champion": model_id}, f"{model_id} is champion again and scores from now on.")
