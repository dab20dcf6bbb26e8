"""JSON of banks: each interface with its own sign, state and words; digits as they stand; nothing half read."""

import csv
import json
import time
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from creditrisk import ingest
from creditrisk.settings import Settings


def read(document: Any, profile: str | None = None, settings: Settings | None = None) -> ingest.Reading:
    """Read a document given as an object, text or bytes."""
    content = document if isinstance(document, bytes) else (document if isinstance(document, str) else json.dumps(document)).encode()
    return ingest.read("a.json", content, profile=profile, settings=settings or Settings())


def column(reading: ingest.Reading, name: str) -> list[Any]:
    """Return a column as a list."""
    return list(reading.rows[name].to_pylist())


def said(reading: ingest.Reading) -> str:
    """Return all sentences of a reading."""
    return " ".join(problem.message for problem in reading.problems)


# ---------------------------------------------------------------------------------------------------------- the interfaces


def plaid(number: int, amount: float, **more: Any) -> dict[str, Any]:
    """Make a transaction as Plaid gives it."""
    basic = {"transaction_id": f"t{number}", "account_id": "acc", "amount": amount, "iso_currency_code": "USD", "pending": False}
    return {**basic, "date": f"2024-01-{number:02}", "name": f"SHOP {number}", **more}


def test_plaid_s_positive_is_money_out_and_pending_is_kept_apart() -> None:
    category = {"primary": "FOOD_AND_DRINK", "detailed": "FOOD_AND_DRINK_COFFEE"}
    items = [plaid(1, 4.5, personal_finance_category=category, merchant_name="Corner"), plaid(2, -2000), plaid(3, 9.99, pending=True)]
    reading = read({"accounts": [{"account_id": "acc", "balances": {"current": 10}}], "transactions": items, "total_transactions": 3})
    assert (reading.format, reading.n_transactions, reading.sum_amount) == ("json", 2, Decimal("1995.50"))
    assert column(reading, "code") == ["PFC FOOD_AND_DRINK_COFFEE", ""]
    assert column(reading, "text") == ["SHOP 1 Corner", "SHOP 2"]
    assert (reading.accounts, reading.currency, column(reading, "line")) == (["acc"], "USD", [1, 2])
    assert "1 rows that are not booked" in said(reading)


def test_plaid_pages_are_one_history() -> None:
    first = {"added": [plaid(1, 1), plaid(2, 2), plaid(3, 3)], "modified": [], "removed": [], "has_more": True, "next_cursor": "x"}
    second = {"added": [plaid(4, 4)], "modified": [plaid(2, 20)], "removed": [{"transaction_id": "t3"}], "has_more": False}
    for document in ([first, second], f"{json.dumps(first)}\n{json.dumps(second)}\n"):
        reading = read(document)
        assert (reading.status, column(reading, "amount")) == ("accepted", [Decimal(-1), Decimal(-20), Decimal(-4)]), reading.problems
    assert "has_more is true" in said(read(first))
    got = [{"transactions": [plaid(1, 1), plaid(2, 2)], "total_transactions": 3}, {"transactions": [plaid(2, 2), plaid(3, 3)]}]
    assert read(got).n_transactions == 3
    assert "had 50 transactions and the file holds 1" in said(read({"transactions": [plaid(1, 1)], "total_transactions": 50}))
    repeated = [plaid(1, 1), plaid(1, 1)]  # within one page the same id twice is what the file says
    assert read({"transactions": repeated}).n_transactions == 2


def test_a_plaid_sandbox_user_has_accounts_without_numbers() -> None:
    def account(kind: str, amount: float) -> dict[str, Any]:
        moved = {"date_transacted": "2024-01-01", "date_posted": "2024-01-02", "amount": amount, "description": "x", "currency": "USD"}
        return {"type": "depository", "subtype": kind, "transactions": [moved]}

    reading = read({"override_accounts": [account("checking", 5), account("savings", -7)]})
    assert (column(reading, "account"), column(reading, "amount")) == (["a checking 1", "a savings 2"], [Decimal(-5), Decimal(7)])
    assert column(reading, "booked_on") == [date(2024, 1, 2)] * 2
    assert read({"override_accounts": [account("checking", 5)]}).accounts == [""]
    assert "dealings in securities" in said(read({"transactions": [plaid(1, 5, security_id="s")]}))


