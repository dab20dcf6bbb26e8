"""Features as of a date: hand-computed figures, nothing read from the future, nothing assumed where nothing was seen."""

from datetime import date, timedelta
from typing import Any

import pytest
from pandas import Series
from pandas.testing import assert_frame_equal

from creditrisk import categories, features, ledger
from creditrisk.errors import NothingYet, UnknownThing
from creditrisk.store import Store
from tests.books import Movement, keep

AS_OF = date(2025, 7, 1)


def day(age: int) -> str:
    """The day `age` days before the scoring date; 1 is the day before."""
    return (AS_OF - timedelta(days=age)).isoformat()


def row(store: Store, applicant_id: str = "ann", as_of: date = AS_OF) -> "Series[Any]":
    snapshot = features.build(store, user="tester", as_of=as_of)
    return features.table(store, snapshot).set_index("applicant_id").loc[applicant_id]


def year(store: Store, extra: list[Movement] | None = None, *, opening: str = "1000") -> None:
    """Twelve 30-day months of 2,000 in wages and 1,500 out, on fixed days."""
    wages = [(day(30 * month + 20), "2000", "INC_SALARY") for month in range(12)]
    rent = [(day(30 * month + 10), "-1500", "RENT") for month in range(12)]
    keep(store, "ann", [(day(365), "-10", "SHOPPING"), (day(1), "-10", "SHOPPING"), *wages, *rent, *(extra or [])], opening=opening)


def test_a_steady_year_by_hand(store: Store) -> None:
    year(store)
    ann = row(store)
    assert ann["history_days"] == 365
    assert ann["days_since_last_txn"] == 1
    assert ann["observed_days"] == 365
    assert ann["active_days_share_90d"] == pytest.approx(7 / 90)
    assert ann["longest_gap_days_90d"] == 19
    assert ann["income_monthly_median_180d"] == pytest.approx(2000 * 30.44 / 30)
    assert ann["salary_monthly_mean_180d"] == pytest.approx(12000 * 30.44 / 180)
    assert ann["income_cv_180d"] == 0
    assert ann["income_trend_90v365d"] == pytest.approx((6000 / 90) / (24000 / 365))
    assert ann["months_without_income_180d"] == 0
    assert ann["balance_current_total"] == 1000 + 12 * 500 - 20
    assert ann["outflow_to_income_90d"] == pytest.approx(4510 / 6000)
    assert ann["net_cashflow_to_income_180d"] == pytest.approx((6 * 500 - 10) / 12000)
    assert ann["months_negative_cashflow_180d"] == 0
    assert ann["days_negative_90d"] == 0
    assert ann["nsf_returned_count_90d"] == 0
    assert ann["uncategorised_amount_share_90d"] == 0
    assert ann["unreconciled_balance_flag"] == 0


def test_balances_by_hand(store: Store) -> None:
    # 100 for ten days, -50 for twenty, 40 for thirty, 10 for the last thirty: inside the window of ninety.
    keep(
        store,
        "ann",
        [(day(90), "100", "INC_SALARY"), (day(80), "-150", "RENT"), (day(60), "90", "INC_SALARY"), (day(30), "-30", "GROCERIES")],
        opening="0",
    )
    keep(store, "ann", [(day(1), "0.01", "INC_SALARY")], account="2", opening="0")
    ann = row(store)
    assert ann["balance_avg_90d"] == pytest.approx((10 * 100 - 20 * 50 + 30 * 40 + 30 * 10 + 0.01) / 90)
    assert ann["balance_min_90d"] == -50
    assert ann["balance_p10_90d"] == -50
    assert ann["days_negative_90d"] == 20
    assert ann["negative_episodes_90d"] == 1
    assert ann["balance_current_total"] == pytest.approx(10.01)
    daily = Series([100.0] * 10 + [-50.0] * 20 + [40.0] * 30 + [10.0] * 29 + [10.01])
    slope = Series(range(90)).cov(daily) / Series(range(90)).var()
    assert ann["balance_trend_90d"] == pytest.approx(slope * 30 / (190.01 * 30.44 / 90))


