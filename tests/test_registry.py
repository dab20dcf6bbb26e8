"""The registry: files first and the row last, nothing loaded that was not registered, no standing without a person and a reason."""

import json
import re
from pathlib import Path

import joblib
import numpy as np
import pytest
from pandas import DataFrame

from creditrisk import metrics, pipeline, registry, schema
from creditrisk.errors import InvalidInput, NotAllowed, NothingYet, SchemaMismatch, TamperedArtefact, UnknownThing
from creditrisk.store import Store, now


def draft(store: Store, name: str = "logistic", **changes: object) -> registry.Draft:
    """Return a small model, fitted to invented applicants, in a folder of its own."""
    random = np.random.default_rng(2)
    bad = random.random(120) < 0.3
    frame = DataFrame({feature.name: random.normal(size=120) + feature.risk * bad for feature in store.schema})
    fitted = pipeline.fit(name, frame, bad, None, store.schema)
    folder = store.models / f".tmp-{random.integers(10**9)}-{len(list(store.models.iterdir()))}"
    folder.mkdir()
    joblib.dump(fitted, folder / registry.ARTEFACT)
    (folder / "schema.toml").write_text(schema.dump(store.schema))
    DataFrame({"applicant_id": ["A"], "bad": [True], "pd": [0.5], "margin": [0.0]}).to_parquet(folder / "test.parquet")
    facts = {
        "folder": folder,
        "algorithm": name,
        "label_set_id": "L0001",
        "label_source": "cluster",
        "is_proxy": True,
        "snapshot_id": 1,
        "schema_fingerprint": store.schema.fingerprint,
        "metrics": {"cluster": metrics.report(bad, fitted.prob_default(frame), bootstraps=20, seed=1)},
        "config": {"seed": 7},
        "card": {"banner": "This model re-learns the clusters.", "limits": ["It recommends; a named person decides."]},
        "seconds": 0.5,
    }
    return registry.Draft(**{**facts, **changes})  # type: ignore[arg-type]


def vouched(store: Store, label_set_id: str = "L0001", *failed: str) -> None:
    """Plant the label set that a model was learned from, and which of its checks failed."""
    gates = [{"name": name, "passed": False, "sentence": f"Of {name} there is too little."} for name in failed]
    row = {"id": label_set_id, "passed": not failed, "report": json.dumps({"gates": gates}), "at": now()}
    with store.write("ann", "label", label_set_id) as cursor:
        cursor.execute(
            """insert into label_set values ($id, 'kmeans', 'cluster', 1, 3, 120, 0.3, $passed, false, $report, $at, 'ann')
            on conflict do nothing""",
            row,
        )


def kept(store: Store, n: int = 1) -> list[str]:
    vouched(store)
    return registry.register(store, [draft(store) for _ in range(n)], user="ann")


def standings(store: Store) -> dict[str, str]:
    models = registry.models(store)
    return dict(zip(models["model_id"], models["status"], strict=True))


def test_a_registered_model_is_a_candidate_with_its_files_and_its_card(store: Store) -> None:
    made = draft(store)
    before = joblib.load(made.folder / registry.ARTEFACT)
    (name,) = registry.register(store, [made], user="ann", job_id="J0001")
    row = registry.get(store, name)
    assert (name, row["status"], row["created_by"], row["job_id"]) == ("M0001", "candidate", "ann", "J0001")
    assert row["metrics"]["cluster"]["auc"]["value"] > 0.5
    assert sorted(path.name for path in store.models.iterdir()) == ["M0001"]
    frame = DataFrame({feature.name: [0.5, np.nan] for feature in store.schema})
    assert registry.load(store, name).margin(frame).tolist() == before.margin(frame).tolist()
    card = registry.card(store, name)
    assert card["digest"] == row["digest"]
    assert card["status"] == "candidate"
    assert "re-learns the clusters" in card["markdown"]
    assert "agreement" in card["markdown"]
    assert "default" not in card["markdown"].lower()
    assert registry.table(store, name, "test")["applicant_id"].tolist() == ["A"]
    assert store.value("select count(*) from audit where action = 'register' and subject = 'M0001' and user_name = 'ann'") == 1