def berlin(amount: str, **more: Any) -> dict[str, Any]:
    """Make a transaction as the Berlin Group spells it."""
    return {"bookingDate": "2024-01-05", "valueDate": "2024-01-04", "transactionAmount": {"amount": amount, "currency": "EUR"}, **more}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"remittanceInformationUnstructured": "Rent May"}, "Landlord Rent May"),
        ({"remittanceInformationUnstructuredArray": ["Rent", "May"]}, "Landlord Rent May"),
        ({"remittanceInformationStructured": "RF18"}, "Landlord RF18"),
        ({"remittanceInformationStructured": {"reference": "RF18"}}, "Landlord RF18"),
        ({"remittanceInformationStructuredArray": [{"reference": "RF18"}]}, "Landlord RF18"),
        ({"remittanceInformationUnstructured": "Rent", "remittanceInformationUnstructuredArray": ["Rent"]}, "Landlord Rent"),
        ({"additionalInformation": "more"}, "Landlord more"),
        ({"remittanceInformationUnstructured": "To Landlord, rent"}, "To Landlord, rent"),
        ({"remittanceInformationUnstructured": "NOTPROVIDED"}, "Landlord"),
    ],
)
def test_berlin_group_words_in_every_spelling(words: dict[str, Any], expected: str) -> None:
    item = berlin("-900.00", creditorName="Landlord", debtorName="Me", bankTransactionCode="PMNT-ICDT-ESCT", **words)
    reading = read({"account": {"iban": "DE89370400440532013000"}, "transactions": {"booked": [item], "pending": [berlin("-1")]}})
    assert column(reading, "text") == [expected]
    assert (column(reading, "code"), reading.accounts) == (["ISO PMNT-ICDT-ESCT"], ["DE89370400440532013000"])
    assert (reading.sum_amount, column(reading, "booked_on")) == (Decimal(-900), [date(2024, 1, 5)])
    assert "1 rows that are not booked" in said(reading)


def test_berlin_group_balances_information_and_indicators() -> None:
    balances = [
        {"balanceType": kind, "balanceAmount": {"amount": amount, "currency": "EUR"}}
        for kind, amount in (("closingBooked", "80.00"), ("openingBooked", "100.00"), ("expected", "7"))
    ]
    booked = [berlin("-25.00"), berlin("5.00", creditDebitIndicator="CRDT", merchantCategoryCode="5411")]
    document = {"balances": balances, "transactions": {"booked": booked, "information": [berlin("-3")]}}
    reading = read(document)
    assert (reading.reconciliation, reading.opening, reading.closing) == ("ok", Decimal(100), Decimal(80)), reading.problems
    assert (column(reading, "code"), "information moved no money" in said(reading)) == (["", "MCC 5411"], True)
    unsigned = [berlin("25.00", creditDebitIndicator="DBIT"), berlin("-5", creditDebitIndicator="DBIT")]
    assert column(read({"transactions": {"booked": unsigned}}), "amount") == [Decimal(-25), Decimal(-5)]
    assert "contradicts the amount -5" in said(read({"transactions": {"booked": [berlin("-5", creditDebitIndicator="CRDT")]}}))
    after = [berlin("-5", balanceAfterTransaction={"balanceAmount": {"amount": "95", "currency": "EUR"}}), berlin("-5")]
    assert read({"booked": after}).closing == Decimal(90)


def obie(amount: str, indicator: str, status: str = "Booked", **more: Any) -> dict[str, Any]:
    """Make a transaction as UK Open Banking has it."""
    basic = {"AccountId": "22289", "Status": status, "BookingDateTime": "2024-03-31T23:30:00+01:00", "CreditDebitIndicator": indicator}
    return {**basic, "Amount": {"Amount": amount, "Currency": "GBP"}, "TransactionInformation": "Paper shop", **more}


