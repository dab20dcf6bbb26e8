"""The house holds: floors, thin faces, and no formula or SQL where it does not belong."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGES = sorted((ROOT / "pages").glob("*.py"))
LIBRARY = sorted((ROOT / "creditrisk").glob("*.py"))
FRAME_VERBS = {
    "groupby",
    "merge",
    "pivot",
    "pivot_table",
    "assign",
    "sort_values",
    "apply",
    "melt",
    "query",
    "iloc",
    "loc",
    "agg",
    "join_frames",
}
HEAVY = ("sklearn", "xgboost", "shap", "matplotlib", "numba", "pandas", "numpy", "duckdb")


def imports(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_the_floors_hold() -> None:
    checked = subprocess.run([Path(sys.executable).with_name("lint-imports")], capture_output=True, check=False, text=True, cwd=ROOT)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_asks_the_library_and_shows_the_answer(page: Path) -> None:
    tree = ast.parse(page.read_text())
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert not [
        text
        for text in texts
        if re.search(r"\b(select|insert into|update|delete from)\b.+\bfrom|into\b", text, re.I | re.S) and "\n" in text
    ]
    assert not [text for text in texts if re.match(r"\s*(select|insert|update|delete|with)\s", text)]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Try)]
    assert not [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in FRAME_VERBS]
    assert not {name for name in imports(page) if name.split(".")[0] in HEAVY}


@pytest.mark.parametrize("room", LIBRARY, ids=lambda room: room.stem)
def test_a_room_says_what_it_owns(room: Path) -> None:
    assert ast.get_docstring(ast.parse(room.read_text()))
    assert "import pandas as pd" not in room.read_text()


def test_only_the_roof_knows_streamlit() -> None:
    assert [file.name for file in LIBRARY if any(name.split(".")[0] == "streamlit" for name in imports(file))] == []


def test_no_page_writes_html_of_its_own() -> None:
    writing = [file.name for file in PAGES if "unsafe_allow_html" in file.read_text()]
    assert writing == []


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    program = "import sys, creditrisk.__main__; print(sorted({'sklearn', 'xgboost', 'shap', 'matplotlib', 'streamlit'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_every_page_has_its_place_in_the_frame() -> None:
    frame = (ROOT / "pages" / "workbench.py").read_text()
    assert [
        page.stem for page in PAGES if page.stem != "workbench" and f"{page.stem}.py" not in frame and f'"{page.stem}"' not in frame
    ] == []
