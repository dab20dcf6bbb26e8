"""What else is brought with malice or by bad luck: words in every field, names of files, tables, model bundles, bodies of requests.

Statements are in `hostiles`; here is everything else that a person, a program or a file can hand over. Each generator yields (name, what).
"""

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from tests.hostiles import LAUGHS, SOUND
from tests.papers import sheet_xml, workbook

# What must be shown as it was typed: HTML, Markdown, LaTeX, Streamlit's directives, formulas, and what turns a line around.
WORDS = {
    "script": "<script>alert(1)</script>",
    "image tag": '<img src=x onerror="alert(1)">',
    "svg": "<svg/onload=alert(1)>",
    "bold tag": "<b>BOLD</b><br>",
    "anchor": '<a href="javascript:alert(1)">here</a>',
    "comment": "<!-- --> <!DOCTYPE html>",
    "link": "[pay here](https://evil.test/x)",
    "image": "![seen](https://evil.test/pixel.png)",
    "autolink": "https://evil.test/a?b=c www.evil.test",
    "reference": "[1]: https://evil.test 'x'",
    "heading": "# SHOP\n===\n---",
    "emphasis": "**SHOP** __a__ ~~b~~ `c` _d_ *e*",
    "table": "|a|b|\n|-|-|\n|1|2|",
    "list": "1. a\n- b\n+ c\n> d",
    "latex": "$\\frac{1}{0}$ $$x$$ \\(y\\)",
    "icon": ":material/delete: :red[ALL PAID] :rainbow[x] :streamlit:",
    "badge": ":green-badge[approved] :red-background[x]",
    "emoji code": ":smile: :+1:",
    "tooltip": ":tooltip[a]{b} :help[x]",
    "formula": '=HYPERLINK("http://evil.test","x")',
    "dde": "=cmd|' /C calc'!A0",
    "plus": "+1+cmd|' /C calc'!A0",
    "at": "@SUM(1+1)",
    "minus": "-2+3+cmd",
    "wide equals": "＝1+1",
    "tab first": "\t=1+1",
    "template": "{{7*7}} ${7*7} #{7*7} %s %(a)s {0} {x}",
    "plotly": "%{customdata[0]} <extra></extra> %{x}",
    "sql": "'; drop table transaction; --",
    "sql quoted": 'a" from audit; --',
    "shell": "$(reboot) `reboot` | reboot && reboot",
    "json": '{"a": [1, "\\u0000"]}',
    "right to left": "SHOP \u202egnp.exe\u202c \u2066x\u2069",
    "zero width": "SH\u200bOP\ufeff\u2060",
    "combining": "Z" + "\u0334\u0350" * 60,
    "emoji": "👩‍👩‍👧‍👦🏴‍☠️",
    "controls": "a\x1b[31mred\x07\x08\x7f",
    "null": "a\0b",
    "newline": "a\r\nSet-Cookie: x=1",
    "very long": "LONG " * 4_000,
    "one long word": "W" * 20_000,
    "astral": "\U0010ffff\ufffe",
}
SHOWABLE = [word for name, word in WORDS.items() if name not in ("null", "controls", "newline", "very long", "one long word")]

FILE_NAMES = {
    "up": "../../etc/passwd",
    "up, windows": "..\\..\\windows\\x.csv",
    "root": "/etc/passwd",
    "drive": "C:\\x.csv",
    "share": "\\\\server\\share\\x.csv",
    "dots": "..",
    "dot": ".",
    "nothing": "",
    "blank": "   ",
    "null": "a\0b.csv",
    "newline": "a\r\nX-Evil: 1.csv",
    "escape": "a\x1b[31m.csv",
    "255": "x" * 251 + ".csv",
    "5000": "x" * 5_000 + ".csv",
    "long in bytes": "é" * 250 + ".csv",
    "device": "CON.csv",
    "device 2": "nul",
    "dash": "-rf.csv",
    "option": "--server.address=0.0.0.0.csv",
    "quotes": "a\"b'c`d.csv",
    "emoji": "💸🏴‍☠️.csv",
    "script": "<script>alert(1)</script>.csv",
    "markdown": "![x](https://evil.test/p.png).csv",
    "right to left": "statement\u202evsc.exe",
    "surrogate": "a\udcff.csv",
    "hidden": ".htaccess",
    "stream": "x.csv:Zone.Identifier",
    "percent": "%2e%2e%2fx.csv",
    "wildcard": "*.csv",
    "glob of the database": "read_csv('/etc/passwd').csv",
    "formula": "=1+1.csv",
}

HEADINGS = {
    "drop": '"; DROP TABLE applicant; --',
    "quote": 'a" from audit --',
    "apostrophe": "x' or '1'='1",
    "union": "1) union select * from token --",
    "macro": "read_csv('/etc/passwd')",
    "attach": "'; attach '/tmp/x.db' as y; --",
    "pragma": "); set enable_external_access = true; --",
    "keyword": "select",
    "internal": "rowid",
    "own": "snapshot_id",
    "star": "*",
    "dollar": "$name",
    "question": "?",
    "brace": "{0!r}",
    "dunder": "__class__",
    "script": "<script>alert(1)</script>",
    "markdown": "[x](https://evil.test)",
    "formula": "=1+1",
    "right to left": "\u202eemocni",
    "newline": "a\nb",
    "very long": "c" * 3_000,
    "emoji": "💸",
    "dots": "a.b.c",
    "brackets": "x[0]",
    "semicolons": "a;b\\",
}


