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
from creditrisk import applicants, corrections, features, ingest, labels, registry, reviews, scoring, spelling, tables
from creditrisk.statement import Problem, Question
from creditrisk.store import Store
from tests.conftest import ROOT
from ui import account, case, intake, lab

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


OPEN: list[Path] = []


@contextmanager
def workspace(folder: Path) -> Iterator[None]:
    """Let the pages open the workspace in `folder`, and let go of it; one that was open before is opened anew when it is asked for."""
    if OPEN:
        ui.opened().close()
        ui.opened.cache_clear()
        st.cache_data.clear()
    OPEN.append(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CREDITRISK_DATA", str(folder / "data"))
        patch.setenv("CREDITRISK_MODELS", str(folder / "models"))
        ui.opened.cache_clear()  # a workspace of other tests may still be open
        try:
            yield
        finally:
            OPEN.remove(folder)
            ui.opened().close()
            ui.opened.cache_clear()
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
    assert metrics["Risk (proxy)"] == ui.percent(prediction.pd), "a proxy is never called a probability of default"
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

        from ui import account

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
        account.streams(DataFrame([row], columns=columns), "EUR")
        account.streams(DataFrame([], columns=columns), "EUR", key="none")

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
    assert account.reconciled(row).endswith(said)


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


AMBIGUOUS = b"Date,Details,Amount\n03/04/2024,Rent,-9.00\n05/06/2024,Pay,25.00\n04/05/2024,Shop,-2.00\n"
UNSIGNED = b"Date,Merchant,Amount\n16/01/2024,Cafe,4.00\n17/01/2024,Shop,25.00\n"
BROKEN = b"Date,Description,Amount\n13/03/2026,Shop,-4.00\n14/03/2026,Shop,4x.00\n"


def offer(page: AppTest, **files: bytes) -> AppTest:
    """Put files into the box, all at once."""
    page.file_uploader[0].set_value([(f"{name}.csv", content, "text/csv") for name, content in files.items()]).run()
    assert not page.exception, page.exception[0].stack_trace
    return page


def press(page: AppTest, label: str, place: int = 0) -> AppTest:
    """Press the button of that name."""
    [button for button in page.button if button.label == label][place].click().run()
    assert not page.exception, page.exception[0].stack_trace
    return page


def test_an_ambiguous_file_is_shown_both_ways_and_read_as_answered(empty: None) -> None:
    page = offer(visit("statements"), april=AMBIGUOUS)
    assert "In which order do day and month stand?" in page.info[0].value
    assert "save" not in {button.key for button in page.button}
    both = [table.value["Booked\u00a0on"].tolist()[0] for table in page.main.table]
    assert both == ["3\u00a0Apr\u00a02024", "4\u00a0Mar\u00a02024"]
    press(page, "Read it this way", 1)
    assert "03/04/2024 is 4 March 2024" in text(page).replace("\\", "")
    page.text_input(key="owner").input("NEW-1")
    press(page, "Save 1 file")
    days = ui.store().rows("select min(booked_on), max(booked_on) from movement")
    assert days == [(date(2024, 3, 4), date(2024, 5, 6))]
    assert '"answered": {"date_format": "%m/%d/%Y"}' in ui.store().value("select dialect from statement")


def test_an_answer_is_remembered_for_the_bank_and_the_next_file_is_not_asked_about(empty: None) -> None:
    page = press(offer(visit("statements"), april=AMBIGUOUS), "Read it this way")
    name = next(field for field in page.text_input if field.label == "Name of the bank profile")
    name.input("../Postbank").run()
    press(page, "Save bank profile")
    assert "letters, digits" in page.error[0].value
    next(field for field in page.text_input if field.label == "Name of the bank profile").input("Postbank").run()
    press(page, "Save bank profile")
    assert "Postbank" in page.success[0].value
    assert "Postbank" in page.selectbox(key="profile").options
    assert ui.store().rows("select subject from audit where action = 'bank profile'") == [("Postbank",)]
    page = offer(visit("statements"), may=AMBIGUOUS.replace(b"Rent", b"Rent again"))
    assert "accepted" in text(page)
    assert "Postbank" in page.info[0].value
    assert "knows this file by its headings" in page.info[0].value


def test_an_answer_can_be_taken_back(empty: None) -> None:
    page = press(offer(visit("statements"), april=AMBIGUOUS), "Read it this way")
    press(page, "Take back")
    assert "In which order" in page.info[0].value


def test_a_warned_file_is_stored_only_by_somebody_who_read_the_warnings(empty: None) -> None:
    page = offer(visit("statements"), card=UNSIGNED)
    assert page.button(key="save").disabled
    page.main.checkbox[0].check().run()
    assert page.main.checkbox[0].label.startswith("I have read the warnings")
    press(page, "Save 1 file")
    assert ui.store().value("select status from statement") == "warned"


def test_payments_are_asked_about_and_the_answer_ends_the_doubt(empty: None) -> None:
    page = offer(visit("statements"), card=UNSIGNED)
    press(page, "Read it this way", 0)
    press(page, "Save 1 file")
    assert ui.store().rows("select status, sum_amount from statement") == [("accepted", -29)]


def test_of_many_files_the_accepted_are_chosen_and_each_outcome_is_said(empty: None) -> None:
    page = offer(visit("statements"), march=STATEMENT, copy=STATEMENT, asks=AMBIGUOUS, card=UNSIGNED, broken=BROKEN)
    table = page.main.dataframe[0].value
    assert dict(zip(table["file"], table["state"], strict=True)) == {
        "asks.csv": "asks",
        "broken.csv": "rejected",
        "card.csv": "warned",
        "march.csv": "accepted",
        "copy.csv": "twice",
    }
    assert list(table["state"]) == ["asks", "rejected", "warned", "accepted", "twice"], "what needs somebody comes first"
    assert "line 3" in dict(zip(table["file"], table["note"], strict=True))["broken.csv"].lower()
    press(page, "Save 1 file")
    assert "march.csv: 12 new transactions" in page.success[0].value.replace("\\", "")
    assert "1 file was refused" in page.success[0].value
    outcomes = next(frame.value for frame in page.main.dataframe if "outcome" in frame.value)
    assert outcomes["outcome"].tolist()[0] == "statement 1"
    assert "Line 3" in outcomes["outcome"].tolist()[1]
    waiting = page.main.dataframe[0].value
    assert set(waiting["state"]) == {"asks", "rejected", "warned", "stored already", "twice"}, "what waits for somebody stays in the box"
    again = offer(visit("statements"), march=STATEMENT, late=STATEMENT.replace(b"2026", b"2025"))
    table = again.main.dataframe[0].value
    assert sorted(table["state"]) == ["accepted", "stored already"]
    assert "It is statement 1." in set(table["note"])


def test_columns_nobody_can_name_are_chosen_on_the_page(empty: None) -> None:
    content = b"Zxa,Qwe,Rty,Uio\n16/01/2024,17/01/2024,4711,9.00\n,18/01/2024,4712,25.00\n18/01/2024,19/01/2024,4713,-1.50\n"
    page = offer(visit("statements"), hand=content)
    press(page, "Read it this way")
    assert "Choose the column of the date" in page.error[0].value
    for label, column in (("Date", 1), ("Text", 2), ("Amount", 3)):
        next(box for box in page.selectbox if box.label == label).set_value(column)
    press(page, "Read it this way")
    press(page, "Save 1 file")
    assert ui.store().rows("select n_transactions, sum_amount from statement") == [(3, 32.5)]


def test_a_broken_bank_profile_is_said_and_breaks_no_page(empty: None) -> None:
    folder = ui.store().settings.data / "banks"
    folder.mkdir(parents=True)
    (folder / "bad.toml").write_text("decimal = 1\n", encoding="utf-8")
    page = visit("statements")
    assert "bad.toml" in page.error[0].value.replace("\\", "")
    offer(page, asks=AMBIGUOUS, march=STATEMENT)
    assert "accepted" in text(page), "a profile that cannot be read hinders only the files that need one"


def test_scoring_keeps_a_prediction_in_the_name_of_who_acts(written: None) -> None:
    applicant_id, before = someone(), len(scoring.history(ui.store(), someone()))
    page = visit("score", applicant=applicant_id)
    page.sidebar.text_input(key="acting_as").input("Ann").run()
    page.button(key="score").click().run()
    history = scoring.history(ui.store(), applicant_id)
    assert len(history) == before + 1
    assert history["scored_by"].iloc[0] == "Ann"
    assert history["channel"].iloc[0] == "page"


def test_a_role_chosen_in_the_sidebar_reaches_no_further(written: None) -> None:
    prediction_id, before = str(reviews.queue(ui.store())["prediction_id"].iloc[0]), len(reviews.history(ui.store()))
    page = visit("reviews", prediction=prediction_id)
    page.sidebar.selectbox(key="acting_role").set_value("analyst").run()
    page.button(key="take").click().run()
    assert "has the role analyst; to claim takes a person with the role reviewer or validator or admin" in page.error[0].value
    assert reviews.holders(ui.store()) == {}
    assert len(reviews.history(ui.store())) == before


def unknown() -> tuple[str, str, str]:
    """Return an applicant, a statement of theirs, and a movement in it of which nobody knows what it was, shortly before their score."""
    row = ui.store().rows(
        """select applicant_id, statement_id, transaction_id from movement join prediction_current as made using (applicant_id)
        where category = 'UNKNOWN' and movement.amount < 0 and booked_on between made.as_of - 60 and made.as_of - 1
        order by movement.amount, transaction_id limit 1"""
    )[0]
    return str(row[0]), str(row[1]), str(row[2])


def test_a_category_is_changed_with_a_preview_a_name_and_a_reason(written: None) -> None:
    applicant_id, statement_id, movement = unknown()
    page = visit("statements", statement=statement_id, movement=movement)
    page.sidebar.text_input(key="acting_as").input("Ann").run()
    page.button(key="lines-change").click().run()
    assert not page.exception
    assert not any("Wages" in kind for kind in page.selectbox(key=f"category-{movement}").options), "money out was never wages"
    assert f"keep-{movement}" not in {button.key for button in page.button}, "nothing to save before a category is chosen"
    page.selectbox(key=f"category-{movement}").set_value("GAMBLING").run()
    assert "Changes **1 movement** of **1 applicant**" in "\n".join(element.value for element in page.markdown)
    assert ui.store().value("select count(*) from correction") == 0, "a preview stores nothing"
    page.radio(key=f"scope-{movement}").set_value("merchant").run()
    moved = next(table.value for table in page.table if "Then" in table.value)
    assert "Gambling against income" in set(moved.iloc[:, 0])
    page.text_input(key=f"reason-{movement}").input("a betting shop").run()
    page.button(key=f"keep-{movement}").click().run()
    assert not page.exception
    kept = corrections.history(ui.store(), applicant_id).iloc[0]
    assert (kept["corrected_by"], kept["scope"], kept["category"], kept["reason"]) == ("Ann", "merchant", "GAMBLING", "a betting shop")
    assert "are now “" in page.success[0].value or "is now “" in page.success[0].value
    before = len(scoring.history(ui.store(), applicant_id))
    page.button(key="lines-score").click().run()
    history = scoring.history(ui.store(), applicant_id)
    assert len(history) == before + 1
    newest = scoring.get(ui.store(), history["prediction_id"].iloc[0])
    assert newest.inputs["gambling_to_income_90d"] > 0


def test_what_was_said_can_be_taken_back(written: None) -> None:
    applicant_id, _, movement = unknown()
    corrections.correct(ui.store(), user="Ben", scope="merchant", transaction_id=int(movement), category="GAMBLING", reason="a shop")
    page = visit("applicants", applicant=applicant_id, movement=movement)
    page.button(key="transactions-change").click().run()
    assert any("1 changed category" in expander.label for expander in page.expander)
    assert "Ben said so on" in "\n".join(element.value for element in page.caption)
    page.button(key=f"back-{movement}").click().run()
    assert page.radio(key=f"scope-{movement}").value == "merchant"
    page.button(key=f"keep-{movement}").click().run()
    assert not page.exception
    assert corrections.movement(ui.store(), int(movement))["category"] == "UNKNOWN"
    assert len(corrections.history(ui.store(), applicant_id)) == 2


def test_what_cannot_be_is_refused_in_the_dialog(written: None) -> None:
    applicant_id, _, movement = unknown()
    page = visit("applicants", applicant=applicant_id, movement=movement)
    page.button(key="transactions-change").click().run()
    page.selectbox(key=f"category-{movement}").set_value("RENT").run()
    page.radio(key=f"scope-{movement}").set_value("words").run()
    page.text_input(key=f"words-{movement}").input("zz").run()
    assert not page.exception
    assert "fewer than 3 letters" in page.error[0].value
    assert f"keep-{movement}" not in {button.key for button in page.button}


def test_uncategorised_rows_can_be_seen_alone(shown: None) -> None:
    _, statement_id, movement = unknown()
    page = visit("statements", statement=statement_id)
    whole = {len(listed(page))}
    page.toggle(key="lines-unknown").set_value(True).run()
    assert not page.exception
    only = listed(page)
    assert set(only["category"]) == {ui.WORDS["category"]["UNKNOWN"]}
    assert 0 < len(only) < max(whole)
    assert int(movement) in set(only["transaction_id"])


# --- words and numbers ---------------------------------------------------------------------------------------------------


def test_numbers_are_written_for_people() -> None:
    assert ui.money(-1234.5, "EUR") == "−1,234.50 EUR"
    assert (ui.percent(0.1234), ui.percent(0.00001), ui.percent(None)) == ("12.3 %", "< 0.1 %", "not known")
    assert ui.day(date(2026, 3, 4)) == "4 Mar 2026"
    assert ui.instant(datetime(2026, 3, 4, 5, 6)) == "4 Mar 2026, 05:06 UTC"
    assert (ui.plural(1, "file"), ui.plural(2, "person", "people")) == ("1 file", "2 people")
    assert (ui.number("12"), ui.number("12; drop table"), ui.number("-4")) == (12, -1, -1)
    assert ui.interval({"value": 0.8, "low": 0.75, "high": 0.85}, 2) == "0.75 to 0.85"


def test_a_quality_check_says_what_it_asks_for() -> None:
    assert lab.gate_asks({"name": "share at most", "threshold": 0.3}) == "≤ 0.30"
    assert lab.gate_asks({"name": "outcomes", "threshold": 30.0}) == "≥ 30"
    assert lab.gate_name({"name": "a new check"}) == "A new check"


def test_an_applicant_without_features_is_looked_at_up_to_their_last_transaction() -> None:
    assert case.known_until({"applied_on": None, "last_on": date(2026, 8, 31)}) == date(2026, 9, 1)
    assert case.known_until({"applied_on": date(2026, 8, 15), "last_on": date(2026, 8, 31)}) == date(2026, 8, 15)


def test_what_is_said_alike_of_all_columns_is_said_once() -> None:
    assert ui.said({"debit": ".", "credit": "."}) == "point"
    assert ui.said({"debit": ".", "balance": ","}) == "debit: point; balance: comma"


def test_text_of_a_file_is_never_interpreted() -> None:
    assert ui.literal("95 % sure") == "95\u00a0% sure"
    assert ui.literal(":red[SHOP] **x**") == r"\:red\[SHOP\] \*\*x\*\*"


def test_columns_of_one_heading_are_told_apart() -> None:
    def question(*headings: str) -> Question:
        return Question("columns", "", Problem(None, None, None, ""), (), headings, (("1", "2", "3"),))

    assert intake.column_names(question("Day", "Sum", "Sum")) == ["Day", "Sum 2", "Sum 3"]
    assert intake.column_names(question()) == ["Column 1", "Column 2", "Column 3"]
    assert intake.column_names(question("Sum 2", "Sum", "Sum")) == ["Column 1", "Column 2", "Column 3"]


def test_every_predictor_has_transactions_or_none(shown: None) -> None:
    store, applicant_id = ui.store(), someone()
    row = features.one(store, applicant_id)
    assert row is not None
    for feature in store.schema.predictors:
        features.evidence(store, applicant_id, row["as_of"], feature)


# --- a workspace of a lender's own table ---------------------------------------------------------------------------------


@pytest.fixture
def tabled(tmp_path: Path) -> Iterator[None]:
    """A workspace whose applicants are rows of a table, with outcomes, and nothing else."""
    from tests.test_tables import portfolio

    with workspace(tmp_path):
        joined = tables.join({"loans.csv": portfolio(120)})
        tables.save(ui.store(), joined, tables.propose(joined, target="status").schema, user="ann", target="status")
        yield


@pytest.mark.parametrize("name", NAMES)
def test_every_page_shows_a_portfolio_that_has_no_statements(tabled: None, name: str) -> None:
    assert not visit(name).error


def test_labels_of_a_table_are_made_without_statements(tabled: None) -> None:
    page = visit("labels")
    page.button(key="new-labels").click().run()
    assert not page.exception
    assert "make-labels" in {button.key for button in page.button}
    assert "anew" not in {toggle.key for toggle in page.toggle}, "nothing is computed from statements"
    assert "days" not in {box.key for box in page.selectbox}, "a row has no windows"
    made = labels.observed(ui.store(), user="ann").label_set_id
    page = visit("labels", labels=made)
    assert "Clusters" not in {metric.label for metric in page.metric}


def test_a_table_is_the_first_step_of_the_overview(tabled: None) -> None:
    page = visit("overview")
    assert {metric.label for metric in page.metric} >= {"Applicants", "Outcomes"}
    assert "Statements" not in {metric.label for metric in page.metric}
    assert "imported the table loans" in text(page)


def test_the_score_page_of_a_table_offers_no_transactions(tabled: None) -> None:
    page = visit("score", applicant="C0003")
    assert "features are computed from the statements" not in text(page)


def test_what_was_read_is_kept_until_something_is_written(tabled: None) -> None:
    asked: list[str] = []

    def ask(store: Store, name: str) -> int:
        asked.append(name)
        return len(asked)

    assert (ui.seen(ask, "one"), ui.seen(ask, "one"), ui.seen(ask, "two")) == (1, 1, 2)
    with ui.store().write("ann", "apply", "application", n=0):
        pass
    assert ui.seen(ask, "one") == 3


def test_a_column_of_a_table_is_shown_with_its_outcomes(tabled: None) -> None:
    page = visit("data", column="times_late", bin="0 times")
    assert {metric.label: metric.value for metric in page.metric}["With an outcome"] == "120"
    assert "bad at" in text(page)
    assert "applicant_id" in page.dataframe[1].value  # those in the bin


def test_a_column_nobody_declared_hides_nothing_else(tabled: None) -> None:
    page = visit("data", column="shoe_size")
    assert "There is no feature 'shoe_size'" in page.error[0].value.replace("\\", "")
    assert "How far outcomes have come" in [part.value for part in page.subheader]
    assert page.button(key="invent")


def test_what_an_import_changed_stands_on_the_page(tabled: None) -> None:
    page = visit("data", change="1")
    assert "What the import changed" in [part.value for part in page.subheader]
    assert not page.error


def test_spellings_are_put_right_on_the_page(tabled: None) -> None:
    page = visit("data")
    assert page.button(key="respelt").disabled
    held = ui.store()
    last = features.latest_snapshot(held)
    assert last is not None
    written = spelling.written(held, last)
    written.loc[written["written"] == "rent", "means"] = "own"
    spelling.respell(held, last, spelling.spelled(held.schema, written), user="ann")
    page = visit("data", change="1")
    assert not page.error
    assert "“rent” is “own”" in page.dataframe[1].value["what"].tolist()


def test_invented_applicants_are_made_measured_and_removed_on_the_page(tabled: None) -> None:
    page = visit("data")
    page.number_input(key="to").set_value(300)
    page = page.button(key="invent").click().run()
    assert not page.error
    assert "180 beside 120 real ones" in text(page).replace("**", "")
    assert {metric.label: metric.value for metric in page.metric}["Applicants"] == "120"
    page = page.button(key="remove").click().run()
    assert page.button(key="invent")


def test_an_applicant_of_a_table_shows_their_row(tabled: None) -> None:
    page = visit("applicants", applicant="C0003")
    assert "Times late" in set(page.dataframe[-1].value["title"])
