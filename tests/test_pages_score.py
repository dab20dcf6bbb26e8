"""The score page without a browser: every view from its URL, a decision in each way, what if at once, thin files and tables."""

import pytest

import ui
from creditrisk import decisions, labels, registry, scoring, training
from creditrisk.decisions import Said
from creditrisk.scoring import Prediction
from tests.test_pages import empty, shown, tabled, text, visit, written  # noqa: F401  (fixtures)

VIEWS = ("why", "month", "whatif", "similar", "history")
COMMENT, REASON = "The employer confirmed it in writing", "The contract of employment ends in March"


def somebody(recommendation: str) -> Prediction:
    """Return a newest prediction with a recommendation."""
    found = ui.store().value(
        "select prediction_id from prediction_current where recommendation = $said order by applicant_id limit 1", said=recommendation
    )
    return scoring.get(ui.store(), found)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("recommendation", ["approve", "decline", "insufficient data"])
def test_every_view_opens_from_its_url_for_everybody(shown: None, view: str, recommendation: str) -> None:  # noqa: F811
    case = somebody(recommendation)
    page = visit("score", applicant=case.applicant_id, view=view)
    assert not page.error
    risk = next(metric for metric in page.metric if metric.label == "Risk (proxy)")
    if recommendation == "insufficient data":
        assert (risk.value, risk.delta) == ("–", "insufficient data")
        assert "accept" not in {button.key for button in page.button}
    else:
        assert risk.value == ui.percent(case.pd)
        assert " to " in risk.delta


def test_a_recommendation_is_accepted_in_the_name_of_who_acts(written: None) -> None:  # noqa: F811
    case = somebody("decline")
    page = visit("score", applicant=case.applicant_id)
    page.sidebar.text_input(key="acting_as").input("Ann").run()
    page.button(key="accept").click().run()
    assert all(ui.literal(reason["text"]).split("(")[0] in text_of(page) for reason in case.reasons)
    page.button(key="decide").click().run()
    assert not page.exception
    made = decisions.current(ui.store(), case.prediction_id)
    assert made is not None
    assert (made.outcome, made.component, made.decided_by) == ("decline", "model", "Ann")
    page = visit("score", applicant=case.applicant_id)
    assert "**Ann** declined, as recommended" in text(page)


def text_of(page) -> str:
    return "\n".join(element.value for element in page.markdown)


def test_an_override_without_a_reason_stays_in_its_dialog(written: None) -> None:  # noqa: F811
    case = somebody("approve")
    page = visit("score", applicant=case.applicant_id)
    page.button(key="override").click().run()
    page.text_area(key="decision-comment").input("short").run()
    page.button(key="decide").click().run()
    assert "at least 10 characters" in page.error[0].value
    assert decisions.current(ui.store(), case.prediction_id) is None
    page.text_area(key="decision-comment").input(COMMENT).run()
    page.text_area(key="own-reasons").input(f"{REASON}\n").run()
    page.button(key="decide").click().run()
    made = decisions.current(ui.store(), case.prediction_id)
    assert made is not None
    assert (made.outcome, made.reasons) == ("decline", [REASON])


def test_a_role_that_may_not_decide_is_told_so(written: None) -> None:  # noqa: F811
    case = somebody("approve")
    page = visit("score", applicant=case.applicant_id)
    page.sidebar.selectbox(key="acting_role").set_value("reviewer").run()
    page.button(key="accept").click().run()
    page.button(key="decide").click().run()
    assert "to decide takes a person with the role analyst or admin" in page.error[0].value
    assert decisions.current(ui.store(), case.prediction_id) is None


def test_asking_and_referring_leave_the_case_open(written: None) -> None:  # noqa: F811
    case = somebody("insufficient data")
    page = visit("score", applicant=case.applicant_id)
    page.button(key="ask").click().run()
    page.text_area(key="asked").input("Half a year of statements\nThe contract of employment").run()
    page.button(key="decide").click().run()
    first = decisions.current(ui.store(), case.prediction_id)
    assert first is not None
    assert first.asked == ["Half a year of statements", "The contract of employment"]
    page = visit("score", applicant=case.applicant_id)
    page.button(key="refer").click().run()
    page.text_area(key="decision-comment").input("Ben knows the family business").run()
    page.button(key="decide").click().run()
    assert [made.outcome for made in decisions.of_case(ui.store(), case.prediction_id)] == ["refer", "ask"]


