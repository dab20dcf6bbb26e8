"""Labels, candidates, and who is champion."""

from argparse import ArgumentTypeError
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from creditrisk.commands.terminal import Options, Out, ParserOf, day, opened, user_of
from creditrisk.errors import InvalidInput, NothingYet

if TYPE_CHECKING:
    from creditrisk.labels import LabelSet
    from creditrisk.store import Store


def declare(parser_of: ParserOf) -> None:
    """Add the commands of this room."""
    add = parser_of("label", _label, "make a label set with its quality report").add_argument
    add("method", choices=tuple(ASKED))
    add("--k", type=int, metavar="N", help="kmeans, rfm: number of clusters (else the best of a scan); needs --reason")
    add("--risky", type=_numbers, metavar="N,N", help="with --k: the clusters that count as bad, 0 the safest (else the riskiest)")
    add("--reason", metavar="TEXT", help="why this number of clusters, or these; kept with the set")
    add(
        "--performance-days", type=int, metavar="N", help="kmeans, rfm: N days make the label, predictors end before them (else one window)"
    )
    add("--gap-days", type=int, metavar="N", help="with --performance-days: N idle days before them")
    add("--cohorts", type=_dates, metavar="DATE,DATE", help="kmeans: look at everybody on each of these dates, on which predictors end")
    add("--every", type=int, metavar="N", help="kmeans: a cohort each N days, as many as the statements allow")
    add("--as-of", type=day, metavar="DATE", help="rfm: the day the movements end (else the day after the last)")
    add("--days", type=int, metavar="N", help="rfm: how many days of movements count (else 365)")
    add("--days-past-due", type=int, metavar="N", help="observed: a loan so many days past due is bad (else as it was recorded)")
    add("--sets", type=_names, metavar="ID,ID", help="combined: the label sets put together")
    add("--proxy-mass", type=float, metavar="X", help="combined: verified labels that all proxy labels weigh together (else 10)")

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

    _belong(options)
    with opened(options) as store:
        made = _made(store, options, out)
    record = labels.to_json(made)
    lines = [f"  {'passed' if gate['passed'] else 'FAILED'}  {gate['sentence']}" for gate in record["gates"]]
    out.result(record, "\n".join(lines + [f"  beware  {sentence}" for sentence in labels.warnings(made)]))
    said = f"Label set {made.label_set_id} ({made.method}): {made.n:,} applicants labelled, {100 * (made.share_risky or 0):.1f} % risky."
    warning = labels.banner(made)
    out.summary({"label_set": made.label_set_id, "passed": made.passed}, f"{said} {warning}" if warning else said)


ASKED = {  # what may be asked of each kind of label set
    "kmeans": ("k", "risky", "reason", "performance_days", "gap_days", "cohorts", "every"),
    "rfm": ("k", "risky", "reason", "performance_days", "gap_days", "as_of", "days"),
    "observed": ("days_past_due",),
    "reviewed": (),
    "combined": ("sets", "proxy_mass"),
}


def _belong(options: Options) -> None:
    """Refuse what the kind of label set asked for does not know."""
    for name in dict.fromkeys(name for names in ASKED.values() for name in names):
        if getattr(options, name) is not None and name not in ASKED[options.method]:
            kinds = " and ".join(kind for kind, names in ASKED.items() if name in names)
            raise InvalidInput(f"--{name.replace('_', '-')} is for `label {kinds}`, not for `label {options.method}`.")
    if options.cohorts is not None and options.every is not None:
        raise InvalidInput("Cohorts are given as --cohorts or as --every, not as both.")


def _made(store: "Store", options: Options, out: Out) -> "LabelSet":
    from creditrisk import cohorts, labels

    user = user_of(options, store.settings)
    given = {name: getattr(options, name) for name in ASKED[options.method] if getattr(options, name) is not None}
    if options.method == "observed":
        return labels.observed(store, user=user, rule=given.get("days_past_due"))
    if options.method == "reviewed":
        return labels.reviewed(store, user=user)
    if options.method == "combined":
        return labels.combine(store, given.pop("sets", []), user=user, **given)
    if options.method == "rfm":
        return labels.rfm(store, user=user, progress=out.progress, **given)
    if (apart := given.pop("every", None)) is not None:
        given["cohorts"] = cohorts.every(store, apart, cohorts.Windows(options.performance_days, options.gap_days or 0))
    return labels.kmeans(store, user=user, progress=out.progress, **given)


def _dates(text: str) -> tuple[date, ...]:
    return tuple(day(part) for part in _names(text))


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in _names(text))
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} should be numbers of clusters like 2,3") from error


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
