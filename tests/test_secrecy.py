"""What people's data and secrets never do: become HTML, a formula, a path, a line of a log, or somebody else's cache."""

import ast
import inspect
import re
from datetime import date
from importlib import import_module
from pathlib import Path

import pandas
import pytest

import ui
from creditrisk import cells, ingest, tables
from creditrisk.errors import CreditRiskError, InvalidInput
from creditrisk.settings import Settings
from creditrisk.store import Store
from tests.conftest import ROOT

FACES = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py")), *sorted((ROOT / "ui").glob("*.py"))]
OURS = [*FACES, *sorted((ROOT / "creditrisk").rglob("*.py"))]
# Figures of a model that never changes and rows of nobody: the same for every reader.
SHARED = {"partial", "bins", "curves", "_lines", "_typical", "_model", "_schema", "_pipeline"}


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
    assert [ast.unparse(call).partition(",")[0] for file in FACES for call in calls(file, "data_editor")] == ["st.data_editor(shown"]


def test_what_is_edited_is_harmless_in_the_browser_and_comes_back_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    given = pandas.DataFrame({"written": ["=1+1", "rent", "@SUM(A1)"], "means": ["", "", "=x"], "n": [1, 2, 3]})
    shown: list[pandas.DataFrame] = []

    def editor(frame: pandas.DataFrame, **_: object) -> pandas.DataFrame:
        shown.append(frame)
        return frame.assign(means=["sum", "", "'=x"])  # the first row was edited

    monkeypatch.setattr(ui.st, "data_editor", editor)
    back = ui.edited(given)
    assert shown[0]["written"].tolist() == ["'=1+1", "rent", "'@SUM(A1)"]
    assert back["written"].tolist() == given["written"].tolist()
    assert back["means"].tolist() == ["sum", "", "=x"]


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1+1"])
def test_a_text_that_a_spreadsheet_would_calculate_stays_a_text(text: str) -> None:
    from pandas import DataFrame

    assert str(cells.harmless(DataFrame({"text": [text]}))["text"][0]).startswith("'")


@pytest.mark.parametrize("file", FACES, ids=lambda file: file.stem)
def test_a_cache_is_of_nobody_in_particular_or_one_readers_own(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            said = ast.unparse(decorator)
            if "st.cache_" in said:
                is_own = "scope='session'" in said or "reader" in {each.arg for each in (*node.args.args, *node.args.kwonlyargs)}
                assert is_own or node.name in SHARED, f"{file.name}: {node.name}"
                assert "persist" not in said


def test_what_is_remembered_of_people_is_remembered_for_who_asked(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def question(held: Store) -> str:
        asked.append(held.reader)
        return held.reader

    for name in ("rita", "sam", "rita"):
        monkeypatch.setattr(ui, "store", lambda name=name: store.seen_by(name))
        assert ui.seen(question) == name
    assert asked == ["rita", "sam"], "rita's own answer is still hers"
    monkeypatch.setattr(ui, "OF_NOBODY", frozenset({f"{question.__module__}.{question.__qualname__}"}))
    assert ui.seen(question) == "rita", "asked anew, and from here on for everybody"
    monkeypatch.setattr(ui, "store", lambda: store.seen_by("sam"))
    assert ui.seen(question) == "rita"


@pytest.mark.parametrize("question", sorted(ui.OF_NOBODY))
def test_what_is_remembered_for_everybody_names_no_applicant(filled: Store, question: str) -> None:
    room, _, name = question.rpartition(".")
    ask = getattr(import_module(f"creditrisk.{room}"), name)
    given = {
        "model_id": "M0001",
        "name": "history_days",
        "label_set_id": "L0001",
        "after": "M0001",
        "before": "M0002",
        "day": date(2026, 1, 31),
    }
    wanted = [each.name for each in inspect.signature(ask).parameters.values() if each.default is inspect.Parameter.empty]
    with pandas.option_context("display.max_rows", None, "display.max_columns", None, "display.max_colwidth", None):
        try:
            said = repr(ask(filled, *(given[each] for each in wanted if each != "store")))
        except CreditRiskError as refused:
            said = str(refused)
    known = {who for (who,) in filled.rows("select distinct applicant_id from applicant")}
    assert known
    assert not known & set(re.findall(r"[\w-]+", said))


SQL = re.compile(r"^\s*(with|select|insert|update|delete|create|alter|drop|attach|copy|describe|set)\b.*")


def test_nothing_that_a_function_is_given_is_put_into_sql_but_a_name_in_quotes() -> None:
    """What bandit cannot see: all else that is put together are names and statements that the program itself wrote."""
    put, told = 0, []
    for file in sorted((ROOT / "creditrisk").rglob("*.py")):
        for function in (node for node in ast.parse(file.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)):
            if function.name.startswith("_"):
                continue  # what a room says to itself
            given = {each.arg for each in (*function.args.args, *function.args.kwonlyargs)}
            for text in (node for node in ast.walk(function) if isinstance(node, ast.JoinedStr)):
                first = text.values[0]
                if isinstance(first, ast.Constant) and SQL.match(first.value):
                    for part in (node.value for node in text.values if isinstance(node, ast.FormattedValue)):
                        put += 1
                        names = {node.id for node in ast.walk(part) if isinstance(node, ast.Name)}
                        if names & given and not ast.unparse(part).startswith("quoted("):
                            told.append(f"{file.name}: {function.name} puts {ast.unparse(part)}")
    assert put > 25
    assert told == []


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
