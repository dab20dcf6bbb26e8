"""The pages of the review loop without a browser: a case in hand, read blind, read twice, inspected by somebody else, frozen."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import ui
from creditrisk import inspections, labels, reviews, scoring
from creditrisk.settings import Reviews
from tests.test_pages import text, visit, workspace
from ui import case


@pytest.fixture
def desk(bank: Path, tmp_path: Path) -> Iterator[None]:
    """A filled workspace of one's own, to change."""
    shutil.copytree(bank, tmp_path, dirs_exist_ok=True)
    with workspace(tmp_path):
        yield


def acting(page: AppTest, name: str) -> AppTest:
    page.sidebar.text_input(key="acting_as").input(name).run()
    assert not page.exception
    return page


def waiting() -> str:
    return str(reviews.queue(ui.store())["prediction_id"].iloc[0])


def everything(page: AppTest) -> str:
    words = [element.value for kind in (page.markdown, page.caption, page.subheader, page.info) for element in kind]
    return "\n".join(words)


def test_the_next_case_is_taken_judged_and_told_as_a_story(desk: None) -> None:
    ui.store().settings = replace(ui.store().settings, reviews=Reviews(blind=0.0))
    page = acting(visit("reviews"), "rita")
    page.button(key="next").click().run()
    taken = reviews.held(ui.store(), "rita")
    assert taken is not None
    assert page.query_params["prediction"] == taken.prediction_id
    assert "In your hands" in text(page)
    assert "\\\\" not in "".join(link.proto.label for link in page.get("page_link")), "what is escaped twice shows its escapes"
    assert "yours for 30 more minutes" in text(page)
    page.button(key=f"say-incorrect-{taken.prediction_id}").click().run()
    page.button(key="record").click().run()
    assert "needs a comment" in page.error[0].value
    page.selectbox(key=f"about-{taken.prediction_id}").set_value("band").run()
    assert page.button_group(key=f"right-band-{taken.prediction_id}").options == [*map(ui.sentence, reviews.RIGHT["band"])]
    page.text_area(key=f"comment-{taken.prediction_id}").input("the salary is missing").run()
    page.button(key="record").click().run()
    assert not page.error
    kept = reviews.history(ui.store(), taken.prediction_id).iloc[0]
    assert (kept["reviewed_by"], kept["verdict"], kept["about"], kept["claim_id"]) == ("rita", "incorrect", "band", taken.claim_id)
    assert kept["seconds"] > 0
    assert "called the band" not in text(page), "nobody is asked for the story before somebody opens it"
    page.session_state["story"] = True
    assert ui.literal("called the band incorrect: “the salary is missing”") in text(page.run())
    assert reviews.held(ui.store(), "rita") is None


def test_a_case_read_blind_shows_no_score_before_the_verdict_and_then_reveals_it(desk: None) -> None:
    ui.store().settings = replace(ui.store().settings, reviews=Reviews(blind=1.0, twice=0.0))
    page = acting(visit("reviews"), "rita")
    page.button(key="next").click().run()
    taken = reviews.held(ui.store(), "rita")
    assert taken is not None
    prediction = scoring.get(ui.store(), taken.prediction_id)
    hidden = [f"{int(prediction.score)} points", f"{ui.risk_word(prediction.is_proxy)} {ui.percent(prediction.pd)}"]
    hidden += [ui.badge(prediction.recommendation, case.ADVICE_COLOURS), *(ui.literal(reason["text"]) for reason in prediction.reasons)]
    assert "read blind" in text(page)
    shown = everything(page) + "".join(str(element) for element in page.get("page_link"))
    assert not [word for word in hidden if word in shown]
    assert not [frame for frame in page.dataframe if {"score", "band", "pd", "recommendation"} & set(frame.value)]
    score = AppTest.from_file(page._script_path, default_timeout=60)
    score.session_state["acting_as"] = "rita"
    score.switch_page(str(ui.HERE / "pages" / "score.py"))
    score.query_params["prediction"] = taken.prediction_id
    score.run()
    assert "You are reading this case blind" in text(score)
    assert not score.metric
    page.button(key=f"say-correct-{taken.prediction_id}").click().run()
    page.button(key="record").click().run()
    assert hidden[0] in everything(page)
    assert reviews.history(ui.store(), taken.prediction_id)["is_blind"].tolist() == [True]


