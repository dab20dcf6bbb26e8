"""Every page on an empty and on a filled workspace, without a browser: it renders from its URL, says what is wrong, offers a next step."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import streamlit as st
from pandas import DataFrame
from streamlit.testing.v1 import AppTest

import ui
from creditrisk import applicants, features, ingest, labels, registry, reviews, scoring
from tests.conftest import ROOT

NAMES = sorted(file.stem for file in (ROOT / "pages").glob("*.py") if file.stem != "workbench")
STATEMENT = b"Date,Description,Amount,Balance\n" + b"".join(
    f"{day:02}/{month:02}/2026,{text},{amount}\n".encode()
    for month in (3, 4, 5, 6)
    for day, text, amount in (
        (1, "SALARY ACME LTD", "2000.00,2500.00"),
        (13, "RENT", "-900.00,1600.00"),
        (25, "GROCERIES", "-1100.00,500.00"),
    )
)


@contextmanager
def workspace(folder: Path) -> Iterator[None]:
    """Let the pages open the workspace in `folder`, and let go of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CREDITRISK_DATA", str(folder / "data"))
        patch.setenv("CREDITRISK_MODELS", str(folder / "models"))
        try:
            yield
        finally:
            ui.store().close()
            st.cache_resource.clear()
            st.cache_data.clear()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[None]:
    """A workspace with nothing in it."""
    with workspace(tmp_path):
        yield