def headed(heading: str, rows: int = 30) -> bytes:
    """Write a table of applicants, one of whose columns is called so."""
    told = '"' + heading.replace('"', '""') + '"'
    return f"applicant_id,income,{told}\n".encode() + b"".join(f"A{n},{1000 + n},{n % 7}\n".encode() for n in range(rows))


# --- tables of applicants -------------------------------------------------------------------------------------------------

ROWS = [{"applicant_id": f"A{n}", "income": 1000 + n, "late": n % 2} for n in range(30)]


def of_rows(text: str = "") -> bytes:
    """Write a sound table, `text` in place of the first income."""
    return "".join(
        [
            f"{','.join(ROWS[0])}\n",
            *(f"{r['applicant_id']},{text if text and not n else r['income']},{r['late']}\n" for n, r in enumerate(ROWS)),
        ]
    ).encode()


def as_parquet(**columns: Any) -> bytes:
    """Write columns as a Parquet file."""
    held = io.BytesIO()
    parquet.write_table(pa.table(columns), held)
    return held.getvalue()


def tables() -> Iterator[tuple[str, bytes]]:
    """Yield tables of applicants that must be refused in words."""
    sound = as_parquet(applicant_id=[r["applicant_id"] for r in ROWS], income=[r["income"] for r in ROWS])
    book = workbook({"a": sheet_xml([[*ROWS[0]], *([*row.values()] for row in ROWS)])})
    yield "empty.csv", b""
    yield "blank.csv", b"\n" * 5_000
    yield "spaces.csv", b" " * 100_000
    yield "only a heading.csv", b"applicant_id,income\n"
    yield "NUL.csv", b"\0" * 10_000
    yield "noise.csv", bytes(range(256)) * 200
    yield "utf-16.csv", of_rows().decode().encode("utf-16-le")
    yield "open quote.csv", of_rows().replace(b"A3", b'"A3')
    yield "same heading.csv", b"applicant_id,a,a\n1,2,3\n"
    yield "no heading.csv", b",,\n1,2,3\n"
    yield "wide.csv", (",".join(f"c{n}" for n in range(60_000)) + "\n" + ",".join("1" * 60_000) + "\n").encode()
    yield "one cell.csv", b"x" * 3_000_000
    yield "a picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(500)
    yield "a program.csv", b"\x7fELF" + bytes(500)
    yield "html.csv", b"<html><script>alert(1)</script></html>"
    yield "json.csv", json.dumps(ROWS).encode()
    yield "pickle.csv", pickle.dumps(Harm())
    yield "empty.parquet", b""
    yield "short.parquet", b"PAR1"
    yield "text.parquet", of_rows()
    yield "pickle.parquet", pickle.dumps(Harm())
    yield "cut.parquet", sound[: len(sound) // 2]
    yield "no foot.parquet", sound[:-8] + b"PAR1" + bytes(4)
    yield "long foot.parquet", sound[:-8] + struct.pack("<I", 0x7FFFFFFF) + b"PAR1"
    yield "turned foot.parquet", sound[:-60] + bytes(byte ^ 0x55 for byte in sound[-60:-8]) + sound[-8:]
    yield "no column.parquet", as_parquet()
    yield "no row.parquet", as_parquet(applicant_id=pa.array([], pa.string()), income=pa.array([], pa.float64()))
    yield "nested.parquet", as_parquet(applicant_id=["a"], income=[{"a": [1]}])
    yield "empty.xlsx", b""
    yield "text.xlsx", of_rows()
    yield "cut.xlsx", book[: len(book) // 2]
    yield "no sheet.xlsx", zipped({"hello": b"x"})
    yield "bomb.xlsx", workbook({"a": sheet_xml([[*ROWS[0]], *([*row.values()] for row in ROWS)], more=" " * 60_000_000)})
    yield "laughs.xlsx", workbook({"a": sheet_xml([[*ROWS[0]]]).replace("?>", f"?>{LAUGHS}", 1)})
    yield "far.xlsx", workbook({"a": sheet_xml([[*ROWS[0]]], more='<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')})
    yield "a statement.pdf", SOUND["a.pdf"]
    yield "a book.xls", SOUND["a.xls"][:700]
    yield "unknown.exe", b"MZ" + bytes(300)
    yield "no key.csv", b"applicant_id,income\n,1\n,2\n"
    yield "keys that were rounded.csv", b"applicant_id,income\n1.23457E+15,1\n1.23457E+15,2\n"
    yield "a key twice.csv", of_rows() + b"A3,1,1\n"
    yield "a key with NUL.parquet", as_parquet(applicant_id=["a\0b", "c"], income=[1, 2])
    yield "a very long key.csv", f"applicant_id,income\n{'A' * 10_000},1\nB,2\n".encode()
    yield "bytes.parquet", as_parquet(applicant_id=[b"\xff\xfe", b"\x00"], income=[1, 2])


class Harm:
    """What unpickling would do."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit('unpickled')",))


def zipped(members: dict[str, bytes]) -> bytes:
    """Pack members."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return held.getvalue()


# --- requests -------------------------------------------------------------------------------------------------------------

JSON = "application/json"
BODIES = {  # what is sent where JSON is expected
    "nothing": b"",
    "noise": b"\xff\xfe\x00",
    "open": b"{",
    "open and deep": b"[" * 50_000,
    "deep": b"[" * 20_000 + b"]" * 20_000,
    "deep objects": b'{"a":' * 50_000,
    "null": b"null",
    "number": b"1",
    "text": b'"x"',
    "true": b"true",
    "NaN": b"NaN",
    "no list": b"[]",
    "list of nothing": b"[null]",
    "huge whole": b"1" + b"0" * 5_000,
    "huge": b"1e999",
    "utf-16": "{}".encode("utf-16"),
    "latin-1": '{"comment":"\xe9"}'.encode("latin-1"),
    "marked": b"\xef\xbb\xbf{}",
    "lone surrogate": b'{"comment":"\\ud800","features":{"\\ud800":1}}',
    "said twice": b'{"action":"accept","action":"override","features":{"a":1},"features":{"b":2}}',
    "NUL": b'{"comment":"\\u0000","applicant_id":"\\u0000"}',
    "many keys": json.dumps({f"k{place}": place for place in range(20_000)}).encode(),
    "more than one": b"{} {}",
    "remark": b"/* x */ {}",
    "prototype": b'{"__proto__": {"admin": true}, "constructor": 1}',
}
KINDS = {  # how it says what it is
    "text": "text/plain",
    "form": "application/x-www-form-urlencoded",
    "parts": "multipart/form-data; boundary=x",
    "parts without a boundary": "multipart/form-data",
    "another charset": "application/json; charset=utf-16",
    "xml": "application/xml",
    "nothing": "",
}
IDS = {  # in place of an id in an address
    "NUL": "%00",
    "half a letter": "%ff",
    "up": "..",
    "up, hidden": "%2e%2e%2f",
    "very long": "x" * 5_000,
    "sql": "'; drop table model; --",
    "emoji": "%F0%9F%92%B8",
    "below nothing": "-1",
    "beyond": "99999999999999999999",
    "surrogate": "%ed%a0%80",
    "new line": "%0d%0aX:1",
    "tag": "<script>",
}
VALUES: dict[str, Any] = {  # in place of a field's value
    "nothing": None,
    "true": True,
    "below nothing": -1,
    "huge": 1e308,
    "huge whole": 10**30,
    "fraction": 1.5,
    "empty": "",
    "very long": "x" * 100_000,
    "list": [],
    "lists": [[]],
    "object": {"a": 1},
    "long list": ["x"] * 5_000,
    "NUL": "\0",
    "tag": "<script>",
    "surrogate": "\ud800",
    "NaN": float("nan"),
    "infinite": float("-inf"),
}


# --- bundles of models ------------------------------------------------------------------------------------------------------


def bundles(manifest: str, needed: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """Yield what may be given for a model's bundle, of which `needed` are the members and `manifest` is one."""
    members = {name: pickle.dumps(Harm()) for name in needed}
    whole = zipped({**members, manifest: b"{}"})
    yield "nothing", b""
    yield "noise", bytes(range(256)) * 40
    yield "a pickle", pickle.dumps(Harm())
    yield "no member", zipped({})
    yield "no manifest", zipped(members)
    yield "cut", whole[: len(whole) // 2]
    yield "turned", bytes(byte ^ (0x55 if 60 < place < len(whole) - 400 else 0) for place, byte in enumerate(whole))
    for name, said in (("not JSON", b"{"), ("a list", b"[]"), ("deep", b"[" * 100_000), ("no UTF-8", b"\xff"), ("empty", b"{}")):
        yield f"a manifest that is {name}", zipped({**members, manifest: said})
    told = {"kind": "creditrisk model", "format": 1, "origin": 1, "model": [], "label_set": None, "files": {"x": 1}}
    yield "a manifest of other kinds", zipped({**members, manifest: json.dumps(told).encode()})
    yield "a huge manifest", zipped({**members, manifest: b" " * 5_000_000})
    for name in ("../../evil.py", "/etc/passwd", "a\\..\\b", "evil.py", "pipeline.joblib/"):
        yield f"a member {name!r}", zipped({**members, manifest: b"{}", name: b"print()"})
    for kind in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", kind) as archive:
            for name in (*members, manifest):
                archive.writestr(name, json.dumps({"pad": list(range(2_000))}))
        content = bytearray(held.getvalue())
        for name in (*members, manifest):  # the header in front of each member is whole, what was packed is not
            at = content.find(name.encode()) + len(name) + 12
            content[at : at + 60] = bytes(60)
        yield f"packed in the way {kind} and broken", bytes(content)
