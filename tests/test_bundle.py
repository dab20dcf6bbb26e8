"""A model travels as one file: what arrives is what was sent, with its warnings and its origin, and nothing else gets in."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from pandas import DataFrame

from creditrisk import bundle, gate, labels, registry
from creditrisk import store as stores
from creditrisk.errors import CreditRiskError, InvalidInput, NotAllowed, NothingYet, SchemaMismatch, TamperedArtefact, UnreadableFile
from creditrisk.plan import CANDIDATES, Config
from creditrisk.schema import Schema
from creditrisk.store import Store
from creditrisk.training import prepare

from .test_registry import Canary


@pytest.fixture
def elsewhere(settings: Any, tmp_path: Path) -> Iterator[Store]:
    """An empty workspace of the same schema."""
    opened = stores.open_in_memory(replace(settings, models=tmp_path / "elsewhere" / "models"))
    yield opened
    opened.close()


@pytest.fixture
def sent(filled: Store, tmp_path: Path) -> Path:
    """A bundle of the demo bank's champion, which learned from a proxy label."""
    file = tmp_path / "sent.zip"
    bundle.export(filled, champion(filled), file, user="ann")
    return file


def champion(store: Store) -> str:
    found = registry.champion(store)
    assert found is not None
    return str(found["model_id"])


