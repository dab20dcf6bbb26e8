"""What recurs: streams of one merchant, one category, one way of the money, one size of amount and one rhythm, in the last 365 days.

A stream has three payments and more; two are an early one. Amounts are of one size where, in order of size, each is at most a tenth
(± 5 % about their middle) or 2.00 above the one before; pay, energy, water, telephone and card bills vary by nature: half. Money of one
size on one day is one payment. The rhythm is read off the median gap. Due dates stand a period apart, as far from the first payment as
payments usually are; one is met by a payment within 5 days of it (within a third of a short period). Those in a hole nobody could see
are not expected. Ages are days before `as_of`, so that a date to come is below zero; days at the end nobody saw do not count.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from creditrisk.coverage import Coverage
from creditrisk.groups import Column, Groups, Integers, Numbers, groups, half_up, order

PERIODS = {"weekly": 7, "biweekly": 14, "semi-monthly": 15.21875, "four-weekly": 28, "monthly": 30.4375, "quarterly": 91.3125}
CADENCES = np.array(list(PERIODS))
PERIOD = np.array(list(PERIODS.values()), np.float64)
NARROW, WIDE = 1, 5  # tenths of an amount by which the next may be larger
SMALL = 20_000  # and the money by which it may be anyway: 2.00


@dataclass(frozen=True)
class Money:
    """Movements of which some may recur, a row each: applicant, merchant, category, way, age in days, amount (unsigned).

    `varies` says of each category, by its number, whether its amounts vary by nature.
    """

    who: Integers
    merchant: Integers
    kind: Integers
    is_debit: Column
    age: Integers
    amount: Integers
    varies: Column

    def __getitem__(self, rows: Column | slice) -> "Money":
        return Money(
            self.who[rows], self.merchant[rows], self.kind[rows], self.is_debit[rows], self.age[rows], self.amount[rows], self.varies
        )

    @property
    def payee(self) -> Groups:
        return groups(self.who, self.merchant, self.kind, self.is_debit)


def streams(money: Money, coverage: Coverage, least: int = 3) -> dict[str, Column]:
    """Return a row per stream of `least` payments and more: who, merchant, kind, is_debit, cadence, period, n, first_age, last_age,
    next_age, median_gap, amount (typical), lowest, highest (money), state ('early', 'mature', 'ended'), met and expected (due dates, all
    and of the last 180 days), missed_180d: due dates of the last 180 days with no payment up to 7 days later."""
    paid, its, gap = _payments(money, least)
    cadence = _cadence(its, gap)
    has_rhythm = cadence >= 0
    kept = np.repeat(has_rhythm, its.size)
    paid, gap, cadence, size = paid[kept], gap[kept], cadence[has_rhythm], its.size[has_rhythm]
    its = Groups(np.cumsum(size) - size, int(size.sum()))
    who, first_age, last_age, n = its.first(paid.who), its.first(paid.age), its.last(paid.age), its.size
    median_gap = _median_gap(its, gap)
    period = PERIOD[cadence]
    slack = np.minimum(5, np.floor(period / 3))
    unseen = coverage.unseen[who]

    since = its.of_row
    due = half_up((first_age[since] - paid.age) / period[since])
    late = first_age[since] - paid.age - due * period[since]
    usual, last_due = its.median(late), its.max(due)
    base = first_age - usual  # the age of due date 0; due date k has the age base - k * period
    dates = groups(since, due)
    of = since[dates.at]
    due_age = base[of] - due[dates.at] * period[of]
    is_met = dates.any(np.abs(late - usual[since]) <= slack[since])
    is_seen = dates.any(late - usual[since] <= 7) & (due_age <= 180) & (due_age - 7 > unseen[of])
    met = np.bincount(of[is_met], minlength=len(its))
    met_180d = np.bincount(of[is_met & (due_age <= 180)], minlength=len(its))
    seen_180d = np.bincount(of[is_seen], minlength=len(its))

    next_age = base - (last_due + 1) * period
    has_ended = next_age - unseen > np.maximum(period, 14) + slack
    due_in_all = np.maximum(last_due + 1, np.where(has_ended, 0, np.ceil((base - slack - unseen) / period)))
    before_180d = np.maximum(0, np.ceil((base - 180) / period))
    hidden, hidden_180d = _hidden(who, base, period, coverage)
    open_180d = np.maximum(0, np.maximum(0, np.ceil((base - 7 - unseen) / period)) - before_180d)
    return {
        "who": who,
        "merchant": its.first(paid.merchant),
        "kind": its.first(paid.kind),
        "is_debit": its.first(paid.is_debit),
        "cadence": CADENCES[cadence],
        "period": period,
        "n": n,
        "first_age": first_age,
        "last_age": last_age,
        "next_age": next_age,
        "median_gap": median_gap,
        "amount": its.median(paid.amount, 10_000),
        "lowest": its.min(paid.lowest),
        "highest": its.max(paid.highest),
        "state": np.where(has_ended, "ended", np.where(n >= 3, "mature", "early")),
        "met": met,
        "expected": np.maximum(met, due_in_all - hidden),
        "met_180d": met_180d,
        "expected_180d": np.maximum(met_180d, np.maximum(0, due_in_all - before_180d) - hidden_180d),
        "missed_180d": np.where(has_ended, 0, np.maximum(0, open_180d - hidden_180d - seen_180d)),
    }


@dataclass(frozen=True)
class _Paid:
    """Payments, the oldest first: what of one merchant, category, way and size moved on one day."""

    who: Integers
    merchant: Integers
    kind: Integers
    is_debit: Column
    age: Integers
    amount: Integers
    lowest: Integers
    highest: Integers

    def __getitem__(self, rows: Column) -> "_Paid":
        return _Paid(*(column[rows] for column in vars(self).values()))


def _payments(money: Money, least: int) -> tuple[_Paid, Groups, Column]:
    """Return payments in groups of one size, those of enough of them, and the days since the one before (-1 for the first)."""
    money = money[order(money.who, money.merchant, money.kind, money.is_debit)]
    payee = money.payee
    money = money[np.repeat(payee.size >= least, payee.size)]
    money = money[order(money.payee.of_row, money.amount)]
    payee = money.payee
    smaller = payee.lag(money.amount, payee.first(money.amount))
    is_new = (money.amount - smaller) * 10 > np.maximum(smaller * np.where(money.varies[money.kind], WIDE, NARROW), SMALL * 10)
    is_new[payee.at] = True
    of_size = np.cumsum(is_new)
    rows = order(of_size, -money.age)
    money, of_size = money[rows], of_size[rows]
    day = groups(of_size, money.age)
    first = money[day.at]
    paid = _Paid(
        first.who,
        first.merchant,
        first.kind,
        first.is_debit,
        first.age,
        day.sum(money.amount),
        day.min(money.amount),
        day.max(money.amount),
    )
    its = groups(of_size[day.at])
    enough = np.repeat(its.size >= least, its.size)
    paid, its = paid[enough], groups(of_size[day.at][enough])
    return paid, its, its.lag(paid.age, its.first(paid.age) - 1) - paid.age


def _median_gap(its: Groups, gap: Integers) -> Numbers:
    """The middle of the gaps between payments, of which there is one less than payments."""
    between = np.ones(len(gap), bool)
    between[its.at] = False
    return groups(its.of_row[between]).median(gap[between])


def _cadence(its: Groups, gap: Integers) -> Integers:
    """Return the place of each stream's rhythm in PERIODS, -1 where it has none."""
    middle = _median_gap(its, gap)

    def usual(low: int, high: int) -> Numbers:
        fits = (gap >= low) & (gap <= high)
        n = its.count(fits)
        return its.sum(np.where(fits, gap, 0)) / np.where(n == 0, np.nan, n)

    half, whole = (middle >= 12.5) & (middle <= 18), (middle >= 26) & (middle <= 35)
    return np.select(
        [
            (middle >= 6) & (middle <= 8),
            half & (usual(10, 20) <= 14.6),
            half,
            whole & (usual(26, 35) <= 28.7) & (its.size >= 4),
            whole,
            (middle >= 84) & (middle <= 98),
        ],
        list(range(6)),
        -1,
    )


