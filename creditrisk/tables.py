"""A lender's own tables into the store: one or several files, joined on a key, held to a schema, kept as a snapshot of applicants.

No row is lost on the way: keys that find no partner are counted by file, values that cannot be are emptied and said row by row,
and a key that stands twice refuses the import. What a table says of the outcome is kept as an outcome, never as a feature.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pandas import DataFrame, isna

from creditrisk import gather, ids, inference, provenance, rows, schema, tabular
from creditrisk.errors import InvalidInput, NotAllowed
from creditrisk.gather import Plan
from creditrisk.inference import Finding
from creditrisk.provenance import Change
from creditrisk.rows import Problem
from creditrisk.schema import Schema
from creditrisk.store import Store, now, quoted


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


def named(files: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    """Return files by the plain name they are spoken of with; raises InvalidInput where two are called alike."""
    found: dict[str, bytes] = {}
    for name, content in files:
        plain = tabular.plain_name(name)
        if plain in found:
            raise InvalidInput(f"Two files are called {plain}: rename one, so that each can be told from the other.")
        found[plain] = content
    return found


def join(tables: Mapping[str, DataFrame], *, key: str | None = None, on: str | None = None, gather: Plan | None = None) -> Table:
    """Join tables by file name, the first of which says who is an applicant; the others add columns to them.

    `key` names the applicant in the first table (else a column called like an id, else the rows are numbered); `on` names the key
    in the others, where it differs. Another table may have several rows for an applicant if `gather` says of some of its columns how
    they become one; its other columns are left out then. Raises InvalidInput for a key that is missing, empty, rounded by a
    spreadsheet, or stands twice without such a plan.
    """
    (first, base), *others = tables.items()
    notes = [f"{file}: {note}" for file, table in tables.items() for note in table.attrs.get("notes", [])]
    asked, on, base = dict(gather or {}), on or key, base.copy()
    if key is None:
        key = on = on or ids.column_of(base)
    if key is None:
        if others:
            raise InvalidInput(f"{first} has no column called like an id: name the key with --id COLUMN.")
        key, base = "row", base.assign(row=[f"row {number}" for number in range(1, len(base) + 1)])
        notes.append(f"{first} has no column called like an id: its applicants are called by their row.")
    base[key] = ids.read(first, base, key)
    ids.once(first, key, base[key], "each applicant may have one row")
    notes += ids.look_alikes(first, key, base[key])
    joined, known = base, set(base[key])
    parts, met = [], set[str]()
    for name, other in others:
        table = other.assign(**{str(on): ids.read(name, other, str(on))}).rename(columns={str(on): key})
        matched = table[key].isin(known)
        met |= set(table.loc[matched, key])
        parts.append(Part(name, len(table), int(matched.sum()), int((~matched).sum())))
        notes += ids.near_misses(name, table.loc[~matched, key], known)
        columns = len(table.columns)
        table, counted = _one_each(name, table, key, asked)
        if counted:
            left = columns - 1 - len({column for column in asked if column in other})
            said = f"{name}: {parts[-1].rows:,} rows became one for each of {len(table):,} applicants ({', '.join(table.columns[1:])})"
            notes.append(f"{said}{f'; {left} without a function left out' if left else ''}.")
        shared = [column for column in table.columns if column in joined.columns and column != key]
        if shared:
            raise InvalidInput(f"{name} has {', '.join(shared)}, which another file has too: rename or remove one of them.")
        joined = joined.merge(table, on=key, how="left")
        if counted:
            joined[counted] = joined[counted].fillna(0)
    if strange := [column for column in asked if not any(column in table for table in tables.values())]:
        raise InvalidInput(f"No file has a column {strange[0]!r} whose rows could become one.")
    found = len(met) if others else len(base)
    joined.attrs.clear()
    return Table(joined, key, [Part(first, len(base), found, len(base) - found), *parts], notes)


def several(tables: Mapping[str, DataFrame], *, key: str | None = None, on: str | None = None) -> dict[str, list[str]]:
    """Return the further files with several rows for one applicant, and which of their columns can become one row's."""
    first, *_ = tables.values()
    named = on or key or ids.column_of(first)
    found: dict[str, list[str]] = {}
    for name, table in list(tables.items())[1:]:
        if named in table.columns and table[named].duplicated().any():
            found[name] = [str(column) for column in table.columns if column != named]
    return found


