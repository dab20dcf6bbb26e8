"""A lender's own tables into the store: one or several files, joined on a key, held to a schema, kept as a snapshot of applicants.

No row is lost on the way: keys that find no partner are counted by file, values that cannot be are emptied and said row by row,
and a key that stands twice refuses the import. What a table says of the outcome is kept as an outcome, never as a feature.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pandas import DataFrame, Series, isna

from creditrisk import gather, inference, provenance, rows, schema, tabular
from creditrisk.errors import InvalidInput, NotAllowed
from creditrisk.gather import Plan
from creditrisk.inference import Finding
from creditrisk.provenance import Change
from creditrisk.rows import Problem
from creditrisk.schema import Schema
from creditrisk.store import Store, now, quoted

ID_NAMES = (
    "applicant_id", "id", "cust_id", "customer_id", "client_id", "loan_id", "application_id", "member_id", "appl_id", "app_id",
    "borrower_id", "customer_no", "customer_number", "client_no", "sk_id_curr",
)  # fmt: skip
EXACT = 2.0**53  # up to here every whole number has a float of its own
ROUNDED = r"-?\d(\.\d+)?[eE]\+\d+"  # 1.2E+15: an id that a spreadsheet took for a number
LONG_IDS = 2


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
        key = on = on or key_of(base)
    if key is None:
        if others:
            raise InvalidInput(f"{first} has no column called like an id: name the key with --id COLUMN.")
        key, base = "row", base.assign(row=[f"row {number}" for number in range(1, len(base) + 1)])
        notes.append(f"{first} has no column called like an id: its applicants are called by their row.")
    base[key] = _keys(first, base, key)
    _once(first, key, base[key], "each applicant may have one row")
    notes += _look_alikes(first, key, base[key])
    joined, known = base, set(base[key])
    parts, met = [], set[str]()
    for name, other in others:
        table = other.assign(**{str(on): _keys(name, other, str(on))}).rename(columns={str(on): key})
        matched = table[key].isin(known)
        met |= set(table.loc[matched, key])
        parts.append(Part(name, len(table), int(matched.sum()), int((~matched).sum())))
        notes += _near_misses(name, table.loc[~matched, key], known)
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
    named = on or key or key_of(first)
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
        _once(file, key, table[key], f"{how}, or give one row for each applicant")
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
    known = {feature.name for feature in wanted}
    given = table.frame.drop(columns=[name for name in table.frame.columns if name not in known])
    given.insert(0, "applicant_id", table.frame[table.key])
    if as_of:
        if as_of not in table.frame.columns:
            raise InvalidInput(f"There is no column {as_of!r}; there are {', '.join(map(str, table.frame.columns))}.")
        given.insert(1, "as_of", rows.days(table.frame[as_of]))
    checked, problems = rows.check(wanted, given, complete=True)
    observed = DataFrame(columns=["applicant_id", "observed_bad", "observed_on"])
    if target:
        observed, wrong = rows.outcomes(table.frame, id_column=table.key, bad_column=str(target))
        problems = sorted([*problems, *wrong], key=lambda problem: problem.row)
    changes = [
        *_of_files(table),
        *provenance.found(wanted, given, problems, [*findings, *_dropped(table, wanted, target, as_of, findings)]),
    ]
    names = ", ".join(quoted(name) for name in checked.columns)
    store.require_room(int(table.frame.memory_usage().sum()), table.parts[0].file)
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
        provenance.keep(cursor, snapshot_id, changes, checked["applicant_id"].tolist())
        cursor.register("observed", observed)
        cursor.execute(
            "insert into outcome select applicant_id, observed_bad::boolean, observed_on::date, $at, $user from observed",
            {"at": at, "user": user},
        )
        if adopted:  # last, but before the commit: a schema without rows does no harm, rows without their schema would
            store.adopt(wanted)
    return Imported(snapshot_id, wanted, len(checked), len(observed), problems)


def respell(store: Store, snapshot_id: int, wanted: Schema, *, user: str) -> int:
    """Put choices of a snapshot right as the spellings of `wanted` say, in a new snapshot, and take that schema; returns the new id.

    The applicants stay as they were in the old one. Raises InvalidInput where no value would change.
    """
    changed = [
        (feature.name, written, meant)
        for feature in wanted
        for written, meant in feature.spellings.items()
        if written not in store.schema[feature.name].spellings
    ]
    if not changed:
        raise InvalidInput("No writing was given another meaning, so there is nothing to put right.")
    names = ["applicant_id", "as_of", *(feature.name for feature in wanted)]
    columns = ", ".join(map(quoted, names))
    with store.write(user, "import", wanted.name, n=None, respelled=[list(change) for change in changed], of=snapshot_id) as cursor:
        made = cursor.execute(
            """insert into snapshot (as_of, days_before, schema_fingerprint, n_applicants, is_whole, created_at, created_by)
            select as_of, days_before, $fingerprint, n_applicants, is_whole, $at, $user from snapshot where snapshot_id = $old
            returning snapshot_id""",
            {"fingerprint": wanted.fingerprint, "at": now(), "user": user, "old": snapshot_id},
        ).fetchall()
        new = int(made[0][0])
        cursor.execute(
            f"insert into applicant (snapshot_id, {columns}) select $new, {columns} from applicant where snapshot_id = $old",
            {"new": new, "old": snapshot_id},
        )
        provenance.respelled(cursor, snapshot_id, new, changed)
        for name, written, meant in changed:
            column = quoted(name)
            cursor.execute(
                f"update applicant set {column} = $meant where snapshot_id = $new and {column} = $written",
                {"meant": meant, "new": new, "written": written},
            )
        store.adopt(wanted)
    return new


def writings(known: Schema, table: DataFrame) -> DataFrame:
    """Return how each choice of a table is written, for a person to correct: column, written, n, perhaps (a guess), means ('' = itself)."""
    found = []
    for feature in known:
        if feature.is_numeric or feature.name not in table:
            continue
        column = table[feature.name]
        counts = column[column.notna()].astype(str).str.strip().value_counts()
        near = inference.alike({str(text): int(n) for text, n in counts.items() if text not in feature.spellings})
        found += [(feature.name, text, int(n), near.get(str(text), ""), feature.spellings.get(str(text), "")) for text, n in counts.items()]
    return DataFrame(found, columns=["column", "written", "n", "perhaps", "means"])


def written(store: Store, snapshot_id: int) -> DataFrame:
    """Return how the choices of a snapshot's applicants are written, as `writings` does."""
    names = ", ".join(quoted(feature.name) for feature in store.schema if not feature.is_numeric)
    held = store.read(f"select {names or 'applicant_id'} from applicant where snapshot_id = $id", id=snapshot_id)
    return writings(store.schema, held)


