"""A model as one file that travels between workspaces: its folder, its labels, where it comes from, and a digest of each part.

Nobody may break this: every byte is held against its digest before anything is stored, and nothing is unpickled on the way in.
Digests find damage and swapped parts, not a liar: who gave the file is known by its own SHA-256, told by another way.
"""

import hashlib
import io
import json
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from pandas import DataFrame

from creditrisk import labels, registry
from creditrisk import schema as schemas
from creditrisk.errors import InvalidInput, SchemaMismatch, TamperedArtefact, UnreadableFile
from creditrisk.labels import LabelSet
from creditrisk.plan import BASELINES, CANDIDATES
from creditrisk.store import Store, now, to_json

MANIFEST, LABELS = "manifest.json", "labels.parquet"
KIND, FORMAT = "creditrisk model", 1
NEEDED = (registry.ARTEFACT, registry.SCHEMA, "card.json", "card.md", "metrics.json", *(f"{name}.parquet" for name in registry.TABLES))
ALLOWED = {*NEEDED, "booster.ubj", LABELS, MANIFEST}
MOST_BYTES, MOST_MANIFEST = 1 << 30, 4 << 20  # unpacked
MOST_MEMBERS = 5_000_000
FIXED = (1980, 1, 1, 0, 0, 0)  # the same model gives the same members
OF_THE_ROW = ("algorithm", "label_source", "is_proxy", "schema_fingerprint", "metrics", "config", "seconds")

PARTS = {  # of a manifest, and what each says
    "origin": ("workspace", "model_id", "trained_at", "trained_by", "exported_by"),
    "model": OF_THE_ROW,
    "label_set": tuple(part.name for part in fields(LabelSet)),
    "files": (),
}


def export(store: Store, model_id: str, file: Path, *, user: str) -> str:
    """Write a registered model to a bundle, whole or not at all; returns the SHA-256 of the file.

    Raises UnknownThing, TamperedArtefact where a file of the model is missing or altered, InvalidInput where `file` cannot be written.
    """
    store.require(user, "export model", model_id)
    row = registry.get(store, model_id)
    parts = _parts(store, row)
    label_set = labels.get(store, row["label_set_id"])
    rows = labels.rows_of(store, label_set)
    parts[LABELS] = _parquet(rows[rows["bad"].notna()].drop_duplicates("applicant_id"))
    manifest = {
        "kind": KIND,
        "format": FORMAT,
        "origin": {
            "workspace": _workspace(store),
            "model_id": model_id,
            "trained_at": row["created_at"].isoformat(),
            "trained_by": row["created_by"],
            "exported_at": now().isoformat(),
            "exported_by": str(user).strip(),
        },
        "model": {name: row[name] for name in OF_THE_ROW},
        "label_set": {**vars(label_set), "created_at": label_set.created_at.isoformat()},
        "files": {name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)} for name, content in parts.items()},
    }
    packed = _packed({MANIFEST: to_json(manifest).encode(), **parts})
    digest = hashlib.sha256(packed).hexdigest()
    with store.write(user, "export model", model_id, file=file.name, sha256=digest):
        _written(file, packed)
    return digest


def receive(store: Store, file: Path, *, user: str, reason: str, sha256: str | None = None) -> str:
    """Register the model of a bundle as a candidate; returns the id it gets here. `sha256` is the file's digest as it was told.

    Raises UnreadableFile for what is no bundle, is damaged, or was made to do harm; TamperedArtefact where a part or the file is not
    what its digest says; SchemaMismatch; InvalidInput without a reason, or where the model is here already.
    """
    store.require(user, "import model", file.name)
    registry.require_reason(reason, f"Importing {file.name}")
    digest, manifest, parts = _unpacked(file, sha256)
    _ours(store, file, manifest, parts)
    origin, model, label_set = manifest["origin"], manifest["model"], _label_set(file, manifest)
    taught = _taught(file, parts.pop(LABELS))
    known = labels.known(store, label_set.label_set_id)
    came = f"{origin['model_id']} of workspace {origin['workspace']}, trained by {origin['trained_by']} on {origin['trained_at'][:10]}"
    arrival = registry.Arrival(
        said=f"imported, {came}, exported by {origin['exported_by']}: {reason.strip()}",
        detail={"reason": reason.strip(), "sha256": digest, "origin": origin},
        store=lambda cursor: None if known else labels.receive(cursor, label_set, taught),
    )
    folder = Path(tempfile.mkdtemp(prefix=".tmp-bundle-", dir=store.models))
    try:
        card = json.loads(parts["card.json"])
        for name, content in parts.items():
            (folder / name).write_bytes(content)
        draft = registry.Draft(
            folder=folder,
            label_set_id=label_set.label_set_id,
            snapshot_id=label_set.snapshot_id,
            card={**{name: said for name, said in card.items() if name not in registry.ROW}, "origin": f"Imported: {came}."},
            **model,
        )
        return registry.register(store, [draft], user=user, arrival=arrival)[0]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# --- packing --------------------------------------------------------------------------------------------------------


