"""The features of the built-in schema, from what was booked and seen of some applicants: each formula once, for one and for all alike.

Money is whole ten-thousandths until it is divided, so its sums are exact in whatever order they are added (up to 900 thousand
million). Where under 60 % of a window was observed `days` has nothing (NaN), and so has whatever is divided by it or asks for it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from creditrisk import balances, recurring, turnover
from creditrisk.balances import Days
from creditrisk.coverage import WINDOWS, Coverage
from creditrisk.groups import Column, Integers, Numbers
from creditrisk.recurring import Money
from creditrisk.turnover import AVERAGE_MONTH, NOTHING, Booked, Turnover

Facts = Mapping[str, Column]

SAVINGS = re.compile(r"SAVING|SPARKONTO|SPARBUCH|TAGESGELD|EPARGNE|LIVRET|MONEY ?MARKET")
PENALTIES = ("FEE_OVERDRAFT", "FEE_LATE", "FEE_INTEREST")
RETURNED = ("FEE_NSF", "RETURNED_ITEM")
PAYDAY = ("LOAN_IN_PAYDAY", "DEBT_PAYDAY")


def figures(coverage: Coverage, days: Days, booked: Booked, facts: Facts) -> dict[str, Column]:
    """Return `who` and every feature of the built-in schema by name (floats, NaN where unknown), one row per applicant with transactions.

    `facts` has a row per category: the columns of `sql/features/purpose.sql`, in order of `number`.
    """
    with np.errstate(all="ignore"):
        book = _Book(coverage, days, booked, facts)
        known = {name: values for part in PARTS for name, values in part(book).items()}
    who = book.activity["who"]
    return {"who": who, **{name: np.asarray(values, np.float64)[who] for name, values in known.items()}}


def standing(booked: Booked, coverage: Coverage, facts: Facts, *, every: bool = False) -> Money:
    """Return the movements that tend to recur, or all that count as events."""
    return _money(booked, coverage, facts, _fact(facts, "is_standing")[booked.event] | (every & (booked.event != NOTHING)))


def _money(booked: Booked, coverage: Coverage, facts: Facts, rows: Column) -> Money:
    account, amount = booked.account[rows], booked.amount[rows]
    columns = (booked.merchant[rows], booked.event[rows], amount < 0, booked.age[rows], np.abs(amount), _fact(facts, "varies"))
    return Money(coverage.owner[account], *columns)


def _fact(facts: Facts, name: str) -> Column:
    """Of which categories, by their numbers, a fact holds; never of NOTHING."""
    found = np.zeros(NOTHING + 1, bool)
    found[facts["number"]] = facts[name]
    return found


@dataclass
class _Book:
    """What is known of some applicants, with a place for each: `who` is the place."""

    coverage: Coverage
    days_moved: Days
    booked: Booked
    facts: Facts

    @property
    def n(self) -> int:
        return self.coverage.n

    # --- what was seen, held and found to recur: each with a row per applicant it is known of ---

    @cached_property
    def activity(self) -> Facts:
        return balances.activity(self.days_moved, self.coverage)

    @cached_property
    def rhythm(self) -> Facts:
        income, net = (turnover.monthly(self.moved, rows, self.n) for rows in (self.counted("is_income"), ~self.counted("is_own")))
        return {"who": np.arange(self.n), **turnover.rhythm(income, net, self.coverage)}

    @cached_property
    def buffer(self) -> Facts:
        rows = self.counted("is_basic")
        basic = -np.bincount(self.who[rows], self.moved.amount(90)[rows], self.n).astype(np.int64)
        return balances.buffer(balances.levels(self.days_moved, self.coverage), self.coverage, basic)

    @cached_property
    def recurring(self) -> Facts:
        found = recurring.streams(standing(self.booked, self.coverage, self.facts), self.coverage)
        return recurring.recurring(found, self.facts, self.coverage)

    @cached_property
    def lender(self) -> Facts:
        is_debt = _fact(self.facts, "is_debt")
        rows = (is_debt | _fact(self.facts, "is_loan_in"))[self.booked.event]
        return recurring.lenders(_money(self.booked, self.coverage, self.facts, rows), is_debt)

    def of(self, step: str, name: str, otherwise: float = np.nan) -> Numbers:
        """A column of what has a row per applicant."""
        its: Facts = getattr(self, step)
        found = np.full(self.n, otherwise)
        found[its["who"]] = its[name]
        return found

    @cached_property
    def _days(self) -> dict[int, Numbers]:
        return {window: self.coverage.days(window) for window in WINDOWS}

    def days(self, window: int) -> Numbers:
        """How many of the last days were observed, nothing where too few."""
        return self._days[window]

    # --- sums over turnover ---

    @cached_property
    def moved(self) -> Turnover:
        return turnover.turnover(self.booked, self.coverage)

    @property
    def who(self) -> Integers:
        return self.moved.who

    @cached_property
    def has_moved(self) -> Column:
        return np.bincount(self.who, minlength=self.n) > 0

    @property
    def is_debit(self) -> Column:
        return self.moved.is_debit

    @property
    def account(self) -> Integers:
        """The place of each row's account."""
        return self.moved.account

    def counted(self, fact: str) -> Column:
        """Which rows count towards a category of which a fact holds (a column of `purpose`)."""
        return _fact(self.facts, fact)[self.moved.counted_as]

    def happened(self, fact: str) -> Column:
        """Which rows are events of a category of which a fact holds."""
        return _fact(self.facts, fact)[self.moved.event]

    def towards(self, *codes: str) -> Column:
        """Which rows count towards one of some categories."""
        return self.is_one(codes)[self.moved.counted_as]

    def events(self, *codes: str) -> Column:
        """Which rows are events of one of some categories."""
        return self.is_one(codes)[self.moved.event]

    def total(self, rows: Column, value: Numbers) -> Numbers:
        """What some rows add up to; nothing where an applicant had no movement in a year."""
        return np.where(self.has_moved, np.bincount(self.who[rows], value[rows], self.n), np.nan)

    def sum(self, rows: Column, window: int) -> Numbers:
        """The money of some rows in a window; nothing where an applicant had no movement in a year."""
        return self.total(rows, self.moved.amount(window))

    def count(self, rows: Column, window: int) -> Numbers:
        """How often some rows' events happened in a window."""
        return np.nan_to_num(self.total(rows, self.moved.n(window)))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return dict(zip(self.facts["code"].tolist(), self.facts["number"].tolist(), strict=True))

    def is_one(self, codes: tuple[str, ...]) -> Column:
        found = np.zeros(NOTHING + 1, bool)
        found[[self._numbers[code] for code in codes]] = True
        return found

    # --- what the account lives on ---

    def income(self, window: int) -> Numbers:
        return self.sum(self.counted("is_income"), window)

    def takings(self, window: int) -> Numbers:
        """All that the account lives on: income, cash and transfers paid in; loans and refunds never are."""
        return self.sum(self.counted("is_lived_on") & ~self.is_debit, window)

    def per_income(self, window: int) -> Numbers:
        """What ratios are over: income, or where that is under a tenth of what the account lives on, all of that (money, never 0)."""
        income, takings = self.income(window), self.takings(window)
        return _but(np.where(income * 10 >= takings, income, takings), 0) / 10_000

    def outflow(self, window: int) -> Numbers:
        """What was spent less what of it came back, own transfers left out."""
        return -self.sum((self.is_debit | self.counted("is_spending")) & ~self.counted("is_own"), window)

    def spent(self, rows: Column, window: int) -> Numbers:
        """Money out on some rows, over income; 0 where as much came back."""
        return self.over_income(-self.sum(rows, window), window)

    def over_income(self, amount: Numbers, window: int) -> Numbers:
        share = np.where(amount <= 0, 0.0, amount / 10_000 / self.per_income(window))
        return _where(_known(self.days(window)), share)

    def saved(self, window: int) -> Numbers:
        """What was put aside: invested, and moved into an account of savings, or towards one that was not shared."""
        own, into = self.counted("is_own"), self.is_savings[self.account]
        has_savings = np.bincount(self.who, into, self.n) > 0
        invested = -self.sum(self.towards("INVEST_OUT"), window)
        moved = np.where(has_savings, self.sum(own & into, window), -self.total(own & ~into, self.moved.to_savings(window)))
        return invested + moved

    # --- accounts ---

    @property
    def owner(self) -> Integers:
        return self.coverage.owner

    def by_account(self, rows: Column, value: Numbers | None = None) -> Numbers:
        return np.bincount(self.account[rows], None if value is None else value[rows], len(self.owner)).astype(np.float64)

    @cached_property
    def is_savings(self) -> Column:
        """Whose number says so, or on which nothing but own transfers, interest and what the bank takes for it moves."""
        every = np.ones(len(self.who), bool)
        fits = (self.by_account(~self.counted("fits_savings")) == 0) & (self.by_account(every) > 0)
        moves = self.by_account(every, self.moved.n(365))
        says = np.array([bool(SAVINGS.search(str(number).upper())) for number in self.coverage.number], bool)
        found: Column = says | (fits & (self.by_account(self.counted("is_own")) > 0) & (moves >= 3))
        return found

    @cached_property
    def is_primary(self) -> Column:
        """Where pay or half of all money in arrives, and which three or more kinds of spending leave, in the last 90 days."""
        came = ~self.is_debit & ~self.counted("is_own") & ~self.counted("is_spending")
        inflow = self.by_account(came, self.moved.amount(90))
        salaries = self.by_account(self.towards("INC_SALARY"), self.moved.n(90))
        spending = self.counted("is_consumption") & self.is_debit & (self.moved.n(90) > 0)
        kinds = np.unique(self.account[spending] << 8 | self.moved.counted_as[spending])
        n_kinds = np.bincount(kinds >> 8, minlength=len(self.owner))
        of_all = np.bincount(self.owner, inflow, self.n)[self.owner]
        found: Column = (n_kinds >= 3) & ((salaries > 0) | ((inflow > 0) & (inflow * 2 >= of_all)))
        return found

    @cached_property
    def savings_balance(self) -> Numbers:
        """What is known to lie on accounts of savings."""
        account, balance = balances.latest(self.days_moved, self.coverage)
        saved = self.is_savings[account]
        who = self.owner[account[saved]]
        return _where(np.bincount(who, minlength=self.n) > 0, np.bincount(who, balance[saved], self.n) / 10_000)


