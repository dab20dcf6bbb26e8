"""The labels page for somebody who must decide whether to believe labels: every kind of set, two beside each other, a new one."""

import shutil
from collections.abc import Iterator
from functools import wraps
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import ui
from creditrisk import gate, labels, plan, registry, training
from creditrisk.errors import NotAllowed
from tests.test_pages import text, visit, workspace
from ui import lab, labelling

WHY = "so that there is something to look at"


@pytest.fixture(scope="module")
def several(bank: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A workspace with a label set of each kind, by name."""
    folder = tmp_path_factory.mktemp("several")
    shutil.copytree(bank, folder, dirs_exist_ok=True)
    with workspace(folder):
        store = ui.store()
        made = {
            "foresee": labels.newest(store) or "",
            "circular": labels.kmeans(store, user="ana", k=3, risky=[1, 2], reason=WHY).label_set_id,
            "rfm": labels.rfm(store, user="ana", performance_days=90, k=2, reason=WHY).label_set_id,
            "observed": labels.observed(store, user="ana").label_set_id,
        }
        made["combined"] = labels.combine(store, [made["foresee"], made["observed"]], user="ana").label_set_id
        yield made


@pytest.fixture
def own(bank: Path, tmp_path: Path) -> Iterator[None]:
    """A filled workspace of one's own, to change."""
    shutil.copytree(bank, tmp_path, dirs_exist_ok=True)
    with workspace(tmp_path):
        yield


def sections(page: AppTest) -> set[str]:
    return {heading.value for heading in page.subheader}


def said(page: AppTest) -> str:
    return "\n".join(box.value for box in [*page.error, *page.success, *page.warning])


# --- what a set is worth -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["foresee", "circular", "rfm", "observed", "combined"])
def test_every_kind_of_set_is_told_from_verdict_to_outcomes(several: dict[str, str], kind: str) -> None:
    found = labels.get(ui.store(), several[kind])
    page = visit("labels", labels=several[kind])
    verdict = "They can be worked with" if found.passed else "Not to be relied on"
    assert verdict in said(page)
    assert {"What they rest on", "Where applicants lie", "Whom the label marks", "Against what really happened"} <= sections(page)
    assert ("How many clusters" in sections(page)) == (found.k is not None)
    warning = labels.banner(found)
    assert (warning is not None) == found.is_proxy
    assert warning is None or ui.literal(warning) in said(page)


def test_what_fails_is_named_and_said_to_bar_promotion(several: dict[str, str]) -> None:
    failing = next(labels.get(ui.store(), name) for name in several.values() if not labels.get(ui.store(), name).passed)
    (verdict,) = [box.value for box in visit("labels", labels=failing.label_set_id).error if "Not to be relied on" in box.value]
    for each in failing.report["gates"]:
        assert (lab.gate_name(each) in verdict) == (not each["passed"])
    assert "cannot be promoted" in verdict


def test_a_circular_set_raises_the_alarm_with_its_columns(several: dict[str, str]) -> None:
    found = labels.get(ui.store(), several["circular"])
    page = visit("labels", labels=found.label_set_id)
    assert found.circular
    assert f"{len(found.report['shared_columns'])} columns made the label and are predictors too" in text(page)
    assert "Predictors and the label read the same days" in text(page)
    assert any("re-learns the clusters" in box.value for box in page.error), "an alarm, not a remark"


def test_who_chose_and_why_stands_beside_the_scan(several: dict[str, str]) -> None:
    page = visit("labels", labels=several["circular"])
    assert WHY in text(page)
    assert text(page).count("called bad") == 2, "both clusters that were called risky"


def test_a_number_of_clusters_in_the_url_is_answered_and_offered(several: dict[str, str]) -> None:
    page = visit("labels", labels=several["foresee"], k="4")
    assert "**4 clusters:**" in text(page)
    page.button(key="make-k").click().run()
    assert not page.exception
    assert page.selectbox(key="k").value == 4
    assert page.text_area(key="why")
    assert "make-k" not in {button.key for button in visit("labels", labels=several["foresee"], k="ninety").button}


def test_applicants_of_a_cluster_are_offered_to_open(several: dict[str, str]) -> None:
    page = visit("labels", labels=several["foresee"], segment="0")
    frame = next(shown.value for shown in page.dataframe if "kind" in shown.value)
    assert set(frame["kind"]) == {"typical", "border"}
    assert set(frame["segment"]) == {0}
    (error,) = visit("labels", labels=several["foresee"], segment="77").error
    assert "77" in error.value


def test_two_sets_are_held_against_each_other_from_the_url(several: dict[str, str]) -> None:
    page = visit("labels", labels=several["circular"], **{"with": several["observed"]})
    metrics = {metric.label: metric for metric in page.metric}
    seen = labels.compare(ui.store(), several["circular"], several["observed"])
    assert metrics["Labelled by both"].value == ui.count(seen.n_both)
    assert metrics["Cohen’s kappa"].value == ui.plain(seen.kappa, 2)
    assert f"{len(seen.moved)} applicants are labelled differently" in text(page)
    frame = next(shown.value for shown in page.dataframe if "one_segment" in shown.value)
    assert set(frame["one"]) | set(frame["other"]) == {"good", "bad"}


def test_a_set_that_is_not_there_to_compare_with_is_answered_in_a_sentence(several: dict[str, str]) -> None:
    assert any("L9999" in box.value for box in visit("labels", labels=several["observed"], **{"with": "L9999"}).error)


def test_what_was_looked_at_is_not_read_again(several: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    page = visit("labels", labels=several["foresee"], **{"with": several["observed"]})

    for name in ("points", "axes", "by_cohort", "by_group", "compare", "examples"):

        @wraps(getattr(labels, name))
        def refuse(*_given: object) -> None:
            raise AssertionError("read again though nothing was written")

        monkeypatch.setattr(labels, name, refuse)
    assert not page.run().exception


# --- a new one -----------------------------------------------------------------------------------------------------------


def dialog(how: str) -> AppTest:
    page = visit("labels")
    page.button(key="new-labels").click().run()
    page.selectbox(key="how").set_value(how).run()
    assert not page.exception
    return page


def test_a_choice_without_a_reason_is_refused_and_one_with_is_kept(own: None) -> None:
    page = dialog("kmeans")
    page.toggle(key="anew").set_value(False).run()
    page.selectbox(key="k").set_value(2).run()
    page.button(key="make-labels").click().run()
    assert "says why" in page.error[0].value
    page.text_area(key="why").input(WHY)
    page.button(key="make-labels").click().run()
    assert not page.exception
    made = labels.get(ui.store(), labels.newest(ui.store()) or "")
    assert (made.k, made.created_by) == (2, ui.declared().people.default)
    assert WHY in made.report["rule"]
    assert page.query_params["labels"] == made.label_set_id


def test_cohorts_and_a_gap_are_asked_for_only_where_there_are_two_windows(own: None) -> None:
    page = dialog("kmeans")
    assert "cohorts" in {box.key for box in page.selectbox}
    page.number_input(key="gap").set_value(14)
    page.selectbox(key="cohorts").set_value(180)
    page.toggle(key="anew").set_value(False)
    page.button(key="make-labels").click().run()
    assert not page.exception
    made = labels.get(ui.store(), labels.newest(ui.store()) or "").report
    assert made["gap_days"] == 14
    assert all(cohort["as_of"] for cohort in made["cohorts"])
    page = dialog("kmeans")
    page.selectbox(key="days").set_value(0).run()
    assert "cohorts" not in {box.key for box in page.selectbox}
    assert page.number_input(key="gap").disabled


@pytest.mark.parametrize("how", ["rfm", "observed"])
def test_other_kinds_are_made_from_the_dialog(own: None, how: str) -> None:
    before = labels.newest(ui.store())
    page = dialog(how)
    page.button(key="make-labels").click().run()
    assert not page.exception
    made = labels.get(ui.store(), labels.newest(ui.store()) or "")
    assert made.label_set_id != before
    assert made.method == how


def test_accepted_verdicts_make_a_set_that_says_how_few_they_are(own: None) -> None:
    page = dialog("reviewed")
    page.button(key="make-labels").click().run()
    assert "review" in set(labels.sets(ui.store())["source"])
    assert "Enough outcomes are recorded" in page.error[0].value


def test_a_combination_takes_two_sets(own: None) -> None:
    observed = labels.observed(ui.store(), user="ana").label_set_id
    page = dialog("combined")
    assert page.button(key="make-labels").disabled
    page.multiselect(key="sets").set_value(["L0001", observed]).run()
    page.button(key="make-labels").click().run()
    assert not page.exception
    assert labels.get(ui.store(), labels.newest(ui.store()) or "").report["sets"] == ["L0001", observed]


# --- what follows from it --------------------------------------------------------------------------------------------------


def test_a_model_of_labels_that_fail_can_be_opened_but_not_promoted(own: None) -> None:
    store = ui.store()
    failing = labels.kmeans(store, user="ana", k=2, risky=[0], reason="the safest are called bad, which is nonsense")
    assert not failing.passed
    config = plan.Config(**{**training.defaults(store).__dict__, "label_set_id": failing.label_set_id, "algorithms": ("logistic",)})
    model_id = next(name for name in training.train(store, config, user="ana") if registry.get(store, name)["algorithm"] == "logistic")
    page = visit("models", model=model_id, view="promotion")
    assert any("can be studied, not promoted" in box.value for box in page.error)
    assert page.button(key="promote").disabled
    with pytest.raises(NotAllowed, match="studied, not promoted"):
        gate.promote(store, model_id, user="ana", reason="it looks superb")


@pytest.mark.parametrize("name", ["score", "applicants", "reviews", "models", "training", "overview"])
def test_every_page_that_shows_a_proxy_score_says_so(several: dict[str, str], name: str) -> None:
    params = {"labels": several["foresee"]} if name == "training" else {}
    if name == "score":
        params = {"applicant": str(ui.store().value("select min(applicant_id) from prediction"))}
    page = visit(name, **params)
    assert any("proxy" in box.value for box in [*page.warning, *page.error])


def test_a_cluster_is_named_by_its_place() -> None:
    assert [labelling.name_of(segment, 3) for segment in range(3)] == ["Cluster 1 (safest)", "Cluster 2", "Cluster 3 (riskiest)"]
