"""Pictures of what feedback changes say what their frames say, and a sentence where there is nothing."""

from datetime import datetime

import numpy as np
import pytest
from pandas import DataFrame

from creditrisk import charts, online, retraining, shadow
from creditrisk.settings import Policy
from tests.test_charts import title

EMPTY = DataFrame()
FACTS = {"n": 0, "n_swapped": 0, "share_swapped": float("nan"), "cutoff": 0.15}


def version(name: str, status: str, **figures: float) -> dict[str, object]:
    whole: dict[str, object] = {"model_id": name, "status": status, "since": datetime(2026, 11, 1), "n": 200, "n_bad": 30, "n_judged": 80}
    whole |= {"n_verdicts": 60, "n_outcomes": 5}
    for figure in ("auc", "brier", "calibration", "share_incorrect"):
        value = figures.get(figure, np.nan)
        whole |= {figure: value, f"{figure}_low": value - 0.02, f"{figure}_high": value + 0.02}
    return whole


@pytest.mark.parametrize(
    "figure",
    [
        charts.changed(EMPTY, 0, 0),
        charts.versions(DataFrame([version("M0001", "champion")]), "auc"),
        charts.prequential(EMPTY),
        charts.shadow(EMPTY, FACTS, "PD"),
    ],
)
def test_nothing_to_draw_is_a_sentence(figure: object) -> None:
    (note,) = figure.layout.annotations  # type: ignore[attr-defined]
    assert note.text.endswith(".")


def test_before_and_after_names_the_finding_and_puts_better_to_the_right() -> None:
    random = np.random.default_rng(1)
    bad = random.random(400) < 0.2
    good_model, coin = np.where(bad, 0.25, 0.1) + 0.3 * random.random(400), random.random(400)
    found = retraining._figures(bad.astype(float), good_model, coin)
    figure = charts.changed(found, 400, int(bad.sum()))
    assert title(figure).startswith("AUC 0.4")
    assert title(figure).endswith("after, better")
    assert list(figure.data[-1].y) == ["Log-loss", "Brier", "KS", "AUC"]
    assert min(figure.data[-1].x) > 0, "less error is to the right as well"
    same = retraining._figures(bad.astype(float), coin, coin)
    assert same["better"].eq(0).all()
    assert set(same["finding"]) == {"within chance"}


def test_versions_stand_in_order_with_their_intervals() -> None:
    frame = DataFrame([version("M0001", "retired", auc=0.70), version("M0006", "champion", auc=0.80)])
    figure = charts.versions(frame, "auc")
    assert title(figure) == "AUC on cases drawn at random: 0.700 → 0.800"
    assert list(figure.data[0].x) == ["M0001", "M0006 ★"]
    assert list(figure.data[0].error_y.array) == pytest.approx([0.02, 0.02])
    close = DataFrame([version("M0001", "retired", auc=0.70), version("M0006", "champion", auc=0.71)])
    assert title(charts.versions(close, "auc")).endswith("within chance")


def test_the_online_challenger_is_drawn_beside_what_was_said_live() -> None:
    bad = np.arange(30) % 3 == 0
    rows = DataFrame({"step": np.arange(1, 31), "bad": bad, "pd": np.where(bad, 0.8, 0.2), "champion_pd": 0.5})
    ours, theirs = (bad - rows["pd"].to_numpy()) ** 2, (bad - rows["champion_pd"].to_numpy()) ** 2
    for name, values in (("brier", ours), ("champion_brier", theirs), ("less", ours - theirs)):
        rows = rows.assign(**online._so_far(name, values))
    figure = charts.prequential(rows)
    assert title(figure) == "After 30 cases the online challenger is ahead"
    assert figure.data[1].y[-1] == pytest.approx(0.04)
    assert figure.data[3].y[-1] == pytest.approx(0.25)


def test_a_challenger_is_drawn_against_what_was_said_live() -> None:
    rows = DataFrame({"applicant_id": ["<b>", "B", "C"], "live_id": "M0001", "pd_live": [0.1, 0.1, 0.3], "pd": [0.1, 0.2, 0.4]})
    facts = shadow.summary(rows, Policy())
    assert (facts["n"], facts["n_swapped"]) == (3, 1)
    figure = charts.shadow(rows, facts, "PD")
    assert title(figure) == "1 of 3 cases would change sides (33.3\u00a0%)"
    assert list(figure.data[0].x) == [0.1, 0.1, 0.3]