def _use(book: _Book) -> dict[str, Column]:
    """How the accounts are used."""
    of, days = book.of, book.days
    out: dict[str, Column] = {}
    out["history_days"] = of("activity", "history_days")
    for window in (90, 365):
        out[f"active_days_share_{window}d"] = of("activity", f"active_{window}d") / days(window)
    quiet = np.where(of("activity", "active_90d") > 0, of("activity", "longest_gap_90d"), days(90))
    out["longest_gap_days_90d"] = _where(_known(days(90)), quiet)
    out["days_since_last_txn"] = of("activity", "last_age")
    out["is_primary_account_90d"] = _where(_known(days(90)), np.bincount(book.owner, book.is_primary, book.n) > 0)
    out["has_savings_account"] = _where(np.bincount(book.owner, book.is_savings, book.n) > 0, np.ones(book.n))
    return out


def _income(book: _Book) -> dict[str, Column]:
    """What comes in."""
    of, days, total = book.of, book.days, book.sum
    out: dict[str, Column] = {}
    for window in (90, 180, 365):
        is_known = _known(days(window))
        out[f"income_monthly_median_{window}d"] = _where(is_known, of("rhythm", f"income_monthly_median_{window}d"))
        salary = np.nan_to_num(total(book.towards("INC_SALARY"), window))
        out[f"salary_monthly_mean_{window}d"] = salary / 10_000 * AVERAGE_MONTH / days(window)
    for window in (180, 365):
        is_known = _known(days(window))
        out[f"income_cv_{window}d"] = _where(is_known, of("rhythm", f"income_cv_{window}d"))
        out[f"salary_regularity_{window}d"] = _where(is_known, _share("pay", window, book))
        out[f"months_without_income_{window}d"] = _where(is_known, of("rhythm", f"without_{window}d"))
        out[f"months_negative_cashflow_{window}d"] = _where(is_known, of("rhythm", f"negative_{window}d"))
    is_visible = book.income(365) * 10 >= book.takings(365)
    year = _where(is_visible, _but(book.income(365), 0) / 10_000)
    out["income_trend_90v365d"] = (book.income(90) / 10_000 / days(90)) / (year / days(365))
    out["income_source_count_180d"] = _where(_known(days(180)), of("recurring", "n_income", 0))
    out["days_since_last_salary_ratio"] = of("recurring", "since_pay")
    out["income_observed_to_declared_90d"] = np.full(book.n, np.nan)
    for window in (90, 365):
        income, benefits = book.income(window), total(book.towards("INC_BENEFITS"), window)
        out[f"benefits_share_{window}d"] = _where(_known(days(window)) & (income > 0), (benefits / 10_000) / (income / 10_000))
    came = total(~book.is_debit & ~book.counted("is_own") & ~book.counted("is_spending"), 180)
    cash = np.fmax(0, total(book.towards("CASH_DEPOSIT"), 180))
    out["cash_deposit_share_180d"] = _where(_known(days(180)) & (came > 0), (cash / 10_000) / (came / 10_000))
    return out


