"""A lender's own tables into the store: one or several files, joined on a key, held to a schema, kept as a snapshot of applicants.

No row is lost on the way: keys that find no partner are counted by file, values that cannot be are emptied and said row by row,
and a key that stands twice refuses the import. What a table says of the outcome is kept as an outcome, never as a feature.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pandas import DataFrame, Series, isna

from creditrisk import inference, rows, schema
from creditrisk.errors import InvalidInput, NotAllowed
from creditrisk.rows import Problem
from creditrisk.schema import Schema
from creditrisk.store import Store, now, quoted

ID_NAMES = ("applicant_id", "id", "cust_id", "customer_id", "client_id", "loan_id", "application_id", "member_id")


@dataclass(frozen=True)
class Part:
    """One file of an import: its rows, and how many of their keys the first file knows (of the first file: how many any other knows)."""

    file: str
    rows: int
    matched: int
    unmatched: int


@dataclass(frozen=True)
class Table:
    """Tables joined to one row per applicant: the key's column, and what each file brought."""

    frame: DataFrame
    key: str
    parts: list[Part]
    notes: list[str]


@dataclass(frozen=True)
class Imported:
    """What became of a table: the snapshot it is, the schema it was held to, its problems, outcomes that came with it."""

    snapshot_id: int
    schema: Schema
    n: int
    n_outcomes: int
    problems: list[Problem]


def join(tables: Mapping[str, DataFrame], *, key: str | None = None, on: str | None = None) -> Table:
    """Join tables by file name, the first of which says who is an applicant; the others add columns to them.

    `key` names the applicant in the first table (else a column called like an id, else the rows are numbered); `on` names the key
    in the others, where it differs. Raises InvalidInput for a key that is missing, empty or stands twice.
    """
    (first, base), *others = tables.items()
    notes: list[str] = []
    on, base = on or key, base.copy()
    if key is None:
        key = on = on or key_of(base)
    if key is None:
        if others:
            raise InvalidInput(f"{first} has no column called like an id: name the key with --id COLUMN.")
        key, base = "row", base.assign(row=[f"row {number}" for number in range(1, len(base) + 1)])
        notes.append(f"{first} has no column called like an id: its applicants are called by their row.")
    base[key] = _keyed(first, base, key)
    joined = base
    known = set(base[key])
    parts, met = [], set[str]()
    for name, other in others:
        table = other.assign(**{str(on): _keyed(name, other, str(on))}).rename(columns={str(on): key})
        shared = [column for column in table.columns if column in joined.columns and column != key]
        if shared:
            raise InvalidInput(f"{name} has {', '.join(shared)}, which another file has too: rename or remove one of them.")
        matched = table[key].isin(known)
        met |= set(table.loc[matched, key])
        parts.append(Part(name, len(table), int(matched.sum()), int((~matched).sum())))
        joined = joined.merge(table, on=key, how="left")
    found = len(met) if others else len(base)
    return Table(joined, key, [Part(first, len(base), found, len(base) - found), *parts], notes)


def propose(table: Table, *, target: str | None = None, as_of: str | None = None) -> inference.Proposal:
    """Describe a joined table; what its target column says helps to find columns that know the outcome."""
    column, verdict = rows.target(table.frame, target) if target else (None, None)
    bad = None if verdict is None else [None if isna(value) else verdict(value)[0] for value in table.frame[column]]
    keys = [name for name in (table.key, column, as_of) if name]
    return inference.propose(table.frame, name=_stem(table.parts[0].file), keys=keys, bad=bad)


def wanted(
    store: Store, table: Table, *, target: str | None = None, as_of: str | None = None, said: str | None = None, origin: str = "schema"
) -> inference.Proposal:
    """Return the schema a table is held to, and what a person should know of it: the workspace's own where it holds applicants who
    share a column with the table, else the proposal; `said` is TOML whose keys replace some of it."""
    held = store.value("select count(*) from snapshot") and any(feature.name in table.frame.columns for feature in store.schema)
    found = _expected(store.schema, table, target, as_of) if held else propose(table, target=target, as_of=as_of)
    return found if said is None else replace(found, schema=declared(said, found.schema, origin, is_held=bool(held)))


def _expected(known: Schema, table: Table, target: str | None, as_of: str | None) -> inference.Proposal:
    """Return a schema that is settled, and which columns of a table it does not know or does not find."""
    names = {feature.name for feature in known}
    keys = {table.key, as_of, rows.target(table.frame, target)[0] if target else None}
    strangers = [str(column) for column in table.frame.columns if column not in names | keys]
    said = "is not in the schema of this workspace and was left out."
    findings = [inference.Finding(name, "stranger", f"{name} {said}") for name in strangers]
    absent = names - set(table.frame.columns) - {feature.name for feature in known if feature.formula}
    findings += [
        inference.Finding(name, "empty", f"{name} is in the schema of this workspace and not in the table: it stays unknown.")
        for name in sorted(absent - set(rows.needed(known)))  # without the others nothing is kept
    ]
    return inference.Proposal(known, findings)


