"""Every sample statement against what is known to be in it: exact, or refused or warned of by name; a table says how many."""

import csv
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from creditrisk import ingest
from creditrisk.settings import Settings
from tests.conftest import ROOT

RECORD = ROOT / "docs" / "decisions" / "0006-statements-read-otherwise.md"
REFUSED = ("must-reject", "not-a-statement", "no-transactions", "empty")


def listed() -> set[str]:
    """Return the files the decision record says are read otherwise."""
    rows = [line for line in RECORD.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}


def exact(reading: ingest.Reading, expected: dict[str, str]) -> bool:
    """Say whether count and sum are those expected; a refused file is exact in nothing."""
    same = reading.n_transactions == int(expected["n_transactions"]) and reading.sum_amount == Decimal(expected["sum_amount"] or 0)
    return reading.status != "rejected" and same


def wrong(reading: ingest.Reading, expected: dict[str, str], known: set[str]) -> str | None:
    """Say what is wrong with a reading for its role, None where nothing is."""
    role, right = expected["role"], exact(reading, expected)
    if reading.status == "accepted" and not right:
        return "wrong without a warning"
    if reading.status != "accepted" and not all(problem.message.startswith(reading.file) for problem in reading.problems):
        return "a problem does not name the file"
    if role == "statement" and right == (reading.file in known):
        return "listed as read otherwise, and read as expected" if right else "not as expected, and not listed"
    certain = right and reading.reconciliation == "ok"
    if role.endswith("-dirty") and not (reading.status == "warned" or certain or reading.file in known):
        return "wants rows and warnings"
    if role in REFUSED and reading.status != "rejected":
        return "should be refused"
    if role == "must-flag-row" and not any(problem.line and problem.value for problem in reading.problems):
        return "should name the row"
    return None


def test_no_statement_is_read_wrong_in_silence(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, known = shared / "statements", listed()
    table: dict[tuple[str, str], Counter[str]] = {}
    failures = []
    with (folder / "EXPECTED.csv").open(encoding="utf-8", newline="") as file:
        expectations = list(csv.DictReader(file))
    for expected in expectations:
        path = folder / expected["source"] / expected["file"]
        reading = ingest.read(path.name, path.read_bytes(), settings=Settings())
        counts = table.setdefault((expected["format"], expected["role"]), Counter())
        counts.update(["files", reading.status] + ["exact"] * exact(reading, expected) + ["listed"] * (path.name in known))
        if what := wrong(reading, expected, known):
            said = "; ".join(problem.message for problem in reading.problems[:1])
            failures.append(f"{path.name}: {what} ({reading.n_transactions}, {reading.sum_amount}, {reading.status}) {said}")
    heads = ("files", "exact", "accepted", "warned", "rejected", "listed")
    with capsys.disabled():
        print("\n" + f"{'format':10}{'role':18}" + "".join(f"{head:>10}" for head in heads))
        for (kind, role), counts in sorted(table.items()):
            print(f"{kind:10}{role:18}" + "".join(f"{counts[head]:>10}" for head in heads))
    assert not failures, "\n".join(failures)
    assert known <= {Path(expected["file"]).name for expected in expectations}