def _balances(book: _Book) -> dict[str, Column]:
    """Balances: known on as many days as the window must be observed, not only that some account was seen."""
    of, days = book.of, book.days
    out: dict[str, Column] = {}
    held = {window: _known(days(window)) & (of("buffer", f"n_{window}d") >= 0.6 * window) for window in WINDOWS}
    for name, column, windows in (
        ("balance_avg", "mean", (30, 90, 180, 365)),
        ("balance_min", "lowest", (30, 90)),
        ("balance_p10", "p10", (30, 60, 90)),
        ("balance_cv", "cv", (90,)),
        ("days_negative", "negative", (30, 90, 180, 365)),
        ("negative_episodes", "episodes", (90, 365)),
        ("days_below_buffer", "below", (90,)),
    ):
        for window in windows:
            out[f"{name}_{window}d"] = _where(held[window], of("buffer", f"{column}_{window}d"))
    for window in (90, 180):
        slope = of("buffer", f"slope_a_day_{window}d") * 30 / (book.per_income(window) * AVERAGE_MONTH / days(window))
        out[f"balance_trend_{window}d"] = _where(held[window], slope)
    age = of("buffer", "negative_age")
    out["days_since_last_negative_365d"] = _where(held[365], np.where(_known(age), age, 365))
    out["balance_current_total"] = of("buffer", "last_balance")
    out["savings_balance_total"] = book.savings_balance
    a_day = book.outflow(90) / 10_000 / days(90)
    out["liquidity_buffer_days"] = _where(held[90] & (book.outflow(90) > 0), of("buffer", "mean_30d") / a_day)
    return out