def spelled(known: Schema, table: DataFrame) -> Schema:
    """Return a schema in which writings mean what an edited table of them says; raises InvalidInput for a meaning that means another."""
    features = []
    for feature in known:
        mine = table[table["column"] == feature.name]
        said = {str(row["written"]): str(row["means"]).strip() for row in mine.to_dict("records") if not isna(row["means"])}
        said = {written: meant for written, meant in said.items() if meant and meant != written}
        if chained := next((meant for meant in said.values() if meant in said), None):
            raise InvalidInput(f"{feature.title}: {chained!r} is a meaning and means {said[chained]!r} itself; say one of them.")
        kept = {**{one: meant for one, meant in feature.spellings.items() if one not in set(mine["written"])}, **said}
        choices = tuple(sorted({*feature.choices, *kept.values()} - set(kept)))
        features.append(replace(feature, spellings=kept, choices=choices) if feature.type == "choice" else feature)
    return replace(known, features=tuple(features))


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


def key_of(table: DataFrame) -> str | None:
    """Return the column that is called like an id, or None."""
    named = {str(column).lower(): str(column) for column in table.columns}
    return next((named[name] for name in ID_NAMES if name in named), None)


def _keys(file: str, table: DataFrame, key: str) -> Series:
    """Return the key of every row as text; raises InvalidInput where a row has none, or a spreadsheet has rounded it."""
    if key not in table.columns:
        raise InvalidInput(f"{file} has no column {key!r}; it has {', '.join(map(str, table.columns[:30]))}.")
    column = table[key]
    if column.dtype.kind == "f" and (column.dropna() == np.floor(column.dropna())).all() and (column.abs() < EXACT).all():
        column = column.astype("Int64")
    text = column.astype(object).where(column.notna(), "").map(lambda value: str(value).strip().removesuffix(".0"))
    empty = (text == "").to_numpy().nonzero()[0]
    if len(empty):
        raise InvalidInput(f"{file}, row {empty[0] + 1}: the key {key!r} is empty (in {len(empty)} rows); nothing was stored.")
    odd = np.flatnonzero([not name.isprintable() or len(name) > rows.MAX_NAME for name in text])
    if len(odd):
        what = f"is {text.iloc[odd[0]][:40]!r}; it should be at most {rows.MAX_NAME} printable characters"
        raise InvalidInput(f"{file}, row {odd[0] + 1}: the key {key!r} {what}. Nothing was stored.")
    rounded = text.str.fullmatch(ROUNDED).to_numpy(bool)
    long = text[text.str.fullmatch(r"\d{16,}")]
    if len(long) > LONG_IDS and long.str.endswith("0").all():  # a spreadsheet keeps 15 digits
        rounded = rounded | text.isin(set(long)).to_numpy()
    if rounded.any():
        place = int(rounded.argmax())
        raise InvalidInput(
            f"{file}, row {place + 1}: the key {key!r} is {text.iloc[place]!r}, a number that a program has rounded (in {rounded.sum():,} "
            "rows), so two applicants may look like one. Export the column as text. Nothing was stored."
        )
    return text


