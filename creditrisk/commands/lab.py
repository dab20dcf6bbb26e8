"""Label sets and the candidates that are fitted on them."""

from argparse import ArgumentTypeError
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from creditrisk.commands.terminal import BOARD, Options, Out, ParserOf, content_of, day, instant, opened, target_of, user_of
from creditrisk.errors import InvalidInput

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
    add("--config", type=Path, metavar="FILE", help="a run written down as TOML or JSON; what is named beside it wins")
    add("--save-config", type=Path, metavar="FILE", help="write this run down, to be run again with --config")
    add(
        "--algorithms",
        metavar="A,B",
        help="of xgboost, lightgbm, random_forest, logistic, scorecard (else xgboost, random_forest, logistic)",
    )
    add("--labels", metavar="ID", help="label set (else the newest)")
    add(
        "--proxy-mass",
        type=float,
        metavar="X",
        help="learn from outcomes and accepted verdicts too; all proxy labels together weigh X of every 30 verified ones (10 served best)",
    )
    add("--at", type=instant, metavar="TIME", help="put it off until a time (UTC, like 2026-01-31 02:00): the app starts it then")
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
    from creditrisk import jobs, labels, plan, registry, schedule, standing, training

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
        if options.at:
            name = schedule.add(store, config, options.at, user=user_of(options, store.settings))
            said = f"{name} waits for {options.at:%Y-%m-%d %H:%M} UTC. The app starts it, if it runs then; its training page cancels it."
            out.summary({"schedule": name, "due_at": options.at.isoformat()}, said)
            return
        made = training.train(store, config, user=user_of(options, store.settings), progress=out.progress)
        for model_id in made:
            out.result(standing.to_json(registry.get(store, model_id)))
        weight = labels.get(store, registry.get(store, made[0])["label_set_id"]).report.get("proxy_weight")
        board = standing.leaderboard(store)
    out.table(board[board["model_id"].isin(made)][BOARD])
    out.summary(
        {"models": made, "proxy_weight": weight},
        f"{len(made)} candidates registered. Nothing scores with them until somebody promotes one.",
    )


def _asked(options: Options) -> dict[str, Any]:
    """Return what the options say of a run, under the names of its configuration."""
    asked = {
        "label_set_id": options.labels,
        "proxy_mass": options.proxy_mass,
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
            asked[key] = _names(getattr(options, key))
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
