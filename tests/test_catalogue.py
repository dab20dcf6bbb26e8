"""The whole catalogue of features against a reference in plain Python, on small books; and against the list it was taken from."""

import csv
import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from math import isnan, sqrt
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from creditrisk import categories, features
from creditrisk import store as stores
from creditrisk.schema import built_in
from creditrisk.settings import Settings
from creditrisk.store import Store
from tests.books import Movement, keep

AS_OF = date(2025, 7, 1)
KINDS = categories.taxonomy()
INCOME = {code for code, kind in KINDS.items() if kind.group == "income"} - {"INC_TAX_REFUND"}
OWN = {"TRF_OWN_IN", "TRF_OWN_OUT"}
WINDOWS = (30, 60, 90, 180, 365)
NAMED = {"liquidity_buffer_days": "liquidity_buffer_days", "income_trend": "income_trend_90v365d"}  # that do not follow the rule
ADDED = {"penalty_fees_to_income_90d", "observed_days"}  # ours, not in the list


def day(age: int) -> str:
    """The day `age` days before the scoring date; 1 is the day before."""
    return (AS_OF - timedelta(days=age)).isoformat()


def of(groups: Iterable[str]) -> set[str]:
    """The categories of some groups."""
    return {code for code, kind in KINDS.items() if kind.group in set(groups)}


def row(store: Store, applicant_id: str = "ann") -> dict[str, Any]:
    """One applicant's features, computed with everybody's."""
    table = features.table(store, features.build(store, user="tester", as_of=AS_OF))
    return dict(table.set_index("applicant_id").loc[applicant_id])


# --- the list ------------------------------------------------------------------------------------------------------


def test_every_feature_of_the_list_is_declared_in_each_of_its_windows_with_its_sign(shared: Path) -> None:
    declared, said = {feature.name: feature for feature in built_in()}, set(ADDED)
    for line in csv.DictReader((shared / "cashflow_features.csv").read_text(encoding="utf-8").splitlines()):
        name, windows = line["feature"], line["windows_days"].split(",")
        names = [NAMED.get(name) or (f"{name}_{window}d" if window.isdigit() else name) for window in windows]
        for window, found in zip(windows, names, strict=True):
            feature = declared[found]
            sign = {"+": 1, "-": -1, "0": 0, "report": 0}[line["risk_sign"]]
            assert feature.risk == sign, found
            assert line["risk_sign"] != "report" or feature.role == "report", found
            assert not window.isdigit() or feature.window_days == int(window), found
        said.update(names)
    assert said == set(declared)


def test_a_model_reads_some_fifty_figures_and_nothing_protected() -> None:
    assert 45 <= len(built_in().predictors) <= 55
    shielded = {code for code, kind in KINDS.items() if kind.protected} - INCOME  # protected income is income all the same
    for feature in built_in().predictors:
        assert not shielded & set(feature.categories), feature.name
        assert feature.reason, feature.name
        assert feature.risk, feature.name


def test_every_figure_says_when_it_is_not_known() -> None:
    for feature in built_in():
        assert feature.meaning.endswith("."), feature.name
        assert feature.concept in dict(built_in().concepts), feature.name


# --- money ---------------------------------------------------------------------------------------------------------

SHARES: dict[str, tuple[set[str], int]] = {  # feature: categories, sign of the amounts
    "essential_to_income": (of(["essential", "housing", "committed"]), -1),
    "discretionary_to_income": (of(["discretionary"]), -1),
    "rent_to_income": ({"RENT", "DEBT_MORTGAGE"}, -1),
    "debt_service_to_income": (of(["debt"]), -1),
    "loan_in_to_income": (of(["loan_in"]), 1),
    "bnpl_to_income": ({"DEBT_BNPL"}, -1),
    "overdraft_fee_to_income": ({"FEE_OVERDRAFT"}, -1),
    "gambling_to_income": ({"GAMBLING"}, -1),
}
COUNTS = {
    "loan_in_count": of(["loan_in"]),
    "payday_count": {"LOAN_IN_PAYDAY", "DEBT_PAYDAY"},
    "ewa_count": {"LOAN_IN_EWA"},
    "debt_collection_count": {"DEBT_COLLECTION"},
    "nsf_returned_count": {"FEE_NSF", "RETURNED_ITEM"},
    "late_fee_count": {"FEE_LATE"},
}


