"""Figures say what their frames say: a finding for a title, units on the axes, a sentence where there is nothing to draw."""

from datetime import date, datetime, timedelta

import pytest
from pandas import DataFrame

from creditrisk import categories, charts, conduct, metrics
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
        charts.flows(EMPTY),
        charts.spending(EMPTY),
        charts.unknown(EMPTY, None, 0.15),
        charts.coverage(EMPTY, []),
        charts.streams(EMPTY),
        charts.scan([], None),
        charts.profiles([], []),
        charts.segments([]),
        charts.spread(DataFrame({"segment": [], "risk_index": []})),
        charts.cloud(EMPTY, EMPTY, 0),
        charts.windows([], 365, 0, 90),
        charts.cohort_rates(EMPTY),
        charts.group_rates(EMPTY),
        charts.against([]),
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
    assert title(charts.scores(frame)) == "Average is the largest band, with 40\u00a0% of the scores"


def days(n: int, first: date = date(2026, 1, 1)) -> list[date]:
    return [first + timedelta(days=place) for place in range(n)]


def test_days_below_zero_are_counted_and_shaded() -> None:
    frame = DataFrame({"day": days(4), "balance": [5.0, -2.0, -1.0, 3.0]})
    figure = charts.balance(frame, "EUR")
    assert title(figure) == "Below zero on 2 of 4 days"
    assert list(figure.data[1].y) == [0.0, -2.0, -1.0, 0.0]
    assert figure.layout.yaxis.title.text == "balance (EUR)"


def test_one_day_of_balance_is_a_curve_too() -> None:
    assert title(charts.balance(DataFrame({"day": days(1), "balance": [5.0]}))) == "The balance never fell below zero"


def test_where_nobody_saw_an_account_the_curve_stops_and_the_days_are_shaded() -> None:
    frame = DataFrame({"day": days(5), "balance": [5.0, float("nan"), float("nan"), -1.0, 2.0]})
    figure = charts.balance(frame, gaps=DataFrame({"from_on": [date(2026, 1, 2)], "to_on": [date(2026, 1, 3)]}))
    assert title(figure) == "Below zero on 1 of 3 days"
    areas = [trace for trace in figure.data if trace.fill == "tozeroy"]
    assert [len(trace.x) for trace in areas] == [1, 1, 2, 2], "no area reaches over days without a balance"
    (shade,) = figure.layout.shapes
    assert (shade.x0, shade.x1) == ("2026-01-02", "2026-01-04")


def test_returned_items_lie_on_the_curve_and_stated_balances_that_do_not_follow_are_marked() -> None:
    frame = DataFrame({"day": days(3), "balance": [5.0, -2.0, 1.0]})
    events = DataFrame(
        {
            "booked_on": [date(2026, 1, 2), date(2026, 1, 3)],
            "kind": ["returned", "fee"],
            "text": ["RETURNED <b>DEBIT", "FEE"],
            "title": ["Returned payment", "Overdraft fee"],
            "amount": [40.0, -3.0],
        }
    )
    breaks = DataFrame({"day": [date(2026, 1, 3)], "account": ["A"], "stated": [9.0], "computed": [1.0]})
    figure = charts.balance(frame, "EUR", events=events, breaks=breaks)
    assert title(figure) == "Below zero on 1 of 3 days; 1 returned item or fee for one"
    fee, returned, off = figure.data[-3:]
    assert (list(returned.y), list(fee.y), list(off.y)) == ([-2.0], [1.0], [9.0])
    assert returned.hovertext[0] == "Returned payment: +40.00 EUR<br>RETURNED &lt;b>DEBIT", "what a file says is never markup"
    (key,) = figure.layout.annotations
    assert all(words in key.text for words in ("below zero", "returned item", "overdraft", "does not follow"))