def test_open_banking_is_unsigned_and_only_booked_moves_money() -> None:
    items = [obie("10.00", "Debit"), obie("3.50", "Credit", "BOOK"), obie("1.00", "Debit", "Pending"), obie("2.00", "Debit", "PDNG")]
    items += [obie("9.00", "Debit", status) for status in ("RJCT", "INFO", "FUTR")]
    reading = read({"Data": {"Transaction": items}, "Links": {"Self": "x"}})
    assert (column(reading, "amount"), reading.status) == ([Decimal(-10), Decimal("3.5")], "warned")
    assert column(reading, "booked_on") == [date(2024, 3, 31)] * 2  # as printed, in whatever zone
    assert reading.dialect["set_aside"] == {"RJCT": 1, "INFO": 1, "FUTR": 1}
    assert "2 rows that are not booked" in said(reading)
    assert "does not say whether money came in" in said(read({"Data": {"Transaction": [obie("1", "Sideways")]}}))


def test_open_banking_balances_codes_and_several_accounts() -> None:
    after = {"CreditDebitIndicator": "Debit", "Type": "InterimBooked", "Amount": {"Amount": "5.00", "Currency": "GBP"}}
    shop = {"MerchantName": "Shop", "MerchantCategoryCode": "5411"}
    items = [
        obie("10.00", "Debit", Balance=after, MerchantDetails=shop),
        obie(
            "1.00", "Credit", AccountId="31820", BankTransactionCode={"Code": "ReceivedCreditTransfer", "SubCode": "DomesticCreditTransfer"}
        ),
    ]
    balance = {
        "AccountId": "31820",
        "CreditDebitIndicator": "Credit",
        "Amount": {"Amount": "3.00", "Currency": "GBP"},
        "DateTime": "2024-04-01",
    }
    reading = read({"Data": {"Transaction": items, "Balance": [{**balance, "Type": "ClosingBooked"}]}})
    assert reading.accounts == ["22289", "31820"]
    assert column(reading, "balance") == [Decimal(-5), None]
    assert column(reading, "code") == ["MCC 5411", "OBIE ReceivedCreditTransfer-DomesticCreditTransfer"]
    assert reading.balances["31820", "GBP"].closing == Decimal(3)
    assert "does not hold" in said(read({"Data": {"Transaction": items}, "Links": {"Next": "https://example.com/2"}}))


def test_truelayer_s_sign_is_believed() -> None:
    def item(amount: float, kind: str, running: float) -> dict[str, Any]:
        basic = {"timestamp": "2024-03-06T00:00:00Z", "description": "SHOP", "transaction_type": kind, "transaction_category": "PURCHASE"}
        return {**basic, "amount": amount, "currency": "GBP", "running_balance": {"amount": running, "currency": "GBP"}}

    reading = read({"results": [item(-2.5, "DEBIT", 97.5), item(-1, "CREDIT", 96.5)], "status": "Succeeded"})
    assert (column(reading, "amount"), reading.reconciliation) == ([Decimal("-2.5"), Decimal(-1)], "ok")
    assert "1 amounts have a sign that contradicts their transaction_type; the sign was believed" in said(reading)


# ------------------------------------------------------------------------------------------------------------- plain lists


def test_a_plain_list_is_read_with_a_doubt_which_balances_take_away() -> None:
    items = [{"date": "2024-01-05", "amount": "-5.00", "description": "a"}, {"date": "2024-01-06", "amount": 7, "description": "b"}]
    reading = read(items)
    assert (reading.status, reading.sum_amount) == ("warned", Decimal(2))
    assert "not one that is known; date from 'date', amount from 'amount'" in said(reading)
    assert read({"account_id": "1", "opening_balance": "10", "closing_balance": 12.0, "transactions": items}).status == "accepted"
    assert read({"opening_balance": "10", "closing_balance": "13", "transactions": items}).reconciliation == "mismatch"


