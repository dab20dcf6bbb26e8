"""OFX and QFX: both spellings, printed days, several accounts, and nothing cut off or nested or declared is believed."""

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditrisk import ingest
from creditrisk.settings import Settings

HEADER = "OFXHEADER:100\r\nDATA:OFXSGML\r\nVERSION:102\r\nENCODING:USASCII\r\nCHARSET:{}\r\n\r\n"
PAID = "<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20240105<TRNAMT>-12.50<FITID>1<NAME>CORNER SHOP<MEMO>CARD 1</STMTTRN>\n"
EARNED = "<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20240106233000[-5:EST]<TRNAMT>+2000.00<FITID>2<NAME>ACME<MEMO>ACME WAGES</STMTTRN>\n"


def bank(*transactions: str, account: str = "4711", closing: str = "2100.00", kind: str = "") -> str:
    """Write one statement in SGML; `kind` CC makes it a card's."""
    who = f"<{kind or 'BANK'}ACCTFROM>\n<BANKID>99\n<ACCTID>{account}\n<ACCTTYPE>CHECKING\n</{kind or 'BANK'}ACCTFROM>"
    balance = f"<LEDGERBAL>\n<BALAMT>{closing}\n<DTASOF>20240131\n</LEDGERBAL>" if closing else ""
    listed = f"<BANKTRANLIST>\n<DTSTART>20240101\n{''.join(transactions)}</BANKTRANLIST>"
    return f"<{kind}STMTRS>\n<CURDEF>EUR\n{who}\n{listed}\n{balance}\n</{kind}STMTRS>\n"


def whole(*statements: str, header: str = HEADER.format("1252")) -> str:
    """Write a file of statements."""
    return f"{header}<OFX>\n<BANKMSGSRSV1>\n<STMTTRNRS>\n{''.join(statements)}</STMTTRNRS>\n</BANKMSGSRSV1>\n</OFX>\n"


def read(text: str | bytes) -> ingest.Reading:
    """Read a file given as text."""
    return ingest.read("a.ofx", text.encode() if isinstance(text, str) else text, settings=Settings())


XML = """<?xml version="1.0" encoding="UTF-8"?>
<?OFX OFXHEADER="200" VERSION="202" SECURITY="NONE"?>
<OFX xmlns="urn:x"><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR</CURDEF><BANKACCTFROM><ACCTID>4711</ACCTID></BANKACCTFROM>
<BANKTRANLIST><!-- two -->
<STMTTRN><TRNTYPE>DEBIT</TRNTYPE><DTPOSTED>20240105</DTPOSTED><TRNAMT>-12.50</TRNAMT><NAME>CORNER SHOP</NAME><MEMO>CARD 1</MEMO></STMTTRN>
<STMTTRN><TRNTYPE>CREDIT</TRNTYPE><DTPOSTED>20240106233000[-5:EST]</DTPOSTED><TRNAMT>2000.00</TRNAMT><NAME/><MEMO>ACME WAGES</MEMO>
</STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>2100.00</BALAMT><DTASOF>20240131</DTASOF></LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"""


@pytest.mark.parametrize("text", [whole(bank(PAID, EARNED)), XML, XML.replace("\n", ""), whole(bank(PAID, EARNED), header="")])
def test_both_spellings_say_the_same(text: str) -> None:
    reading = read(text)
    assert (reading.status, reading.format, reading.accounts, reading.currency) == ("accepted", "ofx", ["4711"], "EUR"), reading.problems
    assert (reading.n_transactions, reading.sum_amount, reading.closing) == (2, Decimal("1987.50"), 2100)
    assert reading.rows["booked_on"].to_pylist() == [date(2024, 1, 5), date(2024, 1, 6)], "the day is the one printed"
    assert reading.rows["text"].to_pylist() == ["CORNER SHOP CARD 1", "ACME WAGES"]
    assert reading.rows["code"].to_pylist() == ["OFX DEBIT", "OFX CREDIT"]


def test_lines_are_those_of_the_file() -> None:
    text = whole(bank(PAID, EARNED))
    lines = text.splitlines()
    assert [lines[line - 1] + "\n" for line in read(text).rows["line"].to_pylist()] == [PAID, EARNED]


def test_accounts_are_kept_apart_and_one_in_two_parts_ends_with_the_last() -> None:
    reading = read(whole(bank(PAID, closing="5.00"), bank(EARNED, account="0815", kind="CC"), bank(PAID, closing="-20.00")))
    assert reading.accounts == ["4711", "0815"]
    assert {name: found.closing for (name, _), found in reading.balances.items()} == {"4711": Decimal(-20), "0815": Decimal(2100)}


def test_words_are_unescaped_and_a_lone_mark_is_text() -> None:
    words = "R&D &amp; AT&amp;T &lt;b&gt; a < b &#233;"
    reading = read(whole(bank(PAID.replace("CORNER SHOP", words))))
    assert reading.rows["text"].to_pylist() == ["R&D & AT&T <b> a < b é CARD 1"]