FLOWS = DataFrame(
    {
        "month": [date(2026, 1, 1)] * 4 + [date(2026, 2, 1)] * 2,
        "category": ["INC_SALARY", "RENT", "UNKNOWN", "TRF_OWN_OUT", "INC_SALARY", "GROCERIES"],
        "title": ["Salary", "Rent", "Not categorised", "To own account", "Salary", "Groceries"],
        "class": ["income", "housing", "other", "own", "income", "essential"],
        "amount": [1000.0, -1100.0, -5.0, -9000.0, 1000.0, -5.0],
        "n": [1, 1, 3, 1, 1, 1],
    }
)


def test_own_transfers_stand_apart_and_do_not_make_a_month_short() -> None:
    figure = charts.flows(FLOWS, "EUR")
    assert title(figure) == "More went out than came in during 1 of 2 months"
    assert {trace.name: trace.yaxis for trace in figure.data}["own transfers"] == "y2"
    assert [trace.name for trace in figure.data] == [
        "income",
        "housing, bills",
        "daily needs",
        "not categorised",
        "left over",
        "own transfers",
    ]
    (left,) = (trace for trace in figure.data if trace.name == "left over")
    assert list(left.y) == [-105.0, 995.0]


def test_a_part_of_a_month_says_its_category_and_amount_and_yields_its_code() -> None:
    (bars,) = (trace for trace in charts.flows(FLOWS, "EUR").data if trace.name == "housing, bills")
    assert bars.hovertext[0] == "Rent: −1,100.00 EUR in 1 transaction"
    assert list(bars.customdata) == ["RENT"]


def test_months_without_own_transfers_have_no_empty_strip() -> None:
    figure = charts.flows(FLOWS[FLOWS["class"] != "own"])
    assert figure.layout.yaxis.domain == (0, 1)
    assert title(charts.flows(FLOWS[FLOWS["class"] == "own"])) == "Nothing but own transfers"
    assert title(charts.flows(FLOWS[FLOWS["category"] == "INC_SALARY"])) == "More came in than went out in every month"


def test_spending_is_ordered_by_size_and_says_what_a_category_means() -> None:
    long = "Premium of any insurance there is, whatever it insures"
    frame = DataFrame(
        {
            "category": ["GROCERIES", "INSURANCE"],
            "title": ["Groceries", "Insurance"],
            "meaning": ["Food", long],
            "class": ["essential", "committed"],
            "amount": [-5.0, -9.0],
            "n": [1, 2],
        }
    )
    figure = charts.spending(frame)
    bars = figure.data[0]
    assert (list(bars.x), list(bars.y), list(bars.customdata)) == ([5.0, 9.0], ["Groceries", "Insurance"], ["GROCERIES", "INSURANCE"])
    assert bars.hovertext[1] == f"{long}<br>−9.00 in 2 transactions"
    assert figure.layout.xaxis.title.text == "sum (currency not stated)"
    assert title(figure) == "Largest sum: Insurance"


def test_every_group_of_the_taxonomy_is_of_some_kind() -> None:
    known = {group for _, groups in charts.KINDS.values() for group in groups}
    assert {kind.group for kind in categories.taxonomy().values()} <= known


def test_a_share_above_what_the_policy_accepts_is_said_and_marked() -> None:
    frame = DataFrame(
        {
            "month": [date(2026, 1, 1), date(2026, 2, 1)],
            "share": [0.1, 0.2],
            "unknown": [1.0, 2.0],
            "moved": [10.0, 10.0],
            "n_unknown": [1, 2],
            "n": [9, 9],
        }
    )
    figure = charts.unknown(frame, 0.1666, 0.15)
    assert title(figure) == "16.7\u00a0% of the money of the last 90 days is not categorised, more than the 15\u00a0% the policy accepts"
    assert list(figure.data[0].marker.color) == [charts.GREY, charts.BRICK]
    assert figure.layout.shapes[0].y0 == 0.15
    assert title(charts.unknown(frame, 0.15, 0.15)).endswith("within the 15\u00a0% the policy accepts")
    assert title(charts.unknown(frame, None, 0.15)) == "Nothing moved in the last 90 days"