def test_payment_problems_are_counted_by_category(store: Store) -> None:
    year(
        store,
        [
            (day(5), "-35", "FEE_NSF"),
            (day(6), "80", "RETURNED_ITEM"),
            (day(7), "-20", "FEE_OVERDRAFT"),
            (day(8), "-60", "GAMBLING"),
            (day(9), "300", "LOAN_IN_PAYDAY"),
            (day(11), "-120", "DEBT_PERSONAL"),
            (day(100), "-35", "FEE_NSF"),
        ],
    )
    ann = row(store)
    assert ann["nsf_returned_count_90d"] == 2
    assert ann["penalty_fees_to_income_90d"] == pytest.approx(20 / 6000)
    assert ann["gambling_to_income_90d"] == pytest.approx(60 / 6000)
    assert ann["payday_count_90d"] == 1
    assert ann["debt_service_to_income_90d"] == pytest.approx(120 / 6000)


def test_own_transfers_and_loans_are_no_income(store: Store) -> None:
    year(store, [(day(12), "5000", "TRF_OWN_IN"), (day(13), "900", "LOAN_IN_PERSONAL"), (day(14), "400", "REFUND")])
    assert row(store)["income_monthly_median_180d"] == pytest.approx(2000 * 30.44 / 30)


def test_nothing_on_or_after_the_date_is_read(store: Store) -> None:
    year(store)
    before = row(store)
    keep(
        store,
        "ann",
        [(AS_OF.isoformat(), "-99999", "GAMBLING"), ((AS_OF + timedelta(days=3)).isoformat(), "-35", "FEE_NSF")],
        opening="6980",
    )
    assert row(store).drop("as_of").equals(before.drop("as_of"))


def test_a_short_history_is_unknown_not_clean(store: Store) -> None:
    keep(store, "ann", [(day(40), "2000", "INC_SALARY"), (day(2), "-50", "GROCERIES")], opening="100")
    ann = row(store)
    assert ann["observed_days"] == 40
    unknown = ["days_negative_90d", "nsf_returned_count_90d", "income_monthly_median_180d", "outflow_to_income_90d", "payday_count_90d"]
    assert ann[unknown].isna().all()
    assert ann["balance_current_total"] == 2050


def test_no_stated_balance_means_no_balance_features(store: Store) -> None:
    keep(store, "ann", [(day(100), "2000", "INC_SALARY"), (day(2), "-50", "GROCERIES")])
    ann = row(store)
    assert ann[["balance_avg_90d", "days_negative_90d", "liquidity_buffer_days", "balance_current_total"]].isna().all()
    assert ann["outflow_to_income_90d"] != 0


def test_overlapping_files_agree_on_the_balance(store: Store) -> None:
    keep(store, "ann", [(day(100), "500", "INC_SALARY"), (day(50), "-200", "RENT")], opening="0")
    keep(store, "ann", [(day(20), "-400", "RENT")], opening="300")
    assert row(store)["balance_current_total"] == -100
    assert row(store)["days_negative_90d"] == 20


def test_a_gap_between_files_is_bridged_by_the_second_opening(store: Store) -> None:
    keep(store, "ann", [(day(100), "500", "INC_SALARY")], opening="0")
    keep(store, "ann", [(day(20), "-400", "RENT")], opening="900")
    assert row(store)["balance_current_total"] == 500


def test_one_applicant_alone_equals_the_same_among_many(store: Store) -> None:
    year(store)
    for name in ("bob", "cho"):
        keep(store, name, [(day(200), "10.10", "INC_GIG"), (day(33), "-7.77", "GROCERIES"), (day(3), "3.33", "INC_GIG")], opening="5")
    together = features.table(store, features.build(store, user="tester", as_of=AS_OF))
    alone = features.table(store, features.build(store, user="tester", as_of=AS_OF, applicant_ids=["bob"]))
    assert_frame_equal(alone, together[together["applicant_id"] == "bob"].reset_index(drop=True), check_exact=True)


