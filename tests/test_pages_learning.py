"""What feedback changed, on its page: a hint proposes, a person starts; a challenger stands beside the champion and decides nothing."""

from dataclasses import replace

from pandas import DataFrame

import ui
from creditrisk import jobs, labels, online, plan, registry, retraining, reviews, shadow, suspects
from tests.test_pages import empty, shown, text, visit, written  # noqa: F401


def test_the_page_says_what_is_missing_where_nothing_was_learned_again(shown: None) -> None:  # noqa: F811
    page = visit("training", view="feedback")
    said = text(page)
    assert "One model follows another once there is a champion and a training after it." in said
    assert "from 30 on another training is proposed" in said
    assert not page.error


def test_a_run_learns_from_feedback_with_the_mass_chosen(written: None) -> None:  # noqa: F811
    page = visit("training")
    assert page.toggle(key="run-feedback").value, "verdicts were accepted, so they are learned from unless somebody says no"
    page.pills(key="run-algorithms").set_value(["logistic"])
    page.slider(key="run-mass").set_value(25)
    page.run()
    foretold = ui.literal(labels.weighing(ui.store(), "L0001", 25).sentence)
    assert foretold in [each.value for each in page.main.caption]
    assert "25 for every 30 verified" in foretold
    page.button(key="run-start").click().run()
    assert not page.exception
    store = ui.store()
    (job_id,) = jobs.current(store)["job_id"]
    jobs.wait(store, job_id, 240)
    config = plan.Config.from_dict(jobs.get(store, job_id)["params"])
    assert (config.proxy_mass, config.label_set_id) == (25.0, "L0002")
    last = retraining.latest(store)
    assert last is not None
    page = visit("training", view="feedback")
    told = "\n".join(each.value for each in page.main.caption)
    assert f"{last[0]} learned from" in told
    assert foretold in told, "what it weighed is what was foretold"
    assert not page.error


def test_a_hint_in_the_sidebar_proposes_and_starts_nothing(written: None) -> None:  # noqa: F811
    store = ui.store()
    assert not visit("overview").sidebar.info
    store.settings = replace(store.settings, training=replace(store.settings.training, propose_after=3))
    with store.write("ann", "features", "something"):
        pass  # what was asked before is asked anew
    (hint,) = visit("overview").sidebar.info
    assert "verdicts accepted since" in hint.value
    assert jobs.active(store) is None


def test_the_online_challenger_learns_when_somebody_says_so(written: None) -> None:  # noqa: F811
    store, page = ui.store(), visit("training", view="feedback")
    n = online.waiting(store)
    assert n > 0
    page.button(key="learn-online").click().run()
    assert not page.exception
    assert len(online.prequential(store)) == n
    assert page.button(key="learn-online").disabled
    assert "weighs most with it" in text(page)
    assert str((registry.champion(store) or {})["model_id"]) in set(registry.models(store)["model_id"])


def test_a_candidate_is_set_beside_the_champion_with_a_reason(written: None) -> None:  # noqa: F811
    store = ui.store()
    champion = str((registry.champion(store) or {})["model_id"])
    models = registry.models(store)
    name = next(row["model_id"] for row in ui.rows(models) if row["algorithm"] in plan.CANDIDATES and row["model_id"] != champion)
    page = visit("models", model=name, view="beside")
    page.button(key="challenge").click().run()
    assert "needs a reason" in page.error[0].value
    page.text_area(key=f"challenge-reason-{name}").set_value("to see what it would do").run()
    page.button(key="challenge").click().run()
    assert not page.exception
    assert registry.get(store, name)["status"] == "challenger"
    assert len(shadow.beside(store, name)) > 0
    assert "Change sides" in "\n".join(each.value for each in page.main.caption)
    assert str((registry.champion(store) or {})["model_id"]) == champion


def test_suspects_are_listed_with_the_way_to_their_case(written: None) -> None:  # noqa: F811
    store = ui.store()
    champion = str((registry.champion(store) or {})["model_id"])
    waiting = reviews.queue(store)["applicant_id"].tolist()
    unknown = [name for name in waiting if not store.rows("select 1 from outcome where applicant_id = $id", id=name)][:2]
    with store.write("ann", "register", "suspects") as cursor:
        cursor.execute("delete from suspect")
        suspects.keep(cursor, champion, DataFrame({"applicant_id": unknown, "bad": True, "pd": 0.02, "doubt": [0.5, 1.5]}))
    page = visit("training", view="feedback")
    shown_rows = [each.value for each in page.main.dataframe if "doubt" in each.value]
    assert shown_rows[0]["applicant_id"].tolist() == unknown[::-1]


def test_an_empty_workspace_says_so(empty: None) -> None:  # noqa: F811
    page = visit("training", view="feedback")
    assert not page.error
    assert "No model has been champion or challenger yet" in text(page)