def covered(*stretches: tuple[str, str, str, str]) -> DataFrame:
    return DataFrame(
        [
            (account, kind, date.fromisoformat(first), date.fromisoformat(last), f"{first}.csv", 7)
            for account, kind, first, last in stretches
        ],
        columns=["account", "kind", "from_on", "to_on", "file_name", "n_transactions"],
    )


def coverage(*stretches: tuple[str, str, str, str]) -> object:
    frame = covered(*stretches)
    return charts.coverage(frame, conduct.months_covered(frame))


def test_coverage_names_the_months_that_are_missing() -> None:
    figure = coverage(
        ("1", "file", "2026-01-01", "2026-02-28"), ("1", "gap", "2026-03-01", "2026-03-31"), ("1", "file", "2026-04-01", "2026-12-31")
    )
    assert title(figure) == "11 of 12 months are covered; March 2026 is missing"
    files, gap = figure.data  # type: ignore[attr-defined]
    assert (list(gap.base), list(gap.x)) == (["2026-03-01"], [31 * 86_400_000])
    assert gap.marker.pattern.shape == "/"
    assert files.hovertext[0] == "01 Jan 2026 to 28 Feb 2026, 59 days<br>2026-01-01.csv: 7 transactions"


def test_coverage_of_many_accounts_is_that_of_the_one_that_misses_most() -> None:
    whole = ("1", "file", "2026-01-01", "2026-08-31")
    holed = (("2", "file", "2026-01-01", "2026-02-15"), ("2", "gap", "2026-02-16", "2026-07-31"), ("2", "file", "2026-08-01", "2026-08-31"))
    assert title(coverage(whole, *holed)) == (
        "2: 2 of 8 months are covered; March 2026, April 2026 and 3 more are missing and February 2026 is covered in part"
    )
    assert title(coverage(whole, ("2", "file", "2026-01-01", "2026-08-31"))) == "All 2 accounts are covered without a gap"
    assert title(coverage(whole)) == "All 8 months are covered, without a gap"
    assert title(coverage(("", "file", "2026-01-01", "2026-01-09"))) == "One month is covered"


STREAMS = DataFrame(
    {
        "name": ["ACME LTD", "RENT", "GYM"],
        "title": ["Salary", "Rent", "Leisure"],
        "category": ["INC_SALARY", "RENT", "ENTERTAINMENT"],
        "direction": ["in", "out", "out"],
        "cadence": ["monthly", "monthly", "weekly"],
        "n": [6, 6, 3],
        "first_on": [date(2026, 1, 1), date(2026, 1, 3), date(2026, 1, 5)],
        "last_on": [date(2026, 6, 1), date(2026, 6, 3), date(2026, 1, 19)],
        "next_on": [date(2026, 7, 1), date(2026, 7, 3), None],
        "amount": [2000.0, 900.0, 9.5],
        "regularity": [0.99, 0.95, 0.7],
        "state": ["mature", "mature", "ended"],
    }
)


def test_streams_have_a_lane_each_and_a_ring_where_the_next_is_expected() -> None:
    figure = charts.streams(STREAMS, "EUR")
    assert title(figure) == "2 recurring streams go on; 1 ended"
    assert list(figure.layout.yaxis.categoryarray) == ["GYM\u200b\u200b", "RENT\u200b", "ACME LTD"]
    rings = [trace for trace in figure.data if trace.line.dash == "dot"]
    assert [trace.x[-1] for trace in rings] == ["2026-07-01", "2026-07-03"], "nothing is expected of what has ended"
    assert figure.data[-1].opacity < 0.5
    assert "Salary, monthly: about 2,000.00 EUR, 6 times" in figure.data[0].hovertemplate


def test_one_stream_and_streams_of_one_name_are_told_apart() -> None:
    assert title(charts.streams(STREAMS.head(1))) == "1 recurring stream goes on"
    assert title(charts.streams(STREAMS.tail(1))) == "Every recurring stream has ended"
    twins = charts.streams(STREAMS.head(2).assign(name="ACME"))
    assert len({trace.y[0] for trace in twins.data}) == 2