def repacked(file: Path, change: Callable[[dict[str, bytes]], None], *, honest: bool = False) -> Path:
    """The bundle with its members changed; `honest`: with a manifest of their digests."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if honest:
        manifest = json.loads(members[bundle.MANIFEST])
        for name in manifest["files"]:
            manifest["files"][name]["sha256"] = hashlib.sha256(members[name]).hexdigest()
        members[bundle.MANIFEST] = json.dumps(manifest).encode()
    made = file.with_name("changed.zip")
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made


def test_what_arrives_scores_bit_for_bit_as_what_was_sent_and_keeps_its_warning(filled: Store, elsewhere: Store, sent: Path) -> None:
    before = registry.get(filled, champion(filled))
    name = bundle.receive(elsewhere, sent, user="bea", reason="validated at head office")
    after = registry.get(elsewhere, name)
    random = np.random.default_rng(1)
    rows = DataFrame({feature.name: random.normal(size=50) for feature in filled.schema if feature.is_numeric})
    rows[rows.columns[0]] = np.nan
    there, here = (registry.load(store, model).margin(rows) for store, model in ((filled, before["model_id"]), (elsewhere, name)))
    assert there.tobytes() == here.tobytes()
    same = ("algorithm", "label_source", "is_proxy", "schema_fingerprint", "digest", "metrics", "config")
    assert {key: before[key] for key in same} == {key: after[key] for key in same}
    assert (after["status"], after["is_proxy"], after["created_by"]) == ("candidate", True, "bea")
    banner = labels.banner(labels.get(filled, before["label_set_id"]))
    assert banner
    assert labels.banner(labels.get(elsewhere, after["label_set_id"])) == banner
    card = registry.card(elsewhere, name)
    assert card["banner"] == registry.card(filled, before["model_id"])["banner"]
    for table in registry.TABLES:
        assert registry.table(elsewhere, name, table).equals(registry.table(filled, before["model_id"], table))


def test_where_it_comes_from_is_on_record(filled: Store, elsewhere: Store, sent: Path) -> None:
    name = bundle.receive(elsewhere, sent, user="bea", reason="validated at head office")
    said = registry.events(elsewhere, name)["reason"][0]
    assert f"{champion(filled)} of workspace" in said
    assert "exported by ann: validated at head office" in said
    ((user, subject, detail),) = elsewhere.rows("select user_name, subject, detail from audit where action = 'import model'")
    kept = json.loads(detail)
    assert (user, subject, kept["reason"]) == ("bea", name, "validated at head office")
    assert kept["sha256"] == hashlib.sha256(sent.read_bytes()).hexdigest()
    assert kept["origin"]["model_id"] == champion(filled)
    assert filled.value("select count(*) from audit where action = 'export model' and user_name = 'ann'") == 1
    assert f"of workspace {kept['origin']['workspace']}" in registry.card(elsewhere, name)["markdown"]


def test_the_same_model_twice_is_a_sentence(filled: Store, elsewhere: Store, sent: Path) -> None:
    bundle.receive(elsewhere, sent, user="bea", reason="the first time")
    with pytest.raises(InvalidInput, match="is here already: it is M0001"):
        bundle.receive(elsewhere, sent, user="bea", reason="the second time")
    with pytest.raises(InvalidInput, match=f"is here already: it is {champion(filled)}"):
        bundle.receive(filled, sent, user="ann", reason="back where it came from")
    assert len(registry.models(elsewhere)) == 1
    assert len(list(elsewhere.models.iterdir())) == 1


def test_two_models_of_one_label_set_share_it_and_nothing_is_learned_from_it(filled: Store, elsewhere: Store, tmp_path: Path) -> None:
    names = [name for name in registry.models(filled)["model_id"] if registry.get(filled, name)["algorithm"] in ("xgboost", "logistic")]
    for number, name in enumerate(names):
        bundle.export(filled, name, tmp_path / f"{number}.zip", user="ann")
        bundle.receive(elsewhere, tmp_path / f"{number}.zip", user="bea", reason="both of them")
    (name,) = elsewhere.rows("select label_set_id from label_set")[0]
    assert elsewhere.value("select count(*) from label_set") == 1
    assert (labels.newest(elsewhere), len(labels.sets(elsewhere))) == (None, 0)
    with pytest.raises(NothingYet, match="came with a model from another workspace"):
        prepare(elsewhere, Config(label_set_id=name), tmp_path)


def test_an_arrival_is_promoted_through_the_gate_like_any_other(filled: Store, elsewhere: Store, sent: Path, tmp_path: Path) -> None:
    name = bundle.receive(elsewhere, sent, user="bea", reason="validated at head office")
    if registry.hindrance(elsewhere, name) is None:
        gate.promote(elsewhere, name, user="bea", reason="the first here")
        assert champion(elsewhere) == name
    else:  # the label set that came with it fails its checks here as it did there
        with pytest.raises(NotAllowed, match="can be studied, not promoted"):
            gate.promote(elsewhere, name, user="bea", reason="the first here")
    # back home, beside a champion: those it was taught by are known, so none of them judges it
    other = next(
        row for row in registry.models(filled).to_dict("records") if row["status"] == "candidate" and row["algorithm"] in CANDIDATES
    )
    bundle.export(filled, other["model_id"], tmp_path / "other.zip", user="ann")
    with filled.write("ann", "retire", "x") as cursor:
        cursor.execute("update model set digest = 'gone' where model_id = $id", {"id": other["model_id"]})
    back = registry.get(filled, bundle.receive(filled, tmp_path / "other.zip", user="bea", reason="home again"))
    judged = gate.compare(filled, back, registry.get(filled, champion(filled)))
    assert gate.learned_from(filled, back) == gate.learned_from(filled, other)
    assert judged.gates


def test_a_model_of_another_schema_is_not_stored(elsewhere: Store, sent: Path) -> None:
    elsewhere.schema = Schema("other", elsewhere.schema.features[1:])
    with pytest.raises(SchemaMismatch, match=r"sent\.zip was made for another schema"):
        bundle.receive(elsewhere, sent, user="bea", reason="to try it")
    assert registry.models(elsewhere).empty


def _swap(members: dict[str, bytes]) -> None:
    members[registry.ARTEFACT] = members[registry.ARTEFACT] + b" "


def _lose(members: dict[str, bytes]) -> None:
    del members["booster.ubj" if "booster.ubj" in members else "metrics.json"]


def _slip(members: dict[str, bytes]) -> None:
    members["../../evil.py"] = b"print()"


def _bomb(members: dict[str, bytes]) -> None:
    members["test.parquet"] = bytes(1 << 21)


def _claim(members: dict[str, bytes]) -> None:
    manifest = json.loads(members[bundle.MANIFEST])
    manifest["model"]["is_proxy"] = False
    members[bundle.MANIFEST] = json.dumps(manifest).encode()


def _later(members: dict[str, bytes]) -> None:
    manifest = json.loads(members[bundle.MANIFEST])
    members[bundle.MANIFEST] = json.dumps({**manifest, "format": 2}).encode()


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        (_swap, TamperedArtefact, r"pipeline\.joblib is not the file that was exported"),
        (_lose, CreditRiskError, r"is missing, though its manifest names it|it holds no metrics\.json"),
        (_slip, UnreadableFile, r"it holds '\.\./\.\./evil\.py', which belongs to no bundle"),
        (_bomb, UnreadableFile, "it unpacks to more than 1 MB"),
        (_claim, TamperedArtefact, "says two things about the labels"),
        (_later, UnreadableFile, "in the form 1, which this version reads"),
    ],
)
def test_what_was_altered_is_refused_by_name_and_leaves_nothing(
    elsewhere: Store,
    sent: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[dict[str, bytes]], None],
    error: type[CreditRiskError],
    sentence: str,
) -> None:
    if change is _bomb:
        monkeypatch.setattr(bundle, "MOST_BYTES", 1 << 20)
    with pytest.raises(error, match=sentence):
        bundle.receive(elsewhere, repacked(sent, change), user="bea", reason="to try it")
    assert registry.models(elsewhere).empty
    assert elsewhere.value("select count(*) from label_set") == 0
    assert list(elsewhere.models.iterdir()) == []
    assert not list(tmp_path.rglob("evil.py"))


def test_a_liar_with_honest_digests_is_found_by_the_digest_one_was_told_and_nothing_is_unpickled(
    elsewhere: Store, sent: Path, tmp_path: Path
) -> None:
    told, canary = hashlib.sha256(sent.read_bytes()).hexdigest(), tmp_path / "canary"

    def plant(members: dict[str, bytes]) -> None:
        target = io.BytesIO()
        joblib.dump(Canary(str(canary)), target)
        members[registry.ARTEFACT] = target.getvalue()

    lie = repacked(sent, plant, honest=True)
    with pytest.raises(TamperedArtefact, match="not the one you were told"):
        bundle.receive(elsewhere, lie, user="bea", reason="to try it", sha256=told)
    name = bundle.receive(elsewhere, lie, user="bea", reason="to try it")
    assert registry.get(elsewhere, name)["status"] == "candidate"
    assert not canary.exists()
    assert bundle.receive(elsewhere, sent, user="bea", reason="the true one", sha256=told.upper()) != name


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"no zip at all", bytes(100)])
def test_what_is_no_bundle_gets_a_sentence(elsewhere: Store, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.zip"
    file.write_bytes(content)
    with pytest.raises(UnreadableFile, match=r"x\.zip: it (is no bundle|holds no manifest\.json)"):
        bundle.receive(elsewhere, file, user="bea", reason="to try it")
    with pytest.raises(InvalidInput, match=r"gone\.zip cannot be read: no such file"):
        bundle.receive(elsewhere, tmp_path / "gone.zip", user="bea", reason="to try it")
    with pytest.raises(InvalidInput, match="needs a reason"):
        bundle.receive(elsewhere, file, user="bea", reason=" ")


def test_a_tampered_model_is_not_exported(filled: Store, tmp_path: Path) -> None:
    name = champion(filled)
    (filled.models / name / registry.ARTEFACT).write_bytes(b"other")
    with pytest.raises(TamperedArtefact, match="is not the file that was registered"):
        bundle.export(filled, name, tmp_path / "x.zip", user="ann")
    assert not (tmp_path / "x.zip").exists()
