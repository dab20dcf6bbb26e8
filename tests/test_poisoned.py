"""Whatever a merchant, a file, a heading or a person is called: pages, pictures, records and spreadsheets say it as it is."""

import csv as files
import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import ui
from creditrisk import decisions, notice, record, registry, scoring
from creditrisk.batch import keep, results
from creditrisk.store import Store
from tests import malice, poisoned
from tests.poisoned import FILE, MARKED, WHO, WORD
from tests.test_batch import csv, table
from tests.test_pages import NAMES, visit, workspace

NOBODY = (("score", "applicant"), ("batch", "batch"), ("models", "model"), ("labels", "labels"))
PLACES: list[tuple[str, dict[str, str]]] = [
    *((name, {}) for name in NAMES),
    *(("score", {"applicant": "applicant", "view": f"={view}"}) for view in ("why", "month", "whatif", "similar", "history")),
    ("score", {"prediction": "prediction"}),
    ("applicants", {"applicant": "applicant"}),
    ("applicants", {"applicant": "applicant", "movement": "movement"}),
    ("statements", {"statement": "statement"}),
    ("batch", {"batch": "batch", "row": "=1"}),
    ("reviews", {"prediction": "prediction"}),
    ("inspection", {"prediction": "prediction"}),
    ("access", {"token": "token"}),
    *(("models", {"model": "model", "view": f"={view}"}) for view in ("figures", "explained", "promotion", "compare", "card")),
    *(
        (name, {param: f"={WORD}"})
        for name, param in (("score", "applicant"), ("batch", "batch"), ("models", "model"), ("labels", "labels"))
    ),
    ("applicants", {"applicant": "applicant", "category": f"={WORD}", "words": f"={WORD}"}),
    ("training", {"run": f"={WORD}"}),
]
TABLED: list[tuple[str, dict[str, str]]] = [
    *((name, {}) for name in NAMES),
    *(("score", {"applicant": "applicant", "view": f"={view}"}) for view in ("why", "whatif", "similar", "history")),
    *(("models", {"model": "model", "view": f"={view}"}) for view in ("figures", "explained", "promotion", "card")),
    *(("data", {"column": f"={name} {WORD}"}) for name in ("income", "kind")),
    ("data", {"column": '="; drop table applicant; --'}),
    ("applicants", {"applicant": "applicant"}),
    ("labels", {"labels": "labels"}),
]


@pytest.fixture(scope="module")
def statements(bank: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The demo bank with the word in every text there is."""
    folder = tmp_path_factory.mktemp("poisoned")
    shutil.copytree(bank, folder, dirs_exist_ok=True)
    with workspace(folder):
        yield poisoned.fill(ui.store())


@pytest.fixture(scope="module")
def tabled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A lender's own table with the word in every heading and cell."""
    with workspace(tmp_path_factory.mktemp("tabled")):
        yield poisoned.table_of_a_lender(ui.store())


def shown_literally(name: str, params: dict[str, str], ids: dict[str, str]) -> None:
    page = visit(name, **{key: value[1:] if value.startswith("=") else ids[value] for key, value in params.items()})
    assert poisoned.said(page)
    assert poisoned.unescaped(page) == []


@pytest.mark.parametrize(("name", "params"), PLACES, ids=lambda value: value if isinstance(value, str) else "-".join(value) or "bare")
def test_a_page_shows_what_it_is_told_as_it_was_typed(statements: dict[str, str], name: str, params: dict[str, str]) -> None:
    shown_literally(name, params, statements)


def test_the_word_is_really_there(statements: dict[str, str]) -> None:
    told = {name: poisoned.said(visit(name, **params)) for name, params in (
        ("applicants", {"applicant": WHO}), ("statements", {"statement": statements["statement"]}),
        ("score", {"prediction": statements["prediction"]}), ("batch", {"batch": statements["batch"]}),
        ("inspection", {"prediction": statements["prediction"]}), ("models", {"model": statements["model"], "view": "card"}),
    )}  # fmt: skip
    assert {name: any("EVIL" in text for *_, text in found) for name, found in told.items()} == dict.fromkeys(told, True)


def test_a_record_a_notice_and_a_card_hold_no_markup_of_others(statements: dict[str, str]) -> None:
    store, case = ui.store(), statements["prediction"]
    page = record.html(store, case)
    assert "EVIL" in page
    assert MARKED not in page
    assert "<script" not in page.lower()
    assert record.pdf(store, case).startswith(b"%PDF")
    assert WORD in notice.draft(store, case)
    assert MARKED not in registry.card(store, statements["model"])["markdown"]


def letters(word: str) -> bool:
    return word.isprintable() and len(word) <= 200


@pytest.mark.filterwarnings("ignore:Glyph")  # a box stands for a letter that no font has
def test_every_word_becomes_a_record_in_which_it_is_a_text(filled: Store) -> None:
    case = filled.value("select min(prediction_id) from prediction_current where recommendation = 'approve'")
    after = None
    for name, word in malice.WORDS.items():
        said = decisions.Said("override", "decline", f"{word[:500]} long enough", [f"It was said: {word[:150]}"], after=after)
        after = decisions.decide(filled, case, said, user="ann").decision_id
        page = record.html(filled, case)
        assert not [mark for mark in ("<script>", "<img src=x", "<svg/on", "<b>BOLD", '<a href="java', "<!-- -->") if mark in page], name
        assert word[:3] in notice.draft(filled, case) or not letters(word), name
    assert record.pdf(filled, case).startswith(b"%PDF")


def test_files_for_spreadsheets_calculate_nothing(filled: Store, tmp_path: Path) -> None:
    words = [word for word in malice.WORDS.values() if letters(word)]
    rows = table(filled, len(words)).astype(object).assign(applicant_id=[f"{word} {place}" for place, word in enumerate(words)])
    rows.loc[0, "days_negative_90d"] = "=1+1"
    batch = keep.begin(filled, "=1+1.csv", csv(rows), user="ann", channel="test")
    for _ in keep.here(filled, batch, user="ann"):
        pass
    results.write(filled, batch, tmp_path / "out.csv", "csv")
    told = [*files.reader(io.StringIO((tmp_path / "out.csv").read_text(encoding="utf-8")))]
    told += [*files.reader(io.StringIO(results.refused_csv(filled, batch).decode()))]
    cells = [cell for row in told for cell in row]
    assert sum("HYPERLINK" in cell for cell in cells) == 1
    assert not [cell for cell in cells if cell.lstrip(" ")[:1] in ("=", "@", "＝", "\t", "\r") or cell.startswith(("+1+cmd", "-2+3+"))]
    results.write(filled, batch, tmp_path / "out.xlsx", "xlsx")
    with zipfile.ZipFile(tmp_path / "out.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "HYPERLINK" in sheet
    assert "<f>" not in sheet
    assert scoring.get(filled, f"{batch}-2").applicant_id == f"{words[1]} 1"
    assert keep.get(filled, batch)["file"] == "=1+1.csv"
    assert FILE not in told


@pytest.mark.parametrize(("name", "params"), TABLED, ids=lambda value: value if isinstance(value, str) else "-".join(value) or "bare")
def test_headings_choices_and_ids_of_a_table_are_shown_as_they_are(tabled: dict[str, str], name: str, params: dict[str, str]) -> None:
    shown_literally(name, params, tabled)
