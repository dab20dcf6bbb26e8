"""The whole product in one test: a statement in, an explained score out, a verdict back, a retrain, a new champion."""

import pytest

from creditrisk import features, ingest, plan, registry, reviews, scoring, standing, training
from creditrisk.store import Store

STATEMENT = "\n".join(
    ["Date,Description,Amount,Balance"]
    + [
        row
        for month in range(1, 13)
        for row in (
            f"2025-{month:02d}-01,SALARY NORTHWIND LTD,2100.00,{2600 + 100 * (month - 1)}.00",
            f"2025-{month:02d}-02,STANDING ORDER RENT 5 HILL ROAD,-900.00,{1700 + 100 * (month - 1)}.00",
            f"2025-{month:02d}-15,CARD PAYMENT CORNER GROCERS,-1100.00,{600 + 100 * (month - 1)}.00",
        )
    ]
)


def test_the_whole_product(filled: Store) -> None:
    champion = registry.champion(filled)
    assert champion is not None

    reading = ingest.read("nora.csv", STATEMENT.encode(), profile=None, settings=filled.settings)
    assert (reading.status, reading.n_transactions, reading.reconciliation) == ("accepted", 36, "ok")
    (saved,) = ingest.save(filled, [reading], user="ana", applicant_id="nora")
    assert (saved.n_new, saved.n_duplicate) == (36, 0)
    (again,) = ingest.save(filled, [reading], user="ana", applicant_id="nora")
    assert (again.n_new, again.n_duplicate) == (0, 36)

    (prediction,) = scoring.score_applicants(filled, ["nora"], user="ana", channel="page")
    assert sum(prediction.contributions.values()) + prediction.base == pytest.approx(prediction.margin, abs=1e-4)
    assert prediction.is_proxy
    assert features.one(filled, "nora")["income_monthly_median_180d"] == pytest.approx(2100 * 30.44 / 30)  # type: ignore[index]

    stored, replayed = scoring.replay(filled, prediction.prediction_id)
    assert stored.pd == pytest.approx(replayed.pd, abs=1e-9)

    before = reviews.summary(filled)
    reviews.add(filled, prediction.prediction_id, "incorrect", "decision", "pays on time for years", user="rita")
    after = reviews.summary(filled)
    assert (after["n"], after["n_incorrect"]) == (before["n"] + 1, before["n_incorrect"] + 1)

    made = training.train(filled, plan.Config(algorithms=("logistic", "risk_index", "constant")), user="dora")
    assert len(made) == 3
    best = standing.leaderboard(filled).iloc[0]
    registry.promote(filled, made[0], user="dora", reason="walkthrough")
    assert registry.champion(filled)["model_id"] == made[0]  # type: ignore[index]
    assert registry.get(filled, champion["model_id"])["status"] == "retired"
    assert best["auc_low"] <= best["auc"] <= best["auc_high"]

    (rescored,) = scoring.score_applicants(filled, ["nora"], user="ana", channel="page")
    assert rescored.model_id == made[0]
    assert scoring.get(filled, prediction.prediction_id).pd == prediction.pd
