"""Labels, candidates, and who is champion."""

from dataclasses import replace
from typing import TYPE_CHECKING

from creditrisk.commands.terminal import Options, Out, ParserOf, opened, user_of
from creditrisk.errors import NothingYet

if TYPE_CHECKING:
    from creditrisk.store import Store


def declare(parser_of: ParserOf) -> None:
    """Add the commands of this room."""
    add = parser_of("label", _label, "make a label set with its quality report").add_argument
    add("method", choices=("kmeans", "observed"))
    add("--k", type=int, metavar="N", help="number of clusters (else the best of a scan)")
    add("--performance-days", type=int, metavar="N", help="label by the last N days, predict from before them (else one window)")

    add = parser_of("train", _train, "fit candidates on a label set").add_argument
    add("--algorithms", metavar="A,B", help="xgboost, random_forest, logistic")
    add("--labels", metavar="ID", help="label set (else the newest)")
    add("--split", choices=("random", "time"))
    add("--test-size", type=float, metavar="X", help="share of applicants held out")
    add("--cv", type=int, metavar="K", help="folds behind the calibration")
    add("--invented", action="store_true", help="learn from invented applicants too (proxy labels only); none is measured on")

    parser_of("models", _models, "list the registry")

    add = parser_of("promote", _promote, "make a model the champion").add_argument
    add("model", metavar="MODEL", help="a model's id, or `best`: the candidate at the top of the newest label set's leaderboard")
    add("--reason", required=True, metavar="TEXT", help="why; kept for ever")


def _label(options: Options, out: Out) -> None:
    from creditrisk import labels

    with opened(options) as store:
        user = user_of(options, store.settings)
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
    with opened(options) as store:
        config = replace(training.defaults(store), **{name: value for name, value in asked.items() if value is not None})
        made = training.train(store, config, user=user_of(options, store.settings), progress=out.progress)
        for model_id in made:
            out.result(training.to_json(registry.get(store, model_id)))
        board = training.leaderboard(store)
    out.table(board[board["model_id"].isin(made)][BOARD])
    out.summary({"models": made}, f"{len(made)} candidates registered. Nothing scores with them until somebody promotes one.")


BOARD = ["model_id", "algorithm", "status", "label_source", "auc", "auc_low", "auc_high", "auc_observed", "brier", "n", "seconds"]


def _models(options: Options, out: Out) -> None:
    from creditrisk import registry, training

    with opened(options) as store:
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

    with opened(options) as store:
        model_id = _best(store) if options.model == "best" else options.model
        registry.promote(store, model_id, user=user_of(options, store.settings), reason=options.reason)
        out.result(training.to_json(registry.get(store, model_id), "models"))
    out.summary({"champion": model_id}, f"{model_id} is champion and scores from now on.")


def _best(store: "Store") -> str:
    """Return the candidate at the top of the newest label set's leaderboard, baselines left out."""
    from creditrisk import training

    for line in training.leaderboard(store).to_dict("records"):
        if line["status"] == "candidate" and line["algorithm"] not in training.BASELINES:
            return str(line["model_id"])
    raise NothingYet("There is no candidate to promote: train models first.")
