"""What people's data and secrets never do: become HTML, a formula, a path, a line of a log, or somebody else's cache."""

import ast
import re
from pathlib import Path

import pytest

from creditrisk import cells, ingest, tables
from creditrisk.errors import InvalidInput
from creditrisk.settings import Settings
from tests.conftest import ROOT

FACES = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py")), *sorted((ROOT / "ui").glob("*.py"))]
OURS = [*FACES, *sorted((ROOT / "creditrisk").rglob("*.py"))]
# Kept by the id of what never changes, for every reader alike.
SHARED = {"kept", "swarm", "partial", "bins", "curves", "steps", "supports", "_lines", "_typical"}


def calls(file: Path, name: str) -> list[ast.Call]:
    """The calls in a file whose function ends in a name."""
    found = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    return [node for node in found if ast.unparse(node.func).rpartition(".")[2] == name]


@pytest.mark.parametrize("file", FACES, ids=lambda file: file.stem)
def test_no_face_writes_html(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"unsafe_allow_html|unsafe_allow_javascript|\bst\.html\(|components\.v[12]|\bst\.iframe\(", text)


def test_every_csv_that_leaves_has_its_formulas_made_harmless() -> None:
    written = [
        ast.unparse(call) for file in OURS for call in calls(file, "to_csv") if ast.unparse(call.func).partition(".")[0] != "conduct"
    ]
    assert len(written) >= 4
    assert not [call for call in written if "harmless(" not in call]
    assert not [file for file in OURS for call in calls(file, "to_excel")]


def test_every_table_that_a_browser_can_save_has_its_formulas_made_harmless() -> None:
    frames = [ast.unparse(call) for file in FACES for call in calls(file, "dataframe")]
    assert frames
    assert not [call for call in frames if "harmless(" not in call and "dataframe(shown, key=key" not in call]


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1+1"])
def test_a_text_that_a_spreadsheet_would_calculate_stays_a_text(text: str) -> None:
    from pandas import DataFrame

    assert str(cells.harmless(DataFrame({"text": [text]}))["text"][0]).startswith("'")


@pytest.mark.parametrize("file", FACES, ids=lambda file: file.stem)
def test_a_cache_holds_what_every_reader_may_see_or_is_one_sessions_own(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            said = ast.unparse(decorator)
            if "cache_data" in said and 'scope="session"' not in said.replace("'", '"'):
                assert node.name in SHARED | {"_answer"}, f"{file.name}: {node.name}"
                assert "persist" not in said


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../../../tmp/x.csv", "x.csv"),
        ("C:\\Users\\ann\\x.csv", "x.csv"),
        ("/etc/passwd", "passwd"),
        ("..", "statement"),
        ("a\nb\x1b[31m.csv", "a b [31m.csv"),
    ],
)
def test_an_upload_never_keeps_its_path(name: str, kept: str, settings: Settings) -> None:
    assert ingest.read(name, b"Date,Amount\n", settings=settings).file == kept
    assert list(tables.named([(name, b"")])) == [kept]
    with pytest.raises(InvalidInput, match="Two files are called"):
        tables.named([(name, b"1"), (kept, b"2")])


def test_nothing_is_logged_but_what_the_program_itself_does() -> None:
    said = {
        ast.unparse(call) for file in OURS for level in ("info", "warning", "error", "exception", "debug") for call in calls(file, level)
    }
    logged = {call for call in said if call.startswith("log")}
    assert logged
    assert not [call for call in logged if re.search(r"applicant|description|content|values|name\b|user|token|key\b", call)]
    assert not [file.name for file in OURS if calls(file, "print_exc") or re.search(r"^\s*print\(.*(token|secret)", file.read_text(), re.M)]