def test_plain_lists_say_their_side_or_are_doubted(tmp_path: Path) -> None:
    items = [
        {"bookedDate": "x", "postedDate": "05/01/2024", "amount": 5, "type": "DEBIT"},
        {"postedDate": "16/01/2024", "amount": 9, "type": "credit"},
    ]
    assert column(read({"transactions": items}), "amount") == [Decimal(-5), Decimal(9)]
    plain = [{"postedDate": f"{day}/01/2024", "amount": 5} for day in (5, 16)]
    assert "No amount is negative" in said(read(plain))
    (tmp_path / "banks").mkdir()
    (tmp_path / "banks" / "mine.toml").write_text('positive = "out"\n', encoding="utf-8")
    assert read(plain, "mine", Settings(data=tmp_path)).sum_amount == Decimal(-10)
    undecided = [{"postedDate": day, "amount": 5} for day in ("05/01/2024", "03/02/2024", "04/01/2024")]
    assert '--profile) with date_format = "%d/%m/%Y" or date_format = "%m/%d/%Y"' in said(read(undecided))


def test_whole_pence_are_pence() -> None:
    monzo = [
        {"created": "2024-01-05T10:00:00Z", "amount": -510, "currency": "GBP", "local_amount": -510, "description": "x", "settled": "y"}
    ]
    assert read({"transactions": monzo}).sum_amount == Decimal("-5.10")
    starling = [
        {"transactionTime": "2024-01-05T10:00:00Z", "amount": {"currency": "GBP", "minorUnits": 510}, "direction": "OUT", "reference": "x"}
    ]
    assert (read({"feedItems": starling}).sum_amount, read({"feedItems": starling}).currency) == (Decimal("-5.10"), "GBP")


def test_what_is_no_list_of_transactions_is_refused() -> None:
    assert "no list of transactions" in said(read({"hello": [1, 2]}))
    assert "holds no transaction" in said(read({"transactions": []}))
    assert "holds no transaction" in said(read({"transactions": {"booked": [], "pending": []}}))
    two = {name: [{"date": "2024-01-05", "amount": 1}] for name in ("planned", "done")}
    assert "several lists that could be the transactions ('planned', 'done')" in said(read(two))
    mixed = {"transactions": [plaid(1, 1)], "booked": [berlin("1")]}
    assert "mixes transactions of Berlin Group and Plaid" in said(read(mixed))


# ------------------------------------------------------------------------------------------------------------------ hostile

GOOD = json.dumps({"transactions": [plaid(1, 4.25), plaid(2, 5)]})


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (GOOD.replace("4.25", "NaN"), "NaN is not a number of money"),
        (GOOD.replace("4.25", "-Infinity"), "-Infinity is not a number of money"),
        (GOOD.replace("4.25", "1E400"), "is not a sum of money within"),
        (GOOD.replace("4.25", "1e-400"), "is not a sum of money within"),
        (GOOD.replace("4.25", "9" * 5000), "is not an amount"),
        (GOOD.replace("4.25", "4.00005"), "at most four decimals"),
        (GOOD.replace("4.25", '"4,25"'), "'4,25' in 'amount' of transaction 1 is not an amount"),
        (GOOD.replace("4.25", "null"), "'' in 'amount' of transaction 1 is not an amount"),
        (GOOD.replace("4.25", "[4]"), "in 'amount' of transaction 1 is not an amount"),
        (GOOD.replace("2024-01-01", "2024-02-30"), "'2024-02-30' for a date of the calendar"),
        (GOOD.replace('"2024-01-01"', "20240101"), "'20240101' for a date of the calendar"),
        (GOOD.replace('"amount": 4.25', '"amount": 4.25, "amount": 5'), "the key 'amount' twice"),
        (GOOD[:-30], "the file is cut off"),
        (GOOD.replace("[{", "[7, {"), "'7' stands where a transaction should be"),
        (GOOD.replace("SHOP 1", "x" * 10_001), "longer than 10000 characters"),
        ("[" * 100_000, "nested deeper than 50"),
        ('{"a":' * 400 + "1" + "}" * 400, "nested deeper than 50"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested deeper than 50"),
        (GOOD.replace("SHOP 1", "a\x00b"), "no valid JSON"),
        (GOOD.encode().replace(b"SHOP 1", b"caf\xe9"), "not utf-8 text"),
        (GOOD + "}", "no valid JSON"),
    ],
)
def test_hostile_documents_are_refused_in_words(content: str | bytes, expected: str) -> None:
    reading = read(content)
    assert (reading.status, reading.format, reading.n_transactions) == ("rejected", "json", 0)
    assert expected in said(reading)
    assert reading.problems[0].message.startswith("a.json")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_and_digits_are_kept(encoding: str) -> None:
    text = GOOD.replace("SHOP 1", "Käse £").replace("4.25", "12.340000000000002")  # what binary arithmetic leaves behind
    reading = read(f"\n {text}".encode(encoding))
    assert (column(reading, "text"), reading.sum_amount) == (["Käse £", "SHOP 2"], Decimal("-17.34")), reading.problems