def test_no_other_page_tells_the_score_of_a_case_read_blind(desk: None) -> None:
    ui.store().settings = replace(ui.store().settings, reviews=Reviews(blind=1.0, twice=0.0))
    taken = reviews.claim(ui.store(), user="rita")
    assert taken is not None
    prediction = scoring.get(ui.store(), taken.prediction_id)
    for name, holds in (("rita", True), ("sam", False)):
        page = AppTest.from_file(str(ui.HERE / "pages" / "workbench.py"), default_timeout=60)
        page.session_state["acting_as"] = name
        page.run().switch_page(str(ui.HERE / "pages" / "applicants.py")).run()
        (people,) = (frame.value for frame in page.dataframe if "band" in frame.value)
        told = people.set_index("applicant_id").loc[prediction.applicant_id, ["score", "band", "recommendation", "pd"]]
        assert told.isna().all() if holds else told.notna().all()
        assert people["score"].isna().sum() == (1 if holds else 0)
        for place in ("inspection", "reviews", "score"):
            page.query_params["prediction"] = taken.prediction_id
            page.switch_page(str(ui.HERE / "pages" / f"{place}.py")).run()
            assert not page.exception
            shown = everything(page) + "".join(str(element) for element in page.get("plotly_chart"))
            assert not (holds and f"{int(prediction.score)} points" in shown), place
            assert not (holds and any(ui.literal(reason["text"]) in shown for reason in prediction.reasons)), place


def test_a_case_in_other_hands_is_looked_at_and_not_judged(desk: None) -> None:
    name = waiting()
    reviews.claim(ui.store(), user="sam", prediction_id=name)
    page = acting(visit("reviews", prediction=name), "rita")
    assert "sam has this case in hand" in page.info[0].value
    assert not [button for button in page.button if button.key in ("take", "record")]


def test_a_second_reader_sees_the_first_verdict_after_their_own(desk: None) -> None:
    name = waiting()
    reviews.add(ui.store(), name, "incorrect", "label", "a secret of the first reader", user="sam")
    page = acting(visit("reviews", prediction=name), "rita")
    assert "1 verdict on this case" in everything(page)
    page.button(key="take").click().run()
    assert "a secret of the first reader" not in everything(page)
    assert not [frame for frame in page.dataframe if "a secret of the first reader" in frame.value.to_string()]
    page.button(key=f"say-correct-{name}").click().run()
    page.button(key="record").click().run()
    assert "a secret of the first reader" in everything(page)


@pytest.mark.parametrize("key", ["skip", "release"])
def test_a_case_is_let_go_of(desk: None, key: str) -> None:
    page = acting(visit("reviews"), "rita")
    page.button(key="next").click().run()
    page.button(key=key).click().run()
    assert not page.error
    assert reviews.held(ui.store(), "rita") is None
    assert reviews.today(ui.store(), "rita")["n_skipped"] == (key == "skip")


def test_what_one_may_not_inspect_is_said_and_cannot_be_ticked(desk: None) -> None:
    reviews.add(ui.store(), waiting(), "correct", "label", "", user="rita")
    n = len(inspections.waiting(ui.store(), "rita"))
    page = acting(visit("inspection"), "rita")
    assert "Nobody inspects their own verdict" in text(page)
    assert len(next(frame.value for frame in page.dataframe if "beware" in frame.value)) < n
    assert page.button(key="end-accepted").disabled
    other = acting(visit("inspection"), "tom")
    assert "Nobody inspects their own verdict" not in text(other)
    assert other.metric[1].value == str(int(inspections.waiting(ui.store(), "tom")["is_conflict"].sum()))


def test_a_case_being_inspected_shows_all_its_verdicts_and_its_story(desk: None) -> None:
    name = waiting()
    reviews.add(ui.store(), name, "correct", "label", "", user="rita")
    reviews.add(ui.store(), name, "incorrect", "label", "the rent is shared", user="sam")
    page = acting(visit("inspection", prediction=name), "tom")
    assert not page.error
    assert text(page).count("contradicts another") == 2
    assert "the rent is shared" in text(page)
    assert "What happened to this case" in text(page)


def test_accepted_verdicts_are_frozen_together_with_a_proxy_set(desk: None) -> None:
    name = waiting()
    made = reviews.add(ui.store(), name, "incorrect", "label", "missed two payments", user="rita", corrected="bad")
    inspections.decide(ui.store(), [made], "accepted", "the returned items are there", user="sam")
    page = visit("inspection")
    page.selectbox(key="beside").set_value("L0001").run()
    page.slider(key="proxy-mass").set_value(25).run()
    page.button(key="freeze").click().run()
    assert not page.exception
    frozen = labels.get(ui.store(), labels.newest(ui.store()) or "")
    assert (frozen.source, frozen.report["proxy_mass"]) == ("combined", 25.0)
    assert frozen.report["by_source"]["review"] > 0
