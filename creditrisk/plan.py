"""What a training run is asked for: checked before anything starts, kept with every model, and run again from a file.

The same configuration, data and seed give the same models, bit for bit; a budget in seconds alone does not, since a faster machine
tries more in it.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from math import prod
from typing import Any, Literal, get_args

from creditrisk.algorithms import FITS, SPACE, Setting, chosen
from creditrisk.balance import BALANCES, Balance
from creditrisk.errors import InvalidInput
from creditrisk.schema import Feature, Schema
from creditrisk.settings import Training

Split = Literal["random", "time", "file"]
BASELINES = ("risk_index", "constant")  # on every leaderboard: a candidate that does not beat them is not worth its keep
CANDIDATES = tuple(name for name in FITS if name not in BASELINES)
USUAL = ("xgboost", "random_forest", "logistic")  # fitted where nobody chooses
MOST_TRIALS, MOST_SECONDS = 1_000, 86_400


@dataclass(frozen=True)
class Config:
    """What a run was asked for; None for the label set means the one made last.

    `features` are the predictors to learn from (none named: all that the schema declares), `without` those to leave out. `split` sets the
    test part aside: 'random' whole applicants, 'time' the latest days, 'file' the applicants named in `test_file`. `folds` None means
    those of the settings, or on many rows one held-out tenth. `tune` is a number of trials per algorithm, `tune_seconds` a budget
    instead or as well; `grid` tries every combination of the values named instead. `parameters` are settings of an algorithm.
    `proxy_mass` says how many verified labels all proxies together weigh, and that whatever is verified by then is learned from beside
    the label set (None: the set as it stands).
    """

    algorithms: tuple[str, ...] = USUAL
    label_set_id: str | None = None
    features: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    split: Split = "random"
    test_file: str | None = None
    test_size: float = Training.test_size
    folds: int | None = None
    seed: int = Training.seed
    balance: Balance = "none"
    tune: int = 0
    tune_seconds: float = 0
    grid: Mapping[str, Mapping[str, tuple[Setting, ...]]] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)
    proxy_mass: float | None = None
    invented: bool = False  # learn from invented applicants too; their label is a proxy, and no figure is measured on them

    def __post_init__(self) -> None:
        for name in self.algorithms:
            if name not in FITS:
                raise InvalidInput(f"There is no algorithm {name!r}; choose among {', '.join(CANDIDATES)}.")
        if not self.algorithms:
            raise InvalidInput(f"Name at least one algorithm: {', '.join(CANDIDATES)}.")
        if self.split not in get_args(Split):
            raise InvalidInput(f"A split is 'random' or 'time', or 'file' with a test set of your own, not {self.split!r}.")
        if (self.split == "file") != (self.test_file is not None):
            raise InvalidInput("A test set of your own is a split 'file' and the file that names its applicants: give both, or neither.")
        if self.balance not in BALANCES:
            raise InvalidInput(f"Classes are balanced by {', '.join(BALANCES[1:])} or not at all (none), not by {self.balance!r}.")
        self._ranges()
        self._settings()

    def _ranges(self) -> None:
        allowed: tuple[tuple[str, float | None, float, float, bool], ...] = (
            ("The test part is a share between 0.05 and 0.5 of the applicants", self.test_size, 0.05, 0.5, False),
            ("Folds are between 2 and 20", self.folds, 2, 20, True),
            ("A seed is a whole number from 0 on", self.seed, 0, 2**31 - 1, True),
            (f"Tuning takes from 0 to {MOST_TRIALS:,} trials", self.tune, 0, MOST_TRIALS, True),
            ("All proxy labels together weigh between 0 and 100 verified ones", self.proxy_mass, 0, 100, False),
            (f"A budget for tuning is from 0 to {MOST_SECONDS:,} seconds", self.tune_seconds, 0, MOST_SECONDS, False),
        )
        for said, value, low, high, whole in allowed:
            kinds = int if whole else int | float
            if value is not None and (isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high):
                raise InvalidInput(f"{said}, not {value!r}.")

    def _settings(self) -> None:
        """Refuse settings of algorithms that do not exist, and more combinations than anybody waits for."""
        for named in (self.parameters, self.grid):
            for algorithm in named:
                if algorithm not in SPACE:
                    raise InvalidInput(f"There is no algorithm {algorithm!r} to set; there are {', '.join(SPACE)}.")
        for algorithm, given in self.parameters.items():
            chosen(algorithm, given)
        for algorithm, values in self.grid.items():
            for name, tried in values.items():
                for value in tried:
                    chosen(algorithm, {name: value})
            if not 0 < (n := prod(len(tried) for tried in values.values())) <= MOST_TRIALS:
                raise InvalidInput(f"The grid of {algorithm} has {n:,} combinations; between 1 and {MOST_TRIALS:,} are tried.")

    @property
    def all_algorithms(self) -> tuple[str, ...]:
        """The algorithms asked for, then the baselines, each once."""
        return tuple(dict.fromkeys((*self.algorithms, *BASELINES)))

    def reads(self, schema: Schema) -> tuple[Feature, ...]:
        """Return the predictors to learn from, in declared order; raises InvalidInput for names that are none, or where none is left."""
        known = {feature.name: feature for feature in schema.predictors}
        for name in (*self.features, *self.without):
            if name not in known:
                why = f"is declared as {schema[name].role}" if any(name == feature.name for feature in schema) else "is no feature"
                raise InvalidInput(f"{name!r} {why}, so nothing can be learned from it or left out. Predictors are {', '.join(known)}.")
        wanted = tuple(
            feature for name, feature in known.items() if (not self.features or name in self.features) and name not in self.without
        )
        if not wanted:
            raise InvalidInput("No predictor is left to learn from: leave fewer out.")
        return wanted

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as it is stored."""
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> "Config":
        """Read what `to_dict` wrote, or less; raises InvalidInput for an unknown key or a value of another kind."""
        known = {part.name for part in fields(Config)}
        for key in values:
            if key not in known:
                raise InvalidInput(f"A training has no setting {key!r}; it has {', '.join(sorted(known))}.")
        given = dict(values)
        for key in ("algorithms", "features", "without"):
            if key in given:
                given[key] = _names(key, given[key])
        for key in ("parameters", "grid"):
            if not isinstance(given.get(key, {}), Mapping) or not all(isinstance(each, Mapping) for each in given.get(key, {}).values()):
                raise InvalidInput(f"{key} names settings by algorithm, like [{key}.xgboost] with max_depth below it.")
        if "grid" in given:
            given["grid"] = {name: {key: _several(value) for key, value in each.items()} for name, each in given["grid"].items()}
        for key in ("label_set_id", "test_file", "split", "balance"):
            if given.get(key) is not None and not isinstance(given[key], str):
                raise InvalidInput(f"{key} should be a text, not {given[key]!r}.")
        if not isinstance(given.get("invented", False), bool):
            raise InvalidInput(f"invented should be true or false, not {given['invented']!r}.")
        return Config(**given)


