"""Layouts: what stands where in a file, found or declared."""

import pytest

from creditrisk import layouts
from creditrisk.errors import UnreadableFile


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
    found = layouts.find("a.csv", text)
    assert found.delimiter == mark
    assert set(found.columns) == roles


def test_the_amount_is_not_the_original_amount_and_the_account_not_the_counterparty() -> None:
    text = (
        "Auftragskonto;Buchungstag;Verwendungszweck;Gegenkonto;Originalbetrag;Betrag;Währung\n"
        "4711;05.01.2024;Miete;DE02120300000000202051;-6,00;-5,00;EUR\n"
    )
    named = layouts.find("a.csv", text).named()
    assert named["amount"] == ["Betrag"]
    assert named["account"] == ["Auftragskonto"]


def test_a_column_of_many_ibans_is_not_taken_for_the_own_account() -> None:
    text = "Date;Description;IBAN;Amount\n2024-01-05;Rent;DE02120300000000202051;-5,00\n2024-01-06;Shop;DE02500105170137075030;-6,00\n"
    assert "account" not in layouts.find("a.csv", text).columns


def test_without_a_heading_columns_are_known_by_what_they_hold() -> None:
    found = layouts.find("a.csv", "05.01.2024;RENT PAYMENT;05.01.2024;-5,00;EUR\n16.01.2024;CORNER SHOP;16.01.2024;-2,00;EUR\n")
    assert not found.has_header
    assert found.columns == {"date": (0,), "amount": (3,), "currency": (4,), "text": (1,)}


@pytest.mark.parametrize(
    "text",
    ["hello world\nnothing here\n", "a,b,c\n1,2,3\n", "AccountId,StatementCreated,NumTransactions,NetAmount\n5,2010-10-18,3,-64.50\n"],
)
def test_a_file_without_transactions_is_refused_by_name(text: str) -> None:
    with pytest.raises(UnreadableFile, match=r"a\.csv: no row reads as a transaction"):
        layouts.find("a.csv", text)
