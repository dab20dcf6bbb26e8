"""The training page: simple first, everything else one click away; a run is followed, stopped, looked at and run again."""

from dataclasses import replace

import ui
from creditrisk import jobs, labels, plan, standing, training
from creditrisk.settings import Training
from tests.test_pages import shown, text, visit, written  # noqa: F401


def test_a_run_gets_all_that_was_chosen(written: None) -> None:  # noqa: F811
    page, left_out = visit("training"), ui.store().schema.predictors[2].name
    page.toggle(key="run-feedback").set_value(False)
    page.pills(key="run-algorithms").set_value(["logistic"])
    page.segmented_control(key="run-split").set_value("time")
    page.selectbox(key="run-folds").set_value(3)
    page.selectbox(key="run-balance").set_value("weights")
    page.selectbox(key="run-tuning").set_value("trials")
    page.multiselect(key="run-without").set_value([left_out])
    page.number_input(key="run-seed").set_value(9)
    page.run()
    page.number_input(key="run-trials").set_value(1)
    page.button(key="run-start").click().run()
    assert not page.exception
    store = ui.store()
    (job_id,) = jobs.current(store)["job_id"]
    asked = plan.Config.from_dict(jobs.get(store, job_id)["params"])
    jobs.wait(store, job_id, 240)
    usual = training.defaults(store)
    assert asked == replace(usual, algorithms=("logistic",), split="time", folds=3, balance="weights", tune=1, without=(left_out,), seed=9)


def test_a_past_run_says_what_it_was_asked_for_and_runs_again(written: None) -> None:  # noqa: F811
    store = ui.store()
    config = plan.Config(algorithms=("logistic",), label_set_id=labels.newest(store), folds=2, balance="weights")
    job_id = training.start(store, config, user="ann")
    under_way = visit("training")
    assert "Under way" in text(under_way)
    assert under_way.button(key="page-job-stop")
    jobs.wait(store, job_id, 240)
    page = visit("training", run=job_id)
    assert "by ann" in text(page)
    assert not page.error
    page.button(key=f"again-{job_id}").click().run()
    assert not page.exception
    again = jobs.current(store)["job_id"].iloc[0]
    assert again != job_id
    assert jobs.get(store, again)["params"] == jobs.get(store, job_id)["params"]
    jobs.wait(store, again, 240)
    digests = [standing.leaderboard(store).query("job_id == @name").sort_values("algorithm")["auc"].tolist() for name in (job_id, again)]
    assert digests[0] == digests[1]


def test_the_leaderboard_shows_folds_beside_the_test(shown: None) -> None:  # noqa: F811
    page = visit("training")
    said = text(page)
    assert "cross-validated" in said
    assert not page.error


def test_the_usual_run_needs_no_choice(shown: None) -> None:  # noqa: F811
    page = visit("training")
    assert Training.seed == page.number_input(key="run-seed").value
    assert page.selectbox(key="run-folds").value is None
    assert not page.button(key="run-start").disabled