@pytest.mark.parametrize(("page", "charset"), [("cp1252", "1252"), ("latin-1", "ISO-8859-1"), ("utf-8", "1252"), ("utf-16", "NONE")])
def test_encodings(page: str, charset: str) -> None:
    text = whole(bank(PAID.replace("CORNER SHOP", "CAFÉ MÜLLER")), header=HEADER.format(charset))
    assert read(text.encode(page)).rows["text"].to_pylist() == ["CAFÉ MÜLLER CARD 1"]


def test_amounts_with_a_decimal_comma() -> None:
    assert read(whole(bank(PAID.replace("12.50", "12,50"), EARNED.replace("2000.00", "2.000,00")))).sum_amount == Decimal("1987.50")


def test_both_marks_in_one_file_are_decimal_before_two_digits_and_else_refused() -> None:
    assert read(whole(bank(PAID.replace("12.50", "12,50"), EARNED, closing=""))).sum_amount == Decimal("1987.50")
    refused = read(whole(bank(PAID.replace("12.50", "1.200,00"), EARNED.replace("+2000.00", "5.10"))))
    assert (refused.status, refused.problems[0].value) == ("rejected", "-1.200,00")


def test_a_foreign_amount_has_its_own_currency_and_a_merchant_code_wins() -> None:
    more = "<SIC>5411<CURRENCY><CURRATE>1.1<CURSYM>USD</CURRENCY></STMTTRN>"
    reading = read(whole(bank(PAID.replace("</STMTTRN>", more), EARNED)))
    assert reading.rows["currency"].to_pylist() == ["USD", "EUR"]
    assert reading.rows["code"].to_pylist() == ["MCC 5411", "OFX CREDIT"]


def test_pending_is_counted_and_kept_out() -> None:
    pending = "<BANKTRANLISTP><DTASOF>20240131<STMTTRNP><TRNTYPE>DEBIT<DTTRAN>20240130<TRNAMT>-1.00<NAME>X</STMTTRNP></BANKTRANLISTP>"
    reading = read(whole(bank(PAID).replace("<LEDGERBAL>", f"{pending}<LEDGERBAL>")))
    assert (reading.status, reading.n_transactions, reading.sum_amount) == ("warned", 1, Decimal("-12.50"))


def test_payments_without_a_sign_are_doubted() -> None:
    reading = read(whole(bank(PAID.replace("-12.50", "12.50"))))
    assert reading.status == "warned"
    assert 'positive = "out"' in reading.problems[0].message


def test_an_investment_account_gives_its_cash_with_a_warning_or_nothing() -> None:
    trades = "<INVSTMTRS><CURDEF>USD<INVACCTFROM><ACCTID>77</INVACCTFROM><INVTRANLIST><BUYSTOCK></BUYSTOCK>{}</INVTRANLIST></INVSTMTRS>"
    assert "investment statement" in read(whole(trades.format(""))).problems[0].message
    cash = read(whole(trades.format(f"<INVBANKTRAN>{PAID}</INVBANKTRAN>")))
    assert (cash.status, cash.n_transactions, cash.accounts) == ("warned", 1, ["77"])


GOOD = whole(bank(PAID, EARNED))


@pytest.mark.parametrize(
    ("text", "line", "value", "said"),
    [
        (GOOD.replace("-12.50", "12..34"), 19, "12..34", "'12..34' (TRNAMT) is not an amount"),
        (GOOD.replace("-12.50", "NaN"), 19, "NaN", "is not an amount"),
        (GOOD.replace("-12.50", "1E400"), 19, "1E400", "is not an amount"),
        (GOOD.replace("-12.50", "Infinity"), 19, "Infinity", "is not an amount"),
        (GOOD.replace("-12.50", ""), 19, "", "is not an amount"),
        (GOOD.replace("-12.50", "-9000000000000"), 19, "-9000000000000", "beyond ± 1,000,000,000,000"),
        (GOOD.replace("20240105", "20240230"), 19, "20240230", "not a date of the calendar"),
        (GOOD.replace("20240105", ""), 19, "", "not a date of the calendar"),
        (GOOD.replace("2100.00", "much"), None, "much", "'much' (BALAMT) is not an amount"),
        (GOOD.replace(PAID, PAID.replace("</STMTTRN>", "")), 19, "STMTTRN", "does not close"),
        (GOOD.replace(PAID, "").replace(EARNED, ""), None, None, "holds no transaction"),
        (HEADER.format("1252"), None, None, "no <OFX> below it"),
        (GOOD.replace("<OFX>", "<!DOCTYPE OFX [<!ENTITY a 'b'>]><OFX>"), None, None, "document type"),
        (GOOD.replace("<BANKMSGSRSV1>", "<A>" * 5000), None, None, "nested more than 50 deep"),
        (GOOD.replace("CORNER", "C\x00RNER"), None, None, "NUL"),
        (GOOD.replace("CORNER", "C" * 20_000), None, None, "more than the 10000 allowed"),
        (GOOD.replace("<STMTRS>", "").replace("</STMTRS>", ""), None, None, "no bank or card statement"),
    ],
)
def test_a_bad_file_is_refused_by_name_line_and_value(text: str, line: int | None, value: str | None, said: str) -> None:
    reading = read(text)
    assert (reading.status, reading.format, reading.n_transactions) == ("rejected", "ofx", 0)
    problem = reading.problems[0]
    assert (problem.line, problem.value) == (line, value)
    assert problem.message.startswith("a.ofx")
    assert said in problem.message