def _once(file: str, key: str, text: Series, rule: str) -> None:
    """Raise InvalidInput where a key stands twice, with the rows of the first one that does."""
    twice = text.duplicated(keep=False)
    if not twice.any():
        return
    name = text[twice].iloc[0]
    places = (text == name).to_numpy().nonzero()[0] + 1
    also = ", ".join(map(str, places[:5])) + (f" and {len(places) - 5:,} more" if len(places) > 5 else "")
    others = text[twice].nunique() - 1
    more = f" (and so are {others:,} others)" if others else ""
    raise InvalidInput(f"{file}: the key {key!r} is {name!r} in rows {also}{more}; {rule}. Nothing was stored.")


def _look_alikes(file: str, key: str, text: Series) -> list[str]:
    """Say which ids differ only in case or blanks; they are kept apart, for nobody but a person knows."""
    folded = text.str.casefold().str.replace(r"\s+", "", regex=True)
    twins = text[folded.duplicated(keep=False)]
    if twins.empty:
        return []
    one, other = twins[folded[twins.index] == folded[twins.index[0]]].iloc[:2]
    return [
        f"{file}: {len(twins):,} values of {key} differ only in case or blanks ({one!r} and {other!r}); they are kept as applicants apart."
    ]


def _near_misses(file: str, text: Series, known: set[str]) -> list[str]:
    """Say where keys find no partner only because they are written otherwise: leading zeros, case, blanks."""
    bare = {name.casefold().strip().lstrip("0") for name in known}
    found = text[text.str.casefold().str.strip().str.lstrip("0").isin(bare)]
    if found.empty:
        return []
    return [
        f"{file}: {len(found):,} keys without a partner, {found.iloc[0]!r} first, have one but for leading zeros or case: write both alike."
    ]


def _stem(file: str) -> str:
    return Path(file).stem
