"""What an applicant can carry: income, what is spent anyway, what debts take, and what is left before and after the loan asked for.

Shares of the last 180 days are taken of a typical month's income, so that a line of this account is a figure the applicant has, with
its transactions behind it. Nothing here is scored; it is shown beside the score.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pandas import DataFrame

from creditrisk.errors import InvalidInput
from creditrisk.schema import Schema, is_missing

INCOME, ESSENTIALS, DEBTS = "income_monthly_median_180d", "essential_to_income_180d", "debt_service_to_income_180d"
NEEDED = (INCOME, ESSENTIALS, DEBTS)


@dataclass(frozen=True)
class Line:
    """One line of the account: the feature it comes from ("" for the instalment), what it is, and the money a month (negative: out)."""

    feature: str
    title: str
    amount: float


@dataclass(frozen=True)
class Budget:
    """An applicant's month: `left` over before the loan, `left_after` it; `instalment` None where nothing was asked for.

    `debt_share` and `debt_share_after` are repayments as a share of income.
    """

    lines: tuple[Line, ...]
    left: float
    debt_share: float
    instalment: float | None
    yearly_rate: float

    def account(self) -> DataFrame:
        """Return the month line by line: feature, title, amount, is_sum (where what is left so far stands)."""
        rows = [(line.feature, line.title, line.amount, not place) for place, line in enumerate(self.lines)]
        rows.append(("", "Left now", self.left, True))
        if self.instalment is not None and self.left_after is not None:
            rows += [("", "This loan", -self.instalment, False), ("", "Left with the loan", self.left_after, True)]
        return DataFrame(rows, columns=["feature", "title", "amount", "is_sum"])

    @property
    def left_after(self) -> float | None:
        """What is left a month once the loan is paid off by instalments."""
        return None if self.instalment is None else self.left - self.instalment

    @property
    def debt_share_after(self) -> float | None:
        """Repayments with the new one, as a share of income."""
        return None if self.instalment is None else self.debt_share + self.instalment / self.lines[0].amount


def budget(schema: Schema, inputs: Mapping[str, Any], amount: float | None, months: int | None, yearly_rate: float) -> Budget | None:
    """Return an applicant's month from the figures of a prediction; None where the schema or the applicant has no such figures."""
    if not {feature.name for feature in schema}.issuperset(NEEDED) or any(is_missing(inputs.get(name)) for name in NEEDED):
        return None
    income = float(inputs[INCOME])
    if income <= 0:
        return None
    essentials, debts = float(inputs[ESSENTIALS]) * income, float(inputs[DEBTS]) * income
    lines = (
        Line(INCOME, "Income in a typical month", income),
        Line(ESSENTIALS, "Essentials", -essentials),
        Line(DEBTS, "Repayments already running", -debts),
    )
    asked = amount and months
    paid = instalment(float(amount), int(months), yearly_rate) if asked and amount and months else None
    return Budget(lines, income - essentials - debts, float(inputs[DEBTS]), paid, yearly_rate)


def instalment(amount: float, months: int, yearly_rate: float) -> float:
    """Return the equal monthly payment that repays an amount with interest at a twelfth of the yearly rate a month.

    >>> round(instalment(10_000, 24, 0.09), 2), instalment(1_200, 12, 0)
    (456.85, 100.0)
    """
    if not (amount > 0 and months > 0 and yearly_rate >= 0):
        raise InvalidInput(f"An instalment needs a positive amount and term and a rate that is not negative; got {amount:g}, {months}.")
    rate = yearly_rate / 12
    return amount / months if rate == 0 else amount * rate / (1 - (1 + rate) ** -months)