def _parts(store: Store, row: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files of a model by name, the artefact held against its registered digest."""
    folder = store.models / row["model_id"]
    if said := registry.damage(store, row["model_id"]):
        raise TamperedArtefact(said)
    if missing := next((name for name in NEEDED if not (folder / name).is_file()), None):
        raise TamperedArtefact(f"{folder / missing} is missing, so model {row['model_id']} cannot be exported. Restore it from a backup.")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name in ALLOWED}


def _workspace(store: Store) -> str:
    """Return what tells one workspace from another: the beginning of its audit chain, which nobody chooses."""
    return str(store.value("select hash from audit order by seq limit 1"))[:12]


def _parquet(frame: DataFrame) -> bytes:
    target = io.BytesIO()
    frame.to_parquet(target, index=False)
    return target.getvalue()


def _packed(parts: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, FIXED), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _written(file: Path, content: bytes) -> None:
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_bytes(content)
        part.replace(file)
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror or error}.") from error


# --- unpacking ------------------------------------------------------------------------------------------------------


def _unpacked(file: Path, sha256: str | None) -> tuple[str, dict[str, Any], dict[str, bytes]]:
    """Return the file's digest, its manifest, and every part, each held against its digest."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise UnreadableFile(file.name, f"it is larger than {MOST_BYTES >> 20} MB, as no model is.")
        packed = file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {(error.strerror or str(error)).lower()}. Nothing was stored.") from error
    digest = hashlib.sha256(packed).hexdigest()
    if sha256 is not None and digest != sha256.strip().lower():
        raise TamperedArtefact(f"{file.name} has the SHA-256 {digest}, not the one you were told. Nothing was stored; ask for it again.")
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            _harmless(file.name, archive.infolist())
            manifest = _manifest(file.name, archive)
            parts = {name: archive.read(name) for name in archive.namelist() if name != MANIFEST}
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, zlib.error) as error:
        raise UnreadableFile(file.name, f"it is no bundle, or damaged ({error}). Nothing was stored.") from error
    wanted = manifest["files"]
    for name in sorted({*wanted, *parts}):
        if name not in wanted or name not in parts:
            where = "its manifest does not name" if name in parts else "is missing, though its manifest names it"
            said = f"{name} is there, which {where}" if name in parts else f"{name} {where}"
            raise TamperedArtefact(f"{file.name} is not whole: {said}. Nothing was stored.")
        if hashlib.sha256(parts[name]).hexdigest() != wanted[name].get("sha256"):
            raise TamperedArtefact(f"{file.name} is not whole: {name} is not the file that was exported. Nothing was stored.")
    return digest, manifest, parts


def _harmless(name: str, members: list[zipfile.ZipInfo]) -> None:
    """Refuse names that are none of a bundle's (paths among them), names that stand twice, other packing, more than a model can hold."""
    for member in members:
        if member.filename not in ALLOWED or PurePosixPath(member.filename).name != member.filename:
            raise UnreadableFile(name, f"it holds {member.filename[:80]!r}, which belongs to no bundle. Nothing was stored.")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnreadableFile(name, f"{member.filename} is packed as no export packs it. Nothing was stored.")
    if len({member.filename for member in members}) < len(members):
        raise UnreadableFile(name, "it holds the same file twice. Nothing was stored.")
    if missing := [each for each in (MANIFEST, LABELS, *NEEDED) if each not in {member.filename for member in members}]:
        raise UnreadableFile(name, f"it holds no {missing[0]}, so it is no bundle of a model. Nothing was stored.")
    if sum(member.file_size for member in members) > MOST_BYTES:
        raise UnreadableFile(name, f"it unpacks to more than {MOST_BYTES >> 20} MB, as no model does. Nothing was stored.")


