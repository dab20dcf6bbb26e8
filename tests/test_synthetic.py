"""The invented bank: reproducible, exact to the cent, and with an outcome that behaviour foretells but does not decide."""

from dataclasses import fields
from datetime import date, timedelta

import numpy as np
import pytest
from pandas import DataFrame, Series, concat, to_datetime
from pandas.testing import assert_frame_equal

from creditrisk import demo, life, synthetic
from creditrisk.metrics import auc
from creditrisk.synthetic import Bank
from creditrisk.world import World


@pytest.fixture(scope="module")
def bank() -> Bank:
    return demo.bank(1_500, seed=5)


@pytest.fixture(scope="module")
def last_quarter(bank: Bank) -> DataFrame:
    rows = bank.transactions.assign(
        applied_on=bank.applications["applied_on"].to_numpy()[bank.transactions["applicant"]],
        category=bank.transactions["category"].astype(str),
    )
    return rows[(rows["applied_on"] - rows["booked_on"]).dt.days <= 90]


def test_the_same_seed_draws_the_same_bank_and_another_seed_another() -> None:
    one, again, other = demo.bank(120, seed=3), demo.bank(120, seed=3), demo.bank(120, seed=4)
    for part in fields(Bank):
        assert_frame_equal(getattr(one, part.name), getattr(again, part.name))
    assert not one.transactions["amount"].equals(other.transactions["amount"])