def test_an_earlier_score_is_past_deciding(written: None) -> None:  # noqa: F811
    case = somebody("approve")
    scoring.score_applicants(ui.store(), [case.applicant_id], user="ann", channel="test")
    page = visit("score", prediction=case.prediction_id, view="history")
    assert "a decision is taken on the newest one" in text(page)
    assert "accept" not in {button.key for button in page.button}


def test_what_if_moves_score_and_parts_at_once_and_keeps_nothing(shown: None) -> None:  # noqa: F811
    case, before = somebody("approve"), ui.store().value("select count(*) from prediction")
    page = visit("score", applicant=case.applicant_id, view="whatif")
    box = next(box for box in page.number_input if box.value is not None and box.max is None and not box.label.endswith("(%)"))
    box.set_value(box.value + 4_000).run()
    assert not page.exception
    if not page.error:  # a contradiction is a sentence, too
        assert page.main.get("plotly_chart")
    assert ui.store().value("select count(*) from prediction") == before


def test_a_contradiction_is_a_sentence(shown: None) -> None:  # noqa: F811
    found = ui.store().value(
        """select prediction_id from prediction_current
        where (inputs->>'nsf_returned_count_365d')::double = 0 and recommendation = 'approve' order by applicant_id limit 1"""
    )
    case = scoring.get(ui.store(), found)
    page = visit("score", prediction=found, view="whatif")
    page.multiselect(key=f"tried-{found}").set_value(["nsf_returned_count_90d"]).run()
    page.number_input(key=f"try-nsf_returned_count_90d-{found}").set_value(3).run()
    assert case.inputs["nsf_returned_count_365d"] == 0
    assert "cannot be more than" in page.error[0].value


def test_a_figure_that_is_only_reported_has_its_transactions_too(shown: None) -> None:  # noqa: F811
    page = visit("score", applicant=somebody("approve").applicant_id, feature="essential_to_income_180d")
    metric = next(metric for metric in page.metric if metric.label.startswith("Essentials"))
    assert metric.delta == "not scored"
    assert len(page.dataframe[0].value)


def test_what_changed_is_told_for_the_second_score(written: None) -> None:  # noqa: F811
    case = somebody("approve")
    other = ui.store().value(
        "select min(model_id) from model where model_id <> $id and algorithm in ('xgboost', 'logistic')", id=case.model_id
    )
    scoring.score_applicants(ui.store(), [case.applicant_id], user="ann", channel="test", model_id=other)
    page = visit("score", applicant=case.applicant_id, view="history")
    assert "the model " in text(page)
    page.toggle[0].set_value(True).run()
    assert not page.exception
    assert any("recommendation" in frame.value and "reason" in frame.value for frame in page.dataframe)


def test_a_decision_of_somebody_else_is_not_overwritten(written: None) -> None:  # noqa: F811
    case = somebody("approve")
    page = visit("score", applicant=case.applicant_id)
    page.button(key="accept").click().run()
    page.text_area(key="decision-comment").input(COMMENT).run()
    decisions.decide(ui.store(), case.prediction_id, Said("refer", comment=COMMENT), user="Ben")
    page.button(key="decide").click().run()
    assert "Ben decided" in page.error[0].value
    assert len(decisions.of_case(ui.store(), case.prediction_id)) == 1


def test_the_case_of_a_lenders_table_is_decided_like_any_other(tabled: None) -> None:  # noqa: F811
    held = ui.store()
    made = labels.observed(held, user="ann").label_set_id
    (model_id, *_) = training.train(held, training.Config(label_set_id=made, algorithms=("logistic",)), user="ann")
    registry.promote(held, model_id, user="ben", reason="the first one")
    (case,) = scoring.score_applicants(held, ["C0003"], user="ann", channel="test")
    for view in VIEWS:
        page = visit("score", applicant="C0003", view=view)
        assert not page.error
    page = visit("score", applicant="C0003")
    page.button(key="refer").click().run()
    page.text_area(key="decision-comment").input(COMMENT).run()
    page.button(key="decide").click().run()
    assert decisions.current(held, case.prediction_id) is not None


def test_the_policy_is_told_with_its_effect_once_it_is_asked_for(shown: None) -> None:  # noqa: F811
    page = visit("score", applicant=somebody("approve").applicant_id)
    assert not any("sentence" in frame.value for frame in page.dataframe)
    page.session_state["policy-open"] = True
    page.run()
    (told,) = [frame.value for frame in page.dataframe if "sentence" in frame.value]
    assert told["n"].max() <= 150
    assert "History" in told["rule"].tolist()