def parse(text: str, name: str) -> Config:
    """Read a configuration from TOML, or from JSON where the file is named so; raises InvalidInput with the file's name."""
    try:
        values = json.loads(text) if name.lower().endswith(".json") else tomllib.loads(text)
    except ValueError as error:  # both kinds of decoding error
        raise InvalidInput(f"{name} cannot be read: {error}.") from error
    if not isinstance(values, Mapping):
        raise InvalidInput(f"{name} should hold settings by name, not a {type(values).__name__}.")
    try:
        return Config.from_dict(values)
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error}") from error


def dump(config: Config, name: str) -> str:
    """Write a configuration as `parse` reads it back to an equal one: JSON where the file is named so, else TOML."""
    values = {key: value for key, value in config.to_dict().items() if value is not None}
    if name.lower().endswith(".json"):
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    tables = {key: values.pop(key) for key in ("grid", "parameters")}
    lines = [f"{key} = {_toml(value)}" for key, value in values.items()]
    for key, by_algorithm in tables.items():
        for algorithm, given in by_algorithm.items():
            lines += ["", f"[{key}.{algorithm}]", *(f"{setting} = {_toml(value)}" for setting, value in given.items())]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)  # texts, numbers, true, false and lists of them are written alike in both


def _several(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _names(key: str, value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise InvalidInput(f"{key} should be a list of names, not {value!r}.")
    return tuple(names)
