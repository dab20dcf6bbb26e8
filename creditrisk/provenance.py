"""What an import changed and why: by column, counted, with every cell as it was written. Facts, appended with the snapshot they explain.

A value that differs from what the lender's file says has a row here; what has none was taken as it stood.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray
from pandas import DataFrame, Series

from creditrisk import inference, rows
from creditrisk.inference import Finding
from creditrisk.rows import Problem
from creditrisk.schema import Feature, Schema
from creditrisk.store import Store, quoted

Places = NDArray[np.intp]
KINDS = {  # as they are said
    "joined": "joined on the key",
    "gathered": "several rows made one",
    "read": "how the file was read",
    "set aside": "left out",
    "not learned from": "kept, not learned from",
    "spelling": "spelling put right",
    "code": "code for no value",
    "computed": "computed",
    "contradicted": "stated and contradicted",
    "refused": "emptied: it cannot be",
    "renamed": "shown under another name",
    "noticed": "noticed",
}
ASIDE = ("empty", "constant", "text", "day", "stranger", "reserved")
APART = ("protected", "leak", "afterwards", "target")


@dataclass(frozen=True)
class Change:
    """One thing that was changed: of which column, of what kind, the rule in words, how often, and the cells: (row, value, message)."""

    column: str | None
    kind: str
    what: str
    n: int
    cells: list[tuple[int, str, str]] = field(default_factory=list)


def found(schema: Schema, given: DataFrame, problems: Sequence[Problem], findings: Sequence[Finding]) -> list[Change]:
    """Return what holding a table against a schema changed, in the order of the schema; findings about whole columns come first."""
    changes = [_noticed(finding) for finding in findings if finding.kind not in ("sign", "code", "spelling")]
    wrong: dict[str, list[Problem]] = {}
    for problem in problems:
        wrong.setdefault(problem.column, []).append(problem)
    for feature in schema:
        if feature.title != inference.titled(feature.name):
            changes.append(Change(feature.name, "renamed", f"shown as “{feature.title}”; files keep the name {feature.name}", 0))
        if feature.name in given:
            changes += _rewritten(feature, given[feature.name])
        if feature.formula:
            changes.append(Change(feature.name, "computed", f"is {feature.formula}, whatever the file says", len(given)))
    for column, those in wrong.items():
        formula = next((feature.formula for feature in schema if feature.name == column), "")
        cells = [(problem.row, problem.value, problem.message) for problem in those]
        kind, what = ("contradicted", f"is not {formula}; the computed figure was kept") if formula else ("refused", _rule(those))
        changes.append(Change(column, kind, what, len(cells), cells))
    return changes


def keep(cursor: DuckDBPyConnection, snapshot_id: int, changes: Sequence[Change], applicants: Sequence[str]) -> None:
    """Append the changes of an import, inside the transaction that keeps its rows; `applicants` are the ids of the rows in order."""
    told = [(snapshot_id, place, change.column, change.kind, change.what, change.n) for place, change in enumerate(changes, 1)]
    cells = [
        (snapshot_id, place, row, applicants[row - 1], value, message)
        for place, change in enumerate(changes, 1)
        for row, value, message in change.cells
    ]
    for name, values in (("import_change", told), ("import_cell", cells)):
        if values:
            cursor.register("kept", DataFrame(values))
            cursor.execute(f"insert into {name} from kept")
            cursor.unregister("kept")


def respelled(cursor: DuckDBPyConnection, old: int, new: int, changed: Sequence[tuple[str, str, str]]) -> None:
    """Append to a new snapshot what was changed in the old one, and the values put right since: (column, as written, what it means)."""
    ids = {"new": new, "old": old}
    cursor.execute("insert into import_change select $new, * exclude (snapshot_id) from import_change where snapshot_id = $old", ids)
    cursor.execute("insert into import_cell select $new, * exclude (snapshot_id) from import_cell where snapshot_id = $old", ids)
    for name, written, meant in changed:
        facts = {**ids, "written": written}
        cursor.execute(
            f"""insert into import_change
            select $new, (select coalesce(max(place), 0) + 1 from import_change where snapshot_id = $new), $name, 'spelling', $what,
                (select count(*) from applicant where snapshot_id = $old and {quoted(name)} = $written)""",
            {**facts, "name": name, "what": f"“{written}” is “{meant}”"},
        )
        cursor.execute(
            f"""insert into import_cell
            select $new, (select max(place) from import_change where snapshot_id = $new), null, applicant_id, $written, ''
            from applicant where snapshot_id = $old and {quoted(name)} = $written""",
            facts,
        )


def changes(store: Store, snapshot_id: int) -> DataFrame:
    """Return what an import changed: place, column_name, kind (in words), what, n (NaN where the whole column or file is
    meant), examples (up to three values as they were written)."""
    told = store.read(
        """select place, column_name, kind, what, n, coalesce(examples, '') as examples
        from import_change
        left join (
            select place, string_agg(distinct value, ' · ') as examples
            from (from import_cell where snapshot_id = $id qualify row_number() over (partition by place order by row_number) <= 3)
            group by place
        ) using (place)
        where snapshot_id = $id
        order by place""",
        id=snapshot_id,
    )
    return told.assign(kind=told["kind"].map(KINDS), n=told["n"].where(told["n"] > 0))


def cells(store: Store, snapshot_id: int, place: int, limit: int = 500) -> DataFrame:
    """Return the cells of one change, in order: row_number, applicant_id, value as it was written, message."""
    return store.read(
        """select row_number, applicant_id, value, message from import_cell
        where snapshot_id = $id and place = $place order by row_number limit $limit""",
        id=snapshot_id,
        place=place,
        limit=limit,
    )


def _noticed(finding: Finding) -> Change:
    kind = "set aside" if finding.kind in ASIDE else "not learned from" if finding.kind in APART else "noticed"
    return Change(finding.column, kind, finding.sentence, 0)


def _rule(problems: Sequence[Problem]) -> str:
    """Say the rules that a column's values broke, each once: 'it should be a number'."""
    clauses = dict.fromkeys(problem.message.rstrip(".").rpartition("; ")[2] for problem in problems)
    return "; ".join(list(clauses)[:3])


def _rewritten(feature: Feature, column: Series) -> Iterator[Change]:
    """Yield one change for each spelling put right and each code that means no value."""
    for written, places in _where(column, rows.codes(feature)).items():
        why = feature.missing.get(written) or feature.missing.get(written.removesuffix(".0"), "")
        yield Change(feature.name, "code", f"{written} means that nothing is known: {why}", len(places), _cells(written, places))
    for written, places in _where(column, feature.spellings).items():
        meant = feature.spellings[written]
        yield Change(feature.name, "spelling", f"“{written}” is “{meant}”", len(places), _cells(written, places))


def _where(column: Series, wanted: Sequence[str] | set[str] | dict[str, str]) -> dict[str, Places]:
    """Return where each of the wanted texts stands in a column, those that stand nowhere left out."""
    if not wanted:
        return {}
    codes, values = column.factorize()
    texts = [rows.plain(value) for value in values]
    return {text: np.flatnonzero(codes == code) for code, text in enumerate(texts) if text in wanted}


def _cells(written: str, places: Places) -> list[tuple[int, str, str]]:
    return [(int(place) + 1, written, "") for place in places]
