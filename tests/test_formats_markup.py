"""Pages and XML that are called .xls: rows of cells as any delimited file, and nothing of a DTD is ever read."""

import time
from datetime import date
from decimal import Decimal

import pytest

from creditrisk import ingest
from creditrisk.settings import Settings

HEAD = "<tr><th>Date</th><th>Description</th><th>Amount</th><th>Balance</th></tr>"
ROWS = (
    "<tr><td>16/01/2024</td><td>CAF&Eacute; &amp; <b>SHOP</b></td><td>-1,234.50</td><td>98.50</td></tr>"
    "<tr><td>17/01/2024</td><td>PAY<br>MAY</td><td align='right'>25.00</td><td>123.50</td></tr>"
)
PAGE = f"<html><head><style>td {{ color: red }}</style></head><body><table>{HEAD}{ROWS}</table></body></html>"
SPACE = 'xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"'


def read(content: str | bytes) -> ingest.Reading:
    return ingest.read("export.xls", content.encode() if isinstance(content, str) else content, settings=Settings())


def refusal(content: str | bytes) -> str:
    reading = read(content)
    assert (reading.status, reading.n_transactions) == ("rejected", 0), reading
    return reading.problems[0].message


def cell(value: str, kind: str = "String", more: str = "") -> str:
    return f'<Cell{more}><Data ss:Type="{kind}">{value}</Data></Cell>'


def book(*rows: str, name: str = "May", before: str = "") -> str:
    body = "".join(f"<Row>{row}</Row>" for row in rows)
    return (
        f'<?xml version="1.0"?>{before}<?mso-application progid="Excel.Sheet"?><Workbook {SPACE}>'
        f'<Styles/><Worksheet ss:Name="{name}"><Table>{body}</Table></Worksheet></Workbook>'
    )


BOOK_HEAD = cell("Date") + cell("Description") + cell("Amount") + cell("Balance")
BOOK = book(
    BOOK_HEAD,
    cell("2024-01-16T00:00:00.000", "DateTime") + cell("SHOP &amp; CO") + cell("-1234.5", "Number") + cell("98.5", "Number"),
    cell("2024-01-17T00:00:00.000", "DateTime") + cell("PAY") + cell("25", "Number") + cell("123.5", "Number"),
)


@pytest.mark.parametrize(
    "content",
    [
        PAGE,
        "<!DOCTYPE html>\n" + PAGE,
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">' + PAGE,
        "\ufeff" + PAGE,
        PAGE.encode("utf-16"),
        PAGE.replace("<head>", '<head><meta charset="windows-1252">').encode("cp1252"),
        PAGE.replace("&Eacute;", "É").encode("cp1252"),
        f"<table>{HEAD}{ROWS}</table>",
        PAGE.replace("</td>", "").replace("</tr>", "").replace("</th>", ""),
        PAGE.replace("<table>", '<table><tr><td colspan="4">Account of Ann, 5 < 6</td></tr>'),
        PAGE.replace("<table>", "<table><tr><td>My Bank</td></tr></table><!-- <table> --><table>"),
        f"<table><tr><td>layout</td><td><table>{HEAD}{ROWS}</table></td></tr></table>",
        PAGE.replace("<body>", "<body><script>if (a < b) { '<table>' }</script>"),
        PAGE.upper().replace("&EACUTE;", "&Eacute;").replace("&AMP;", "&amp;"),
        f"<table>{HEAD}</table><table>{ROWS}</table>",
    ],
)
def test_a_page_called_xls_is_read(content: str | bytes) -> None:
    reading = read(content)
    assert (reading.format, reading.status) == ("xls-html", "accepted"), reading.problems
    assert reading.rows["amount"].to_pylist() == [Decimal("-1234.5"), Decimal(25)]
    assert reading.rows["booked_on"].to_pylist() == [date(2024, 1, 16), date(2024, 1, 17)]
    assert [text.upper() for text in reading.rows["text"].to_pylist()] == ["CAFÉ & SHOP", "PAY MAY"]
    assert reading.reconciliation == "ok"
    assert reading.dialect["line"] == "row"


def test_tables_with_headings_of_their_own_are_sheets() -> None:
    second = ROWS.replace("16/01", "18/01").replace("17/01", "19/01")
    reading = read(f"<table>{HEAD}{ROWS}</table><p>Savings</p><table>{HEAD}{second}</table>")
    assert (reading.n_transactions, reading.status) == (4, "warned")
    assert "2 sheets hold transactions" in reading.problems[0].message


def test_merged_cells_stay_in_their_columns() -> None:
    merged = (
        '<tr><td rowspan="2">16/01/2024</td><td>A SHOP</td><td>-1.00</td></tr><tr><td>OF BOOKS</td><td></td></tr>'
        "<tr><td>17/01/2024</td><td>PAY</td><td>5.00</td></tr>"
    )
    reading = read(f"<table><tr><td>Date</td><td>Description</td><td>Amount</td></tr>{merged}</table>")
    assert reading.rows["text"].to_pylist() == ["A SHOP OF BOOKS", "PAY"]
    assert reading.rows["amount"].to_pylist() == [-1, 5]