def test_profiles_turn_each_feature_so_that_risk_is_one_colour() -> None:
    heat = charts.profiles(CLUSTERS, [built_in()[name] for name in CLUSTERS[0]["means"]]).data[0]
    assert [list(row) for row in heat.z] == [[-1.0, 1.0], [-1.0, 1.0]], "more overdrawn days and less income are both riskier"
    assert heat.text[0][1] == "31 days"


def test_the_riskiest_cluster_is_the_marked_one() -> None:
    figure = charts.segments(CLUSTERS)
    assert list(figure.data[0].marker.color) == [charts.TEAL, charts.BRICK]
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


def test_what_is_left_over_is_not_called_the_strongest_figure() -> None:
    steps = DataFrame(
        {
            "feature": ["wages", "rent", ""],
            "title": ["Wages", "Rent", "9 other figures"],
            "value": ["1", "2", ""],
            "reference": ["1", "1", ""],
            "points": [5.0, -8.0, 40.0],
        }
    )
    assert title(charts.waterfall(steps, 500.0, 537.0)) == "Rent lowers the score most"
    still = steps.assign(points=[0.0, -1e-12, 0.0])
    figure = charts.waterfall(still, 500.0, 500.0)
    assert title(figure) == "No figure moves the score"
    assert figure.data[0].text[1:4] == ("0", "0", "0")


def test_correlations_of_one_sign_take_the_whole_width() -> None:
    schema = built_in()
    one, other, third = (feature.name for feature in list(schema)[:3])
    pairs = DataFrame({"one": [one, one], "other": [other, third], "correlation": [0.9, 0.4], "n": [10, 10]})
    assert charts.correlations(pairs, schema).layout.xaxis.range[0] == 0
    mixed = charts.correlations(pairs.assign(correlation=[0.9, -0.4]), schema)
    assert mixed.layout.xaxis.range[0] < -1
    assert set(mixed.data[0].text) == {"+0.90", "−0.40"}


def test_a_model_that_reads_nothing_is_said_to() -> None:
    still = DataFrame({"title": ["Wages", "Rent"], "mean_abs": [0.0, 0.0]})
    assert not charts.importance(still).data


# --- label sets ------------------------------------------------------------------------------------------------------------

SCAN = [
    {"k": 2, "index_gap": 0.4, "stability": 0.9, "share_risky": 0.5, "silhouette": 0.3},
    {"k": 3, "index_gap": 1.2, "stability": 0.9, "share_risky": 0.1, "silhouette": 0.3},
    {"k": 4, "index_gap": 1.5, "stability": 0.4, "share_risky": 0.01, "silhouette": float("nan")},
]
POINTS = DataFrame(
    {
        "applicant_id": ["A", "B", "C", "D"],
        "x": [0.0, 1.0, 2.0, 2.1],
        "y": [0.0, 0.1, 0.2, 0.3],
        "segment": [0, 0, 1, 1],
        "bad": [False, None, True, True],
        "risk_index": [-0.5, 0.1, 1.0, 2.0],
    }
)
AXES = DataFrame({"axis": ["x", "x", "y"], "share": [0.6, 0.6, 0.2], "title": ["Late", "Poor", "Young"], "loading": [0.9, -0.1, 0.7]})
COHORTS = DataFrame(
    {
        "cohort": ["2026-01-01", "2026-04-01"],
        "n": [100, 110],
        "n_bad": [10, 30],
        "share": [0.1, 0.27],
        "low": [0.05, 0.2],
        "high": [0.17, 0.36],
    }
)
GROUPS = DataFrame(
    {
        "feature": ["sex", "sex"],
        "title": ["Sex", "Sex"],
        "group": ["female", "male"],
        "n": [100, 100],
        "n_bad": [7, 1],
        "share": [0.07, 0.01],
        "low": [0.03, 0.0],
        "high": [0.13, 0.05],
        "ratio": [7.0, 1 / 7],
        "warned": [True, False],
    }
)


