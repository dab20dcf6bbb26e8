"""Figures say what their frames say: a finding for a title, units on the axes, a sentence where there is nothing to draw."""

from datetime import date, datetime, timedelta

import pytest
from pandas import DataFrame

from creditrisk import charts, metrics
from creditrisk.schema import built_in

EMPTY = DataFrame()
STEPS = DataFrame(
    {
        "feature": ["days_negative_90d", "income_monthly_median_180d", ""],
        "title": ["Days overdrawn, last 90", "Typical monthly income", "3 smaller parts"],
        "value": ["12 days", "2,100", ""],
        "reference": ["3 days", "1,900", ""],
        "contribution": [0.8, -0.3, 0.1],
        "points": [-57.7, 21.6, -7.2],
    }
)
BOARD = DataFrame(
    {
        "model_id": ["M0001", "M0002", "M0003"],
        "algorithm": ["xgboost", "risk_index", "constant"],
        "auc": [0.9, 0.85, 0.5],
        "auc_low": [0.86, 0.8, 0.5],
        "auc_high": [0.94, 0.9, 0.5],
        "auc_observed": [float("nan")] * 3,
    }
)
CLUSTERS = [
    {"segment": 0, "n": 80, "share": 0.8, "risk_index": -0.2, "means": {"days_negative_90d": 1.0, "income_trend_90v365d": 1.0}},
    {"segment": 1, "n": 20, "share": 0.2, "risk_index": 1.4, "means": {"days_negative_90d": 31.0, "income_trend_90v365d": 0.6}},
]


def title(figure: object) -> str:
    return str(figure.layout.title.text)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "figure",
    [
        charts.waterfall(EMPTY, 0, 0),
        charts.scores(EMPTY),
        charts.balance(EMPTY),
        charts.months(EMPTY),
        charts.spending(EMPTY),
        charts.scan([], None),
        charts.profiles([], built_in()),
        charts.segments([]),
        charts.leaderboard(BOARD, "ranking of observed outcomes", column="auc_observed"),
        charts.roc(EMPTY, {}),
        charts.calibration(EMPTY, "PD"),
        charts.test_scores(EMPTY, "by outcome"),
        charts.importance(EMPTY),
        charts.score_history(EMPTY),
    ],
)
def test_nothing_to_draw_is_said(figure: object) -> None:
    (note,) = figure.layout.annotations  # type: ignore[attr-defined]
    assert note.text.endswith(".")


def test_every_step_of_a_waterfall_begins_where_the_last_one_ended() -> None:
    bars = charts.waterfall(STEPS, 560.0, 516.7).data[0]
    ends = [base + step for base, step in zip(bars.base, bars.x, strict=True)]
    assert list(bars.base[2:4]) == pytest.approx(ends[1:3])
    assert ends[0] == pytest.approx(560.0)
    assert ends[-2] == pytest.approx(ends[-1]) == pytest.approx(516.7)


def test_a_waterfall_colours_what_lowers_the_score_and_names_the_feature_of_each_bar() -> None:
    figure = charts.waterfall(STEPS, 560.0, 516.7)
    bars = figure.data[0]
    assert list(bars.marker.color[1:3]) == [charts.BRICK, charts.TEAL]
    assert bars.customdata[1] == "days_negative_90d"
    assert title(figure) == "Days overdrawn, last 90 lowers the score most"


def test_in_log_odds_more_is_riskier() -> None:
    figure = charts.waterfall(STEPS, -2.0, -1.4, unit="contribution")
    assert list(figure.data[0].marker.color[1:3]) == [charts.BRICK, charts.TEAL]
    assert title(figure) == "Days overdrawn, last 90 raises the risk most"


def test_a_score_beyond_the_axis_is_said_with_its_limit() -> None:
    assert charts.waterfall(STEPS, 1000.0, 956.7).data[0].text[-1] == "<b>900</b>, limited from 957"


def test_the_gauge_shows_the_floored_score_in_the_colour_of_its_band() -> None:
    figure = charts.gauge(499.9, 499, "Poor")
    assert figure.data[0].value == 499
    assert figure.data[0].gauge.bar.color == charts.BRICK
    assert title(figure) == "499 points: Poor"


def test_the_gauge_marks_the_cut_off() -> None:
    figure = charts.gauge(489.2, 489, "Poor", cutoff=558.4)
    assert figure.data[0].gauge.threshold.value == 558.4
    assert "cut-off 558" in figure.layout.annotations[0].text


def test_a_score_on_too_little_history_stays_grey() -> None:
    figure = charts.gauge(675.0, 675, "Good", sure=False)
    assert figure.data[0].number.font.color == charts.GREY
    assert "Too little history" in title(figure)


def test_scores_are_coloured_by_band() -> None:
    frame = DataFrame({"low": [480, 500, 880], "band": ["Poor", "Average", "Excellent"], "n": [3, 9, 4]})
    figure = charts.scores(frame)
    assert title(figure) == "Most scores are Average"
    assert sum(sum(bar.y) for bar in figure.data) == 16


