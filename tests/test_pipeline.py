"""What nobody may break: the same bits alone and in a batch, and contributions that add up, for every algorithm."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from io import BytesIO

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas import NA, DataFrame, Series, to_datetime

from creditrisk import metrics, pipeline, split
from creditrisk.algorithms import FITS
from creditrisk.design import MOST_CHOICES
from creditrisk.errors import InvalidInput, NotEnoughData, SchemaMismatch
from creditrisk.estimators import inverse_logit
from creditrisk.pipeline import Fitting, Pipeline
from creditrisk.schema import Feature, Schema, built_in

SCHEMA = Schema(
    "toy",
    (
        Feature("income", "Income", unit="money", risk=-1, concept="income", in_index=True),
        Feature("overdrawn", "Days overdrawn", type="integer", unit="days", risk=1, concept="overdrawn", in_index=True),
        Feature("spells", "Spells overdrawn", type="integer", risk=1, concept="overdrawn"),
        Feature("home", "Home", type="choice", choices=("own", "rent", "other"), concept="home"),
        Feature("trend", "Trend", concept="trend"),
        Feature("same", "Always the same", risk=1),
        Feature("empty", "Never known", risk=-1),
        Feature("sex", "Sex", type="choice", choices=("f", "m"), role="protected"),
    ),
)
# Trees add in single precision; what adds in double precision must be exact.
EXACT = {
    "xgboost": 1e-5,
    "lightgbm": 1e-9,
    "scorecard": 1e-9,
    "random_forest": 1e-9,
    "logistic": 1e-9,
    "risk_index": 1e-9,
    "constant": 1e-9,
}
QUICK = Fitting(folds=2)
every = pytest.mark.parametrize("algorithm", FITS)


def applicants(n: int, seed: int = 0) -> tuple[DataFrame, np.ndarray]:
    random = np.random.default_rng(seed)
    risk = random.normal(size=n)
    frame = DataFrame(
        {
            "trend": random.normal(size=n),
            "income": np.exp(8 - 0.5 * risk + random.normal(size=n) / 2),
            "overdrawn": random.poisson(np.exp(risk)).astype(float),
            "spells": random.poisson(np.exp(risk) / 3).astype(float),
            "home": random.choice(["own", "rent", "other"], n),
            "same": 1.0,
            "empty": np.nan,
            "not_declared": "x",
        }
    )
    frame.loc[random.random(n) < 0.1, "income"] = np.nan
    frame.loc[random.random(n) < 0.05, "home"] = None
    bad = (random.random(n) < 1 / (1 + np.exp(1.8 - 1.3 * risk - (frame["home"] == "rent")))).astype(int)
    return frame, np.asarray(bad)


@cache
def fitted(algorithm: str) -> Pipeline:
    frame, bad = applicants(400)
    return pipeline.fit(algorithm, frame, bad, None, SCHEMA, config=Fitting(folds=3))


@every
def test_contributions_add_up_also_where_values_are_missing(algorithm):
    model, (frame, _) = fitted(algorithm), applicants(200, 1)
    frame.loc[:9, ["income", "overdrawn", "spells", "home", "trend", "same"]] = np.nan
    contributions, base = model.contributions(frame)
    assert list(contributions.columns) == model.names
    assert np.abs(contributions.sum(axis=1) + base - model.margin(frame)).max() < EXACT[algorithm]


@every
def test_a_row_alone_is_the_row_in_a_batch_bit_for_bit(algorithm):
    model, (frame, _) = fitted(algorithm), applicants(70, 1)
    margins, chances, (contributions, _) = model.margin(frame), model.prob_default(frame), model.contributions(frame)
    for place in (0, 1, 7, 8, 33, 69):
        alone = frame.iloc[[place]]
        assert model.margin(alone)[0] == margins[place]
        assert model.prob_default(alone)[0] == chances[place]
        assert model.contributions(alone)[0].to_numpy()[0].tolist() == contributions.to_numpy()[place].tolist()


@every
def test_order_of_rows_and_columns_does_not_matter(algorithm):
    model, (frame, _) = fitted(algorithm), applicants(150, 2)
    shuffled = np.random.default_rng(0).permutation(150)
    turned = frame.iloc[shuffled][list(reversed(frame.columns))]
    assert np.array_equal(model.margin(turned), model.margin(frame)[shuffled])
    assert np.array_equal(model.contributions(turned)[0].to_numpy(), model.contributions(frame)[0].to_numpy()[shuffled])


@every
def test_what_is_saved_is_what_was_fitted(algorithm):
    model, (frame, _) = fitted(algorithm), applicants(100, 3)
    model.contributions(frame)  # an explainer built meanwhile must not travel along
    file = BytesIO()
    joblib.dump(model, file)
    again = joblib.load(BytesIO(file.getvalue()))
    assert np.array_equal(again.prob_default(frame), model.prob_default(frame))
    assert repr(again.references) == repr(model.references)
    assert len(file.getvalue()) < 2_000_000


@every
def test_fitting_twice_gives_the_same_bits(algorithm):
    frame, bad = applicants(120)
    one, other = (pipeline.fit(algorithm, frame, bad, None, SCHEMA, config=QUICK) for _ in range(2))
    assert np.array_equal(one.margin(frame), other.margin(frame))


@every
def test_the_mean_probability_is_the_share_of_bad(algorithm):
    frame, bad = applicants(400)
    assert fitted(algorithm).prob_default(frame).mean() == pytest.approx(bad.mean(), abs=0.04)


@every
def test_learning_beats_nothing_and_the_slope_is_positive(algorithm):
    frame, bad = applicants(600, 5)
    reached = metrics.auc(bad, fitted(algorithm).prob_default(frame))
    assert fitted(algorithm).slope > 0
    assert reached == 0.5 if algorithm == "constant" else reached > 0.65


@pytest.mark.parametrize("algorithm", ["xgboost", "lightgbm", "random_forest", "logistic", "scorecard", "risk_index"])
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 59), st.floats(0, 60), st.floats(0, 60))
def test_more_of_a_risky_thing_never_lowers_the_risk(algorithm, place, one, other):
    row = applicants(60, 4)[0].iloc[[place]]
    less, more = (fitted(algorithm).margin(row.assign(overdrawn=days))[0] for days in sorted((one, other)))
    assert less <= more + 1e-6


@every
@pytest.mark.parametrize("bad", [np.zeros(20), np.ones(20), np.r_[1, np.zeros(19)]])
def test_one_class_is_a_sentence(algorithm, bad):
    with pytest.raises(NotEnoughData, match="at least 2 bad and 2 good applicants; there are"):
        pipeline.fit(algorithm, applicants(20)[0], bad, None, SCHEMA)


@every
def test_twelve_rows_are_enough_to_answer_modestly(algorithm):
    frame, _ = applicants(12)
    model = pipeline.fit(algorithm, frame, [0] * 9 + [1] * 3, None, SCHEMA, config=QUICK)
    chances = model.prob_default(frame)
    assert ((chances > 0.02) & (chances < 0.98)).all()
    assert model.references["cut-off"].n == 12


@every
def test_nothing_but_constant_and_missing_columns_gives_the_base_rate(algorithm):
    frame, bad = applicants(60)
    schema = Schema("dull", (SCHEMA["same"], SCHEMA["empty"]))
    model = pipeline.fit(algorithm, frame, bad, None, schema, config=QUICK)
    assert np.ptp(model.prob_default(frame)) < 1e-3
    assert model.prob_default(frame)[0] == pytest.approx(bad.mean(), abs=0.05)


@every
def test_a_choice_nobody_stated_is_no_obstacle(algorithm):
    frame, bad = applicants(60)
    model = pipeline.fit(algorithm, frame.assign(home=None), bad, None, Schema("bare", (SCHEMA["home"],)), config=QUICK)
    assert np.ptp(model.prob_default(frame)) < 1e-3
    assert model.contributions(frame)[0].shape == (60, 1)


@every
def test_infinite_counts_as_missing(algorithm):
    frame = applicants(5, 6)[0]
    with_infinity, with_nothing = frame.assign(income=[np.inf, -np.inf] + [1.0] * 3), frame.assign(income=[np.nan] * 2 + [1.0] * 3)
    assert np.array_equal(fitted(algorithm).margin(with_infinity), fitted(algorithm).margin(with_nothing))


@every
def test_no_rows_no_answers(algorithm):
    nobody = applicants(3)[0].iloc[:0]
    contributions, _ = fitted(algorithm).contributions(nobody)
    assert len(fitted(algorithm).prob_default(nobody)) == 0
    assert contributions.shape == (0, 7)


@every
def test_a_weight_of_two_is_a_row_twice_to_the_share_of_bad(algorithm):
    frame, bad = applicants(200)
    heavy = pipeline.fit(algorithm, frame, bad, np.where(bad == 1, 5.0, 1.0), SCHEMA, config=QUICK)
    expected = 5 * bad.sum() / (5 * bad.sum() + (1 - bad).sum())
    assert np.average(heavy.prob_default(frame), weights=np.where(bad == 1, 5, 1)) == pytest.approx(expected, abs=0.1)


def test_a_ranking_that_is_wrong_way_round_ends_at_the_base_rate():
    frame, bad = applicants(300)
    model = pipeline.fit("risk_index", frame.assign(income=-frame["income"], overdrawn=-frame["overdrawn"]), bad, None, SCHEMA)
    assert 0 < model.slope < 0.01
    assert np.ptp(model.prob_default(frame)) < 0.01


def test_large_tables_hold_out_a_tenth_once(monkeypatch):
    monkeypatch.setattr(split, "LARGE", 300)
    frame, bad = applicants(400)
    told: list[str] = []
    model = pipeline.fit("logistic", frame, bad, None, SCHEMA, progress=lambda share, what: told.append(what))
    assert told == ["fitting logistic on 360 applicants", "describing the reference groups"]
    assert model.n == 400
    assert model.prob_default(frame).mean() == pytest.approx(bad.mean(), abs=0.05)


def test_progress_goes_up_to_the_references():
    told: list[tuple[float, str]] = []
    frame, bad = applicants(60)
    pipeline.fit("logistic", frame, bad, None, SCHEMA, config=Fitting(folds=3), progress=lambda share, what: told.append((share, what)))
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert told[0][1] == "fitting logistic, fold 1 of 3"
    assert told[-1] == (0.9, "describing the reference groups")


def test_an_absent_column_is_named():
    with pytest.raises(SchemaMismatch, match="lacks income, home"):
        fitted("logistic").margin(applicants(3)[0].drop(columns=["income", "home"]))


def test_a_choice_nobody_declared_is_named():
    with pytest.raises(InvalidInput, match=r"Home \(home\) is 'tent'; it should be one of own, rent, other"):
        fitted("xgboost").margin(applicants(3)[0].assign(home=["own", "tent", None]))


def test_words_and_dates_are_no_numbers():
    frame = applicants(2)[0]
    with pytest.raises(InvalidInput, match=r"Income \(income\) holds 'much'"):
        fitted("xgboost").margin(frame.assign(income=[1.0, "much"]))
    with pytest.raises(InvalidInput, match="holds dates"):
        fitted("xgboost").margin(frame.assign(income=to_datetime(["2020-01-01", "2020-01-02"])))


@pytest.mark.parametrize("values", [[1, 0], [True, False], [1.0, None], Series([1, NA], dtype="Int64"), Series(["1", None], dtype=object)])
def test_numbers_may_come_in_any_dress(values):
    frame = applicants(2)[0].assign(overdrawn=values)
    assert np.isfinite(fitted("xgboost").margin(frame)).all()


def test_labels_and_weights_are_checked():
    frame, bad = applicants(30)
    for wrong in (bad * 2.0, np.where(bad == 1, np.nan, 0), bad[:-1]):
        with pytest.raises(InvalidInput, match="label"):
            pipeline.fit("constant", frame, wrong, None, SCHEMA)
    for wrong in (np.zeros(30), -np.ones(30), np.ones(29)):
        with pytest.raises(InvalidInput, match="Weights"):
            pipeline.fit("constant", frame, bad, wrong, SCHEMA)
    with pytest.raises(InvalidInput, match="There is no algorithm 'magic'; there are xgboost"):
        pipeline.fit("magic", frame, bad, None, SCHEMA)


def test_a_protected_feature_is_never_read():
    assert "sex" not in fitted("xgboost").names  # the frames of these tests have no such column
    with pytest.raises(NotEnoughData, match="no predictor"):
        pipeline.fit("constant", applicants(9)[0], [0, 1] * 4 + [0], None, Schema("p", (SCHEMA["sex"],)))


def test_another_schema_is_refused():
    other = Schema("other", (*SCHEMA.features[:-1], replace(SCHEMA["sex"], choices=("f", "m", "x"))))
    fitted("logistic").expect(SCHEMA)
    with pytest.raises(SchemaMismatch, match="fitted for another schema"):
        fitted("logistic").expect(other)


def test_very_many_choices_become_a_few_columns():
    frame, bad = applicants(600)
    frame["home"] = [f"place {number}" for number in range(600)]
    frame.loc[:99, "home"] = "place 0"
    free = Schema("free", (SCHEMA["income"], replace(SCHEMA["home"], choices=())))
    model = pipeline.fit("logistic", frame, bad, None, free)
    assert len(model.columns) == 1 + MOST_CHOICES
    assert np.isfinite(model.margin(frame.assign(home="never seen"))).all()


def test_references_describe_everyone_and_those_at_the_cut_off():
    frame, _ = applicants(400)
    model = fitted("logistic")
    everyone, near = model.references["everyone"], model.references["cut-off"]
    assert (everyone.n, near.n) == (400, 80)
    assert everyone.value["home"] == frame["home"].mode()[0]
    assert everyone.value["income"] == pytest.approx(frame["income"].median())
    contributions, base = model.contributions(frame)
    assert everyone.contribution["income"] == pytest.approx(contributions["income"].mean())
    at = inverse_logit(np.array([base + sum(near.contribution.values())]))[0]
    assert at == pytest.approx(model.config.cutoff, abs=0.02)
    assert set(model.importance) == set(model.names)
    assert model.importance["same"] == 0


def test_the_built_in_schema_fits():
    random = np.random.default_rng(0)
    frame = DataFrame({feature.name: random.normal(size=80) for feature in built_in()})
    model = pipeline.fit("xgboost", frame, [0, 0, 0, 1] * 20, None, built_in())
    assert model.names == [feature.name for feature in built_in().predictors]


@pytest.mark.parametrize("algorithm", ["xgboost", "random_forest"])
def test_sessions_may_score_at_the_same_time(algorithm):
    model, (frame, _) = fitted(algorithm), applicants(40, 9)
    expected = model.split(frame)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: model.split(frame), range(8)):
            assert np.array_equal(found[0], expected[0])
            assert np.array_equal(found[1], expected[1])


@pytest.mark.parametrize("cutoff", [0.0, 1.0])
def test_a_cut_off_at_the_end_still_finds_its_neighbours(cutoff):
    frame, bad = applicants(60)
    near = pipeline.fit("logistic", frame, bad, None, SCHEMA, config=Fitting(cutoff=cutoff)).references["cut-off"]
    everyone = pipeline.fit("logistic", frame, bad, None, SCHEMA).references["everyone"]
    assert near.n == 30
    assert (sum(near.contribution.values()) > sum(everyone.contribution.values())) == (cutoff == 1)


@every
@pytest.mark.parametrize("balance", ["weights", "smote"])
def test_balancing_the_classes_leaves_the_probability_of_bad_where_it_is(algorithm, balance):
    frame, bad = applicants(400)
    model = pipeline.fit(algorithm, frame, bad, None, SCHEMA, config=Fitting(folds=3, balance=balance))
    assert model.prob_default(frame).mean() == pytest.approx(bad.mean(), abs=0.04)
    contributions, base = model.contributions(frame)
    assert np.abs(contributions.sum(axis=1) + base - model.margin(frame)).max() < EXACT[algorithm]


def test_only_the_rows_of_a_fit_are_balanced(monkeypatch):
    frame, bad = applicants(300)
    lessons, seen = [], []
    usual, calibrate = pipeline.balanced, pipeline._platt
    monkeypatch.setattr(pipeline, "balanced", lambda lesson, how: lessons.append(len(lesson.bad)) or usual(lesson, how))
    monkeypatch.setattr(pipeline, "_platt", lambda raw, bad, weight: seen.append((len(raw), bad.mean())) or calibrate(raw, bad, weight))
    pipeline.fit("logistic", frame, bad, None, SCHEMA, config=Fitting(folds=3, balance="smote"))
    assert (sum(lessons[:3]), lessons[3:]) == (600, [300])
    assert seen == [(300, bad.mean())]


def test_an_unknown_way_to_balance_is_a_sentence():
    with pytest.raises(InvalidInput, match="by weights, smote or not at all"):
        Fitting(balance="luck")


@pytest.mark.parametrize(
    ("algorithm", "parameters", "sentence"),
    [
        ("xgboost", {"depth": 3}, "xgboost has no parameter 'depth'; it has n_estimators, max_depth"),
        ("constant", {"depth": 3}, "constant has no parameter 'depth'; it has none"),
        ("xgboost", {"max_depth": 40}, "max_depth of xgboost is 40; it should be a whole number from 1 to 8"),
        ("xgboost", {"max_depth": 2.5}, "should be a whole number"),
        ("xgboost", {"max_depth": True}, "should be a whole number"),
        ("logistic", {"ridge": np.nan}, "ridge of logistic is nan; it should be a number from 0.01 to 1000"),
        ("logistic", {"ridge": "much"}, "ridge of logistic is 'much'"),
        ("random_forest", {"max_features": "all"}, "is 'all'; it should be one of sqrt, log2"),
    ],
)
def test_a_setting_that_is_none_is_told_with_those_there_are(algorithm, parameters, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        pipeline.fit(algorithm, *applicants(30), None, SCHEMA, config=Fitting(parameters=parameters))


def test_settings_reach_the_algorithm():
    frame, bad = applicants(200)
    model = pipeline.fit("xgboost", frame, bad, None, SCHEMA, config=Fitting(folds=2, parameters={"n_estimators": 60.0, "max_depth": 1}))
    assert model.estimator.booster.num_boosted_rounds() == 60
    assert model.config.parameters == {"n_estimators": 60.0, "max_depth": 1}
    strong, weak = (
        pipeline.fit("logistic", frame, bad, None, SCHEMA, config=Fitting(folds=2, parameters={"ridge": ridge})) for ridge in (1000, 0.01)
    )
    assert np.abs(strong.estimator.weights).sum() < np.abs(weak.estimator.weights).sum()