def test_bytes_that_were_not_registered_are_never_loaded(store: Store, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    kept(store)
    file = store.models / "M0001" / registry.ARTEFACT
    joblib.dump(Canary(str(canary)), file)
    for refused in (
        lambda: registry.load(store, "M0001"),
        lambda: registry.promote(store, "M0001", user="ann", reason="the best"),
    ):
        with pytest.raises(TamperedArtefact, match=r"M0001/pipeline\.joblib is not the file that was registered"):
            refused()
    assert not canary.exists()
    assert standings(store) == {"M0001": "candidate"}
    file.unlink()
    with pytest.raises(TamperedArtefact, match="cannot be read"):
        registry.load(store, "M0001")


class Canary:
    """Unpickling this leaves a file behind."""

    def __init__(self, path: str):
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (self.path, "w")


def test_promotion_needs_a_person_and_a_reason_and_leaves_a_history(store: Store) -> None:
    assert registry.champion(store) is None
    kept(store, 3)
    with pytest.raises(InvalidInput, match="needs a reason"):
        registry.promote(store, "M0001", user="ann", reason="  ")
    with pytest.raises(NotAllowed):
        registry.promote(store, "M0001", user="", reason="the best")
    with pytest.raises(UnknownThing, match="M0009"):
        registry.promote(store, "M0009", user="ann", reason="the best")
    assert set(standings(store).values()) == {"candidate"}
    registry.promote(store, "M0001", user="ann", reason="the best so far")
    registry.promote(store, "M0003", user="bea", reason="better on observed outcomes")
    assert standings(store) == {"M0003": "champion", "M0002": "candidate", "M0001": "retired"}
    with pytest.raises(InvalidInput, match="champion already"):
        registry.promote(store, "M0003", user="bea", reason="once more")
    events = registry.events(store)
    assert events["status"].tolist() == ["champion", "retired", "champion", *["candidate"] * 3]
    assert events["by_user"].tolist()[:3] == ["bea", "bea", "ann"]
    assert "M0003 was promoted" in events["reason"][1]
    assert registry.rollback(store, user="ann", reason="complaints") == "M0001"
    assert (registry.champion(store) or {})["model_id"] == "M0001"
    registry.retire(store, "M0001", user="ann", reason="no longer trusted")
    assert registry.champion(store) is None
    with pytest.raises(InvalidInput, match="retired already"):
        registry.retire(store, "M0001", user="ann", reason="again")
    assert store.value("select count(*) from audit where action in ('promote', 'retire')") == 4


def test_what_may_only_be_studied_is_not_promoted_and_the_refusal_says_why(store: Store) -> None:
    vouched(store, "L0002", "index gap", "signs")
    drafts = [draft(store, label_set_id="L0002"), draft(store, "risk_index", label_set_id="L0001"), draft(store, label_set_id="L0009")]
    vouched(store)
    failed, baseline, unknown = registry.register(store, drafts, user="ann")
    with pytest.raises(
        NotAllowed, match=r"studied, not promoted: its label set L0002 fails 2 checks \(index gap, signs\)\. Of index gap there"
    ):
        registry.promote(store, failed, user="ann", reason="it looks superb")
    with pytest.raises(NotAllowed, match="is a baseline"):
        registry.promote(store, baseline, user="ann", reason="nothing beats it")
    with pytest.raises(NotAllowed, match="label set L0009, which is not in this workspace"):
        registry.promote(store, unknown, user="ann", reason="who knows")
    assert registry.champion(store) is None
    assert set(standings(store).values()) == {"candidate"}


def test_rolling_back_needs_somewhere_to_go(store: Store) -> None:
    kept(store)
    registry.promote(store, "M0001", user="ann", reason="the first")
    with pytest.raises(NothingYet, match="no earlier champion"):
        registry.rollback(store, user="ann", reason="complaints")


def test_a_model_of_another_schema_is_refused(store: Store) -> None:
    with pytest.raises(SchemaMismatch, match="another schema"):
        registry.register(store, [draft(store, schema_fingerprint="0123456789abcdef")], user="ann")
    kept(store)
    fewer = schema.Schema("other", store.schema.features[:-2])
    store.schema = schema.Schema("other", fewer.features[1:])
    with pytest.raises(SchemaMismatch, match="M0001 was made for another schema"):
        registry.promote(store, "M0001", user="ann", reason="the best")


def test_what_cannot_be_registered_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(NotAllowed):
        registry.register(store, [draft(store), draft(store)], user="")
    assert registry.models(store).empty
    assert list(store.models.iterdir()) == []


def test_start_up_clears_half_folders_and_sets_strays_aside(store: Store) -> None:
    kept(store, 2)
    registry.promote(store, "M0001", user="ann", reason="the best")
    (store.models / ".tmp-job-x").mkdir()
    (store.models / "M0777").mkdir()
    (store.models / "M0777" / "pipeline.joblib").write_bytes(b"who knows")
    assert registry.recover(store) == {"removed": [".tmp-job-x"], "quarantined": ["M0777"], "damaged": []}
    assert sorted(path.name for path in store.models.iterdir()) == ["M0001", "M0002", "quarantine"]
    (store.models / "M0001" / registry.ARTEFACT).write_bytes(b"other")
    assert registry.recover(store) == {"removed": [], "quarantined": [], "damaged": ["M0001"]}


def test_the_card_on_disk_is_json_and_says_when_it_is_gone(store: Store) -> None:
    kept(store)
    card = json.loads((store.models / "M0001" / "card.json").read_text())
    assert card["limits"] == ["It recommends; a named person decides."]
    (store.models / "M0001" / "card.json").unlink()
    with pytest.raises(TamperedArtefact, match="card of M0001"):
        registry.card(store, "M0001")
    with pytest.raises(InvalidInput, match="'secrets'"):
        registry.table(store, "M0001", "secrets")
    with pytest.raises(TamperedArtefact, match=r"contributions\.parquet is missing"):
        registry.table(store, "M0001", "contributions")
    (store.models / "M0001" / "test.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(TamperedArtefact, match=r"M0001/test\.parquet is not the table that was kept with M0001"):
        registry.table(store, "M0001", "test")


def test_every_standing_has_its_span_and_the_former_champion_is_known(store: Store) -> None:
    kept(store, 2)
    assert registry.former(store) is None
    registry.promote(store, "M0001", user="ann", reason="the first")
    assert registry.former(store) is None
    registry.promote(store, "M0002", user="bea", reason="better")
    assert registry.former(store) == "M0001"
    spans = registry.spans(store)
    assert spans[["model_id", "status"]].to_numpy().tolist() == [
        ["M0001", "candidate"],
        ["M0002", "candidate"],
        ["M0001", "champion"],
        ["M0001", "retired"],
        ["M0002", "champion"],
    ]
    assert spans["is_present"].tolist() == [False, False, False, True, True]
    assert (spans["from_at"] <= spans["until_at"]).all()
    champion = spans.iloc[2]
    assert champion["until_at"] == spans.iloc[3]["from_at"]
    assert (champion["by_user"], champion["reason"]) == ("ann", "the first")


def test_who_scores_and_who_stands_beside_is_known_at_once_after_every_change(store: Store) -> None:
    one, two = kept(store, 2)
    assert (registry.champion(store), registry.challengers(store, store.schema.fingerprint)) == (None, [])
    registry.challenge(store, two, user="dan", reason="let us see how it does")
    assert registry.challengers(store, store.schema.fingerprint) == [two]
    assert registry.challengers(store, "another schema") == []
    registry.promote(store, one, user="dan", reason="the best there is")
    assert registry.champion_id(store) == one
    registry.retire(store, two, user="dan", reason="no longer of use")
    assert registry.challengers(store, store.schema.fingerprint) == []
    written = re.findall(r"with store\.write\(user, (\w+|\"[a-z ]+\")", Path(registry.__file__).read_text())
    assert {name.strip('"') for name in written} - {"action"} <= registry.STANDINGS  # what is remembered must not outlive a change
