"""Whatever is brought is read right or refused in words: no exception, nothing stored, little memory, no sum changed in silence."""

import json
import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from time import perf_counter

import pytest

from creditrisk import ingest
from creditrisk.settings import Settings
from creditrisk.store import Store
from tests.conftest import ROOT
from tests.hostiles import CELLS, ENDS, PRINTED, SOUND, TEXTS, corpus
from tests.papers import pdf, sheet_xml, table, workbook

SETTINGS = Settings()
SUM = Decimal("1987.50")
CONFIRMED = ("a.mt940", "a.052", "a.053", "a.xlsx")  # balances between which the rows must fit, or sums over every byte
ENDLESS = ("a.csv", "a.qif")  # no mark says that a file of these is whole


def read(name: str, content: bytes) -> ingest.Reading:
    """Read one file."""
    return ingest.read(name, content, settings=SETTINGS)


@pytest.fixture(scope="module")
def readings() -> list[ingest.Reading]:
    """Every file that must be refused, read."""
    return [read(name, content) for name, content in corpus()]


@pytest.mark.parametrize("name", SOUND)
def test_what_the_harm_is_done_to_is_sound(name: str) -> None:
    reading = read(name, SOUND[name])
    assert (reading.status != "rejected", reading.n_transactions, reading.sum_amount) == (True, 2, SUM), reading.problems


def test_harm_is_refused_by_name_and_in_sentences(readings: list[ingest.Reading]) -> None:
    assert len(readings) > 350
    for reading in readings:
        assert (reading.status, reading.n_transactions, reading.rows.num_rows) == ("rejected", 0, 0), reading.file
        assert reading.problems, reading.file
        for problem in reading.problems:
            assert problem.message.startswith(reading.file), problem
            assert problem.message.rstrip()[-1] in ".?", problem
            assert len(problem.message) < 1000, reading.file
            assert not [word for word in ("Traceback", "Error(", "object at 0x", "\0") if word in problem.message], problem


def test_nothing_of_it_is_stored(readings: list[ingest.Reading], store: Store) -> None:
    tables = [name for (name,) in store.rows("select table_name from duckdb_tables() where schema_name = 'main' order by all")]
    counts = [store.rows(f"select count(*) from {name}") for name in tables]
    saved = ingest.save(store, readings, user="ana")
    assert {done.statement_id for done in saved} == {None}
    assert [store.rows(f"select count(*) from {name}") for name in tables] == counts
    assert len(tables) > 10


def test_the_process_lives_and_stays_small(tmp_path: Path) -> None:
    heavy = ("giant", "deep", "laughs", "outside", "wide", "attributes", "far", "bomb", "blank", "pages", "noise", "too much", "locked")
    names = set()
    for name, content in corpus():
        if any(word in name for word in heavy):
            (tmp_path / name).write_bytes(content)
            names.add(name)
    # Measured from a process of its own: a child inherits the high-water mark of the parent it was forked from.
    watched = "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], capture_output=True, text=True)"
    watched += "; print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, done.returncode); print(done.stdout + done.stderr)"
    command = [sys.executable, "-c", watched, sys.executable, "-m", "creditrisk", "inspect", "--json", str(tmp_path)]
    first, _, text = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True).stdout.partition("\n")
    peak, code = map(int, first.split())
    assert "Traceback" not in text
    assert code == 1
    assert peak < 1_000_000, "kB, of the largest of the process and its children"
    answers = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert {answer["file"] for answer in answers if answer.get("status") == "rejected"} == names


@pytest.mark.parametrize("name", TEXTS)
def test_a_file_cut_anywhere_is_never_another_statement(name: str) -> None:
    content = SOUND[name]
    for end in [*range(1, len(content), 5), len(content) - 2, len(content) - 1]:
        reading = read(name, content[:end])
        whole = reading.status != "rejected"
        at_a_row = name in ENDLESS and reading.n_transactions == 1 and reading.sum_amount == Decimal("-12.50")
        assert not whole or reading.status == "warned" or at_a_row or (reading.n_transactions, reading.sum_amount) == (2, SUM), content[
            :end
        ]


@pytest.mark.parametrize("name", SOUND)
def test_a_byte_that_turned_never_raises_and_never_passes_balances(name: str) -> None:
    dice, content = random.Random(7), SOUND[name]
    started = perf_counter()
    for _ in range(200 if name in TEXTS else 12):
        turned = bytearray(content)
        for _ in range(dice.randint(1, 3)):
            turned[dice.randrange(len(turned))] = dice.choice([dice.randrange(256), dice.choice(b"0123456789<>,.-^")])
        reading = read(name, bytes(turned))
        assert reading.status == "rejected" or reading.n_transactions == reading.rows.num_rows > 0
        if reading.status == "accepted" and name in CONFIRMED:
            assert reading.sum_amount == SUM, bytes(turned)
        if reading.status == "accepted" and name.startswith("a.ofx"):
            assert reading.n_transactions == 2, bytes(turned)
        if perf_counter() - started > 5:
            break


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/x.csv", "x.csv"),
        ("C:\\x.csv", "x.csv"),
        ("\\\\server\\share\\x.csv", "x.csv"),
        ("/x.csv", "x.csv"),
        ("a\0b.csv", "a b.csv"),
        ("a\nb\x1b[31m.csv", "a b [31m.csv"),
        ("../..", "statement"),
        ("", "statement"),
        ("x" * 5000 + ".csv", "x" * 200),
    ],
)
def test_a_path_in_a_file_s_name_is_no_path(name: str, shown: str, store: Store) -> None:
    reading = read(name, SOUND["a.csv"])
    assert (reading.status, reading.file) == ("accepted", shown)
    ingest.save(store, [reading], user="ana")
    assert store.rows("select file_name from statement") == [(shown,)]
    assert read(name, b"").problems[0].message == f"{shown}: the file is empty."


def test_a_printed_word_that_is_no_amount_is_said_where_no_total_confirms_the_rest() -> None:
    for word in ("NaN", "1E400", "Infinity"):
        reading = read("a.pdf", pdf([table([PRINTED[0], [*PRINTED[1][:2], word, PRINTED[1][3]], PRINTED[2]], ENDS)]))
        assert (reading.status, reading.n_transactions) == ("warned", 1)
        assert "1 lines with a date have no amount and were set aside ('13 Jan 2024' on page 1)" in reading.problems[0].message


def test_declared_encodings_that_are_wrong_are_guessed_or_refused() -> None:
    for name in ("a.csv", "a.qif", "a.mt940", "a.ofx", "a.ofx2"):
        reading = read(name, SOUND[name].replace(b"SHOP", b"SH\xd6P"))
        assert (reading.status, reading.rows["text"][0].as_py()) == ("accepted", "CORNER SHÖP"), name


def test_a_cell_that_looks_like_a_formula_stays_a_text() -> None:
    formula = '=HYPERLINK("http://x","y")'
    for name, content in (
        ("a.csv", SOUND["a.csv"].replace(b"CORNER SHOP", b'"' + formula.replace('"', '""').encode() + b'"')),
        ("a.xlsx", workbook({"Sheet": sheet_xml([CELLS[0], [CELLS[1][0], formula, *CELLS[1][2:]], CELLS[2]])})),
        ("a.qif", SOUND["a.qif"].replace(b"CORNER SHOP", formula.encode())),
    ):
        reading = read(name, content)
        assert (reading.status, reading.rows["text"][0].as_py()) == ("accepted", formula), reading.problems