def declared(text: str, proposed: Schema, origin: str, *, is_held: bool = False) -> Schema:
    """Return the proposal with the keys a TOML declares put right; where applicants are held to it already, what was dropped stays so."""
    import tomllib

    try:
        said: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{origin} is not valid TOML: {error}.") from error
    entries = said.get("feature", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and entry.get("name") for entry in entries):
        raise InvalidInput(f"{origin}: every [[feature]] needs a name.")
    names = {feature.name for feature in proposed}
    done = [entry["name"] for entry in entries if is_held and entry.get("drop") and entry["name"] not in names]  # left out long ago
    corrected = inference.correct(proposed, {entry["name"]: entry for entry in entries if entry["name"] not in done})
    return schema.build({**corrected, "name": said.get("name", proposed.name)}, origin)


def save(store: Store, table: Table, wanted: Schema, *, user: str, target: str | None = None, as_of: str | None = None) -> Imported:
    """Keep a joined table as a snapshot of everybody, and its outcomes; the workspace takes the schema where it has none of its own.

    All of it in one transaction. Raises NotAllowed where the workspace holds applicants of another schema.
    """
    adopted = _adopt(store, wanted)
    given = table.frame.drop(columns=[name for name in table.frame.columns if name not in {feature.name for feature in wanted}])
    given.insert(0, "applicant_id", table.frame[table.key])
    if as_of:
        if as_of not in table.frame.columns:
            raise InvalidInput(f"There is no column {as_of!r}; there are {', '.join(map(str, table.frame.columns))}.")
        given.insert(1, "as_of", table.frame[as_of])
    checked, problems = rows.check(wanted, given, complete=True)
    observed = DataFrame(columns=["applicant_id", "observed_bad", "observed_on"])
    if target:
        observed, wrong = rows.outcomes(table.frame, id_column=table.key, bad_column=str(target))
        problems = sorted([*problems, *wrong], key=lambda problem: problem.row)
    names = ", ".join(quoted(name) for name in checked.columns)
    with store.write(user, "import", _stem(table.parts[0].file), n=len(checked), files=[part.file for part in table.parts]) as cursor:
        if adopted:
            store.shape(cursor, wanted)
        at = now()
        made = cursor.execute(
            """insert into snapshot (as_of, days_before, schema_fingerprint, n_applicants, is_whole, created_at, created_by)
            values (null, 0, $fingerprint, $n, true, $at, $user) returning snapshot_id""",
            {"fingerprint": wanted.fingerprint, "n": len(checked), "at": at, "user": user},
        ).fetchall()
        snapshot_id = int(made[0][0])
        cursor.register("checked", checked)
        cursor.execute(f"insert into applicant (snapshot_id, {names}) select $id, {names} from checked", {"id": snapshot_id})
        cursor.register("observed", observed)
        cursor.execute(
            "insert into outcome select applicant_id, observed_bad::boolean, observed_on::date, $at, $user from observed",
            {"at": at, "user": user},
        )
        if adopted:  # last, but before the commit: a schema without rows does no harm, rows without their schema would
            store.adopt(wanted)
    return Imported(snapshot_id, wanted, len(checked), len(observed), problems)


EDITABLE = ("name", "title", "type", "unit", "role", "risk", "low", "high", "in_index", "why")


def editable(proposed: Schema) -> DataFrame:
    """Return the keys of a schema that a person corrects most, one row per feature, for a table to edit."""
    return DataFrame([{key: getattr(feature, key) for key in EDITABLE} for feature in proposed])


def edited(proposed: Schema, table: DataFrame) -> Schema:
    """Return a schema with the keys of an edited table in place of its own; raises InvalidInput for what no schema may say."""
    said = {str(row["name"]): {key: row[key] for key in EDITABLE if not isna(row[key])} for row in table.to_dict("records")}
    for row in said.values():
        row["risk"] = int(row.get("risk", 0))
    return schema.build(inference.correct(proposed, said), "the schema")


def _adopt(store: Store, wanted: Schema) -> bool:
    """Say whether the workspace takes a new schema; raises NotAllowed where it has applicants of another one."""
    if store.schema.fingerprint == wanted.fingerprint:
        return False
    held = store.value("select count(*) from snapshot") or store.value("select count(*) from statement")
    if held:
        raise NotAllowed(
            f"This workspace holds applicants of the schema {store.schema.name!r}; a table of other columns needs a workspace of its "
            "own: name another folder with --data and --models."
        )
    return True


def key_of(table: DataFrame) -> str | None:
    """Return the column that is called like an id, or None."""
    named = {str(column).lower(): str(column) for column in table.columns}
    return next((named[name] for name in ID_NAMES if name in named), None)


def _keyed(file: str, table: DataFrame, key: str) -> Series:
    """Return the key of every row as text; raises InvalidInput where a row has none, or two have the same."""
    if key not in table.columns:
        raise InvalidInput(f"{file} has no column {key!r}; it has {', '.join(map(str, table.columns))}.")
    text = table[key].astype(object).where(table[key].notna(), "").map(lambda value: str(value).strip().removesuffix(".0"))
    empty = (text == "").to_numpy().nonzero()[0]
    if len(empty):
        raise InvalidInput(f"{file}, row {empty[0] + 1}: the key {key!r} is empty (in {len(empty)} rows); nothing was stored.")
    twice = text.duplicated(keep=False).to_numpy().nonzero()[0]
    if len(twice):
        name = text.iloc[twice[0]]
        also = ", ".join(str(place + 1) for place in twice if text.iloc[place] == name)
        raise InvalidInput(f"{file}: the key {key!r} is {name!r} in rows {also}; each applicant may have one row. Nothing was stored.")
    return text


def _stem(file: str) -> str:
    return Path(file).stem
