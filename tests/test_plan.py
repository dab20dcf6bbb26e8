"""A run written down: every wrong setting is a sentence, and what is written is what is read."""

import json

import pytest

from creditrisk import plan
from creditrisk.errors import InvalidInput
from creditrisk.plan import Config
from creditrisk.schema import built_in

FULL = Config(
    algorithms=("xgboost", "logistic"),
    label_set_id="L0003",
    without=("cash_share_90d",),
    split="file",
    test_file='kept "apart".csv',
    folds=4,
    seed=1,
    balance="weights",
    tune=20,
    tune_seconds=30.5,
    grid={"xgboost": {"max_depth": (2, 3), "learning_rate": (0.05, 0.1)}},
    parameters={"logistic": {"ridge": 3.5}},
    invented=True,
)


@pytest.mark.parametrize("name", ["run.toml", "run.json"])
def test_a_run_survives_being_written_down(name: str) -> None:
    for config in (FULL, Config()):
        assert plan.parse(plan.dump(config, name), name) == config
        assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("depth = 3", "mine.toml: A training has no setting 'depth'"),
        ("folds = 1", "Folds are between 2 and 20, not 1"),
        ("folds = 3.5", "Folds are between 2 and 20, not 3.5"),
        ("test_size = nan", "between 0.05 and 0.5"),
        ("test_size = 'a lot'", "between 0.05 and 0.5"),
        ("seed = true", "A seed is a whole number"),
        ("tune = 5000", "from 0 to 1,000 trials"),
        ("tune_seconds = -1", "from 0 to 86,400 seconds"),
        ("balance = 'luck'", "weights, smote or not at all"),
        ("split = 'alphabet'", "'random' or 'time'"),
        ("split = 7", "split should be a text"),
        ("split = 'file'", "give both, or neither"),
        ("test_file = 'a.csv'", "give both, or neither"),
        ("algorithms = ['magic']", "no algorithm 'magic'"),
        ("algorithms = []", "at least one algorithm"),
        ("algorithms = [3]", "a list of names"),
        ("invented = 'yes'", "true or false"),
        ("parameters = 3", "parameters names settings by algorithm"),
        ("[parameters.magic]\nx = 1", "no algorithm 'magic' to set"),
        ("[parameters.logistic]\ndepth = 1", "logistic has no parameter 'depth'"),
        ("[grid.xgboost]\nmax_depth = [2, 99]", "number from 1 to 8"),
        ("[grid.xgboost]\nmax_depth = []", "0 combinations"),
        ("seed =", "mine.toml cannot be read"),
    ],
)
def test_a_run_nobody_could_do_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        plan.parse(text, "mine.toml")


def test_predictors_are_chosen_by_name_in_declared_order() -> None:
    schema = built_in()
    names = [feature.name for feature in schema.predictors]
    assert [feature.name for feature in Config().reads(schema)] == names
    assert [feature.name for feature in Config(features=(names[3], names[1])).reads(schema)] == [names[1], names[3]]
    assert [feature.name for feature in Config(without=(names[0],)).reads(schema)] == names[1:]
    with pytest.raises(InvalidInput, match="'shoe_size' is no feature"):
        Config(features=("shoe_size",)).reads(schema)
    with pytest.raises(InvalidInput, match="No predictor is left"):
        Config(without=tuple(names)).reads(schema)
    kept = next((feature for feature in schema if feature.role != "predictor"), None)
    if kept is not None:
        with pytest.raises(InvalidInput, match=f"'{kept.name}' is declared as {kept.role}"):
            Config(without=(kept.name,)).reads(schema)
