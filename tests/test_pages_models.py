"""The registry's page: figures move together, every test row is explained, the judgement comes before the reason, one step goes back."""

import pytest
from streamlit.testing.v1 import AppTest

import ui
from creditrisk import album, gate, plan, registry, standing
from creditrisk.__main__ import main
from creditrisk.store import now
from tests.test_pages import shown, text, visit, written  # noqa: F401
from ui import model as one


def champion() -> str:
    held = registry.champion(ui.store())
    assert held is not None
    return str(held["model_id"])


def challenger() -> str:
    """A model that is no baseline and does not score."""
    board = standing.leaderboard(ui.store())
    return str(board[(board["status"] == "candidate") & ~board["algorithm"].isin(plan.BASELINES)]["model_id"].iloc[0])


def figures(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


@pytest.mark.parametrize("view", list(one.VIEWS))
def test_every_view_of_a_model_opens_from_its_url(shown: None, view: str) -> None:  # noqa: F811
    for model_id in (champion(), challenger()):
        page = visit("models", model=model_id, view=view)
        assert not page.error
        assert page.segmented_control(key=f"view-view-{view}").value == view


def test_a_baseline_has_every_view_too(shown: None) -> None:  # noqa: F811
    board = standing.leaderboard(ui.store())
    for model_id in board[board["algorithm"].isin(plan.BASELINES)]["model_id"]:
        for view in one.VIEWS:
            page = visit("models", model=str(model_id), view=view)
            assert [error.value for error in page.error if "is a baseline" not in error.value] == []


def test_a_cut_off_moves_every_figure_together_and_is_told_on_test_rows(shown: None) -> None:  # noqa: F811
    model_id = champion()
    tables = standing.consequences(ui.store(), model_id)
    page = visit("models", model=model_id, view="cutoff")
    page.segmented_control(key=f"rule-{model_id}").set_value("hand").run()
    for place in (10, 60):
        page.select_slider(key=f"cutoff-{model_id}").set_value(place).run()
        assert not page.exception
        told, row = figures(page), tables["test"].iloc[place]
        assert told["Approved"] == ui.percent(row["share_approved"])
        assert told["Bad among them"] == ui.percent(row["bad_among_approved"])
        assert told["Bad declined"] == ui.percent(row["recall"])
        assert told["Earned per 100"] == ui.plain(100 * row["profit_each"], 2)


def test_a_cut_off_is_found_by_the_share_of_the_bad_to_catch(shown: None) -> None:  # noqa: F811
    model_id = champion()
    page = visit("models", model=model_id, view="cutoff")
    page.segmented_control(key=f"rule-{model_id}").set_value("recall").run()
    page.slider(key=f"recall-{model_id}").set_value(50).run()
    line = next(line for line in standing.cutoffs_of(ui.store(), model_id, recall=0.5) if line["rule"] == "recall")
    assert figures(page)["Declined from"] == ui.percent(line["cutoff"])
    assert figures(page)["Bad declined"] == ui.percent(line["test"]["recall"])


def test_any_test_row_is_explained_and_a_feature_asked_about(shown: None) -> None:  # noqa: F811
    model_id = champion()
    found = album.kept(ui.store(), model_id)
    who, name = str(found.scored["applicant_id"].iloc[5]), found.features[2].name
    page = visit("models", model=model_id, view="explained", row=who, feature=name)
    assert not page.error
    assert f"**{ui.literal(who)}**" in text(page)
    assert ui.percent(found.scored["pd"].iloc[5]).replace(" %", "\u00a0%") in text(page).replace(" %", "\u00a0%")
    before = len(page.main.get("plotly_chart"))
    page.toggle(key=f"partial-{model_id}").set_value(True).run()
    assert not page.exception
    assert len(page.main.get("plotly_chart")) == before + 1
    (error,) = visit("models", model=model_id, view="explained", row="nobody-99").error
    assert "nobody-99" in error.value.replace("\\", "")


def test_a_test_applicant_whose_case_somebody_reads_blind_is_not_explained_to_them(written: None) -> None:  # noqa: F811
    held = ui.store()
    who = str(album.kept(held, champion()).scored["applicant_id"].iloc[5])
    prediction = held.value("select prediction_id from prediction_current where applicant_id = $id", id=who)
    with held.write(str(ui.user()), "claim", prediction) as cursor:
        cursor.execute(
            """insert into claim (prediction_id, slot, probability, is_blind, claimed_at, expires_at, claimed_by)
            values ($id, 'random', 1, true, $at, $at + interval 1 hour, $user)""",
            {"id": prediction, "at": now(), "user": str(ui.user())},
        )
    page = visit("models", model=champion(), view="explained", row=who)
    assert "to be read blind" in page.error[0].value
    assert not [chart for chart in page.get("plotly_chart") if f"{who}<br>" in str(chart) or f'"{who}"' in str(chart)]


def test_a_challenger_that_is_not_surely_as_good_cannot_be_promoted_and_reads_why(shown: None) -> None:  # noqa: F811
    model_id = challenger()
    judged = gate.judge(ui.store(), model_id)
    assert not judged.passed
    page = visit("models", model=model_id, view="promotion")
    met = sum(each["passed"] for each in judged.gates)
    assert f"{met} of {len(judged.gates)} conditions are met" in "\n".join(heading.value for heading in page.subheader)
    assert page.button(key="promote").disabled
    assert page.text_area(key=f"reason-{model_id}").disabled
    assert f"{model_id} may not take the champion’s place" in text(page)
    assert len(page.main.get("plotly_chart")) == 2  # the standings, and who would change sides


def test_a_first_champion_needs_a_reason_and_is_held_against_nothing(written: None) -> None:  # noqa: F811
    store, model_id = ui.store(), challenger()
    registry.retire(store, champion(), user="ann", reason="no longer trusted")
    page = visit("models", model=model_id, view="promotion")
    assert "held against nothing" in text(page)
    page.button(key="promote").click().run()
    assert "reason" in page.error[0].value
    page.text_area(key=f"reason-{model_id}").input("ranks observed outcomes better")
    page.button(key="promote").click().run()
    assert champion() == model_id


def test_whoever_trained_a_model_reads_that_somebody_else_promotes_it(written: None) -> None:  # noqa: F811
    store, model_id = ui.store(), challenger()
    registry.retire(store, champion(), user="vera", reason="no longer trusted")
    page = visit("models", model=model_id, view="promotion")
    assert not page.button(key="promote").disabled
    page.text_input(key="acting_as").set_value("demo").run()
    assert page.button(key="promote").disabled
    assert "vera works here too" in text(page)


def test_one_step_brings_the_former_champion_back(written: None) -> None:  # noqa: F811
    store, first, second = ui.store(), champion(), challenger()
    registry.promote(store, second, user="ann", reason="a try")
    page = visit("models")
    page.button(key="rollback").click().run()
    assert "needs a reason" in page.error[0].value
    page.text_area(key=f"back-{first}").input("complaints about reasons")
    page.button(key="rollback").click().run()
    assert not page.exception
    assert champion() == first
    assert registry.events(store)["reason"].iloc[0] == "complaints about reasons"


def test_what_was_altered_is_named_and_the_rest_of_the_page_stands(written: None) -> None:  # noqa: F811
    store, model_id = ui.store(), challenger()
    (store.models / model_id / registry.ARTEFACT).write_bytes(b"other bytes")
    for view in ("promotion", "compare"):
        (error,) = visit("models", model=model_id, view=view).error
        assert "pipeline.joblib" in error.value.replace("\\", "")
    assert not visit("models", model=model_id, view="figures").error
    (store.models / model_id / "contributions.parquet").write_bytes(b"PAR1 cut off")
    one._kept.clear()  # what was read whole before stays right; it is read again after a restart
    (error,) = visit("models", model=model_id, view="explained").error
    assert "is not the table that was kept" in error.value.replace("\\", "")


def test_two_models_are_compared_on_the_command_line(bank: object, written: None, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    held = ui.store().settings
    first, second = champion(), challenger()
    ui.opened().close()
    assert main(["compare", second, first, "--data", str(held.data), "--models", str(held.models)]) == 0
    said = capsys.readouterr().out
    assert "would change sides with" in said
    assert "95 % interval" in said
    assert main(["compare", first, first, "--data", str(held.data), "--models", str(held.models)]) == 2
    assert "not with itself" in capsys.readouterr().err
