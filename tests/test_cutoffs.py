"""What a cut-off does, by hand and as properties; how one is chosen, and that it is never chosen on the rows it is told of."""

import numpy as np
import pytest

from creditrisk import cutoffs, metrics
from creditrisk.errors import InvalidInput, NotEnoughData

BAD = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1])
PD = np.array([0.05, 0.1, 0.15, 0.2, 0.4, 0.6, 0.3, 0.55, 0.7, 0.9])
TERMS = {"margin": 0.1, "lgd": 0.4}


def test_the_consequences_of_a_cutoff_are_those_counted_by_hand() -> None:
    found = cutoffs.consequences(BAD, PD, 0.5, **TERMS)
    assert [found[name] for name in ("true_good", "false_good", "false_bad", "true_bad")] == [5, 1, 1, 3]
    assert found["share_approved"] == 0.6
    assert found["bad_among_approved"] == pytest.approx(1 / 6)
    assert found["profit"] == pytest.approx(5 * 0.1 - 1 * 0.4)
    assert found["profit_each"] == pytest.approx(0.01)
    same = metrics.confusion(BAD, PD, 0.5)
    assert all(found[name] == same[name] for name in ("true_bad", "false_bad", "recall", "specificity", "share_approved"))


def test_weights_count_money_instead_of_heads() -> None:
    twice = cutoffs.consequences(np.repeat(BAD, 2), np.repeat(PD, 2), 0.5, **TERMS)
    weighed = cutoffs.consequences(BAD, PD, 0.5, weight=np.full(10, 2.0), **TERMS)
    assert twice == weighed


def test_a_table_runs_from_nobody_approved_to_everybody_and_every_row_is_its_cutoffs_consequences() -> None:
    random = np.random.default_rng(1)
    pd, bad = random.random(5_000), random.random(5_000) < 0.2
    table = cutoffs.table(bad, pd, **TERMS)
    assert len(table) <= cutoffs.STEPS
    assert (table["share_approved"].iloc[0], table["share_approved"].iloc[-1]) == (0.0, 1.0)
    assert table["share_approved"].is_monotonic_increasing
    assert table["recall"].is_monotonic_decreasing
    row = table.iloc[77]
    assert cutoffs.consequences(bad, pd, row["cutoff"], **TERMS) == row.to_dict()
    assert cutoffs.table([], [], **TERMS).empty


def test_each_rule_chooses_what_it_promises() -> None:
    random = np.random.default_rng(4)
    pd = random.random(2_000)
    bad = random.random(2_000) < pd
    assert cutoffs.choose("policy", bad, pd, **TERMS) == pytest.approx(0.2)
    for target in (0.5, 0.96, 1.0):
        cutoff = cutoffs.choose("recall", bad, pd, target=target, **TERMS)
        assert cutoffs.consequences(bad, pd, cutoff, **TERMS)["recall"] >= target
        assert cutoffs.consequences(bad, pd, np.nextafter(cutoff, 2), **TERMS)["recall"] < target
        approving = cutoffs.choose("approval", bad, pd, target=target, **TERMS)
        assert cutoffs.consequences(bad, pd, approving, **TERMS)["share_approved"] == pytest.approx(target)
    best = cutoffs.consequences(bad, pd, cutoffs.choose("profit", bad, pd, **TERMS), **TERMS)["profit"]
    assert best == pytest.approx(max(cutoffs.consequences(bad, pd, each, **TERMS)["profit"] for each in pd))
    assert cutoffs.choose("profit", bad, pd, **TERMS) == pytest.approx(0.2, abs=0.1)  # the p are calibrated, so the formula is the answer


def test_a_cutoff_is_chosen_there_and_told_here() -> None:
    lines = cutoffs.told((BAD, PD), (BAD[::-1], PD), recall=0.75, **TERMS)
    assert [line["rule"] for line in lines] == ["policy", "profit", "recall", "approval"]
    recall = lines[2]
    assert (recall["cutoff"], recall["validation"]["recall"]) == (0.55, 0.75)
    assert recall["test"]["recall"] == cutoffs.consequences(BAD[::-1], PD, 0.55, **TERMS)["recall"] == 0.0
    assert recall["sentence"].startswith(
        "Catching 75.0 % of the bad on the validation rows declines from 55.0 % on: of the test applicants"
    )


def test_nothing_is_chosen_on_rows_that_say_nothing() -> None:
    with pytest.raises(NotEnoughData, match="of both kinds"):
        cutoffs.choose("recall", [0, 0], [0.1, 0.2], target=0.9, **TERMS)
    with pytest.raises(NotEnoughData, match="each with a probability"):
        cutoffs.choose("profit", [0, 1], [0.1, np.nan], **TERMS)
    for target in (None, 0.0, 1.5, float("nan")):
        with pytest.raises(InvalidInput, match="above 0 and up to 1"):
            cutoffs.choose("recall", BAD, PD, target=target, **TERMS)
