"""Labels, candidates, and who is champion."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from creditrisk.commands.terminal import Options, Out, ParserOf, content_of, opened, target_of, user_of
from creditrisk.errors import InvalidInput, NothingYet

if TYPE_CHECKING:
    from creditrisk.store import Store


def declare(parser_of: ParserOf) -> None:
    """Add the commands of this room."""
    add = parser_of("label", _label, "make a label set with its quality report").add_argument
    add("method", choices=("kmeans", "observed"))
    add("--k", type=int, metavar="N", help="number of clusters (else the best of a scan)")
    add("--performance-days", type=int, metavar="N", help="label by the last N days, predict from before them (else one window)")

    add = parser_of("train", _train, "fit candidates on a label set").add_argument
    add("--config", type=Path, metavar="FILE", help="a run written down as TOML or JSON; what is named beside it wins")
    add("--save-config", type=Path, metavar="FILE", help="write this run down, to be run again with --config")
    add("--algorithms", metavar="A,B", help="learners to fit (else all there are); the baselines always stand beside them")
    add("--labels", metavar="ID", help="label set (else the newest)")
    add("--features", metavar="A,B", help="predictors to learn from (else all)")
    add("--without", metavar="A,B", help="predictors to leave out")
    add(
        "--split",
        choices=("random", "time", "file"),
        help="test part: whole applicants at random, the latest days, or those --test-file names",
    )
    add("--test-file", metavar="FILE", help="a table whose applicant_id (or first column) names the applicants to test on")
    add("--test-size", type=float, metavar="X", help="share of applicants held out")
    add("--cv", type=int, metavar="K", help="folds of the cross-validation (else 5, or from 50,000 applicants on a held-out tenth)")
    add("--balance", choices=("none", "weights", "smote"), help="let the classes weigh the same while fitting")
    add("--tune", type=int, metavar="N", help="try N settings of each algorithm and keep the best")
    add("--tune-seconds", type=float, metavar="S", help="stop trying after S seconds an algorithm")
    add(
        "--grid",
        action="append",
        metavar="A.P=V,V",
        help="try every combination of these values, like xgboost.max_depth=2,3,4 (repeatable)",
    )
    add("--seed", type=int, metavar="N", help="of everything random")
    add("--invented", action="store_true", help="learn from invented applicants too (proxy labels only); none is measured on")

    add = parser_of("explain", _explain, "contributions of every test row, and pictures of them").add_argument
    add("model", metavar="MODEL", help="a model's id, `champion` or `best`")
    add("--out", type=Path, default=Path("explained"), metavar="DIR", help="folder for contributions.parquet and the pictures")
    add("--plots", type=int, default=3, metavar="N", help="waterfalls of the N riskiest test applicants, and dependence on N features")
    add("--pdp", action="append", default=[], metavar="FEATURE", help="how the risk moves with a feature, all else as it is (repeatable)")

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
    from creditrisk import jobs, plan, registry, training

    if options.save_config:
        target_of(options.save_config, ".toml", ".json")
    with opened(options) as store:
        jobs.recover(store)
        registry.recover(store)  # nobody else has the workspace open: what is half done here was left by a run that was killed
        first = training.defaults(store)
        if options.config:
            first = plan.parse(content_of(options.config).decode("utf-8", "replace"), options.config.name)
        config = replace(first, **_asked(options))
        if options.save_config:
            options.save_config.write_text(plan.dump(config, options.save_config.name), encoding="utf-8")
        made = training.train(store, config, user=user_of(options, store.settings), progress=out.progress)
        for model_id in made:
            out.result(training.to_json(registry.get(store, model_id)))
        board = training.leaderboard(store)
    out.table(board[board["model_id"].isin(made)][BOARD])
    out.summary({"models": made}, f"{len(made)} candidates registered. Nothing scores with them until somebody promotes one.")


def _asked(options: Options) -> dict[str, Any]:
    """Return what the options say of a run, under the names of its configuration."""
    asked = {
        "label_set_id": options.labels,
        "split": options.split or ("file" if options.test_file else None),
        "test_file": options.test_file,
        "test_size": options.test_size,
        "folds": options.cv,
        "balance": options.balance,
        "tune": options.tune,
        "tune_seconds": options.tune_seconds,
        "seed": options.seed,
        "invented": options.invented or None,
    }
    for key in ("algorithms", "features", "without"):
        if getattr(options, key):
            asked[key] = tuple(name.strip() for name in getattr(options, key).split(",") if name.strip())
    if options.grid:
        asked["grid"] = _grid(options.grid)
    return {name: value for name, value in asked.items() if value is not None}


def _grid(given: Sequence[str]) -> dict[str, dict[str, tuple[Any, ...]]]:
    """Read values to try, like xgboost.max_depth=2,3,4; raises InvalidInput for another form."""
    grid: dict[str, dict[str, tuple[Any, ...]]] = {}
    for text in given:
        name, equals, values = text.partition("=")
        algorithm, dot, parameter = name.strip().partition(".")
        if not (equals and dot and values.strip()):
            raise InvalidInput(f"A grid is ALGORITHM.PARAMETER=VALUE,VALUE, like xgboost.max_depth=2,3,4; not {text!r}.")
        grid.setdefault(algorithm, {})[parameter] = tuple(_value(part.strip()) for part in values.split(","))
    return grid


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


BOARD = ["model_id", "algorithm", "status", "label_source", "auc", "auc_low", "auc_high", "cv_auc", "auc_observed", "brier", "n", "seconds"]


def _explain(options: Options, out: Out) -> None:
    from creditrisk import album, registry

    with opened(options) as store:
        champion = registry.champion(store) if options.model == "champion" else None
        if options.model == "champion" and champion is None:
            raise NothingYet("There is no champion to explain: name a model, or promote one.")
        model_id = champion["model_id"] if champion else _best(store) if options.model == "best" else options.model
        made = album.explain(store, model_id, options.out, plots=options.plots, partials=options.pdp)
        n = len(registry.table(store, model_id, "test"))
    for line in made:
        out.result({"model_id": model_id, **line}, f"  {line['file']}  {line['title']}")
    summary = {"model_id": model_id, "rows": n, "files": len(made), "out": str(options.out)}
    out.summary(summary, f"{len(made)} files of {model_id} in {options.out}: contributions of {n:,} test rows, and pictures of them.")


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
