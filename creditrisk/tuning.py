"""Settings of an algorithm tried on folds of the learning part, the best kept: by Optuna's seeded search, or all of a grid.

The first trial is always the settings that suit the size of the data, so a search can only improve on them. Its folds are
drawn with another seed than those that the winner is validated on, and it never sees a test row.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creditrisk import metrics, pipeline
from creditrisk.algorithms import SPACE, Lesson, Setting
from creditrisk.balance import Balance
from creditrisk.plan import MOST_TRIALS, Config

Progress = Callable[[float, str], None]
Tried = Mapping[str, Setting]


@dataclass(frozen=True)
class Found:
    """What a search found: the best settings ({}: the usual ones), their mean AUC over the folds, and every trial in order."""

    parameters: dict[str, Setting]
    auc: float
    trials: tuple[dict[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as it is kept with the model."""
        return {"parameters": self.parameters, "auc": self.auc, "usual_auc": self.trials[0]["auc"], "trials": list(self.trials)}


def asked(config: Config, algorithm: str) -> bool:
    """Whether a run searches settings of an algorithm: one that has any, with trials, a budget or a grid."""
    return bool(SPACE[algorithm]) and (bool(config.tune or config.tune_seconds) if not config.grid else algorithm in config.grid)


def search(algorithm: str, lesson: Lesson, fold: NDArray[np.intp], config: Config, tell: Progress) -> Found:
    """Try settings and return the best by mean AUC over the folds; `tell` hears of every trial and the best so far."""
    given, began, trials = config.parameters.get(algorithm, {}), time.monotonic(), list[dict[str, Any]]()
    grid = config.grid.get(algorithm)
    planned = 1 + (int(np.prod([len(values) for values in grid.values()])) if grid else config.tune or MOST_TRIALS)
    draw = _combinations(grid) if grid else _drawn(algorithm, given, config.seed, trials)
    best: dict[str, Any] = {"parameters": {}, "auc": float("-inf")}
    for number, parameters in enumerate(draw):
        spent = (time.monotonic() - began) / config.tune_seconds if config.tune_seconds and not grid else 0.0
        if number >= planned or spent >= 1:
            break
        known = f", best AUC {best['auc']:.4f}" if trials else ""
        of = f" of {planned - 1}" if grid or config.tune else ""
        what = f"tuning {algorithm}, trial {number}{of}{known}" if number else f"tuning {algorithm}, the usual settings first"
        tell(max(number / planned, min(spent, 1.0)), what)
        auc = _auc(algorithm, replace(lesson, parameters={**given, **parameters}), fold, config.balance)
        trials.append({"parameters": dict(parameters), "auc": auc})
        if auc > best["auc"]:
            best = trials[-1]
    return Found(best["parameters"], best["auc"], tuple(trials))


def _auc(algorithm: str, lesson: Lesson, fold: NDArray[np.intp], balance: Balance) -> float:
    raw = pipeline.held_out(algorithm, lesson, fold, balance, lambda _share, _what: None)
    return float(metrics.cross_validated(lesson.bad, raw, fold)["mean"])


def _combinations(grid: Mapping[str, tuple[Setting, ...]]) -> Iterator[Tried]:
    yield {}
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def _drawn(algorithm: str, given: Tried, seed: int, trials: list[dict[str, Any]]) -> Iterator[Tried]:
    """Yield settings, each drawn by what the `trials` before it gave; settings somebody gave are left alone."""
    import optuna

    yield {}
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    space = {name: allowed for name, allowed in SPACE[algorithm].items() if name not in given}
    while True:
        trial = study.ask()
        yield {name: _suggested(trial, name, allowed) for name, allowed in space.items()}
        study.tell(trial, trials[-1]["auc"])


def _suggested(trial: Any, name: str, allowed: Any) -> Setting:
    if allowed[-1] not in ("log", "linear", "int"):
        return str(trial.suggest_categorical(name, allowed))
    low, high, scale = allowed
    if scale == "int":
        return int(trial.suggest_int(name, int(low), int(high)))
    return float(trial.suggest_float(name, low, high, log=scale == "log"))
