"""The batch page without a browser: a file is looked at, a batch is shown from its address, one that was broken off goes on."""

from pathlib import Path

import pytest
from pandas import DataFrame

import ui
from creditrisk.batch import keep
from tests.test_batch import csv, table
from tests.test_pages import text, visit, written  # noqa: F401  (a fixture)


def frame(n: int) -> DataFrame:
    made = table(ui.store(), n).astype(object)
    made.loc[2, "balance_avg_90d"] = "much"
    return made


def test_a_file_is_looked_at_scored_and_shown(written: None) -> None:  # noqa: F811
    page = visit("batch")
    page.file_uploader(key="batch-file-0").upload("new.csv", csv(frame(40))).run()
    assert not page.exception
    assert "40 rows, 113 columns; 1 row of them will be set aside" in text(page)
    page.button(key="batch-start").click().run()
    assert not page.exception
    assert not page.error
    (made,) = keep.batches(ui.store())["batch_id"]
    keep.wait(ui.store(), made)
    page = visit("batch", batch=made, row="1")
    assert not page.error
    said = {part.value for part in page.subheader}
    assert {f"{made} · new.csv", "Take the results", "Rows set aside", "Rows", "All batches"} <= said
    assert {metric.label: metric.value for metric in page.metric}["Scored"] == "39"
    assert "What counts against" in text(page)


def test_a_batch_that_was_broken_off_goes_on(written: None) -> None:  # noqa: F811
    made = keep.begin(ui.store(), "new.csv", csv(frame(30)), user="ann", channel="test")
    page = visit("batch", batch=made)
    assert not page.error
    page.button(key="batch-go-on").click().run()
    assert not page.exception
    assert keep.wait(ui.store(), made)["state"] == "done"


@pytest.mark.parametrize("params", [{"batch": "B9999"}, {"batch": "nobody"}])
def test_a_batch_nobody_has_is_answered_in_a_sentence(written: None, params: dict[str, str], tmp_path: Path) -> None:  # noqa: F811
    (error,) = visit("batch", **params).error
    assert "There is no batch" in error.value


def test_a_file_that_cannot_be_scored_is_refused_in_a_sentence(written: None) -> None:  # noqa: F811
    page = visit("batch")
    page.file_uploader(key="batch-file-0").upload("new.csv", b"applicant_id,sex\nA,1\n").run()
    assert not page.exception
    assert "Nothing called sex is declared" in page.error[0].value
    assert "batch-start" not in {button.key for button in page.button}
