"""Predictions: additive, replayable, refused where they should be, the same bits however a row arrives."""

import json
import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from creditrisk import certainty, features, ingest, registry, scorecard, scoring
from creditrisk.errors import InvalidInput, NotAllowed, NothingYet, SchemaMismatch, TamperedArtefact, UnknownThing
from creditrisk.schema import Schema, dump
from creditrisk.store import Store

JSON_KEYS = {
    "applicant_id",
    "prediction_id",
    "pd",
    "pd_low",
    "pd_high",
    "score",
    "band",
    "recommendation",
    "model_id",
    "is_proxy",
    "base",
    "contributions",
    "reasons",
}


def somebody(store: Store) -> str:
    return str(features.newest(store)["applicant_id"].iloc[3])


def values(store: Store, applicant_id: str) -> dict[str, object]:
    row = features.one(store, applicant_id)
    assert row is not None
    return {feature.name: row[feature.name] for feature in store.schema}


def test_contributions_and_base_are_the_margin_of_every_model(filled: Store) -> None:
    everyone = features.newest(filled)["applicant_id"].tolist()
    for model_id in registry.models(filled)["model_id"]:
        for baseline in ("cut-off", "everyone"):
            made = scoring.score_applicants(filled, everyone, user="ann", channel="test", model_id=model_id, baseline=baseline, keep=False)
            for prediction in made:
                assert prediction.base + sum(prediction.contributions.values()) == pytest.approx(prediction.margin, abs=1e-4)
                assert prediction.pd == pytest.approx(1 / (1 + math.exp(-prediction.margin)), abs=1e-12)
                assert prediction.band == scorecard.band(prediction.score).name


def test_a_prediction_replays_to_the_last_bit(filled: Store) -> None:
    for model_id in registry.models(filled)["model_id"]:
        (made,) = scoring.score_applicants(filled, [somebody(filled)], user="ann", channel="test", model_id=model_id, baseline="everyone")
        stored, again = scoring.replay(filled, made.prediction_id)
        assert stored == made
        assert again == stored


def test_a_prediction_replays_by_the_scale_and_policy_it_was_made_with(filled: Store) -> None:
    (made,) = scoring.score_applicants(filled, [somebody(filled)], user="ann", channel="test")
    filled.settings = replace(filled.settings, score=replace(filled.settings.score, scale="linear"))
    filled.settings = replace(filled.settings, policy=replace(filled.settings.policy, min_history_days=10_000))
    stored, again = scoring.replay(filled, made.prediction_id)
    assert again == stored
    (anew,) = scoring.score_applicants(filled, [made.applicant_id], user="ann", channel="test")
    assert anew.score != made.score
    assert anew.recommendation == "insufficient data"


def test_every_stored_prediction_is_complete(filled: Store) -> None:
    kept = filled.rows("select prediction_id from prediction limit 5")
    for (prediction_id,) in kept:
        prediction = scoring.get(filled, prediction_id)
        assert prediction.digest == registry.get(filled, prediction.model_id)["digest"]
        assert prediction.schema_fingerprint == filled.schema.fingerprint
        assert list(prediction.inputs) == [feature.name for feature in filled.schema]
        assert set(prediction.contributions) == {feature.name for feature in filled.schema.predictors}
        found = certainty.lines(filled, prediction.model_id)
        said = prediction.to_json(found)
        assert set(said) == JSON_KEYS
        assert json.loads(json.dumps(said, allow_nan=False)) == said
        assert prediction.is_sure
        assert said["pd_low"] < said["pd"] < said["pd_high"]
        thin = replace(prediction, recommendation="insufficient data").to_json(found)
        assert (thin["pd_low"], thin["pd_high"]) == (None, None)


def test_reasons_point_at_risk_and_show_no_column_name(filled: Store) -> None:
    made = scoring.score_applicants(filled, features.newest(filled)["applicant_id"].tolist(), user="ann", channel="test", keep=False)
    assert any(prediction.reasons for prediction in made)
    for prediction in made:
        assert len(prediction.reasons) <= 4
        assert all(reason["contribution"] > 0 for reason in prediction.reasons)
        assert not any(feature.name in reason["text"] for reason in prediction.reasons for feature in filled.schema)


