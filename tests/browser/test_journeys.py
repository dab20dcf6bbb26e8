"""What people do with the workbench, in a real browser: open any page by its address, and take one applicant the whole way."""

import re
import time
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from creditrisk.schema import built_in
from tests.browser.conftest import WAIT, Visitor, playwright
from tests.conftest import ROOT

pytestmark = pytest.mark.browser
PAGES = sorted(file.stem for file in (ROOT / "pages").glob("*.py") if file.stem != "workbench")


def statement(days: int = 200) -> bytes:
    """Write seven months of an invented account as a bank would export them."""
    balance, lines = Decimal("400.00"), ["Date,Description,Amount,Balance"]
    for number in range(days):
        day = date(2026, 3, 1) + timedelta(days=number)
        for text, amount, due in (
            ("SALARY ACME LTD", "2100.00", day.day == 1),
            ("STANDING ORDER RENT", "-900.00", day.day == 3),
            ("CARD PAYMENT GROCER", "-52.40", number % 3 == 0),
            ("RETURNED DIRECT DEBIT FEE", "-12.00", day.day == 28),
        ):
            if due:
                balance += Decimal(amount)
                lines.append(f"{day:%d/%m/%Y},{text},{amount},{balance}")
    return "\n".join(lines).encode() + b"\n"


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_from_its_address(visit: Visitor, name: str) -> None:
    visit.open(name)
    playwright.expect(visit.page.get_by_test_id("stHeading").first).to_be_visible(timeout=WAIT)
    playwright.expect(visit.page.get_by_test_id("stSidebarNav")).to_be_visible()
    visit.is_content()


def test_a_case_opens_from_its_address_in_the_dark(visit: Visitor) -> None:
    visit.page.emulate_media(color_scheme="dark")
    visit.open("score?applicant=A000001")
    visit.sees("How the score came about")
    visit.is_content()


def test_from_statement_to_verdict_to_retraining(visit: Visitor) -> None:
    page = visit.page
    visit.open("statements")
    page.get_by_role("textbox", name="Applicant").fill("NEW-1")
    page.keyboard.press("Enter")
    visit.settle()
    files = page.get_by_test_id("stFileUploader").locator("input[type=file]")
    files.set_input_files({"name": "new-1.csv", "mimeType": "text/csv", "buffer": statement()})
    visit.sees("adds up")
    visit.button("Save 1 file")
    visit.sees("new transactions stored")
    playwright.expect(page.get_by_role("button", name="Save 1 file")).to_have_count(0)  # the box is empty for the next file

    visit.open("score?applicant=NEW-1")
    visit.sees("Not scored yet")
    visit.button("Score now")
    visit.sees("How the score came about")
    assert "prediction=" in page.url
    # The first bar is the reference, the second the largest part: clicking it names its figure in the address.
    page.locator("[class*='st-key-waterfall'] .point path").nth(1).click(force=True)
    playwright.expect(page).to_have_url(re.compile("feature="), timeout=WAIT)
    visit.settle()
    visit.is_content()

    page.get_by_text("Judge this prediction").click()
    visit.button("Judge this case")
    page.keyboard.press("2")
    visit.sees("What would be right")
    page.get_by_role("textbox", name="Comment").fill("The rent is shared.")
    page.get_by_role("button", name="Record verdict").click()
    visit.sees("recorded")
    visit.sees("The rent is shared.")

    visit.button("Retrain")
    page.get_by_role("dialog").get_by_role("button", name="Start training").click()
    visit.sees("is done", within=90_000)
    page.get_by_text("See the leaderboard").click()
    visit.sees("leads in agreement with the proxy label")
    visit.is_content()