def book(seed: int, n: int = 160) -> list[Movement]:
    """A random year in which every category occurs now and then, and wages come each month."""
    dice = random.Random(seed)
    made = [(day(365), "-1.00", "SHOPPING"), (day(1), "-1.00", "SHOPPING")]
    made += [(day(30 * month + 15), f"{dice.randint(150_000, 200_000) / 100:.2f}", "INC_SALARY") for month in range(12)]
    for _ in range(n):
        code = dice.choice(sorted(KINDS))
        coming = {"in": True, "out": False, "both": dice.random() < 0.5}[KINDS[code].direction]
        made.append((day(dice.randint(1, 365)), f"{'' if coming else '-'}{dice.randint(1, 30_000) / 100:.2f}", code))
    return made


def reference(made: list[Movement]) -> dict[str, float | None]:
    """The features of a fully observed year that are sums and counts, by their definitions."""
    rows = [((AS_OF - date.fromisoformat(on)).days, Decimal(amount), code) for on, amount, code in made]
    out: dict[str, float | None] = {}

    def total(window: int, codes: set[str]) -> Decimal:
        return sum((amount for age, amount, code in rows if age <= window and code in codes), Decimal(0))

    months = range(12)
    income = [sum((a for age, a, code in rows if (age - 1) // 30 == m and code in INCOME), Decimal(0)) for m in months]
    net = [sum((a for age, a, code in rows if (age - 1) // 30 == m and code not in OWN), Decimal(0)) for m in months]
    for window in WINDOWS:
        earned = total(window, INCOME)
        moved = [(amount, code) for age, amount, code in rows if age <= window and code not in OWN]
        spent, came = -sum(a for a, _ in moved if a < 0), sum(a for a, _ in moved if a > 0)
        for name, (codes, sign) in SHARES.items():
            out[f"{name}_{window}d"] = float(sign * total(window, codes)) / float(earned)
        for name, codes in COUNTS.items():
            out[f"{name}_{window}d"] = sum(1 for age, _, code in rows if age <= window and code in codes)
        out[f"outflow_to_income_{window}d"] = float(spent) / float(earned)
        out[f"net_cashflow_to_income_{window}d"] = float(came - spent) / float(earned)
        out[f"cash_withdrawal_share_{window}d"] = float(-total(window, {"CASH_WITHDRAWAL"})) / float(spent)
        out[f"cash_deposit_share_{window}d"] = float(total(window, {"CASH_DEPOSIT"})) / float(came)
        out[f"benefits_share_{window}d"] = float(total(window, {"INC_BENEFITS"})) / float(earned)
        out[f"salary_monthly_mean_{window}d"] = float(total(window, {"INC_SALARY"})) * 30.44 / window
        committed = total(window, of(["essential", "housing", "committed", "debt"]))
        out[f"disposable_to_income_{window}d"] = float(earned + committed) / float(earned)
        out[f"savings_rate_{window}d"] = float(-total(window, {"INVEST_OUT"})) / float(earned)
        whole = window // 30
        out[f"income_monthly_median_{window}d"] = median(float(value) for value in income[:whole]) * 30.44 / 30
        out[f"months_without_income_{window}d"] = sum(value <= 0 for value in income[:whole])
        out[f"months_negative_cashflow_{window}d"] = sum(value < 0 for value in net[:whole])
        if whole >= 3:
            values = [float(value) for value in income[:whole]]
            mean = sum(values) / whole
            out[f"income_cv_{window}d"] = sqrt(sum((value - mean) ** 2 for value in values) / (whole - 1)) / mean
        out[f"active_days_share_{window}d"] = len({age for age, _, _ in rows if age <= window}) / window
    last = min((age for age, _, code in rows if code in COUNTS["nsf_returned_count"]), default=365)
    out["days_since_last_nsf_365d"] = last
    out["gambling_active_days_90d"] = len({age for age, _, code in rows if age <= 90 and code == "GAMBLING"})
    return out


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sums_and_counts_are_those_of_the_definitions(store: Store, seed: int) -> None:
    made = book(seed)
    keep(store, "ann", made)
    found, expected = row(store), reference(made)
    compared = [name for name in expected if name in found]
    assert len(compared) > 50
    for name in compared:
        assert found[name] == pytest.approx(expected[name], rel=1e-12, abs=1e-12), name


# --- balances ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [4, 5])
def test_balance_figures_are_those_of_the_daily_balance(store: Store, seed: int) -> None:
    made = book(seed, 80)
    keep(store, "ann", made, opening="-200")
    found = row(store)
    moved = defaultdict(Decimal)
    for on, amount, _ in made:
        moved[(AS_OF - date.fromisoformat(on)).days] += Decimal(amount)
    held, daily = Decimal(-200), {}
    for age in range(365, 0, -1):
        held += moved[age]
        daily[age] = held
    essentials = of(["essential", "housing", "committed"]) - {code for code, kind in KINDS.items() if kind.protected}
    needs = -sum(Decimal(a) for on, a, code in made if date.fromisoformat(on) >= AS_OF - timedelta(days=90) and code in essentials)
    for window in WINDOWS:
        values = np.array([float(daily[age]) for age in range(window, 0, -1)])
        below = values < 0
        runs = int(below[0]) + int((below[1:] & ~below[:-1]).sum())
        expected = {
            "balance_avg": values.mean(),
            "balance_min": values.min(),
            "balance_p10": np.sort(values)[int(np.ceil(window / 10)) - 1],
            "balance_cv": values.std(ddof=1) / np.abs(values).mean(),
            "days_negative": below.sum(),
            "negative_episodes": runs,
            "days_below_buffer": (values < 7 * float(needs) / 90).sum(),
        }
        for name, value in expected.items():
            if f"{name}_{window}d" in found:
                assert found[f"{name}_{window}d"] == pytest.approx(value, rel=1e-9), (name, window)
        if window in (90, 180):
            monthly = sum(float(a) for on, a, code in made if date.fromisoformat(on) >= AS_OF - timedelta(days=window) and code in INCOME)
            slope = np.polyfit(np.arange(window), values, 1)[0] * 30 / (monthly * 30.44 / window)
            assert found[f"balance_trend_{window}d"] == pytest.approx(slope, rel=1e-6)
    overdrawn = [age for age, value in daily.items() if value < 0]
    assert found["days_since_last_negative_365d"] == min(overdrawn, default=365)
    assert found["balance_current_total"] == float(daily[1])


def test_a_known_clean_year_has_never_been_overdrawn_and_an_unknown_one_is_unknown(store: Store) -> None:
    keep(store, "ann", [(day(365), "5", "INC_GIG"), (day(1), "5", "INC_GIG")], opening="10")
    keep(store, "bob", [(day(365), "5", "INC_GIG"), (day(1), "5", "INC_GIG")])
    table = features.table(store, features.build(store, user="tester", as_of=AS_OF)).set_index("applicant_id")
    assert table.loc["ann", "days_since_last_negative_365d"] == 365
    assert isnan(table.loc["bob", "days_since_last_negative_365d"])


# --- what belongs together, and accounts ---------------------------------------------------------------------------


def pair(store: Store, out_text: str, in_text: str, kind: str) -> None:
    """Pair the only movement of one category with the only one of another."""
    with store.write("tester", "pair", kind) as cursor:
        cursor.execute(
            """insert into pair
            select gone.transaction_id, come.transaction_id, $kind, 'same amount', greatest(gone.booked_on, come.booked_on), $at
            from movement as gone, movement as come
            where gone.category = $gone and come.category = $come and gone.amount = -come.amount""",
            {"kind": kind, "gone": out_text, "come": in_text, "at": stores.now()},
        )


def test_money_that_came_back_counts_against_what_it_was_spent_on(store: Store) -> None:
    wages = [(day(30 * month + 20), "1000", "INC_SALARY") for month in range(12)]
    kept = [(day(365), "-1", "GROCERIES"), (day(1), "-1", "GROCERIES"), *wages]
    returned = [(day(40), "-500", "RENT"), (day(38), "500", "UNKNOWN"), (day(30), "-500.5", "RENT")]
    fees = [(day(37), "-35", "FEE_NSF"), (day(20), "35", "REFUND"), (day(36), "-30", "FEE_NSF")]
    bought = [(day(50), "-80", "SHOPPING"), (day(45), "80", "INC_OTHER")]
    keep(store, "ann", [*kept, *returned, *fees, *bought], opening="0")
    before = row(store)
    assert before["nsf_returned_count_90d"] == 2
    pair(store, "RENT", "UNKNOWN", "returned item")
    pair(store, "FEE_NSF", "REFUND", "reversed fee")
    pair(store, "SHOPPING", "INC_OTHER", "refund")
    after = row(store)
    assert after["nsf_returned_count_90d"] == 2  # the fee that stayed and the rent that came back; not the fee that was paid back
    assert after["rent_to_income_90d"] == pytest.approx(500.5 / 3000)
    assert after["discretionary_to_income_90d"] == 0
    assert after["outflow_to_income_90d"] == pytest.approx((500.5 + 30 + 1) / 3000)
    assert after["net_cashflow_to_income_365d"] == pytest.approx(before["net_cashflow_to_income_365d"] * 12080 / 12000)
    shown = features.evidence(store, "ann", AS_OF, store.schema["rent_to_income_90d"])
    assert shown["amount"].sum() == -500.5
    assert len(features.evidence(store, "ann", AS_OF, store.schema["nsf_returned_count_90d"])) == 2


def test_what_came_back_of_something_unknown_is_a_refund_and_neither_income_nor_unknown(store: Store) -> None:
    kept = [(day(365), "-1", "GROCERIES"), (day(60), "100", "INC_SALARY"), (day(1), "-1", "GROCERIES")]
    keep(store, "ann", [*kept, (day(50), "-80", "UNKNOWN"), (day(45), "80", "INC_OTHER")])
    before = row(store)
    assert before["outflow_to_income_90d"] == pytest.approx(81 / 180)
    pair(store, "UNKNOWN", "INC_OTHER", "refund")
    after = row(store)
    assert after["outflow_to_income_90d"] == pytest.approx(81 / 100)  # whether it was spent nobody knows, so nothing is taken off
    assert after["uncategorised_amount_share_90d"] == before["uncategorised_amount_share_90d"] == pytest.approx(80 / 261)


def test_an_account_of_own_transfers_and_interest_is_savings(store: Store) -> None:
    wages = [(day(30 * month + 20), "1000", "INC_SALARY") for month in range(12)]
    spent = [(day(30 * month + 9), "-100", code) for month, code in enumerate(["RENT", "GROCERIES", "TRANSPORT"] * 4)]
    aside = [(day(30 * month + 10), "-50", "TRF_OWN_OUT") for month in range(12)]
    keep(store, "ann", [(day(365), "-1", "GROCERIES"), *wages, *spent, *aside, (day(1), "-1", "GROCERIES")], opening="0")
    alone = row(store)
    assert isnan(alone["has_savings_account"])
    assert isnan(alone["savings_balance_total"])
    assert alone["savings_rate_90d"] == 0  # own transfers, but nothing says that they are saved
    assert alone["is_primary_account_90d"] == 1
    keep(
        store,
        "ann",
        [(on, amount.removeprefix("-"), "TRF_OWN_IN") for on, amount, _ in aside] + [(day(2), "3", "INC_INVEST")],
        account="2",
        opening="100",
    )
    both = row(store)
    assert both["has_savings_account"] == 1
    assert both["savings_balance_total"] == 100 + 12 * 50 + 3
    assert both["savings_rate_90d"] == pytest.approx(150 / 3003)


def test_an_account_without_pay_or_with_few_kinds_of_spending_is_not_the_one_life_is_paid_from(store: Store) -> None:
    keep(store, "ann", [(day(100), "9", "INC_GIG"), (day(50), "-5", "RENT"), (day(40), "-5", "GROCERIES"), (day(1), "9", "INC_GIG")])
    assert row(store)["is_primary_account_90d"] == 0


def test_returned_direct_debits_are_a_share_of_those_that_were_asked_for(store: Store) -> None:
    bills = [(day(age), "-20", "UTIL_ENERGY") for age in (150, 120, 90, 60)]
    keep(store, "ann", [(day(200), "1", "INC_GIG"), *bills, (day(58), "20", "RETURNED_ITEM"), (day(1), "1", "INC_GIG")])
    assert isnan(row(store)["returned_dd_share_180d"])  # something came back, and nothing says what was a direct debit
    with store.write("tester", "describe", "bills") as cursor:
        cursor.execute("update description set is_direct_debit = true where category = 'UTIL_ENERGY'")
    assert row(store)["returned_dd_share_180d"] == 0.25


# --- streams -------------------------------------------------------------------------------------------------------


def paid(name: str, category: str, ages: Iterable[int], amount: str | list[str]) -> list[tuple[str, str, str, str]]:
    """Payments of one merchant: day, amount, category, words."""
    return [(day(age), amount if isinstance(amount, str) else amount[place], category, name) for place, age in enumerate(ages)]


def tell(store: Store, entries: list[tuple[str, str, str, str]], applicant_id: str = "ann", opening: str | None = None) -> None:
    """Store payments under the words of their merchants, in a year that is observed whole."""
    edges = [(day(365), "-1", "CASH_WITHDRAWAL", "EDGE"), (day(1), "-1", "CASH_WITHDRAWAL", "EDGE")]
    everything = [*edges, *entries]
    before = store.value("select coalesce(max(description_id), 0) from description")
    keep(store, applicant_id, [entry[:3] for entry in everything], opening=opening)
    with store.write("tester", "describe", applicant_id) as cursor:
        for place, entry in enumerate(everything, start=1):  # `keep` makes a description for each movement, in order
            cursor.execute("update description set cleaned = $words where description_id = $id", {"words": entry[3], "id": before + place})


def one_stream(store: Store, name: str) -> dict[str, Any]:
    found = features.streams(store, "ann", AS_OF)
    (only,) = found[found["name"] == name].to_dict("records")
    return {str(key): value for key, value in only.items()}


@pytest.mark.parametrize(
    ("cadence", "period", "ages"),
    [
        ("weekly", 7, range(355, 4, -7)),
        ("biweekly", 14, range(355, 4, -14)),
        ("four-weekly", 28, list(range(12, 350, 28))),
        ("monthly", 30, [(AS_OF - date(2024 + (month + 6) // 12, (month + 6) % 12 + 1, 25)).days for month in range(12)]),
        ("semi-monthly", 15, [(AS_OF - date(2025, month, on)).days for month in range(1, 7) for on in (1, 15)]),
        ("quarterly", 91, [(AS_OF - date(2024, 9, 5)).days, (AS_OF - date(2024, 12, 5)).days, (AS_OF - date(2025, 3, 5)).days, 26]),
    ],
)
def test_a_rhythm_is_recognised(store: Store, cadence: str, period: int, ages: Iterable[int]) -> None:
    tell(store, paid("LANDLORD", "RENT", ages, "-700"))
    found = one_stream(store, "LANDLORD")
    assert (found["cadence"], found["period_days"], found["state"]) == (cadence, period, "mature")
    assert found["regularity"] == 1
    assert (found["direction"], found["category"], found["amount"], found["n"]) == ("out", "RENT", 700, len(list(ages)))
    last = date.fromisoformat(day(min(ages)))
    assert found["last_on"].date() == last
    assert abs((found["next_on"].date() - last).days - period) <= 2


def test_two_loans_of_one_lender_are_two_streams_and_rising_pay_is_one(store: Store) -> None:
    loans = paid("LENDER", "DEBT_PERSONAL", range(340, 9, -30), "-100") + paid("LENDER", "DEBT_PERSONAL", range(335, 4, -30), "-250")
    pay = paid("EMPLOYER", "INC_SALARY", range(350, 19, -30), [f"{2000 + 40 * step}" for step in range(12)])
    tell(store, [*loans, *pay])
    found = features.streams(store, "ann", AS_OF)
    assert found[found["name"] == "LENDER"]["amount"].tolist() == [250, 100]
    assert found[found["name"] == "EMPLOYER"]["n"].tolist() == [12]
    assert row(store)["active_lender_count_90d"] == 1


def test_a_stream_that_stopped_has_ended_and_a_young_one_is_early(store: Store) -> None:
    tell(store, paid("OLD GYM", "SUBSCRIPTION", range(350, 139, -30), "-20") + paid("NEW PHONE", "UTIL_TELECOM", (40, 10), "-15"))
    assert one_stream(store, "OLD GYM")["state"] == "ended"
    assert one_stream(store, "OLD GYM")["regularity"] == 1
    assert one_stream(store, "NEW PHONE")["state"] == "early"


def test_purchases_that_only_happen_to_recur_are_no_stream(store: Store) -> None:
    tell(store, paid("CAFE", "EATING_OUT", (300, 270, 262, 240, 199, 180, 121, 90, 88, 30), "-4.20"))
    assert features.streams(store, "ann", AS_OF).empty


def test_what_was_missed_and_what_was_late_are_told_apart(store: Store) -> None:
    wages = paid("EMPLOYER", "INC_SALARY", range(350, 19, -30), "2000")
    rent = [age + (9 if age == 70 else 0) - (12 if age == 40 else 0) for age in range(340, 9, -30)]  # once 9 days early, once 12 late
    loan = [age for age in range(345, 14, -30) if age != 75]  # an instalment left out
    tell(store, [*wages, *paid("LANDLORD", "RENT", rent, "-700"), *paid("LENDER", "DEBT_AUTO", loan, "-90")])
    found = row(store)
    assert found["housing_on_time_share_180d"] == pytest.approx(4 / 6)
    assert found["expected_loan_payment_missed_180d"] == 1
    assert found["salary_regularity_180d"] == 1
    assert found["income_source_count_180d"] == 1
    assert found["days_since_last_salary_ratio"] == pytest.approx(20 / 30)
    assert found["recurring_bill_regularity_180d"] == pytest.approx((4 / 6 + 5 / 6) / 2, abs=1e-6)


def test_without_streams_their_figures_are_unknown_and_counts_are_nought(store: Store) -> None:
    keep(store, "ann", [(day(365), "-1", "GROCERIES"), (day(1), "-1", "GROCERIES")])
    found = row(store)
    unknown = ["salary_regularity_180d", "housing_on_time_share_180d", "recurring_bill_regularity_180d", "days_since_last_salary_ratio"]
    assert all(isnan(found[name]) for name in unknown)
    nought = ["income_source_count_180d", "expected_loan_payment_missed_180d", "active_lender_count_90d", "new_lender_count_90d"]
    assert [found[name] for name in nought] == [0, 0, 0, 0]


def test_due_dates_that_nobody_could_see_are_not_missed(store: Store) -> None:
    loan = paid("LENDER", "DEBT_AUTO", range(345, 14, -30), "-90")
    seen = [entry for entry in loan if not day(150) < entry[0] < day(110)]
    with_hole = [entry for entry in seen if entry[0] <= day(150)], [entry for entry in seen if entry[0] >= day(110)]
    for number, part in enumerate(with_hole):
        before = store.value("select coalesce(max(description_id), 0) from description")
        keep(store, "ann", [entry[:3] for entry in part], account=str(number))
        with store.write("tester", "describe", "ann") as cursor:
            cursor.execute("update description set cleaned = 'LENDER' where description_id > $id", {"id": before})
    found = row(store)
    assert found["expected_loan_payment_missed_180d"] == 0
    assert one_stream(store, "LENDER")["regularity"] == 1


def test_lenders_seen_before_are_not_new(store: Store) -> None:
    old = paid("OLD LENDER", "DEBT_PERSONAL", (200, 80, 20), "-50")
    tell(store, [*old, *paid("QUICK CASH", "LOAN_IN_PAYDAY", (60,), "300"), *paid("QUICK CASH", "DEBT_PAYDAY", (30,), "-390")])
    found = row(store)
    assert found["active_lender_count_90d"] == 2
    assert found["new_lender_count_90d"] == 1


def test_a_short_history_knows_of_no_new_lender(store: Store) -> None:
    keep(store, "ann", [(day(95), "-5", "DEBT_PERSONAL"), (day(1), "-5", "DEBT_PAYDAY")])
    assert isnan(row(store)["new_lender_count_90d"])
    assert row(store)["active_lender_count_90d"] == 1


# --- every row is the same, and what stands behind it --------------------------------------------------------------


MOVES = st.lists(
    st.tuples(st.integers(1, 364), st.integers(1, 99_999), st.sampled_from(sorted(KINDS)), st.sampled_from(["EMPLOYER", "LENDER", "SHOP"])),
    min_size=1,
    max_size=25,
)


def entries(moves: list[tuple[int, int, str, str]]) -> list[tuple[str, str, str, str]]:
    """Movements as `tell` takes them, in the direction of their category."""
    return [
        (day(age), f"{'-' if KINDS[code].direction == 'out' else ''}{cents / 100:.2f}", code, words) for age, cents, code, words in moves
    ]


@settings(max_examples=8)
@given(moves=MOVES)
def test_the_order_of_arrival_and_the_company_change_no_bit(moves: list[tuple[int, int, str, str]]) -> None:
    from dataclasses import replace
    from tempfile import TemporaryDirectory

    from creditrisk.settings import load

    rows = []
    with TemporaryDirectory() as folder:
        quiet: Settings = replace(load(), data=Path(folder), models=Path(folder))
        for arrived, others in ((moves, []), (moves[::-1], moves[: len(moves) // 2])):
            opened = stores.open_in_memory(quiet)
            if others:
                tell(opened, entries(others), "aaa", opening="7.01")
            tell(opened, entries(arrived), "ann", opening="50")
            if others:
                tell(opened, entries(others), "zoe")
            ids = None if others else ["ann"]
            table = features.table(opened, features.build(opened, user="tester", as_of=AS_OF, applicant_ids=ids))
            rows.append(table[table["applicant_id"] == "ann"].reset_index(drop=True))
            opened.close()
    assert_frame_equal(rows[0], rows[1], check_exact=True)


@settings(max_examples=8)
@given(first=st.integers(2, 365))
def test_more_history_never_makes_a_known_figure_unknown(first: int) -> None:
    from dataclasses import replace
    from tempfile import TemporaryDirectory

    from creditrisk.settings import load

    with TemporaryDirectory() as folder:
        opened = stores.open_in_memory(replace(load(), data=Path(folder), models=Path(folder)))
        full = [(day(365), "2000", "INC_SALARY", "EMPLOYER")]
        full += [
            (day(age), "2000" if age % 30 == 5 else "-20", "INC_SALARY" if age % 30 == 5 else "GROCERIES", "X") for age in range(1, 365)
        ]
        for name, since in (("all", 365), ("some", first)):
            keep(opened, name, [entry[:3] for entry in full if entry[0] >= day(since)], opening="10")
        table = features.table(opened, features.build(opened, user="tester", as_of=AS_OF)).set_index("applicant_id")
        opened.close()
    known = table.notna()
    assert (known.loc["all"] | ~known.loc["some"]).all()
    for window in WINDOWS:
        counted = [name for name in table.columns if name.startswith(("nsf_returned_count", "loan_in_count")) and f"_{window}d" in name]
        assert (known.loc["some", counted] == (first >= 0.6 * window)).all()


def test_what_stands_behind_a_figure_adds_up_to_it(store: Store) -> None:
    made = [(*entry, "WORDS") for entry in book(7, 300)]
    loans = paid("LENDER", "DEBT_AUTO", range(345, 14, -30), "-90")
    tell(store, [*made, *loans], opening="100")
    found = row(store)
    income = {w: features.evidence(store, "ann", AS_OF, store.schema[f"salary_monthly_mean_{w}d"])["amount"].sum() for w in (90, 180, 365)}
    assert income[180] * 30.44 / 180 == pytest.approx(found["salary_monthly_mean_180d"])
    earned = {
        window: features.evidence(store, "ann", AS_OF, store.schema[f"income_monthly_median_{window}d"])["amount"].sum()
        for window in (90, 180, 365)
    }
    checked = 0
    for feature in store.schema:
        if isnan(found[feature.name]) or (feature.role == "report" and feature.concept == "guard"):
            continue
        shown = features.evidence(store, "ann", AS_OF, feature)
        columns = ["booked_on", "text", "category", "amount", "account", "file_name", "line", "transaction_id"]
        assert list(shown.columns) == columns, feature.name
        assert shown["booked_on"].is_monotonic_decreasing, feature.name
        name, value, amount = feature.name, found[feature.name], shown["amount"].sum()
        if "_count_" in name and not feature.behind and not name.startswith(("active_lender", "new_lender")):
            assert len(shown) == value, name
            checked += 1
        elif "_to_income_" in name and feature.window_days in earned and not name.startswith(("disposable", "net_")):
            assert abs(amount) / earned[feature.window_days] == pytest.approx(value), name
            checked += 1
        elif name.startswith("net_cashflow"):
            assert amount / earned[feature.window_days or 0] == pytest.approx(value), name
            checked += 1
        elif name.startswith(("days_since_last_nsf", "gambling_active_days")):
            ages = (np.datetime64(AS_OF) - shown["booked_on"].to_numpy().astype("datetime64[D]")).astype(int)
            assert value == (ages.min() if name.startswith("days_since") else len(set(ages))), name
            checked += 1
    assert checked > 35
    assert set(features.evidence(store, "ann", AS_OF, store.schema["expected_loan_payment_missed_180d"])["amount"]) == {-90}
    assert (
        len(features.evidence(store, "ann", AS_OF, store.schema["balance_avg_90d"]))
        == sum(entry[0] >= day(90) for entry in [*made, *loans]) + 1
    )


def test_every_figure_of_nobody_special_is_within_its_bounds(store: Store) -> None:
    for number in range(3):
        keep(store, f"p{number}", book(20 + number, 120), opening="0")
    table = features.table(store, features.build(store, user="tester", as_of=AS_OF))
    for feature in store.schema:
        for value in table[feature.name]:
            assert feature.problem(float(value)) is None, (feature.name, value)
