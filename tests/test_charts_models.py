"""Pictures of explanations, cut-offs, standings and swaps say what their frames say, and a sentence where there is nothing."""

from datetime import datetime

import pytest
from pandas import DataFrame

from creditrisk import charts, cutoffs
from tests.test_charts import title

EMPTY = DataFrame()
BAD, PD = [0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.6, 0.8]


@pytest.mark.parametrize(
    "figure",
    [
        charts.beeswarm(DataFrame({"contribution": []})),
        charts.beeswarm(DataFrame({"contribution": [0.0], "title": ["A"]})),
        charts.dependence(DataFrame({"value": [None], "contribution": [0.1], "applicant_id": ["A"]}), "Income", "money"),
        charts.partial(EMPTY, "Income", "money", "PD"),
        charts.cutoffs(EMPTY, 0.5, "PD"),
        charts.swaps(EMPTY, "M0002", "M0001"),
        charts.standings(DataFrame({"model_id": ["M0001"], "status": ["candidate"]})),
    ],
)
def test_nothing_to_draw_is_a_sentence(figure: object) -> None:
    (note,) = figure.layout.annotations  # type: ignore[attr-defined]
    assert note.text.endswith(".")


def test_a_cut_off_says_whom_it_approves() -> None:
    table = cutoffs.table(BAD, PD, margin=0.1, lgd=0.5)
    figure = charts.cutoffs(table, 0.3, "PD")
    assert title(figure) == "Declining from 30.0\u00a0% on approves 33\u00a0%"
    assert [line.y[2] for line in figure.data[:3]] == [table["share_approved"][2], table["bad_among_approved"][2], table["recall"][2]]
    assert figure.data[3].yaxis == "y2"


def test_a_confusion_matrix_counts_both_sides() -> None:
    figure = charts.confusion(cutoffs.consequences(BAD, PD, 0.35, margin=0.1, lgd=0.5))
    assert title(figure) == "4 of 6 test applicants on the side their label asks for"
    assert [list(line) for line in figure.data[0].text] == [["2", "1"], ["1", "2"]]


def test_swaps_count_who_changes_sides_and_what_is_known_of_them() -> None:
    rows = [("approve", "approve", 50, 10, 1.0), ("approve", "decline", 7, 2, 1.0), ("decline", "approve", 5, 0, 0.0)]
    figure = charts.swaps(DataFrame(rows, columns=["champion", "challenger", "n", "n_verified", "n_bad"]), "M0002", "M0001")
    assert title(figure) == "12 of 62 applicants would change sides with M0002 in the place of M0001"
    assert list(figure.data[0].text) == ["50 · 1 of 10 known went bad", "5 · no outcome known", "7 · 1 of 2 known went bad", "0"]


def test_standings_name_the_champion_and_leave_out_mere_candidates() -> None:
    at = [datetime(2026, 3, day, 9) for day in range(1, 7)]
    rows = [
        ("M0001", "xgboost", "candidate", at[0], at[1], False, "ann", "trained"),
        ("M0001", "xgboost", "champion", at[1], at[2], False, "ann", "the <b>first</b>"),
        ("M0001", "xgboost", "retired", at[2], at[5], True, "bea", "M0002 was promoted"),
        ("M0002", "logistic", "candidate", at[0], at[2], False, "ann", "trained"),
        ("M0002", "logistic", "champion", at[2], at[5], True, "bea", "better"),
        ("M0003", "logistic", "candidate", at[0], at[5], True, "ann", "trained"),
    ]
    columns = ["model_id", "algorithm", "status", "from_at", "until_at", "is_present", "by_user", "reason"]
    figure = charts.standings(DataFrame(rows, columns=columns))
    assert title(figure) == "M0002 has been champion since 03 Mar 2026, 09:00, after 2 promotions"
    lanes = {name for trace in figure.data for name in trace.y}
    assert lanes == {"M0001 · XGBoost", "M0002 · Logistic regression"}
    (champions,) = [trace for trace in figure.data if "champion from" in trace.hovertext[0]]
    assert champions.x[0] == 24 * 3600 * 1000
    assert "<b>first" not in champions.hovertext[0]