@given(st.integers(len(HEADER), len(GOOD) - 8))
def test_a_file_cut_anywhere_is_refused(end: int) -> None:
    assert read(GOOD[:end]).status == "rejected"


def test_many_open_tags_cost_no_time() -> None:
    assert read(whole(bank("<STMTTRN>" * 200_000))).status == "rejected"
    assert read(whole(bank(PAID.replace("CORNER", "<" * 200_000)))).status == "rejected"


def test_the_samples(shared: Path) -> None:
    folder = shared / "statements"
    with (folder / "EXPECTED.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["format"] == "ofx" and row["role"] == "statement"]
    for row in rows:
        path = folder / row["source"] / row["file"]
        reading = ingest.read(path.name, path.read_bytes(), settings=Settings())
        assert (reading.n_transactions, reading.sum_amount) == (int(row["n_transactions"]), Decimal(row["sum_amount"])), path.name
        assert not row["closing"] or len(reading.accounts) > 1 or reading.closing == Decimal(row["closing"]), path.name


def test_a_list_a_bank_forgot_to_close_ends_with_its_balance() -> None:
    text = whole(bank(PAID, EARNED))
    left_open = text.replace("</BANKTRANLIST>", "")
    assert read(left_open).rows.equals(read(text).rows)
    for cut in (left_open.replace("</STMTTRN>\n\n<LEDGERBAL>", "<LEDGERBAL>"), left_open[: left_open.index("<LEDGERBAL>")]):
        assert read(cut).status == "rejected"
    assert read(whole(bank(PAID, closing="")).replace("</BANKTRANLIST>", "")).status == "rejected", "nothing says the list is whole"


def test_a_line_about_the_balance_has_a_mark_for_an_amount() -> None:
    reading = read(whole(bank(PAID, EARNED.replace("+2000.00", "        .  "))))
    assert (reading.status, reading.n_transactions, reading.sum_amount) == ("warned", 2, Decimal("-12.50"))
    assert "1 transactions state a mark and no amount" in reading.problems[0].message
    assert read(whole(bank(PAID, EARNED.replace("+2000.00", "")))).status == "rejected"


def test_a_card_s_statement_may_be_closed_as_an_account_s() -> None:
    text = whole(bank(PAID, EARNED, kind="CC"))
    assert read(text.replace("</CCSTMTRS>", "</STMTRS>")).rows.equals(read(text).rows)
    assert read(text.replace("</CCSTMTRS>", "</INVTRANLIST>")).status == "rejected"


def test_a_balance_among_the_transactions_is_said_and_is_no_income() -> None:
    saldo = EARNED.replace("<NAME>ACME<MEMO>ACME WAGES", "<MEMO>Saldo Anterior")
    reading = read(whole(bank(saldo, PAID)))
    assert (reading.status, reading.n_transactions) == ("warned", 2)
    assert reading.rows["code"].to_pylist() == ["OFX BALANCE IN", "OFX DEBIT"]
    assert "1 rows ('Saldo Anterior' for example) read as balances" in reading.problems[0].message
    assert read(whole(bank(saldo.replace("Anterior", "de contas"), PAID))).status == "accepted"


@pytest.mark.parametrize(
    ("amount", "currency", "status"), [("-1,234", "EUR", "warned"), ("-1.234", "EUR", "warned"), ("-1.234", "KWD", "accepted")]
)
def test_a_mark_that_may_part_thousands_is_never_read_in_silence(amount: str, currency: str, status: str) -> None:
    reading = read(whole(bank(PAID.replace("-12.50", amount)).replace("<CURDEF>EUR", f"<CURDEF>{currency}")))
    assert (reading.status, reading.sum_amount) == (status, Decimal("-1.234")), reading.problems
    if status == "warned":
        assert "profile (--profile) with decimal decides" in reading.problems[0].message


def test_a_transaction_that_replaces_another_is_warned_of() -> None:
    again = PAID.replace("-12.50", "-21.50").replace("<FITID>1", "<FITID>9<CORRECTFITID>1<CORRECTACTION>REPLACE")
    reading = read(whole(bank(PAID, again)))
    assert (reading.status, reading.n_transactions) == ("warned", 2)
    assert "replace or delete earlier ones (CORRECTFITID '1'" in reading.problems[0].message
