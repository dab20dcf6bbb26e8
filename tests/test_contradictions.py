"""Input that contradicts itself, lacks a column or holds what cannot be is refused by row and column, whichever way it comes in."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from pandas import DataFrame, concat

import ui
from creditrisk import dictionary, labels, plan, registry, scoring, standing, tables, training
from creditrisk import store as stores
from creditrisk.__main__ import main
from creditrisk.api import create_api
from creditrisk.batch import keep, results
from creditrisk.errors import InvalidInput
from creditrisk.settings import load
from tests.rest import TestClient
from tests.test_pages import visit, workspace
from tests.test_tables import portfolio

SAID = """
[[feature]]
name = "loan_to_income"
formula = "loan_amount / income"
[[feature]]
name = "home"
spellings = { "Owned" = "own" }
[[feature]]
name = "times_late"
missing = { "98" = "refused to say" }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of a lender's table with a champion; nobody writes to it but predictions."""
    made = tmp_path_factory.mktemp("lender")
    store = stores.open_workspace(replace(load(), data=made / "data", models=made / "models"))
    table = tables.join({"loans.csv": portfolio()})
    proposal = tables.wanted(store, table, target="status", said=SAID)
    tables.save(store, table, proposal.schema, user="ann", target="status")
    labels.observed(store, user="ann")
    training.train(store, plan.Config(label_set_id=labels.newest(store) or "", algorithms=("logistic",)), user="ann")
    registry.promote(store, standing.leaderboard(store).iloc[0]["model_id"], user="ann", reason="the best of those measured")
    store.close()
    return made


CASES = [
    ({"loan_to_income": 7.5}, "loan_to_income is 7.5, but loan_amount / income is 2"),
    ({"times_late": 1e6}, "times_late is 1e+06; the most allowed is"),
    ({"home": "castle"}, "home is 'castle'; it should be one of none, own, rent"),
    ({"times_late": 1.5}, "times_late is 1.5; it should be a whole number"),
    ({"home": "Owned", "times_late": 98}, None),  # a spelling and a code that the schema knows
]


@pytest.mark.parametrize(("change", "sentence"), CASES)
def test_every_face_says_the_same_of_a_value(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, object], sentence: str | None
) -> None:
    store = stores.open_workspace(replace(load(), data=folder / "data", models=folder / "models"))
    try:
        good = (
            dictionary.template(store).drop(columns=["applicant_id", "as_of"]).assign(loan_amount=4000, income=2000).to_dict("records")[0]
        )
        rows = [good, {**good, **change}]
        reply = TestClient(create_api(lambda: store)).post("/v1/score", json=[{"features": row} for row in rows])
        if sentence is None:
            assert (len(scoring.score_values(store, rows, user="ann", channel="page")), reply.status_code) == (2, 200)
        else:
            with pytest.raises(InvalidInput, match="Row 2: ") as refused:
                scoring.score_values(store, rows, user="ann", channel="page")
            assert sentence in str(refused.value)
            assert reply.status_code == 422
            assert sentence in reply.json()["detail"]
    finally:
        store.close()
    DataFrame(rows).to_csv(tmp_path / "two.csv", index=False)
    where = ["--data", str(folder / "data"), "--models", str(folder / "models"), "--user", "ann"]
    code = main([*where, "score", str(tmp_path / "two.csv")])
    said = capsys.readouterr().err
    assert code == (0 if sentence is None else 1)
    assert sentence is None or (f"two.csv: Row 2: {sentence}" in said)


def test_a_batch_sets_the_row_that_contradicts_itself_aside_and_refuses_a_file_that_lacks_a_column(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "own")
    store = stores.open_workspace(replace(load(), data=tmp_path / "own" / "data", models=tmp_path / "own" / "models"))
    try:
        good = dictionary.template(store).assign(loan_amount=4000, income=2000)
        rows = concat([good.assign(applicant_id=f"N{place}") for place in range(3)]).assign(loan_to_income=[2.0, 7.5, None])
        batch = keep.begin(store, "new.csv", rows.to_csv(index=False).encode(), user="ann", channel="page")
        assert [*keep.here(store, batch, user="ann")]
        aside = results.refused(store, batch)
        assert aside[["row", "given: applicant_id"]].to_numpy().tolist() == [[2, "N1"]]
        assert aside["what is wrong"][0] == "Row 2: loan_to_income is 7.5, but loan_amount / income is 2 here."
        assert [one.applicant_id for one in results.predictions(store, batch)] == ["N0", "N2"]
        with pytest.raises(InvalidInput, match="The column income is not there"):
            keep.begin(store, "new.csv", rows.drop(columns="income").to_csv(index=False).encode(), user="ann", channel="page")
    finally:
        store.close()


def test_the_form_of_the_page_says_what_contradicts_itself_and_scores_what_does_not(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "own")
    with workspace(tmp_path / "own"):
        count, before = "select count(*) from prediction", ui.store().value("select count(*) from prediction")
        page = visit("score")
        page.session_state["entered"] = True
        page.run()
        fields = {box.key for box in (*page.number_input, *page.selectbox) if str(box.key).startswith("fill-")}
        assert fields == {"fill-income", "fill-loan_amount", "fill-times_late", "fill-home", "fill-loan_to_income"}
        page.text_input(key="fill-applicant").input("Somebody new")
        for name, value in {"income": 2000, "loan_amount": 4000, "times_late": 1, "loan_to_income": 7.5}.items():
            page.number_input(key=f"fill-{name}").set_value(value)
        page.button(key="fill-score").click().run()
        assert not page.exception
        assert "loan\\_to\\_income is 7.5, but loan\\_amount / income is 2 here" in page.error[0].value
        assert ui.store().value(count) == before, "nothing is kept"
        page.number_input(key="fill-loan_to_income").set_value(None)
        page.button(key="fill-score").click().run()
        assert not page.error
        assert not page.exception
        assert ui.store().value(count) == before + 1
        found = ui.store().value("select prediction_id from prediction where applicant_id = 'Somebody new' and channel = 'page'")
        for view in ("why", "month", "whatif", "similar", "history"):
            page = visit("score", prediction=found, view=view)
            assert not page.error, view
            assert any(metric.label == "Band" for metric in page.metric)
        assert not visit("applicants", applicant="Somebody new").error


def test_every_face_refuses_a_table_that_lacks_a_column(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = stores.open_workspace(replace(load(), data=folder / "data", models=folder / "models"))
    try:
        rows = dictionary.template(store).drop(columns=["applicant_id", "as_of", "income"]).assign(loan_amount=4000).to_dict("records") * 2
        reply = TestClient(create_api(lambda: store)).post("/v1/score", json=[{"features": row} for row in rows])
        assert (reply.status_code, "The column income is not there" in reply.json()["detail"]) == (422, True)
        with pytest.raises(InvalidInput, match="The column income is not there"):
            scoring.score_values(store, DataFrame(rows), user="ann", channel="page")
        lacking = tables.join({"again.csv": portfolio().drop(columns="income")})
        with pytest.raises(InvalidInput, match="The column income is not there"):
            tables.save(store, lacking, store.schema, user="ann")
    finally:
        store.close()
    DataFrame(rows).to_csv(tmp_path / "two.csv", index=False)
    code = main(["--data", str(folder / "data"), "--models", str(folder / "models"), "--user", "ann", "score", str(tmp_path / "two.csv")])
    assert (code, "The column income is not there" in capsys.readouterr().err) == (2, True)