def test_the_same_seed_draws_the_same_bank_whatever_the_size_of_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "PART", 40)  # so that chunks are cut out of what is drawn together, and joined from it
    whole = demo.bank(90, seed=3)
    assert whole.applications["applicant_id"].is_unique
    assert whole.transactions["applicant"].max() == 89
    for size in (25, 60):
        chunks = list(synthetic.chunks(demo.world(), 90, 3, size=size))
        assert [len(chunk.applications) for chunk in chunks] == [size] * (90 // size) + [90 % size]
        for part in fields(Bank):
            assert_frame_equal(concat([getattr(chunk, part.name) for chunk in chunks], ignore_index=True), getattr(whole, part.name))


def test_a_bank_is_drawn_no_further_than_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "PART", 40)
    drawn: list[int] = []
    draw = synthetic._part

    def watched(world: World, rng: np.random.Generator, start: int, n: int, **given: object) -> Bank:
        drawn.append(start)
        return draw(world, rng, start, n, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(synthetic, "_part", watched)
    chunks = synthetic.chunks(demo.world(), 1_000_000, 3, size=20)
    first, second = next(chunks), next(chunks)
    assert (first.transactions["applicant"].max(), second.transactions["applicant"].min()) == (19, 20)
    assert drawn == [0]


def test_statements_are_the_same_with_outcomes_and_without() -> None:
    (lived,), (shown,) = (list(synthetic.chunks(demo.world(), 60, 3, with_outcomes=wanted)) for wanted in (True, False))
    assert_frame_equal(lived.transactions, shown.transactions)
    assert_frame_equal(lived.applications, shown.applications)
    assert (len(lived.truth), len(shown.truth), len(shown.outcomes)) == (60, 0, 0)


def test_every_balance_is_the_one_before_plus_the_amount(bank: Bank) -> None:
    rows = bank.transactions
    assert rows["amount"].dtype == rows["balance"].dtype == np.int64
    assert (rows["amount"] != 0).all()
    expected = rows.groupby("applicant")["amount"].cumsum() + bank.applications["opening"].to_numpy()[rows["applicant"]]
    assert (expected == rows["balance"]).all()


def test_dates_hang_on_the_end_date_alone() -> None:
    end_on = date(2021, 3, 31)
    bank = demo.bank(200, seed=8, end_on=end_on)
    applied = bank.applications["applied_on"]
    assert applied.min() > to_datetime(end_on - timedelta(days=synthetic.APPLYING_DAYS))
    assert applied.max() <= to_datetime(end_on)
    assert (bank.outcomes["observed_on"] <= to_datetime(end_on)).all()
    same = demo.bank(200, seed=8, end_on=end_on + timedelta(days=7))
    assert (same.applications["applied_on"] - applied == timedelta(days=7)).all()


def test_statements_show_a_year_before_applying_and_nothing_after(bank: Bank) -> None:
    rows, applications = bank.transactions, bank.applications
    age = (applications["applied_on"].to_numpy()[rows["applicant"]] - rows["booked_on"].to_numpy()) // np.timedelta64(1, "D")
    assert age.min() >= 1
    assert (age <= applications["history_days"].to_numpy()[rows["applicant"]]).all()
    thin = applications["history_days"] < 90
    assert 0.005 < thin.mean() < 0.04
    whole_year = rows["applicant"].value_counts()[applications.index[~thin]]
    assert 300 <= whole_year.mean() <= 420


def test_outcomes_are_known_only_of_those_who_applied_half_a_year_ago(bank: Bank) -> None:
    known = bank.applications.merge(bank.outcomes, on="applicant_id")
    assert (known["observed_on"] - known["applied_on"] == timedelta(days=life.AFTER)).all()
    assert 0.2 < len(known) / len(bank.applications) < 0.5
    truth = bank.truth.set_index("applicant_id")["bad"]
    assert (bank.outcomes.set_index("applicant_id")["observed_bad"] == truth[bank.outcomes["applicant_id"]]).all()


def test_a_believable_share_goes_bad(bank: Bank) -> None:
    assert 0.06 <= bank.truth["bad"].mean() <= 0.10
    by_persona = bank.truth["bad"].groupby(bank.applications["persona"], observed=True).mean()
    assert by_persona["thrifty pensioner"] < by_persona["steady earner"] < by_persona["stretched family"] < by_persona["debt spiral"]


def test_income_is_around_the_declared_median(bank: Bank) -> None:
    wages = bank.transactions[bank.transactions["category"].astype(str).isin(["INC_SALARY", "INC_GIG", "INC_PENSION"])]
    whole = bank.applications.index[bank.applications["history_days"] == life.BEFORE]
    yearly = wages.groupby("applicant")["amount"].sum().reindex(whole, fill_value=0)
    assert yearly.median() / 12 == pytest.approx(life.MEDIAN_INCOME, rel=0.12)


def test_behaviour_foretells_the_outcome_without_deciding_it(bank: Bank, last_quarter: DataFrame) -> None:
    def count(*categories: str) -> Series:
        held = last_quarter[last_quarter["category"].isin(categories)]
        return held["applicant"].value_counts().reindex(bank.applications.index, fill_value=0)

    lowest = last_quarter.groupby("applicant")["balance"].quantile(0.1).reindex(bank.applications.index)
    signs = [count("FEE_NSF", "RETURNED_ITEM"), count("LOAN_IN_PAYDAY", "DEBT_PAYDAY"), count("FEE_OVERDRAFT", "FEE_LATE"), -lowest]
    index = sum(sign.rank(pct=True) for sign in signs)
    assert 0.70 < auc(bank.truth["bad"].to_numpy(float), np.asarray(index.fillna(0))) < 0.95


def test_what_returns_was_taken_on_the_same_day(bank: Bank) -> None:
    rows = bank.transactions.assign(text=bank.transactions["text"].astype(str))
    back = rows[rows["text"].str.startswith("RETURNED ")]
    assert len(back) > 100
    keys = ["applicant", "booked_on", "amount", "text"]
    taken = back.assign(amount=-back["amount"], text=back["text"].str.removeprefix("RETURNED "))
    assert len(taken[keys].merge(rows[keys].drop_duplicates(), on=keys)) == len(back)


def test_money_goes_the_way_its_category_says(bank: Bank) -> None:
    inward = {"REFUND", "RETURNED_ITEM", "GAMBLING_WIN", "TRF_P2P_IN", "TRF_OWN_IN", "LOAN_IN_PAYDAY"}
    category = bank.transactions["category"].astype(str)
    assert ((category.isin(inward) | category.str.startswith("INC_")) == (bank.transactions["amount"] > 0)).all()
