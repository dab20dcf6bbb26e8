"""Balances: opening + movements = closing, whichever way a bank prints its rows."""

from datetime import date, timedelta
from decimal import Decimal

import pyarrow as pa
from hypothesis import given
from hypothesis import settings as run
from hypothesis import strategies as st

from creditrisk import cells
from creditrisk.reconcile import overall, reconcile
from creditrisk.statement import ROWS

AMOUNTS = st.lists(st.integers(-10_000, 10_000).filter(bool), min_size=1, max_size=40)


def rows(amounts: list[int], *, start: int = 50_000, account: str = "", a_day: int = 3) -> list[dict[str, object]]:
    """Write movements in cents with their running balance, `a_day` to a day."""
    found, balance = [], start
    for place, amount in enumerate(amounts):
        balance += amount
        day = date(2024, 1, 1) + timedelta(days=place // a_day)
        money = {"amount": Decimal(amount) / 100, "balance": Decimal(balance) / 100}
        found.append({"account": account, "currency": "", "booked_on": day, **money, "text": "", "code": "", "line": place + 2})
    return found


def table(found: list[dict[str, object]]) -> pa.Table:
    """Make the rows of a reading."""
    return pa.Table.from_pylist(found, ROWS)


@run(deadline=None)
@given(AMOUNTS, st.booleans())
def test_running_balances_agree_oldest_or_newest_first(amounts: list[int], newest_first: bool) -> None:
    found = rows(amounts)
    balances, broken, _ = reconcile(table(found[::-1] if newest_first else found))
    assert broken is None
    assert balances[("", "")].reconciliation == "ok"
    assert balances[("", "")].opening + sum(Decimal(amount) / 100 for amount in amounts) == balances[("", "")].closing  # type: ignore[operator]


@run(deadline=None)
@given(st.permutations(range(4)))
def test_rows_of_one_day_may_stand_in_any_order(order: list[int]) -> None:
    found = rows([100, 250, -75, 1000], a_day=4)
    balances, broken, _ = reconcile(table([*(found[place] for place in order), *rows([5], start=51_275)]))
    assert broken is None
    assert balances[("", "")].opening == 500


@run(deadline=None)
@given(AMOUNTS.filter(lambda amounts: len(amounts) > 2), st.data())
def test_a_missing_row_is_a_mismatch(amounts: list[int], data: st.DataObject) -> None:
    found = rows(amounts, a_day=1)
    del found[data.draw(st.integers(1, len(found) - 2))]
    balances, broken, line = reconcile(table(found))
    assert overall(balances) == "mismatch"
    assert broken == ""
    assert line in {row["line"] for row in found}


def test_each_account_is_checked_by_itself_and_the_wrong_one_is_named() -> None:
    good, bad = rows([100, 200], account="A"), rows([100, 200, 300], account="B")
    del bad[1]
    balances, broken, line = reconcile(table([good[0], bad[0], good[1], bad[1]]))
    assert {name: found.reconciliation for name, found in balances.items()} == {("A", ""): "ok", ("B", ""): "mismatch"}
    assert broken == " of 1 of 2 accounts (the first is B)"
    assert line == 4


def test_balances_outside_the_rows_count() -> None:
    found = table([{**row, "balance": None} for row in rows([100, -50])])
    assert reconcile(found)[0][("", "")].reconciliation == "not stated"
    assert reconcile(found, {"": (Decimal(1), Decimal("1.5"))})[0][("", "")].reconciliation == "ok"
    assert reconcile(found, {"": (Decimal(1), Decimal(2))})[0][("", "")].reconciliation == "mismatch"
    assert reconcile(found, {"": (None, Decimal(2))})[0][("", "")].opening == Decimal("1.5")


def test_stated_balances_hold_for_an_account_of_one_currency_and_one_without_rows() -> None:
    found = [{**row, "balance": None} for row in rows([100, -50])]
    found[1]["currency"], stated = "EUR", {"": (Decimal(1), Decimal(9)), "B": (Decimal(1), Decimal(2))}
    balances, broken, _ = reconcile(table(found), stated)
    states = {name: found.reconciliation for name, found in balances.items()}
    assert states == {("", ""): "not stated", ("", "EUR"): "not stated", ("B", ""): "mismatch"}
    assert broken == " of 1 of 3 accounts (the first is B)"


def test_sparse_balances_are_checked_across_the_rows_between() -> None:
    found = rows([100, 200, 300, 400])
    for place in (1, 2):
        found[place]["balance"] = None
    assert reconcile(table(found))[0][("", "")].reconciliation == "ok"
    assert cells.total(cells.from_money(table(found)["amount"].combine_chunks())) == 10


def test_a_figure_that_stands_still_while_money_moves_is_no_running_balance() -> None:
    found = [{**row, "balance": Decimal(100)} for row in rows([100, 0, -50, 30])]
    balances, broken, line = reconcile(table(found))
    one = balances[("", "")]
    assert (one.opening, one.closing, one.reconciliation, one.standing) == (None, None, "not stated", 100)
    assert (broken, line) == (None, 0)
    stated = reconcile(table(found), {"": (Decimal(5), Decimal("5.8"))})[0][("", "")]
    assert (stated.opening, stated.reconciliation) == (5, "ok"), "what stands outside the rows is still held against them"


def test_a_figure_that_stands_still_because_nothing_moves_is_a_balance_and_two_alike_are_a_slip() -> None:
    still = reconcile(table([{**row, "balance": Decimal(100)} for row in rows([100, 0, 0, 0])]))[0][("", "")]
    assert (still.opening, still.closing, still.reconciliation, still.standing) == (99, 100, "ok", None)
    slip = reconcile(table([{**row, "balance": Decimal(100)} for row in rows([100, 30])]))[0][("", "")]
    assert (slip.reconciliation, slip.standing) == ("mismatch", None)


def test_only_the_account_whose_balance_stands_still_has_none() -> None:
    still, good = [{**row, "balance": Decimal(7)} for row in rows([100, 200, 300], account="A")], rows([100, 200], account="B")
    balances, broken, _ = reconcile(table(still + good))
    assert {name: found.reconciliation for name, found in balances.items()} == {("A", ""): "not stated", ("B", ""): "ok"}
    assert broken is None