def _spending(book: _Book) -> dict[str, Column]:
    """Spending against income."""
    of, days, total = book.of, book.days, book.sum
    out: dict[str, Column] = {}
    for window in (90, 180, 365):
        net = total(~book.counted("is_own"), window) / 10_000
        out[f"net_cashflow_to_income_{window}d"] = _where(_known(days(window)), net / book.per_income(window))
        out[f"outflow_to_income_{window}d"] = book.over_income(book.outflow(window), window)
        out[f"debt_service_to_income_{window}d"] = book.spent(book.counted("is_debt"), window)
    for window in (90, 365):
        saved = book.saved(window)
        rate = np.where(saved == 0, 0.0, saved / 10_000 / book.per_income(window))
        out[f"savings_rate_{window}d"] = _where(_known(days(window)), rate)
    for window in (90, 180):
        for name, fact in (("essential", "is_essential"), ("discretionary", "is_discretionary"), ("rent", "is_home")):
            out[f"{name}_to_income_{window}d"] = book.spent(book.counted(fact), window)
        income = book.income(window)
        owed = sum(np.fmax(0, -total(book.counted(fact), window)) for fact in ("is_essential", "is_debt"))
        left = (income - owed) / 10_000 / (_but(income, 0) / 10_000)
        out[f"disposable_to_income_{window}d"] = _where(_known(days(window)), left)
        withdrawn, outflow = np.fmax(0, -total(book.towards("CASH_WITHDRAWAL"), window)) / 10_000, book.outflow(window) / 10_000
        is_known = _known(days(window)) & (outflow > 0)
        out[f"cash_withdrawal_share_{window}d"] = _where(is_known, np.minimum(1, withdrawn / outflow))
    for window in (180, 365):
        is_known = _known(days(window))
        out[f"housing_on_time_share_{window}d"] = _where(is_known, _share("home", window, book))
        bills = of("recurring", f"bills_{window}d") / 1_000_000 / _but(of("recurring", f"n_bills_{window}d"), 0)
        out[f"recurring_bill_regularity_{window}d"] = _where(is_known, bills)
    return out