def test_an_xml_workbook_is_read() -> None:
    reading = read(BOOK)
    assert (reading.format, reading.status, reading.reconciliation) == ("xls-xml", "accepted", "ok"), reading.problems
    assert reading.rows["amount"].to_pylist() == [Decimal("-1234.5"), Decimal(25)]
    assert reading.rows["booked_on"].to_pylist() == [date(2024, 1, 16), date(2024, 1, 17)]
    assert reading.rows["text"].to_pylist() == ["SHOP & CO", "PAY"]
    assert reading.dialect["sheets"] == ["May"]
    prefixed = BOOK.replace(f"<Workbook {SPACE}", f"<ss:Workbook {SPACE.split()[1]}").replace("</Workbook", "</ss:Workbook")
    for tag in ("Styles", "Worksheet", "Table", "Row", "Cell", "Data"):
        prefixed = prefixed.replace(f"<{tag}", f"<ss:{tag}").replace(f"</{tag}", f"</ss:{tag}")
    assert read(prefixed).sum_amount == reading.sum_amount
    assert read(BOOK.replace('"1.0"', '"1.0" encoding="utf-16"').encode("utf-16")).sum_amount == reading.sum_amount


def test_cells_of_an_xml_workbook_stand_where_they_say() -> None:
    content = book(
        BOOK_HEAD,
        cell("16/01/2024") + cell("-1.235", "Number", ' ss:Index="3"') + cell("9", "Number"),
        cell("17/01/2024") + cell("PAY") + cell("2.5E1", "Number") + cell("34", "Number"),
    )
    reading = read(content)
    assert reading.rows["amount"].to_pylist() == [Decimal("-1.235"), 25], "a number of three decimals is no thousands"
    spaced = content.replace("<Row>", '<Row ss:Index="7">', 1)
    assert read(spaced).rows["line"].to_pylist() == [8, 9]


def test_several_worksheets_are_sheets() -> None:
    other = BOOK.replace("2024-01", "2024-02").split("<Worksheet")[1].split("</Workbook")[0].replace("May", "June")
    reading = read(BOOK.replace("</Workbook>", f"<Worksheet{other}</Workbook>"))
    assert (reading.n_transactions, reading.dialect["sheets"]) == (4, ["May", "June"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('<!DOCTYPE html [<!ENTITY a "b">]>' + PAGE, "document type"),
        (PAGE.replace("<body>", '<body><!ENTITY a SYSTEM "file:///etc/passwd">'), "document type"),
        (book(BOOK_HEAD, before='<!DOCTYPE x [<!ENTITY a "b">]>'), "document type"),
        (book(BOOK_HEAD, before="<!DOCTYPE Workbook>"), "document type"),
        (PAGE.replace("</table>", ""), "never ends"),
        (PAGE[: PAGE.index("17/01") - 3], "cut off"),
        (BOOK[:-200], "damaged or cut off"),
        (f"{BOOK[:-40]}\x00", "damaged"),
        ("<table>" * 60 + HEAD + ROWS + "</table>" * 60, "nested deeper than 50"),
        (BOOK.replace("<Styles/>", "<a>" * 60 + "</a>" * 60), "nested deeper than 50"),
        (f"<table><tr>{'<td>x</td>' * 10_000}</tr></table>", "more than the 200 columns"),
        ('<table><tr><td colspan="999999">x</td></tr></table>', "more than the 200 columns"),
        (BOOK.replace("<Cell>", '<Cell ss:Index="9999999">', 1), "more than the 200 columns"),
        (BOOK.replace("<Cell>", '<Cell ss:Index="-4">', 1), "damaged"),
        (BOOK.replace("<Row>", '<Row ss:Index="9999999">', 1), "rows allowed"),
        (f"<table>{'<tr><td colspan=200>' * 60_000}</table>", "more than 10,000,000 cells"),
        (f"<table><tr><td colspan=200>x</td></tr>{'<tr><td>x' * 60_000}</table>", "no statement does"),
        (f"<table><tr><td>{'x' * 20_000}</td></tr></table>", "longer than 10000"),
        (PAGE.replace("-1,234.50", "NaN"), "'NaN'"),
        (PAGE.replace("16/01/2024", "31/02/2024"), "31/02/2024"),
        (BOOK.replace("-1234.5", "1E400"), "1E400"),
        ("<html><body><p>Please sign in</p><table><tr><td>User</td></tr></table></body></html>", "no row reads as a transaction"),
        ("<html><body><p>Please sign in</p></body></html>", "XML or HTML document"),
        ("<table></table>", "no"),
    ],
)
def test_what_is_broken_or_hostile_is_refused_by_name(content: str, said: str) -> None:
    message = refusal(content)
    assert message.startswith("export.xls")
    assert said in message


@pytest.mark.parametrize("piece", ["<", "<!--", "<!", "</", '<a "', "<script>", "<table>", "<td>", "&#", "<![CDATA[", "<tr><td rowspan=9>"])
def test_a_page_of_rubbish_takes_no_time(piece: str) -> None:
    begun = time.process_time()
    refusal("<table>" + piece * (500_000 // len(piece)))
    refusal("<table><tr><td>" + piece * (50_000 // len(piece)) + "</td></tr></table>")
    assert time.process_time() - begun < 10
