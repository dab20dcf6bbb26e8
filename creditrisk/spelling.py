"""How choices are written, and what a person says the writings mean: one kind of job under three spellings is one choice.

Nobody may break this: a snapshot is never rewritten. What is put right is a new one, and every change of it is said.
"""

from dataclasses import replace

from pandas import DataFrame, isna

from creditrisk import inference, provenance
from creditrisk.errors import InvalidInput
from creditrisk.schema import Schema
from creditrisk.store import Store, now, quoted


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