def test_the_largest_band_is_called_most_only_where_it_is() -> None:
    frame = DataFrame({"low": [300, 500, 700], "band": ["Poor", "Average", "Good"], "n": [3, 4, 3]})
    assert title(charts.scores(frame)) == "Average is the largest band, with 40% of the scores"


def test_days_below_zero_are_counted_and_shaded() -> None:
    frame = DataFrame({"day": [date(2026, 1, 1) + timedelta(days=n) for n in range(4)], "balance": [5.0, -2.0, -1.0, 3.0]})
    figure = charts.balance(frame, "EUR")
    assert title(figure) == "Below zero on 2 of 4 days"
    assert list(figure.data[1].y) == [0.0, -2.0, -1.0, 0.0]
    assert figure.layout.yaxis.title.text == "balance (EUR)"


def test_months_that_cost_more_than_they_brought_are_counted() -> None:
    frame = DataFrame(
        {"month": [date(2026, 1, 1), date(2026, 2, 1)], "money_in": [10.0, 10.0], "money_out": [12.0, 8.0], "income": [9.0, 9.0]}
    )
    assert title(charts.months(frame)) == "More went out than came in during 1 of 2 months"


def test_spending_is_ordered_by_size_and_a_long_name_is_cut_but_kept_for_hovering() -> None:
    long = "Premium of any insurance there is, whatever it insures"
    frame = DataFrame(
        {"category": ["A", "B"], "meaning": ["Groceries", long], "class": ["essential", "committed"], "amount": [5.0, 9.0], "n": [1, 2]}
    )
    bars = charts.spending(frame).data[0]
    assert list(bars.x) == [5.0, 9.0]
    assert bars.y[1].endswith("…")
    assert charts.spending(frame).layout.xaxis.title.text == "sum (currency not stated)"
    assert bars.customdata[1][1] == long


def test_the_chosen_number_of_clusters_stands_out() -> None:
    rows = [{"k": k, "index_gap": 1.2, "stability": 0.9, "silhouette": 0.3} for k in (2, 3, 4)]
    figure = charts.scan(rows, 3)
    assert title(figure) == "3 clusters, out of 2 to 4 tried"
    assert list(figure.data[0].marker.color) == [charts.GREY, charts.TEAL, charts.GREY]


def test_profiles_turn_each_feature_so_that_risk_is_one_colour() -> None:
    heat = charts.profiles(CLUSTERS, built_in()).data[0]
    assert [list(row) for row in heat.z] == [[-1.0, 1.0], [-1.0, 1.0]], "more overdrawn days and less income are both riskier"
    assert heat.text[0][1] == "31 days"


def test_the_riskiest_cluster_is_the_marked_one() -> None:
    figure = charts.segments(CLUSTERS)
    assert list(figure.data[0].marker.color) == [charts.GREY, charts.BRICK]
    assert title(figure).startswith("20 applicants")


def test_baselines_stand_beside_the_models_with_their_intervals() -> None:
    figure = charts.leaderboard(BOARD, "agreement with the proxy label")
    models, baselines = figure.data
    assert list(models.y) == ["XGBoost · M0001"]
    assert list(baselines.y) == ["Constant · M0003", "Plain risk index · M0002"]
    assert list(models.error_x.array) == pytest.approx([0.04])
    assert title(figure) == "XGBoost · M0001 leads in agreement with the proxy label: 0.900"


def test_a_lead_within_chance_is_called_so_and_the_champion_is_starred() -> None:
    board = BOARD.assign(auc_low=[0.8, 0.8, 0.5], status=["champion", "candidate", "candidate"])
    figure = charts.leaderboard(board, "ranking of observed outcomes")
    assert title(figure) == "XGBoost · M0001 leads in ranking of observed outcomes: 0.900, within chance of the next"
    assert list(figure.data[0].y) == ["XGBoost · M0001 ★"]


def test_a_models_curves_come_from_the_metrics_room() -> None:
    bad, risk = [0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.8, 0.9]
    assert title(charts.roc(metrics.roc(bad, risk), {"value": 0.8889, "low": 0.5, "high": 1.0})) == "AUC 0.889, between 0.500 and 1.000"
    figure = charts.calibration(metrics.calibration_table(bad, risk, 3), "risk (proxy)")
    assert figure.layout.xaxis.title.text == "promised risk (proxy)"
    assert title(figure) == "Promised and found agree within chance"


def test_importance_and_history_read_their_frames() -> None:
    assert title(charts.importance(DataFrame({"title": ["A", "B"], "mean_abs": [0.1, 0.4]}))) == "B moves this model most"
    scored = DataFrame(
        {"scored_at": [datetime(2026, 1, 1)] * 2, "score": [612.0, 655.0], "band": ["Average", "Good"], "model_id": ["M1", "M2"]}
    )
    assert title(charts.score_history(scored)) == "Scored 2 times"