def test_a_whole_case_from_statements_to_its_record(visit: Visitor) -> None:
    page = visit.page
    visit.open("statements")
    page.get_by_role("textbox", name="Applicant").fill("NEW-9")
    page.keyboard.press("Enter")
    visit.settle()
    files = page.get_by_test_id("stFileUploader").locator("input[type=file]")
    files.set_input_files({"name": "new-9.csv", "mimeType": "text/csv", "buffer": statement(220)})
    visit.sees("adds up")
    visit.button("Save 1 file")
    visit.sees("new transactions stored")

    visit.open("score?applicant=NEW-9")
    visit.button("Score now")
    visit.sees("How the score came about")
    visit.sees("Nobody has decided yet")
    case = page.url.removeprefix(f"{visit.url}/")
    visit.open(f"{case}&feature=income_monthly_median_180d")  # the evidence
    visit.sees("The transactions behind a figure")
    playwright.expect(page.locator("[class*='st-key-evidence-income'] [data-testid=stDataFrame]").first).to_be_visible(timeout=WAIT)
    visit.is_content()

    visit.open(f"{case}&view=whatif")
    visit.sees("What would reach the next band")
    box = page.get_by_role("spinbutton", name=re.compile("Current balance|Average balance")).first
    box.fill("9000")
    box.press("Enter")
    page.wait_for_timeout(500)
    visit.settle()
    playwright.expect(page.get_by_text("Nothing is kept")).to_have_count(0, timeout=WAIT)
    playwright.expect(page.locator("[class*='st-key-moved-']").first).to_be_visible(timeout=WAIT)
    visit.is_content()
    for view in ("month", "similar", "history"):
        visit.open(f"{case}&view={view}")
        visit.is_content()

    visit.open(case)
    page.get_by_role("button", name=re.compile("^(Override|Decide yourself)$")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Approve", exact=True).or_(dialog.get_by_text("you decline")).first.click()
    dialog.get_by_role("button", name=re.compile("as analyst")).click()
    visit.sees("needs a comment of at least 10 characters")
    dialog.get_by_role("textbox", name="Why (for the record)").fill("The employer confirmed it in writing")
    dialog.get_by_role("textbox", name="Your reasons, one a line").fill("The contract of employment ends in March")
    page.keyboard.press("Control+Enter")
    visit.settle()
    dialog.get_by_role("button", name=re.compile("as analyst")).click()
    visit.sees("on their own judgement")
    with page.expect_download() as fetched:
        page.get_by_role("button", name="Record (HTML)").click()
    record = fetched.value.path().read_text(encoding="utf-8")
    for fact in ("NEW-9", "The contract of employment ends in March", "the same score", "analyst"):
        assert fact in record
    with page.expect_download() as fetched:
        page.get_by_role("button", name="Record (PDF)").click()
    assert fetched.value.path().read_bytes().startswith(b"%PDF")
    visit.is_content()


def test_an_application_and_a_label_set_are_made_in_dialogs(visit: Visitor) -> None:
    page = visit.page
    visit.open("applicants")
    visit.button("New application")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Record application").click()
    visit.sees("An application needs the id of its applicant.")
    dialog.get_by_role("textbox", name="Applicant id").fill("NEW-2")
    dialog.get_by_role("textbox", name="Name").fill("Ann *Example*")
    dialog.get_by_role("button", name="Record application").click()
    visit.sees("NEW-2 · Ann *Example*")
    visit.is_content()

    visit.open("labels")
    visit.button("New label set")
    page.get_by_role("dialog").get_by_role("button", name="Make the label set").click()
    playwright.expect(page).to_have_url(re.compile(r"labels=L000[2-9]"), timeout=WAIT)
    visit.sees("quality checks passed")
    visit.is_content()


def test_a_category_is_changed_and_the_score_follows(visit: Visitor) -> None:
    page = visit.page
    visit.open("statements")
    page.get_by_role("textbox", name="Applicant").fill("NEW-3")
    page.keyboard.press("Enter")
    visit.settle()
    files = page.get_by_test_id("stFileUploader").locator("input[type=file]")
    content = statement().replace(b"CARD PAYMENT GROCER", b"CARD PAYMENT ZZYZX")
    files.set_input_files({"name": "new-3.csv", "mimeType": "text/csv", "buffer": content})
    visit.sees("adds up")
    visit.button("Save 1 file")
    visit.sees("new transactions stored")
    stored = page.url
    visit.open("score?applicant=NEW-3")
    visit.button("Score now")
    visit.sees("How the score came about")
    first = page.url

    visit.open(stored.removeprefix(f"{visit.url}/"))
    page.get_by_text("Not categorised only").click()
    page.wait_for_timeout(500)
    visit.settle()
    table = page.locator("[class*='st-key-lines-'] [data-testid=stDataFrame]").last
    table.scroll_into_view_if_needed()
    table.click(position={"x": 18, "y": 50})  # the box before the first row
    playwright.expect(page).to_have_url(re.compile("movement="), timeout=WAIT)
    visit.settle()
    visit.button("Change category")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox").click()
    page.keyboard.type("Gambling")
    page.keyboard.press("Enter")
    playwright.expect(dialog.get_by_text("1 movement of 1 applicant")).to_be_visible(timeout=WAIT)
    dialog.get_by_text("All of ZZYZX").click()
    playwright.expect(dialog.get_by_text("67 movements")).to_be_visible(timeout=WAIT)
    playwright.expect(dialog.get_by_text("Gambling against income").first).to_be_visible(timeout=WAIT)
    dialog.get_by_role("textbox", name="Reason").fill("It is a casino.")
    page.keyboard.press("Enter")
    visit.settle()
    dialog.get_by_role("button", name="Save as analyst").click()
    visit.sees("67 movements of 1 applicant are now")
    visit.is_content()
    visit.button("Score NEW-3 now")
    visit.sees("How the score came about")
    assert "prediction=" in page.url
    assert page.url != first
    visit.open(f"{page.url.removeprefix(visit.url + '/')}&feature=gambling_to_income_90d")
    visit.sees("Gambling against income")
    visit.is_content()


def many(n: int) -> bytes:
    """A file of applicants of whom most is unknown, three of them with a value that cannot be."""
    heading = ["applicant_id", *(feature.name for feature in built_in() if not feature.formula)]
    days, nights = heading.index("observed_days"), heading.index("days_negative_90d")
    lines = [",".join(heading)]
    for number in range(1, n + 1):
        cells = [f"F{number:06d}"] + [""] * (len(heading) - 1)
        cells[days], cells[nights] = str(90 + number % 270), str(number % 91)
        if number in (7, 20_000, n):
            cells[nights] = "91"
        lines.append(",".join(cells))
    return "\n".join(lines).encode()


def test_fifty_thousand_are_scored_three_are_set_aside_and_the_pages_answer_meanwhile(visit: Visitor, tmp_path: Path) -> None:
    page = visit.page
    file = tmp_path / "many.csv"
    file.write_bytes(many(50_000))
    visit.open("batch")
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(file)
    visit.sees("1 row of them will be set aside")
    page.get_by_role("button", name="Score this file").click()
    playwright.expect(page).to_have_url(re.compile("batch=B"), timeout=WAIT)
    batch = page.url.partition("batch=")[2]
    began = time.monotonic()
    for path in ("overview", "score?applicant=A000001"):
        visit.open(path)
        visit.is_content()
    took = time.monotonic() - began
    assert took < 20, f"two pages took {took:.0f} s while a batch was scored"
    visit.open(f"batch?batch={batch}")
    visit.sees("49,997 scored, 3 set aside", within=120_000)
    visit.settle()
    visit.open(f"batch?batch={batch}&row=8")
    visit.sees("What counts against")
    visit.sees("Rows set aside")
    with page.expect_download(timeout=2 * WAIT) as taken:
        page.get_by_role("button", name="CSV", exact=True).click()
    scores = Path(taken.value.path()).read_text().splitlines()
    assert len(scores) == 49_998
    with page.expect_download(timeout=2 * WAIT) as taken:
        page.get_by_role("button", name="The rows set aside").click()
    assert [line.partition(",")[0] for line in Path(taken.value.path()).read_text("utf-8-sig").splitlines()[1:]] == ["7", "20000", "50000"]
    visit.is_content()


def test_a_broken_file_is_refused_in_a_sentence(visit: Visitor) -> None:
    visit.open("statements")
    files = visit.page.get_by_test_id("stFileUploader").locator("input[type=file]")
    content = b"Date,Description,Amount\n13/03/2026,Shop,-4.00\n31/02/2026,Shop,-4.00\n"
    files.set_input_files({"name": "broken.csv", "mimeType": "text/csv", "buffer": content})
    visit.sees("rejected")
    visit.sees("31/02/2026")
    visit.sees("Nothing can be stored")
    visit.is_content()


def test_an_ambiguous_file_is_answered_remembered_and_stored_and_the_next_is_not_asked_about(visit: Visitor) -> None:
    page = visit.page
    rows = "Date,Details,Amount\n03/04/2024,Rent,-900.00\n05/06/2024,Pay,2500.00\n04/05/2024,Shop,-20.00\n"
    visit.open("statements")
    files = page.get_by_test_id("stFileUploader").locator("input[type=file]")
    files.set_input_files({"name": "april.csv", "mimeType": "text/csv", "buffer": rows.encode()})
    visit.sees("In which order do day and month stand?")
    visit.sees("3 Apr 2024")
    visit.sees("4 Mar 2024")
    visit.is_content()
    page.get_by_role("button", name="Read it this way").first.click()
    visit.sees("Remember for this bank")
    page.get_by_role("textbox", name="Name of the bank profile").fill("Postbank")
    page.keyboard.press("Tab")
    visit.settle()
    visit.button("Save bank profile")
    visit.sees("Kept as the bank profile")
    visit.button("Save 1 file")
    visit.sees("3 new transactions stored")

    visit.open("statements")
    files.set_input_files({"name": "autumn.csv", "mimeType": "text/csv", "buffer": rows.replace("2024", "2025").encode()})
    visit.sees("knows this file by its headings")
    visit.button("Save 1 file")
    visit.sees("3 new transactions stored")
    visit.is_content()


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_workbench_offers_the_next_step(visit_new: Visitor, name: str) -> None:
    visit_new.open(name)
    main = visit_new.page.get_by_test_id("stMain")
    offered = main.get_by_test_id("stPageLink").or_(main.get_by_test_id("stFileUploader"))
    playwright.expect(offered.first).to_be_visible(timeout=WAIT)
    visit_new.is_content()


def test_two_reviewers_at_once_are_given_two_cases_and_both_verdicts_are_kept(
    visit: Visitor, workbench: str, chromium: "playwright.Browser"
) -> None:
    with chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce") as context:
        visitors = {"rita": visit, "sam": Visitor(context.new_page(), workbench)}
        for name, visitor in visitors.items():
            visitor.open("reviews")
            visitor.page.get_by_role("textbox", name="Acting as").fill(name)
            visitor.page.keyboard.press("Enter")
            visitor.page.wait_for_timeout(300)
            visitor.settle()
        for visitor in visitors.values():  # both before either has been answered
            visitor.page.get_by_role("button", name="Next case").click()
        for visitor in visitors.values():
            playwright.expect(visitor.page).to_have_url(re.compile("prediction="), timeout=WAIT)
            visitor.sees("In your hands")
            visitor.settle()
        cases = {name: visitor.page.url.partition("prediction=")[2] for name, visitor in visitors.items()}
        assert cases["rita"] != cases["sam"]

        visitors["sam"].page.goto(f"{workbench}/reviews?prediction={cases['rita']}")
        visitors["sam"].page.get_by_role("textbox", name="Acting as").fill("sam")
        visitors["sam"].page.keyboard.press("Enter")
        visitors["sam"].sees("rita has this case in hand")

        visit.page.locator("[class*='st-key-say-correct-'] button").click()
        visit.page.wait_for_timeout(300)
        visit.settle()
        visit.page.get_by_role("button", name="Record verdict").click()
        visit.sees("recorded")
        visitors["sam"].page.reload()
        visitors["sam"].page.get_by_role("textbox", name="Acting as").fill("sam")
        visitors["sam"].page.keyboard.press("Enter")
        visitors["sam"].sees("1 verdict on this case")
        visitors["sam"].page.get_by_role("button", name="Judge this case").click()
        visitors["sam"].sees("In your hands")
        visitors["sam"].page.locator("[class*='st-key-say-cannot-judge-'] button").click()
        visitors["sam"].page.wait_for_timeout(300)
        visitors["sam"].settle()
        visitors["sam"].page.get_by_role("button", name="Record verdict").click()
        visitors["sam"].sees("Verdicts on this case")
        said = visitors["sam"].page.get_by_test_id("stMain")
        playwright.expect(said.get_by_text("rita", exact=True).first).to_be_visible(timeout=WAIT)
        playwright.expect(said.get_by_text("sam", exact=True).first).to_be_visible(timeout=WAIT)
    visit.is_content()
