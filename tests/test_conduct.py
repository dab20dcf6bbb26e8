"""How an account was run: what is covered, where money went, what came back, each by hand and the same for a file and an applicant."""

from datetime import date, timedelta
from typing import Any

import pytest
from pandas import DataFrame

from creditrisk import conduct, features, ingest
from creditrisk.conduct import Conduct
from creditrisk.errors import UnknownThing
from creditrisk.store import Store
from tests.books import keep

AS_OF = date(2025, 7, 1)
HEAD = "Account,Currency,Date,Description,Amount,Balance\n"


def store_file(store: Store, name: str, text: str, owner: str = "ann") -> int:
    """Read and store a file given as text; returns its id."""
    reading = ingest.read(name, text.encode(), settings=store.settings)
    assert reading.status != "rejected", reading.problems
    (saved,) = ingest.save(store, [reading], user="tester", applicant_id=owner)
    assert saved.statement_id is not None
    return saved.statement_id


def look(store: Store, applicant_id: str = "ann", as_of: date | None = AS_OF, key: str | None = None) -> Conduct:
    scopes = conduct.scopes(store, applicant_id=applicant_id, as_of=as_of)
    return conduct.look(store, next(scope for scope in scopes if key in (None, scope.key)))


def records(frame: DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    plain = [
        [conduct._day(value) if hasattr(value, "year") else value for value in row] for row in frame[list(columns)].to_numpy().tolist()
    ]
    return [tuple(row) for row in plain]


def day(text: str) -> date:
    return date.fromisoformat(text)


# --- what is looked at -------------------------------------------------------------------------------------------------


def test_accounts_of_one_currency_are_looked_at_together_and_each_alone(store: Store) -> None:
    rows = "".join(
        f"{account},{cur},2025-01-0{n},SHOP,-1.00,{9 - n}.00\n"
        for account, cur in (("DE111", "EUR"), ("DE222", "EUR"), ("DE333", "USD"))
        for n in (1, 2)
    )
    store_file(store, "three.csv", HEAD + rows)
    scopes = conduct.scopes(store, applicant_id="ann")
    assert [(scope.title, scope.currency, len(scope.account_ids)) for scope in scopes] == [
        ("All 2 accounts in EUR", "EUR", 2),
        ("DE111", "EUR", 1),
        ("DE222", "EUR", 1),
        ("DE333", "USD", 1),
    ]
    assert {scope.as_of for scope in scopes} == {date(2025, 1, 3)}, "the day after the last transaction"


def test_of_somebody_without_a_statement_there_is_nothing_to_look_at(store: Store) -> None:
    assert conduct.scopes(store, applicant_id="nobody") == []
    with pytest.raises(UnknownThing):
        ingest.held(store, 99)


def test_nothing_on_or_after_the_day_is_read(store: Store) -> None:
    keep(
        store, "ann", [("2025-06-01", "-5", "SHOPPING"), ("2025-06-30", "-7", "SHOPPING"), ("2025-07-01", "-900", "GAMBLING")], opening="10"
    )
    found = look(store)
    assert records(found.mix, "category", "amount") == [("SHOPPING", -12.0)]
    assert len(found.movements) == 2
    assert conduct._day(found.balances["day"].max()) == date(2025, 6, 30)


def test_a_day_before_the_first_transaction_shows_nothing(store: Store) -> None:
    keep(store, "ann", [("2025-06-01", "-5", "SHOPPING")], opening="10")
    found = look(store, as_of=date(2025, 5, 1))
    assert all(
        frame.empty for frame in (found.stretches, found.months, found.mix, found.balances, found.events, found.breaks, found.movements)
    )
    assert found.unknown_shares == {"recent": None, "amount": None, "rows": None, "n": 0, "n_unknown": 0}


def test_a_file_is_its_accounts_over_its_days_whoever_brought_the_rows_first(store: Store) -> None:
    one = store_file(store, "one.csv", HEAD + "A,EUR,2025-01-01,SHOP,-1.00,9.00\nA,EUR,2025-01-02,RENT,-2.00,7.00\n")
    two = store_file(store, "two.csv", HEAD + "A,EUR,2025-01-02,RENT,-2.00,7.00\nA,EUR,2025-01-03,PAY,4.00,11.00\n")
    (scope,) = conduct.scopes(store, statement_id=two)
    found = conduct.look(store, scope).movements
    assert records(found, "text", "statement_id") == [("PAY", two), ("RENT", one)], "its own rows first, then those known already"
    assert found["printed"].tolist() == ["A,EUR,2025-01-03,PAY,4.00,11.00", ""]
    assert len(conduct.look(store, conduct.scopes(store, statement_id=one)[0]).movements) == 2
    assert ingest.held(store, two)["n_duplicate"] == 1


# --- coverage ----------------------------------------------------------------------------------------------------------


def holed(store: Store) -> Conduct:
    """Files of January and of April of one account, of which the second begins where the first cannot have ended."""
    keep(store, "ann", [("2025-01-01", "-5", "SHOPPING"), ("2025-02-10", "-5", "SHOPPING")], opening="100")
    keep(store, "ann", [("2025-04-01", "-5", "SHOPPING"), ("2025-06-20", "-5", "SHOPPING")], opening="40")
    return look(store)


def test_days_between_files_are_a_gap_and_months_are_counted(store: Store) -> None:
    found = holed(store)
    assert records(found.stretches, "kind", "from_on", "to_on") == [
        ("file", day("2025-01-01"), day("2025-02-10")),
        ("gap", day("2025-02-11"), day("2025-03-31")),
        ("file", day("2025-04-01"), day("2025-06-20")),
    ]
    (months,) = conduct.months_covered(found.stretches)
    assert (months["n"], months["missing"], months["partly"]) == (6, [day("2025-03-01")], [day("2025-02-01")])


def test_days_that_pictures_call_a_gap_are_days_that_features_leave_out(store: Store) -> None:
    found = holed(store)
    features.build(store, user="tester", as_of=AS_OF)
    row = features.one(store, "ann")
    gap = sum((last - first).days + 1 for kind, first, last in records(found.stretches, "kind", "from_on", "to_on") if kind == "gap")
    assert row is not None
    assert row["observed_days"] == (AS_OF - day("2025-01-01")).days - gap


def test_what_comes_long_after_the_last_file_is_a_gap_too(store: Store) -> None:
    keep(store, "ann", [("2025-05-01", "-5", "SHOPPING"), ("2025-05-31", "-5", "SHOPPING")])
    assert records(look(store).stretches, "kind", "from_on", "to_on")[-1] == ("gap", day("2025-06-01"), day("2025-06-30"))


def test_one_account_never_fills_the_gap_of_another(store: Store) -> None:
    keep(store, "ann", [("2025-01-01", "-5", "SHOPPING"), ("2025-01-31", "-5", "SHOPPING")], account="A")
    keep(store, "ann", [("2025-06-01", "-5", "SHOPPING"), ("2025-06-30", "-5", "SHOPPING")], account="A")
    keep(store, "ann", [("2025-01-01", "-5", "SHOPPING"), ("2025-06-30", "-5", "SHOPPING")], account="B")
    months = conduct.months_covered(look(store).stretches)
    assert [(row["account"], len(row["missing"])) for row in months] == [("A", 4), ("B", 0)]


# --- money -------------------------------------------------------------------------------------------------------------


def test_months_and_categories_by_hand_own_transfers_apart(store: Store) -> None:
    keep(
        store,
        "ann",
        [
            ("2025-05-01", "2000", "INC_SALARY"),
            ("2025-05-03", "-900", "RENT"),
            ("2025-05-09", "-50", "TRF_OWN_OUT"),
            ("2025-06-03", "-900", "RENT"),
            ("2025-06-04", "0", "NOTICE_ZERO"),
        ],
    )
    found = look(store)
    assert records(found.months, "month", "category", "class", "direction", "amount") == [
        (day("2025-05-01"), "INC_SALARY", "income", "in", 2000.0),
        (day("2025-05-01"), "RENT", "housing", "out", -900.0),
        (day("2025-05-01"), "TRF_OWN_OUT", "own", "out", -50.0),
        (day("2025-06-01"), "RENT", "housing", "out", -900.0),
    ]
    assert records(found.mix, "category", "title", "amount", "n") == [
        ("INC_SALARY", "Salary", 2000.0, 1),
        ("RENT", "Rent", -1800.0, 2),
        ("TRF_OWN_OUT", "To own account", -50.0, 1),
    ]


def test_the_share_nobody_could_name_is_the_one_the_policy_looks_at(store: Store) -> None:
    keep(
        store,
        "ann",
        [
            ("2025-01-15", "-500", "UNKNOWN"),
            ("2025-05-01", "60", "INC_SALARY"),
            ("2025-05-02", "-30", "UNKNOWN"),
            ("2025-06-30", "-10", "RENT"),
        ],
    )
    found = look(store)
    features.build(store, user="tester", as_of=AS_OF)
    row = features.one(store, "ann")
    assert row is not None
    assert found.unknown_shares["recent"] == pytest.approx(0.3) == row["uncategorised_amount_share_90d"]
    assert found.unknown_shares["amount"] == pytest.approx(530 / 600)
    assert (found.unknown_shares["n_unknown"], found.unknown_shares["n"], found.unknown_shares["rows"]) == (2, 4, 0.5)
    assert records(found.unknown, "month", "share") == [
        (day("2025-01-01"), 1.0),
        (day("2025-05-01"), pytest.approx(1 / 3)),
        (day("2025-06-01"), 0.0),
    ]


def test_merchants_nobody_knows_come_by_what_they_moved(store: Store) -> None:
    rows = "".join(
        f"A,EUR,2025-06-{n:02},{text},{amount},\n"
        for n, (text, amount) in enumerate(
            [("CARD PAYMENT ZEBRIX 1234", "-30.00"), ("CARD PAYMENT ZEBRIX 9876", "-30.00"), ("QUILLON", "-50.00")], 1
        )
    )
    store_file(store, "odd.csv", HEAD.replace(",Balance", "") + rows.replace(",\n", "\n"))
    found = look(store)
    assert records(found.merchants, "words", "n", "amount") == [("ZEBRIX", 2, -60.0), ("QUILLON", 1, -50.0)]
    assert found.merchants["share"].sum() == pytest.approx(1)
    assert conduct.chosen(found.movements, words="zebrix")["amount"].tolist() == [-30.0, -30.0]
    assert conduct.chosen(found.movements, "UNKNOWN", " quillon ")["amount"].tolist() == [-50.0]
    assert conduct.chosen(found.movements, "RENT").empty


# --- the balance -------------------------------------------------------------------------------------------------------


def test_the_balance_by_hand_with_a_gap_as_a_gap(store: Store) -> None:
    found = holed(store)
    known = dict(zip((conduct._day(value) for value in found.balances["day"]), found.balances["balance"], strict=True))
    assert (known[day("2025-01-01")], known[day("2025-02-09")], known[day("2025-02-10")]) == (95, 95, 90)
    assert all(known[day("2025-02-11") + timedelta(days=n)] != known[day("2025-02-11") + timedelta(days=n)] for n in range(49)), (
        "not seen: no figure"
    )
    assert (known[day("2025-04-01")], known[day("2025-06-30")]) == (35, 30)


def test_balances_of_several_accounts_are_added_and_those_not_stated_left_out(store: Store) -> None:
    keep(store, "ann", [("2025-06-01", "-5", "SHOPPING")], opening="100", account="A")
    keep(store, "ann", [("2025-06-03", "-5", "SHOPPING")], opening="10", account="B")
    keep(store, "ann", [("2025-06-01", "-5", "SHOPPING")], account="C")
    found = look(store, as_of=date(2025, 6, 5))
    assert found.balances["balance"].tolist() == [95, 95, 100, 100]
    assert found.balances["n_accounts"].tolist() == [1, 1, 2, 2]
    alone = look(store, as_of=date(2025, 6, 5), key=str(found.scope.account_ids[1]))
    assert alone.balances["balance"].tolist() == [5, 5]


def test_pictures_and_features_know_the_same_balance(store: Store) -> None:
    keep(
        store, "ann", [("2025-03-01", "-5", "SHOPPING"), ("2025-04-01", "20.50", "INC_SALARY"), ("2025-06-20", "-7", "RENT")], opening="100"
    )
    found = look(store)
    features.build(store, user="tester", as_of=AS_OF)
    row = features.one(store, "ann")
    assert row is not None
    assert found.balances["balance"].iloc[-1] == row["balance_current_total"] == 108.5


def test_returned_items_and_penalties_are_told_apart(store: Store) -> None:
    keep(
        store,
        "ann",
        [
            ("2025-06-01", "40", "RETURNED_ITEM"),
            ("2025-06-01", "-12", "FEE_NSF"),
            ("2025-06-02", "-3", "FEE_OVERDRAFT"),
            ("2025-06-03", "-9", "RENT"),
        ],
    )
    assert records(look(store).events, "kind", "title", "amount") == [
        ("returned", "Returned payment", 40.0),
        ("returned", "Returned-item fee", -12.0),
        ("fee", "Overdraft fee", -3.0),
    ]


def test_a_missing_row_is_one_break_where_it_is_missing(store: Store) -> None:
    rows = [
        "DE111,EUR,2025-06-01,ONE,-1.00,9.00",
        "DE111,EUR,2025-06-02,TWO,-1.00,8.00",
        "DE111,EUR,2025-06-04,FOUR,-1.00,5.50",
        "DE111,EUR,2025-06-05,FIVE,-1.00,4.50",
    ]
    store_file(store, "a.csv", HEAD + "\n".join(rows) + "\n")
    assert records(look(store).breaks, "day", "account", "stated", "computed") == [(day("2025-06-04"), "DE111", 5.5, 7.0)]


def test_an_opening_that_does_not_follow_the_file_before_is_a_break_but_not_across_a_gap(store: Store) -> None:
    keep(store, "ann", [("2025-05-01", "-5", "SHOPPING"), ("2025-05-20", "-5", "SHOPPING")], opening="100")
    keep(store, "ann", [("2025-06-01", "-5", "SHOPPING")], opening="70")
    assert records(look(store).breaks, "day", "stated", "computed") == [(day("2025-06-01"), 70.0, 90.0)]
    keep(store, "bob", [("2025-01-01", "-5", "SHOPPING")], opening="100")
    keep(store, "bob", [("2025-06-01", "-5", "SHOPPING")], opening="70")
    assert look(store, "bob").breaks.empty


def test_rows_of_one_day_in_any_order_are_no_break(store: Store) -> None:
    rows = ["A,EUR,2025-06-02,THREE,-1.00,7.00", "A,EUR,2025-06-02,TWO,-1.00,8.00", "A,EUR,2025-06-01,ONE,-1.00,9.00"]
    store_file(store, "a.csv", HEAD + "\n".join(rows) + "\n")
    assert look(store).breaks.empty


# --- what leaves the house ---------------------------------------------------------------------------------------------


def test_a_file_for_spreadsheets_calculates_nothing() -> None:
    frame = DataFrame({"text": ["=HYPERLINK(1)", "+44", "-x", "@a", "\tb", " =c", "plain, with comma"], "amount": [-1.5] * 7})
    lines = conduct.to_csv(frame).decode("utf-8-sig").split("\r\n")
    assert lines[:3] == ["text,amount", "'=HYPERLINK(1),-1.5", "+44,-1.5"]  # a number calculates nothing
    assert all(line.startswith("'") for line in [lines[1], *lines[3:7]])
    assert lines[7] == '"plain, with comma",-1.5'


def test_what_is_held_of_a_file_says_how_its_balances_follow(store: Store) -> None:
    number = store_file(store, "a.csv", HEAD + "A,EUR,2025-06-01,ONE,-1.00,9.00\nA,EUR,2025-06-02,TWO,-1.00,8.00\n")
    held = ingest.held(store, number)
    (account,) = held["accounts"]
    assert (account["opening"], account["closing"], account["sum_amount"], account["off"], account["reconciliation"]) == (
        10,
        8,
        -2,
        0,
        "ok",
    )
    assert (held["file_name"], held["stored_by"], held["problems"]) == ("a.csv", "tester", [])
    assert held["dialect"]["delimiter"] == ","