def test_a_swarm_and_a_dependence_yield_the_applicant_of_a_dot() -> None:
    facts = {"feature": "income", "title": "Income", "said": ["1", "2"], "contribution": [0.3, -0.2], "height": [0.0, 0.1]}
    figure = charts.beeswarm(DataFrame({**facts, "rank": [0.5, float("nan")], "applicant_id": ["A", "B"]}))
    assert [list(trace.customdata) for trace in figure.data] == [["A"], ["B"]]
    assert title(figure) == "Income moves single applicants most"
    frame = DataFrame({"value": [1.0, None, 3.0], "contribution": [0.1, 0.2, -0.1], "applicant_id": ["A", "B", "C"]})
    figure = charts.dependence(frame, "Income", "money")
    assert list(figure.data[0].customdata) == ["A", "C"]
    assert "not known (1)" in figure.layout.annotations[0].text
    kinds = DataFrame({"value": ["rent", "own", "own"], "contribution": [0.4, -0.1, -0.2], "applicant_id": ["A", "B", "C"]})
    assert [box.name for box in charts.dependence(kinds, "Housing", "").data] == ["own", "rent"]


def test_partial_dependence_says_how_far_the_risk_moves() -> None:
    frame = DataFrame({"value": [1.0, 1.0, 2.0, 2.0], "row": [0, 1, 0, 1], "pd": [0.1, 0.3, 0.4, 0.6]})
    figure = charts.partial(frame, "Debt", "money", "PD")
    assert title(figure) == "Debt: PD between 20.0\u00a0% and 50.0\u00a0%, all else as it is"
    assert list(figure.data[1].y) == pytest.approx([0.2, 0.5])
    assert list(figure.data[0].x) == [1.0, 2.0, None, 1.0, 2.0, None]


def test_what_is_drawn_of_a_feature_is_what_the_page_is_given() -> None:
    frame = DataFrame({"value": [0.5, None, 0.7], "contribution": [0.1, 0.2, -0.1], "applicant_id": ["A", "B", "C"]})
    layout = charts.written(charts.dependence(frame, "Debt against income", "share"))["layout"]
    assert layout["xaxis"] == {"title": {"text": "Debt against income"}, "tickformat": ".0%"}
    assert layout["yaxis"]["title"] == {"text": "contribution (log-odds)"}
    assert layout["shapes"][0]["y0"] == 0.2, "where applicants lie of whom it is not known"
    days = charts.written(charts.dependence(frame, "Days overdrawn", "days"))["layout"]["xaxis"]
    assert days == {"title": {"text": "Days overdrawn"}}, "a unit that the title says is not said again"
    with pytest.raises(AttributeError, match="in one step"):
        charts.dependence(frame, "Income", "money").update_xaxes(title="lost")


def test_two_models_stand_one_below_the_other_with_their_intervals() -> None:
    no = float("nan")
    rows = [("AUC", 0.8, 0.7, 0.9, 0.6, 0.5, 0.7), ("Brier", 0.1, 0.05, 0.2, no, no, no), ("KS", 0.5, no, no, 0.4, 0.3, 0.5)]
    frame = DataFrame(rows, columns=["measure", "one", "one_low", "one_high", "other", "other_low", "other_high"])
    figure = charts.sides(frame, "M0002", "M0001", "observed outcomes")
    assert title(figure) == "Observed outcomes: AUC 0.800 and 0.600"
    one, other = figure.data
    assert list(figure.layout.yaxis.ticktext) == ["AUC", "KS"], "what one of them lacks is not compared"
    assert list(one.error_x.array) == pytest.approx([0.1, 0.0])
    assert list(other.error_x.arrayminus) == pytest.approx([0.1, 0.1])
    assert all(above > below for above, below in zip(one.y, other.y, strict=True))
    (note,) = charts.sides(frame[1:2], "M0002", "M0001", "verdicts").layout.annotations
    assert note.text.replace("<br>", " ") == "Held against verdicts, the two have no figure in common."