def _one_each(file: str, table: DataFrame, key: str, asked: Plan) -> tuple[DataFrame, str]:
    """Return a table with one row per key, and the column that counts its rows where there were several to be gathered ('' else)."""
    if not table[key].duplicated().any():
        return table, ""
    if not any(column in asked for column in table.columns):
        example = next((str(column) for column in table.columns if column != key), "COLUMN")
        how = f"say how several become one, like {example}=max ({', '.join(gather.FUNCTIONS)}; --gather on the command line)"
        ids.once(file, key, table[key], f"{how}, or give one row for each applicant")
    return gather.gathered(file, table, key, asked), gather.rows_of(file)


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
    findings = [Finding(name, "stranger", f"{name} {said}") for name in strangers]
    absent = names - set(table.frame.columns) - {feature.name for feature in known if feature.formula}
    findings += [
        Finding(name, "empty", f"{name} is in the schema of this workspace and not in the table: it stays unknown.")
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


def save(
    store: Store,
    table: Table,
    wanted: Schema,
    *,
    user: str,
    target: str | None = None,
    as_of: str | None = None,
    findings: Sequence[Finding] = (),
) -> Imported:
    """Keep a joined table as a snapshot of everybody, its outcomes, and what was changed on the way (`findings` of the proposal among
    it); the workspace takes the schema where it has none of its own.

    All of it in one transaction. Raises NotAllowed where the workspace holds applicants of another schema.
    """
    adopted = _adopt(store, wanted)
    given = _given(table, wanted, as_of)
    checked, problems = rows.check(wanted, given, complete=True)
    observed = DataFrame(columns=["applicant_id", "observed_bad", "observed_on"])
    if target:
        observed, wrong = rows.outcomes(table.frame, id_column=table.key, bad_column=str(target))
        problems = sorted([*problems, *wrong], key=lambda problem: problem.row)
    dropped = _dropped(table, wanted, target, as_of, findings)
    changes = [*_of_files(table), *provenance.found(wanted, given, problems, [*findings, *dropped])]
    store.require_room(int(table.frame.memory_usage().sum()), table.parts[0].file)
    with store.write(user, "import", _stem(table.parts[0].file), n=len(checked), files=[part.file for part in table.parts]) as cursor:
        if adopted:
            store.shape(cursor, wanted)
        snapshot_id = _insert(cursor, wanted, checked, observed, user)
        provenance.keep(cursor, snapshot_id, changes, checked["applicant_id"].tolist())
        if adopted:  # last, but before the commit: a schema without rows does no harm, rows without their schema would
            store.adopt(wanted)
    return Imported(snapshot_id, wanted, len(checked), len(observed), problems)


def _given(table: Table, wanted: Schema, as_of: str | None) -> DataFrame:
    """Return the applicants as the schema's columns, with their days where a column names them; raises InvalidInput where it does not."""
    known = {feature.name for feature in wanted}
    given = table.frame.drop(columns=[name for name in table.frame.columns if name not in known])
    given.insert(0, "applicant_id", table.frame[table.key])
    if as_of:
        if as_of not in table.frame.columns:
            raise InvalidInput(f"There is no column {as_of!r}; there are {', '.join(map(str, table.frame.columns))}.")
        given.insert(1, "as_of", rows.days(table.frame[as_of]))
    return given


def _insert(cursor: Any, wanted: Schema, checked: DataFrame, observed: DataFrame, user: str) -> int:
    """Append a snapshot of these applicants and their outcomes; return its id."""
    at, names = now(), ", ".join(quoted(name) for name in checked.columns)
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
    return snapshot_id


def _of_files(table: Table) -> list[Change]:
    """Return what became of the files themselves: how they were read, how many of their keys found a partner."""
    read = [Change(None, "gathered" if "became one" in note else "read", note, 0) for note in table.notes]
    if len(table.parts) == 1:
        return read
    said = [f"{part.file}: {part.rows:,} rows, {part.matched:,} with a partner, {part.unmatched:,} without" for part in table.parts]
    return [*read, *(Change(None, "joined", what, part.unmatched) for what, part in zip(said, table.parts, strict=True))]


def _dropped(table: Table, wanted: Schema, target: str | None, as_of: str | None, findings: Sequence[Finding]) -> list[Finding]:
    """Return a finding for each column that somebody left out of the schema, so that none goes without a word."""
    named = {feature.name for feature in wanted} | {finding.column for finding in findings}
    keys = {table.key, as_of, rows.target(table.frame, target)[0] if target else None}
    left = [str(column) for column in table.frame.columns if column not in named | keys]
    return [Finding(name, "stranger", f"{name} is not in the schema and was left out.") for name in left]


EDITABLE = ("name", "title", "type", "unit", "role", "risk", "low", "high", "in_index", "actionable", "missing", "formula", "why")


def editable(proposed: Schema) -> DataFrame:
    """Return the keys of a schema that a person corrects most, one row per feature, for a table to edit; `missing` is `CODE=why, CODE`."""
    made = DataFrame([{key: getattr(feature, key) for key in EDITABLE} for feature in proposed])
    said = [", ".join(code if why == inference.A_CODE else f"{code}={why}" for code, why in codes.items()) for codes in made["missing"]]
    return made.assign(missing=said)


def edited(proposed: Schema, table: DataFrame) -> Schema:
    """Return a schema with the keys of an edited table in place of its own, an emptied one no longer said; raises InvalidInput for what
    no schema may say."""
    said = {str(row["name"]): {key: None if isna(row[key]) else row[key] for key in EDITABLE} for row in table.to_dict("records")}
    for name, row in said.items():
        row |= {
            "risk": int(row["risk"] or 0),
            "missing": _codes(str(row["missing"] or "")),
            "title": row["title"] or inference.titled(name),
        }
    return schema.build(inference.correct(proposed, said), "the schema")


def _codes(said: str) -> dict[str, str]:
    """Return codes for no value with their reasons, as written in one cell.

    >>> _codes("98=refused to say, 96")
    {'98': 'refused to say', '96': 'a code for no value'}
    """
    pairs = (part.partition("=") for part in said.split(",") if part.strip())
    return {code.strip(): why.strip() or inference.A_CODE for code, _, why in pairs}


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


def _stem(file: str) -> str:
    return Path(file).stem