def _borrowing(book: _Book) -> dict[str, Column]:
    """Borrowing, and what it costs."""
    of, days, total = book.of, book.days, book.sum
    out: dict[str, Column] = {}
    for window in (90, 365):
        out[f"active_lender_count_{window}d"] = _where(_known(days(window)), of("lender", f"active_{window}d", 0))
        out[f"loan_in_to_income_{window}d"] = book.over_income(total(book.counted("is_loan_in"), window), window)
        out[f"bnpl_to_income_{window}d"] = book.spent(book.towards("DEBT_BNPL"), window)
        out[f"overdraft_fee_to_income_{window}d"] = book.spent(book.towards("FEE_OVERDRAFT"), window)
    before = book.coverage.observed(180) - book.coverage.observed(90)
    out["new_lender_count_90d"] = _where(_known(days(90)) & (before >= 54), of("lender", "new_90d", 0))
    out["penalty_fees_to_income_90d"] = book.spent(book.towards(*PENALTIES), 90)
    out["expected_loan_payment_missed_180d"] = _where(_known(days(180)), of("recurring", "missed_180d", 0))
    return out


def _events(book: _Book) -> dict[str, Column]:
    """What happened how often."""
    days, count = book.days, book.count
    out: dict[str, Column] = {}
    for name, rows, windows in (
        ("loan_in_count", book.happened("is_loan_in"), (30, 90, 365)),
        ("payday_count", book.events(*PAYDAY), (90, 365)),
        ("ewa_count", book.events("LOAN_IN_EWA"), (90,)),
        ("debt_collection_count", book.events("DEBT_COLLECTION"), (365,)),
        ("nsf_returned_count", book.events(*RETURNED), WINDOWS),
        ("late_fee_count", book.events("FEE_LATE"), (180, 365)),
    ):
        for window in windows:
            out[f"{name}_{window}d"] = _where(_known(days(window)), count(rows, window))
    last = np.full(book.n, 365.0)
    returned = book.events(*RETURNED)
    np.minimum.at(last, book.who[returned], book.moved.last_age[returned])
    out["days_since_last_nsf_365d"] = _where(_known(days(365)), last)
    items, asked = book.total(book.events("RETURNED_ITEM"), book.moved.n(180)), book.total(book.is_debit, book.moved.n_direct(180))
    share = np.where(items == 0, 0.0, _where(asked > 0, np.minimum(1, items / asked)))
    out["returned_dd_share_180d"] = _where(_known(days(180)), share)
    return out


def _gambling(book: _Book) -> dict[str, Column]:
    """Gambling."""
    days = book.days
    out: dict[str, Column] = {}
    gambled = book.towards("GAMBLING") & book.is_debit
    for window in (30, 90, 180, 365):
        out[f"gambling_to_income_{window}d"] = book.spent(gambled, window)
    active = turnover.active_days(book.booked, book.is_one(("GAMBLING",))[book.booked.event], book.coverage)
    out["gambling_active_days_90d"] = _where(_known(days(90)), active)
    return out


def _quality(book: _Book) -> dict[str, Column]:
    """Quality of the data."""
    out: dict[str, Column] = {}
    moved = np.abs(book.moved.amount(90))
    unknown = np.bincount(book.who, np.where(book.towards("UNKNOWN"), moved, 0), book.n)
    out["uncategorised_amount_share_90d"] = _where(
        np.bincount(book.who, moved, book.n) > 0, (unknown / 10_000) / (np.bincount(book.who, moved, book.n) / 10_000)
    )
    out["unreconciled_balance_flag"] = book.coverage.is_unreconciled
    observed = book.coverage.observed(365)
    out["history_short_flag"] = observed < 90
    out["observed_days"] = observed
    return out


def _share(name: str, window: int, book: _Book) -> Numbers:
    """Due dates met of those expected, in streams of one kind."""
    return book.of("recurring", f"{name}_met_{window}d") / _but(book.of("recurring", f"{name}_expected_{window}d"), 0)


def _known(column: Numbers) -> Column:
    found: Column = ~np.isnan(column)
    return found


def _where(holds: Column, value: Column) -> Numbers:
    return np.where(holds, value, np.nan)


def _but(value: Numbers, never: float) -> Numbers:
    """A value, or nothing where it is the one it must not be."""
    return np.where(value == never, np.nan, value)


PARTS = (_use, _income, _balances, _spending, _borrowing, _events, _gambling, _quality)
