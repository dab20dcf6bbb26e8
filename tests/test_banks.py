"""Layouts and profiles: what stands where in a file, found or declared."""

from pathlib import Path

import pytest

from creditrisk import banks
from creditrisk.errors import InvalidInput, UnknownThing, UnreadableFile


@pytest.mark.parametrize(
    ("heading", "row", "roles"),
    [
        ("Date;Description;Amount", "2024-01-05;Rent;-5,00", {"date", "text", "amount"}),
        (
            "Buchungstag;Wertstellung;Verwendungszweck;Betrag;Währung",
            "05.01.2024;06.01.2024;Miete;-5,00;EUR",
            {"date", "value_date", "text", "amount", "currency"},
        ),
        ("Date opération;Libellé;Débit;Crédit", "2024-01-05;Loyer;5,00;", {"date", "text", "debit", "credit"}),
        ("Fecha;Concepto;Importe;Saldo", "05/01/2024;Alquiler;-5,00;10,00", {"date", "text", "amount", "balance"}),
        ("Datum;Naam;Bedrag;Af Bij", "05-01-2024;Huur;5,00;Af", {"date", "text", "amount", "sign"}),
        ("Data operacji;Opis operacji;Kwota;Saldo po operacji", "2024-01-05;Czynsz;-5,00;1,00", {"date", "text", "amount", "balance"}),
        ("Posted Date;Payee;Money Out;Money In;MCC", "2024-01-05;Shop;5.00;;5411", {"date", "text", "debit", "credit", "code"}),
    ],
)
@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_headings_in_several_languages_name_their_roles(heading: str, row: str, roles: set[str], mark: str) -> None:
    text = f"{heading}\n{row}\n".replace(";", mark)
    found = banks.layout("a.csv", text)
    assert found.delimiter == mark
    assert set(found.columns) == roles


def test_the_amount_is_not_the_original_amount_and_the_account_not_the_counterparty() -> None:
    text = (
        "Auftragskonto;Buchungstag;Verwendungszweck;Gegenkonto;Originalbetrag;Betrag;Währung\n"
        "4711;05.01.2024;Miete;DE02120300000000202051;-6,00;-5,00;EUR\n"
    )
    named = banks.layout("a.csv", text).named()
    assert named["amount"] == ["Betrag"]
    assert named["account"] == ["Auftragskonto"]


def test_a_column_of_many_ibans_is_not_taken_for_the_own_account() -> None:
    text = "Date;Description;IBAN;Amount\n2024-01-05;Rent;DE02120300000000202051;-5,00\n2024-01-06;Shop;DE02500105170137075030;-6,00\n"
    assert "account" not in banks.layout("a.csv", text).columns


def test_without_a_heading_columns_are_known_by_what_they_hold() -> None:
    found = banks.layout("a.csv", "05.01.2024;RENT PAYMENT;05.01.2024;-5,00;EUR\n16.01.2024;CORNER SHOP;16.01.2024;-2,00;EUR\n")
    assert not found.has_header
    assert found.columns == {"date": (0,), "amount": (3,), "currency": (4,), "text": (1,)}


@pytest.mark.parametrize(
    "text",
    ["hello world\nnothing here\n", "a,b,c\n1,2,3\n", "AccountId,StatementCreated,NumTransactions,NetAmount\n5,2010-10-18,3,-64.50\n"],
)
def test_a_file_without_transactions_is_refused_by_name(text: str) -> None:
    with pytest.raises(UnreadableFile, match=r"a\.csv: no row reads as a transaction"):
        banks.layout("a.csv", text)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"%PDF-1.7\n", "PDF"),
        (b"PK\x03\x04rest", "Excel"),
        (b"OFXHEADER:100\n", "OFX"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><Document/>", "XML"),
        (b'{"accounts": []}', "JSON"),
        (b"!Type:Bank\n", "QIF"),
        (b"\n:20:STARTUMS\n:25:1/2\n", "MT940"),
        (b"Date,Amount\x00\n", "NUL"),
    ],
)
def test_other_formats_are_known_by_their_content(content: bytes, what: str) -> None:
    assert what in (banks.recognise(content) or "")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_keep_their_letters(encoding: str) -> None:
    text = "Datum;Empfänger;Betrag\n05.01.2024;Café Müller Straße;-5,00\n" * 20
    assert banks.decode("a.csv", text.encode(encoding))[0] == text


def test_a_workspace_adds_profiles_and_bad_ones_say_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('date_format = "%d/%m/%Y"\n', encoding="utf-8")
    assert {"berka", "mine"} <= set(banks.profiles(tmp_path))
    assert banks.profile("mine", tmp_path).date_format == "%d/%m/%Y"
    with pytest.raises(UnknownThing, match="berka"):
        banks.profile("nobody", tmp_path)
    (tmp_path / "mine.toml").write_text('dateformat = "%d/%m/%Y"\n', encoding="utf-8")
    with pytest.raises(InvalidInput, match="dateformat"):
        banks.profiles(tmp_path)
    (tmp_path / "mine.toml").write_text('[columns]\nday = "Date"\n', encoding="utf-8")
    with pytest.raises(InvalidInput, match="'day'"):
        banks.profiles(tmp_path)
    (tmp_path / "mine.toml").write_text('[sign]\nD = "minus"\n', encoding="utf-8")
    with pytest.raises(InvalidInput, match="'minus'"):
        banks.profiles(tmp_path)


@pytest.mark.parametrize("word", ["VYBER", "výběr", "VYDAJ"])
def test_a_czech_withdrawal_is_money_out_like_any_other_expense(word: str) -> None:
    assert banks.side(word) == banks.side("debit")
    assert banks.side("PRIJEM") == banks.side("credit")