def test_every_real_document(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shared / "statements"
    with (folder / "EXPECTED.csv").open(encoding="utf-8") as lines:
        expected = [row for row in csv.DictReader(lines) if row["format"] == "json"]
    shown = []
    for row in expected:
        reading = ingest.read(row["file"], (folder / row["source"] / row["file"]).read_bytes(), settings=Settings())
        right = (reading.n_transactions, reading.sum_amount) == (int(row["n_transactions"]), Decimal(row["sum_amount"]))
        shown.append(f"{'ok   ' if right else 'WRONG'} {reading.status:9} {reading.n_transactions:5} {reading.sum_amount:12} {row['file']}")
    with capsys.disabled():
        print("", *shown, sep="\n")
    assert not [line for line in shown if line.startswith("WRONG")]


def test_ten_thousand_rows_are_quick() -> None:
    content = json.dumps({"transactions": [plaid(number % 28 + 1, number / 100, transaction_id=f"n{number}") for number in range(10_000)]})
    start = time.process_time()
    assert read(content).n_transactions == 10_000
    assert time.process_time() - start < 5


def test_a_pending_row_may_have_no_day_yet() -> None:
    money = {"transactionAmount": {"amount": "-1.00", "currency": "EUR"}}
    booked = {**money, "bookingDate": "2024-01-05", "remittanceInformationUnstructured": "Shop"}
    reading = read({"transactions": {"booked": [booked], "pending": [money]}})
    assert (reading.status, reading.n_transactions) == ("warned", 1)
    assert "1 rows that are not booked" in said(reading)
    assert "transaction 2 has nothing for a date" in said(read({"transactions": {"booked": [booked, money]}}))


def test_plaid_of_the_first_years_is_known_by_its_keys() -> None:
    item = {"_account": "a", "_id": "i", "amount": 12.7, "date": "2014-06-23", "name": "Crepes", "pending": False, "type": {"primary": "x"}}
    reading = read({"accounts": [], "transactions": [item]})
    assert (reading.status, reading.sum_amount, reading.accounts) == ("accepted", Decimal("-12.7"), ["a"])


@pytest.mark.parametrize(
    ("item", "amount"),
    [
        ({"postingDateTime": "2024-03-05T10:00:00+11:00", "amount": "-4.50", "description": "Cafe"}, "-4.50"),
        ({"postDate": {"date": "2024-03-05"}, "amount": {"amount": 15, "currency": "USD"}, "baseType": "DEBIT", "description": "x"}, "-15"),
        ({"bookingDate": "2024-03-05", "amount": {"content": -256.67, "currency": "EUR"}}, "-256.67"),
        ({"created": "2024-03-05T12:20:18Z", "amount": -510, "is_load": False, "description": "Deli"}, "-5.10"),
    ],
    ids=["Australia", "dated object", "content", "pence"],
)
def test_keys_are_taken_for_what_their_names_say(item: dict[str, Any], amount: str) -> None:
    reading = read({"transactions": [item]})
    assert (reading.status, column(reading, "amount"), column(reading, "booked_on")) == ("warned", [Decimal(amount)], [date(2024, 3, 5)])


def test_a_list_may_begin_with_a_row_that_has_no_day_yet() -> None:
    rows = [{"date": None, "amount": 1, "status": "pending"}, {"date": "2024-03-05", "amount": 2, "status": "posted"}]
    assert read({"transactions": rows}).sum_amount == 2