def test_the_default_date_is_the_application_else_the_day_after_the_last_row(store: Store) -> None:
    year(store)
    features.build(store, user="tester")
    one = features.one(store, "ann")
    assert one is not None
    assert one["as_of"].date() == AS_OF


def test_evidence_is_what_a_figure_counts(store: Store) -> None:
    year(store, [(day(5), "-35", "FEE_NSF"), (day(100), "-35", "FEE_NSF")])
    shown = features.evidence(store, "ann", AS_OF, store.schema["nsf_returned_count_90d"])
    assert shown["category"].tolist() == ["FEE_NSF"]
    assert shown["amount"].tolist() == [-35]
    assert shown["file_name"].tolist() == ["ann-1.csv"]


def test_every_declared_category_exists_and_matches_its_formula(store: Store) -> None:
    known = categories.taxonomy()
    income = {code for code, kind in known.items() if kind.group == "income"} - {"INC_TAX_REFUND"}
    debt = {code for code in known if code.startswith("DEBT_")}
    for feature in store.schema:
        assert set(feature.categories) <= set(known), feature.name
    assert set(store.schema["income_cv_180d"].categories) == income
    assert set(store.schema["debt_service_to_income_90d"].categories) == debt


def test_asking_too_early_says_what_to_do(store: Store) -> None:
    with pytest.raises(NothingYet, match="store bank statements"):
        features.build(store, user="tester")
    with pytest.raises(NothingYet):
        features.table(store)
    year(store)
    features.build(store, user="tester")
    with pytest.raises(UnknownThing, match="snapshot '99'"):
        features.table(store, 99)


def test_every_declared_feature_has_a_column(store: Store) -> None:
    year(store)
    table = features.table(store, features.build(store, user="tester"))
    assert list(table.columns) == ["applicant_id", "as_of", *(feature.name for feature in store.schema)]


def test_where_income_is_not_visible_ratios_are_over_what_the_account_lives_on(store: Store) -> None:
    cash = [(day(30 * month + 5), "900", "CASH_DEPOSIT") for month in range(12)]
    interest = [(day(30 * month + 6), "2", "INC_INVEST") for month in range(12)]
    spent = [(day(30 * month + 7), "-451", "SHOPPING") for month in range(12)]
    keep(store, "ann", [(day(365), "-5", "SHOPPING"), (day(2), "5000", "LOAN_IN_PERSONAL"), *cash, *interest, *spent], opening="10")
    ann = row(store)
    assert ann["outflow_to_income_90d"] == pytest.approx(451 / 902)
    assert ann["income_monthly_median_180d"] == pytest.approx(2 * 30.44 / 30)
    assert ann["gambling_to_income_90d"] == 0
    assert ann[["income_trend_90v365d"]].isna().all()


def test_looking_from_earlier_reads_nothing_later(store: Store) -> None:
    year(store, [(day(5), "-35", "FEE_NSF"), (day(95), "-35", "FEE_NSF")])
    now = features.build(store, user="tester", as_of=AS_OF)
    before = features.build(store, user="tester", as_of=AS_OF, days_before=90)
    earlier = features.table(store, before).iloc[0]
    assert earlier["as_of"].date() == AS_OF - timedelta(days=90)
    assert earlier["nsf_returned_count_90d"] == 1
    assert features.latest_snapshot(store) == now
    assert features.one(store, "ann")["snapshot_id"] == now  # type: ignore[index]


def test_a_balance_known_for_a_few_days_only_is_unknown_not_clean(store: Store) -> None:
    year(store, opening="0")
    with store.write("tester", "forget", "opening") as cursor:
        cursor.execute("update statement_account set opening = null")
    keep(store, "ann", [(day(5), "1", "INC_GIG")], account="2", opening="50")
    ann = row(store)
    assert ann[["balance_avg_90d", "balance_min_90d", "balance_p10_90d", "balance_trend_90d"]].isna().all()
    assert ann[["days_negative_90d", "negative_episodes_90d", "liquidity_buffer_days"]].isna().all()
    assert ann["balance_current_total"] == 51
    assert ann["outflow_to_income_90d"] > 0