def _hidden(who: Integers, base: Numbers, period: Numbers, coverage: Coverage) -> tuple[Numbers, Numbers]:
    """How many due dates of each stream lie in holes, of all and of the last 180 days."""
    owner, from_age, to_age = coverage.hole
    first, last = np.searchsorted(owner, who), np.searchsorted(owner, who, side="right")
    stream = np.repeat(np.arange(len(who)), last - first)
    hole = np.arange(len(stream)) - np.repeat(np.cumsum(last - first) - last, last - first)
    base, period = base[stream], period[stream]
    after = np.ceil((base - to_age[hole]) / period)

    def within(from_age: Integers) -> Numbers:
        before = np.maximum(0, np.ceil((base - from_age) / period))
        return np.bincount(stream, np.maximum(0, after - before), len(who)).astype(np.float64)

    return within(from_age[hole]), within(np.minimum(180, from_age[hole]))


def recurring(found: Mapping[str, Column], facts: Mapping[str, Column], coverage: Coverage) -> dict[str, Column]:
    """Say of each applicant how income, home, bills and instalments recur, in streams of three payments and more.

    `facts` has a row per category by its number: code, is_income, is_home, is_bill, is_instalment. A share in millionths is added up as
    a whole number, so that the order of streams cannot move the last bit of a mean.
    """
    who, kind, n = found["who"], found["kind"], coverage.n
    is_pay, is_home, is_bill = facts["code"][kind] == "INC_SALARY", facts["is_home"][kind], facts["is_bill"][kind]

    def total(rows: Column, values: Column) -> Numbers:
        return np.bincount(who[rows], values[rows], n).astype(np.float64)

    def some(rows: Column, values: Column) -> Numbers:
        return np.where(np.bincount(who[rows], minlength=n) > 0, total(rows, values), np.nan)

    out: dict[str, Column] = {"who": np.arange(n)}
    steady = facts["is_income"][kind] & (found["state"] == "mature") & (found["last_age"] <= 180)
    out["n_income"] = np.bincount(who[steady], minlength=n)
    for name, rows in (("pay", is_pay), ("home", is_home)):
        for what in ("met", "expected"):
            out[f"{name}_{what}_180d"] = some(rows, found[f"{what}_180d"])
            out[f"{name}_{what}_365d"] = some(rows, found[what])
    since = np.full(n, np.inf)
    np.minimum.at(since, who[is_pay], (found["last_age"] - coverage.unseen[who])[is_pay] / found["median_gap"][is_pay])
    out["since_pay"] = np.where(np.isinf(since), np.nan, since)
    for window, met, expected in ((180, found["met_180d"], found["expected_180d"]), (365, found["met"], found["expected"])):
        is_due = is_bill & (expected > 0)
        out[f"bills_{window}d"] = some(is_due, np.rint(met * 1_000_000 / np.where(is_due, expected, 1)))
        out[f"n_bills_{window}d"] = np.bincount(who[is_due if window < 365 else is_bill], minlength=n)
    out["missed_180d"] = total(facts["is_instalment"][kind], found["missed_180d"])
    return out


def lenders(money: Money, is_debt: Column) -> dict[str, Column]:
    """Say of each applicant (`who`) who borrows how many lenders are paid, and how many of all lenders were first seen of late.

    `money` is what lenders lent and were paid; `is_debt` says of a category, by its number, that it pays one.
    """
    money = money[order(money.who, money.merchant)]
    lender = groups(money.who, money.merchant)
    paid_age = lender.min(np.where(is_debt[money.kind], money.age, 2**15))
    first_age = lender.max(money.age)
    its = groups(lender.first(money.who))
    return {
        "who": its.first(lender.first(money.who)),
        "active_90d": its.count(paid_age <= 90),
        "active_365d": its.count(paid_age <= 365),
        "new_90d": its.count(first_age <= 90),
    }