def test_one_row_alone_in_a_batch_and_in_any_order_gives_the_same_bits(filled: Store) -> None:
    table = features.newest(filled).drop(columns="snapshot_id")
    shuffled = table.sample(frac=1, random_state=1)[list(reversed(table.columns))]
    for model_id in registry.models(filled)["model_id"]:
        asked = {"user": "ann", "channel": "test", "model_id": model_id, "keep": False}
        batch = {made.applicant_id: made for made in scoring.score_values(filled, table, **asked)}
        mixed = {made.applicant_id: made for made in scoring.score_values(filled, shuffled, **asked)}
        for applicant_id in list(batch)[:12]:
            (alone,) = scoring.score_values(filled, [values(filled, applicant_id)], **asked)
            assert alone.pd == batch[applicant_id].pd == mixed[applicant_id].pd
            assert alone.contributions == batch[applicant_id].contributions == mixed[applicant_id].contributions
            assert [reason["text"] for reason in alone.reasons] == [reason["text"] for reason in mixed[applicant_id].reasons]


def test_values_left_out_are_unknown_and_said_to_be(filled: Store) -> None:
    (made,) = scoring.score_values(filled, [{"observed_days": 300, "income_monthly_median_180d": 2_000}], user="ann", channel="test")
    assert made.applicant_id == made.prediction_id
    assert len(made.missing) == len(filled.schema.features) - 2
    assert made.recommendation != "insufficient data"
    (bare,) = scoring.score_values(filled, [{}], user="ann", channel="test")
    assert bare.recommendation == "insufficient data"


def test_bad_values_are_refused_and_nothing_is_kept(filled: Store) -> None:
    before = filled.value("select count(*) from prediction")
    with pytest.raises(InvalidInput, match=r"Row 2: days_negative_90d is 91; the most allowed is 90\. \(1 more problems\)"):
        scoring.score_values(filled, [{}, {"days_negative_90d": 91}, {"observed_days": -1}], user="ann", channel="test")
    with pytest.raises(InvalidInput, match="Nothing called sex is declared"):
        scoring.score_values(filled, [{"sex": 1}], user="ann", channel="test")
    with pytest.raises(InvalidInput, match="no baseline 'best'"):
        scoring.score_values(filled, [{}], user="ann", channel="test", baseline="best")
    with pytest.raises(NotAllowed):
        scoring.score_values(filled, [{}], user=" ", channel="test")
    with pytest.raises(UnknownThing, match="no applicant 'nobody'"):
        scoring.score_applicants(filled, ["nobody"], user="ann", channel="test")
    with pytest.raises(UnknownThing, match="no prediction 'none'"):
        scoring.replay(filled, "none")
    assert filled.value("select count(*) from prediction") == before


def test_what_is_not_to_be_kept_is_not(filled: Store) -> None:
    before = filled.value("select count(*) from prediction"), filled.value("select count(*) from audit")
    scoring.score_values(filled, [{}], user="ann", channel="test", keep=False)
    assert (filled.value("select count(*) from prediction"), filled.value("select count(*) from audit")) == before


def test_applicants_come_back_in_the_order_asked_for(filled: Store) -> None:
    names = features.newest(filled)["applicant_id"].tolist()[:7][::-1]
    made = scoring.score_applicants(filled, [*names, names[0]], user="ann", channel="test")
    assert [prediction.applicant_id for prediction in made] == names
    assert scoring.history(filled, names[0])["prediction_id"].iloc[0] == made[0].prediction_id
    assert scoring.score_applicants(filled, [], user="ann", channel="test") == []


def test_features_are_built_for_an_applicant_without_any(filled: Store) -> None:
    name = somebody(filled)
    (before,) = scoring.score_applicants(filled, [name], user="ann", channel="test", keep=False)
    with filled.write("test", "forget", name) as cursor:
        cursor.execute("delete from applicant where applicant_id = $id", {"id": name})
    (after,) = scoring.score_applicants(filled, [name], user="ann", channel="test", keep=False)
    assert after.pd == before.pd
    assert after.snapshot_id != before.snapshot_id


def test_a_statement_stored_since_is_not_overlooked(filled: Store) -> None:
    name = somebody(filled)
    asked = {"user": "ann", "channel": "test", "keep": False}
    (before,) = scoring.score_applicants(filled, [name], **asked)
    (last,) = filled.rows("select max(booked_on) from movement where applicant_id = $id", id=name)[0]
    text = f"Date,Description,Amount\n{last - timedelta(days=20)},RETURNED DIRECT DEBIT FEE,-35.00\n"
    reading = ingest.read("later.csv", text.encode(), settings=filled.settings)
    ingest.save(filled, [reading], user="ann", applicant_id=name)
    (after,) = scoring.score_applicants(filled, [name], **asked)
    assert after.snapshot_id != before.snapshot_id
    (again,) = scoring.score_applicants(filled, [name], **asked)
    assert again.snapshot_id == after.snapshot_id


