"""When a file can be read more than one way: nobody guesses, both ways are shown, and the answer is kept for the bank's next file."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from creditrisk import answers, banks, ingest, workspace
from creditrisk.__main__ import main
from creditrisk.errors import InvalidInput, NotAllowed
from creditrisk.ingest import Reading
from creditrisk.settings import Settings
from creditrisk.store import Store
from tests.papers import sheet_xml, workbook

DATES = "Date,Details,Amount\n03/04/2024,Rent,-9.00\n05/06/2024,Pay,25.00\n04/05/2024,Shop,-2.00\n"
NEXT = "Date,Details,Amount\n07/08/2024,Rent,-9.00\n09/10/2024,Pay,25.00\n08/09/2024,Shop,-2.00\n"
THOUSANDS = "Date;Details;Amount\n16/01/2024;Rent;-1.234\n17/01/2024;Pay;2.500\n"
UNSIGNED = "Date,Merchant,Amount\n16/01/2024,Cafe,4.00\n17/01/2024,Shop,25.00\n"
BARE = "16/01/2024;Rent for May;9,00;7,00\n17/01/2024;Pay for May;25,00;3,00\n18/01/2024;Shop;1,00;2,50\n"
TWINS = "Date,Details,Amount,Amount\n16/01/2024,Rent,-9.00,-7.00\n17/01/2024,Pay,25.00,21.00\n"


def read(text: str, settings: Settings, **given: object) -> Reading:
    return ingest.read("a.csv", text.encode(), settings=settings, **given)  # type: ignore[arg-type]


def money(reading: Reading) -> list[Decimal]:
    return reading.rows["amount"].to_pylist()


# ---- what is asked ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "key", "declares"),
    [
        (DATES, "date_format", [{"date_format": "%d/%m/%Y"}, {"date_format": "%m/%d/%Y"}]),
        (DATES.replace("/2024", "/24"), "date_format", [{"date_format": "%d/%m/%y"}, {"date_format": "%m/%d/%y"}]),
        (
            "Date,Details,Amount\n05/03/04,Rent,-9.00\n01/06/05,Pay,25.00\n06/01/02,Shop,-1.00\n",
            "date_format",
            [{"date_format": "%d/%m/%y"}, {"date_format": "%m/%d/%y"}],
        ),
        (THOUSANDS, "decimal", [{"decimal": ","}, {"decimal": "."}]),
        (BARE, "columns", [{"columns": {"amount": [3], "balance": [4]}}, {"columns": {"amount": [4], "balance": [3]}}]),
        (TWINS, "columns", [{"columns": {"amount": [3]}}, {"columns": {"amount": [4]}}]),
    ],
)
def test_what_a_file_leaves_open_is_refused_with_its_answers(text: str, key: str, declares: list[object], settings: Settings) -> None:
    reading = read(text, settings)
    assert reading.status == "rejected"
    (question,) = reading.questions
    assert question.key == key
    assert [choice.declares for choice in question.choices] == declares
    assert question.problem == reading.problems[0]
    assert "--profile" in question.problem.message
    assert key in question.problem.message
    assert question.problem.message.startswith("a.csv")


@pytest.mark.parametrize("text", [DATES, THOUSANDS, BARE, TWINS, UNSIGNED])
def test_every_answer_reads_the_file_and_each_reads_it_otherwise(text: str, settings: Settings) -> None:
    reading = read(text, settings)
    ways = answers.ways(reading, reading.questions[0], settings=settings)
    assert len(ways) >= 2
    assert all(way.reading.status != "rejected" for way in ways)
    assert len({str(way.rows) for way in ways}) == len(ways), "the ways differ in their first rows"
    assert all(len(way.rows) == reading.content.count(b"\n") - (text[0] == "D") for way in ways)
    for way in ways:
        assert not any(question.key == reading.questions[0].key for question in way.reading.questions), (
            "what is answered is not asked again"
        )


def test_a_year_that_may_stand_first_is_asked_about_and_the_order_of_rows_decides(settings: Settings) -> None:
    rows = "Date,Details,Amount\n24/03/05,Rent,-9.00\n24/03/28,Pay,25.00\n24/02/11,Shop,-1.00\n"
    choices = [choice.declares["date_format"] for choice in read(rows, settings).questions[0].choices]
    assert choices == ["%d/%m/%y", "%y/%m/%d"]
    ordered = read(rows.replace("24/02/11", "24/04/01"), settings)
    assert ordered.rows["booked_on"].to_pylist() == [date(2024, 3, 5), date(2024, 3, 28), date(2024, 4, 1)]


def test_the_rows_show_what_the_question_is_about(settings: Settings) -> None:
    reading = read(DATES, settings)
    days = [way.rows[0]["booked_on"] for way in answers.ways(reading, reading.questions[0], settings=settings)]
    assert days == [date(2024, 4, 3), date(2024, 3, 4)]
    labels = [choice.label for choice in reading.questions[0].choices]
    assert labels == ["03/04/2024 is 3 April 2024", "03/04/2024 is 4 March 2024"]


def test_what_another_question_decides_is_not_shown_before_it_is_answered(settings: Settings) -> None:
    reading = read("Date;Details;Amount\n03/04/2024;Rent;-1.234\n05/06/2024;Pay;2.500\n04/05/2024;Shop;-2.000\n", settings)
    assert reading.questions[0].key == "date_format"
    first = answers.ways(reading, reading.questions[0], settings=settings)[0]
    assert set(first.rows[0]) == {"line", "booked_on", "text"}
    assert "decimals" in first.asks
    (second,) = first.reading.questions
    whole = answers.answered(first.reading, second.choices[0].declares, settings=settings)
    assert (whole.status, money(whole)) == ("accepted", [-1234, 2500, -2000])
    assert whole.answers == {"date_format": "%d/%m/%Y", "decimal": ","}


def test_payments_without_a_sign_are_read_and_asked_about(settings: Settings) -> None:
    reading = read(UNSIGNED, settings)
    assert reading.status == "warned"
    (question,) = reading.questions
    assert question.key == "positive"
    out, into = (answers.answered(reading, choice.declares, settings=settings) for choice in question.choices)
    assert (out.status, out.sum_amount) == ("accepted", -29)
    assert (into.status, into.sum_amount) == ("accepted", 29)


def test_balances_decide_which_column_is_the_amount(settings: Settings) -> None:
    rows = "16/01/2024;Rent for May;91,00;-9,00\n17/01/2024;Pay for May;116,00;25,00\n18/01/2024;Shop;115,00;-1,00\n"
    reading = read(rows, settings)
    assert (money(reading), reading.reconciliation) == ([-9, 25, -1], "ok")
    assert not reading.questions


def test_two_headings_for_the_amount_are_read_by_the_better_and_said(settings: Settings) -> None:
    text = "Date,Details,Betrag,Umsatz\n16/01/2024,Rent,-9.00,-8.00\n17/01/2024,Pay,25.00,21.00\n"
    reading = read(text, settings)
    assert (reading.status, money(reading)) == ("warned", [-9, 25])
    assert [choice.declares for choice in reading.questions[0].choices] == [
        {"columns": {"amount": ["Betrag"]}},
        {"columns": {"amount": ["Umsatz"]}},
    ]
    same = text.replace("-8.00", "-9.00").replace("21.00", "25.00")
    assert read(same, settings).status == "accepted", "two columns that say the same leave nothing open"


def test_columns_nobody_can_name_are_chosen_by_hand(settings: Settings) -> None:
    text = "Zxa,Qwe,Rty,Uio\n16/01/2024,17/01/2024,4711,9.00\n,18/01/2024,4712,25.00\n18/01/2024,19/01/2024,4713,1.50\n"
    reading = read(text, settings)
    (question,) = reading.questions
    assert (reading.status, question.key, question.choices) == ("rejected", "columns", ())
    assert question.headings == ("Zxa", "Qwe", "Rty", "Uio")
    given = answers.columns(question.sample, question.headings, {"date": 1, "text": 2, "amount": 3, "balance": None})
    assert given == {"columns": {"date": ["Qwe"], "text": ["Rty"], "amount": ["Uio"]}}
    assert money(answers.answered(reading, given, settings=settings)) == [9, 25, Decimal("1.5")]


@pytest.mark.parametrize("text", [BARE, TWINS])
def test_none_of_the_ways_may_be_right_and_the_columns_are_chosen_by_hand(text: str, settings: Settings) -> None:
    reading = read(text, settings)
    (question,) = reading.questions
    assert len(question.sample[0]) == 4
    given = answers.columns(question.sample, question.headings, {"date": 0, "text": 1, "amount": 3})
    whole = answers.answered(reading, given, settings=settings)
    assert (whole.status, whole.reconciliation) != ("rejected", "mismatch")
    assert abs(money(whole)[0]) == 7


@pytest.mark.parametrize("places", [{"date": 0, "text": 1}, {"date": 0, "text": 0, "amount": 1}, {"amount": 1}])
def test_a_choice_of_columns_that_is_none_is_refused(places: dict[str, int | None]) -> None:
    with pytest.raises(InvalidInput, match=r"Choose the column|chosen twice"):
        answers.columns([("a", "b", "c")], (), places)


def test_an_answer_that_is_none_is_refused(settings: Settings) -> None:
    for wrong in ({"date_format": "days first"}, {"decimal": "x"}, {"columns": {"amount": [0]}}, {"positive": "up"}, {"nonsense": 1}):
        with pytest.raises(InvalidInput, match="The answer"):
            answers.answered(read(DATES, settings), wrong, settings=settings)


# ---- what is kept -------------------------------------------------------------------------------------------------------


def kept(store: Store, text: str, name: str = "Postbank", place: int = 1, **given: object) -> Reading:
    """Answer the first question of a file, and keep the answer as a profile that knows its headings."""
    reading = read(text, store.settings)
    question = reading.questions[0]
    answered = answers.answered(reading, question.choices[place].declares, settings=store.settings)
    answers.remember(store, name, answered.answers, headings=question.headings, user="ana", **given)  # type: ignore[arg-type]
    return answered


def test_the_next_file_of_the_bank_is_read_without_asking(store: Store) -> None:
    kept(store, DATES)
    reading = read(NEXT, store.settings)
    assert reading.status == "accepted", reading.problems
    assert reading.rows["booked_on"].to_pylist()[0] == date(2024, 7, 8)
    assert reading.dialect["profile"] == "Postbank"
    assert reading.dialect["profile_known_by"] == "its headings"
    assert read(NEXT.replace("Details", "Text"), store.settings).status == "rejected", "other headings are another bank's"


def test_a_kept_profile_holds_the_deciding_key_and_is_one_by_name(store: Store) -> None:
    kept(store, DATES)
    text = (store.settings.data / "banks" / "Postbank.toml").read_text(encoding="utf-8")
    said = [line for line in text.splitlines() if not line.startswith("#")]
    assert said == ['matches = ["Date", "Details", "Amount"]', 'date_format = "%m/%d/%Y"']
    by_name = read(NEXT.replace("Details", "Text"), store.settings, profile="Postbank")
    assert by_name.rows["booked_on"].to_pylist()[0] == date(2024, 7, 8)


def test_who_kept_it_is_audited_and_told(store: Store) -> None:
    kept(store, DATES)
    user, action, subject, detail = store.rows("select user_name, action, subject, detail from audit order by seq desc limit 1")[0]
    assert (user, action, subject) == ("ana", "bank profile", "Postbank")
    assert json.loads(detail)["declares"] == {"date_format": "%m/%d/%Y"}
    assert workspace.activity(store)["sentence"].iloc[0] == "saved the bank profile Postbank"


def test_a_profile_never_overrides_what_the_file_itself_says(store: Store) -> None:
    kept(store, DATES)
    plain = read("Date,Details,Amount\n13/04/2024,Rent,-9.00\n05/06/2024,Pay,25.00\n", store.settings)
    assert (plain.status, plain.dialect["profile"], plain.dialect["date_format"]) == ("accepted", None, "%d/%m/%Y")
    other = read(NEXT.replace("/2024", "/24"), store.settings)
    assert other.status == "rejected", "a date written otherwise is not what was answered"


def test_a_profile_that_is_named_wins_over_one_that_knows_the_headings(store: Store) -> None:
    kept(store, DATES)
    answers.remember(store, "Other", {"date_format": "%d/%m/%Y"}, user="ana")
    assert read(NEXT, store.settings, profile="Other").rows["booked_on"].to_pylist()[0] == date(2024, 8, 7)


def test_two_profiles_for_the_same_headings_ask(store: Store) -> None:
    kept(store, DATES)
    headings = ("Date", "Details", "Amount")
    with pytest.raises(InvalidInput, match="'Postbank' knows these headings already"):
        answers.remember(store, "Second", {"date_format": "%d/%m/%Y"}, headings=headings, user="ana")
    (store.settings.data / "banks" / "Second.toml").write_text(
        'matches = ["Date", "Details", "Amount"]\ndate_format = "%d/%m/%Y"\n', encoding="utf-8"
    )
    reading = read(NEXT, store.settings)
    assert reading.status == "rejected"
    assert "'Postbank', 'Second' all know these headings" in reading.problems[0].message


def test_a_taken_name_is_replaced_only_when_that_is_said(store: Store) -> None:
    kept(store, DATES)
    with pytest.raises(InvalidInput, match="already"):
        answers.remember(store, "postbank", {"date_format": "%d/%m/%Y"}, user="bo")
    assert banks.profile("Postbank", store.settings.data / "banks").date_format == "%m/%d/%Y"
    answers.remember(store, "Postbank", {"date_format": "%d/%m/%Y"}, user="bo", overwrite=True)
    assert banks.profile("Postbank", store.settings.data / "banks").date_format == "%d/%m/%Y"
    assert store.value("select count(*) from audit where action = 'bank profile'") == 2


@pytest.mark.parametrize(
    "name", ["", "  ", "../evil", "a/b", "a\\b", ".hidden", "a.toml", "x" * 41, "berka", "BERKA", "a\nb", "-x", "nul\x00"]
)
def test_a_name_that_is_none_writes_nothing(store: Store, name: str) -> None:
    with pytest.raises(InvalidInput, match=r"should be a name|comes with the program"):
        answers.remember(store, name, {"decimal": ","}, user="ana")
    assert not list(store.settings.data.rglob("*"))
    assert store.value("select count(*) from audit") == 0


def test_nobody_keeps_an_answer_without_a_name_of_their_own(store: Store) -> None:
    with pytest.raises(NotAllowed):
        answers.remember(store, "mine", {"decimal": ","}, user=" ")
    assert not list((store.settings.data / "banks").iterdir())


def test_an_answer_that_cannot_be_kept_leaves_no_trace(store: Store) -> None:
    for wrong in ({}, {"date_format": "x"}, {"columns": {"day": ["Date"]}}):
        with pytest.raises(InvalidInput):
            answers.remember(store, "mine", wrong, user="ana")
    with pytest.raises(InvalidInput, match="3 headings"):
        answers.remember(store, "mine", {"decimal": ","}, headings=("Date", "Amount"), user="ana")
    assert not list(store.settings.data.rglob("*.toml"))


@pytest.mark.parametrize("heading", ['Say "hi"', "back\\slash", "Kč\tx", "\x7f", "日付 🏦", "[columns]", "# no"])
def test_headings_of_any_letters_survive_the_file(store: Store, heading: str) -> None:
    answers.remember(store, "odd", {"columns": {"amount": [heading]}, "decimal": ","}, headings=("Date", heading, "x"), user="ana")
    found = banks.profile("odd", store.settings.data / "banks")
    assert found.matches == ("Date", heading, "x")
    assert (found.columns, found.decimal) == ({"amount": [heading]}, ",")


def test_several_answers_of_one_bank_are_kept_together(store: Store) -> None:
    text = "Date;Details;Amount\n03/04/2024;Rent;1.234\n05/06/2024;Pay;2.500\n04/05/2024;Shop;2.000\n"
    reading = read(text, store.settings)
    headings = reading.questions[0].headings
    for _ in range(3):
        reading = answers.answered(reading, reading.questions[0].choices[0].declares, settings=store.settings)
    assert (reading.status, money(reading)) == ("accepted", [-1234, -2500, -2000])
    answers.remember(store, "Cards", reading.answers, headings=headings, user="ana")
    again = read(text, store.settings)
    assert (again.status, money(again), again.dialect["profile"]) == ("accepted", [-1234, -2500, -2000], "Cards")


def test_a_broken_profile_is_named(store: Store) -> None:
    folder = store.settings.data / "banks"
    folder.mkdir(parents=True)
    (folder / "bad.toml").write_text('date_format = "%d/%m/%Y\n', encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"bad\.toml is not valid TOML"):
        read(DATES, store.settings)


def test_the_sentence_gives_the_key_as_it_is_written_in_a_profile(store: Store) -> None:
    said = read(BARE, store.settings).problems[0].message
    assert "[columns] amount = [3], balance = [4] or amount = [4], balance = [3] decides" in said
    folder = store.settings.data / "banks"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text("[columns]\namount = [4]\nbalance = [3]\n", encoding="utf-8")
    assert money(read(BARE, store.settings, profile="mine")) == [7, 3, Decimal("2.5")]


def test_a_workbook_and_a_qif_file_ask_as_a_csv_does(settings: Settings) -> None:
    rows: list[list[str | float]] = [list(line.split(",")) for line in DATES.splitlines()]
    sheet = ingest.read("a.xlsx", workbook({"May": sheet_xml(rows)}), settings=settings)
    assert (sheet.format, sheet.status, sheet.questions[0].headings) == ("xlsx", "rejected", ("Date", "Details", "Amount"))
    days = [way.rows[0]["booked_on"] for way in answers.ways(sheet, sheet.questions[0], settings=settings)]
    assert days == [date(2024, 4, 3), date(2024, 3, 4)]
    qif = "!Type:Bank\nD03/04/2024\nT-12.50\nPSHOP\n^\nD05/06/2024\nT-1.50\nPSHOP\n^\nD04/05/2024\nT-1.00\nPSHOP\n^\n"
    reading = read(qif, settings)
    assert (reading.format, reading.status) == ("qif", "rejected")
    days = [way.rows[0]["booked_on"] for way in answers.ways(reading, reading.questions[0], settings=settings)]
    assert days == [date(2024, 4, 3), date(2024, 3, 4)]


# ---- the command line ---------------------------------------------------------------------------------------------------


def test_the_command_line_refuses_names_the_key_and_takes_the_profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, data = tmp_path / "a.csv", ["--data", str(tmp_path / "data"), "--models", str(tmp_path / "models")]
    file.write_text(DATES, encoding="utf-8")
    assert main(["ingest", str(file), "--json", *data]) == 1
    said = capsys.readouterr()
    first = json.loads(said.out.splitlines()[0])
    assert (first["status"], first["n_new"]) == ("rejected", 0)
    assert 'date_format = "%d/%m/%Y" or date_format = "%m/%d/%Y"' in first["problems"][0]["message"]
    assert set(first["problems"][0]) == {"line", "column", "value", "message"}
    assert "--profile" in said.err
    (tmp_path / "data" / "banks").mkdir()
    (tmp_path / "data" / "banks" / "mine.toml").write_text('date_format = "%d/%m/%Y"\n', encoding="utf-8")
    assert main(["ingest", str(file), "--profile", "mine", "--json", *data]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["n_new"] == 3


# ---- totals -------------------------------------------------------------------------------------------------------------


def test_a_dated_total_that_is_the_sum_above_is_no_payment(settings: Settings) -> None:
    text = "Date,Details,Amount\n13/01/2024,Rent,-9.00\n14/01/2024,Shop,-2.50\n31/01/2024,TOTAL,-11.50\n"
    reading = read(text, settings)
    assert (reading.status, reading.n_transactions, reading.sum_amount) == ("accepted", 2, Decimal("-11.50"))
    assert reading.dialect["set_aside"] == {"total": 1}


@pytest.mark.parametrize("word", ["Total", "Summe", "Total général", "Subtotal", "Sub-total", "Totaal", "Gesamtsumme", "Grand total"])
def test_totals_are_known_in_several_languages(settings: Settings, word: str) -> None:
    text = f"Date,Details,Amount\n13/01/2024,Rent,-9.00\n14/01/2024,Pay,2.50\n31/01/2024,{word},6.50\n"
    assert read(text, settings).dialect["set_aside"] == {"total": 1}


def test_blocks_have_subtotals_and_the_file_a_total(settings: Settings) -> None:
    rows = ["13/01/2024,Rent,-9.00", "14/01/2024,Shop,-1.00", "31/01/2024,Subtotal,-10.00"]
    rows += ["01/02/2024,Rent,-8.00", "14/02/2024,Pay,3.00", "29/02/2024,Subtotal,-5.00", "29/02/2024,Total,-15.00"]
    reading = read("Date,Details,Amount\n" + "\n".join(rows) + "\n", settings)
    assert (reading.n_transactions, reading.sum_amount, reading.dialect["set_aside"]) == (4, -15, {"total": 3})


def test_a_total_of_both_columns_is_no_payment(settings: Settings) -> None:
    text = "Date,Details,Debit,Credit\n13/01/2024,Rent,9.00,\n14/01/2024,Pay,,25.00\n15/01/2024,Shop,1.00,\n31/01/2024,Totals,10.00,25.00\n"
    reading = read(text, settings)
    assert (reading.status, reading.n_transactions, reading.dialect["set_aside"]) == ("accepted", 3, {"total": 1}), reading.problems
    wrong = read(text.replace("10.00", "11.00"), settings)
    assert (wrong.status, wrong.problems[0].line) == ("rejected", 5)


def test_a_payment_at_a_station_named_total_stays_one_and_is_doubted(settings: Settings) -> None:
    text = "Date,Details,Amount\n13/01/2024,Rent,-9.00\n14/01/2024,Shop,-2.50\n31/01/2024,TOTAL,-40.00\n01/02/2024,TOTAL FUEL,-11.50\n"
    reading = read(text, settings)
    assert (reading.status, reading.n_transactions) == ("warned", 4)
    assert [(problem.line, problem.value) for problem in reading.problems] == [(4, "TOTAL")]
    balanced = "Date,Details,Amount,Balance\n13/01/2024,Rent,-9.00,91.00\n14/01/2024,Shop,-2.00,89.00\n15/01/2024,TOTAL,-11.00,78.00\n"
    assert (read(balanced, settings).status, read(balanced, settings).n_transactions) == ("accepted", 3)
