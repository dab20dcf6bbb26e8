"""The taxonomy and the rules: direction decides, structure comes first, doubt is UNKNOWN."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as run
from hypothesis import strategies as st
from pandas import DataFrame

from creditrisk import categories


def judged(text: str, amount: float = -10, code: str = "") -> tuple[str, float]:
    """Return category and confidence of one movement."""
    frame = DataFrame({"text": [text], "code": [code], "direction": ["out" if amount < 0 else "in"], "amount": [amount]})
    row = categories.classify(frame).iloc[0]
    return row["category"], row["confidence"]


def test_the_taxonomy_is_the_agreed_one(shared: Path) -> None:
    with (shared / "categories.csv").open(encoding="utf-8") as file:
        agreed = {row["code"]: (row["group"], row["direction"]) for row in csv.DictReader(file)}
    known = {code: (kind.group, kind.direction) for code, kind in categories.taxonomy().items()}
    assert known == agreed


def test_every_category_has_a_short_title_of_its_own() -> None:
    titles = [kind.title for kind in categories.taxonomy().values()]
    assert all(0 < len(title) <= 22 for title in titles)
    assert len(set(titles)) == len(titles)


def test_protected_categories_are_marked() -> None:
    marked = {code for code, kind in categories.taxonomy().items() if kind.protected}
    assert marked == {"INC_BENEFITS", "INC_PENSION", "INC_CHILD_SUPPORT", "CHILDCARE", "CHILD_SUPPORT_OUT", "MEDICAL", "DONATION"}


def test_every_rule_names_a_category_and_its_direction() -> None:
    for rule in categories.rules():
        kind = categories.taxonomy()[rule.category]
        assert kind.direction in (rule.direction, "both"), rule.category
        assert 0 < rule.confidence <= 1
    reached = {rule.category for rule in categories.rules()} | {category for table in categories._codes() for category, _ in table.values()}
    assert set(categories.taxonomy()) - reached == {"UNKNOWN"}


@pytest.mark.parametrize(
    ("text", "amount", "category"),
    [
        ("SALARY ACME LTD", 2500, "INC_SALARY"),
        ("Lohn/Gehalt 03/2024", 2500, "INC_SALARY"),
        ("VIR SALAIRE MARS", 2500, "INC_SALARY"),
        ("Nómina marzo", 2500, "INC_SALARY"),
        ("UNIVERSAL CREDIT DWP", 400, "INC_BENEFITS"),
        ("STATE PENSION", 800, "INC_PENSION"),
        ("HMRC TAX REFUND", 300, "INC_TAX_REFUND"),
        ("RENT 14 ELM ROAD", -900, "RENT"),
        ("RENT 14 ELM ROAD", 900, "INC_RENTAL"),
        ("Miete April Musterstr. 5", -900, "RENT"),
        ("RENT-A-CENTER 0123", -60, "DEBT_RENT_TO_OWN"),
        ("QUICKCASH PAYDAY LOAN", 300, "LOAN_IN_PAYDAY"),
        ("QUICKCASH PAYDAY LOAN", -360, "DEBT_PAYDAY"),
        ("LUCKYSTAR CASINO", -50, "GAMBLING"),
        ("LUCKYSTAR CASINO", 120, "GAMBLING_WIN"),
        ("UNPAID ITEM FEE", -25, "FEE_NSF"),
        ("RETURNED DIRECT DEBIT NORTHPOWER", 60, "RETURNED_ITEM"),
        ("OVERDRAFT FEE", -15, "FEE_OVERDRAFT"),
        ("LATE PAYMENT FEE", -12, "FEE_LATE"),
        ("MONTHLY FEE", -5, "FEE_OTHER"),
        ("FRESHFIELD GROCERS 4711 LEEDS GB", -40, "GROCERIES"),
        ("FRESHFIELD GROCERS REFUND", 12, "REFUND"),
        ("FRESHFIELD GROCERS", 12, "REFUND"),
        ("ATM 0412 HIGH ST", -100, "CASH_WITHDRAWAL"),
        ("SQ *CORNER CAFE", -4, "EATING_OUT"),
        ("NORTHPOWER ENERGY", -60, "UTIL_ENERGY"),
        ("TRANSFER TO SAVINGS", -100, "TRF_OWN_OUT"),
        ("COUNCIL TAX", -120, "TAX"),
        ("HOME INSURANCE", -20, "INSURANCE"),
        ("PERSONAL LOAN INSTALMENT", -150, "DEBT_PERSONAL"),
        ("MORTGAGE PAYMENT", -800, "DEBT_MORTGAGE"),
        ("KLARNA", -30, "DEBT_BNPL"),
        ("DEBT COLLECTION AGENCY", -50, "DEBT_COLLECTION"),
        ("NURSERY FEES", -300, "CHILDCARE"),
        ("CITY PHARMACY", -9, "MEDICAL"),
        ("XQZV 8812", -9, "UNKNOWN"),
    ],
)
def test_the_way_the_money_went_belongs_to_the_rule(text: str, amount: float, category: str) -> None:
    assert judged(text, amount)[0] == category


@pytest.mark.parametrize(
    ("code", "amount", "category"),
    [
        ("MCC 5411", -9, "GROCERIES"),
        ("MCC 7995", -9, "GAMBLING"),
        ("MCC 7995", 9, "GAMBLING_WIN"),
        ("MCC 5411", 9, "REFUND"),
        ("ZERO", 0, "NOTICE_ZERO"),
    ],
)
def test_structure_comes_before_words(code: str, amount: float, category: str) -> None:
    assert judged("SALARY CASINO RENT", amount, code)[0] == category


def test_what_nothing_decides_is_unknown_without_confidence() -> None:
    assert judged("zzz") == ("UNKNOWN", 0.0)
    assert judged("") == ("UNKNOWN", 0.0)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("PAYPAL *Spotify 35314369001", "SPOTIFY"),
        ("CARD 1234 TESCO STORES 3297", "TESCO STORES"),
        ("XXXX1234 Café Zürich 12.03.2024 14:55", "CAFE ZURICH"),
        ("REWE SAGT DANKE. 41400673//Hamburg 2018-03-01T11:33:59", "REWE SAGT DANKE"),
        ("Rent REF AB12-99 DE89370400440532013000", "RENT"),
    ],
)
def test_descriptions_are_reduced_to_their_words(text: str, cleaned: str) -> None:
    assert categories.clean(text) == cleaned


@run(deadline=None)
@given(st.text(max_size=40))
def test_cleaning_a_clean_text_changes_nothing_more(text: str) -> None:
    once = categories.clean(text)
    assert categories.clean(once) == categories.clean(categories.clean(once))


@run(deadline=None)
@given(st.lists(st.sampled_from(["SALARY X", "CASINO Y", "rent z", "nothing"]), min_size=1, max_size=10))
def test_a_description_is_judged_alike_alone_and_among_others(texts: list[str]) -> None:
    frame = DataFrame({"text": texts, "code": "", "direction": "out", "amount": -5.0}, index=range(7, 7 + len(texts)))
    together = categories.classify(frame)
    assert together.index.equals(frame.index)
    assert together["category"].tolist() == [judged(text, -5)[0] for text in texts]