def test_looking_back_for_labels_does_not_hide_a_new_statement(filled: Store) -> None:
    text = "".join(f"2026-0{month}-0{day},SHOP,-{day}.00\n" for month in range(1, 7) for day in range(1, 10))
    reading = ingest.read("new.csv", f"Date,Description,Amount\n{text}".encode(), settings=filled.settings)
    ingest.save(filled, [reading], user="ann", applicant_id="somebody new")
    features.build(filled, user="ann", days_before=90)
    (made,) = scoring.score_applicants(filled, ["somebody new"], user="ann", channel="test", keep=False)
    assert made.as_of == date(2026, 6, 10)


def test_without_a_champion_there_is_a_sentence(store: Store) -> None:
    with pytest.raises(NothingYet, match="No model has been promoted yet"):
        scoring.score_values(store, [{}], user="ann", channel="test")


def test_a_model_of_another_schema_is_refused(filled: Store) -> None:
    filled.schema = Schema("other", filled.schema.features[:-1])
    with pytest.raises(SchemaMismatch, match="this workspace declares 'other'"):
        scoring.model(filled)


def test_what_a_former_schema_scored_is_still_shown_and_replayed(filled: Store) -> None:
    (made,) = scoring.score_applicants(filled, [somebody(filled)], user="ann", channel="test")
    steps, good = scoring.waterfall(filled, made), scoring.supports(filled, made)
    filled.schema = Schema("other", filled.schema.features[5:])
    stored, again = scoring.replay(filled, made.prediction_id)
    assert again == stored == made
    assert scoring.waterfall(filled, made).equals(steps)
    assert scoring.supports(filled, made) == good


def test_a_model_whose_schema_somebody_changed_explains_nothing(filled: Store) -> None:
    (made,) = scoring.score_applicants(filled, [somebody(filled)], user="ann", channel="test")
    file = filled.models / made.model_id / "schema.toml"
    filled.schema = Schema("other", filled.schema.features[5:])
    for text, what in ((dump(filled.schema), "is not the schema that model"), ("[[", "cannot be read")):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(TamperedArtefact, match=what):
            scoring.replay(filled, made.prediction_id)


def test_features_of_a_former_schema_are_computed_anew_before_they_are_scored(filled: Store) -> None:
    (somebody,) = filled.rows("select min(applicant_id) from applicant")[0]
    with filled.write("tester", "age", "features") as cursor:
        cursor.execute("update snapshot set schema_fingerprint = 'former'")
        cursor.execute("update applicant set days_since_last_nsf_365d = null")
    (made,) = scoring.score_applicants(filled, [somebody], user="ann", channel="test")
    assert made.inputs["days_since_last_nsf_365d"] is not None


def test_an_artefact_that_was_changed_is_never_loaded(filled: Store) -> None:
    champion = registry.champion(filled)
    assert champion is not None
    file = filled.models / champion["model_id"] / "pipeline.joblib"
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(TamperedArtefact, match=r"pipeline\.joblib"):
        scoring.score_values(filled, [{}], user="ann", channel="test")


def test_a_waterfall_leads_from_the_reference_to_the_score(filled: Store) -> None:
    for prediction in scoring.latest(filled, 5):
        for top in (3, 9, 100):
            steps = scoring.waterfall(filled, prediction, top)
            assert prediction.base + steps["contribution"].sum() == pytest.approx(prediction.margin, abs=1e-4)
            assert len(steps) == min(top + 1, len(prediction.contributions))
            assert steps["contribution"].iloc[:-1].abs().is_monotonic_decreasing
            points = scorecard.offset() + scorecard.points(prediction.base) + steps["points"].sum()
            assert np.clip(points, 300, 900) == pytest.approx(prediction.score, abs=0.01)


def test_what_speaks_for_an_applicant_does_not_speak_against(filled: Store) -> None:
    for prediction in scoring.latest(filled, 5):
        good = scoring.supports(filled, prediction)
        assert all(support["contribution"] < 0 for support in good)
        assert {support["concept"] for support in good}.isdisjoint(reason["concept"] for reason in prediction.reasons)


def test_results_are_a_table_to_hand_out(filled: Store) -> None:
    made = scoring.score_values(filled, [{"applicant_id": "x", "as_of": "2026-01-31"}, {}], user="ann", channel="test", keep=False)
    table = scoring.results(made, certainty.lines(filled, made[0].model_id))
    assert table["applicant_id"].tolist() == ["x", made[1].prediction_id]
    assert table["pd"].tolist() == [prediction.pd for prediction in made]
    added = table[[f"contribution_{feature.name}" for feature in filled.schema.predictors]].to_numpy().sum(axis=1)
    assert np.allclose(added + table["base"], table["margin"], atol=1e-4)