def test_a_trend_into_days_nobody_saw_is_unknown(store: Store) -> None:
    keep(store, "ann", [(day(365 - 20 * number), "100", "INC_SALARY") for number in range(16)], opening="0")  # the last 65 days ago
    ann = row(store)
    assert ann["observed_days"] >= 219
    assert ann[["income_trend_90v365d"]].isna().all()


def test_amounts_in_several_currencies_refer_the_case(store: Store) -> None:
    year(store)
    assert row(store)["unreconciled_balance_flag"] == 0
    keep(store, "ann", [(day(100), "5", "INC_GIG")], account="2", opening="0")
    assert row(store)["unreconciled_balance_flag"] == 0
    with store.write("tester", "change", "account") as cursor:
        cursor.execute("update account set currency = 'JPY' where number = '2'")
    assert row(store)["unreconciled_balance_flag"] == 1


def test_days_between_files_that_nobody_saw_are_unknown_not_quiet(store: Store) -> None:
    wages = [(day(30 * month + 20), "2000", "INC_SALARY") for month in range(12)]
    months = [*wages, (day(365), "-10", "SHOPPING"), (day(1), "-10", "SHOPPING")]
    keep(store, "ann", [entry for entry in months if entry[0] <= day(200)], opening="0")
    keep(store, "ann", [entry for entry in months if entry[0] >= day(50)], opening="0")
    ann = row(store)
    assert ann["observed_days"] == (365 - 200 + 1) + 50
    assert ann[["months_without_income_180d", "income_monthly_median_180d", "days_negative_90d", "payday_count_90d"]].isna().all()


def test_of_the_months_only_those_seen_whole_count(store: Store) -> None:
    wages = [(day(30 * month + 20), "2000", "INC_SALARY") for month in range(6)]
    keep(store, "ann", [(day(180), "-10", "SHOPPING"), *wages[3:], (day(91), "-10", "SHOPPING")], opening="0")
    keep(store, "ann", [*wages[:2], (day(55), "-10", "SHOPPING"), (day(1), "-10", "SHOPPING")], opening="5960")
    ann = row(store)
    assert ann["observed_days"] == 180 - 35
    assert ann["months_without_income_180d"] == 0
    assert ann["salary_monthly_mean_180d"] == pytest.approx(10000 * 30.44 / 145)


def test_a_row_is_the_same_whichever_part_of_many_it_is_computed_in(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, name in enumerate(("ann", "bob", "cho", "dan")):
        keep(
            store, name, [(day(200), "10.10", "INC_GIG"), (day(33), f"-{number}.77", "GROCERIES"), (day(3), "3.33", "INC_GIG")], opening="5"
        )
    whole = features.table(store, features.build(store, user="tester", as_of=AS_OF))
    monkeypatch.setattr(ledger, "MOST_ROWS", 7)
    said: list[tuple[float, str]] = []
    told = features.build(store, user="tester", as_of=AS_OF, progress=lambda share, what: said.append((share, what)))
    assert_frame_equal(features.table(store, told), whole, check_exact=True)
    assert [share for share, _ in said] == [0.0, 0.5]
    assert said[1][1] == "Computing the features of applicants: part 2 of 2"


def test_money_that_came_back_for_something_older_than_a_year_counts_against_it(store: Store) -> None:
    year(store, [(day(370), "-80", "GAMBLING"), (day(20), "80", "INC_GIG")])
    before = row(store)
    with store.write("tester", "pair", "transaction") as cursor:
        cursor.execute(
            """insert into pair select bought.transaction_id, back.transaction_id, 'refund', 'by hand', back.booked_on, now()::timestamp
            from transaction as bought, transaction as back where bought.amount = -80 and back.amount = 80"""
        )
    after = row(store)
    assert before["income_monthly_median_90d"] == after["income_monthly_median_90d"]
    assert after["income_cv_180d"] == 0
    assert before["income_cv_180d"] > 0
    assert after["gambling_active_days_90d"] == 0
