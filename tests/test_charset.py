"""What the bytes of a file are: another kind of file, or text in some character set."""

import pytest

from creditrisk import charset


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
    assert what in (charset.recognise(content) or "")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_keep_their_letters(encoding: str) -> None:
    text = "Datum;Empfänger;Betrag\n05.01.2024;Café Müller Straße;-5,00\n" * 20
    assert charset.decode("a.csv", text.encode(encoding))[0] == text