def test_the_chosen_number_of_clusters_stands_out_and_what_fails_is_red() -> None:
    figure = charts.scan(SCAN, 3)
    assert title(figure) == "3 clusters, out of 2 to 4 tried"
    gap, stability, share, silhouette = figure.data
    assert list(gap.marker.color) == [charts.BRICK, charts.TEAL, charts.TEAL]
    assert list(stability.marker.color) == [charts.TEAL, charts.TEAL, charts.BRICK]
    assert list(share.marker.color) == [charts.BRICK, charts.TEAL, charts.BRICK]
    assert list(silhouette.marker.color) == [charts.GREY] * 3, "the silhouette decides nothing"
    assert gap.marker.size[1] > gap.marker.size[0]
    assert list(gap.customdata) == [2, 3, 4], "a click yields a number of clusters"


def test_a_figure_that_is_not_known_does_not_pass() -> None:
    rows = [{**SCAN[1], "index_gap": float("nan")}]
    assert list(charts.scan(rows, None).data[0].marker.color) == [charts.BRICK]


DATED = [{"as_of": "2026-01-01", "n": 100}, {"as_of": "2026-04-01", "n": 110}]


def test_observation_gap_and_performance_follow_each_other() -> None:
    figure = charts.windows(DATED, 365, 10, 90)
    predictors, label, gap = figure.data
    assert list(predictors.base) == ["2025-01-01", "2025-04-01"]
    assert list(gap.base) == ["2026-01-01", "2026-04-01"], "observation ends on the cohort's day"
    assert list(label.base) == ["2026-01-11", "2026-04-11"]
    assert set(label.x) == {90 * 86_400_000}
    assert title(figure).endswith("the 90 days that make the label begin 10 days later")
    assert len(charts.windows(DATED, 365, 0, 90).data) == 2, "no gap, no bar"


def test_applicants_with_a_day_of_their_own_share_a_lane_that_counts_from_it() -> None:
    predictors, label = charts.windows([{"as_of": None, "n": 100}], 365, 0, 90).data
    assert (list(predictors.base), list(predictors.x)) == ([-365], [365])
    assert (list(label.base), list(label.x)) == ([0], [90])


def test_one_window_is_called_what_it_is() -> None:
    figure = charts.windows(DATED[:1], 365, 0, None)
    assert "only re-learn the label" in title(figure)
    assert figure.data[0].base == figure.data[1].base


def test_a_map_shows_clusters_the_grey_zone_and_who_is_called_bad() -> None:
    figure = charts.cloud(POINTS, AXES, 4000)
    assert title(figure).startswith("4 of 4,000 applicants")
    safest, riskiest, grey, bad = figure.data
    assert (list(safest.customdata), list(riskiest.customdata)) == (["A"], ["C", "D"])
    assert list(grey.customdata) == ["B"]
    assert list(bad.customdata) == ["C", "D"]
    assert (safest.marker.color, riskiest.marker.color) == (charts.TEAL, charts.BRICK)
    assert {trace.type for trace in figure.data} == {"scatter"}
    assert riskiest.hovertext[0] == "C<br>cluster 2 (riskiest)<br>index 1.00, called bad"
    assert figure.layout.xaxis.title.text == "→ riskier: Late<br>← riskier: Poor (60\u00a0% of all differences)"


def test_labels_without_clusters_have_a_map_too() -> None:
    figure = charts.cloud(POINTS.assign(segment=[None] * 4).astype({"segment": "Int32"}), AXES, 4)
    good, bad, grey = figure.data
    assert (list(good.customdata), list(bad.customdata), list(grey.customdata)) == (["A"], ["C", "D"], ["B"])
    assert (good.marker.color, bad.marker.color) == (charts.TEAL, charts.BRICK)
    assert title(figure).startswith("4 applicants")


