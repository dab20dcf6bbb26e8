"""The recommendation: guards first, then the distance to the cut-off; each with a sentence that holds its figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditrisk.policy import cutoff, recommend
from creditrisk.policy import rules as rules_of
from creditrisk.schema import Feature, Schema, built_in
from creditrisk.settings import Policy

RULES = Policy()
FINE = {"observed_days": 300.0, "history_days": 300.0, "uncategorised_amount_share_90d": 0.02, "unreconciled_balance_flag": 0.0}


@pytest.mark.parametrize(
    ("prob_default", "changed", "decision", "said"),
    [
        (0.02, {}, "approve", "PD 2.0 % is below the cut-off of 15.1 % (margin 8.0 %, loss given default 45.0 %)."),
        (0.40, {}, "decline", "PD 40.0 % is above the cut-off of 15.1 % (margin 8.0 %, loss given default 45.0 %)."),
        (0.16, {}, "refer", "PD 16.0 % is within 5.0 percentage points of the cut-off of 15.1 %."),
        (0.02, {"observed_days": 89.0}, "insufficient data", "Only 89 days of history observed; the policy asks for at least 90."),
        (0.02, {"observed_days": 90.0}, "approve", "below"),
        (0.02, {"observed_days": 1.0}, "insufficient data", "Only 1 day of"),
        (0.02, {"observed_days": None}, "insufficient data", "It is not known how many days of history were observed"),
        (0.02, {"observed_days": float("nan")}, "insufficient data", "It is not known"),
        (0.02, {"unreconciled_balance_flag": 1.0}, "refer", "A statement does not add up"),
        (0.02, {"unreconciled_balance_flag": None}, "approve", "below"),
        (
            0.02,
            {"uncategorised_amount_share_90d": 0.2},
            "refer",
            "20.0 % of the money moved is of unknown kind; the policy accepts at most 15.0 %.",
        ),
        (0.02, {"uncategorised_amount_share_90d": 0.15}, "approve", "below"),
        (0.40, {"observed_days": 10.0, "unreconciled_balance_flag": 1.0}, "insufficient data", "Only 10 days"),
        (0.40, {"unreconciled_balance_flag": 1.0, "uncategorised_amount_share_90d": 0.9}, "refer", "add up"),
        (float("nan"), {}, "refer", "No PD could be computed, so a person has to decide."),
    ],
)
def test_rules_in_their_order(prob_default: float, changed: dict[str, object], decision: str, said: str) -> None:
    advice = recommend(prob_default, FINE | changed, RULES)
    assert advice.decision == decision
    assert said in advice.because


def test_a_schema_without_guards_is_not_guarded() -> None:
    assert recommend(0.02, {}, RULES).decision == "approve"
    assert recommend(0.02, {"history_days": 20}, RULES).decision == "insufficient data"


def test_a_proxy_is_never_called_a_probability_of_default() -> None:
    for prob_default in (0.02, 0.16, 0.4, float("nan")):
        because = recommend(prob_default, FINE, RULES, is_proxy=True).because
        assert "risk (proxy)" in because
        assert "PD" not in because


def test_the_cutoff_is_where_a_loan_stops_earning() -> None:
    limit = cutoff(Policy(margin=0.1, lgd=0.4))
    assert limit == pytest.approx(0.2)
    assert (1 - limit) * 0.1 == pytest.approx(limit * 0.4)


def test_at_the_cutoff_without_a_refer_band_is_not_below_it() -> None:
    rules = Policy(refer_band=0)
    assert recommend(cutoff(rules), FINE, rules).decision == "decline"


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_risk_never_gets_a_better_recommendation(one: float, other: float) -> None:
    order = ["approve", "refer", "decline"]
    low, high = (order.index(recommend(value, FINE, RULES).decision) for value in sorted((one, other)))
    assert low <= high


@pytest.mark.parametrize(
    ("limit", "value", "decision", "said"),
    [
        ("> 0", 1.0, "decline", "Payments to debt collectors, last year is 1 time; the policy declines what is above 0 times."),
        ("> 0", 0.0, "approve", "below"),
        (">= 2", 2.0, "decline", "at or above 2 times"),
        ("< 1", 0.0, "decline", "below 1 time"),
        ("<= 3", 3.0, "decline", "at or below 3 times"),
        ("> 0", None, "refer", "cannot be checked: the figure is not known"),
        ("> 0", float("nan"), "refer", "cannot be checked"),
    ],
)
def test_a_knock_out_declines_by_itself_and_one_that_cannot_be_checked_goes_to_a_person(
    limit: str, value: float | None, decision: str, said: str
) -> None:
    name = "debt_collection_count_365d"
    advice = recommend(0.02, FINE | {name: value}, Policy(knock_outs={name: limit}), schema=built_in())
    assert advice.decision == decision
    assert said in advice.because
    assert advice.rule == ("cut-off" if decision == "approve" else "knock-out")


def test_a_knock_out_on_what_nobody_declared_declines_nobody_and_approves_nobody() -> None:
    advice = recommend(0.02, FINE, Policy(knock_outs={"shoe_size": "> 40"}), schema=built_in())
    assert (advice.decision, advice.rule) == ("refer", "knock-out")
    assert "“shoe size” cannot be checked" in advice.because


def test_the_history_comes_before_a_knock_out_and_a_knock_out_before_the_model() -> None:
    rules = Policy(knock_outs={"history_days": "> 0"})
    assert recommend(0.9, FINE | {"observed_days": 3.0}, rules).rule == "history"
    assert recommend(0.9, FINE, rules).rule == "knock-out"


def test_the_policy_is_told_in_words_in_its_order() -> None:
    told = rules_of(Policy(knock_outs={"payday_count_90d": ">= 4"}), built_in())
    assert [rule for rule, _ in told] == ["history", "data", "data", "knock-out", "refer band", "cut-off"]
    assert told[3][1] == "Payday loans, last 90 days at or above 4 times declines, whatever the model says."
    assert [rule for rule, _ in rules_of(Policy(), Schema("none", (Feature("a", "A"),)))] == ["refer band", "cut-off"]