def _manifest(name: str, archive: zipfile.ZipFile) -> dict[str, Any]:
    """Return the manifest, its parts of the kinds they should be."""
    if archive.getinfo(MANIFEST).file_size > MOST_MANIFEST:
        raise UnreadableFile(name, f"its {MANIFEST} is larger than any. Nothing was stored.")
    found = json.loads(archive.read(MANIFEST))
    if not isinstance(found, dict) or (found.get("kind"), found.get("format")) != (KIND, FORMAT):
        raise UnreadableFile(name, f"it is no bundle of a model in the form {FORMAT}, which this version reads. Nothing was stored.")
    for part, keys in PARTS.items():
        if not isinstance(found.get(part), dict) or (missing := [key for key in keys if key not in found[part]]):
            lack = f" without {missing[0]}" if isinstance(found.get(part), dict) else " that cannot be read"
            raise UnreadableFile(name, f"its {MANIFEST} has a part {part!r}{lack}. Nothing was stored.")
    if set(found["model"]) != set(OF_THE_ROW) or not all(isinstance(each, dict) for each in found["files"].values()):
        raise UnreadableFile(name, f"its {MANIFEST} says what no export writes. Nothing was stored.")
    found["origin"] = {key: str(said) for key, said in found["origin"].items()}
    return found


def _ours(store: Store, file: Path, manifest: Mapping[str, Any], parts: Mapping[str, bytes]) -> None:
    """Refuse a model of another schema, of a kind that does not exist, without its warning, or that is here already."""
    model, label_set = manifest["model"], manifest["label_set"]
    declared = schemas.parse(parts[registry.SCHEMA].decode("utf-8", "replace"), f"{registry.SCHEMA} in {file.name}").fingerprint
    if declared != model["schema_fingerprint"] or declared != store.schema.fingerprint:
        raise SchemaMismatch(
            f"The model in {file.name} was made for another schema ({declared}) than this workspace has ({store.schema.fingerprint}). "
            "Nothing was stored; import it into a workspace of its own schema."
        )
    if model["algorithm"] not in (*CANDIDATES, *BASELINES):
        raise InvalidInput(f"{file.name} holds a model of the kind {model['algorithm']!r}, which this version does not know.")
    if model["label_source"] != label_set["source"] or (model["label_source"] in labels.PROXIES and model["is_proxy"] is not True):
        raise TamperedArtefact(f"{file.name} says two things about the labels its model was learned from. Nothing was stored.")
    digest = hashlib.sha256(parts[registry.ARTEFACT]).hexdigest()
    if known := store.value("select min(model_id) from model where digest = $digest", digest=digest):
        raise InvalidInput(f"The model in {file.name} is here already: it is {known}. Nothing was stored.")


def _label_set(file: Path, manifest: Mapping[str, Any]) -> LabelSet:
    """Return the label set that a model brings, under a name that says so and is the same for every model learned from it."""
    origin, brought = manifest["origin"], manifest["label_set"]
    try:
        given = LabelSet(**{**brought, "created_at": datetime.fromisoformat(brought["created_at"])})
        source = {"workspace": origin["workspace"], "label_set_id": given.label_set_id, "digest": given.report.get("digest")}
        name = f"I-{hashlib.sha256(json.dumps(source, sort_keys=True).encode()).hexdigest()[:8]}"
        return labels.named(given, name, {**given.report, "origin": source})
    except (TypeError, ValueError, AttributeError) as error:
        raise UnreadableFile(file.name, f"what its {MANIFEST} says of the labels cannot be read ({error}). Nothing was stored.") from error


def _taught(file: Path, content: bytes) -> DataFrame:
    """Return the applicants that a model's labels name, one row each."""
    from pyarrow import ArrowException, parquet

    try:
        opened = parquet.ParquetFile(io.BytesIO(content))
        if opened.metadata.num_rows > MOST_MEMBERS:
            raise UnreadableFile(file.name, f"its labels name more than {MOST_MEMBERS:,} applicants. Nothing was stored.")
        found: DataFrame = opened.read(list(labels.MEMBERS)).to_pandas().drop_duplicates("applicant_id")
    except (ArrowException, KeyError, OSError) as error:
        raise UnreadableFile(file.name, f"its {LABELS} cannot be read ({error}). Nothing was stored.") from error
    return found