def test_the_index_is_spread_out_by_cluster() -> None:
    figure = charts.spread(POINTS)
    assert title(figure) == "Median risk index: riskiest 1.50, next −0.20"
    assert [trace.line.color for trace in figure.data] == [charts.TEAL, charts.BRICK]


def test_cohorts_that_differ_by_more_than_chance_are_said_to() -> None:
    assert title(charts.cohort_rates(COHORTS)).endswith("which is more than chance")
    assert title(charts.cohort_rates(COHORTS.assign(low=0.0, high=0.5))).endswith("within chance")
    assert title(charts.cohort_rates(COHORTS.head(1))) == "One cohort: 10.0\u00a0% of it is labelled bad"


def test_a_protected_group_labelled_bad_much_more_often_is_marked() -> None:
    figure = charts.group_rates(GROUPS)
    assert title(figure) == "Sex female: labelled bad 7.0 times as often as everybody else"
    usual, warned = figure.data
    assert (list(usual.y), list(warned.y)) == (["Sex: male"], ["Sex: female"])
    assert warned.marker.color == charts.BRICK
    assert title(charts.group_rates(GROUPS.assign(warned=False))).startswith("No protected group")
    assert title(charts.group_rates(GROUPS.assign(ratio=[float("inf"), 0.0]))) == "Sex female: labelled bad unlike everybody else"


def test_what_ranks_outcomes_no_better_than_chance_is_not_praised() -> None:
    label = {"value": 0.63, "low": 0.54, "high": 0.72, "n": 145, "n_bad": 30}
    index = {"value": 0.875, "low": 0.8, "high": 0.94, "n": 145, "n_bad": 30}
    assert title(charts.against([("The label", label), ("The plain risk index", index)])).startswith("The plain risk index ranks")
    assert title(charts.against([("The label", {**label, "low": 0.49})])) == "Nothing here ranks observed outcomes better than chance"


def test_where_two_label_sets_disagree_is_red() -> None:
    table = DataFrame({"one": ["good", "bad", "no label"], "good": [90, 3, 1], "bad": [2, 8, 0], "no label": [4, 0, 5]})
    heat = charts.agreement(table, "L0001", "L0002").data[0]
    assert [list(row) for row in heat.z] == [[1, -1, 0], [-1, 1, 0], [0, 0, 1]]
    assert heat.text[0][1] == "2"
    assert (heat.y[1], heat.x[0]) == ("bad in L0001", "good in L0002")


def test_bonds_of_invented_applicants_name_the_pair_that_changed_most() -> None:
    pairs = DataFrame({"one": ["Age", "Age"], "other": ["Income", "Loan <b>"], "real": [0.5, -0.2], "invented": [0.3, -0.2]})
    figure = charts.bonds(pairs)
    assert figure.layout.title.text == "The rank correlation that changed most: Age with income, from +0.50 to +0.30"
    assert [tuple(trace.x) for trace in figure.data[1:]] == [(-0.2,), (0.5,)]
    assert figure.layout.xaxis.range == figure.layout.yaxis.range, "the diagonal is no change"
    assert "<b>" not in figure.data[1].text[0], "a title is no markup"
    assert charts.bonds(pairs[:0]).layout.annotations[0].text


def test_distances_show_the_furthest_columns_first() -> None:
    columns = DataFrame({"title": [f"A column with a long title number {n}" for n in range(20)], "ks": [n / 100 for n in range(20)]})
    figure = charts.distances(columns)
    assert figure.layout.title.text.startswith(
        "The distribution furthest from the real one: A column with a long title number 19, 0.190 of 1"
    )
    assert figure.data[0].x[-1] == 0.19
    assert len(figure.data[0].y) == len(set(figure.data[0].y)) == 12, "titles cut to the same words keep a bar each"
    assert "<b>" not in charts.distances(DataFrame({"title": ["A <b>"], "ks": [0.1]})).layout.yaxis.ticktext[0], "a title is no markup"
    assert charts.distances(columns[:0]).layout.annotations[0].text