@pytest.fixture(scope="module")
def shown(bank: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A filled workspace that these tests only look at."""
    folder = tmp_path_factory.mktemp("shown")
    shutil.copytree(bank, folder, dirs_exist_ok=True)
    with workspace(folder):
        yield


@pytest.fixture
def written(bank: Path, tmp_path: Path) -> Iterator[None]:
    """A filled workspace of one's own, to change."""
    shutil.copytree(bank, tmp_path, dirs_exist_ok=True)
    with workspace(tmp_path):
        yield


def visit(name: str, **params: str) -> AppTest:
    """Open a page as its URL would."""
    page = AppTest.from_file(str(ROOT / "pages" / "workbench.py"), default_timeout=60)
    page.switch_page(str(ROOT / "pages" / f"{name}.py"))
    for param, value in params.items():
        page.query_params[param] = value
    page.run()
    assert not page.exception, page.exception[0].stack_trace
    return page


def text(page: AppTest) -> str:
    return "\n".join(element.value for element in page.main.markdown)


def someone() -> str:
    return str(applicants.people(ui.store())["applicant_id"].iloc[0])


# --- on an empty workspace -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_page_says_what_to_do_next(empty: None, name: str) -> None:
    page = visit(name)
    assert page.title[0].value
    assert not page.error
    assert page.main.get("page_link") or page.main.get("file_uploader"), "an empty page offers the next step"


@pytest.mark.parametrize(
    ("name", "param"),
    [("score", "applicant"), ("score", "prediction"), ("applicants", "applicant"), ("labels", "labels"), ("statements", "statement")],
)
def test_an_id_nobody_has_is_answered_in_a_sentence(shown: None, name: str, param: str) -> None:
    (error,) = visit(name, **{param: "nobody-99"}).error
    assert "nobody" in error.value or "-1" in error.value or "99" in error.value


# --- on a filled workspace -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_filled_page_shows_no_error(shown: None, name: str) -> None:
    page = visit(name)
    assert not page.error
    assert page.metric or page.dataframe or page.selectbox


def test_overview_counts_what_is_there(shown: None) -> None:
    page = visit("overview")
    assert {metric.label: metric.value for metric in page.metric}["Applicants"] == "150"
    assert page.main.get("plotly_chart")


def test_sidebar_names_the_champion_and_what_it_learned_from(shown: None) -> None:
    model = registry.champion(ui.store())
    said = "\n".join(element.value for element in visit("overview").sidebar.markdown)
    assert model is not None
    assert model["model_id"] in said
    assert "proxy label" in said


def test_score_page_shows_what_is_stored_and_writes_nothing(shown: None) -> None:
    before = ui.store().value("select count(*) from prediction")
    prediction = scoring.get(ui.store(), applicants.person(ui.store(), someone())["prediction_id"])
    page = visit("score", applicant=prediction.applicant_id)
    metrics = {metric.label: metric.value for metric in page.metric}
    assert metrics["Band"] == prediction.band
    assert metrics["Model"] == prediction.model_id
    assert metrics["risk (proxy)"] == ui.percent(prediction.pd), "a proxy is never called a probability of default"
    assert ui.store().value("select count(*) from prediction") == before


def test_score_page_shows_the_transactions_behind_the_figure_in_the_url(shown: None) -> None:
    page = visit("score", applicant=someone(), feature="income_monthly_median_180d")
    assert "Typical monthly income" in {metric.label for metric in page.metric}


def test_labels_page_says_what_a_proxy_is_worth(shown: None) -> None:
    newest = labels.get(ui.store(), labels.newest(ui.store()) or "")
    page = visit("labels")
    assert page.warning[0].value == ui.literal(labels.banner(newest))
    assert f"of {len(newest.report['gates'])} quality checks passed" in "\n".join(heading.value for heading in page.subheader)


def test_models_page_opens_the_model_of_its_url(shown: None) -> None:
    assert any("M0001" in heading.value for heading in visit("models", model="M0001").subheader)


# --- what people see of a statement --------------------------------------------------------------------------------------


def listed(page: AppTest) -> DataFrame:
    """The transactions that are shown."""
    return next(frame.value for frame in page.dataframe if "transaction_id" in frame.value)


def captions(page: AppTest) -> str:
    return "\n".join(caption.value for caption in page.caption)


@pytest.mark.parametrize(("name", "params"), [("statements", {"statement": "1"}), ("applicants", {})])
def test_a_file_and_an_applicant_are_shown_by_the_same_pictures(shown: None, name: str, params: dict[str, str]) -> None:
    page = visit(name, **(params or {"applicant": someone()}))
    assert not page.error
    assert len(page.main.get("plotly_chart")) == 6
    said = text(page)
    for finding in (
        "covered",
        "went out than came in",
        "Largest sum",
        "recurring stream",
        "of the money of the last 90 days is not categorised",
    ):
        assert finding in said


def test_the_header_says_in_words_how_the_balances_follow(shown: None) -> None:
    assert "it adds up" in text(visit("statements", statement="1"))


def test_transactions_are_filtered_by_the_category_and_the_words_of_the_url(shown: None) -> None:
    whole = listed(visit("statements", statement="1"))
    page = visit("statements", statement="1", category="GROCERIES")
    assert set(listed(page)["category"]) == {"Groceries"}
    assert 0 < len(listed(page)) < len(whole)
    assert "of this category" in captions(page)
    word = str(whole["text"].iloc[0]).split()[-1].lower()
    assert all(word.upper() in value for value in listed(visit("statements", statement="1", words=word))["text"])


def test_only_what_nobody_could_name_is_a_switch(shown: None) -> None:
    page = visit("statements", statement="1")
    page.toggle[0].set_value(True).run()
    assert not page.exception
    assert page.query_params["category"] == "UNKNOWN"
    assert set(listed(page)["category"]) <= {"Not categorised"}


def test_words_that_nothing_has_are_said(shown: None) -> None:
    page = visit("statements", statement="1", words="no such words")
    assert "No transaction" in page.info[0].value


def test_an_applicant_without_a_statement_is_offered_the_upload(written: None) -> None:
    given = {"applicant_id": "NEW-2", "applied_on": date(2026, 6, 1), "name": "Ann", "amount": 10.0, "term_months": 3, "purpose": None}
    applicants.apply(ui.store(), [given], user="tester")
    page = visit("applicants", applicant="NEW-2")
    assert not page.error
    assert "No statement yet" in text(page)


def test_accounts_in_two_currencies_are_chosen_never_added(written: None) -> None:
    rows = "".join(
        f"{account},{cur},2026-0{m}-0{n},SHOP,-{n}.00\n"
        for account, cur in (("DE111", "EUR"), ("US222", "USD"))
        for m in (1, 2)
        for n in (1, 2)
    )
    reading = ingest.read("two.csv", f"Account,Currency,Date,Description,Amount\n{rows}".encode(), settings=ui.store().settings)
    ingest.save(ui.store(), [reading], user="tester", applicant_id="NEW-3")
    page = visit("applicants", applicant="NEW-3")
    accounts = next(box for box in page.selectbox if box.label == "Accounts")
    assert accounts.options == ["DE111", "US222"]
    accounts.select_index(1).run()
    assert not page.exception
    assert "USD" in captions(page)
    (error,) = visit("applicants", applicant="NEW-3", account="99").error
    assert "99" in error.value


def test_what_comes_back_on_a_rhythm_is_shown_from_a_frame(shown: None) -> None:
    def script() -> None:
        from datetime import date

        from pandas import DataFrame

        import ui

        columns = [
            "name",
            "category",
            "direction",
            "cadence",
            "period_days",
            "n",
            "first_on",
            "last_on",
            "next_on",
            "amount",
            "regularity",
            "state",
        ]
        row = ["ACME", "INC_SALARY", "in", "monthly", 30.4, 6, date(2026, 1, 1), date(2026, 6, 1), date(2026, 7, 1), 2000.0, 0.99, "mature"]
        ui.streams(DataFrame([row], columns=columns), "EUR")
        ui.streams(DataFrame([], columns=columns), "EUR", key="none")

    page = AppTest.from_function(script).run()
    assert not page.exception
    assert "1 recurring stream goes on" in text(page)
    assert page.dataframe[0].value["direction"].tolist() == ["comes in"]
    assert len(page.dataframe) == 1


@pytest.mark.parametrize(
    ("state", "opening", "closing", "said"),
    [
        ("ok", "10", "8", "Opening 10.00 EUR, transactions −2.00 EUR, closing 8.00 EUR: it adds up."),
        ("mismatch", "10", "9", "that makes 8.00 EUR, but the file says 9.00 EUR, which is 1.00 EUR more."),
        ("mismatch", "10", "8", "the ends agree, but balances printed in between do not follow."),
        ("mismatch", None, "8", "the balances printed beside them do not follow."),
        ("not stated", "10", None, "nothing checks that sum."),
    ],
)
def test_reconciliation_is_said_in_words(state: str, opening: str | None, closing: str | None, said: str) -> None:
    ends = [None if value is None else Decimal(value) for value in (opening, closing)]
    off = None if None in ends else ends[1] - ends[0] + 2  # type: ignore[operator]
    row = {"currency": "EUR", "opening": ends[0], "closing": ends[1], "sum_amount": Decimal(-2), "off": off, "reconciliation": state}
    assert ui.reconciled(row).endswith(said)


# --- what the pages write ------------------------------------------------------------------------------------------------


def test_upload_is_shown_first_and_stored_on_demand(written: None) -> None:
    page = visit("statements")
    page.file_uploader(key="files").upload("march.csv", STATEMENT, "text/csv").run()
    assert {metric.label: metric.value for metric in page.metric} | {"Transactions": "12"} == {
        metric.label: metric.value for metric in page.metric
    }
    assert not ui.store().rows("select 1 from statement where file_name = 'march.csv'"), "reading stores nothing"
    page.text_input(key="owner").input("NEW-1")
    page.button(key="save").click().run()
    assert not page.exception
    assert "12 new transactions" in page.success[0].value
    assert "save" not in {button.key for button in page.button}, "what is stored is not offered for storing again"
    assert applicants.person(ui.store(), "NEW-1")["n_transactions"] == 12


def test_a_broken_file_is_explained_and_cannot_be_stored(written: None) -> None:
    page = visit("statements")
    page.file_uploader(key="files").upload("broken.csv", b"Date,Description,Amount\n13/03/2026,Shop,-4.00\n14/03/2026,Shop,4x.00\n").run()
    assert not page.exception
    assert "rejected" in text(page)
    assert "save" not in {button.key for button in page.button}


def test_scoring_keeps_a_prediction_in_the_name_of_who_acts(written: None) -> None:
    applicant_id, before = someone(), len(scoring.history(ui.store(), someone()))
    page = visit("score", applicant=applicant_id)
    page.sidebar.text_input(key="acting_as").input("Ann").run()
    page.button(key="score").click().run()
    history = scoring.history(ui.store(), applicant_id)
    assert len(history) == before + 1
    assert history["scored_by"].iloc[0] == "Ann"
    assert history["channel"].iloc[0] == "page"


def test_a_verdict_is_recorded_and_an_unexplained_one_refused(written: None) -> None:
    prediction_id = str(reviews.queue(ui.store())["prediction_id"].iloc[0])
    page = visit("reviews", prediction=prediction_id)
    page.segmented_control(key=f"verdict-of-{prediction_id}").set_value("incorrect")
    submit = next(button for button in page.button if button.label == "Record verdict")
    submit.click().run()
    assert "comment" in page.error[0].value
    page.segmented_control(key=f"verdict-of-{prediction_id}").set_value("incorrect")
    page.text_area[0].input("the salary is missing")
    next(button for button in page.button if button.label == "Record verdict").click().run()
    given = reviews.history(ui.store(), prediction_id)
    assert given["comment"].tolist() == ["the salary is missing"]


def test_promotion_needs_a_reason(written: None) -> None:
    champion = registry.champion(ui.store())
    assert champion is not None
    other = "M0001" if champion["model_id"] != "M0001" else "M0002"
    page = visit("models", model=other)
    page.button(key="promote").click().run()
    assert "reason" in page.error[0].value
    page.text_area(key=f"reason-{other}").input("ranks observed outcomes better")
    page.button(key="promote").click().run()
    now = registry.champion(ui.store())
    assert now is not None
    assert now["model_id"] == other


# --- words and numbers ---------------------------------------------------------------------------------------------------


def test_numbers_are_written_for_people() -> None:
    assert ui.money(-1234.5, "EUR") == "−1,234.50 EUR"
    assert (ui.percent(0.1234), ui.percent(0.00001), ui.percent(None)) == ("12.3 %", "under 0.1 %", "not known")
    assert ui.day(date(2026, 3, 4)) == "4 Mar 2026"
    assert ui.instant(datetime(2026, 3, 4, 5, 6)) == "4 Mar 2026, 05:06 UTC"
    assert (ui.plural(1, "file"), ui.plural(2, "person", "people")) == ("1 file", "2 people")
    assert (ui.number("12"), ui.number("12; drop table"), ui.number("-4")) == (12, -1, -1)
    assert ui.interval({"value": 0.8, "low": 0.75, "high": 0.85}, 2) == "0.75 to 0.85"


def test_a_quality_check_says_what_it_asks_for() -> None:
    assert ui.gate_asks({"name": "share at most", "threshold": 0.3}) == "≤ 0.30"
    assert ui.gate_name({"name": "a new check"}) == "a new check"


def test_an_applicant_without_features_is_looked_at_up_to_their_last_transaction() -> None:
    assert ui.known_until({"applied_on": None, "last_on": date(2026, 8, 31)}) == date(2026, 9, 1)
    assert ui.known_until({"applied_on": date(2026, 8, 15), "last_on": date(2026, 8, 31)}) == date(2026, 8, 15)


def test_what_is_said_alike_of_all_columns_is_said_once() -> None:
    assert ui.said({"debit": ".", "credit": "."}) == "point"
    assert ui.said({"debit": ".", "balance": ","}) == "debit: point; balance: comma"


def test_text_of_a_file_is_never_interpreted() -> None:
    assert ui.literal(":red[SHOP] **x**") == r"\:red\[SHOP\] \*\*x\*\*"


def test_every_predictor_has_transactions_or_none(shown: None) -> None:
    store, applicant_id = ui.store(), someone()
    row = features.one(store, applicant_id)
    assert row is not None
    for feature in store.schema.predictors:
        features.evidence(store, applicant_id, row["as_of"], feature)
